/**
 * Rows of the engine's benchmark about the size of a session: the resident memory of the adapter's process as VS Code starts it, of which Node
 * without a script is the first row. The program changes 1.25 MiB of memory over and over, so that its recording is as large as it may be.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdapterClient } from '../../test/support/dap-client';
import { projectRoot } from '../../test/support/fixtures';
import { row, type SessionRow } from './session-rows';

const program = join(projectRoot, 'test/dap-programs/dirty.m3-O2.elf');
/** Long enough that the recording has been thinned many times. */
const runMilliseconds = 8000;

const residentBytes = (status: string): number => Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
const bareNode = "console.log(require('node:fs').readFileSync('/proc/self/status', 'latin1'))";

/** MB, in the order of the rows' names. */
async function sizes(): Promise<readonly number[]> {
  const adapter = new AdapterClient('stdio');
  const measured = [residentBytes(execFileSync(process.execPath, ['-e', bareNode], { encoding: 'latin1' }))];
  const measure = async (): Promise<void> => {
    measured.push(residentBytes(readFileSync(`/proc/${await adapter.processId()}/status`, 'latin1')));
  };
  try {
    await adapter.launchToStop({ program, args: [1_000_000], heapSize: 2048, stopOnEntry: true });
    await measure();
    const { instructionPointerReference: memoryReference = '' } = await adapter.topFrame();
    await adapter.client.disassembleRequest({ memoryReference, instructionCount: 400 });
    await measure();
    await adapter.client.continueRequest({ threadId: 1 });
    await new Promise((resolve) => setTimeout(resolve, runMilliseconds));
    await adapter.run('pause');
    await measure();
    await adapter.run('stepBack');
    await measure();
  } finally {
    await adapter.close();
  }
  return measured.map((bytes) => bytes / 1e6);
}

export async function sizeRows(quick: boolean): Promise<SessionRow[]> {
  if (!existsSync('/proc/self/status')) {
    console.log('history: the size of a process is read in /proc, which is not there');
    return [];
  }
  const all: (readonly number[])[] = [];
  for (let i = 0; i < (quick ? 1 : 5); i++) all.push(await sizes());
  const names = [
    'Node alone, its process',
    "a session's process, stopped at entry",
    'after a listing of 400 instructions',
    'with a recording as large as it may be',
    'gone back in it',
  ];
  return names.map((name, n) =>
    row(
      name,
      'MB',
      all.map((one) => one[n]),
    ),
  );
}
