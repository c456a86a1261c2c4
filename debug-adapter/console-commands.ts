/**
 * Lines of the Debug Console that are commands and no expressions, by gdb's names: `checkpoint [name]` sets one, `checkpoints` (or `info checkpoints`)
 * lists them, `restart N` returns to one, `delete checkpoint N` deletes one. Where the program has something of the first word's
 * name, that is meant.
 */
import type { CheckpointDescription } from '../lib/protocol';
import { scopeIn } from './expression-context';
import { checkpoints, goToCheckpoint, removeCheckpoint, setCheckpoint } from './history-requests';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';

type After = (action: () => void) => void;

const text = ({ id, name, time, isNow }: CheckpointDescription): string =>
  `${id}  ${name}, step ${time}${isNow ? ', now' : ''}`;

interface Command {
  readonly pattern: RegExp;
  /** What the console shows; `argument`: what the pattern has found. */
  run(session: SessionState, argument: string, after: After): string;
}

const commands: readonly Command[] = [
  {
    pattern: /^checkpoint(?:\s+([^=<>+\-*/%.,([\s].*))?$/,
    run: (session, name) => `Checkpoint ${text(setCheckpoint(session, name === '' ? {} : { name }))}`,
  },
  {
    pattern: /^(?:info\s+)?checkpoints()$/,
    run: (session) => {
      const { checkpoints: all } = checkpoints(session);
      return all.length === 0 ? 'There is no checkpoint: `checkpoint [name]` sets one.' : all.map(text).join('\n');
    },
  },
  {
    pattern: /^restart\s+(\d+)$/,
    run: (session, id, after) => {
      goToCheckpoint(session, { id: Number(id) }, after);
      return `Returning to checkpoint ${id}.`;
    },
  },
  {
    pattern: /^delete\s+checkpoint\s+(\d+)$/,
    run: (session, id) => {
      removeCheckpoint(session, { id: Number(id) });
      return `Checkpoint ${id} is deleted.`;
    },
  },
];

/** What the command says; undefined: the line is an expression. */
export function runConsoleCommand(
  session: SessionState,
  { stop, frame }: FrameReference,
  line: string,
  after: After,
): string | undefined {
  const word = /^\w+/.exec(line)?.[0] ?? '';
  for (const { pattern, run } of commands) {
    const found = pattern.exec(line);
    if (found === null) continue;
    if (scopeIn(stop.inferior, frame).lookup(word, undefined) !== undefined) return undefined;
    return run(session, (found.at(1) ?? '').trim(), after);
  }
  return undefined;
}
