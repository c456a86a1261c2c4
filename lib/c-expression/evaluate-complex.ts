/** Evaluation of complex numbers (C11 annex G): pairs of real and imaginary part, each rounded to its type. */
import { type Value, readComplex, valueAt } from '../dwarf/value';
import { encodeFloat } from '../dwarf/value-float';
import { isUnavailable } from '../dwarf/value-bits';
import { isComplex } from '../dwarf/value-types';
import { fail, failUnavailable } from './errors';
import type { Evaluation } from './evaluate';
import type { ExpressionQuery } from './requests';
import type { TypedNode } from './typed';

export type Complex = readonly [real: number, imaginary: number];

export function* evaluateComplex(node: TypedNode, evaluation: Evaluation): ExpressionQuery<Complex> {
  const round = rounding(node);
  switch (node.kind) {
    case 'complex-convert': {
      const { operand } = node;
      if (isComplexNode(operand)) {
        const [real, imaginary] = yield* evaluateComplex(operand, evaluation);
        return [round(real), round(imaginary)];
      }
      return [round(Number(yield* evaluation.number(operand))), 0];
    }
    case 'complex-negate':
    case 'complex-conjugate': {
      const [real, imaginary] = yield* evaluateComplex(node.operand, evaluation);
      return [node.kind === 'complex-negate' ? -real : real, -imaginary];
    }
    case 'complex-arithmetic': {
      const left = yield* evaluateComplex(node.left, evaluation);
      return compute(node.operator, left, yield* evaluateComplex(node.right, evaluation), round);
    }
    default: {
      const value = node.kind === 'current' ? evaluation.currentObject : yield* evaluation.value(node);
      const parts = yield* readComplex(value ?? fail('this cannot be evaluated', node));
      return isUnavailable(parts) ? failUnavailable(parts, node) : parts;
    }
  }
}

export function* evaluateComplexValue(node: TypedNode, evaluation: Evaluation): ExpressionQuery<Value> {
  const parts = yield* evaluateComplex(node, evaluation);
  const half = (node.type.byteSize ?? 16) / 2;
  const bytes = new Uint8Array(2 * half);
  parts.forEach((part, i) => bytes.set(encodeFloat(part, half, evaluation.littleEndian), i * half));
  return valueAt(node.type, { kind: 'bytes', bytes }, evaluation.context.frame);
}

/** Nodes that compute a complex number rather than denote or pass on an object. */
export function computesComplex(node: TypedNode): boolean {
  return node.kind.startsWith('complex-') && node.kind !== 'complex-compare';
}

function isComplexNode(node: TypedNode): boolean {
  return isComplex(node.type);
}

function rounding({ type }: TypedNode): (value: number) => number {
  return type.byteSize === 8 ? Math.fround : (value) => value;
}

function compute(
  operator: '+' | '-' | '*' | '/',
  [a, b]: Complex,
  [c, d]: Complex,
  round: (value: number) => number,
): Complex {
  switch (operator) {
    case '+':
      return [round(a + c), round(b + d)];
    case '-':
      return [round(a - c), round(b - d)];
    case '*':
      return [round(round(a * c) - round(b * d)), round(round(a * d) + round(b * c))];
    case '/': {
      const [real, imaginary] = divide([a, b], [c, d]);
      return [round(real), round(imaginary)];
    }
  }
}

/** Smith's way, as the compiler's helpers do it: no product overflows that the quotient would not. */
function divide([a, b]: Complex, [c, d]: Complex): Complex {
  if (Math.abs(c) < Math.abs(d)) {
    const ratio = c / d;
    const denominator = c * ratio + d;
    return [(a * ratio + b) / denominator, (b * ratio - a) / denominator];
  }
  const ratio = d / c;
  const denominator = d * ratio + c;
  return [(b * ratio + a) / denominator, (b - a * ratio) / denominator];
}
