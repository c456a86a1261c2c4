/**
 * From text to something that can be evaluated again and again: parse and check once, then evaluate in any frame at
 * the same pc. A condition in a hot loop costs one walk over a small tree.
 */
import type { Value } from '../dwarf/value';
import type { TargetWrite } from '../dwarf/value-bits';
import { isScalar } from '../dwarf/value-types';
import type { Query } from '../query';
import { Checker, type CheckOptions } from './check';
import { fail } from './errors';
import { Evaluation, type EvaluationContext } from './evaluate';
import { parseExpression, parseTypeName } from './parser';
import type { ExpressionScope } from './scope';
import type { Expression } from './syntax';
import type { Type } from '../dwarf/model';
import type { TypedNode } from './typed';

/** A checked expression. Plain data. */
export interface CompiledExpression {
  readonly text: string;
  readonly node: TypedNode;
  readonly hasSideEffects: boolean;
}

export interface EvaluationResult {
  readonly value: Value;
  /** What assignments want written, in order; the caller performs it. */
  readonly writes: readonly TargetWrite[];
}

const allowAll: CheckOptions = { sideEffects: 'allow' };

/** Throws ExpressionError for text that is no expression, for unknown names and for types that do not fit. */
export function compileExpression(
  expression: string | Expression,
  scope: ExpressionScope,
  options: CheckOptions = allowAll,
): CompiledExpression {
  const syntax = typeof expression === 'string' ? parseExpression(expression, scope) : expression;
  const checker = new Checker(scope, options);
  const node = checker.check(syntax);
  const text = typeof expression === 'string' ? expression : '';
  return { text, node, hasSideEffects: checker.hasSideEffects };
}

/** A condition: an expression whose value is a number, without side effects. */
export function compileCondition(text: string, scope: ExpressionScope): CompiledExpression {
  const syntax = parseExpression(text, scope);
  const checker = new Checker(scope, { sideEffects: 'forbid' });
  const node = checker.scalar(checker.check(syntax));
  if (!isScalar(node.type)) return fail('a condition must be a number', node);
  return { text, node, hasSideEffects: false };
}

/** The type that a type name means in a scope. */
export function compileTypeName(text: string, scope: ExpressionScope): Type {
  return new Checker(scope, allowAll).resolve(parseTypeName(text, scope));
}

/** Throws ExpressionError where the value can't be computed: unreadable memory, optimized out, not evaluated yet. */
export function* evaluateExpression(compiled: CompiledExpression, context: EvaluationContext): Query<EvaluationResult> {
  const evaluation = new Evaluation(context);
  const query = evaluation.value(compiled.node);
  const value = compiled.hasSideEffects ? yield* withWrites(query, evaluation) : yield* query;
  return { value, writes: evaluation.writes };
}

/** Whether a condition holds. */
export function* evaluateCondition(compiled: CompiledExpression, context: EvaluationContext): Query<boolean> {
  const value = yield* new Evaluation(context).number(compiled.node);
  return value !== 0n && value !== 0;
}

/** Lets later reads see the writes that the evaluation has collected. */
function* withWrites<T>(query: Query<T>, evaluation: Evaluation): Query<T> {
  let step = query.next();
  while (!step.done) {
    const reply = yield step.value;
    step = query.next(evaluation.patch(step.value, reply));
  }
  return step.value;
}
