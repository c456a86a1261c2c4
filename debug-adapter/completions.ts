/** Completions of the Debug Console: variables in scope, functions, registers, members after . and ->. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { stripType } from '../lib/dwarf/model';
import { isStruct } from '../lib/dwarf/value';
import { evaluateText } from './expression-context';
import { localsOf } from './scopes';
import type { SessionState } from './session-state';
import { type FrameReference, requireFrame } from './stack-trace';

const limit = 100;

export async function completions(
  session: SessionState,
  args: DebugProtocol.CompletionsArguments,
): Promise<DebugProtocol.CompletionsResponse['body']> {
  const stop = session.execution.stop;
  if (stop === undefined) return { targets: [] };
  const column = args.column - (session.columnsStartAt1 ? 1 : 0);
  const line = args.text.split('\n')[(args.line ?? 1) - 1] ?? args.text;
  const before = line.slice(0, column);
  const word = /[\w$]*$/.exec(before)?.[0] ?? '';
  const frame = args.frameId === undefined ? await stop.frame(0) : undefined;
  const reference =
    args.frameId === undefined ? frame && { stop, level: 0, frame } : await requireFrame(session, args.frameId);
  if (reference === undefined) return { targets: [] };
  const path = /([\w$.>[\]-]+?)(\.|->)$/.exec(before.slice(0, before.length - word.length));
  const found = path === null ? names(reference) : await members(reference, path[1]);
  const targets = found
    .filter(({ label }) => label.startsWith(word))
    .slice(0, limit)
    .map((item) => ({ ...item, start: column - word.length + (session.columnsStartAt1 ? 1 : 0), length: word.length }));
  return { targets };
}

function names({ stop, frame }: FrameReference): DebugProtocol.CompletionItem[] {
  const program = stop.inferior.programAt(frame.lookupPc)?.program;
  const locals = localsOf(frame).flatMap(({ evaluateName }) => evaluateName ?? []);
  const known = program?.debug?.globalNames() ?? [];
  const globals = known.flatMap(({ name, isFunction }) => (isFunction ? [] : name));
  const functions = known.flatMap(({ name, isFunction }) => (isFunction ? name : []));
  const registers = stop.inferior.target.registerNames.map((name) => `$${name}`);
  const item = (type: DebugProtocol.CompletionItemType) => (label: string) => ({ label, type });
  const all = [
    ...locals.map(item('variable')),
    ...globals.map(item('variable')),
    ...functions.map(item('function')),
    ...registers.map(item('reference')),
  ];
  return [...new Map(all.toReversed().map((entry) => [entry.label, entry])).values()].toReversed();
}

async function members(reference: FrameReference, expression: string): Promise<DebugProtocol.CompletionItem[]> {
  try {
    const { value } = await evaluateText(reference, expression);
    const type = stripType(value.type);
    const target = type.kind === 'pointer' ? stripType(type.target) : type;
    if (!isStruct(target)) return [];
    return target.members.flatMap(({ name }) => (name === undefined ? [] : [{ label: name, type: 'field' as const }]));
  } catch {
    // What stands before the point is no expression (yet): nothing to offer.
    return [];
  }
}
