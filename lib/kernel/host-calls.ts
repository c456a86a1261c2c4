/**
 * Performs calls into the base image: the machine stopped at an address that was registered with setHostCall, the
 * calling convention says with what arguments and where to return. The implementation runs on guest memory. A wrong pointer becomes a fault of the calling instruction, with nothing done.
 * Every call is logged with its inputs and result; the log is bounded and made of plain records.
 */
import { hex } from '../bytes';
import type { Fault, Machine } from '../emulator/types';
import { readArguments, type ArgumentValue, type CallingConvention } from './calling-convention';
import { parseSignature, type Signature } from './c-signature';
import { BadPointer, GuestMemory } from './guest-memory';
import { UnsafeArgument } from './host-safety';
import { HostCall, type HostOutcome, type ImplementationTable, type KernelServices } from './host-call';

/** A function that the host serves: name and prototype, implementation, address of its first instruction. */
export interface ServedFunction {
  readonly name: string;
  readonly signature: string;
  readonly implementation: string;
  readonly address: number;
}

/** One finished or refused call. A call that blocks will have its end later than its begin. */
export interface HostCallRecord {
  readonly name: string;
  readonly arguments: readonly ArgumentValue[];
  /** Absent for void, and when the call did not return. */
  readonly result: ArgumentValue | undefined;
  readonly returnAddress: number;
  readonly instructionCount: number;
  /** Virtual time in nanoseconds. */
  readonly begin: number;
  readonly end: number;
}

export type HostCallEnd =
  | { readonly kind: 'returned' }
  | { readonly kind: 'fault'; readonly fault: Fault }
  /** The function has not done anything, and pc is at it still; the fault's pc is where it is called, if that can be told. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'aborted'; readonly message: string };

const LOG_LENGTH = 1000;

export class HostCalls {
  readonly log: HostCallRecord[] = [];
  /** Calls so far, however many of them the log still has. */
  count = 0;
  private readonly functions = new Map<number, { readonly row: ServedFunction; readonly signature: Signature }>();

  constructor(
    private readonly machine: Machine,
    private readonly memory: GuestMemory,
    private readonly implementations: ImplementationTable,
    private readonly services: KernelServices,
    /** Where the host's own call into an extension returns to. */
    private readonly hostReturn: number,
  ) {}

  /** Throws when there is no implementation: a table row without one is a mistake of the program. */
  serve(row: ServedFunction): void {
    if (!(row.implementation in this.implementations)) {
      throw new RangeError(`${row.name}: no implementation '${row.implementation}'`);
    }
    this.functions.set(row.address, { row, signature: parseSignature(row.signature) });
    this.machine.setHostCall(row.address);
  }

  nameAt(address: number): string | undefined {
    return this.functions.get(address)?.row.name;
  }

  perform(address: number): HostCallEnd {
    const served = this.functions.get(address);
    if (served === undefined) throw new RangeError(`nothing is served at ${hex(address)}`);
    const { row, signature } = served;
    const { state } = this.machine;
    const { safety } = this.memory;
    const source = this.convention.registerArguments(state, this.memory, (word) => safety?.checkWord(word));
    const begin = this.services.clock.nanoseconds;
    let values: ArgumentValue[] = [];
    let outcome: HostOutcome;
    try {
      values = readArguments(source, signature, (name) => safety?.takes(name));
      safety?.takes('an argument after the named ones');
      const call = new HostCall(row.name, signature, values, source, this.memory, state, this.services);
      outcome = this.implementations[row.implementation](call);
    } catch (error) {
      if (error instanceof UnsafeArgument) return this.refuse(unsafeFault(row.name, error));
      if (error instanceof BadPointer) return this.refuse(pointerFault(row.name, error));
      if (error instanceof RangeError) return this.refuse(misuseFault(error));
      throw error;
    }
    return this.finish(row.name, signature, values, begin, outcome);
  }

  private get convention(): CallingConvention {
    return this.services.convention;
  }

  private finish(
    name: string,
    signature: Signature,
    values: readonly ArgumentValue[],
    begin: number,
    outcome: HostOutcome,
  ): HostCallEnd {
    if (typeof outcome === 'object') {
      if (outcome.kind === 'misuse') return this.refuse(misuseFault(outcome));
      this.record(name, values, undefined, begin);
      return { kind: 'aborted', message: outcome.message };
    }
    const { state } = this.machine;
    const result = signature.returns === 'void' ? undefined : outcome;
    if (result !== undefined) this.convention.writeResult(state, signature.returns, result);
    this.record(name, values, result, begin);
    this.machine.safety?.defineResult(this.convention.firstArgumentWord);
    const refused = this.convention.refusesReturn(state);
    const target = this.convention.returnAddress(state);
    if (refused !== undefined) return { kind: 'fault', fault: this.fault(invalidState(target, refused)) };
    state.write('pc', target);
    return { kind: 'returned' };
  }

  private refuse(what: FaultDetails): HostCallEnd {
    const { state } = this.machine;
    const site = this.convention.callSite(state, this.memory, this.hostReturn);
    return { kind: 'refused', fault: this.fault(what, site) };
  }

  private fault(what: FaultDetails, pc = this.machine.state.read('pc') >>> 0): Fault {
    return { pc, encoding: undefined, encodingLength: undefined, ...what };
  }

  private record(
    name: string,
    values: readonly ArgumentValue[],
    result: ArgumentValue | undefined,
    begin: number,
  ): void {
    this.log.push({
      name,
      arguments: values,
      result,
      returnAddress: this.convention.returnAddress(this.machine.state),
      instructionCount: this.machine.instructionCount,
      begin,
      end: this.services.clock.nanoseconds,
    });
    this.count++;
    if (this.log.length > LOG_LENGTH) this.log.shift();
  }

  /** The machine was set back to where there were `count` calls. */
  forgetAfter(count: number): void {
    this.log.length = Math.max(0, this.log.length - Math.max(0, this.count - count));
    this.count = count;
  }
}

type FaultDetails = Pick<Fault, 'kind' | 'access' | 'address' | 'size' | 'message' | 'safety'>;

function unsafeFault(name: string, { finding, text, address, size, access }: UnsafeArgument): FaultDetails {
  return { kind: 'memory-safety', access, address, size, message: `${name}: ${text}`, safety: finding };
}

function pointerFault(name: string, error: BadPointer): FaultDetails {
  const where = hex(error.address, 8);
  const why = error.unmapped ? 'nothing is mapped there' : 'the memory there does not allow it';
  return {
    kind: error.unmapped ? 'unmapped' : 'forbidden',
    access: error.access,
    address: error.address,
    size: error.size,
    message: `${name}: ${error.argument} points to ${where}, which cannot be ${error.access === 'read' ? 'read' : 'written'}: ${why}`,
  };
}

function misuseFault({ message, address }: { readonly message: string; readonly address?: number }): FaultDetails {
  return { kind: 'unhandled-exception', access: undefined, address, size: undefined, message };
}

function invalidState(target: number, message: string): FaultDetails {
  return { kind: 'invalid-state', access: 'execute', address: target, size: 2, message };
}
