/**
 * Rows of the engine's benchmark about running backwards, on a target as a session has it: a program in RAM writes a variable ten
 * times and then stores to it and counts for a long time. Steps and reverse runs are by the clock, what recording costs is by
 * processor time, with and without it one after the other.
 */
import { EmulatedTarget } from '../../lib/target/emulated-target';
import { LLEXT_HEAP_BASE } from '../../lib/kernel/memory-map';
import { DEFAULT_HISTORY_MIB } from '../../lib/target/defaults';
import type { ResumeMode, TargetStop } from '../../lib/target/target';
import { ownMilliseconds } from './processor-time';
import { row, type SessionRow } from './session-rows';
import { sizeRows } from './session-size';

/** Above what the loader takes of the heap. */
const code = LLEXT_HEAP_BASE + 0x1_8000;
const variable = LLEXT_HEAP_BASE + 0x2_0000;
/** STR r2, [r0]; SUBS r2, #1; BNE; loop: STR r1, [r0, #4]; SUBS r1, #1; BNE loop; BX lr */
const program = [0x6002, 0x3a01, 0xd1fc, 0x6041, 0x3901, 0xd1fc, 0x4770];
const instructionsOfLoop = 3;

async function runFor(instructions: number, historyMiB: number): Promise<{ target: EmulatedTarget; spent: number }> {
  const target = EmulatedTarget.create({ heapSizeKiB: 256, historyMiB });
  target.writeMemoryNow(BigInt(code), new Uint8Array(Uint16Array.from(program).buffer));
  target.prepareCall(BigInt(code | 1), [variable, Math.ceil(instructions / instructionsOfLoop), 10].map(BigInt));
  const begin = ownMilliseconds();
  const { reason } = await target.resume({ kind: 'continue' });
  if (reason !== 'exited') throw new Error(`the program stopped: ${reason}`);
  return { target, spent: ownMilliseconds() - begin };
}

async function timed(target: EmulatedTarget, mode: ResumeMode, expected: TargetStop['reason']): Promise<number> {
  const begin = performance.now();
  const { reason } = await target.resume(mode);
  if (reason !== expected) throw new Error(`${mode.kind} stopped: ${reason}`);
  return performance.now() - begin;
}

export async function historyRows(quick: boolean): Promise<SessionRow[]> {
  const repetitions = quick ? 1 : 5;
  const many = quick ? 1e8 : 1e9;
  const values: Record<'first' | 'next' | 'run' | 'cost' | 'kept', number[]> = {
    first: [],
    next: [],
    run: [],
    cost: [],
    kept: [],
  };
  await runFor(many / 10, 0);
  for (let i = 0; i < repetitions; i++) {
    const plain = await runFor(many, 0);
    const { target, spent } = await runFor(many, DEFAULT_HISTORY_MIB);
    values.cost.push(100 * (spent / plain.spent - 1));
    values.kept.push(target.history.bytes / 2 ** 20);
    values.first.push(await timed(target, { kind: 'reverse-step' }, 'step'));
    values.next.push(await timed(target, { kind: 'reverse-step' }, 'step'));
    const { target: other } = await runFor(1e8, DEFAULT_HISTORY_MIB);
    await other.setWatchpoint({ address: BigInt(variable), length: 4, kind: 'write' });
    values.run.push(await timed(other, { kind: 'reverse-continue' }, 'watchpoint'));
  }
  return [
    row(`reverse step after ${many / 1e6} M instructions`, 'ms', values.first),
    row('the next reverse step', 'ms', values.next),
    row('reverse continue over 100 M to the last of 10 writes', 'ms', values.run),
    row(`recording ${many / 1e6} M instructions: more time`, '%', values.cost),
    row('what is kept of them', 'MiB', values.kept),
    ...(await sizeRows(quick)),
  ];
}
