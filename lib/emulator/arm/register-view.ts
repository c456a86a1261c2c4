/**
 * The registers by name, for the debugger and the kernel: a view of the state words in state.ts.
 */
import type { ArmCpu } from '../../arch';
import type { GuestMemory } from '../memory';
import type { CpuState } from '../types';
import { setControl } from './special-registers';
import { readXpsr, State, writeXpsr } from './state';

const general = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc'];
const singles = Array.from({ length: 32 }, (_, i) => `s${i}`);
const everywhere = [...general, 'xpsr', 'msp', 'psp', 'primask', 'control'];

/** Width of each special register that is a plain state word. */
const words: Readonly<Record<string, { readonly index: number; readonly mask: number }>> = {
  primask: { index: State.primask, mask: 1 },
  faultmask: { index: State.faultmask, mask: 1 },
  basepri: { index: State.basepri, mask: 0xff },
  msplim: { index: State.msplim, mask: ~7 },
  psplim: { index: State.psplim, mask: ~7 },
  fpscr: { index: State.fpscr, mask: 0xf7c0009f },
  ...Object.fromEntries(singles.map((name, i) => [name, { index: State.s0 + i, mask: -1 }])),
};

function namesOf(cpu: ArmCpu): string[] {
  const mainline = cpu.isa.v7m ? ['basepri', 'faultmask'] : [];
  const limits = cpu.isa.v8mMain ? ['msplim', 'psplim'] : [];
  const floatingPoint = cpu.isa.fp === 'none' ? [] : [...singles, 'fpscr'];
  return [...everywhere, ...mainline, ...limits, ...floatingPoint];
}

export class RegisterView implements CpuState {
  readonly registerNames: readonly string[];
  private general: Int32Array = new Int32Array(0);

  constructor(
    private readonly cpu: ArmCpu,
    private readonly memory: GuestMemory,
  ) {
    this.registerNames = namesOf(cpu);
  }

  get r(): Int32Array {
    // Growing the memory detaches its views.
    if (this.general.buffer !== this.memory.state.buffer) this.general = this.memory.state.subarray(0, 16);
    return this.general;
  }

  get pc(): number {
    return this.memory.state[State.pc] >>> 0;
  }

  read(name: string): number {
    const state = this.memory.state;
    this.require(name);
    const number = general.indexOf(name);
    if (number >= 0) return state[number] >>> 0;
    if (name === 'xpsr') return readXpsr(state) >>> 0;
    if (name === 'control') return state[State.control];
    if (name === 'msp' || name === 'psp') return state[this.stackWord(name)] >>> 0;
    return state[words[name].index] >>> 0;
  }

  write(name: string, value: number): void {
    const state = this.memory.state;
    this.require(name);
    const number = general.indexOf(name);
    if (name === 'pc') {
      state[State.pc] = value & ~1;
      state[State.itState] = 0;
    } else if (number >= 0) {
      state[number] = name === 'sp' ? value & ~3 : value;
    } else if (name === 'xpsr') {
      this.writeXpsr(value);
    } else if (name === 'control') {
      setControl(state, value, this.usesPsp());
    } else if (name === 'msp' || name === 'psp') {
      state[this.stackWord(name)] = value & ~3;
    } else {
      state[words[name].index] = value & words[name].mask;
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

  /** Leaving or entering Handler mode by IPSR changes which stack pointer is in use. */
  private writeXpsr(value: number): void {
    const state = this.memory.state;
    const before = this.usesPsp();
    writeXpsr(state, this.cpu.isa.dsp ? value : value & ~0xf0000);
    if (this.usesPsp() === before) return;
    const other = state[State.otherSp];
    state[State.otherSp] = state[State.sp];
    state[State.sp] = other;
  }

  private usesPsp(): boolean {
    const state = this.memory.state;
    return (state[State.control] & 2) !== 0 && state[State.ipsr] === 0;
  }

  private stackWord(name: 'msp' | 'psp'): number {
    return (name === 'psp') === this.usesPsp() ? State.sp : State.otherSp;
  }

  private require(name: string): void {
    if (!this.registerNames.includes(name)) throw new RangeError(`this core has no register '${name}'`);
  }
}
