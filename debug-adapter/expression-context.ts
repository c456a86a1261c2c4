import type { Value } from '../lib/dwarf/value';
import { errors } from './errors';
import type { LoadedExtension } from './inferior';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';
export async function evaluateText(_reference: FrameReference, _text: string): Promise<{ value: Value }> {
  throw errors.badExpression('not yet');
}
export async function evaluateToText(_s: SessionState, _l: LoadedExtension, _n: string): Promise<string | undefined> {
  return undefined;
}
