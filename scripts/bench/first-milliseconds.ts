/**
 * A process of its own for session-rows.ts, because the first milliseconds happen once: prints how many instructions of a kernel a
 * machine has executed after its first 50 and 200 ms, as JSON (processor time, so that threads that compile count). Arguments:
 * the kernel's name, on or off (translation).
 */
import { setTimeout } from 'node:timers/promises';
import { kernelMachine, kernelNames, kernelProgram } from './kernel-program';
import { ownMilliseconds } from './processor-time';

const milestones = [50, 200];
/** A new process interprets the interpreter: few instructions take long at first. At the end it is a session's slice. */
const [firstSlice, lastSlice] = [200, 500_000];
const shortSlice = 0.5;

const [name, jit] = process.argv.slice(2);
const kernel = kernelNames.findIndex((known) => known === name);
if (kernel < 0 || (jit !== 'on' && jit !== 'off')) throw new Error('usage: first-milliseconds.ts KERNEL on|off');

/** Threads that load and compile these modules have to be done: their time would count. */
const settling = 300;

async function main(): Promise<void> {
  const { machine, start } = kernelMachine(kernelProgram('thumb', 'O0'), jit === 'on' ? {} : undefined);
  start(kernel, 1_000_000);
  await setTimeout(settling);
  let slice = firstSlice;
  let now = ownMilliseconds();
  const begin = now;
  const counts: number[] = [];
  while (counts.length < milestones.length) {
    const { reason } = machine.run(slice);
    if (reason !== 'budget') throw new Error(`the kernel stopped: ${reason}`);
    const before = now;
    now = ownMilliseconds();
    if (now - before < shortSlice) slice = Math.min(2 * slice, lastSlice);
    while (now - begin >= milestones[counts.length]) counts.push(machine.instructionCount);
  }
  console.log(JSON.stringify(counts));
}

void main();
