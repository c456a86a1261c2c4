/** Faults as the client shows them: kind, address, region, symbol and source line in words, and exceptionInfo. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { FaultReport } from '../lib/target/target';
import { errors } from './errors';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';
import type { Stop } from './stop';

/** What happened, at which address, in what, by which instruction (the target's words), and where in the source. */
export function faultText(session: SessionState, fault: FaultReport): string {
  return `${fault.kind}: ${fault.message}${lineText(session, fault)}`;
}

function lineText(session: SessionState, { pc }: FaultReport): string {
  const position = session.inferior?.programAt(pc)?.sourceAt(pc);
  return position === undefined ? '' : ` (${baseName(position.file.path)}:${position.line})`;
}

export async function exceptionInfo(session: SessionState): Promise<DebugProtocol.ExceptionInfoResponse['body']> {
  const stop = session.requireStop('exceptionInfo');
  const { cause } = stop;
  if (cause.reason === 'aborted') return abortInfo(cause.message);
  if (cause.reason !== 'fault') throw errors.noException();
  const { fault } = cause;
  const text = faultText(session, fault);
  const who = [...safetyLines(session, fault), ...(await stackLines(stop, fault))];
  return {
    exceptionId: fault.kind,
    // VS Code shows it above the lines of allocation and free, which are not said twice.
    description:
      (fault.safety?.sites ?? []).length === 0 ? text : `${fault.what}, by ${fault.who}${lineText(session, fault)}`,
    breakMode: 'always',
    details: {
      typeName: fault.kind,
      fullTypeName: fault.kind,
      message: [
        text,
        ...(fault.access === undefined ? [] : [`Access: ${fault.access}`]),
        ...(fault.encoding === undefined ? [] : [`Instruction: ${fault.encoding}`]),
        ...who,
        fault.kind === 'memory-safety'
          ? 'The instruction has had no effect. Continuing lets it pass.'
          : 'The instruction has had no effect. Set the variable or register that led here and continue, or restart.',
      ].join('\n'),
      // Of the details VS Code shows this and nothing else.
      ...(who.length === 0 ? {} : { stackTrace: who.join('\n') }),
      ...(fault.address === undefined ? {} : { evaluateName: hex(fault.address, 8) }),
    },
  };
}

/** Whose memory it is, and the C lines of what happened to it. */
function safetyLines(session: SessionState, { safety }: FaultReport): string[] {
  if (safety === undefined) return [];
  const whose = safety.whose === undefined ? [] : [`Memory: ${safety.whose}`];
  return [
    ...whose,
    ...safety.sites.map(({ what, pc, place }) => {
      const position = session.inferior?.programAt(pc)?.sourceAt(pc);
      const line = position === undefined ? hex(pc, 8) : `${baseName(position.file.path)}:${position.line}`;
      return `${what[0].toUpperCase()}${what.slice(1)} at ${line}, ${place}`;
    }),
  ];
}

/** Stacks of more frames than that are told of by their innermost ones. */
const mostFrames = 20_000;
const mostFunctions = 4;

/** Who has used up the stack: frames and bytes, and the functions that have the most of them. */
async function stackLines(stop: Stop, { stack }: FaultReport): Promise<string[]> {
  if (stack === undefined) return [];
  const { frames, complete } = await stop.framesTo(mostFrames);
  const { stackPointer } = stop.inferior.unwindOptions.machine.registers;
  const users = new Map<string, { frames: number; bytes: bigint; line: string }>();
  for (const { kind, name, frame, pc, position } of frames) {
    const user = name ?? stop.inferior.symbolText(pc)?.replace(/\+.*/, '') ?? hex(pc, 8);
    const line = position === undefined ? '' : ` (${baseName(position.file.path)}:${position.line})`;
    const known = users.get(user) ?? { frames: 0, bytes: 0n, line };
    const top = frame.canonicalFrameAddress;
    const bottom = frame.registers.get(stackPointer);
    // Inlined calls are in the frame of what they are inlined into.
    const bytes = kind === 'inline' || top === undefined || bottom === undefined ? 0n : top - bottom;
    users.set(user, { ...known, frames: known.frames + 1, bytes: known.bytes + bytes });
  }
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const most = [...users].sort(([, a], [, b]) => Number(b.bytes - a.bytes)).slice(0, mostFunctions);
  return [
    `Stack: ${stack.used} of ${stack.size} bytes are used, by ${complete ? '' : 'more than '}${count(frames.length, 'frame')}`,
    ...most.map(
      ([name, { frames: times, bytes, line }]) => `  ${name}${line}: ${count(times, 'frame')}, ${bytes} bytes`,
    ),
  ];
}

function abortInfo(message: string): DebugProtocol.ExceptionInfoResponse['body'] {
  return {
    exceptionId: 'aborted',
    description: `aborted: ${message}`,
    breakMode: 'always',
    details: {
      typeName: 'aborted',
      fullTypeName: 'aborted',
      message: `The host has ended the program: ${message}.\nNothing of it can run any more: continuing ends the session.`,
    },
  };
}
