/**
 * C expressions of a debugger's user: parse and check once (`compileExpression`), evaluate in a frame as often as
 * needed (`evaluateExpression`, `evaluateCondition`). Names come from a scope, usually a `FrameScope`.
 */
export {
  compileCondition,
  type CompiledExpression,
  compileExpression,
  compileInitializer,
  compileTypeName,
  evaluateCondition,
  evaluateExpression,
  evaluateWithCalls,
  type EvaluationResult,
} from './compile';
export type { DeclaredFunction } from './declared-function';
export type { CheckOptions } from './check';
export { directCondition, type DirectCondition } from './direct';
export type { DirectMachine } from './direct-place';
export { ExpressionError } from './errors';
export type { EvaluationContext } from './evaluate';
export { FrameScope, type FrameScopeOptions, type NamedDebugInfo, type NamedModule } from './frame-scope';
export { parseExpression } from './parser';
export type { CallRequest, ExpressionQuery, TemporaryRequest } from './requests';
export type { ExpressionScope, FunctionEntity, NamedEntity } from './scope';
