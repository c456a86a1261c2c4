/**
 * What the translator sees of a guest instruction, whatever the CPU: where control goes, and functions that emit its effect.
 * A CPU's lifter makes these of its decoder's rows.
 */
/**
 * Where control goes after an instruction.
 *   next       to the following one
 *   jump       to `target`
 *   call       to `target`, which comes back to `next` by an indirect jump
 *   callTo     the same to the address that `emit` has put in the local `pc`
 *   leave      to the address that `emit` has put in the local `pc`, usually a return
 *   choose     to one of `targets`, by the number that `emit` leaves on the stack; out of range: the interpreter does it
 *   interpret  the interpreter executes it, then `next`
 *   stop       nowhere: the region ends before it (a breakpoint, a host call, what cannot be fetched)
 */
export type Flow = 'next' | 'jump' | 'call' | 'callTo' | 'leave' | 'choose' | 'interpret' | 'stop';

export interface Guest {
  readonly pc: number;
  /** Address of the instruction behind it. */
  readonly next: number;
  readonly flow: Flow;
  readonly target?: number;
  readonly targets?: readonly number[];
  /** Emits what leaves 0 on the stack when the instruction is not to be executed: then control goes to `next`. */
  readonly test?: () => void;
  readonly emit?: () => void;
  /** CPU state that must be stored when the region is left before this instruction and is constant there (ITSTATE); 0 = none. */
  readonly mode: number;
}

export interface Lifter {
  /** Ranges of data, [start, end), that the emitted code has as constants. */
  readonly constants: readonly (readonly [number, number])[];
  /** The instruction at `pc`; `mode` as the one before it left it. */
  lift(pc: number, mode: number): Guest;
  /** `mode` behind an instruction. */
  modeAfter(guest: Guest): number;
}
