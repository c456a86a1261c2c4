/**
 * The registers of a Cortex-M in Unicorn, under the names of CpuState. R0 to R15 and XPSR are copies for the time that the
 * machine is stopped: load() after a run, store() before the next.
 */
import type { CpuState } from '../types';
import type { UnicornEngine, UnicornModule } from './unicorn-api';

const general = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc'];
const special = ['msp', 'psp', 'primask', 'control', 'basepri', 'faultmask'];

const constantOf = (name: string): string => `ARM_REG_${name.toUpperCase()}`;

export const armConstants: readonly string[] = [
  'ARCH_ARM',
  'MODE_THUMB',
  'MODE_MCLASS',
  'HOOK_CODE',
  ...[...general, 'xpsr', ...special].map(constantOf),
];

export class UnicornArmRegisters implements CpuState {
  readonly registerNames = [...general, 'xpsr', ...special];
  readonly r = new Int32Array(16);
  private xpsr = 0;

  constructor(
    private readonly module: UnicornModule,
    private readonly engine: UnicornEngine,
  ) {}

  get pc(): number {
    return this.r[15] >>> 0;
  }

  load(): void {
    for (const [i, name] of general.entries()) this.r[i] = this.engine.reg_read_i32(this.id(name));
    this.r[15] &= ~1;
    this.xpsr = this.engine.reg_read_i32(this.id('xpsr'));
  }

  /** All but pc, which a run starts with. */
  store(): void {
    for (let i = 0; i < 15; i++) this.engine.reg_write_i32(this.id(general[i]), this.r[i]);
    this.engine.reg_write_i32(this.id('xpsr'), this.xpsr);
  }

  read(name: string): number {
    const number = general.indexOf(name);
    if (number >= 0) return this.r[number] >>> 0;
    if (name === 'xpsr') return this.xpsr >>> 0;
    this.require(name);
    return this.engine.reg_read_i32(this.id(name)) >>> 0;
  }

  write(name: string, value: number): void {
    const number = general.indexOf(name);
    if (name === 'pc') {
      this.r[15] = value & ~1;
      // As on the other engine: leaves an IT block.
      this.xpsr &= ~0x0600fc00;
    } else if (number >= 0) {
      this.r[number] = name === 'sp' ? value & ~3 : value;
    } else if (name === 'xpsr') {
      this.xpsr = value | (1 << 24);
    } else {
      this.require(name);
      this.engine.reg_write_i32(this.id(name), value);
      this.r[13] = this.engine.reg_read_i32(this.id('sp'));
    }
  }

  readWide(name: string): bigint {
    return BigInt(this.read(name));
  }

  writeWide(name: string, value: bigint): void {
    this.write(name, Number(BigInt.asIntN(32, value)));
  }

  widthOf(name: string): 32 {
    this.require(name);
    return 32;
  }

  private id(name: string): number {
    return Number(this.module[constantOf(name)]);
  }

  private require(name: string): void {
    if (!this.registerNames.includes(name)) throw new RangeError(`Unicorn's core has no register '${name}'`);
  }
}
