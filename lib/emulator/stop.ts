/** Why an interpreter left its loop, for every CPU; and how long it stays in it at most. */
import type { FaultKind, SafetyFinding } from './types';

/** V8 replaces the running function by the optimized one only when it is called again. */
export const sliceLength = 1 << 20;

/** `debug` and `call` are the instructions for debuggers (BKPT, EBREAK) and for the system (SVC, ECALL).
 * `again`: the instruction has executed, and what it changed (privilege, interrupts) has to be looked at. `device`: it would
 * access system registers and has not executed. `exceptionReturn`: pc is an EXC_RETURN value. `watch`: the instruction may
 * access what is watched and has not executed; `watched`: it has, and there were hits. */
export const Stop = {
  none: 0,
  fault: 1,
  breakpoint: 2,
  hostCall: 3,
  debug: 4,
  call: 5,
  wait: 6,
  again: 7,
  device: 8,
  exceptionReturn: 9,
  watch: 10,
  watched: 11,
} as const;

/** A fault as it is found; pc and encoding are added when the run ends. */
export interface PendingFault {
  readonly kind: FaultKind;
  readonly message: string;
  readonly access?: 'read' | 'write' | 'execute';
  readonly address?: number;
  /** Where the address has more than 53 bits. */
  readonly wideAddress?: bigint;
  readonly size?: number;
  readonly safety?: SafetyFinding;
}
