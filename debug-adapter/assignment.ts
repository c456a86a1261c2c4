import type { Value } from '../lib/dwarf/value';
import { errors } from './errors';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';
export async function assignText(
  _s: SessionState,
  _r: FrameReference,
  _name: string,
  _text: string,
  _a: unknown,
): Promise<Value> {
  throw errors.badExpression('not yet');
}
export async function assignToValue(
  _s: SessionState,
  _r: FrameReference,
  _v: Value,
  _name: string,
  _text: string,
  _a: unknown,
): Promise<Value> {
  throw errors.badExpression('not yet');
}
