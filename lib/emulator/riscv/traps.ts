/** Entering machine mode by an exception or interrupt: privileged specification 3.1.7, 3.1.15, 3.1.16. */
import { Stop, type PendingFault } from '../stop';
import type { Core } from './core';
import { Mstatus, Privilege, State } from './state';

/** Exception codes of mcause, table 3.6. */
export const Cause = {
  instructionAccess: 1,
  illegal: 2,
  breakpoint: 3,
  loadMisaligned: 4,
  loadAccess: 5,
  storeMisaligned: 6,
  storeAccess: 7,
  callFromUser: 8,
  callFromMachine: 11,
} as const;

export type TrapCause =
  { readonly interrupt: number } | { readonly exception: number; readonly value: bigint; readonly pc?: bigint };

interface Encoding {
  readonly word: number;
}

/** The trap that the core's stop is; undefined for the stops that are no trap. */
export function trapOf(core: Core, encoding: Encoding | undefined): TrapCause | undefined {
  const isUser = core.privilege === Privilege.user;
  switch (core.stop) {
    case Stop.call:
      return { exception: isUser ? Cause.callFromUser : Cause.callFromMachine, value: 0n };
    case Stop.debug:
      return { exception: Cause.breakpoint, value: BigInt(core.memory.state[State.pc] >>> 0) };
    case Stop.fault:
      return core.fault && exceptionOf(core.fault, encoding);
    default:
      return undefined;
  }
}

function exceptionOf(fault: PendingFault, encoding: Encoding | undefined): TrapCause | undefined {
  const value = fault.wideAddress ?? BigInt(fault.address ?? 0);
  if (fault.kind === 'undefined-instruction') return { exception: Cause.illegal, value: BigInt(encoding?.word ?? 0) };
  const isRead = fault.access === 'read';
  if (fault.kind === 'unaligned') return { exception: isRead ? Cause.loadMisaligned : Cause.storeMisaligned, value };
  if (fault.access === undefined) return undefined;
  if (fault.access !== 'execute') return { exception: isRead ? Cause.loadAccess : Cause.storeAccess, value };
  // A jump out of the 32 bits has been executed: the fetch at its target is what fails.
  return { exception: Cause.instructionAccess, value, pc: fault.wideAddress };
}

/** mepc, mcause, mtval, mstatus; pc is the handler. */
export function enterTrap(core: Core, trap: TrapCause): void {
  const state = core.memory.state;
  const isInterrupt = 'interrupt' in trap;
  const code = isInterrupt ? trap.interrupt : trap.exception;
  const { MIE, MPIE, MPP } = Mstatus;
  const before = state[State.mstatus];
  state[State.mstatus] = (before & ~(MIE | MPIE | MPP)) | (before & MIE ? MPIE : 0) | (state[State.privilege] << 11);
  const pc = (!isInterrupt && trap.pc) || BigInt(state[State.pc] >>> 0);
  setPair(state, State.mepc, pc & ~1n);
  setPair(state, State.mtval, isInterrupt ? 0n : trap.value);
  const top = core.cpu.isa.xlen === 32 ? 1n << 31n : 1n << 63n;
  setPair(state, State.mcause, (isInterrupt ? top : 0n) | BigInt(code));
  state[State.privilege] = Privilege.machine;
  const vector = state[State.mtvec];
  state[State.pc] = (vector & ~3) + (isInterrupt && vector & 1 ? 4 * code : 0);
  core.protectionChanged();
}

function setPair(state: Int32Array, word: number, value: bigint): void {
  state[word] = Number(BigInt.asIntN(32, value));
  state[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
}
