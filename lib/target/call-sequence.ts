/**
 * The calls that the host makes into extensions, one after the other: the init functions as llext_bringup runs them,
 * then the entry. Each returns into llext_call_fn, so that a backtrace ends in the host. The record is
 * plain: what is pending is part of a snapshot.
 */
import type { Machine } from '../emulator/types';
import type { MemoryMap } from '../kernel/memory-map';
import { littleEndian } from '../kernel/guest-memory';
import type { GuestCall } from '../llext/llext-handlers';

export type { GuestCall };

export interface CallSequenceState {
  /** Calls that are still to be made after the current one. */
  pending: GuestCall[];
  /** Whether a call is in progress. */
  active: boolean;
}

const REGISTER_ARGUMENTS = 4;

export class CallSequence {
  readonly state: CallSequenceState = { pending: [], active: false };

  constructor(
    private readonly machine: Machine,
    private readonly map: Pick<MemoryMap, 'callFn' | 'stack'>,
  ) {}

  /** Sets the machine to the first instruction of the first call. At least one call is needed. */
  start(calls: readonly GuestCall[]): void {
    const [first, ...rest] = calls;
    this.state.pending = rest;
    this.begin(first);
  }

  /** The call in progress returned: begins the next one (undefined), or gives the last one's r0. */
  returned(): bigint | undefined {
    const next = this.state.pending.shift();
    if (next !== undefined) {
      this.begin(next);
      return undefined;
    }
    this.state.active = false;
    return BigInt(this.machine.state.r[0] >>> 0);
  }

  /** An empty stack, arguments as AAPCS passes them, lr to the host. */
  private begin({ address, arguments: values }: GuestCall): void {
    const { state, memory } = this.machine;
    const stacked = values.slice(REGISTER_ARGUMENTS);
    // The stack pointer is a multiple of 8 at every public interface.
    const { stack, callFn } = this.map;
    const sp = stack.base + stack.size - Math.ceil(stacked.length / 2) * 8;
    stacked.forEach((value, i) => memory.write(sp + i * 4, littleEndian(BigInt.asUintN(32, value), 4)));
    for (let i = 0; i <= 12; i++) state.r[i] = 0;
    values.slice(0, REGISTER_ARGUMENTS).forEach((value, i) => (state.r[i] = Number(BigInt.asIntN(32, value))));
    state.write('sp', sp);
    state.write('lr', callFn.returnAddress | 1);
    state.write('pc', Number(BigInt.asUintN(32, address) & ~1n));
    this.state.active = true;
  }
}
