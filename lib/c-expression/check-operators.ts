/**
 * Typing of C's binary, unary and conditional operators (C11 6.5.3.3, 6.5.5 to 6.5.15), pointer arithmetic and gdb's
 * `a@n` included.
 */
import { type BaseType, stripType, type Type } from '../dwarf/model';
import {
  arrayOf,
  type BasicTypes,
  isBoolean,
  isComplex,
  isFloating,
  isInteger,
  isPointer,
  isScalar,
  isSigned,
  pointerTo,
  voidType,
} from '../dwarf/value-types';
import { arithmetic, commonType, convertNumber, isArithmetic, promoted } from './arithmetic';
import { commonComplex, complexArithmetic, complexComparison, complexUnary, toComplex } from './check-complex';
import { fail, type Span } from './errors';
import { checkMemberPointer, compareMemberPointers, isMemberPointer } from './member-pointers';
import type { ExpressionScope } from './scope';
import type { ArithmeticOperator, ComparisonOperator, Expression } from './syntax';
import { isPlace, type TypedNode } from './typed';
import { hasVariableSize } from './variable-arrays';

/** What the operators need of the checker. */
export interface OperandChecker {
  readonly types: BasicTypes;
  readonly scope: ExpressionScope;
  /** Of comparisons and of `!`, `&&`, `||`: int, in C++ bool. */
  readonly truthType: BaseType;
  check(expression: Expression): TypedNode;
  /** The call of a function that a class has for an operator; undefined: no operand is an object of a class of C++. */
  classOperator(operator: string, operands: readonly TypedNode[], span: Span): TypedNode | undefined;
  /** Decays arrays and functions; fails for what is no number. */
  scalar(node: TypedNode): TypedNode;
  /** The same, but complex numbers stay. */
  operand(node: TypedNode): TypedNode;
  truth(node: TypedNode): TypedNode;
  decay(node: TypedNode): TypedNode;
  convert(node: TypedNode, type: Type): TypedNode;
}

type Binary = Extract<Expression, { kind: 'binary' }>;
type Conditional = Extract<Expression, { kind: 'conditional' }>;

export function checkBinary({ operator, left, right }: Binary, span: Span, checker: OperandChecker): TypedNode {
  const [first, second] = [checker.check(left), checker.check(right)];
  switch (operator) {
    case ',':
      return { kind: 'comma', type: second.type, left: first, right: second, ...span };
    case '.*':
    case '->*':
      return checkMemberPointer(first, second, span, checker);
    case '@':
      return checkRepeat(first, checker.scalar(second), span);
    case '&&':
    case '||': {
      const kind = operator === '&&' ? 'and' : 'or';
      const operands = { left: checker.truth(first), right: checker.truth(second) };
      return { kind, type: checker.truthType, ...operands, ...span };
    }
    default:
  }
  const overloaded = checker.classOperator(operator, [first, second], span);
  if (overloaded !== undefined) return overloaded;
  switch (operator) {
    case '==':
    case '!=':
      if (isMemberPointer(first) || isMemberPointer(second)) {
        return compareMemberPointers(operator, first, second, span, checker);
      }
      return checkComparison(operator, checker.operand(first), checker.operand(second), span, checker);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return checkComparison(operator, checker.operand(first), checker.operand(second), span, checker);
    default:
      return compoundArithmetic(operator, checker.operand(first), checker.operand(second), span, checker);
  }
}

/** The arithmetic of `a op b`, and of `a op= b` with what `a` held. */
export function compoundArithmetic(
  operator: ArithmeticOperator,
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  if (isComplex(left.type) || isComplex(right.type)) return complexArithmetic(operator, left, right, span, checker);
  if (isPointer(left.type) || isPointer(right.type))
    return checkPointerArithmetic(operator, left, right, span, checker);
  if (!isArithmetic(left.type) || !isArithmetic(right.type)) return fail('the operands are no numbers', span);
  const isShift = operator === '<<' || operator === '>>';
  const needsIntegers = isShift || operator === '%' || operator === '&' || operator === '|' || operator === '^';
  if (needsIntegers && (isFloating(left.type) || isFloating(right.type))) {
    return fail(`'${operator}' needs integers`, span);
  }
  const leftType = promoted(left.type, checker.types, left.bitSize);
  const rightType = promoted(right.type, checker.types, right.bitSize);
  const type = isShift ? leftType : commonType(leftType, rightType, checker.types);
  const operands = { left: operand(left, type, checker), right: operand(right, isShift ? rightType : type, checker) };
  return folded({ kind: 'arithmetic', type, operator, ...operands, computed: type, ...span });
}

/** An operand in the type that is computed in; one whose numbers are the same already stays as it is. */
function operand(node: TypedNode, type: BaseType, checker: OperandChecker): TypedNode {
  const own = stripType(node.type);
  const isSame =
    own.kind === 'base' &&
    own.byteSize === type.byteSize &&
    isInteger(own) &&
    isInteger(type) &&
    isSigned(own) === isSigned(type) &&
    !isBoolean(own);
  return isSame ? node : checker.convert(node, type);
}

/** Operations on constants are done once, here. */
function folded(node: Extract<TypedNode, { kind: 'arithmetic' }>): TypedNode {
  const [left, right] = [constantValue(node.left), constantValue(node.right)];
  if (left === undefined || right === undefined) return node;
  const value = arithmetic(node.operator, left, right, node.computed);
  // A division by zero is only wrong where it is evaluated.
  if (value === undefined) return node;
  return { kind: 'constant', type: node.type, value, offset: node.offset, length: node.length };
}

function constantValue(node: TypedNode): bigint | number | undefined {
  if (node.kind === 'constant') return node.value;
  if (node.kind !== 'convert' || node.operand.kind !== 'constant') return undefined;
  return convertNumber(node.operand.value, node.type);
}

/** 6.5.6: pointer ± integer, pointer - pointer. */
function checkPointerArithmetic(
  operator: ArithmeticOperator,
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  const [leftPointer, rightPointer] = [isPointer(left.type), isPointer(right.type)];
  if (operator === '+' && leftPointer && isInteger(right.type)) return pointerAdd(left, right, '+', span, checker);
  if (operator === '+' && rightPointer && isInteger(left.type)) return pointerAdd(right, left, '+', span, checker);
  if (operator === '-' && leftPointer && isInteger(right.type)) return pointerAdd(left, right, '-', span, checker);
  if (operator === '-' && leftPointer && rightPointer) {
    const scale = elementSize(left, span);
    if (scale !== elementSize(right, span)) return fail('the pointers point to different types', span);
    const type = checker.scope.machine.addressSize === 4 ? checker.types.int : checker.types.long;
    return { kind: 'pointer-difference', type, left, right, scale, ...span };
  }
  // Masking an address is common in a debugger: the pointer counts as the number that it is.
  const number: Type =
    checker.scope.machine.addressSize === 4 ? checker.types['unsigned int'] : checker.types['unsigned long'];
  const asNumber = (node: TypedNode): TypedNode => (isPointer(node.type) ? checker.convert(node, number) : node);
  if (['&', '|', '^', '%', '>>'].includes(operator)) {
    return compoundArithmetic(operator, asNumber(left), asNumber(right), span, checker);
  }
  return fail(`'${operator}' is not defined for pointers`, span);
}

export function pointerAdd(
  pointer: TypedNode,
  index: TypedNode,
  operator: '+' | '-',
  span: Span,
  checker: OperandChecker,
): TypedNode {
  const scale = elementSize(pointer, span);
  const type = stripType(pointer.type).kind === 'pointer' ? pointer.type : pointerTo(voidType, 4);
  return {
    kind: 'pointer-add',
    type,
    pointer,
    index: checker.decay(index),
    scale,
    subtract: operator === '-',
    ...span,
  };
}

/** undefined: a variable-length array is pointed to. */
function elementSize(pointer: TypedNode, span: Span): bigint | undefined {
  const type = stripType(pointer.type);
  const target = type.kind === 'pointer' ? stripType(type.target) : type;
  // GNU C counts void and functions as bytes.
  if (target.kind === 'void' || target.kind === 'function') return 1n;
  if (hasVariableSize(target)) return undefined;
  if (target.byteSize === undefined || target.byteSize === 0) {
    return fail(`the size of ${target.displayName} is not known`, span);
  }
  return BigInt(target.byteSize);
}

/** 6.5.8, 6.5.9; pointers compare as addresses. */
function checkComparison(
  operator: ComparisonOperator,
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  if (isComplex(left.type) || isComplex(right.type)) return complexComparison(operator, left, right, span, checker);
  const type = comparedType(left, right, checker);
  const operands = { left: operand(left, type, checker), right: operand(right, type, checker) };
  return { kind: 'compare', type: checker.truthType, operator, ...operands, ...span };
}

function comparedType(left: TypedNode, right: TypedNode, checker: OperandChecker): BaseType {
  if (isPointer(left.type) || isPointer(right.type)) {
    return checker.scope.machine.addressSize === 4 ? checker.types['unsigned int'] : checker.types['unsigned long'];
  }
  const leftType = promoted(left.type, checker.types, left.bitSize);
  return commonType(leftType, promoted(right.type, checker.types, right.bitSize), checker.types);
}

export function checkUnaryArithmetic(
  operator: '+' | '-' | '~',
  operand: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  if (isComplex(operand.type)) return complexUnary(operator, operand, span);
  if (!isArithmetic(operand.type)) return fail(`'${operator}' needs a number`, operand);
  if (operator === '~' && isFloating(operand.type)) return fail("'~' needs an integer", operand);
  const type = promoted(operand.type, checker.types, operand.bitSize);
  const converted = checker.convert(operand, type);
  if (operator === '+') return { ...converted, ...span };
  const value = constantValue(converted);
  if (value !== undefined) {
    const result = operator === '-' ? -value : ~BigInt(value);
    return { kind: 'constant', type, value: convertNumber(result, type), ...span };
  }
  return { kind: operator === '-' ? 'negate' : 'complement', type, operand: converted, ...span };
}

/** 6.5.15 */
export function checkConditional(
  { condition, then, otherwise }: Conditional,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  const tested = checker.check(condition);
  const test = checker.truth(tested);
  const first = checker.decay(then ? checker.check(then) : isComplex(tested.type) ? tested : test);
  const second = checker.decay(checker.check(otherwise));
  const type = conditionalType(first, second, span, checker);
  // Structures are chosen as they are; numbers in their common type.
  const fit = (node: TypedNode): TypedNode =>
    isComplex(type) ? toComplex(node, type, checker) : isScalar(type) ? checker.convert(node, type) : node;
  const chosen = then !== undefined || isComplex(type) ? fit(first) : undefined;
  return { kind: 'conditional', type, condition: test, then: chosen, otherwise: fit(second), ...span };
}

function conditionalType(first: TypedNode, second: TypedNode, span: Span, checker: OperandChecker): Type {
  if (isComplex(first.type) || isComplex(second.type)) return commonComplex(first, second, checker);
  if (isArithmetic(first.type) && isArithmetic(second.type)) {
    const left = promoted(first.type, checker.types, first.bitSize);
    return commonType(left, promoted(second.type, checker.types, second.bitSize), checker.types);
  }
  // A null pointer takes the other's type; else void * is what both have in common.
  if (isPointer(first.type) && isPointer(second.type)) {
    const isFirst = isNullPointer(second) || (isVoidPointer(first.type) && !isNullPointer(first));
    return isFirst || !isVoidPointer(second.type) ? (isNullPointer(first) ? second.type : first.type) : second.type;
  }
  if (isPointer(second.type)) return second.type;
  if (isPointer(first.type)) return first.type;
  const [left, right] = [stripType(first.type), stripType(second.type)];
  if (left.kind === 'void' || right.kind === 'void') return voidType;
  if (left.displayName === right.displayName) return first.type;
  return fail('the two results have types that do not go together', span);
}

/** 6.3.2.3 paragraph 3: 0, or 0 as a void *. */
function isNullPointer(node: TypedNode): boolean {
  if (node.kind === 'convert') return isVoidPointer(node.type) && isNullPointer(node.operand);
  return node.kind === 'constant' && node.value === 0n;
}

function isVoidPointer(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'pointer' && stripType(stripped.target).kind === 'void';
}

/** gdb's `first@count`: an array of what lies behind each other in memory. */
function checkRepeat(first: TypedNode, count: TypedNode, span: Span): TypedNode {
  if (!isPlace(first)) return fail("Only values in memory can be extended with '@'.", first);
  if (!isInteger(count.type)) return fail("the count after '@' must be an integer", count);
  const known = count.kind === 'constant' && typeof count.value === 'bigint' ? Number(count.value) : undefined;
  if (known !== undefined && known <= 0) return fail(`Invalid number ${known} of repetitions.`, count);
  return { kind: 'repeat', type: arrayOf(first.type, known), first, count, ...span };
}
