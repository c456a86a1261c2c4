/**
 * Numbers of direct conditions (direct.ts): integers of up to 32 bits and floating point are JavaScript numbers, always in the
 * range of their C type; integers of 64 bits are bigints. What becomes of a value in another type is as in arithmetic.ts.
 */
import type { Type } from '../dwarf/model';
import { stripType } from '../dwarf/model';
import { isBoolean, isFloating, isScalar, isSigned } from '../dwarf/value-types';
import { arithmetic, convertNumber } from './arithmetic';
import type { ArithmeticOperator, ComparisonOperator } from './syntax';
import type { BaseType } from '../dwarf/model';

export type Computation =
  | { readonly wide: false; readonly run: () => number; readonly constant?: number }
  | { readonly wide: true; readonly run: () => bigint };

/** The expression is left to the evaluator. */
export class NotDirect extends Error {}

export function notDirect(): never {
  throw new NotDirect('not computed directly');
}

export interface Form {
  readonly kind: 'integer' | 'float' | 'boolean';
  readonly size: number;
  readonly signed: boolean;
}

/** Of a scalar type whose values are computed here. */
export function formOf(type: Type): Form {
  const size = type.byteSize ?? stripType(type).byteSize;
  if (!isScalar(type) || (size !== 1 && size !== 2 && size !== 4 && size !== 8)) return notDirect();
  if (isFloating(type)) return size >= 4 ? { kind: 'float', size, signed: true } : notDirect();
  return { kind: isBoolean(type) ? 'boolean' : 'integer', size, signed: isSigned(type) };
}

export const isWide = ({ kind, size }: Form): boolean => kind !== 'float' && size === 8;

/** The low bits of a number, in the range of the form. */
export function narrow({ size, signed }: Form): (value: number) => number {
  switch (size) {
    case 1:
      return signed ? (x) => (x << 24) >> 24 : (x) => x & 0xff;
    case 2:
      return signed ? (x) => (x << 16) >> 16 : (x) => x & 0xffff;
    default:
      return signed ? (x) => x | 0 : (x) => x >>> 0;
  }
}

const widen = ({ signed }: Form): ((value: bigint) => bigint) =>
  signed ? (x) => BigInt.asIntN(64, x) : (x) => BigInt.asUintN(64, x);

export function constantOf(value: bigint | number, type: Type): Computation {
  if (isWide(formOf(type))) {
    const whole = BigInt(value);
    return { wide: true, run: () => whole };
  }
  const constant = Number(value);
  return { wide: false, run: () => constant, constant };
}

const numberOf = (value: bigint | number): number => Number(value);

/** 6.3.1: a value of one type in another. */
export function converted(from: Computation, fromType: Type, toType: Type): Computation {
  const [source, target] = [formOf(fromType), formOf(toType)];
  if (!from.wide && from.constant !== undefined)
    return constantOf(convertNumber(exact(from.constant, source), toType), toType);
  if (target.kind === 'float') return toFloat(from, target.size);
  if (target.kind === 'boolean') return { wide: false, run: () => (truth(from)() ? 1 : 0) };
  if (source.kind === 'float') {
    const { run } = from;
    const result = (): bigint | number => convertNumber(run(), toType);
    return isWide(target)
      ? { wide: true, run: () => BigInt(result()) }
      : { wide: false, run: () => numberOf(result()) };
  }
  if (isWide(target)) return toWide(from, source, target);
  const cut = narrow(target);
  if (from.wide) {
    const { run } = from;
    return { wide: false, run: () => cut(Number(BigInt.asIntN(32, run()))) };
  }
  const isHeld =
    source.signed === target.signed ? source.size <= target.size : !source.signed && source.size < target.size;
  if (isHeld) return from;
  const { run } = from;
  return { wide: false, run: () => cut(run()) };
}

const exact = (constant: number, { kind }: Form): bigint | number => (kind === 'float' ? constant : BigInt(constant));

function toFloat(from: Computation, size: number): Computation {
  const { run } = from;
  if (size === 4) return { wide: false, run: () => Math.fround(Number(run())) };
  return from.wide ? { wide: false, run: () => Number(from.run()) } : from;
}

function toWide(from: Computation, source: Form, target: Form): Computation {
  const fit = widen(target);
  if (from.wide) {
    const { run } = from;
    return source.signed === target.signed ? from : { wide: true, run: () => fit(run()) };
  }
  const { run } = from;
  return { wide: true, run: () => fit(BigInt(run())) };
}

/** 6.8.4.1: unequal to 0; a NaN is true. */
export function truth(value: Computation): () => boolean {
  if (value.wide) {
    const { run } = value;
    return () => run() !== 0n;
  }
  const { run } = value;
  return () => run() !== 0;
}

export function compared(operator: ComparisonOperator, left: Computation, right: Computation): () => boolean {
  if (left.wide !== right.wide) return notDirect();
  if (!left.wide && !right.wide && right.constant !== undefined)
    return comparedWith(operator, left.run, right.constant);
  const [a, b] = [left.run, right.run];
  switch (operator) {
    case '<':
      return () => a() < b();
    case '>':
      return () => a() > b();
    case '<=':
      return () => a() <= b();
    case '>=':
      return () => a() >= b();
    case '==':
      return () => a() === b();
    case '!=':
      return () => a() !== b();
  }
}

/** The usual condition: a variable and a constant. */
function comparedWith(operator: ComparisonOperator, run: () => number, constant: number): () => boolean {
  switch (operator) {
    case '<':
      return () => run() < constant;
    case '>':
      return () => run() > constant;
    case '<=':
      return () => run() <= constant;
    case '>=':
      return () => run() >= constant;
    case '==':
      return () => run() === constant;
    case '!=':
      return () => run() !== constant;
  }
}

/** `fail` is called for a division by zero. */
export function computed(
  operator: ArithmeticOperator,
  left: Computation,
  right: Computation,
  type: BaseType,
  fail: () => void,
): Computation {
  const form = formOf(type);
  if (isWide(form)) {
    if (!left.wide) return notDirect();
    const [a, b] = [left.run, right.run];
    const run = (): bigint => {
      const result = arithmetic(operator, a(), BigInt(b()), type);
      if (result === undefined) fail();
      return BigInt(result ?? 0);
    };
    return { wide: true, run };
  }
  if (left.wide || right.wide) return notDirect();
  const [a, b] = [left.run, right.run];
  if (form.kind === 'float') return { wide: false, run: () => Number(arithmetic(operator, a(), b(), type)) };
  return { wide: false, run: narrowArithmetic(operator, a, b, form, fail) };
}

function narrowArithmetic(
  operator: ArithmeticOperator,
  a: () => number,
  b: () => number,
  form: Form,
  fail: () => void,
): () => number {
  const cut = narrow(form);
  const bits = form.size * 8;
  const divided = (divide: (x: number, y: number) => number) => (): number => {
    const [x, y] = [a(), b()];
    if (y !== 0) return cut(divide(x, y));
    fail();
    return 0;
  };
  switch (operator) {
    case '+':
      return () => cut(a() + b());
    case '-':
      return () => cut(a() - b());
    case '*':
      return () => cut(Math.imul(a(), b()));
    case '/':
      return divided((x, y) => Math.trunc(x / y));
    case '%':
      return divided((x, y) => x % y);
    case '&':
      return () => cut(a() & b());
    case '^':
      return () => cut(a() ^ b());
    case '|':
      return () => cut(a() | b());
    // A count that is negative or as wide as the type shifts all bits out, as in arithmetic.ts.
    case '<<':
      return () => shifted(a(), b(), bits, (x, count) => cut(x << count), 0);
    case '>>':
      return () => {
        const x = a();
        return shifted(
          x,
          b(),
          bits,
          (value, count) => cut(form.signed ? value >> count : value >>> count),
          x < 0 ? -1 : 0,
        );
      };
  }
}

function shifted(
  value: number,
  count: number,
  bits: number,
  shift: (value: number, count: number) => number,
  out: number,
): number {
  return count >= 0 && count < bits ? shift(value, count) : out;
}
