/**
 * Native libunicorn behind the API of unicorn.js 2.1, for tests of the engine that uses that API: the same calls, the same thrown
 * texts. (unicorn.js itself is not in the package registry.)
 */
import koffi from 'koffi';
import type { TestContext } from 'node:test';
import { requireTool } from './tools';

/** unicorn.h, arm.h, riscv.h: the constants that unicorn.js offers, without UC_. */
const constants: Readonly<Record<string, number>> = {
  ARCH_ARM: 1,
  MODE_THUMB: 1 << 4,
  MODE_MCLASS: 1 << 5,
  HOOK_CODE: 1 << 2,
  ...Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`ARM_REG_R${i}`, 66 + i])),
  ARM_REG_SP: 12,
  ARM_REG_LR: 10,
  ARM_REG_PC: 11,
  ARM_REG_MSP: 115,
  ARM_REG_PSP: 116,
  ARM_REG_CONTROL: 117,
  ARM_REG_XPSR: 120,
  ARM_REG_PRIMASK: 123,
  ARM_REG_BASEPRI: 124,
  ARM_REG_FAULTMASK: 126,
  ARCH_RISCV: 8,
  MODE_RISCV32: 1 << 2,
  MODE_RISCV64: 1 << 3,
  ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`RISCV_REG_X${i}`, 1 + i])),
  RISCV_REG_FFLAGS: 41,
  RISCV_REG_FRM: 42,
  RISCV_REG_FCSR: 43,
  RISCV_REG_MSTATUS: 116,
  RISCV_REG_MIE: 120,
  RISCV_REG_MTVEC: 121,
  RISCV_REG_MSCRATCH: 127,
  RISCV_REG_MEPC: 128,
  RISCV_REG_MCAUSE: 129,
  RISCV_REG_MTVAL: 130,
  RISCV_REG_MIP: 131,
  ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`RISCV_REG_F${i}`, 158 + i])),
  RISCV_REG_PC: 190,
};

function bind(library: koffi.IKoffiLib) {
  koffi.proto('void uc_cb_hookcode(void *engine, uint64_t address, uint32_t size, void *data)');
  return {
    open: library.func('int uc_open(int arch, int mode, _Out_ void **engine)'),
    close: library.func('int uc_close(void *engine)'),
    map: library.func('int uc_mem_map(void *engine, uint64_t address, size_t size, uint32_t perms)'),
    protect: library.func('int uc_mem_protect(void *engine, uint64_t address, size_t size, uint32_t perms)'),
    write: library.func('int uc_mem_write(void *engine, uint64_t address, const uint8_t *bytes, size_t size)'),
    read: library.func('int uc_mem_read(void *engine, uint64_t address, _Out_ uint8_t *bytes, size_t size)'),
    start: library.func(
      'int uc_emu_start(void *engine, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
    ),
    stop: library.func('int uc_emu_stop(void *engine)'),
    readRegister: library.func('int uc_reg_read(void *engine, int id, _Out_ int32_t *value)'),
    writeRegister: library.func('int uc_reg_write(void *engine, int id, const int32_t *value)'),
    readBytes: library.func('int uc_reg_read(void *engine, int id, _Out_ uint8_t *value)'),
    writeBytes: library.func('int uc_reg_write(void *engine, int id, const uint8_t *value)'),
    addHook: library.func(
      'int uc_hook_add(void *engine, _Out_ size_t *hook, int type, void *callback, void *data, uint64_t begin, uint64_t end, ...)',
    ),
    deleteHook: library.func('int uc_hook_del(void *engine, size_t hook)'),
  };
}

/** The module that `MUnicorn()` resolves to; undefined when the library is not installed. */
export function unicornJs(t: Pick<TestContext, 'skip'>): Readonly<Record<string, unknown>> | undefined {
  const path = requireTool(t, 'libunicorn.so.2');
  if (path === undefined) return undefined;
  api ??= bind(koffi.load(path));
  return { ...constants, Unicorn: NativeEngine };
}

let api: ReturnType<typeof bind> | undefined;

function check(name: string, code: unknown): void {
  if (code !== 0) throw `Unicorn.js: Function ${name} failed with code ${String(code)}:\n`;
}

class NativeEngine {
  private readonly engine: unknown;
  private readonly api: ReturnType<typeof bind>;
  private readonly callbacks = new Map<number | bigint, koffi.IKoffiRegisteredCallback>();

  constructor(arch: number, mode: number) {
    if (api === undefined) throw new Error('libunicorn is not loaded');
    this.api = api;
    const engine: unknown[] = [null];
    check('uc_open', this.api.open(arch, mode, engine));
    this.engine = engine[0];
  }

  reg_read_i32(register: number): number {
    const value = [0];
    check('uc_reg_read', this.api.readRegister(this.engine, register, value));
    return value[0];
  }

  reg_write_i32(register: number, value: number): void {
    check('uc_reg_write', this.api.writeRegister(this.engine, register, [value | 0]));
  }

  /** Native code writes as many bytes as the register has, which may be more than are asked for. */
  reg_read(register: number, size: number): Uint8Array {
    const bytes = new Uint8Array(16);
    check('uc_reg_read', this.api.readBytes(this.engine, register, bytes));
    return bytes.subarray(0, size);
  }

  reg_write(register: number, bytes: readonly number[]): void {
    check(
      'uc_reg_write',
      this.api.writeBytes(this.engine, register, Uint8Array.from([...bytes, ...new Uint8Array(8)])),
    );
  }

  mem_map(address: number, size: number, permissions: number): void {
    check('uc_mem_map', this.api.map(this.engine, address, size, permissions));
  }

  mem_protect(address: number, size: number, permissions: number): void {
    check('uc_mem_protect', this.api.protect(this.engine, address, size, permissions));
  }

  mem_read(address: number, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    check('uc_mem_read', this.api.read(this.engine, address, bytes, size));
    return bytes;
  }

  mem_write(address: number, bytes: Uint8Array | readonly number[]): void {
    check('uc_mem_write', this.api.write(this.engine, address, Uint8Array.from(bytes), bytes.length));
  }

  hook_add(
    type: number,
    callback: (...args: unknown[]) => unknown,
    data: unknown,
    begin: number,
    end: number,
  ): unknown {
    const pointer = koffi.register(
      (_engine: unknown, address: number, size: number) => callback(this, address, size, data),
      koffi.pointer('uc_cb_hookcode'),
    );
    const hook: (number | bigint)[] = [0];
    check('uc_hook_add', this.api.addHook(this.engine, hook, type, pointer, null, begin, end));
    this.callbacks.set(hook[0], pointer);
    return hook[0];
  }

  hook_del(hook: unknown): void {
    const key = hook as number | bigint;
    check('uc_hook_del', this.api.deleteHook(this.engine, key));
    const callback = this.callbacks.get(key);
    if (callback !== undefined) koffi.unregister(callback);
    this.callbacks.delete(key);
  }

  emu_start(begin: number, until: number, timeout: number, count: number): void {
    check('uc_emu_start', this.api.start(this.engine, begin, until, timeout, count));
  }

  emu_stop(): void {
    check('uc_emu_stop', this.api.stop(this.engine));
  }

  close(): void {
    for (const callback of this.callbacks.values()) koffi.unregister(callback);
    check('uc_close', this.api.close(this.engine));
  }
}
