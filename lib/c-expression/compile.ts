/**
 * From text to something that can be evaluated again and again: parse and check once, then evaluate in any frame at
 * the same pc. A condition in a hot loop costs one walk over a small tree.
 */
import type { Value } from '../dwarf/value';
import type { TargetWrite } from '../dwarf/value-bits';
import { isScalar } from '../dwarf/value-types';
import type { Query } from '../query';
import { Checker, type CheckOptions } from './check';
import { checkLiteral } from './check-initializer';
import { fail } from './errors';
import { Evaluation, type EvaluationContext } from './evaluate';
import { parseExpression, parseInitializer, parseTypeName } from './parser';
import type { ExpressionQuery } from './requests';
import type { ExpressionScope } from './scope';
import type { Expression } from './syntax';
import type { Type } from '../dwarf/model';
import type { TypedNode } from './typed';

/** A checked expression. Plain data. */
export interface CompiledExpression {
  readonly text: string;
  readonly node: TypedNode;
  readonly hasSideEffects: boolean;
  /** It is evaluated by evaluateWithCalls. */
  readonly hasCalls: boolean;
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
  const node = options.references === 'shown' ? checker.production(syntax) : checker.check(syntax);
  const text = typeof expression === 'string' ? expression : '';
  return { text, node, hasSideEffects: checker.hasSideEffects, hasCalls: checker.hasCalls };
}

/** A condition: an expression whose value is a number, without side effects. */
export function compileCondition(text: string, scope: ExpressionScope): CompiledExpression {
  const syntax = parseExpression(text, scope);
  const checker = new Checker(scope, { sideEffects: 'forbid' });
  const node = checker.scalar(checker.check(syntax));
  if (!isScalar(node.type)) return fail('a condition must be a number', node);
  return { text, node, hasSideEffects: false, hasCalls: false };
}

/** The object that `{...}` initializes, of a type that need not have a name; a variable-length array has the length that it was found with. */
export function compileInitializer(type: Type, text: string, scope: ExpressionScope): CompiledExpression {
  const list = parseInitializer(text, scope);
  const checker = new Checker(scope, { sideEffects: 'forbid' });
  const span = { offset: list.offset, length: list.length };
  return { text, node: checkLiteral(type, list, span, checker), hasSideEffects: false, hasCalls: false };
}

/** The type that a type name means in a scope. */
export function compileTypeName(text: string, scope: ExpressionScope): Type {
  return new Checker(scope, allowAll).resolve(parseTypeName(text, scope));
}

/** Throws ExpressionError where the value can't be computed: unreadable memory, optimized out. */
export function evaluateExpression(compiled: CompiledExpression, context: EvaluationContext): Query<EvaluationResult> {
  if (compiled.hasCalls) return fail('functions are not called here', compiled.node);
  return onlyMemory(evaluate(compiled, new Evaluation(context)));
}

/** The same where functions can be called: who runs it answers their requests too. */
export function evaluateWithCalls(
  compiled: CompiledExpression,
  context: EvaluationContext,
): ExpressionQuery<EvaluationResult> {
  return evaluate(compiled, new Evaluation({ ...context, hasTemporaries: true }));
}

function* evaluate(compiled: CompiledExpression, evaluation: Evaluation): ExpressionQuery<EvaluationResult> {
  const query = evaluation.value(compiled.node);
  const value = compiled.hasSideEffects ? yield* withWrites(query, evaluation) : yield* query;
  const type = yield* evaluation.completeType(value.type);
  return { value: type === value.type ? value : { ...value, type }, writes: evaluation.writes };
}

/** Whether a condition holds. */
export function* evaluateCondition(compiled: CompiledExpression, context: EvaluationContext): Query<boolean> {
  const value = yield* onlyMemory(new Evaluation(context).number(compiled.node));
  return value !== 0n && value !== 0;
}

/** Where the checker has refused calls nothing else is asked for. */
function onlyMemory<T>(query: ExpressionQuery<T>): Query<T> {
  return query as Query<T>;
}

/** Lets later reads see the writes that the evaluation has collected. */
function* withWrites<T>(query: ExpressionQuery<T>, evaluation: Evaluation): ExpressionQuery<T> {
  let step = query.next();
  while (!step.done) {
    const reply = yield step.value;
    step = query.next('kind' in step.value ? reply : evaluation.patch(step.value, reply));
  }
  return step.value;
}
