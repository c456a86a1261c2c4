/**
 * Rows about source-level debugging (`--only source`): from nothing to a breakpoint and a stop in a linked ELF of the size of a large
 * firmware, beside gdb on the same file; and what a user waits for at a stop, over DAP: a line step, 400 disassembled instructions, the
 * variables of a frame with 100 locals. Rows of the large file are processor time of new processes, without what an empty one of its
 * kind takes (gdb reads with several threads, which all count), the same by the clock, and whole processes with their start by the clock:
 * ours from compiled code of an earlier start, as the adapter's from its second start on, and the first start beside it. DAP rows are by
 * the clock.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterClient } from '../../test/support/dap-client';
import { fixturePath } from '../../test/support/fixtures';
import { findTool } from '../../test/support/tools';
import { AdapterProcess, type RequestCost } from './adapter-process';
import { makeLargeElf } from './large-elf';
import { childrenClock } from './processor-time';
import { row, type SessionRow } from './session-rows';

const megabytes = 50;

/** A breakpoint in the large file, for index-time.ts and for gdb. */
interface Breakpoint {
  readonly name: string;
  readonly ours: readonly string[];
  readonly gdb: string;
  readonly place: string;
}

const breakpoints: readonly Breakpoint[] = [
  { name: 'a line of one unit', ours: ['line', 'entry.c', '2'], gdb: 'entry.c:2', place: 'entry' },
  { name: 'a function', ours: ['function', 'entry'], gdb: 'entry', place: 'entry' },
  {
    name: 'a line that all units of a file have',
    ours: ['line', 'part_0.c', '10'],
    gdb: 'part_0.c:10',
    place: 'work_0_0',
  },
];

interface Cost {
  /** Milliseconds of processor time, and by the clock. */
  readonly processor: number;
  readonly clock: number;
}

function run(
  clock: () => number,
  tool: string,
  args: readonly string[],
  codeCache = '',
): Cost & { readonly output: string } {
  // As the adapter is started: Node reads no certificates.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: '', LLEXT_CODE_CACHE: codeCache };
  const [processor, begin] = [clock(), performance.now()];
  const output = execFileSync(tool, args, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8', env });
  return { output, processor: clock() - processor, clock: performance.now() - begin };
}

interface Laps {
  readonly laps: readonly Cost[];
}

function breakpointRows(path: string, { name, ours, gdb: where, place }: Breakpoint, quick: boolean): SessionRow[] {
  const script = join(__dirname, 'index-start.cjs');
  const codeCache = join(__dirname, 'code-cache');
  const gdb = findTool('gdb-multiarch') ?? findTool('gdb');
  const clock = childrenClock();
  if (clock === undefined) return [];
  const [laps, first, whole, theirs, theirWhole]: [Cost[][], Cost[], Cost[], number[], Cost[]] = [[], [], [], [], []];
  const withoutEmpty: number[] = [];
  // What a stop shows needs no process there: the function, its variables and the frame rules of a place.
  const commands = [`break ${where}`, `list *${place}`, `info scope ${place}`, `info symbol ${place}`];
  // Leaves its code for those that follow; gdb's is in the page cache by its empty run.
  run(clock, process.execPath, [script, path, ...ours], codeCache);
  for (let i = 0; i < (quick ? 1 : 7); i++) {
    first.push(run(clock, process.execPath, [script, path, ...ours]));
    const own = run(clock, process.execPath, [script, path, ...ours], codeCache);
    laps.push([...(JSON.parse(own.output) as Laps).laps]);
    whole.push(own);
    if (gdb === undefined) continue;
    const empty = run(clock, gdb, ['-nx', '-batch']);
    const full = run(clock, gdb, ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command]), path]);
    const emptyNode = run(clock, process.execPath, ['-e', '']);
    theirs.push(full.processor - empty.processor);
    theirWhole.push(full);
    withoutEmpty.push((full.clock - empty.clock) / (own.clock - emptyNode.clock));
  }
  const stops = laps.map((lap) => lap[lap.length - 1].processor);
  const title = `${megabytes} MB, ${name}`;
  const rows = ['file opened', 'program opened', 'places found', 'stop shown'].map((lap, n) =>
    row(
      `${title}: ${lap}`,
      'ms',
      laps.map((all) => all[n].processor),
    ),
  );
  const clocks = (costs: readonly Cost[]): number[] => costs.map((one) => one.clock);
  rows.push(row('  the whole process by the clock', 'ms', clocks(whole)));
  rows.push(row('  the same, first start of a build', 'ms', clocks(first)));
  if (theirs.length === 0) return rows;
  return [
    ...rows,
    row('  gdb: stop shown, without an empty run', 'ms', theirs),
    row('  gdb: the whole process by the clock', 'ms', clocks(theirWhole)),
    row(
      '  gdb / here, processor time',
      'x',
      theirs.map((one, i) => one / stops[i]),
    ),
    row('  gdb / here, by the clock without empty processes', 'x', withoutEmpty),
    row(
      '  gdb / here, whole processes by the clock',
      'x',
      theirWhole.map((one, i) => one.clock / whole[i].clock),
    ),
    row(
      '  the same, first start of a build',
      'x',
      theirWhole.map((one, i) => one.clock / first[i].clock),
    ),
  ];
}

function indexRows(folder: string, quick: boolean): SessionRow[] {
  const path = join(folder, 'large.elf');
  makeLargeElf(path, megabytes);
  return breakpoints.flatMap((breakpoint) => breakpointRows(path, breakpoint, quick));
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
  const adapter = new AdapterClient('inline');
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
  const adapter = new AdapterClient('inline');
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
    ];
  } finally {
    await adapter.close();
  }
}

/** In new processes, because what a listing needs is compiled once. */
async function firstListingRows(program: string, quick: boolean): Promise<SessionRow[]> {
  const rows: SessionRow[] = [];
  for (const wait of [0, 3000]) {
    const costs: RequestCost[] = [];
    for (let i = 0; i < (quick ? 1 : 5); i++) costs.push(await firstListing(program, wait));
    const clocks = costs.map(({ clock }) => clock);
    rows.push(row(`a process's first 400 instructions, ${wait} ms after the stop`, 'ms', clocks));
    const threads = costs.flatMap(({ thread }) => thread ?? []);
    if (threads.length > 0) rows.push(row("  processor time of the session's thread", 'ms', threads));
  }
  return rows;
}

async function firstListing(program: string, wait: number): Promise<RequestCost> {
  const adapter = await AdapterProcess.launch({ program, entry: 'entry' });
  try {
    const memoryReference = await adapter.programCounter();
    await new Promise((resolve) => setTimeout(resolve, wait));
    return await adapter.cost('disassemble', { memoryReference, instructionCount: 400, resolveSymbols: true });
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
    const program = localsProgram(folder);
    return [
      ...indexRows(folder, quick),
      ...(await stepRows(quick ? 40 : 200)),
      ...(await stopRows(program, quick ? 5 : 40)),
      ...(await firstListingRows(program, quick)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
