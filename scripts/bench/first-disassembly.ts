/**
 * `first-disassembly.cjs PROGRAM MILLISECONDS`: in a new process, how long the first disassembly of a session takes so long after its
 * first stop, and the second one. The adapter prepares itself as its own process does. Prints both as JSON, in milliseconds.
 */
import { nodeServices } from '../../debug-adapter/node-services';
import { AdapterClient, projectRoot } from '../../test/support/dap-client';

async function main(): Promise<void> {
  const [program, wait] = process.argv.slice(2);
  const adapter = new AdapterClient({ ...nodeServices(projectRoot), preparesAhead: true });
  try {
    await adapter.launchToStop({ program, entry: 'entry', stopOnEntry: true });
    const { instructionPointerReference: memoryReference = '' } = await adapter.topFrame();
    await new Promise((resolve) => setTimeout(resolve, Number(wait)));
    const times: number[] = [];
    for (let i = 0; i < 2; i++) {
      const begin = performance.now();
      await adapter.client.disassembleRequest({ memoryReference, instructionCount: 400 });
      times.push(performance.now() - begin);
    }
    console.log(JSON.stringify(times));
  } finally {
    await adapter.close();
  }
}

void main();
