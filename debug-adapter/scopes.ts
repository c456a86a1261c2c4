/** The scopes of a frame: its arguments and locals, the file's variables, the registers. */
import { Scope } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { stripType, type UnitInfo } from '../lib/dwarf/model';
import type { Frame } from '../lib/dwarf/unwind-frame';
import { type NamedValue, valueAt } from '../lib/dwarf/value';
import { abiOfFunction, callAbiOf, returnLocation } from '../lib/program/return-value';
import { type ListedVariable, localsOf } from './frame-variables';
import { hasMacros } from './macro-variables';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';
import { type FrameReference, requireFrame } from './stack-trace';
import type { Stop } from './stop';

export async function scopes(
  session: SessionState,
  args: DebugProtocol.ScopesArguments,
): Promise<DebugProtocol.ScopesResponse['body']> {
  const reference = await requireFrame(session, args.frameId);
  const { stop, level, frame } = reference;
  const result: DebugProtocol.Scope[] = [];
  const locals = localsOf(frame);
  const returned = level === 0 ? returnedValue(stop, frame.frame) : undefined;
  if (returned !== undefined) {
    const container = { kind: 'returned', stop, level, key: 'returned', value: returned } as const;
    const scope: DebugProtocol.Scope = new Scope('Return value', session.containers.set(container.key, container));
    scope.presentationHint = 'returnValue';
    scope.namedVariables = 1;
    result.push(scope);
  }
  if (frame.function !== undefined) {
    const container = { kind: 'variables', stop, level, key: `${level}/locals`, variables: locals } as const;
    const scope: DebugProtocol.Scope = new Scope('Locals', session.containers.set(container.key, container));
    scope.presentationHint = 'locals';
    scope.namedVariables = locals.length;
    result.push(scope);
  }
  const globals = globalsOf(reference, new Set(locals.map(({ name }) => name)));
  if (globals.length > 0) {
    const container = { kind: 'variables', stop, level, key: `${level}/globals`, variables: globals } as const;
    const unit = frame.function?.unit.name;
    const name = unit === undefined ? 'Globals' : `Globals of ${baseName(unit)}`;
    const scope: DebugProtocol.Scope = new Scope(name, session.containers.set(container.key, container));
    scope.namedVariables = globals.length;
    result.push(scope);
  }
  if (hasMacros(reference)) {
    const container = { kind: 'macros', stop, level, key: `${level}/macros` } as const;
    result.push(new Scope('Macros', session.containers.set(container.key, container), true));
  }
  const registers = { kind: 'registers', stop, level, key: `${level}/registers` } as const;
  const scope: DebugProtocol.Scope = new Scope('Registers', session.containers.set(registers.key, registers));
  scope.presentationHint = 'registers';
  return { scopes: [...result, scope] };
}

/** What the function that was stepped out of has returned; it is in registers until the next step. */
function returnedValue({ returned }: Stop, frame: Frame): NamedValue | undefined {
  if (returned === undefined || stripType(returned.function.returnType).kind === 'void') return undefined;
  const { name, returnType, signature, unit } = returned.function;
  const abi = abiOfFunction(callAbiOf(returned.program.program.elf), signature.variadic);
  const { firstArgument } = frame.machine.registers;
  // GCC hands the address of a result in memory back, though no standard asks for it.
  const handedBack = firstArgument !== undefined && isGcc(unit) ? frame.registers.get(firstArgument) : undefined;
  const location = returnLocation(returnType, abi, returned.memory ?? handedBack);
  return { name: `${name}()`, value: valueAt(returnType, location, frame) };
}

function isGcc({ producer }: UnitInfo): boolean {
  return producer?.startsWith('GNU ') === true;
}

/** Variables of file scope of the frame's compilation unit, statics before the others. */
function globalsOf({ frame, stop }: FrameReference, hiding: ReadonlySet<string>): ListedVariable[] {
  const debug = stop.inferior.programAt(frame.lookupPc)?.debug;
  const unit = frame.function?.unit;
  if (debug === undefined || unit === undefined) return [];
  return debug
    .globalsOf(unit)
    .filter(({ location, constValue }) => location !== undefined || constValue !== undefined)
    .sort((a, b) => Number(a.external) - Number(b.external))
    .map((variable) => ({
      name: variable.name,
      variable,
      evaluateName: hiding.has(variable.name) ? `'${baseName(unit.name ?? '')}'::${variable.name}` : variable.name,
    }));
}
