/**
 * `first-disassembly.cjs PROGRAM MILLISECONDS`: in a new process, how long the first disassembly of a session takes so long after its
 * first stop, and the next ones. The adapter prepares itself as its own process does. Prints for each
 * the milliseconds by the clock and of processor time of the session's thread, as JSON.
 */
import { join } from 'node:path';
import { nodeServices } from '../../debug-adapter/node-services';
import { AdapterClient, projectRoot } from '../../test/support/dap-client';
import { mainThreadMilliseconds } from './processor-time';

async function main(): Promise<void> {
  const [program, wait] = process.argv.slice(2);
  const adapter = new AdapterClient({ ...nodeServices(join(projectRoot, 'dist')), preparesAhead: true });
  try {
    await adapter.launchToStop({ program, entry: 'entry', stopOnEntry: true });
    const { instructionPointerReference: memoryReference = '' } = await adapter.topFrame();
    await new Promise((resolve) => setTimeout(resolve, Number(wait)));
    const times: { readonly clock: number; readonly thread: number | undefined }[] = [];
    for (let i = 0; i < 4; i++) {
      const [begin, before] = [performance.now(), mainThreadMilliseconds()];
      await adapter.client.disassembleRequest({ memoryReference, instructionCount: 400 });
      const after = mainThreadMilliseconds();
      const thread = before === undefined || after === undefined ? undefined : after - before;
      times.push({ clock: performance.now() - begin, thread });
    }
    console.log(JSON.stringify(times));
  } finally {
    await adapter.close();
  }
}

void main();
