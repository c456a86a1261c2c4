/**
 * Entry of the thread that disassembles for the adapter's process (disassembler-thread.ts). Loading Capstone and compiling its first
 * functions takes a quarter of a second: here it is over before somebody asks, and takes nobody's turn.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createDisassembler, type Disassembler, type InstructionSet } from '../lib/disassembler';
import { loadCapstone } from './capstone';
import { type DisassemblyAnswer, type DisassemblyRequest, listingOf } from './disassembler-thread';
import { messageOf } from './errors';

const disassemblers = new Map<InstructionSet, Promise<Disassembler>>();

/** Of different kinds, whatever they mean: what decodes them is compiled. */
const firstInstructions = Uint8Array.from({ length: 1024 }, (_, n) => (n * 37 + (n >> 3)) & 0xff);

async function load(set: InstructionSet): Promise<Disassembler> {
  const { wasm } = workerData as { readonly wasm: string };
  const disassembler = await createDisassembler(await loadCapstone(), readFileSync(wasm), set);
  disassembler.disassemble(firstInstructions, 0n);
  return disassembler;
}

function disassemblerFor(set: InstructionSet): Promise<Disassembler> {
  let found = disassemblers.get(set);
  if (found === undefined) disassemblers.set(set, (found = load(set)));
  return found;
}

async function answer({ id, set, bytes, address, limit }: DisassemblyRequest): Promise<DisassemblyAnswer> {
  try {
    return { id, listing: listingOf((await disassemblerFor(set)).disassemble(bytes, address, limit)) };
  } catch (error) {
    return { id, problem: messageOf(error) };
  }
}

parentPort?.on('message', (request: DisassemblyRequest) => {
  void answer(request).then((result) => parentPort?.postMessage(result));
});
