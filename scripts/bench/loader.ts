/**
 * `npm run bench:loader [-- --json]`: loading big extensions beside GNU ld on the same file in the same run. A row is a file: MB/s of parsing and
 * loading and relocations/s of linking in this process (medians of five after two that warm up), the first load of a
 * process, `llext load` as a process, and `ld -r` and a final `ld` as processes. What ld does is not the same work: ld also writes a file, ours
 * keeps the target's heap and tables.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadTarget } from '../../cli/load-target';
import { ElfFile } from '../../lib/elf/elf-file';
import type { LlextConfig } from '../../lib/llext/types';
import { projectRoot } from '../../test/support/fixtures';
import { bigExtension } from './big-extension';
import type { BenchArch } from './big-extension';

const sizes = process.argv.includes('--quick') ? [1, 10] : [1, 10, 50];
const relocationCount = 100_000;
const repetitions = 5;
const prefixes: Readonly<Record<BenchArch, string>> = { thumb: 'arm-none-eabi-', rv32: 'riscv64-unknown-elf-' };
const assemblerFlags: Readonly<Record<BenchArch, readonly string[]>> = {
  thumb: ['-mcpu=cortex-m3'],
  rv32: ['-march=rv32imac', '-mabi=ilp32'],
};
const linkerFlags: Readonly<Record<BenchArch, readonly string[]>> = { thumb: [], rv32: ['-melf32lriscv'] };
const printk = 0x2040_0101;

export interface LoaderRow {
  readonly arch: BenchArch;
  readonly megabytes: number;
  readonly relocations: number;
  /** Milliseconds, medians. */
  readonly parse: number;
  readonly load: number;
  readonly firstLoad: number;
  readonly process: number | undefined;
  readonly ldRelocatable: number;
  readonly ldFinal: number;
  readonly parseMegabytesPerSecond: number;
  readonly loadMegabytesPerSecond: number;
  readonly relocationsPerSecond: number;
  /** Parse and load, to ld; below 1 = faster than ld. */
  readonly toLdRelocatable: number;
  readonly toLdFinal: number;
  /** MB of this process, afterwards. */
  readonly memory: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

function timed(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

const config = (arch: BenchArch): LlextConfig => ({
  pointerSize: 4,
  arch: arch === 'thumb' ? 'arm' : 'riscv',
  page: 32,
  armMpu: false,
  mmu: false,
  importAllGlobals: false,
  logLevel: 1,
});

const heapBytes = 0x780_0000;
const heapAddress = 0x2080_0000;
const pool = 0x2800_1000;

function loadOnce(arch: BenchArch, bytes: Uint8Array): number {
  const target = new LoadTarget({
    config: config(arch),
    exports: [{ name: 'printk', address: BigInt(printk) }],
    heap: { address: BigInt(heapAddress), bytes: heapBytes },
    pool: BigInt(pool),
    listAddress: 0x2000_0000n,
  });
  const loader = target.placeFile(bytes, 'temporary', true);
  target.announce('big');
  let ret = -1;
  const milliseconds = timed(() => (ret = target.llext.load(loader, 'big').ret));
  if (ret !== 0) throw new Error(`llext_load refuses the generated file: ${ret}`);
  return milliseconds;
}

function measure(arch: BenchArch, megabytes: number, folder: string): LoaderRow {
  const prefix = prefixes[arch];
  const file = join(folder, `${arch}-${megabytes}.o`);
  const source = join(folder, 'big.s');
  writeFileSync(source, bigExtension(arch, megabytes * 1e6, relocationCount));
  execFileSync(`${prefix}as`, [...assemblerFlags[arch], '-o', file, source]);
  const bytes = new Uint8Array(readFileSync(file));
  const size = statSync(file).size / 1e6;
  const elf = ElfFile.parse(bytes);
  const relocations = elf.sections.reduce(
    (sum, { sh_type, sh_size, sh_entsize }) => sum + (sh_type === 4 || sh_type === 9 ? sh_size / sh_entsize : 0),
    0,
  );
  const symbols = ['--defsym', `printk=0x${(printk & ~1).toString(16)}`, '-Ttext', '0x20800000', '-e', 'f0'];
  const linker = (args: readonly string[]): number =>
    timed(() => execFileSync(`${prefix}ld`, [...linkerFlags[arch], ...args, '-o', join(folder, 'out'), file]));
  const firstLoad = loadOnce(arch, bytes);
  const [parses, loads, relocatable, final, processes]: number[][] = [[], [], [], [], []];
  for (let i = -2; i < repetitions; i++) {
    const parse = timed(() => void ElfFile.parse(bytes).symbols().length);
    const load = loadOnce(arch, bytes);
    if (i < 0) continue;
    parses.push(parse);
    loads.push(load);
    relocatable.push(linker(['-r']));
    final.push(linker(symbols));
    const own = ownProcess(arch, file, folder);
    if (own !== undefined) processes.push(own);
  }
  const [parse, load] = [median(parses), median(loads)];
  const [ldRelocatable, ldFinal] = [median(relocatable), median(final)];
  return {
    arch,
    megabytes: size,
    relocations,
    parse,
    load,
    firstLoad,
    process: processes.length === 0 ? undefined : median(processes),
    ldRelocatable,
    ldFinal,
    parseMegabytesPerSecond: (size / parse) * 1000,
    loadMegabytesPerSecond: (size / load) * 1000,
    relocationsPerSecond: (relocations / load) * 1000,
    toLdRelocatable: (parse + load) / ldRelocatable,
    toLdFinal: (parse + load) / ldFinal,
    memory: process.memoryUsage().rss / 1e6,
  };
}

/** `llext load` of the build, on a base image with a heap that is large enough. */
function ownProcess(arch: BenchArch, file: string, folder: string): number | undefined {
  const bundle = join(projectRoot, 'dist/llext.js');
  if (!existsSync(bundle)) return undefined;
  const base = join(folder, `${arch}.json`);
  const { pointerSize, page } = config(arch);
  const image = {
    arch: config(arch).arch,
    ptr_size: pointerSize,
    page,
    config: { ARM_MPU: 0, MMU: 0, IMPORT_ALL_GLOBALS: 0, LOG_LEVEL: 1 },
    heap_init_mem: `0x${heapAddress.toString(16)}`,
    heap_init_bytes: heapBytes,
    pool: `0x${pool.toString(16)}`,
    builtins: [{ name: 'printk', addr: `0x${printk.toString(16)}` }],
  };
  writeFileSync(base, JSON.stringify(image));
  let status: number | null = null;
  const milliseconds = timed(() => {
    ({ status } = spawnSync(process.execPath, [bundle, 'load', '--base', base, file], { stdio: 'ignore' }));
  });
  if (status !== 0) throw new Error(`llext load ends with ${String(status)}`);
  return milliseconds;
}

export function benchLoader(): LoaderRow[] {
  const folder = mkdtempSync(join(tmpdir(), 'llext-bench-'));
  try {
    return (['thumb', 'rv32'] as const).flatMap((arch) => sizes.map((size) => measure(arch, size, folder)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function print(rows: readonly LoaderRow[]): void {
  const columns = [
    'file',
    'relocs',
    'parse',
    'load',
    'first',
    'process',
    'ld -r',
    'ld',
    'MB/s',
    'relocs/s',
    '/ld -r',
    '/ld',
    'RSS',
  ];
  console.log(columns.map((name) => name.padStart(10)).join(''));
  for (const row of rows) {
    const cells = [
      `${row.arch} ${row.megabytes.toFixed(0)}M`,
      String(row.relocations),
      row.parse.toFixed(1),
      row.load.toFixed(1),
      row.firstLoad.toFixed(1),
      row.process?.toFixed(0) ?? '-',
      row.ldRelocatable.toFixed(0),
      row.ldFinal.toFixed(0),
      row.loadMegabytesPerSecond.toFixed(0),
      row.relocationsPerSecond.toExponential(1),
      row.toLdRelocatable.toFixed(2),
      row.toLdFinal.toFixed(2),
      `${row.memory.toFixed(0)}M`,
    ];
    console.log(cells.map((cell) => cell.padStart(10)).join(''));
  }
}

if (process.argv[1] === import.meta.filename) {
  const rows = benchLoader();
  print(rows);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ loader: rows }));
}
