/**
 * An encoding as the manuals draw it, top bit first: digits are fixed bits, `Rd:3` is a field of three bits, `S` one of
 * one bit, `(0)` and `(1)` are should-be bits, `x:4` bits that do not matter, `|` separates halfwords.
 */
export type Fields = Readonly<Record<string, number>>;

export interface Diagram {
  readonly length: 16 | 32;
  /** Fixed bits and their values, as unsigned numbers. */
  readonly mask: number;
  readonly value: number;
  readonly fixedBits: number;
  readonly shouldBeMask: number;
  readonly shouldBe: number;
  readonly fields: readonly { readonly name: string; readonly shift: number; readonly width: number }[];
}

/** Reads a row's diagram. Throws RangeError when it has not 16 or 32 bits. */
export function parseDiagram(bits: string): Diagram {
  const width = (token: string) =>
    /^[01]+$/.test(token) ? token.length : /^\(/.test(token) ? token.length - 2 : Number(token.split(':')[1] ?? 1);
  const tokens = bits.split(' ').filter((token) => token !== '|');
  const length = tokens.reduce((sum, token) => sum + width(token), 0);
  if (length !== 16 && length !== 32) throw new RangeError(`'${bits}' has ${length} bits`);
  const result = { mask: 0, value: 0, fixedBits: 0, shouldBeMask: 0, shouldBe: 0 };
  const fields: { name: string; shift: number; width: number }[] = [];
  let shift: number = length;
  for (const token of tokens) {
    const size = width(token);
    shift -= size;
    const ones = (2 ** size - 1) * 2 ** shift;
    if (/^[01]+$/.test(token)) {
      result.mask += ones;
      result.value += parseInt(token, 2) * 2 ** shift;
      result.fixedBits += size;
    } else if (token.startsWith('(')) {
      result.shouldBeMask += ones;
      result.shouldBe += parseInt(token.slice(1, -1), 2) * 2 ** shift;
    } else {
      const [name] = token.split(':');
      if (name !== 'x') fields.push({ name, shift, width: size });
    }
  }
  return { length, ...result, fields };
}

export function fieldsOf(diagram: Diagram, word: number): Fields {
  const fields: Record<string, number> = {};
  for (const { name, shift, width } of diagram.fields) fields[name] = (word >>> shift) & (2 ** width - 1);
  return fields;
}
