/** continue, next, stepIn, stepOut, pause: answered at once, carried out after the answer. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errors } from './errors';
import type { SessionState } from './session-state';
import { threadId } from './thread-id';
import type { StepKind } from './stepping';

type After = (action: () => void) => void;

interface StepArguments {
  readonly threadId: number;
  readonly granularity?: DebugProtocol.SteppingGranularity;
  readonly targetId?: number;
}

export function continueRequest(
  session: SessionState,
  args: DebugProtocol.ContinueArguments,
  after: After,
): DebugProtocol.ContinueResponse['body'] {
  checkThread(args.threadId);
  session.requireStop('continue');
  after(() => session.execution.continue());
  return { allThreadsContinued: true };
}

export function next(session: SessionState, args: StepArguments, after: After): void {
  step(session, 'next', 'over', args, after);
}

export function stepIn(session: SessionState, args: StepArguments, after: After): void {
  step(session, 'stepIn', 'in', args, after);
}

export function stepOut(session: SessionState, args: StepArguments, after: After): void {
  step(session, 'stepOut', 'out', args, after);
}

export function pause(session: SessionState, args: DebugProtocol.PauseArguments, after: After): void {
  checkThread(args.threadId);
  session.requireInferior('pause');
  after(() => session.execution.pause());
}

function step(session: SessionState, request: string, kind: StepKind, args: StepArguments, after: After): void {
  checkThread(args.threadId);
  session.requireStop(request);
  const target = args.targetId === undefined ? undefined : session.stepInTargets.get(args.targetId);
  if (args.targetId !== undefined && target === undefined) throw errors.unknownTarget(args.targetId);
  // VS Code sends no granularity with F10 and F11, where everybody expects lines.
  after(() => session.execution.step(kind, args.granularity ?? 'line', target));
}

/** Some clients leave the thread out or send 0 for "the one there is". */
function checkThread(thread: number | undefined): void {
  if (thread !== undefined && thread !== 0 && thread !== threadId) throw errors.unknownThread(thread);
}
