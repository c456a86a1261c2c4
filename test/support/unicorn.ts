/**
 * Native Unicorn (libunicorn.so.2, test only) by FFI: the reference that the emulator's instructions are compared with.
 * Only what the tests need of its API; numbers are those of unicorn/unicorn.h and unicorn/arm.h.
 */
import koffi from 'koffi';
import type { TestContext } from 'node:test';
import { UcError } from '../../lib/emulator/unicorn/unicorn-api';
import { requireTool } from './tools';

export const UC_CPU_ARM = { CORTEX_M0: 7, CORTEX_M3: 8, CORTEX_M4: 9, CORTEX_M7: 10, CORTEX_M33: 11 } as const;

const UC_ARCH_ARM = 1;
const UC_MODE_THUMB = 1 << 4;
export const UC_CTL_WRITE = 1 << 30;
export const UC_CTL_CPU_MODEL = 7;
export const UC_CTL_TB_REMOVE_CACHE = 9;

/** uc_arm_reg by the names of CpuState. */
const registerIds: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`r${i}`, 66 + i])),
  sp: 12,
  lr: 10,
  pc: 11,
  // CPSR: the library's APSR cannot write GE, and there is an xPSR only with UC_MODE_MCLASS, which overrides the CPU model.
  xpsr: 3,
  msp: 112,
  psp: 113,
  control: 114,
  primask: 120,
  basepri: 121,
  faultmask: 123,
  ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`s${i}`, 79 + i])),
  fpscr: 6,
};

/** r0..r12, sp, lr, pc, xpsr: what one batch reads and writes. */
export const batchNames = [...Array.from({ length: 13 }, (_, i) => `r${i}`), 'sp', 'lr', 'pc', 'xpsr'] as const;

/** The registers of the Floating-point Extension, batched apart from the others. */
export const floatNames: readonly string[] = [...Array.from({ length: 32 }, (_, i) => `s${i}`), 'fpscr'];

const xpsrIndex = batchNames.indexOf('xpsr');
const apsrBits = 0xf80f0000;
/** A, I, F, T and the mode, as the library has them after reset. */
const cpsrControl = 0x1f3;

type Handle = unknown;

export function bind(library: koffi.IKoffiLib) {
  return {
    open: library.func('int uc_open(int arch, int mode, _Out_ void **engine)'),
    close: library.func('int uc_close(void *engine)'),
    control: library.func('int uc_ctl(void *engine, int control, ...)'),
    map: library.func('int uc_mem_map(void *engine, uint64_t address, size_t size, uint32_t perms)'),
    write: library.func('int uc_mem_write(void *engine, uint64_t address, const uint8_t *bytes, size_t size)'),
    read: library.func('int uc_mem_read(void *engine, uint64_t address, _Out_ uint8_t *bytes, size_t size)'),
    start: library.func(
      'int uc_emu_start(void *engine, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
    ),
    readRegister: library.func('int uc_reg_read(void *engine, int id, void *value)'),
    writeRegister: library.func('int uc_reg_write(void *engine, int id, void *value)'),
    readBatch: library.func('int uc_reg_read_batch(void *engine, int *ids, void *values, int count)'),
    allocateContext: library.func('int uc_context_alloc(void *engine, _Out_ void **context)'),
    saveContext: library.func('int uc_context_save(void *engine, void *context)'),
    restoreContext: library.func('int uc_context_restore(void *engine, void *context)'),
    writeBatch: library.func('int uc_reg_write_batch(void *engine, int *ids, void *values, int count)'),
  };
}

/** Registers that are read and written by one call. */
class Batch {
  readonly values: Uint32Array;
  readonly ids: Int32Array;
  readonly pointers: BigUint64Array;

  constructor(names: readonly string[]) {
    this.ids = Int32Array.from(names, (name) => registerIds[name]);
    this.pointers = new BigUint64Array(names.length);
    const memory: unknown = koffi.alloc('uint32_t', names.length);
    this.values = new Uint32Array(koffi.view(memory, names.length * 4));
    const address = koffi.address(memory as never);
    names.forEach((_, i) => (this.pointers[i] = address + BigInt(4 * i)));
  }
}

export class Unicorn {
  private readonly api: ReturnType<typeof bind>;
  private readonly engine: Handle;
  private context: Handle = null;
  private readonly word = new Uint32Array(2);
  /** Registers of readBatch() and writeBatch(), in the order of batchNames. */
  readonly batch: Uint32Array;
  private readonly core = new Batch(batchNames);
  /** S0 to S31 and FPSCR, of readFloats() and writeFloats(). */
  readonly floats: Uint32Array;
  private readonly float = new Batch(floatNames);

  /** Undefined when the library is not installed: the test is then skipped (or fails in CI). */
  static open(t: Pick<TestContext, 'skip'>, model: number): Unicorn | undefined {
    const path = requireTool(t, 'libunicorn.so.2');
    return path === undefined ? undefined : new Unicorn(path, model);
  }

  private constructor(path: string, model: number) {
    this.api = bind(koffi.load(path));
    const engine: Handle[] = [null];
    this.check(this.api.open(UC_ARCH_ARM, UC_MODE_THUMB, engine));
    this.engine = engine[0];
    this.check(this.api.control(this.engine, UC_CTL_WRITE | (1 << 26) | UC_CTL_CPU_MODEL, 'int', model));
    this.batch = this.core.values;
    this.floats = this.float.values;
  }

  map(address: number, size: number, permissions = 7): void {
    this.check(this.api.map(this.engine, address, size, permissions));
  }

  write(address: number, bytes: Uint8Array): void {
    this.check(this.api.write(this.engine, address, bytes, bytes.length));
  }

  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.check(this.api.read(this.engine, address, bytes, length));
    return bytes;
  }

  /** Forgets translations: needed when code has been written over. */
  forget(address: number, end: number): void {
    const control = UC_CTL_WRITE | (2 << 26) | UC_CTL_TB_REMOVE_CACHE;
    this.check(this.api.control(this.engine, control, 'uint64_t', address, 'uint64_t', end));
  }

  /** uc_err of executing `count` instructions from pc (Thumb state). */
  run(pc: number, count: number, until = 0xfffffffe): number {
    return this.api.start(this.engine, pc | 1, until, 0, count) as number;
  }

  register(name: string): number {
    this.check(this.api.readRegister(this.engine, registerIds[name], this.word));
    return this.word[0];
  }

  setRegister(name: string, value: number): void {
    this.word[0] = value;
    this.check(this.api.writeRegister(this.engine, registerIds[name], this.word));
  }

  readBatch(): void {
    this.check(this.api.readBatch(this.engine, this.core.ids, this.core.pointers, this.core.ids.length));
  }

  writeBatch(): void {
    this.batch[xpsrIndex] = (this.batch[xpsrIndex] & apsrBits) | cpsrControl;
    this.check(this.api.writeBatch(this.engine, this.core.ids, this.core.pointers, this.core.ids.length));
  }

  readFloats(): void {
    this.check(this.api.readBatch(this.engine, this.float.ids, this.float.pointers, this.float.ids.length));
  }

  writeFloats(): void {
    this.check(this.api.writeBatch(this.engine, this.float.ids, this.float.pointers, this.float.ids.length));
  }

  /** Keeps the whole CPU state (not memory) for restore(). */
  save(): void {
    const context: Handle[] = [null];
    this.check(this.api.allocateContext(this.engine, context));
    this.context = context[0];
    this.check(this.api.saveContext(this.engine, this.context));
  }

  restore(): void {
    this.check(this.api.restoreContext(this.engine, this.context));
  }

  close(): void {
    this.api.close(this.engine);
  }

  private check(error: unknown): void {
    if (error !== UcError.OK) throw new Error(`Unicorn: error ${String(error)}`);
  }
}
