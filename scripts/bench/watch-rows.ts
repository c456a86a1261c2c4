/**
 * Rows of the engine's benchmark about watchpoints, conditions and counting. What is compared is interleaved and measured in processor
 * time. The hot loop is spin() of test/fixtures/spin.c in a session; gdb watches the same kind of loop on QEMU with a
 * hardware watchpoint and a condition, which it evaluates at each hit.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WatchKind } from '../../lib/emulator/watchpoints';
import { RunAccounts } from '../../lib/target/accounts';
import { AdapterClient } from '../../test/support/dap-client';
import { fixturePath, fixtureSource, markerLine } from '../../test/support/fixtures';
import { findTool } from '../../test/support/tools';
import { kernelMachine, kernelNames, kernelProgram, layouts, memorySize } from './kernel-program';
import { childrenClock, ownMilliseconds } from './processor-time';
import { row, type SessionRow } from './session-rows';

/** Pages of the kernels' data that none of them touches; a hit would fail the run. */
const untouched = layouts.thumb.data + 0x8000;

function kernelMilliseconds(kernel: number, rounds: number, prepare: (machine: Machine) => void): number {
  const { machine, start, finish } = kernelMachine(kernelProgram('thumb', 'O2'), {});
  prepare(machine);
  start(kernel, rounds);
  const begin = ownMilliseconds();
  finish();
  return ownMilliseconds() - begin;
}

type Machine = ReturnType<typeof kernelMachine>['machine'];

const nothing = (): void => undefined;

/** The kernels have no host: everything is theirs. */
const keepAccounts = (machine: Machine, tracesCalls: boolean): unknown =>
  new RunAccounts(
    machine,
    layouts.thumb.data + memorySize,
    () => false,
    () => '',
    tracesCalls,
  );

/** Between the stack and the data. */
function watchThousand(kind: WatchKind): (machine: Machine) => void {
  return ({ watchpoints }) => {
    for (let i = 0; i < 1000; i++) watchpoints?.add({ address: untouched + 8 * i, length: 4, kind });
  };
}

function instructionsOfRound(kernel: number): number {
  const { machine, start, finish } = kernelMachine(kernelProgram('thumb', 'O2'), {});
  start(kernel, 1);
  finish();
  return machine.instructionCount;
}

function ratios(
  name: string,
  instructions: number,
  repetitions: number,
  prepare: (machine: Machine) => void,
): number[] {
  const kernel = kernelNames.findIndex((known) => known === name);
  const rounds = Math.ceil(instructions / instructionsOfRound(kernel));
  const [plain, prepared]: number[][] = [[], []];
  for (let i = 0; i < repetitions; i++) {
    // Who comes second finds a warmer machine.
    const order = [
      () => plain.push(kernelMilliseconds(kernel, rounds, nothing)),
      () => prepared.push(kernelMilliseconds(kernel, rounds, prepare)),
    ];
    for (const measure of i % 2 === 0 ? order : order.reverse()) measure();
  }
  // Whatever else the machine did only adds: the least is what it takes.
  return [Math.min(...prepared) / Math.min(...plain)];
}

type StopAt = (adapter: AdapterClient, spins: number) => Promise<void>;

interface Arrivals {
  /** Of the first ones, in which the code becomes hot and is translated. */
  readonly firstMilliseconds: number;
  /** A second, behind them. */
  readonly rate: number;
}

const firstArrivals = 100_000;

/** spin() in a session, the first rounds apart from `spins` rounds more. `stopAt`: what stops there. */
async function arrivals(spins: number, stopAt: StopAt): Promise<Arrivals> {
  // In this process, whose processor time is what is measured.
  const adapter = new AdapterClient('inline');
  try {
    await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), args: [0] }, [
      { path: fixtureSource('spin'), breakpoints: [{ line: markerLine(fixtureSource('spin'), 'BP1') }] },
    ]);
    await setBreakpoint(adapter, []);
    const milliseconds = async (until: number): Promise<number> => {
      await stopAt(adapter, until);
      const begin = ownMilliseconds();
      await adapter.run('continue');
      const taken = ownMilliseconds() - begin;
      const { result } = await adapter.evaluate('spins');
      if (Math.abs(Number(result) - until) > 1) throw new Error(`it stopped at ${result}, not at ${until}`);
      return taken;
    };
    const firstMilliseconds = await milliseconds(firstArrivals);
    return { firstMilliseconds, rate: spins / ((await milliseconds(firstArrivals + spins)) / 1000) };
  } finally {
    await adapter.close();
  }
}

async function setBreakpoint(
  adapter: AdapterClient,
  breakpoints: { line: number; condition: string }[],
): Promise<void> {
  await adapter.client.setBreakpointsRequest({ source: { path: fixtureSource('spin') }, breakpoints });
}

const byBreakpoint: StopAt = (adapter, spins) =>
  setBreakpoint(adapter, [{ line: markerLine(fixtureSource('spin'), 'BP1'), condition: `spins == ${spins}` }]);

const byWatchpoint: StopAt = async (adapter, spins) => {
  const { id } = await adapter.topFrame();
  const { dataId } = await adapter.request<{ dataId: string }>('dataBreakpointInfo', { name: 'spins', frameId: id });
  const breakpoints = [{ dataId, accessType: 'write', condition: `spins == ${spins}` }];
  await adapter.request('setDataBreakpoints', { breakpoints });
};

/** Initial sp and reset vector; LDR r0, =0x20000000; MOVS r1, #0; loop: ADDS r1, #1; STR r1, [r0]; B loop; NOP; the literal. */
const loop = [0x1000, 0x2000, 0x0009, 0, 0x4802, 0x2100, 0x3101, 0x6001, 0xe7fc, 0xbf00, 0x0000, 0x2000];
const loopImage = (): Uint8Array => new Uint8Array(new Uint16Array(loop).buffer);

/** Hits a second of processor time of gdb and QEMU; undefined, with the reason told, where one of them is missing. */
function gdbHits(hits: number): number | undefined {
  const [gdb, qemu, clock] = [findTool('gdb-multiarch'), findTool('qemu-system-arm'), childrenClock()];
  if (gdb === undefined || qemu === undefined || clock === undefined) {
    console.log('watchpoint in gdb on QEMU: gdb-multiarch, qemu-system-arm or the processor time is not there');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'llext-bench-'));
  try {
    const image = join(folder, 'loop.bin');
    writeFileSync(image, loopImage());
    const machine = '-M mps2-an385 -display none -serial none -monitor none -S -gdb stdio';
    const milliseconds = (count: number): number => {
      const begin = clock();
      const commands = [
        'set architecture armv7',
        `target remote | ${qemu} ${machine} -kernel ${image}`,
        `watch *(int *)0x20000000 if *(int *)0x20000000 == ${count}`,
        'continue',
        'output *(int *)0x20000000',
        'kill',
      ];
      const args = ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command])];
      const { stdout, stderr } = spawnSync(gdb, args, { encoding: 'utf8', timeout: 120_000 });
      if (!new RegExp(`New value = ${count}\\b`).test(stdout)) throw new Error(`gdb: ${stdout}${stderr}`.slice(0, 500));
      return clock() - begin;
    };
    return (hits / Math.max(1, milliseconds(hits + 10) - milliseconds(10))) * 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function watchRows(quick: boolean): Promise<SessionRow[]> {
  const repetitions = quick ? 3 : 7;
  const unit = `x the time without, least of ${repetitions} each`;
  const rows = ['list', 'fmt', 'memcpy'].flatMap((name) =>
    (['change', 'read'] as const).map((kind) =>
      row(
        `1,000 watchpoints (${kind}) elsewhere: ${name}`,
        unit,
        ratios(name, 600e6, repetitions, watchThousand(kind)),
      ),
    ),
  );
  for (const name of ['fmt', 'list'] as const) {
    const counted = ratios(name, 300e6, repetitions, (machine) => keepAccounts(machine, false));
    rows.push(row(`executions counted: ${name} thumb-O2`, unit, counted));
  }
  const traced = ratios('fmt', 20e6, repetitions, (machine) => keepAccounts(machine, true));
  rows.push(row('calls traced: fmt thumb-O2', unit, traced));
  const [conditions, firsts, hits, peers]: number[][] = [[], [], [], []];
  for (let i = 0; i < repetitions; i++) {
    const { rate, firstMilliseconds } = await arrivals(2_000_000, byBreakpoint);
    conditions.push(rate);
    firsts.push(firstMilliseconds);
    hits.push((await arrivals(quick ? 100_000 : 200_000, byWatchpoint)).rate);
    const peer = gdbHits(quick ? 1000 : 4000);
    if (peer !== undefined) peers.push(peer);
  }
  rows.push(row('breakpoint condition in a hot loop', 'evaluations/s', conditions));
  rows.push(row('the first 100,000 of these, with translation', 'ms', firsts));
  rows.push(row('watchpoint with a condition on a hot page', 'hits/s', hits));
  if (peers.length > 0) {
    rows.push(row('the same in gdb, hardware watchpoint on QEMU', 'hits/s', peers));
    rows.push(
      row(
        'watchpoint with a condition, over gdb on QEMU',
        'x',
        peers.map((peer, i) => hits[i] / peer),
      ),
    );
  }
  return rows;
}
