/**
 * Performs calls into the base image: the machine stopped at an address that was registered with setHostCall, lr is
 * the return address. Arguments are read by the prototype, the implementation runs on guest memory, the result goes
 * to r0 (r0:r1), pc to lr. A wrong pointer becomes a fault of the calling instruction, with nothing done.
 * Every call is logged with its inputs and result; the log is bounded and made of plain records.
 */
import { hex } from '../bytes';
import type { Fault, Machine } from '../emulator/types';
import { readArguments, RegisterArguments, writeResult, type ArgumentValue } from './aapcs';
import { parseSignature, type Signature } from './c-signature';
import { BadPointer, GuestMemory } from './guest-memory';
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
  | { readonly kind: 'aborted'; readonly message: string };

const LOG_LENGTH = 1000;
/** Bytes before a call in which the load of its register is looked for. */
const LITERAL_SEARCH = 64;

export class HostCalls {
  readonly log: HostCallRecord[] = [];
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
    const source = new RegisterArguments(state, this.memory);
    const begin = this.services.clock.nanoseconds;
    let values: ArgumentValue[] = [];
    let outcome: HostOutcome;
    try {
      values = readArguments(source, signature);
      const call = new HostCall(row.name, signature, values, source, this.memory, state, this.services);
      outcome = this.implementations[row.implementation](call);
    } catch (error) {
      if (error instanceof BadPointer) return this.refuse(row.name, values, begin, pointerFault(row.name, error));
      if (error instanceof RangeError) return this.refuse(row.name, values, begin, misuseFault(error.message));
      throw error;
    }
    return this.finish(row.name, signature, values, begin, outcome);
  }

  private finish(
    name: string,
    signature: Signature,
    values: readonly ArgumentValue[],
    begin: number,
    outcome: HostOutcome,
  ): HostCallEnd {
    if (typeof outcome === 'object') {
      if (outcome.kind === 'misuse') return this.refuse(name, values, begin, misuseFault(outcome.message));
      this.record(name, values, undefined, begin);
      return { kind: 'aborted', message: outcome.message };
    }
    const { state } = this.machine;
    const result = signature.returns === 'void' ? undefined : outcome;
    if (result !== undefined) writeResult(state, signature.returns, result);
    this.record(name, values, result, begin);
    const target = state.r[14];
    if ((target & 1) === 0) return { kind: 'fault', fault: this.fault(invalidState(target)) };
    state.write('pc', (target & ~1) >>> 0);
    return { kind: 'returned' };
  }

  private refuse(name: string, values: readonly ArgumentValue[], begin: number, what: FaultDetails): HostCallEnd {
    this.record(name, values, undefined, begin);
    // The call did not happen: the session shows the line that makes it, if that can be told.
    const pc = this.callSite();
    if (pc !== undefined) this.machine.state.write('pc', pc);
    return { kind: 'fault', fault: this.fault(what) };
  }

  private fault(what: FaultDetails): Fault {
    const pc = this.machine.state.read('pc') >>> 0;
    return { pc, encoding: undefined, encodingLength: undefined, ...what };
  }

  /**
   * Address of the BL or BLX Rm that called the function at pc. After a tail call lr belongs to an outer caller, whose
   * instruction calls something else: then undefined, and pc stays at the function.
   */
  private callSite(): number | undefined {
    const { r } = this.machine.state;
    const callee = this.machine.state.read('pc') & ~1;
    const returnAddress = (r[14] & ~1) >>> 0;
    const bytes = this.memory.memory.read(returnAddress - 4, 4);
    if (bytes.length < 4) return undefined;
    const first = bytes[0] | (bytes[1] << 8);
    const second = bytes[2] | (bytes[3] << 8);
    if ((first & 0xf800) === 0xf000 && (second & 0xd000) === 0xd000) {
      return ((returnAddress + blOffset(first, second)) | 0) === callee ? returnAddress - 4 : undefined;
    }
    const isBlx = (second & 0xff87) === 0x4780;
    const Rm = (second >> 3) & 15;
    if (!isBlx || (r[Rm] & ~1) !== callee || returnAddress === this.hostReturn) return undefined;
    // A function that was called through the same register may have reloaded it for its tail call.
    const loaded = this.literalLoadedBefore(returnAddress - 2, Rm);
    return loaded === undefined || (loaded & ~1) === callee ? returnAddress - 2 : undefined;
  }

  /** What the nearest LDR Rm, [pc, #imm] before an address loads; undefined when there is none close by. */
  private literalLoadedBefore(address: number, Rm: number): number | undefined {
    const { memory } = this.memory;
    for (let at = address - 2; at >= address - LITERAL_SEARCH; at -= 2) {
      const bytes = memory.read(at, 2);
      if (bytes.length < 2) return undefined;
      const isLiteralLoad = (bytes[1] & 0xf8) === 0x48 && (bytes[1] & 7) === Rm;
      if (!isLiteralLoad) continue;
      const literal = memory.read(((at + 4) & ~3) + bytes[0] * 4, 4);
      return literal.length < 4 ? undefined : new DataView(literal.slice().buffer).getInt32(0, true);
    }
    return undefined;
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
      returnAddress: (this.machine.state.r[14] & ~1) >>> 0,
      instructionCount: this.machine.instructionCount,
      begin,
      end: this.services.clock.nanoseconds,
    });
    if (this.log.length > LOG_LENGTH) this.log.shift();
  }
}

/** Branch offset of BL, encoding T1: S:I1:I2:imm10:imm11:0 with I = NOT(J XOR S). */
function blOffset(first: number, second: number): number {
  const S = (first >> 10) & 1;
  const I1 = 1 ^ ((second >> 13) & 1) ^ S;
  const I2 = 1 ^ ((second >> 11) & 1) ^ S;
  const bits = (S << 24) | (I1 << 23) | (I2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1);
  return (bits << 7) >> 7;
}

type FaultDetails = Pick<Fault, 'kind' | 'access' | 'address' | 'size' | 'message'>;

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

function misuseFault(message: string): FaultDetails {
  return { kind: 'unhandled-exception', access: undefined, address: undefined, size: undefined, message };
}

function invalidState(target: number): FaultDetails {
  return {
    kind: 'invalid-state',
    access: 'execute',
    address: target >>> 0,
    size: 2,
    message: `return to ${hex(target >>> 0, 8)}: bit 0 is clear, and there is no Arm state`,
  };
}
