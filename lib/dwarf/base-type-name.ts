/**
 * C has many spellings of one integer type; GCC writes `long long unsigned int`, clang `unsigned long long`, a user
 * whatever he likes. This gives the one that gdb shows: sign, length, and `int` only where nothing else is left.
 */
const words = new Set(['signed', 'unsigned', 'short', 'long', 'int', 'char']);

export function canonicalBaseName(name: string): string {
  const parts = name.split(/\s+/);
  if (!parts.every((part) => words.has(part))) return name;
  const count = (word: string): number => parts.filter((part) => part === word).length;
  const spelled: string[] = [];
  if (count('unsigned') > 0) spelled.push('unsigned');
  else if (count('signed') > 0 && count('char') > 0) spelled.push('signed');
  if (count('char') > 0) spelled.push('char');
  else if (count('short') > 0) spelled.push('short');
  else if (count('long') > 0) spelled.push(...Array<string>(count('long')).fill('long'));
  else spelled.push('int');
  return spelled.join(' ');
}

/** The same inside of the name of a template or a conversion: `Array<short int, 3>` is `Array<short, 3>` as gdb writes it. */
export function canonicalTypeText(text: string): string {
  if (!text.includes('<') && !text.includes('operator ')) return text;
  return text
    .replace(
      /\b(?:signed|unsigned|short|long|int|char)(?: (?:signed|unsigned|short|long|int|char))+\b/g,
      canonicalBaseName,
    )
    .replace(/\s*,\s*/g, ', ')
    .replace(/<\s+/g, '<')
    .replace(/\s+>/g, (space, at: number) => (text.startsWith('operator', at - 8) ? space : '>'))
    .replace(/(?<!operator)>(?=>)/g, '> ')
    .replace(/\b(\d+)[uUlL]+\b/g, (number) => number.toLowerCase());
}

/** What all spellings of a name have in common: `Box<Box<int> >` and `Box<Box<int>>`, `Ring<int, 3u>` and `Ring<int, 3>`. */
export function templateKey(name: string): string {
  return canonicalTypeText(name)
    .replace(/> (?=>)/g, '>')
    .replace(/\b(\d+)[ul]+\b/g, '$1');
}

/**
 * `largest` of `largest<int>`, `operator<` of `operator< <int>` and of clang's `operator<<int>`; undefined: no instance of a template. The
 * arguments are what the last bracket closes.
 */
export function templateBase(name: string): string | undefined {
  if (!name.endsWith('>')) return undefined;
  let depth = 0;
  for (let at = name.length - 1; at >= 0; at--) {
    if (name[at] === '>') depth++;
    else if (name[at] === '<' && --depth === 0) {
      const base = name.slice(0, at).trimEnd();
      // `operator<=>` is none.
      return base === '' || base === 'operator' ? undefined : base;
    }
  }
  return undefined;
}
