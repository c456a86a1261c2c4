/**
 * The macros that hold at a frame's line, as a scope: each with its text, and the value that it has as an expression here. There can be
 * thousands, so a value is only worked out when the client asks for that one (DAP: a lazy variable has one child, its value).
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Value } from '../lib/dwarf/value';
import { AdapterError } from './errors';
import { evaluateText, scopeIn } from './expression-context';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';

interface MacroText {
  readonly name: string;
  readonly text: string;
}

/** They are read when they are looked at: a file of Zephyr has thousands, and every stop asks for scopes. */
export function hasMacros({ stop, frame }: FrameReference): boolean {
  const unit = frame.function?.unit;
  return unit !== undefined && stop.inferior.programAt(frame.lookupPc)?.debug?.hasMacros(unit) === true;
}

/** By name; without those that take arguments, that are empty, and the compiler's own (which begin with an underscore). */
export function macrosOf({ stop, frame }: FrameReference): readonly MacroText[] {
  const macros = [...(scopeIn(stop.inferior, frame).macros?.entries() ?? [])];
  return macros
    .filter(([name, { parameters, replacement }]) => {
      return parameters === undefined && replacement.trim() !== '' && !name.startsWith('_');
    })
    .map(([name, { replacement }]) => ({ name, text: replacement.trim() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function macroVariables(
  session: SessionState,
  { stop, level }: FrameReference,
  macros: readonly MacroText[],
): DebugProtocol.Variable[] {
  return macros.map(({ name, text }) => {
    const key = `${level}/macro ${name}`;
    return {
      name,
      value: text,
      evaluateName: name,
      variablesReference: session.containers.set(key, { kind: 'macro', key, stop, level, name }),
      presentationHint: { kind: 'virtual', attributes: ['readOnly', 'constant'], lazy: true },
    };
  });
}

/** A macro that is no expression (a keyword, a part of a declaration) says why in place of a value. */
export async function macroValue(
  reference: FrameReference,
  name: string,
  describe: (value: Value) => Promise<Omit<DebugProtocol.Variable, 'name'>>,
): Promise<DebugProtocol.Variable> {
  const presentationHint = { kind: 'virtual', attributes: ['readOnly'] };
  try {
    const { value } = await evaluateText(reference, name, 'forbid');
    return { name, ...(await describe(value)), presentationHint };
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    return { name, value: `<${error.message}>`, variablesReference: 0, presentationHint };
  }
}
