/** Faults as the client shows them: kind, address, region, symbol and source line in words, and exceptionInfo. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { FaultReport } from '../lib/target/target';
import { errors } from './errors';
import { baseName } from './paths';
import type { SessionState } from './session-state';

/** What happened, at which address, in what, by which instruction (the target's words), and where in the source. */
export function faultText(session: SessionState, fault: FaultReport): string {
  const position = session.inferior?.programAt(fault.pc)?.sourceAt(fault.pc);
  const line = position === undefined ? '' : ` (${baseName(position.file.path)}:${position.line})`;
  return `${fault.kind}: ${fault.message}${line}`;
}

export function exceptionInfo(session: SessionState): DebugProtocol.ExceptionInfoResponse['body'] {
  const { cause } = session.requireStop('exceptionInfo');
  if (cause.reason === 'aborted') return abortInfo(cause.message);
  if (cause.reason !== 'fault') throw errors.noException();
  const { fault } = cause;
  const text = faultText(session, fault);
  return {
    exceptionId: fault.kind,
    description: text,
    breakMode: 'always',
    details: {
      typeName: fault.kind,
      fullTypeName: fault.kind,
      message: [
        text,
        ...(fault.access === undefined ? [] : [`Access: ${fault.access}`]),
        ...(fault.encoding === undefined ? [] : [`Instruction: ${fault.encoding}`]),
        ...safetyLines(session, fault),
        fault.kind === 'memory-safety'
          ? 'The instruction has had no effect. Continuing lets it pass.'
          : 'The instruction has had no effect. Set the variable or register that led here and continue, or restart.',
      ].join('\n'),
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
