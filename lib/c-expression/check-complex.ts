/**
 * Complex numbers (C11 6.2.5, 6.3.1.6 to 6.3.1.8, annex G): arithmetic in the wider of the two parts' types, conversions from and to real
 * numbers, GNU's __real__, __imag__ and ~ (the conjugate).
 */
import { Encoding } from '../dwarf/constants';
import { type BaseType, type Member, stripType, type Type } from '../dwarf/model';
import { baseType, isBoolean, isComplex, isFloating, isScalar } from '../dwarf/value-types';
import { commonType, promoted } from './arithmetic';
import type { OperandChecker } from './check-operators';
import { fail, type Span, spanOf } from './errors';
import type { ArithmeticOperator, ComparisonOperator } from './syntax';
import type { TypedNode } from './typed';

/** The type of the two parts. */
export function partType(complex: Type, { types }: Pick<OperandChecker, 'types'>): BaseType {
  const half = (stripType(complex).byteSize ?? 16) / 2;
  if (half === 4) return types.float;
  return /\blong\b/.test(stripType(complex).displayName) || half !== 8 ? types['long double'] : types.double;
}

export function complexOf(part: BaseType): BaseType {
  return baseType(`complex ${part.displayName}`, 2 * (part.byteSize ?? 8), Encoding.DW_ATE_complex_float);
}

/** 6.3.1.6, 6.3.1.7: a real number has the imaginary part 0. */
export function toComplex(node: TypedNode, type: Type, checker: OperandChecker): TypedNode {
  const span = { offset: node.offset, length: node.length };
  if (isComplex(node.type)) {
    return stripType(node.type).byteSize === type.byteSize
      ? node
      : { kind: 'complex-convert', type, operand: node, ...span };
  }
  return {
    kind: 'complex-convert',
    type,
    operand: checker.convert(checker.scalar(node), partType(type, checker)),
    ...span,
  };
}

/** A complex number as a real one: its real part; as a truth value whether it is not zero. */
export function toReal(node: TypedNode, type: Type, checker: OperandChecker): TypedNode {
  if (!isBoolean(type)) return checker.convert(complexPart(node, 0, node, checker), type);
  const zero: TypedNode = {
    kind: 'constant',
    type: checker.types.int,
    value: 0n,
    offset: node.offset,
    length: node.length,
  };
  return checker.convert(complexComparison('!=', node, zero, spanOf(node), checker), type);
}

/** The type that both operands get (6.3.1.8). */
export function commonComplex(left: TypedNode, right: TypedNode, checker: OperandChecker): BaseType {
  const real = ({ type }: TypedNode): BaseType =>
    isComplex(type) ? partType(type, checker) : promoted(type, checker.types);
  const common = commonType(real(left), real(right), checker.types);
  return complexOf(isFloating(common) ? common : checker.types.double);
}

export function complexArithmetic(
  operator: ArithmeticOperator,
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  if (operator !== '+' && operator !== '-' && operator !== '*' && operator !== '/') {
    return fail(`'${operator}' is not defined for complex numbers`, span);
  }
  for (const node of [left, right]) requireNumber(node, operator);
  const type = commonComplex(left, right, checker);
  const operands = { left: toComplex(left, type, checker), right: toComplex(right, type, checker) };
  return { kind: 'complex-arithmetic', type, operator, ...operands, ...span };
}

function requireNumber(node: TypedNode, operator: string): void {
  const isNumber = isComplex(node.type) || (isScalar(node.type) && stripType(node.type).kind !== 'pointer');
  if (!isNumber) fail(`'${operator}' needs a number`, node);
}

/** 6.5.9; there is no order. */
export function complexComparison(
  operator: ComparisonOperator,
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  if (operator !== '==' && operator !== '!=') return fail('complex numbers have no order', span);
  for (const node of [left, right]) requireNumber(node, operator);
  const type = commonComplex(left, right, checker);
  const operands = { left: toComplex(left, type, checker), right: toComplex(right, type, checker) };
  return { kind: 'complex-compare', type: checker.truthType, isEqual: operator === '==', ...operands, ...span };
}

export function complexUnary(operator: '+' | '-' | '~', operand: TypedNode, span: Span): TypedNode {
  if (operator === '+') return { kind: 'complex-convert', type: operand.type, operand, ...span };
  const kind = operator === '-' ? 'complex-negate' : 'complex-conjugate';
  return { kind, type: stripType(operand.type), operand, ...span };
}

/** Of an object that can be assigned to the parts can be, too. */
export function complexPart(operand: TypedNode, part: 0 | 1, span: Span, checker: OperandChecker): TypedNode {
  const place = { offset: span.offset, length: span.length };
  if (!isComplex(operand.type)) {
    const real = checker.scalar(operand);
    if (stripType(real.type).kind !== 'base') return fail('only a number has a real and an imaginary part', operand);
    return part === 0
      ? { ...real, ...place }
      : { kind: 'constant', type: real.type, value: isFloating(real.type) ? 0 : 0n, ...place };
  }
  const type = partType(operand.type, checker);
  const member: Member = {
    name: part === 0 ? '__real__' : '__imag__',
    type,
    byteOffset: part * (type.byteSize ?? 8),
    bitSize: undefined,
    bitOffset: undefined,
    declaration: undefined,
  };
  return { kind: 'member', type, base: operand, path: [member], ...place };
}
