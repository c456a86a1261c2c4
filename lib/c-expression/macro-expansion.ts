/**
 * Macro replacement (C11 6.10.3) in the tokens of an expression: object-like and function-like, nested, `#`, `##`, `...` with GNU's
 * `, ##__VA_ARGS__` and __VA_OPT__. Each token remembers the macros that it came from, which are not replaced in it again, so that
 * recursion ends (Prosser's algorithm). All that a macro becomes has the place of its name in the user's text.
 */
import { fail, type Span } from './errors';
import { type Token, tokenize } from './lexer';

export interface Macro {
  readonly name: string;
  /** undefined: object-like. The last of a variadic one ends in `...`. */
  readonly parameters: readonly string[] | undefined;
  readonly replacement: string;
}

export type MacroLookup = (name: string) => Macro | undefined;

interface Hidden extends Token {
  readonly hidden: ReadonlySet<string>;
  /** Of a replacement: white space came before it, which `#` keeps as one space. */
  readonly spaced: boolean;
}

/** A macro may double what it is given, again and again. */
const mostTokens = 20_000;

const none: ReadonlySet<string> = new Set();

/** Ends with the same end token. */
export function expandMacros(tokens: readonly Token[], lookup: MacroLookup): Token[] {
  const end = tokens[tokens.length - 1];
  return [...new Expansion(lookup).expand(withSpaces(tokens.slice(0, -1))), end];
}

function withSpaces(tokens: readonly Token[]): Hidden[] {
  return tokens.map((token, i) => {
    const before = i === 0 ? token.offset : tokens[i - 1].offset + tokens[i - 1].length;
    return { ...token, hidden: none, spaced: token.offset > before };
  });
}

class Expansion {
  private made = 0;
  private readonly bodies = new Map<Macro, readonly Hidden[]>();

  constructor(private readonly lookup: MacroLookup) {}

  expand(tokens: readonly Hidden[]): Hidden[] {
    const done: Hidden[] = [];
    // From the end, so that a replacement is put in front cheaply.
    const rest = [...tokens].reverse();
    for (let token = rest.pop(); token !== undefined; token = rest.pop()) {
      const macro = isIdentifier(token) && !token.hidden.has(token.text) ? this.lookup(token.text) : undefined;
      const isCall = rest.at(-1)?.text === '(' && rest.at(-1)?.kind === 'punctuator';
      if (macro === undefined || (macro.parameters !== undefined && !isCall)) {
        done.push(token);
        continue;
      }
      const replaced = macro.parameters === undefined ? this.object(macro, token) : this.call(macro, token, rest);
      this.made += replaced.length;
      if (this.made > mostTokens) fail(`the macro ${macro.name} becomes too long`, token);
      for (let i = replaced.length - 1; i >= 0; i--) rest.push(replaced[i]);
    }
    return done;
  }

  private object(macro: Macro, token: Hidden): Hidden[] {
    const hidden = new Set([...token.hidden, macro.name]);
    return this.substitute(macro, new Map(), hidden, token);
  }

  /** `rest` ends with the opening parenthesis; it is taken up to the closing one. */
  private call(macro: Macro, token: Hidden, rest: Hidden[]): Hidden[] {
    const { list, close } = takeArguments(macro, token, rest);
    const hidden = new Set([...token.hidden].filter((name) => close.hidden.has(name)));
    hidden.add(macro.name);
    return this.substitute(macro, argumentsByName(macro, list, token), hidden, token);
  }

  private bodyOf(macro: Macro, at: Span): readonly Hidden[] {
    let body = this.bodies.get(macro);
    if (body === undefined) {
      try {
        body = withSpaces(tokenize(macro.replacement, 'preprocessor').slice(0, -1));
      } catch {
        return fail(`the macro ${macro.name} is no expression: ${macro.replacement}`, at);
      }
      this.bodies.set(macro, body);
    }
    return body;
  }

  /** 6.10.3.1 to 6.10.3.3 */
  private substitute(
    macro: Macro,
    given: ReadonlyMap<string, readonly Hidden[]>,
    hidden: ReadonlySet<string>,
    at: Hidden,
  ): Hidden[] {
    const body = this.withOptional(this.bodyOf(macro, at), given);
    const result: Hidden[] = [];
    const push = (tokens: readonly Hidden[], spaced: boolean): void => {
      tokens.forEach((token, i) => result.push(i === 0 ? { ...token, spaced } : token));
    };
    for (let i = 0; i < body.length; i++) {
      const token = body[i];
      const argument = given.get(token.text);
      const next = body.at(i + 1);
      if (token.text === '#' && macro.parameters !== undefined && next !== undefined && given.has(next.text)) {
        push([stringOf(given.get(next.text) ?? [], token)], token.spaced);
        i++;
      } else if (token.text === '##' && next !== undefined && result.length > 0) {
        const right = given.get(next.text) ?? [next];
        i++;
        // GNU: the comma before an empty `...` goes away, before another one it is not pasted.
        if (result.at(-1)?.text === ',' && isVariadic(macro, next.text)) {
          if (right.length === 0) result.pop();
          else push(this.expand(right), next.spaced);
        } else this.paste(result, right, macro, at);
      } else if (argument !== undefined) {
        // What is pasted is taken as it was written.
        const isPasted = next?.text === '##';
        if (isPasted && argument.length === 0) i += this.pasteToNothing(body, i, given, push);
        else push(isPasted ? argument : this.expand(argument), token.spaced);
      } else push([token], token.spaced);
    }
    return result.map((token) => ({
      ...token,
      hidden: new Set([...token.hidden, ...hidden]),
      offset: at.offset,
      length: at.length,
    }));
  }

  /** An empty argument before `##`: what follows stands alone. Returns how many tokens of the body are done. */
  private pasteToNothing(
    body: readonly Hidden[],
    at: number,
    given: ReadonlyMap<string, readonly Hidden[]>,
    push: (tokens: readonly Hidden[], spaced: boolean) => void,
  ): number {
    const right = body.at(at + 2);
    if (right === undefined) return 1;
    push(given.get(right.text) ?? [right], right.spaced);
    return 2;
  }

  private paste(result: Hidden[], right: readonly Hidden[], macro: Macro, at: Span): void {
    const [first, ...others] = right as readonly (Hidden | undefined)[];
    const left = result.pop();
    if (left === undefined) return;
    if (first === undefined) {
      result.push(left);
      return;
    }
    const text = left.text + first.text;
    const pasted = tokenize(text, 'preprocessor');
    if (pasted.length !== 2) fail(`the macro ${macro.name} makes '${text}', which is no token`, at);
    const hidden = new Set([...left.hidden].filter((name) => first.hidden.has(name)));
    result.push({ ...pasted[0], hidden, spaced: left.spaced });
    for (const token of others) if (token !== undefined) result.push(token);
  }

  /** C23: __VA_OPT__(tokens) is there when `...` is. */
  private withOptional(body: readonly Hidden[], given: ReadonlyMap<string, readonly Hidden[]>): readonly Hidden[] {
    if (!body.some(({ text }) => text === '__VA_OPT__')) return body;
    const isThere = (given.get('__VA_ARGS__') ?? []).length > 0;
    const result: Hidden[] = [];
    for (let i = 0; i < body.length; i++) {
      if (body[i].text !== '__VA_OPT__' || body.at(i + 1)?.text !== '(') {
        result.push(body[i]);
        continue;
      }
      let depth = 0;
      for (i++; i < body.length; i++) {
        if (body[i].text === '(' && depth++ === 0) continue;
        if (body[i].text === ')' && --depth === 0) break;
        if (isThere) result.push(body[i]);
      }
    }
    return result;
  }
}

function isIdentifier({ kind }: Token): boolean {
  return kind === 'name' || kind === 'keyword';
}

/** 6.10.3 paragraph 11: commas in parentheses do not separate. */
function takeArguments(macro: Macro, at: Span, rest: Hidden[]): { list: Hidden[][]; close: Hidden } {
  rest.pop();
  const list: Hidden[][] = [[]];
  let depth = 0;
  for (let token = rest.pop(); token !== undefined; token = rest.pop()) {
    const isPunctuator = token.kind === 'punctuator';
    if (isPunctuator && token.text === ')' && depth === 0) return { list, close: token };
    if (isPunctuator && token.text === '(') depth++;
    if (isPunctuator && token.text === ')') depth--;
    if (isPunctuator && token.text === ',' && depth === 0) list.push([]);
    else list[list.length - 1].push(token);
  }
  return fail(`the arguments of the macro ${macro.name} do not end`, at);
}

const variadicName = (parameter: string): string => (parameter === '...' ? '__VA_ARGS__' : parameter.slice(0, -3));

function isVariadic({ parameters = [] }: Macro, name: string): boolean {
  const last = parameters.at(-1);
  return last?.endsWith('...') === true && variadicName(last) === name;
}

function argumentsByName(macro: Macro, list: readonly Hidden[][], at: Span): Map<string, readonly Hidden[]> {
  const { parameters = [], name } = macro;
  const isOpen = parameters.at(-1)?.endsWith('...') === true;
  const named = isOpen ? parameters.slice(0, -1) : parameters;
  const given = list.length === 1 && list[0].length === 0 && parameters.length === 0 ? [] : list;
  if (given.length < named.length || (!isOpen && given.length > named.length)) {
    return fail(
      `the macro ${name} takes ${named.length === 1 ? '1 argument' : `${named.length} arguments`}, not ${given.length}`,
      at,
    );
  }
  const byName = new Map<string, readonly Hidden[]>(named.map((parameter, i) => [parameter, given[i]]));
  if (!isOpen) return byName;
  const others = given.slice(named.length);
  const joined = others.flatMap((tokens, i) => (i === 0 ? tokens : [comma, ...tokens]));
  return byName.set(variadicName(parameters[parameters.length - 1]), joined);
}

const comma: Hidden = { kind: 'punctuator', text: ',', offset: 0, length: 0, hidden: none, spaced: false };

/** 6.10.3.2 */
function stringOf(tokens: readonly Hidden[], at: Hidden): Hidden {
  const spelled = tokens.map(({ kind, text, spaced }, i) => {
    const isText = kind === 'string' || kind === 'character';
    const quoted = isText ? text.replace(/[\\"]/g, '\\$&') : text;
    return spaced && i > 0 ? ` ${quoted}` : quoted;
  });
  return { ...at, kind: 'string', text: `"${spelled.join('')}"` };
}
