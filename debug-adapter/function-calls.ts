/**
 * Functions of the program called from the Debug Console: `add(1, 2)`. The call is made on the emulated target where the program
 * stands; when the expression has its value, everything that the function did is undone, unless `call` stands before the expression:
 * then what it wrote to memory stays. Assignments of the expression itself are made in both cases.
 * Breakpoints, data breakpoints and memory filters do not stop in it; a fault, or too many instructions, is the expression's error.
 */
import {
  type CallRequest,
  type CompiledExpression,
  evaluateWithCalls,
  ExpressionError,
  type TemporaryRequest,
} from '../lib/c-expression';
import { encodeInteger } from '../lib/bytes';
import { stripType } from '../lib/dwarf/model';
import { valueAt, valueBytes, type Value } from '../lib/dwarf/value';
import type { TargetWrite } from '../lib/dwarf/value-bits';
import type { OutputEvent } from '../lib/kernel/console';
import { alignDown, layOutCall } from '../lib/program/call-arguments';
import { abiOfFunction, callAbiOf, returnLocation, returnsInMemory } from '../lib/program/return-value';
import type { MemoryReply, RegisterFile } from '../lib/query';
import type { CallEnd, Excursion, MemoryChange } from '../lib/target/excursion';
import { callEndText, callLimit } from './call-end-text';
import type { Cancellation } from './cancellation';
import { errors } from './errors';
import { expressionProblem, namedRegister, performWrites, scopeIn } from './expression-context';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';

/** Results and copies are as aligned as anything can be. */
const stackAlignment = 16;

export interface CallOptions {
  readonly keep: boolean;
  readonly after: (action: () => void) => void;
  readonly cancellation: Cancellation;
}

/** Evaluates an expression that calls functions; `describe` makes the answer while what they did can still be seen. */
export async function evaluateCalling<T>(
  session: SessionState,
  reference: FrameReference,
  compiled: CompiledExpression,
  describe: (value: Value) => Promise<T>,
  { keep, after, cancellation }: CallOptions,
): Promise<T> {
  const { target } = reference.stop.inferior;
  const printed: OutputEvent[] = [];
  cancellation.onCancel(() => target.pause());
  const body = async (excursion: Excursion) => {
    const calls = new Calls(reference, excursion);
    const { value, writes } = await calls.run(compiled);
    const answer = await describe(value);
    calls.write(calls.unperformed(writes));
    return { answer, writes, changes: keep ? excursion.changes() : [] };
  };
  try {
    session.calling = target
      .excursion(body, { limit: callLimit, output: (event) => printed.push(event) })
      .finally(() => (session.calling = undefined));
    const { answer, writes, changes } = (await session.calling) as Awaited<ReturnType<typeof body>>;
    tellOutput(session, printed, keep);
    await performWrites(session, reference, keep ? kept(writes, changes) : writes, after);
    return answer;
  } catch (error) {
    tellOutput(session, printed, false);
    cancellation.check();
    if (error instanceof RangeError) throw errors.badExpression(`nothing can be called: ${error.message}`);
    throw expressionProblem(compiled.text, error);
  }
}

/** What stays is written anew, so that it is recorded as what a debugger has changed. */
function kept(writes: readonly TargetWrite[], changes: readonly MemoryChange[]): TargetWrite[] {
  return [
    ...changes.map(({ address, bytes }): TargetWrite => ({ kind: 'memory', address, bytes })),
    ...writes.filter(({ kind }) => kind === 'register'),
  ];
}

/** What a function printed cannot be taken back: it is marked. */
function tellOutput({ output }: SessionState, printed: readonly OutputEvent[], keep: boolean): void {
  const mark = keep ? '' : '[undone call] ';
  for (const { text } of printed) output.write('stdout', text.endsWith('\n') ? `${mark}${text}` : `${mark}${text}\n`);
}

/** The calls of one expression. */
class Calls {
  /** Everything below is free. */
  private free: bigint;
  private performed = 0;

  constructor(
    private readonly reference: FrameReference,
    private readonly excursion: Excursion,
  ) {
    this.free = alignDown(reference.stop.inferior.target.readRegisterNow('sp'), stackAlignment);
  }

  async run(compiled: CompiledExpression): Promise<{ value: Value; writes: readonly TargetWrite[] }> {
    const { frame } = this.reference.frame;
    const context = { frame, namedRegister: namedRegister(this.reference) };
    const query = evaluateWithCalls(compiled, context);
    let step = query.next();
    while (!step.done) step = query.next(await this.answer(step.value));
    return step.value;
  }

  private async answer(request: Parameters<Calls['reply']>[0] | { kind?: undefined; address: bigint; length: number }) {
    if (request.kind !== undefined) return this.reply(request);
    const { data, unreadable } = await this.reference.stop.inferior.target.readMemory(request.address, request.length);
    return unreadable === 0 ? data : undefined;
  }

  private async reply(request: CallRequest | TemporaryRequest): Promise<MemoryReply> {
    if (request.kind === 'call') return this.call(request);
    const { bytes, alignment } = request;
    return encodeInteger(this.place(bytes.length, alignment, bytes), this.pointerSize, true);
  }

  /** Memory writes of the expression that no call has seen. */
  unperformed(writes: readonly TargetWrite[]): readonly TargetWrite[] {
    return writes.slice(this.performed);
  }

  write(writes: readonly TargetWrite[]): void {
    for (const write of writes) {
      if (write.kind !== 'memory') continue;
      const written = this.excursion.writeMemory(write.address, write.bytes);
      if (written < write.bytes.length) throw errors.memoryNotWritable(`0x${write.address.toString(16)}`);
    }
  }

  private get pointerSize(): 4 | 8 {
    return this.reference.stop.inferior.unwindOptions.machine.addressSize;
  }

  private place(length: number, alignment: number, bytes?: Uint8Array): bigint {
    this.free = alignDown(this.free - BigInt(length), Math.max(alignment, this.pointerSize));
    if (bytes !== undefined) this.excursion.writeMemory(this.free, bytes);
    return this.free;
  }

  private async call(request: CallRequest): Promise<Uint8Array> {
    const { inferior } = this.reference.stop;
    const { returnType, variadic, prototyped } = request.type;
    // As variadic functions, those of the host take floating arguments in core registers (Run-time ABI for Arm, 4.1.2).
    const isSoft = (variadic && prototyped) || inferior.target.isServed(request.address);
    const abi = abiOfFunction(callAbiOf(this.elfOf(request.address)), isSoft);
    this.write(request.writes);
    this.performed += request.writes.length;
    const isVoid = stripType(returnType).kind === 'void';
    const inMemory = !isVoid && returnsInMemory(returnType, abi);
    const resultAddress = inMemory ? this.place(returnType.byteSize ?? 0, stackAlignment) : undefined;
    const layout = layOutCall(
      {
        arguments: request.arguments,
        named: request.named,
        resultAddress,
        stackPointer: alignDown(this.free, stackAlignment),
      },
      abi,
    );
    for (const { address, bytes } of layout.memory) this.excursion.writeMemory(address, bytes);
    const { names } = inferior.unwindOptions.machine.registers;
    const registers = new Map<string, bigint>();
    for (const [number, value] of layout.registers) {
      const name = names.get(number);
      if (name === undefined)
        throw new ExpressionError(
          `this CPU has no register for an argument of ${request.name}`,
          request.span.offset,
          request.span.length,
        );
      registers.set(name, value);
    }
    const { address } = request;
    const end = await this.excursion.call({ address, stackPointer: layout.stackPointer, registers }, async (after) =>
      isVoid ? new Uint8Array() : this.result(request, after, resultAddress, abi),
    );
    return end instanceof Uint8Array ? end : this.failed(request, end);
  }

  private async result(
    { type, name, span }: CallRequest,
    registers: RegisterFile,
    address: bigint | undefined,
    abi: ReturnType<typeof callAbiOf>,
  ): Promise<Uint8Array> {
    const location = returnLocation(type.returnType, abi, address);
    const frame = this.reference.frame.frame.withRegisters(registers);
    const bytes = await this.reference.stop.inferior.query(valueBytes(valueAt(type.returnType, location, frame)));
    if (bytes instanceof Uint8Array) return bytes;
    throw new ExpressionError(`the result of ${name} cannot be read: ${bytes.reason}`, span.offset, span.length);
  }

  /** By whose ABI it is called; the host's functions have that of who imports them. */
  private elfOf(address: bigint): Parameters<typeof callAbiOf>[0] {
    const { inferior } = this.reference.stop;
    const program =
      inferior.programAt(address) ?? inferior.programAt(this.reference.frame.lookupPc) ?? inferior.programs[0];
    return program.program.elf;
  }

  private failed({ name, span }: CallRequest, end: CallEnd): never {
    throw new ExpressionError(
      `${name}() ${callEndText(this.reference.stop.inferior, end)}; everything that it did is undone`,
      span.offset,
      span.length,
    );
  }
}

/** `call f(1)`: what it does stays. Where the program has something of the name `call`, that is meant. */
export function splitCallCommand(
  { stop, frame }: FrameReference,
  text: string,
): { readonly text: string; readonly keep: boolean } {
  const command = /^call\s+(?=[\w:$*&(~!'"-])(.*)$/s.exec(text);
  if (command === null || scopeIn(stop.inferior, frame).lookup('call', undefined) !== undefined) {
    return { text, keep: false };
  }
  return { text: command[1], keep: true };
}
