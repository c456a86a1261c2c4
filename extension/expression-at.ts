/** The C expression under a column of a line, found from the text alone. Pure, so that it is tested as a table. */

const keywords = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register ' +
    'restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool bool'
  ).split(' '),
);

export interface FoundExpression {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function expressionAt(line: string, column: number): FoundExpression | undefined {
  if (inCommentOrString(line, column)) return undefined;
  const word = wordAt(line, column);
  if (word === undefined || keywords.has(word.text)) return undefined;
  const start = chainStart(line, word.start);
  if (start === undefined) return undefined;
  return { start, end: word.end, text: line.slice(start, word.end) };
}

export function wordAt(line: string, column: number): FoundExpression | undefined {
  for (const match of line.matchAll(/[A-Za-z_]\w*/g)) {
    const end = match.index + match[0].length;
    // A name that follows a digit is the suffix of a number.
    const suffix = match.index > 0 && /[0-9]/.test(line[match.index - 1]);
    if (column >= match.index && column <= end && !suffix) return { start: match.index, end, text: match[0] };
  }
  return undefined;
}

/**
 * Goes left over `.`, `->` and index brackets to where the chain begins; undefined when that is a call or a
 * parenthesis, because the last member alone would be another variable.
 */
function chainStart(line: string, start: number): number | undefined {
  let at = start;
  for (;;) {
    const before = line.slice(0, at);
    const operator = /(\.|->)\s*$/.exec(before);
    if (operator === null) return at;
    let end = line.slice(0, operator.index).trimEnd().length;
    while (line[end - 1] === ']') {
      const open = matching(line, end - 1);
      if (open === undefined || /\+\+|--|=(?!=)|\(/.test(line.slice(open, end))) return undefined;
      end = open;
    }
    const name = /[A-Za-z_]\w*\s*$/.exec(line.slice(0, end));
    if (name === null) return undefined;
    at = name.index;
  }
}

/** The bracket that the one at `close` closes. */
function matching(line: string, close: number): number | undefined {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (line[at] === ']') depth++;
    if (line[at] === '[' && --depth === 0) return at;
  }
  return undefined;
}

export function inCommentOrString(line: string, column: number): boolean {
  const tokens = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\/\/.*|\/\*.*?(?:\*\/|$)/g;
  for (const match of line.matchAll(tokens)) {
    if (column > match.index && column < match.index + match[0].length) return true;
  }
  return /^\s*(\*\s|\*$)/.test(line);
}
