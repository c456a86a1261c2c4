/**
 * What a user types for a new value, as C. A client puts the shown value into its edit box, so what is shown can be given back: `0x20000010 <head>
 * "text"`, `65 'A'`, `{x = 1, y = 2}`, `inf`, `(READ | unknown: 0x40)`.
 */
import { Encoding } from '../lib/dwarf/constants';
import { stripType, type Type } from '../lib/dwarf/model';

const string = String.raw`(?:u8|u|U|L)?"(?:[^"\\]|\\.)*"`;
const character = String.raw`(?:u8|u|U|L)?'(?:[^'\\]|\\.)+'`;
/** The number of a pointer with its symbol and text, or of a character; what follows must end the value. */
const noted = new RegExp(
  String.raw`(0x[0-9a-f]+)(?= [<"])(?: <[^<>]*>)?(?: ${string})?(?=\s*(?:[,})]|$))|(-?\b\d+) ${character}(?=\s*(?:[,})]|$))`,
  'g',
);
/** A string or a character, which is left alone, or a member's name that is no designator yet. */
const member = new RegExp(String.raw`${string}|${character}|([{,]\s*)([A-Za-z_]\w*)(?=\s*=(?!=))`, 'g');
const unknownFlags = /\bunknown: (?=0x[0-9a-f]+\)\s*$)/;
const special = /^\s*([-+]?)(inf|infinity|nan)(?:\(0x[0-9a-f]+\))?\s*$/i;
/** Constants of C have no infinity, but larger ones than any number that a double has. */
const infinity = '1e999';

/** `isKnown`: the program has something of that name, which is meant then. */
export function asTyped(text: string, type: Type, isKnown: (name: string) => boolean): string {
  const number = special.exec(text);
  if (number !== null && isFloating(type) && !isKnown(number[2])) {
    return `${number[1]}${/nan/i.test(number[2]) ? `(${infinity} - ${infinity})` : infinity}`;
  }
  // For C it is the integer 0.
  if (text.trim() === '-0' && isFloating(type)) return '-0.0';
  if (text.trim() === 'NULL' && stripType(type).kind === 'pointer' && !isKnown('NULL')) return '0';
  const plain = text.replace(noted, '$1$2').replace(unknownFlags, '');
  if (!/^\s*\{/.test(plain)) return plain;
  return plain.replace(member, (found, before: string | undefined, name: string) =>
    before === undefined ? found : `${before}.${name}`,
  );
}

/** A register's bits, with what is shown beside them: a symbol, flags, or the number of floating point that they are. */
const register =
  /^\s*(0x[0-9a-f]+) (?:<[^<>]*>|\[[^\]]*\]|-?(?:[\d.]+(?:e[-+]?\d+)?|Infinity|NaN)(?: \(single\))?)\s*$/;

export function asRegister(text: string): string {
  return register.exec(text)?.[1] ?? text;
}

function isFloating(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.encoding === Encoding.DW_ATE_float;
}
