/**
 * Rows of the engine's benchmark about the size of a session: the resident memory of the adapter's process, beside that of Node without a
 * script. The program changes 1.25 MiB of memory over and over, so that its recording is as large as it may be.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../test/support/fixtures';
import { AdapterProcess, residentMegabytes } from './adapter-process';
import { row, type SessionRow } from './session-rows';

const program = join(projectRoot, 'test/dap-programs/dirty.m3-O2.elf');
/** Long enough that the recording has been thinned many times. */
const runMilliseconds = 8000;
const bareNode = "console.log(require('node:fs').readFileSync('/proc/self/status', 'latin1'))";

const names = [
  'Node alone: resident memory',
  "a session's process, stopped at entry",
  'after a listing of 400 instructions',
  'with a recording as large as it may be',
  'gone back in it',
] as const;

/** MB, in the order of the names. */
async function sizes(): Promise<readonly number[]> {
  const adapter = await AdapterProcess.launch({ program, args: [1_000_000], heapSize: 2048 });
  const measured = [residentMegabytes(execFileSync(process.execPath, ['-e', bareNode], { encoding: 'latin1' }))];
  const measure = (): void => void measured.push(adapter.megabytes() ?? NaN);
  try {
    measure();
    await adapter.request('disassemble', { memoryReference: await adapter.programCounter(), instructionCount: 400 });
    measure();
    await adapter.request('continue', { threadId: 1 });
    await new Promise((resolve) => setTimeout(resolve, runMilliseconds));
    await adapter.run('pause');
    measure();
    await adapter.run('stepBack');
    measure();
  } finally {
    await adapter.close();
  }
  return measured;
}

export async function sizeRows(quick: boolean): Promise<SessionRow[]> {
  if (!existsSync('/proc/self/status')) {
    console.log('history: the size of a process is read in /proc, which is not there');
    return [];
  }
  const all: (readonly number[])[] = [];
  for (let i = 0; i < (quick ? 1 : 5); i++) all.push(await sizes());
  return names.map((name, n) =>
    row(
      name,
      'MB',
      all.map((one) => one[n]),
    ),
  );
}
