/**
 * Native Unicorn as a RISC-V hart (unicorn/riscv.h): RV32 or RV64 with I M A F D C, machine mode; it has no Zb*. Its code
 * is that of QEMU 5.0.
 */
import koffi from 'koffi';
import type { TestContext } from 'node:test';
import { UcError } from '../../lib/emulator/unicorn/unicorn-api';
import type { Xlen } from './riscv-program';
import { requireTool } from './tools';
import { bind, UC_CTL_CPU_MODEL, UC_CTL_TB_REMOVE_CACHE, UC_CTL_WRITE } from './unicorn';

const UC_ARCH_RISCV = 8;
const mode = { 32: 4, 64: 8 } as const;
const UC_CPU_RISCV_ANY = 0;
const registerIds: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`x${i}`, 1 + i])),
  mstatus: 116,
  pc: 190,
};
/** FS = dirty, MPP = machine. */
const mstatus = 0x7800n;

export class UnicornRiscv {
  private readonly engine: unknown;
  private readonly value = new BigUint64Array(1);

  /** Undefined when the library is not installed: the test is then skipped (or fails in CI). */
  static open(t: Pick<TestContext, 'skip'>, xlen: Xlen, base: number, size: number): UnicornRiscv | undefined {
    const path = requireTool(t, 'libunicorn.so.2');
    return path === undefined ? undefined : new UnicornRiscv(bind(koffi.load(path)), xlen, base, size);
  }

  private constructor(
    private readonly api: ReturnType<typeof bind>,
    xlen: Xlen,
    base: number,
    size: number,
  ) {
    const engine: unknown[] = [null];
    this.check(this.api.open(UC_ARCH_RISCV, mode[xlen], engine));
    this.engine = engine[0];
    this.check(this.api.control(this.engine, UC_CTL_WRITE | (1 << 26) | UC_CTL_CPU_MODEL, 'int', UC_CPU_RISCV_ANY));
    this.check(this.api.map(this.engine, base, Math.ceil(size / 4096) * 4096, 7));
  }

  /** Replaces what is there, and what was translated of it; machine mode again. */
  load(address: number, bytes: Uint8Array): void {
    this.check(this.api.write(this.engine, address, bytes, bytes.length));
    const control = UC_CTL_WRITE | (2 << 26) | UC_CTL_TB_REMOVE_CACHE;
    this.check(this.api.control(this.engine, control, 'uint64_t', address, 'uint64_t', address + bytes.length));
    this.value[0] = mstatus;
    this.check(this.api.writeRegister(this.engine, registerIds['mstatus'], this.value));
  }

  /** uc_err of running from an address until another. */
  run(from: number, until: number): number {
    return this.api.start(this.engine, from, until, 0, 0) as number;
  }

  register(name: string): number {
    this.value[0] = 0n;
    this.check(this.api.readRegister(this.engine, registerIds[name], this.value));
    return Number(this.value[0]);
  }

  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.check(this.api.read(this.engine, address, bytes, length));
    return bytes;
  }

  close(): void {
    this.api.close(this.engine);
  }

  private check(error: unknown): void {
    if (error !== UcError.OK) throw new Error(`Unicorn: error ${String(error)}`);
  }
}
