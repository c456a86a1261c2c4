/** Constants and strings (C11 6.4.4, 6.4.5) with the types that C, or C++, gives them. */
import { encodeInteger } from '../bytes';
import { Encoding } from '../dwarf/constants';
import type { BaseType } from '../dwarf/model';
import { arrayOf, baseType, type BasicTypes } from '../dwarf/value-types';
import { complexOf } from './check-complex';
import type { Span } from './errors';
import type { FloatLiteral, IntegerLiteral, TextLiteral } from './literal';
import type { ExpressionScope } from './scope';
import type { TypedNode } from './typed';

/** The first candidate type that holds the value (6.4.4.1 paragraph 5). */
export function integerConstant({ value, candidates }: IntegerLiteral, span: Span, types: BasicTypes): TypedNode {
  for (const name of candidates) {
    const type = types[name];
    const bits = (type.byteSize ?? 4) * 8;
    const fits = type.encoding === Encoding.DW_ATE_signed ? value < 1n << BigInt(bits - 1) : value < 1n << BigInt(bits);
    if (fits) return { kind: 'constant', type, value, ...span };
  }
  // Decimal constants beyond long long: GCC's choice.
  return { kind: 'constant', type: types['unsigned long long'], value, ...span };
}

export function imaginaryConstant(literal: FloatLiteral | IntegerLiteral, span: Span, types: BasicTypes): TypedNode {
  const part = 'candidates' in literal ? types.double : types[literal.type];
  const number = { kind: 'constant', type: part, value: Number(literal.value), ...span } as const;
  const { byteSize: offset = 8 } = part;
  const parts = [{ offset, type: part, bitField: undefined, value: number, limit: undefined }];
  return { kind: 'literal', type: complexOf(part), parts, size: 2 * offset, ...span };
}

/** 6.4.4.4: an int, in C++ a char; the bytes of several characters make one number, as GCC has it. */
export function characterConstant({ units, prefix }: TextLiteral, span: Span, scope: ExpressionScope): TypedNode {
  const { types } = scope;
  if (prefix !== '' && prefix !== 'u8') {
    return { kind: 'constant', type: wideType(prefix, scope), value: BigInt(units[units.length - 1]), ...span };
  }
  const signed = types.char.encoding === Encoding.DW_ATE_signed_char;
  let value = 0n;
  for (const unit of units) value = BigInt.asIntN(32, (value << 8n) | BigInt(unit));
  if (units.length === 1 && signed) value = BigInt.asIntN(8, value);
  const type = units.length === 1 && scope.isCPlusPlus ? types.char : types.int;
  return { kind: 'constant', type, value, ...span };
}

/** In C unsigned numbers, in C++ types of their own (5.13.3). */
function wideType(prefix: string, { types, isCPlusPlus }: ExpressionScope): BaseType {
  const plain = prefix === 'u' ? types['unsigned short'] : types['unsigned int'];
  if (!isCPlusPlus) return plain;
  const name = { u: 'char16_t', U: 'char32_t' }[prefix] ?? 'wchar_t';
  return baseType(name, prefix === 'u' ? 2 : 4, Encoding.DW_ATE_UTF);
}

/** 6.4.5: an array with its terminating zero. It exists only in the expression, so it has no address. */
export function stringLiteral({ units, prefix }: TextLiteral, span: Span, scope: ExpressionScope): TypedNode {
  const size = prefix === 'u' ? 2 : prefix === 'U' || prefix === 'L' ? 4 : 1;
  const element = prefix === '' || prefix === 'u8' ? scope.types.char : wideType(prefix, scope);
  const bytes = new Uint8Array((units.length + 1) * size);
  units.forEach((unit, i) => {
    bytes.set(encodeInteger(BigInt(unit), size, scope.machine.littleEndian), i * size);
  });
  return { kind: 'bytes', type: arrayOf(element, units.length + 1), bytes, ...span };
}
