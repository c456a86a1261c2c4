/**
 * The registers of a RISC-V hart in Unicorn, under the names of CpuState. x0 to x31 and pc are copies for the time that the machine is
 * stopped: load() after a run, store() before the next. The others are read where they are.
 *
 * Registers go as bytes: the calls for 64-bit numbers differ between versions of unicorn.js.
 */
import type { RiscvCpu } from '../../arch';
import { floatNames, integerNames } from '../riscv/state';
import type { CpuState } from '../types';
import type { UnicornEngine, UnicornModule } from './unicorn-api';

const floatCsrs = ['fflags', 'frm', 'fcsr'];
const csrs = ['mstatus', 'mtvec', 'mepc', 'mcause', 'mtval', 'mie', 'mip', 'mscratch'];

const constantOf = (name: string): string => `RISCV_REG_${name.toUpperCase()}`;
const numbered = (letter: string): string[] => Array.from({ length: 32 }, (_, i) => `${letter}${i}`);

export function riscvConstants({ isa }: RiscvCpu): readonly string[] {
  const floats = isa.f ? [...numbered('f'), ...floatCsrs] : [];
  const registers = [...numbered('x'), ...floats, ...csrs, 'pc'];
  return ['ARCH_RISCV', `MODE_RISCV${isa.xlen}`, 'HOOK_CODE', ...registers.map(constantOf)];
}

export class UnicornRiscvRegisters implements CpuState {
  readonly registerNames: readonly string[];
  readonly r: Int32Array;
  private readonly bytes: number;
  private readonly words: BigUint64Array;
  private counter = 0n;

  constructor(
    private readonly module: UnicornModule,
    private readonly engine: UnicornEngine,
    private readonly cpu: RiscvCpu,
  ) {
    const { xlen, f } = cpu.isa;
    this.bytes = xlen / 8;
    this.r = new Int32Array(xlen);
    this.words = new BigUint64Array(this.r.buffer);
    this.registerNames = [...integerNames, 'pc', ...(f ? [...floatNames, ...floatCsrs] : []), ...csrs];
  }

  get pc(): number {
    return Number(this.counter);
  }

  load(): void {
    for (let i = 1; i < 32; i++) this.setInteger(i, this.fetch(`x${i}`, this.bytes));
    this.counter = this.fetch('pc', this.bytes);
  }

  /** All but pc, which a run starts with. */
  store(): void {
    for (let i = 1; i < 32; i++) this.put(`x${i}`, this.integer(i), this.bytes);
  }

  read(name: string): number {
    return Number(BigInt.asUintN(32, this.readWide(name)));
  }

  write(name: string, value: number): void {
    this.writeWide(name, BigInt(value));
  }

  readWide(name: string): bigint {
    const number = integerNumber(name);
    if (number >= 0) return this.integer(number);
    if (name === 'pc') return this.counter;
    const place = this.place(name);
    return BigInt.asUintN(this.widthOf(name), this.fetch(place.name, place.bytes));
  }

  writeWide(name: string, value: bigint): void {
    const number = integerNumber(name);
    // x0 stays 0.
    if (number === 0) return;
    if (number > 0) this.setInteger(number, value);
    else if (name === 'pc') this.counter = BigInt.asUintN(32, value) & ~1n;
    else {
      const { name: place, bytes } = this.place(name);
      // Unicorn's hart always has doubles: a single of one that has none is NaN-boxed there.
      const isBoxed = floatNumber(name) >= 0 && this.widthOf(name) === 32;
      this.put(place, isBoxed ? value | (0xffff_ffffn << 32n) : value, bytes);
    }
  }

  widthOf(name: string): 32 | 64 {
    if (integerNumber(name) >= 0 || name === 'pc') return this.cpu.isa.xlen;
    this.place(name);
    return floatNumber(name) >= 0 ? (this.cpu.isa.d ? 64 : 32) : this.cpu.isa.xlen;
  }

  /** The name in Unicorn's header and the bytes that Unicorn has of it. */
  private place(name: string): { readonly name: string; readonly bytes: number } {
    const float = floatNumber(name);
    const isKnown = float < 0 ? this.registerNames.includes(name) : this.cpu.isa.f;
    if (!isKnown) throw new RangeError(`Unicorn's hart has no register '${name}'`);
    return float < 0 ? { name, bytes: this.bytes } : { name: `f${float}`, bytes: 8 };
  }

  private integer(number: number): bigint {
    return this.bytes === 8 ? this.words[number] : BigInt(this.r[number] >>> 0);
  }

  private setInteger(number: number, value: bigint): void {
    if (this.bytes === 8) this.words[number] = BigInt.asUintN(64, value);
    else this.r[number] = Number(BigInt.asIntN(32, value));
  }

  private fetch(name: string, bytes: number): bigint {
    const value = this.engine.reg_read(Number(this.module[constantOf(name)]), bytes);
    return [...value].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  private put(name: string, value: bigint, bytes: number): void {
    const parts = Array.from({ length: bytes }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
    this.engine.reg_write(Number(this.module[constantOf(name)]), parts);
  }
}

/** By the ABI's name or number; -1 for what is no integer register. */
function integerNumber(name: string): number {
  if (name === 'fp') return 8;
  const number = /^x(\d|[12]\d|3[01])$/.exec(name);
  return number === null ? integerNames.indexOf(name) : Number(number[1]);
}

function floatNumber(name: string): number {
  const number = /^f(\d|[12]\d|3[01])$/.exec(name);
  return number === null ? floatNames.indexOf(name) : Number(number[1]);
}
