/**
 * Going through time: stepBack, reverseContinue and what the protocol lacks (stepping back in and out, checkpoints, the last
 * write to memory), by requests and by lines of the Debug Console. Answered at once, carried out after the answer.
 */
import { CapabilitiesEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type {
  CheckpointArguments,
  CheckpointDescription,
  CheckpointsResponse,
  SetCheckpointArguments,
  WhoWroteArguments,
  WhoWroteResponse,
} from '../lib/protocol';
import type { Checkpoint } from '../lib/target/history';
import type { LastWrite } from '../lib/target/reverse';
import { errors } from './errors';
import { CheckpointsEvent } from './events';
import type { Inferior } from './inferior';
import type { SessionState } from './session-state';
import type { StepKind } from './stepping';

type After = (action: () => void) => void;

interface BackArguments {
  readonly threadId?: number;
  readonly granularity?: DebugProtocol.SteppingGranularity;
}

/** A stopped session whose target can go back. */
function requireHistory(session: SessionState, request: string): Inferior {
  const { inferior } = session.requireStop(request);
  const { historyRefusal } = inferior.target;
  if (historyRefusal !== undefined) throw errors.noHistory(historyRefusal);
  return inferior;
}

const steps =
  (request: string, kind: StepKind) =>
  (session: SessionState, args: BackArguments, after: After): void => {
    requireHistory(session, request);
    after(() => session.execution.stepBack(kind, args.granularity ?? 'line'));
  };

export const stepBack = steps('stepBack', 'over');
export const reverseStepIn = steps('llext/reverseStepIn', 'in');
export const reverseStepOut = steps('llext/reverseStepOut', 'out');

export function reverseContinue(session: SessionState, _args: unknown, after: After): void {
  requireHistory(session, 'reverseContinue');
  after(() => session.execution.reverseContinue());
}

/** The client shows the buttons as long as the target can go back; and whether the memory filters know anything at this moment. */
export function announceHistory(session: SessionState): void {
  announceChecks(session);
  const refusal = session.inferior?.target.historyRefusal;
  if (refusal === session.historyTold) return;
  session.historyTold = refusal;
  session.send(new CapabilitiesEvent({ supportsStepBack: refusal === undefined }));
  session.output.line(
    'console',
    refusal === undefined ? 'The target can run backwards again.' : `No way back: ${refusal}.`,
  );
}

/** What the filters were switched on for in the middle of a session is not known of the time before. */
function announceChecks(session: SessionState): void {
  const isBefore = session.inferior?.target.isBeforeChecks === true;
  if (isBefore === session.beforeChecksTold) return;
  session.beforeChecksTold = isBefore;
  session.output.line(
    'console',
    isBefore
      ? 'This is before the memory filters were switched on: whose memory was what is not recorded here, so nothing is checked until then. Restart to check from the beginning.'
      : 'The memory filters check again.',
  );
}

// --- Checkpoints ---------------------------------------------------------------------------------------------------

function describe({ id, name, time }: Checkpoint, { target }: Inferior): CheckpointDescription {
  return { id, name, time, isNow: time === target.history.now };
}

export function checkpoints(session: SessionState): CheckpointsResponse {
  const inferior = requireHistory(session, 'llext/checkpoints');
  return { checkpoints: inferior.target.history.checkpoints.map((one) => describe(one, inferior)) };
}

/** For a list that is shown all the time. */
export function announceCheckpoints(session: SessionState): void {
  const { inferior } = session;
  if (inferior === undefined) return;
  const all = inferior.target.history.checkpoints.map((one) => describe(one, inferior));
  session.send(new CheckpointsEvent({ checkpoints: all }));
}

export function setCheckpoint(session: SessionState, { name }: SetCheckpointArguments): CheckpointDescription {
  const inferior = requireHistory(session, 'llext/setCheckpoint');
  const text = name?.trim();
  const made = inferior.target.history.addCheckpoint(text === '' ? undefined : text);
  announceCheckpoints(session);
  return describe(made, inferior);
}

export function removeCheckpoint(session: SessionState, { id }: CheckpointArguments): void {
  const { target } = requireHistory(session, 'llext/removeCheckpoint');
  if (!target.history.removeCheckpoint(id)) throw errors.unknownCheckpoint(id);
  announceCheckpoints(session);
}

export function goToCheckpoint(session: SessionState, { id }: CheckpointArguments, after: After): void {
  const { target } = requireHistory(session, 'llext/goToCheckpoint');
  const found = target.history.checkpoints.find((one) => one.id === id);
  if (found === undefined) throw errors.unknownCheckpoint(id);
  after(() => session.execution.goToTime(found.time));
}

/** To the moment before a write that whoWrote has told of. */
export function goToTime(session: SessionState, { time }: { readonly time: number }, after: After): void {
  const { target } = requireHistory(session, 'llext/goToTime');
  const { runStart, end } = target.history;
  if (!Number.isInteger(time) || time < runStart || time > end) throw errors.unknownTime(time, runStart, end);
  after(() => session.execution.goToTime(time));
}

// --- Who wrote this? -----------------------------------------------------------------------------------------------

export async function whoWrote(session: SessionState, args: WhoWroteArguments): Promise<WhoWroteResponse> {
  const inferior = requireHistory(session, 'llext/whoWrote');
  const address = BigInt(args.memoryReference) + BigInt(args.offset ?? 0);
  const length = args.length ?? 1;
  const write = await inferior.target.lastWrite(address, length);
  if (write === undefined) {
    const text = `${hex(address, 8)} (${length} byte${length === 1 ? '' : 's'}) was not written since the recording began`;
    return { text, time: undefined, address: undefined, source: undefined };
  }
  const position = write.pc === undefined ? undefined : inferior.programAt(write.pc)?.sourceAt(write.pc);
  const place = position && session.clientPosition(position);
  return {
    text: textOf(inferior, address, write, position && `${position.file.path}:${position.line}`),
    time: write.time < inferior.target.history.runStart ? undefined : write.time,
    address: write.pc === undefined ? undefined : hex(write.pc, 8),
    source: place === undefined ? undefined : { path: place.path, line: place.line },
  };
}

function textOf(inferior: Inferior, address: bigint, write: LastWrite, place: string | undefined): string {
  const bytes = (values: Uint8Array) =>
    [...values.subarray(0, 8)].map((one) => one.toString(16).padStart(2, '0')).join(' ');
  const at = write.start ?? address;
  const change = `${hex(at, 8)}: ${bytes(write.before)} -> ${bytes(write.after)}`;
  const where = write.pc === undefined ? undefined : inferior.symbolText(write.pc);
  const who = write.by ?? where ?? hex(write.pc ?? 0n, 8);
  return `${change}, written by ${who}${place === undefined ? '' : ` at ${place}`}, step ${write.time}`;
}
