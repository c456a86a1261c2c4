/**
 * Tokens of C expressions (C11 6.4), with what gdb adds: `$register`, `::`, `@`, and a quoted file name before `::`.
 * Numbers and characters are only cut here; what they mean is in literal.ts.
 */
import { fail } from './errors';

export interface Token {
  readonly kind: 'name' | 'keyword' | 'number' | 'character' | 'string' | 'register' | 'punctuator' | 'end';
  /** As written, quotes included. */
  readonly text: string;
  readonly offset: number;
  readonly length: number;
}

/** Keywords of C11 that may stand in an expression or a type name, with GNU and C23 spellings. */
const keywords: ReadonlySet<string> = new Set(
  (
    'char short int long signed unsigned float double void _Bool bool _Complex struct union enum const volatile ' +
    'restrict __restrict __restrict__ _Atomic sizeof _Alignof alignof __alignof__ _Generic typeof __typeof__ ' +
    '__signed__ __const __volatile__ class __real__ __imag__ __real __imag ' +
    'static_cast reinterpret_cast const_cast dynamic_cast'
  ).split(' '),
);

/** Longest first, so that the first that fits is the token. */
const punctuators =
  '<<= >>= ... ->* -> .* ++ -- << >> <= >= == != && || += -= *= /= %= &= |= ^= :: [ ] ( ) { } . & * + - ~ ! / % < > ^ | ? : ; = , @'.split(
    ' ',
  );

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['character', /(?:u8|[uUL])?'(?:[^'\\\n]|\\.)*'/y],
  ['string', /(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"/y],
  ['name', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  // A preprocessing number (6.4.8): everything that could belong to one, judged later.
  ['number', /\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.])*/y],
  ['register', /\$[A-Za-z_0-9]*/y],
];

/** 'preprocessor': the replacement of a macro, where `#` and `##` are tokens too. */
export function tokenize(text: string, language: 'c' | 'preprocessor' = 'c'): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < text.length) {
    if (/\s/.test(text[offset])) {
      offset++;
      continue;
    }
    const token = (language === 'c' ? undefined : hashAt(text, offset)) ?? tokenAt(text, offset);
    tokens.push(token);
    offset += token.length;
  }
  tokens.push({ kind: 'end', text: '', offset: text.length, length: 0 });
  return tokens;
}

function hashAt(text: string, offset: number): Token | undefined {
  const hash = /#{1,2}/y;
  hash.lastIndex = offset;
  const found = hash.exec(text)?.[0];
  return found === undefined ? undefined : { kind: 'punctuator', text: found, offset, length: found.length };
}

function tokenAt(text: string, offset: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    if (!match) continue;
    const found = match[0];
    const isKeyword = kind === 'name' && keywords.has(found);
    return { kind: isKeyword ? 'keyword' : kind, text: found, offset, length: found.length };
  }
  const punctuator = punctuators.find((candidate) => text.startsWith(candidate, offset));
  if (punctuator) return { kind: 'punctuator', text: punctuator, offset, length: punctuator.length };
  if (text[offset] === "'" || text[offset] === '"') {
    return fail('the closing quote is missing', { offset, length: text.length - offset });
  }
  return fail(`'${text[offset]}' has no meaning in C`, { offset, length: 1 });
}
