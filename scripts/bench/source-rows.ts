/**
 * Rows about source-level debugging (`--only source`): from nothing to a breakpoint and a stop in a linked ELF of the size of a large
 * firmware, beside gdb on the same file; and what a user waits for at a stop, over DAP: a line step, 400 disassembled instructions, the
 * variables of a frame with 100 locals. Index rows are processor time of new processes, without what an empty one of its kind takes;
 * gdb reads with several threads, which all count. DAP rows are by the clock.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterClient } from '../../test/support/dap-client';
import { fixturePath } from '../../test/support/fixtures';
import { findTool } from '../../test/support/tools';
import { makeLargeElf } from './large-elf';
import { childrenClock } from './processor-time';
import { row, type SessionRow } from './session-rows';

const megabytes = 50;

/** Of one child process. */
function processorTime(clock: () => number, tool: string, args: readonly string[]): number {
  const before = clock();
  execFileSync(tool, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return clock() - before;
}

function indexRows(folder: string, quick: boolean): SessionRow[] {
  const path = join(folder, 'large.elf');
  makeLargeElf(path, megabytes);
  const script = join(__dirname, 'index-time.cjs');
  const gdb = findTool('gdb-multiarch') ?? findTool('gdb');
  const clock = childrenClock();
  const laps: number[][] = [];
  const theirs: { readonly bound: number; readonly stopped: number }[] = [];
  const commands = ['-ex', 'break entry.c:2'];
  // What a stop shows needs no process there: the function, its variables and the frame rules of a place.
  const stop = [...commands, '-ex', 'list *entry', '-ex', 'info scope entry', '-ex', 'info symbol entry'];
  for (let i = 0; i < (quick ? 1 : 5); i++) {
    laps.push(
      JSON.parse(
        execFileSync(process.execPath, [script, path, 'entry.c', '2', 'entry'], { encoding: 'utf8' }),
      ) as number[],
    );
    if (gdb === undefined || clock === undefined) continue;
    const empty = processorTime(clock, gdb, ['-nx', '-batch']);
    const bound = processorTime(clock, gdb, ['-nx', '-batch', ...commands, path]) - empty;
    theirs.push({ bound, stopped: processorTime(clock, gdb, ['-nx', '-batch', ...stop, path]) - empty });
  }
  const rows = ['file read', 'program opened', 'line found', 'stop shown'].map((name, n) =>
    row(
      `${megabytes} MB ELF: ${name}`,
      'ms',
      laps.map((lap) => lap[n]),
    ),
  );
  if (theirs.length === 0) return rows;
  const [bound, stopped] = [theirs.map((one) => one.bound), theirs.map((one) => one.stopped)];
  return [
    ...rows,
    row('the same in gdb: line found', 'ms', bound),
    row('the same in gdb: stop shown', 'ms', stopped),
    row(
      'line found: gdb / here',
      'x',
      bound.map((one, i) => one / laps[i][2]),
    ),
    row(
      'stop shown: gdb / here',
      'x',
      stopped.map((one, i) => one / laps[i][3]),
    ),
  ];
}

const locals = 100;

function localsProgram(folder: string): string {
  const names = Array.from({ length: locals }, (_, n) => n);
  const body = names.map((n) => `  volatile int local_${n} = seed + ${n};`).join('\n');
  const sum = names.map((n) => `local_${n}`).join(' + ');
  const source = `int entry(int seed)\n{\n${body}\n  return ${sum};\n}\n`;
  writeFileSync(join(folder, 'locals.c'), source);
  const path = join(folder, 'locals.llext');
  const options = ['-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-g', '-O0', '-c', 'locals.c', '-o', path];
  execFileSync('arm-none-eabi-gcc', options, { cwd: folder });
  return path;
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

async function stepRows(count: number): Promise<SessionRow[]> {
  const adapter = new AdapterClient();
  try {
    await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), stopOnEntry: true });
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await timed(() => adapter.run('stepIn')));
    const name = 'DAP: line step, 95th percentile';
    return [row('DAP: line step', 'ms', times), { ...row(name, 'ms', times), value: percentile(times, 0.95) }];
  } finally {
    await adapter.close();
  }
}

async function stopRows(program: string, count: number): Promise<SessionRow[]> {
  const adapter = new AdapterClient();
  try {
    await adapter.launchToStop({ program, entry: 'entry', stopOnEntry: true });
    const [lists, listings]: [number[], number[]] = [[], []];
    for (let i = 0; i < count; i++) {
      const frame = await adapter.topFrame();
      const { scopes } = (await adapter.client.scopesRequest({ frameId: frame.id })).body;
      lists.push(
        await timed(async () => {
          const shown = await adapter.variables(scopes[0].variablesReference);
          if (shown.length < locals) throw new Error(`${shown.length} variables`);
        }),
      );
      const memoryReference = frame.instructionPointerReference ?? '';
      listings.push(await timed(() => adapter.client.disassembleRequest({ memoryReference, instructionCount: 400 })));
      await adapter.run('next');
    }
    return [
      row(`DAP: variables of a frame with ${locals} locals`, 'ms', lists),
      row('DAP: the first of these', 'ms', lists.slice(0, 1)),
      row('DAP: 400 instructions disassembled', 'ms', listings),
      row('DAP: the first of these', 'ms', listings.slice(0, 1)),
    ];
  } finally {
    await adapter.close();
  }
}

export async function sourceRows(quick: boolean): Promise<SessionRow[]> {
  if (findTool('arm-none-eabi-gcc') === undefined) {
    console.log('source: the programs are made by arm-none-eabi-gcc, which is not installed');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-source-'));
  try {
    return [
      ...indexRows(folder, quick),
      ...(await stepRows(quick ? 40 : 200)),
      ...(await stopRows(localsProgram(folder), quick ? 5 : 40)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
