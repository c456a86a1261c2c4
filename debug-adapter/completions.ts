/**
 * Completions of the Debug Console: after `.` and `->` the members of the object, its bases and its methods; after `::` what the namespace, class, function or
 * extension has; after `$` registers; after a comma format suffixes as well; else variables in scope, functions, macros, extensions.
 * Nothing is evaluated for it, only typed.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { ExpressionError } from '../lib/c-expression';
import { stripType, type StructType, type Type } from '../lib/dwarf/model';
import { isStruct } from '../lib/dwarf/value';
import { AdapterError } from './errors';
import { compileIn, scopeIn } from './expression-context';
import { hostFunctionNames } from './host-functions';
import type { Inferior } from './inferior';
import { localsOf } from './frame-variables';
import type { SessionState } from './session-state';
import { type FrameReference, requireFrame } from './stack-trace';

type Item = Pick<DebugProtocol.CompletionItem, 'label' | 'type'>;

const limit = 100;

export async function completions(
  session: SessionState,
  args: DebugProtocol.CompletionsArguments,
): Promise<DebugProtocol.CompletionsResponse['body']> {
  const stop = session.execution.stop;
  if (stop === undefined) return { targets: [] };
  // Columns and positions are UTF-16 units, as the indices of texts are.
  const first = session.client.columnsStartAt1 ? 1 : 0;
  const column = args.column - first;
  const line = args.text.split('\n')[(args.line ?? 1) - 1] ?? args.text;
  const before = line.slice(0, column);
  const word = /[\p{L}\p{N}_$~]*$/u.exec(before)?.[0] ?? '';
  const frame = args.frameId === undefined ? await stop.frame(0) : undefined;
  const reference =
    args.frameId === undefined ? frame && { stop, level: 0, frame } : await requireFrame(session, args.frameId);
  if (reference === undefined) return { targets: [] };
  const found = candidates(reference, before.slice(0, before.length - word.length), word);
  const matching = found.filter(({ label }) => label.startsWith(word));
  const unique = [...new Map(matching.map((item) => [item.label, item])).values()];
  const place = { start: column - word.length + first, length: word.length };
  return { targets: unique.slice(0, limit).map((item) => ({ ...item, ...place })) };
}

function candidates(reference: FrameReference, before: string, word: string): Item[] {
  const access = /(\.|->|::)\s*$/.exec(before);
  if (access === null) {
    const { inferior } = reference.stop;
    if (word.startsWith('$')) return registers(inferior);
    return [...(isFormatPlace(before) ? formatSuffixes.map(item('unit')) : []), ...names(reference, word)];
  }
  const text = before.slice(0, access.index);
  const operand = text.slice(operandStart(text)).trim();
  if (access[1] === '::') return operand === '' ? fileScope(reference) : within(reference, operand);
  return operand === '' ? [] : members(reference, operand);
}

/** Where the postfix expression or qualified name begins that a text ends with. */
function operandStart(text: string): number {
  let at = text.length;
  for (;;) {
    while (/\s/.test(text.charAt(at - 1))) at--;
    const last = text.charAt(at - 1);
    if (last === ')' || last === ']') {
      const open = matching(text, at - 1);
      if (open < 0) return at;
      at = open;
      continue;
    }
    const name = /[\p{L}\p{N}_$]+$/u.exec(text.slice(0, at))?.[0];
    if (name === undefined) return at;
    at -= name.length;
    const access = /(\.|->|::)\s*$/.exec(text.slice(0, at));
    if (access === null) return at;
    at = access.index;
    // `::name` begins at file scope.
    if (access[1] === '::' && !/[\p{L}\p{N}_$>]\s*$/u.test(text.slice(0, at))) return at;
  }
}

const formatSuffixes: readonly string[] = ['x', 'd', 'b', 'o', 'c', 's'];

/** Behind a comma that is in no bracket. */
function isFormatPlace(before: string): boolean {
  if (!/,\s*$/.test(before)) return false;
  const closed = before.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, '');
  return (closed.match(/[([]/g) ?? []).length === (closed.match(/[)\]]/g) ?? []).length;
}

/** Index of the bracket that the closing one at an index belongs to; -1: there is none. */
function matching(text: string, close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (')]'.includes(text.charAt(at))) depth++;
    else if ('(['.includes(text.charAt(at)) && --depth === 0) return at;
  }
  return -1;
}

const item =
  (type: DebugProtocol.CompletionItemType) =>
  (label: string): Item => ({ label, type });

function registers({ target }: Inferior): Item[] {
  return target.registerNames.map((name) => item('reference')(`$${name}`));
}

function names(reference: FrameReference, word: string): Item[] {
  const { stop, frame } = reference;
  const { inferior } = stop;
  const locals = localsOf(frame).flatMap(({ evaluateName }) => evaluateName ?? []);
  const macros = [...(scopeIn(inferior, frame).macros?.keys() ?? [])];
  // Names with underscores are the compiler's own, hundreds of them.
  const wanted = word.startsWith('_') ? macros : macros.filter((name) => !name.startsWith('_'));
  return [
    ...locals.map(item('variable')),
    ...ownMembers(reference),
    ...fileScope(reference),
    ...wanted.map(item('text')),
    ...inferior.extensions
      .map(({ instance }) => instance.name)
      .filter(isIdentifier)
      .map(item('module')),
    ...registers(inferior),
    // Many, and seldom wanted.
    ...(word === '' ? [] : hostFunctionNames(inferior).map(item('function'))),
  ];
}

/** A file's name need be none. */
const isIdentifier = (name: string): boolean => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);

/** Members that a method names without `this`. */
function ownMembers(reference: FrameReference): Item[] {
  return members(reference, 'this');
}

/** Variables before functions, the frame's module before the others. */
function fileScope({ stop, frame }: FrameReference): Item[] {
  const { inferior } = stop;
  const own = inferior.programAt(frame.lookupPc);
  const programs = [...inferior.programs].sort((a, b) => Number(b === own) - Number(a === own));
  const known = programs.flatMap(({ debug }) => debug?.globalNames() ?? []);
  const variables = known.flatMap(({ name, isFunction }) => (isFunction ? [] : topOf(name)));
  const functions = known.flatMap(({ name, isFunction }) => (isFunction ? topOf(name) : []));
  return [...variables.map(item('variable')), ...functions.map(item('function'))];
}

/** Of a qualified name what stands first: the namespace or class is completed step by step. */
function topOf(name: string): string {
  return /^[^<(]*?(?=::)/.exec(name)?.[0] ?? name;
}

function within(reference: FrameReference, scope: string): Item[] {
  const { inferior } = reference.stop;
  const module = inferior.extensions.find(({ instance }) => instance.name === scope)?.program;
  if (module !== undefined) {
    const own = module.debug?.globalNames() ?? [];
    return own.map(({ name, isFunction }) => item(isFunction ? 'function' : 'variable')(topOf(name)));
  }
  return [...membersByName(inferior, scope), ...statics(inferior, scope)];
}

/** What has the scope's name before its own. */
function membersByName(inferior: Inferior, scope: string): Item[] {
  const prefix = `${scope}::`;
  return inferior.programs.flatMap(({ debug }) =>
    (debug?.globalNames() ?? []).flatMap(({ name, isFunction }) => {
      const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return rest === '' ? [] : [item(isFunction ? 'function' : 'variable')(topOf(rest))];
    }),
  );
}

/** `function::x`: variables of the function. */
function statics(inferior: Inferior, scope: string): Item[] {
  return inferior.programs.flatMap(({ debug }) =>
    (debug?.functionsNamed(scope) ?? []).flatMap((found) =>
      found.scope.variables.filter(({ isParameter }) => !isParameter).map(({ name }) => item('variable')(name)),
    ),
  );
}

function members(reference: FrameReference, expression: string): Item[] {
  try {
    return membersOf(compileIn(reference, expression, { sideEffects: 'forbid' }).node.type, reference);
  } catch (error) {
    // What stands before the point is no expression (yet): nothing to offer.
    if (error instanceof AdapterError || error instanceof ExpressionError) return [];
    throw error;
  }
}

function membersOf(type: Type, reference: FrameReference): Item[] {
  const stripped = stripType(type);
  const object = 'target' in stripped && stripped.kind !== 'member-pointer' ? stripType(stripped.target) : stripped;
  return isStruct(object) ? fieldsOf(object, reference.stop.inferior) : [];
}

/** Also those of unnamed members and of bases, which are named as if they were its own. */
function fieldsOf(type: StructType, inferior: Inferior): Item[] {
  const fields = type.members.flatMap((member): Item[] => {
    if (member.name !== undefined) return [item('field')(member.name)];
    const inner = stripType(member.type);
    return isStruct(inner) ? fieldsOf(inner, inferior) : [];
  });
  const methods = type.name === undefined ? [] : membersByName(inferior, type.name);
  const constructor = type.name?.replace(/^.*::/, '');
  return [...fields, ...methods.filter(({ label }) => label !== constructor && !label.startsWith('~'))];
}
