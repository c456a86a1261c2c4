/**
 * The registers by name, for the debugger and the kernel: a view of the state words in state.ts. Integer and
 * floating-point registers have their ABI names; x5 and f10 are understood too. CSRs have the names of the
 * privileged specification.
 */
import type { RiscvCpu } from '../../arch';
import type { GuestMemory } from '../memory';
import type { CpuState } from '../types';
import type { Core } from './core';
import { floatNames, integerNames, Privilege, State } from './state';

/** What is shown; the other CSRs are read by their name as well. */
const shownCsrs = ['mstatus', 'mtvec', 'mepc', 'mcause', 'mtval', 'mie', 'mip', 'mscratch'];
const floatCsrs = ['fflags', 'frm', 'fcsr'];

type Place =
  | { readonly kind: 'integer' | 'float'; readonly number: number }
  | { readonly kind: 'pc' | 'privilege' }
  | { readonly kind: 'csr'; readonly name: string };

export class RegisterView implements CpuState {
  readonly registerNames: readonly string[];
  private readonly places = new Map<string, Place>();
  private words: Int32Array = new Int32Array(0);
  private readonly xlen: 32 | 64;

  constructor(
    cpu: RiscvCpu,
    private readonly memory: GuestMemory,
    private readonly core: Core,
  ) {
    this.xlen = cpu.isa.xlen;
    const shown: string[] = [...integerNames, 'pc', ...(cpu.isa.f ? [...floatNames, ...floatCsrs] : []), ...shownCsrs];
    this.registerNames = [...shown, 'priv'];
    integerNames.forEach((name, number) => this.place([name, `x${number}`], { kind: 'integer', number }));
    this.place(['fp'], { kind: 'integer', number: 8 });
    if (cpu.isa.f) {
      floatNames.forEach((name, number) => this.place([name, `f${number}`], { kind: 'float', number }));
      this.floatWidth = cpu.isa.d ? 64 : 32;
    }
    this.place(['pc'], { kind: 'pc' });
    this.place(['priv'], { kind: 'privilege' });
  }

  private readonly floatWidth: 32 | 64 = 32;

  get r(): Int32Array {
    // Growing the memory detaches its views.
    if (this.words.buffer !== this.memory.state.buffer) this.words = this.memory.state.subarray(0, this.xlen);
    return this.words;
  }

  get pc(): number {
    return this.memory.state[State.pc] >>> 0;
  }

  read(name: string): number {
    return Number(BigInt.asUintN(32, this.readWide(name)));
  }

  write(name: string, value: number): void {
    this.writeWide(name, BigInt(value));
  }

  widthOf(name: string): 32 | 64 {
    const { kind } = this.find(name);
    return kind === 'float' ? this.floatWidth : kind === 'privilege' ? 32 : this.xlen;
  }

  readWide(name: string): bigint {
    const place = this.find(name);
    const state = this.memory.state;
    switch (place.kind) {
      case 'integer':
        return this.xlen === 32 ? BigInt(state[place.number] >>> 0) : this.pair(2 * place.number);
      case 'float':
        return BigInt.asUintN(this.floatWidth, this.pair(State.f + 2 * place.number));
      case 'pc':
        return BigInt(state[State.pc] >>> 0);
      case 'privilege':
        return BigInt(state[State.privilege]);
      case 'csr':
        return this.core.csr.find(place.name)?.read(this.core) ?? 0n;
    }
  }

  writeWide(name: string, value: bigint): void {
    const place = this.find(name);
    const state = this.memory.state;
    switch (place.kind) {
      case 'integer':
        // x0 stays 0.
        if (place.number === 0) return;
        if (this.xlen === 32) state[place.number] = Number(BigInt.asIntN(32, value));
        else this.setPair(2 * place.number, value);
        break;
      case 'float':
        this.setPair(State.f + 2 * place.number, value);
        break;
      case 'pc':
        state[State.pc] = Number(BigInt.asIntN(32, value)) & ~1;
        break;
      case 'privilege':
        state[State.privilege] = value === 0n ? Privilege.user : Privilege.machine;
        this.core.protectionChanged();
        break;
      case 'csr':
        this.core.csr.find(place.name)?.write?.(this.core, BigInt.asUintN(this.xlen, value));
        break;
    }
    this.core.settle();
  }

  private pair(word: number): bigint {
    const state = this.memory.state;
    return (BigInt(state[word + 1] >>> 0) << 32n) | BigInt(state[word] >>> 0);
  }

  private setPair(word: number, value: bigint): void {
    this.memory.state[word] = Number(BigInt.asIntN(32, value));
    this.memory.state[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  private place(names: readonly string[], place: Place): void {
    for (const name of names) this.places.set(name, place);
  }

  private find(name: string): Place {
    const known = this.places.get(name) ?? (this.core.csr.find(name) ? ({ kind: 'csr', name } as const) : undefined);
    if (known === undefined) throw new RangeError(`this core has no register '${name}'`);
    return known;
  }
}
