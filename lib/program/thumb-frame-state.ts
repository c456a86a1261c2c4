/**
 * What a function has done to the stack so far, in terms of what registers held when it was entered. Offsets are from the stack pointer
 * then, which is the canonical frame address (AAPCS32, 6.2.1).
 */
export type Value =
  | { readonly kind: 'stack'; readonly offset: number }
  /** What a register held at the entry. */
  | { readonly kind: 'entry'; readonly register: number }
  | { readonly kind: 'constant'; readonly value: number };

export const SP = 13;
export const LR = 14;
const PC = 15;

export class State {
  constructor(
    readonly registers: (Value | undefined)[],
    /** Registers by the offset at which their value at the entry is. */
    readonly slots: Map<number, number>,
  ) {}

  static entry(): State {
    const registers = Array.from({ length: PC }, (_, register): Value => ({ kind: 'entry', register }));
    registers[SP] = { kind: 'stack', offset: 0 };
    return new State(registers, new Map());
  }

  copy(): State {
    return new State(this.registers.slice(), new Map(this.slots));
  }

  stackOffset(register = SP): number | undefined {
    const value = this.registers[register];
    return value?.kind === 'stack' ? value.offset : undefined;
  }

  constant(register: number): number | undefined {
    const value = this.registers[register];
    return value?.kind === 'constant' ? value.value : undefined;
  }

  set(register: number, value: Value | undefined): void {
    if (register === PC) return;
    this.registers[register] = value;
    if (register === SP) this.freeSlots();
  }

  /** Whether a register holds what a register held at the entry. */
  isEntryValue(register: number, entry: number): boolean {
    const value = this.registers[register];
    return value?.kind === 'entry' && value.register === entry;
  }

  /** The value of a register plus a number. */
  sum(register: number, addend: number | undefined): Value | undefined {
    const value = this.registers[register];
    if (addend === undefined || value === undefined || value.kind === 'entry') return undefined;
    if (value.kind === 'stack') return { kind: 'stack', offset: value.offset + addend };
    return { kind: 'constant', value: (value.value + addend) | 0 };
  }

  /** Below the stack pointer nothing is kept. */
  private freeSlots(): void {
    const bottom = this.stackOffset();
    if (bottom === undefined) return;
    for (const offset of this.slots.keys()) if (offset < bottom) this.slots.delete(offset);
  }

  store(register: number, offset: number | undefined): void {
    if (offset === undefined) return;
    const value = this.registers[register];
    // A second copy of a register is no better than the first.
    if (value?.kind === 'entry' && ![...this.slots.values()].includes(value.register))
      this.slots.set(offset, value.register);
    else if (this.slots.get(offset) !== (value?.kind === 'entry' ? value.register : undefined))
      this.slots.delete(offset);
  }

  load(register: number, offset: number | undefined): void {
    const saved = offset === undefined ? undefined : this.slots.get(offset);
    this.set(register, saved === undefined ? undefined : { kind: 'entry', register: saved });
  }

  /** Registers in ascending order from a base register downwards, as PUSH does it. */
  push(base: number, registers: readonly number[], writesBack: boolean): void {
    const bottom = this.sum(base, -4 * registers.length);
    if (writesBack) this.set(base, bottom);
    if (bottom?.kind === 'stack') registers.forEach((register, n) => this.store(register, bottom.offset + 4 * n));
  }

  pop(base: number, registers: readonly number[], writesBack: boolean): void {
    const bottom = this.stackOffset(base);
    registers.forEach((register, n) => this.load(register, bottom === undefined ? undefined : bottom + 4 * n));
    if (writesBack && !registers.includes(base))
      this.set(base, bottom === undefined ? undefined : { kind: 'stack', offset: bottom + 4 * registers.length });
  }
}
