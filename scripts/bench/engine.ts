/**
 * `npm run bench [-- --json] [-- --only NAME,...] [-- --quick]`: this project's engine beside qemu-system and native Unicorn in the
 * same run, and figures of a session (session-rows.ts). NAME is a kernel, a group (thumb-O2), `session`, `source`, `watch`,
 * `safety` or `history`. The loader's benchmark is `npm run bench:loader`. With --json the last line is one object: geometric means and rows. Figures are told, never judged; on
 * a loaded machine only the ratios mean something.
 */
import { loadavg } from 'node:os';
import { historyRows } from './history-rows';
import { kernelNames, kernelProgram } from './kernel-program';
import type { Isa, Level } from './kernel-program';
import { measureKernel } from './kernel-rows';
import type { KernelRow } from './kernel-rows';
import { qemu, unicorn } from './peers';
import { safetyRows } from './safety-rows';
import { sessionRows } from './session-rows';
import type { SessionRow } from './session-rows';
import { sourceRows } from './source-rows';
import { watchRows } from './watch-rows';

interface Group {
  readonly name: string;
  readonly isa: Isa;
  readonly level: Level;
}

const groups: readonly Group[] = (['thumb', 'rv32'] as const).flatMap((isa) =>
  (['O2', 'O0'] as const).map((level) => ({ name: `${isa}-${level}`, isa, level })),
);

interface Options {
  readonly json: boolean;
  readonly quick: boolean;
  readonly kernels: readonly string[];
  readonly groups: readonly Group[];
  readonly session: boolean;
  readonly source: boolean;
  readonly watch: boolean;
  readonly safety: boolean;
  readonly history: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const names: string[] = [];
  let [json, quick] = [false, false];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--json') json = true;
    else if (args[i] === '--quick') quick = true;
    else if (args[i] === '--only' && i + 1 < args.length) names.push(...args[++i].split(','));
    else throw new Error(`unknown argument ${args[i]}; there are --json, --quick and --only NAME,...`);
  }
  const known = [...kernelNames, ...groups.map(({ name }) => name), 'session', 'source', 'watch', 'safety', 'history'];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`nothing is called ${unknown.join(', ')}; there are ${known.join(', ')}`);
  const kernels = kernelNames.filter((name) => names.includes(name));
  const chosen = groups.filter(({ name }) => names.includes(name));
  const everything = names.length === 0;
  const anyKernel = everything || kernels.length > 0 || chosen.length > 0;
  return {
    json,
    quick,
    kernels: !anyKernel ? [] : kernels.length > 0 ? kernels : kernelNames,
    groups: chosen.length > 0 ? chosen : groups,
    session: everything || names.includes('session'),
    source: everything || names.includes('source'),
    watch: everything || names.includes('watch'),
    safety: everything || names.includes('safety'),
    history: everything || names.includes('history'),
  };
}

interface Mean {
  readonly vsQemu: number | null;
  readonly vsUnicorn: number | null;
  readonly interpreterVsQemu: number | null;
}

/** Null when there is nothing to take it of, or a kernel without this figure: a mean of fewer is another mean. */
function geometricMean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  if (present.length === 0 || present.length < values.length) return null;
  return Math.exp(present.reduce((sum, value) => sum + Math.log(value), 0) / present.length);
}

function meanOf(rows: readonly KernelRow[], { isa, level }: Group): Mean {
  const own = rows.filter((row) => row.isa === isa && row.level === level);
  return {
    vsQemu: geometricMean(own.map(({ vsQemu }) => vsQemu)),
    vsUnicorn: geometricMean(own.map(({ vsUnicorn }) => vsUnicorn)),
    interpreterVsQemu: geometricMean(own.map(({ interpreterVsQemu }) => interpreterVsQemu)),
  };
}

const widths = [10, 10, 12, 8, 8, 8, 9, 8, 10, 11, 9];
const print = (cells: readonly string[]): void =>
  console.log(cells.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(''));
const whole = (value: number | null): string => value?.toFixed(0) ?? '-';
const ratio = (value: number | null): string => value?.toFixed(2) ?? '-';

function printKernel(row: KernelRow): void {
  print([
    row.kernel,
    `${row.isa}-${row.level}`,
    row.engine,
    whole(row.engineMips),
    whole(row.interpreterMips),
    whole(row.qemuMips),
    whole(row.unicornMips),
    ratio(row.vsQemu),
    ratio(row.vsUnicorn),
    row.interpreterVsQemu?.toFixed(3) ?? '-',
    `${(100 * row.webAssemblyShare).toFixed(2)}%`,
  ]);
}

const load = (): string => loadavg()[0].toFixed(1);

function kernelRows(options: Options): KernelRow[] {
  if (options.kernels.length === 0) return [];
  console.log(
    'Millions of guest instructions a second of processor time; ratios above 1: the first is faster. int. = the interpreter alone',
  );
  print([
    'kernel',
    'build',
    'engine is',
    'engine',
    'int.',
    'QEMU',
    'Unicorn',
    '/QEMU',
    '/Unicorn',
    'int./QEMU',
    'in WASM',
  ]);
  const [many, few] = options.quick ? [300e6, 20e6] : [1000e6, 60e6];
  const rows: KernelRow[] = [];
  for (const group of options.groups) {
    const peers = { qemu: qemu(group.isa), unicorn: unicorn(group.isa) };
    for (const peer of Object.values(peers)) if ('missing' in peer) console.log(`${group.name}: ${peer.missing}`);
    const program = kernelProgram(group.isa, group.level);
    for (const name of options.kernels) {
      const kernel = kernelNames.findIndex((known) => known === name);
      const row = measureKernel({ ...peers, program, kernel, many, few, repetitions: options.quick ? 1 : 5 });
      rows.push(row);
      printKernel(row);
    }
    const mean = meanOf(rows, group);
    const figures = [ratio(mean.vsQemu), ratio(mean.vsUnicorn), mean.interpreterVsQemu?.toFixed(3) ?? '-', ''];
    print(['geomean', group.name, '', '', '', '', '', ...figures]);
  }
  return rows;
}

function printSession({ name, value, unit, measurements }: SessionRow): void {
  console.log(
    `${name.padEnd(46)}${value.toFixed(value < 10 ? 3 : value < 100 ? 1 : 0).padStart(10)} ${unit} (median of ${measurements})`,
  );
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  console.log(`load average ${load()} at the start`);
  const kernels = kernelRows(options);
  const sessions = options.session ? await sessionRows(options.quick) : [];
  if (options.source) sessions.push(...(await sourceRows(options.quick)));
  if (options.watch) sessions.push(...(await watchRows(options.quick)));
  if (options.history) sessions.push(...(await historyRows(options.quick)));
  if (options.safety) sessions.push(...safetyRows(options.quick));
  sessions.forEach(printSession);
  console.log(`load average ${load()} at the end; the loader's benchmark: npm run bench:loader`);
  if (!options.json) return;
  const geomean = Object.fromEntries(groups.map((group) => [group.name, meanOf(kernels, group)]));
  console.log(JSON.stringify({ geomean, rows: [...kernels, ...sessions] }));
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
