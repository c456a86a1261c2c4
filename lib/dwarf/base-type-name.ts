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
