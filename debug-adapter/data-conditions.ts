/**
 * What decides at an access to watched data whether the program stops: the bits of a bit-field, then the condition, then the hit
 * count, all inside of the engine's loop. The condition is evaluated after the access, in the frame that made it; of a
 * variable in a frame, in that frame, as gdb does.
 */
import { compileCondition, type CompiledExpression, evaluateCondition, ExpressionError } from '../lib/c-expression';
import { unwindStack } from '../lib/dwarf/unwind';
import type { SynchronousView, TargetWatchHit } from '../lib/target/target';
import { LocationEvaluator } from './breakpoint-conditions';
import type { UserDataBreakpoint } from './data-breakpoints';
import { expressionMessage, scopeIn } from './expression-context';
import type { Inferior } from './inferior';
import type { SessionOutput } from './output';
import { bitsDiffer } from './watched-data';
import type { WatchedFrame } from './watched-frames';

/** Whether a condition holds, or why that cannot be told. */
type Evaluator = (text: string, view: SynchronousView) => boolean | string;

export function watchCondition(
  breakpoint: UserDataBreakpoint,
  inferior: Inferior,
  output: SessionOutput,
  frame: WatchedFrame | undefined,
): (hit: TargetWatchHit, view: SynchronousView) => boolean {
  const { request, hitTest, place } = breakpoint;
  const condition = request.condition?.trim() ?? '';
  const isChange = (request.accessType ?? 'write') === 'write';
  const holds = frame === undefined ? whereItHappens(inferior) : inFrame(inferior, frame);
  return (hit, view) => {
    breakpoint.lastError = undefined;
    const start = breakpoint.bound === undefined ? 0 : Number(hit.start - breakpoint.bound.address);
    if (isChange && place?.bits !== undefined && !bitsDiffer(place.bits, start, hit.before, hit.after)) return false;
    const result = condition === '' || holds(condition, view);
    if (typeof result === 'string') {
      // A condition that cannot be evaluated must not be skipped silently: the program stops and says why.
      breakpoint.lastError = `the condition '${condition}' cannot be evaluated: ${result}`;
      output.line('important', `Data breakpoint on ${place?.text ?? ''}: ${breakpoint.lastError}`);
      return true;
    }
    if (!result) return false;
    breakpoint.hits++;
    return hitTest === undefined || hitTest(breakpoint.hits);
  };
}

/** In the innermost frame; the names at one pc are always the same ones. */
function whereItHappens(inferior: Inferior): Evaluator {
  const byPc = new Map<bigint, LocationEvaluator>();
  const { programCounter } = inferior.unwindOptions.machine.registers;
  return (text, view) => {
    const pc = view.registers.get(programCounter) ?? 0n;
    let evaluator = byPc.get(pc);
    if (evaluator === undefined) byPc.set(pc, (evaluator = new LocationEvaluator(inferior)));
    return evaluator.condition(text, view);
  };
}

function inFrame(inferior: Inferior, { cfa, name }: WatchedFrame): Evaluator {
  const compiled = new Map<bigint, CompiledExpression>();
  return (text, view) => {
    const { frames } = inferior.queryNow(unwindStack(view.registers, inferior.unwindOptions), view);
    const found = frames.find(({ frame, kind }) => kind === '' && frame.cfa() === cfa);
    if (found === undefined) return `the frame of ${name} is not on the stack`;
    try {
      const { lookupPc } = found;
      let condition = compiled.get(lookupPc);
      if (condition === undefined) {
        compiled.set(lookupPc, (condition = compileCondition(text, scopeIn(inferior, found))));
      }
      const namedRegister = (register: string): bigint => inferior.target.readRegisterNow(register);
      return inferior.queryNow(evaluateCondition(condition, { frame: found.frame, namedRegister }), view);
    } catch (error) {
      if (error instanceof ExpressionError) return expressionMessage(text, error);
      throw error;
    }
  };
}
