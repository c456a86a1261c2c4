/**
 * The two small languages of a breakpoint's options: hit counts ('5', '>= 3', '% 2') and log messages with
 * expressions in braces ('x is {x}'; '{{' or '\{' is a brace). And its modes, of which VS Code offers a choice.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { ExpressionError, parseExpression } from '../lib/c-expression';
import { splitFormatSuffix } from './format-suffix';

const appliesTo: DebugProtocol.BreakpointModeApplicability[] = ['source', 'instruction', 'exception'];

/** The first is what holds without a choice. */
export const breakpointModes: readonly DebugProtocol.BreakpointMode[] = [
  { mode: 'always', label: 'Always', description: 'Stops each time.', appliesTo },
  {
    mode: 'once',
    label: 'Once',
    description: 'Stops the first time, then never again until the program is restarted or it is set anew.',
    appliesTo,
  },
];

/** Why there is no such mode. */
export function modeProblem(mode: string | undefined): string | undefined {
  if (mode === undefined || breakpointModes.some((one) => one.mode === mode)) return undefined;
  return `there is no breakpoint mode '${mode}': it is ${breakpointModes.map((one) => one.mode).join(' or ')}`;
}

/** Decides by the number of this hit (the first is 1). */
export type HitTest = (hits: number) => boolean;

const comparisons: Record<string, (hits: number, count: number) => boolean> = {
  '': (hits, count) => hits === count,
  '=': (hits, count) => hits === count,
  '==': (hits, count) => hits === count,
  '!=': (hits, count) => hits !== count,
  '>': (hits, count) => hits > count,
  '>=': (hits, count) => hits >= count,
  '<': (hits, count) => hits < count,
  '<=': (hits, count) => hits <= count,
  '%': (hits, count) => hits % count === 0,
};

/** A test, or why the text is none. */
export function parseHitCondition(text: string): HitTest | string {
  const match = /^\s*(==|=|!=|>=|<=|>|<|%|)\s*(\d+|0x[0-9a-f]+)\s*$/i.exec(text);
  const count = match === null ? NaN : Number(match[2]);
  if (match === null || (match[1] === '%' && count === 0)) {
    return `the hit count '${text}' is not understood: write 5 (the fifth time), >= 3, > 3, < 3, <= 3, != 3 or % 2 (every second time)`;
  }
  const compare = comparisons[match[1]];
  if (![1, count, count + 1].some((hits) => hits >= 1 && compare(hits, count))) {
    return `the hit count '${text}' never holds: the first hit is 1`;
  }
  return (hits) => compare(hits, count);
}

export type LogPart = { readonly text: string } | { readonly expression: string };

/**
 * Why an expression is one in no place: it ends too early. All else may have a meaning where the program stops: what is a type or a macro is
 * known there.
 */
export function unfinished(expression: string): string | undefined {
  try {
    parseExpression(expression);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    if (error.offset >= expression.trimEnd().length) return `'${expression}' is not complete: ${error.message}`;
  }
  return undefined;
}

/** The parts of a log message, or why it cannot be split. */
export function parseLogMessage(message: string): readonly LogPart[] | string {
  const parts: LogPart[] = [];
  let text = '';
  let at = 0;
  while (at < message.length) {
    const char = message[at];
    const next = message[at + 1];
    if (char === '\\' && (next === '{' || next === '}')) {
      text += next;
      at += 2;
    } else if ((char === '{' || char === '}') && next === char) {
      text += char;
      at += 2;
    } else if (char === '{') {
      const end = endOfExpression(message, at + 1);
      if (end === undefined) return `the log message has a { without its }`;
      const expression = message.slice(at + 1, end).trim();
      if (expression === '') return 'the log message has {} without an expression';
      const problem = unfinished(splitFormatSuffix(expression).expression);
      if (problem !== undefined) return problem;
      if (text !== '') parts.push({ text });
      text = '';
      parts.push({ expression });
      at = end + 1;
    } else {
      text += char;
      at++;
    }
  }
  if (text !== '') parts.push({ text });
  return parts;
}

/** Index of the brace that ends an expression; braces in character constants and strings do not count. */
function endOfExpression(message: string, start: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let at = start; at < message.length; at++) {
    const char = message[at];
    if (char === '\\') at++;
    else if (quote !== undefined) {
      if (char === quote) quote = undefined;
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '{') depth++;
    else if (char === '}' && depth-- === 0) return at;
  }
  return undefined;
}
