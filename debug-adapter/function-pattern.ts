/**
 * What a function breakpoint names: `name`, `/regular expression/` (`/.../i` without case), and either of them in one
 * extension only, `ext::name`. A C++ name may have `::` too, so what stands before it is an extension only when one of
 * the session has that name.
 */

import { templateKey } from '../lib/dwarf/base-type-name';

/** A name as it is written, or what names have to match. */
export type NamePattern = string | RegExp;

export interface FunctionPattern {
  readonly whole: NamePattern;
  readonly inExtension: { readonly extension: string; readonly name: NamePattern } | undefined;
}

/** The pattern, or why the text is none. */
export function parseFunctionPattern(text: string): FunctionPattern | string {
  const trimmed = text.trim();
  const whole = parseName(trimmed);
  if (whole instanceof SyntaxProblem) return whole.message;
  const split = trimmed.startsWith('/') ? null : /^([^:]+)::(.+)$/.exec(trimmed);
  if (split === null) return { whole, inExtension: undefined };
  const name = parseName(split[2].trim());
  if (name instanceof SyntaxProblem) return name.message;
  return { whole, inExtension: { extension: split[1].trim(), name } };
}

export function matchesName(pattern: NamePattern, name: string): boolean {
  return typeof pattern === 'string' ? templateKey(pattern) === templateKey(name) : pattern.test(name);
}

class SyntaxProblem {
  constructor(readonly message: string) {}
}

function parseName(text: string): NamePattern | SyntaxProblem {
  if (text === '') return new SyntaxProblem('no function is named: write a name, /a regular expression/, or ext::name');
  if (!text.startsWith('/')) return text.replace(/\(\)$/, '');
  const parts = /^\/(.+)\/(i?)$/.exec(text);
  if (parts === null) return new SyntaxProblem(`'${text}' is no regular expression: it ends with / or /i`);
  try {
    return new RegExp(parts[1], parts[2]);
  } catch (error) {
    return new SyntaxProblem(`'${text}' is no regular expression: ${error instanceof Error ? error.message : ''}`);
  }
}
