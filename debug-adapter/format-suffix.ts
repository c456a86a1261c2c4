/**
 * How a value is to be shown, written behind an expression as in Visual Studio and cppdbg: `flags,x`, `count,b`,
 * `pointer,[8]`. A comma operator whose right side is one of these letters cannot be written, as there.
 */
import type { FormatOptions } from '../lib/dwarf/format';

export interface SuffixedExpression {
  /** What is evaluated. */
  readonly expression: string;
  readonly options: FormatOptions;
}

const letters: Readonly<Record<string, FormatOptions>> = {
  x: { hex: true },
  h: { hex: true },
  d: { base: 'decimal' },
  b: { base: 'binary' },
  o: { base: 'octal' },
  c: { base: 'character' },
};

export function splitFormatSuffix(text: string): SuffixedExpression {
  const letter = /^(.*\S)\s*,\s*([xhdboc])$/s.exec(text);
  if (letter !== null) return { expression: letter[1], options: letters[letter[2]] };
  const textual = /^(.*\S)\s*,\s*s$/s.exec(text);
  if (textual !== null) return { expression: `(const char *)(${textual[1]})`, options: {} };
  const count = /^(.*\S)\s*,\s*\[([^[\]]+)\]$/s.exec(text);
  // gdb's a@n: as many elements from the first on.
  if (count !== null) return { expression: `(${count[1]})[0]@(${count[2]})`, options: {} };
  return { expression: text, options: {} };
}
