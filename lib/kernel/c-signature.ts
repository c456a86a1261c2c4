/**
 * Reads the C prototypes of the export table: the name, and for each parameter its name and how the procedure call
 * standard passes it. One prototype thus serves the argument passing, the call log, fault messages and hovers.
 * Only the small part of C that the table uses is understood: no arrays, no function pointers in parameters.
 */

/** What a procedure call standard distinguishes; `long`, `ulong` and pointers have 32 or 64 bits. */
export type ValueClass = 'void' | 'i32' | 'u32' | 'long' | 'ulong' | 'pointer' | 'i64' | 'u64' | 'f32' | 'f64';

export interface Parameter {
  readonly name: string;
  /** As it is written. */
  readonly type: string;
  readonly valueClass: ValueClass;
}

export interface Signature {
  readonly name: string;
  /** As it is written. */
  readonly returnType: string;
  readonly returns: ValueClass;
  readonly parameters: readonly Parameter[];
  readonly variadic: boolean;
}

const unsignedTypes = new Set(['uint32_t', 'uint16_t', 'uint8_t', 'unsigned']);
/** As wide as a pointer. */
const unsignedLongTypes = new Set(['size_t', 'uintptr_t']);

function classOf(type: string): ValueClass {
  if (type.includes('*') || /\bva_list\b/.test(type)) return 'pointer';
  const words = type.split(/\s+/).filter((word) => word !== 'const' && word !== '');
  const last = words[words.length - 1];
  if (last === 'void') return 'void';
  if (last === 'float') return 'f32';
  if (last === 'double') return 'f64';
  if (last === 'uint64_t' || (words.includes('unsigned') && type.includes('long long'))) return 'u64';
  if (last === 'int64_t' || last === 'k_timeout_t' || type.includes('long long')) return 'i64';
  if (unsignedLongTypes.has(last)) return 'ulong';
  if (last === 'long') return words.includes('unsigned') ? 'ulong' : 'long';
  return words.some((word) => unsignedTypes.has(word)) ? 'u32' : 'i32';
}

export function parseSignature(text: string): Signature {
  const match = /^(.*?)(\w+)\((.*)\)$/.exec(text);
  if (match === null) throw new SyntaxError(`not a prototype: ${text}`);
  const [, written, name, list] = match;
  const returnType = written.trim();
  const entries = list === 'void' || list === '' ? [] : list.split(',').map((entry) => entry.trim());
  const parameters = entries.filter((entry) => entry !== '...').map(parseParameter);
  return { name, returnType, returns: classOf(returnType), parameters, variadic: entries.includes('...') };
}

function parseParameter(entry: string): Parameter {
  const match = /^(.*?)(\w+)$/.exec(entry);
  if (match === null || match[1].trim() === '') throw new SyntaxError(`a parameter needs a name: ${entry}`);
  const type = match[1].trim();
  return { name: match[2], type, valueClass: classOf(type) };
}
