/**
 * Rows of the engine's benchmark that are about a session: single steps in the engine and through DAP, from the launch request
 * to the first stop, and what the first 50 and 200 ms of a machine in a new process execute. The adapter is in this process behind a pair
 * of streams; the test client checks every message against the protocol's schema, which the DAP rows pay for. DAP rows are by
 * the clock, the others by processor time.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { AdapterClient } from '../../test/support/dap-client';
import { examplePath, fixturePath } from '../../test/support/fixtures';
import { exampleRows } from './example-rows';
import { kernelMachine, kernelNames, kernelProgram } from './kernel-program';
import type { KernelName } from './kernel-program';
import { median } from './kernel-rows';
import { ownMilliseconds } from './processor-time';

export interface SessionRow {
  readonly kind: 'session';
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Of the measurements that the value is the median of. */
  readonly measurements: number;
}

/** Of several measurements the median. */
export const row = (name: string, unit: string, values: readonly number[]): SessionRow => ({
  kind: 'session',
  name,
  value: median(values),
  unit,
  measurements: values.length,
});

const times = (count: number, measure: () => number): number[] => Array.from({ length: count }, measure);

function engineSteps(): number {
  const { machine, start } = kernelMachine(kernelProgram('thumb', 'O0'), {});
  start(kernelNames.indexOf('fmt'), 1_000_000);
  const count = 1_000_000;
  const begin = ownMilliseconds();
  for (let i = 0; i < count; i++) {
    const stop = machine.run(1);
    if (stop.reason !== 'budget') throw new Error(`a single step stopped: ${stop.reason}`);
  }
  return count / ((ownMilliseconds() - begin) / 1000);
}

async function adapterSteps(count: number): Promise<number> {
  const adapter = new AdapterClient('inline');
  try {
    await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), stopOnEntry: true });
    const begin = performance.now();
    for (let i = 0; i < count; i++) {
      const stopped = adapter.next('stopped');
      await adapter.client.stepInRequest({ threadId: 1, granularity: 'instruction' });
      await stopped;
    }
    return count / ((performance.now() - begin) / 1000);
  } finally {
    await adapter.close();
  }
}

/** From the launch request to the stopped event; initialize is not in it. */
async function launchMilliseconds(): Promise<number> {
  const adapter = new AdapterClient('inline');
  try {
    await adapter.client.initializeRequest();
    const stopped = adapter.stopped();
    const begin = performance.now();
    const launched = adapter.client.launchRequest({
      program: examplePath('hello/hello.llext'),
      stopOnEntry: true,
    } as Parameters<typeof adapter.client.launchRequest>[0]);
    await adapter.client.configurationDoneRequest();
    await Promise.all([launched, stopped]);
    return performance.now() - begin;
  } finally {
    await adapter.close();
  }
}

/** Millions of instructions that a machine in a new process has executed after 50 and after 200 ms. */
function firstInstructions(kernel: KernelName, jit: 'on' | 'off'): number[] {
  const script = join(__dirname, 'first-milliseconds.cjs');
  const output = execFileSync(process.execPath, [script, kernel, jit], { encoding: 'utf8' });
  return (JSON.parse(output) as number[]).map((count) => count / 1e6);
}

function firstRows(kernel: KernelName, repetitions: number): SessionRow[] {
  // Interleaved, as everything else.
  const pairs = Array.from({ length: repetitions }, () => [
    firstInstructions(kernel, 'on'),
    firstInstructions(kernel, 'off'),
  ]);
  return [50, 200].flatMap((milliseconds, i) =>
    ['translated', 'interpreted'].map((how, j) =>
      row(
        `first ${milliseconds} ms of ${kernel} thumb-O0, ${how}`,
        'M instructions',
        pairs.map((pair) => pair[j][i]),
      ),
    ),
  );
}

export async function sessionRows(quick: boolean): Promise<SessionRow[]> {
  const repetitions = quick ? 1 : 5;
  const rows = [row('engine: single steps', '/s', times(repetitions, engineSteps))];
  const steps: number[] = [];
  for (let i = 0; i < repetitions; i++) steps.push(await adapterSteps(400));
  rows.push(row('DAP: instruction steps', '/s', steps));
  const launches: number[] = [];
  for (let i = 0; i < 10; i++) launches.push(await launchMilliseconds());
  rows.push(row('DAP: launch request to stopped event', 'ms', launches));
  rows.push(row('DAP: the first of these launches', 'ms', launches.slice(0, 1)));
  for (const kernel of ['sort', 'fmt'] as const) rows.push(...firstRows(kernel, repetitions));
  rows.push(...(await exampleRows(quick)));
  return rows;
}
