/**
 * The calls that the host makes into extensions, one after the other: the init functions as llext_bringup runs them,
 * then the entry. Each returns into llext_call_fn, so that a backtrace ends in the host. The record is
 * plain: what is pending is part of a snapshot.
 */
import type { Machine } from '../emulator/types';
import type { MemoryMap } from '../kernel/memory-map';
import { conventionOf } from '../kernel/convention-of';
import type { GuestCall } from '../llext/llext-handlers';

export type { GuestCall };

export interface CallSequenceState {
  /** Calls that are still to be made after the current one. */
  pending: GuestCall[];
  /** Whether a call is in progress. */
  active: boolean;
}

export class CallSequence {
  readonly state: CallSequenceState = { pending: [], active: false };
  /** Told of each call as it begins. */
  onBegin: ((address: number, returnAddress: number) => void) | undefined;

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

  /** The call in progress returned: begins the next one (undefined), or gives the last one's result. */
  returned(): bigint | undefined {
    const next = this.state.pending.shift();
    if (next !== undefined) {
      this.begin(next);
      return undefined;
    }
    this.state.active = false;
    return conventionOf(this.machine.cpu).result(this.machine.state);
  }

  /** An empty stack, arguments as the calling convention passes them, returning to the host. */
  private begin({ address, arguments: values }: GuestCall): void {
    const { stack, callFn } = this.map;
    const { returnAddress } = callFn;
    const call = { address, arguments: values, stackEnd: stack.base + stack.size, returnAddress };
    conventionOf(this.machine.cpu).begin(this.machine, call);
    this.machine.safety?.beginCall(stack.base, stack.base + stack.size);
    this.state.active = true;
    this.onBegin?.(Number(BigInt.asUintN(32, address)) & ~1, returnAddress);
  }
}
