/** Threads (one: the emulated CPU) and its stack frames, from the innermost out to the host that called the entry. */
import { StackFrame, Thread } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { FunctionInfo } from '../lib/dwarf/model';
import type { FrameInfo } from '../lib/dwarf/unwind';
import { frameName } from '../lib/program/frame-name';
import type { Cancellation } from './cancellation';
import { clientSource } from './client-source';
import { errors } from './errors';
import { formattedName } from './frame-text';
import type { SessionState } from './session-state';
import { threadId } from './thread-id';
import type { Stop } from './stop';

/** What a frame id stands for. The frame itself is asked of the stop: a write may have changed it. */
export interface FrameNumber {
  readonly stop: Stop;
  readonly level: number;
}

export interface FrameReference extends FrameNumber {
  readonly frame: FrameInfo;
}

/** Frames that a client gets at most at once, when it does not say how many. */
const defaultLevels = 200;

export function threads(session: SessionState): DebugProtocol.ThreadsResponse['body'] {
  const { entry } = session;
  const name = entry === undefined ? 'CPU' : `${entry.name} of llext ${entry.extension.instance.name}`;
  return { threads: [new Thread(threadId, name)] };
}

export async function stackTrace(
  session: SessionState,
  args: DebugProtocol.StackTraceArguments,
  _after: unknown,
  cancellation: Cancellation,
): Promise<DebugProtocol.StackTraceResponse['body']> {
  if (args.threadId !== threadId) throw errors.unknownThread(args.threadId);
  const stop = session.requireStop('stackTrace');
  const start = args.startFrame ?? 0;
  const levels = args.levels === undefined || args.levels === 0 ? defaultLevels : args.levels;
  const { frames, complete } = await stop.framesTo(start + levels);
  const stackFrames: DebugProtocol.StackFrame[] = [];
  for (let level = start; level < Math.min(frames.length, start + levels); level++) {
    await cancellation.turn();
    const described = await describeFrame(session, stop, frames[level], level);
    if (args.format !== undefined)
      described.name = await formattedName(session, { stop, level, frame: frames[level] }, described, args.format);
    stackFrames.push(described);
  }
  // Before all are unwound, "more than these" is what can be said.
  return { stackFrames, totalFrames: complete ? frames.length : frames.length + 1 };
}

export async function requireFrame(session: SessionState, id: number): Promise<FrameReference> {
  const found = session.frames.get(id);
  const frame = await found?.stop.frame(found.level);
  if (found === undefined || frame === undefined) throw errors.unknownFrame(id);
  return { ...found, frame };
}

async function describeFrame(
  session: SessionState,
  stop: Stop,
  frame: FrameInfo,
  level: number,
): Promise<DebugProtocol.StackFrame> {
  const { inferior } = stop;
  const id = session.frames.set(`frame ${level}`, { stop, level });
  const extension = inferior.extensionAt(frame.lookupPc);
  const result: DebugProtocol.StackFrame = new StackFrame(id, nameOf(stop, frame));
  result.instructionPointerReference = hex(frame.pc, 8);
  result.canRestart = typeof restartable(frame) === 'object';
  if (extension !== undefined) result.moduleId = extension.id;
  if (frame.position !== undefined && frame.position.line > 0) {
    const { file, line, column } = frame.position;
    const module = inferior.moduleAt(frame.lookupPc);
    const path = module && (await session.sourcePaths?.resolve(file, module.folder));
    result.line = session.toClientLine(line);
    result.column = session.toClientColumn(column);
    result.source = path === undefined ? session.lostSources.sourceOf(file) : clientSource(path, file);
  }
  if (frame.kind === 'exception') result.presentationHint = 'label';
  else if (frame.kind === 'host' || extension === undefined) result.presentationHint = 'subtle';
  return result;
}

/** The function of a frame that can be called again, or why it can't be. */
export function restartable({ kind, function: called }: FrameInfo): FunctionInfo | string {
  if (kind === 'inline') return 'an inlined call has no frame of its own';
  if (kind === 'tailcall') return 'its frame is gone: it has left by a tail call';
  if (kind === 'host' || called === undefined) return 'there is no debug information for it';
  return called;
}

/** Where the line is known the symbol's name is enough. */
function symbolName(inferior: Stop['inferior'], { pc, position }: FrameInfo): string | undefined {
  const text = inferior.symbolText(pc);
  return position === undefined ? text : text?.replace(/\+0x[0-9a-f]+$/, '');
}

function nameOf({ inferior }: Stop, frame: FrameInfo): string {
  const name = frameName(frame) ?? symbolName(inferior, frame) ?? hex(frame.pc, 8);
  switch (frame.kind) {
    case 'inline':
      return `${name} [inlined]`;
    case 'tailcall':
      return `${name} [tail call]`;
    default:
      return name;
  }
}
