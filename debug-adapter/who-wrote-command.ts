/** `who wrote EXPR` in the Debug Console: the last write of an object before now. Two names in a row are no C expression. */
import { hex } from '../lib/bytes';
import { errors } from './errors';
import { compileIn, evaluateCompiled } from './expression-context';
import { whoWrote } from './history-requests';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';

/** What the console shows; undefined: the line is another one. */
export async function whoWroteCommand(
  session: SessionState,
  reference: FrameReference,
  line: string,
): Promise<string | undefined> {
  const text = /^who\s+wrote\s+(.+)$/s.exec(line)?.[1];
  if (text === undefined) return undefined;
  const compiled = compileIn(reference, text, { sideEffects: 'forbid' });
  const { location, type } = (await evaluateCompiled(reference, compiled)).value;
  if (location.kind !== 'memory' || !type.byteSize) {
    throw errors.badExpression(`'${text}' is not in memory: who wrote it is not recorded`);
  }
  return (await whoWrote(session, { memoryReference: hex(location.address), length: type.byteSize })).text;
}
