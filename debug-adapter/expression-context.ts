/** C expressions of the user in a frame: names from that frame, memory from the target, writes carried out after it. */
import {
  type CheckOptions,
  compileExpression,
  type CompiledExpression,
  compileInitializer,
  evaluateExpression,
  type EvaluationResult,
  ExpressionError,
  FrameScope,
} from '../lib/c-expression';
import { formatValue } from '../lib/dwarf/format';
import type { Type } from '../lib/dwarf/model';
import type { Value } from '../lib/dwarf/value';
import type { TargetWrite } from '../lib/dwarf/value-bits';
import type { FrameInfo } from '../lib/dwarf/unwind';
import { AdapterError, errors } from './errors';
import { hostFunction } from './host-functions';
import type { Inferior, LoadedModule } from './inferior';
import { memoryChanged, valuesChanged } from './memory';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';
import { formatOptions } from './value-text';

/** A register that DWARF has no number for, such as xpsr, can be named too. */
export interface NamedRegisterWrite {
  readonly kind: 'register';
  readonly register: string;
  readonly value: bigint;
}

/** Names that an expression can use in a frame, or at file scope. */
export function scopeIn(
  inferior: Inferior,
  frame: FrameInfo | undefined,
  names: { readonly ofHost: boolean } = { ofHost: true },
): FrameScope {
  return new FrameScope({
    machine: inferior.unwindOptions.machine,
    modules: inferior.programs,
    ...(frame === undefined ? {} : { frame }),
    namedRegisters: inferior.target.registerNames,
    ...(names.ofHost ? { hostFunction: (name: string) => hostFunction(inferior, name) } : {}),
  });
}

export function compileIn(
  reference: FrameReference,
  text: string,
  options: CheckOptions = { sideEffects: 'allow' },
  names?: { readonly ofHost: boolean },
): CompiledExpression {
  const { inferior } = reference.stop;
  if (inferior.extensions.length === 0) throw errors.badExpression('nothing is loaded: no name has a meaning');
  return explained(text, () => compileExpression(text, scopeIn(inferior, reference.frame, names), options));
}

/** An initializer in braces for an object of a type. */
export function compileListIn(reference: FrameReference, list: string, type: Type): CompiledExpression {
  return explained(list, () => compileInitializer(type, list, scopeIn(reference.stop.inferior, reference.frame)));
}

/** Evaluates in a frame; writes are not carried out. */
export async function evaluateText(
  reference: FrameReference,
  text: string,
  sideEffects: 'allow' | 'forbid' = 'allow',
): Promise<EvaluationResult> {
  return evaluateCompiled(reference, compileIn(reference, text, { sideEffects }));
}

export async function evaluateCompiled(
  reference: FrameReference,
  compiled: CompiledExpression,
): Promise<EvaluationResult> {
  const context = { frame: reference.frame.frame, namedRegister: namedRegister(reference) };
  const { inferior } = reference.stop;
  return explainedAsync(compiled.text, () => inferior.query(evaluateExpression(compiled, context)));
}

/** Registers that only the innermost frame has. */
export function namedRegister({ stop, level }: FrameReference): (name: string) => bigint | undefined {
  const { target } = stop.inferior;
  return (name) => (level === 0 && target.registerNames.includes(name) ? target.readRegisterNow(name) : undefined);
}

/** Carries out what an assignment asks for; the client is told after its answer. */
export async function performWrites(
  session: SessionState,
  reference: FrameReference,
  writes: readonly (TargetWrite | NamedRegisterWrite)[],
  after: (action: () => void) => void,
): Promise<void> {
  const { inferior } = reference.stop;
  for (const write of writes) {
    if (write.kind === 'memory') {
      const written = await inferior.target.writeMemory(write.address, write.bytes);
      if (written < write.bytes.length) throw errors.memoryNotWritable(`0x${write.address.toString(16)}`);
      after(() => memoryChanged(session, write.address, write.bytes.length));
    } else {
      const name = typeof write.register === 'string' ? write.register : registerName(inferior, write.register);
      await inferior.target.writeRegister(name, write.value);
      after(() => valuesChanged(session));
    }
  }
  if (writes.length > 0) await reference.stop.refresh();
}

function registerName(inferior: Inferior, number: number): string {
  const name = inferior.unwindOptions.machine.registers.names.get(number);
  if (name === undefined) throw errors.notAssignable(`register ${number}`, 'this CPU has none of that number');
  return name;
}

/** Evaluates names of file scope, while the program is stopped or runs; `first`: whose names come first. */
export async function evaluateAtFileScope(
  inferior: Inferior,
  text: string,
  first?: Pick<LoadedModule, 'program'>,
): Promise<Value> {
  const own = first?.program;
  const modules = [...(own === undefined ? [] : [own]), ...inferior.programs.filter((program) => program !== own)];
  if (inferior.extensions.length === 0) throw errors.badExpression('nothing is loaded: no name has a meaning');
  const scope = new FrameScope({ machine: inferior.unwindOptions.machine, modules });
  return explainedAsync(text, async () => {
    const compiled = compileExpression(text, scope, { sideEffects: 'forbid' });
    return (await inferior.query(evaluateExpression(compiled, { frame: scope.frame }))).value;
  });
}

/** The value of a variable of file scope as text; undefined when it has none that can be told. */
export async function globalText(
  inferior: Inferior,
  loaded: Pick<LoadedModule, 'program'>,
  name: string,
): Promise<string | undefined> {
  try {
    const value = await evaluateAtFileScope(inferior, name, loaded);
    return await inferior.query(formatValue(value, formatOptions(inferior)));
  } catch (error) {
    // A hover without a value is still one.
    if (error instanceof AdapterError) return undefined;
    throw error;
  }
}

function explained<T>(text: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw expressionProblem(text, error);
  }
}

async function explainedAsync<T>(text: string, compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (error) {
    throw expressionProblem(text, error);
  }
}

/** The message with the part of the expression that it is about. */
export function expressionProblem(text: string, error: unknown): unknown {
  return error instanceof ExpressionError ? errors.badExpression(expressionMessage(text, error)) : error;
}

export function expressionMessage(text: string, { message, offset, length }: ExpressionError): string {
  const part = text.slice(offset, offset + length).trim();
  return part === '' || part === text.trim() || message.includes(part) ? message : `${message} (at '${part}')`;
}
