/** evaluate (hover, watch, Debug Console, copy) and setExpression. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type FormatOptions, formatValue } from '../lib/dwarf/format';
import type { Value } from '../lib/dwarf/value';
import { assignText } from './assignment';
import type { Cancellation } from './cancellation';
import { runConsoleCommand } from './console-commands';
import { compileIn, evaluateAtFileScope, evaluateCompiled, performWrites, scopeIn } from './expression-context';
import { splitFormatSuffix } from './format-suffix';
import { evaluateCalling, splitCallCommand } from './function-calls';
import type { SessionState } from './session-state';
import { type FrameReference, requireFrame } from './stack-trace';
import { formatOptions } from './value-text';
import { describeValue } from './variables';
import { whoWroteCommand } from './who-wrote-command';

type After = (action: () => void) => void;
type EvaluateBody = DebugProtocol.EvaluateResponse['body'];

const shownOptions = { sideEffects: 'forbid', references: 'shown' } as const;
const consoleOptions = { sideEffects: 'allow', calls: 'allow', references: 'shown' } as const;

export async function evaluate(
  session: SessionState,
  args: DebugProtocol.EvaluateArguments,
  after: After,
  cancellation: Cancellation,
): Promise<DebugProtocol.EvaluateResponse['body']> {
  const { expression: suffixed, options: suffix } = splitFormatSuffix(args.expression.trim());
  const options = { ...suffix, ...formatOf(args) };
  const reference = await frameOf(session, args.frameId);
  if (reference === undefined) {
    const inferior = session.requireInferior('evaluate');
    const found = await evaluateAtFileScope(inferior, suffixed);
    return {
      result: await inferior.query(formatValue(found, { ...formatOptions(inferior), ...options })),
      variablesReference: 0,
    };
  }
  const said =
    args.context === 'repl' ? runConsoleCommand(session, reference, args.expression.trim(), after) : undefined;
  if (said !== undefined) return { result: said, variablesReference: 0 };
  // A hover must not change what it shows, and a watch is evaluated at every stop.
  const isConsole = args.context === 'repl' || args.context === undefined;
  const { text, keep } = isConsole ? splitCallCommand(reference, suffixed) : { text: suffixed, keep: false };
  const macro = macroText(reference, text);
  if (macro !== undefined) return { result: macro, variablesReference: 0 };
  const writer = isConsole ? await whoWroteCommand(session, reference, args.expression.trim()) : undefined;
  if (writer !== undefined) return { result: writer, variablesReference: 0 };
  // In a hover they would hide what the extension's own hover tells of an export.
  const names = { ofHost: args.context !== 'hover' };
  const compiled = compileIn(reference, text, isConsole ? consoleOptions : shownOptions, names);
  const key = `evaluate ${reference.level} ${args.expression.trim()}`;
  const describe = async (value: Value): Promise<EvaluateBody> =>
    asResult(await describeValue(session, { ...reference, key }, value, compiled.hasCalls ? undefined : text, options));
  if (compiled.hasCalls) {
    return evaluateCalling(session, reference, compiled, describe, { keep, after, cancellation });
  }
  const { value, writes } = await evaluateCompiled(reference, compiled);
  await performWrites(session, reference, writes, after);
  return describe(value);
}

/** The definition of a macro that is no expression by itself. */
function macroText({ stop, frame }: FrameReference, name: string): string | undefined {
  const macro = scopeIn(stop.inferior, frame).macro(name);
  if (macro === undefined || (macro.parameters === undefined && macro.replacement.trim() !== '')) return undefined;
  const list = macro.parameters === undefined ? '' : `(${macro.parameters.join(', ')})`;
  return `#define ${name}${list} ${macro.replacement}`.trimEnd();
}

export async function setExpression(
  session: SessionState,
  args: DebugProtocol.SetExpressionArguments,
  after: After,
): Promise<DebugProtocol.SetExpressionResponse['body']> {
  session.requireStop('setExpression');
  const reference = (await frameOf(session, args.frameId)) ?? (await requireFrame(session, 0));
  // As the client names what it shows in that way.
  const { expression, options } = splitFormatSuffix(args.expression.trim());
  const value = await assignText(session, reference, expression, args.value, after);
  const key = `evaluate ${reference.level} ${args.expression.trim()}`;
  const shown = args.format?.hex === true ? { hex: true, ...options } : options;
  return describeValue(session, { ...reference, key }, value, expression, shown);
}

/** The frame that is meant; undefined while the program runs: then only names of file scope have a meaning. */
async function frameOf(session: SessionState, frameId: number | undefined): Promise<FrameReference | undefined> {
  if (frameId !== undefined) return requireFrame(session, frameId);
  const { stop } = session.execution;
  const frame = await stop?.frame(0);
  return stop && frame && { stop, level: 0, frame };
}

function formatOf({ context, format }: DebugProtocol.EvaluateArguments): FormatOptions {
  return {
    ...(format?.hex === true ? { hex: true } : {}),
    // What is copied is complete.
    ...(context === 'clipboard' ? { maxElements: 100_000, maxDepth: 100 } : {}),
  };
}

function asResult({ value, ...rest }: Omit<DebugProtocol.Variable, 'name'>): DebugProtocol.EvaluateResponse['body'] {
  return { result: value, ...rest };
}
