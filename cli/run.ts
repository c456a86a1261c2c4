/**
 * `llext run`: loads extensions into the emulated target, runs their init functions, one exported function, and the fini
 * functions.
 * What the extension prints goes to standard output and nothing else does; how it ended is told in words on standard
 * error. Exit code 0 = the function returned, 1 = it was not loaded, faulted or aborted, 2 = wrong usage.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { cpus, findCpu, type CpuInfo } from '../lib/arch';
import type { BaseImageDescription } from '../lib/base-image';
import { stripType } from '../lib/dwarf/model';
import { FormatError, LlextError } from '../lib/errors';
import { constantName, machineNames } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { MAX_HEAP_SIZE_KIB } from '../lib/kernel/memory-map';
import { cpuForElf, missingFloatRegisters, withFloatAbiOf } from '../lib/program/cpu-for-elf';
import { LoadedProgram } from '../lib/program/loaded-program';
import { checkBaseImage, ownHeapText } from '../lib/target/base-image-check';
import { DEFAULT_HISTORY_MIB, extensionName, usualEntry } from '../lib/target/defaults';
import { EmulatedTarget } from '../lib/target/emulated-target';
import type { LoadedExtension } from '../lib/target/load';
import type { FaultReport, TargetStop } from '../lib/target/target';
import { extensionProblems, readBase } from './base-image-file';
import { findDebugFiles, openProgram } from './debug-elf';
import { checkedRules, createTarget, parseSharedMemory } from './memory-options';
import { parseArguments } from './parse-arguments';
import {
  accountOptions,
  type AccountOptions,
  accountsUsage,
  type LoadedFile,
  parseAccountOptions,
  RunReport,
} from './run-accounts';
import { differences, readRecording, resultOf, writeRecording, type RunInputs, type RunResult } from './recording';
import { UsageError } from './usage-error';
import { RunWatches, watchOptions, watchUsage, type WatchWishes } from './watch-options';

export interface Output {
  write(text: string): unknown;
}

export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
}

export const runUsage = `usage: llext run FILE... [--base ZEPHYR.ELF] [--entry FUNCTION] [--arg INTEGER]... [--cpu CORE] [--heap-size KIB]
       [--check-memory] [--check-owners] [--shared-memory WHAT]...
       [--watch EXPR]... [--who-wrote EXPR]...
       [--coverage lcov [--output FILE]] [--profile] [--trace-calls] [--json]

Loads the extensions in order, runs their init functions, calls FUNCTION of the last one on an emulated Cortex-M or
RISC-V core, and runs their fini functions.

  --base FILE        the zephyr.elf that the extensions link against and call (default: the built-in base image). What the
                     host implements (printk, memcpy, k_malloc ...) is done by the host, other code of it runs; what
                     needs a running kernel or a peripheral stops with a message
  --entry FUNCTION   exported function (default: entry, main, start, test_entry, or the only export)
  --arg INTEGER      argument, decimal or 0x hexadecimal; once for each
  --cpu CORE         ${cpus.map(({ name }) => name).join(', ')}
                     (default: what the base image, or the ELF, was built for)
  --heap-size KIB    size of the llext heap (default: 64, or the heap of the base image)
  --check-memory     stop before the first access or use that breaks a rule of memory safety: outside of the extension's
                     memory, a write to constants, execution of data, use of a value that was never written; with who
                     allocated and freed it
  --check-owners     as --check-memory, and stop before an extension accesses DATA or BSS of another one, other than objects
                     that it exports
  --shared-memory WHAT  memory that extensions may use besides their own: the name of an object of the base image, or
                     ADDRESS:SIZE, or ADDRESS:SIZE:ro when they may only read it; once for each
${watchUsage.slice(1)}${accountsUsage.slice(1)}  --seed INTEGER     where rand() begins (default: 1)
  --record FILE      write the seed and the inputs of the run, and what it came to
  --replay FILE      run what was recorded again, in place of FILE... and the other options, and say what differs
  --help             this text

Exit code: 0 the function returned, 1 load error, fault or abort, 2 wrong usage.
`;

interface RunOptions extends Omit<RunInputs, 'cpu'>, WatchWishes {
  readonly cpu: CpuInfo | undefined;
  /** Where the run is to be recorded. */
  readonly record: string | undefined;
  /** What a run that is replayed came to. */
  readonly expected: RunResult | undefined;
  readonly accounts: AccountOptions | undefined;
}

export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      io.stdout.write(runUsage);
      return 0;
    }
    return await runFiles(options, io);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof LlextError)) throw error;
    io.stderr.write(`llext run: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** undefined: the usage was asked for. */
function parseOptions(args: readonly string[]): RunOptions | undefined {
  const { values, positionals } = parseCommandLine(args);
  if (values.help === true) return undefined;
  if (values.replay !== undefined) {
    if (Object.keys(values).length > 1 || positionals.length > 0) {
      throw new UsageError('--replay: takes no other options and no FILE: they are in the recording');
    }
    return replayOptions(values.replay);
  }
  if (positionals.length === 0) throw new UsageError(`no FILE\n${runUsage}`);
  const cpu = values.cpu === undefined ? undefined : findCpu(values.cpu);
  if (values.cpu !== undefined && cpu === undefined) {
    throw new UsageError(`--cpu: '${values.cpu}' is not one of ${cpus.map(({ name }) => name).join(', ')}`);
  }
  return {
    files: positionals,
    base: values.base,
    entry: values.entry,
    arguments: (values.arg ?? []).map(parseInteger),
    cpu,
    heapSizeKiB: parseHeapSize(values['heap-size']),
    seed: parseSeed(values.seed),
    record: values.record,
    expected: undefined,
    watch: values.watch ?? [],
    whoWrote: values['who-wrote'] ?? [],
    checkMemory: values['check-memory'] === true || values['check-owners'] === true,
    checkOwners: values['check-owners'] === true,
    sharedMemory: values['shared-memory'] ?? [],
    accounts: parseAccountOptions(values),
  };
}

function replayOptions(file: string): RunOptions {
  const { inputs, result } = readRecording(file);
  const cpu = inputs.cpu === undefined ? undefined : findCpu(inputs.cpu);
  if (inputs.cpu !== undefined && cpu === undefined) throw new UsageError(`--replay: no core '${inputs.cpu}'`);
  return { ...inputs, cpu, record: undefined, expected: result, accounts: undefined, watch: [], whoWrote: [] };
}

function parseSeed(text: string | undefined): number {
  if (text === undefined) return 1;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value <= 0xffff_ffff) return value;
  throw new UsageError(`--seed: '${text}' is not an integer from 0 to 4294967295`);
}

function parseCommandLine(args: readonly string[]) {
  return parseArguments({
    args: joinNegative(args),
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      entry: { type: 'string' },
      arg: { type: 'string', multiple: true },
      cpu: { type: 'string' },
      'heap-size': { type: 'string' },
      'check-memory': { type: 'boolean' },
      'check-owners': { type: 'boolean' },
      'shared-memory': { type: 'string', multiple: true },
      seed: { type: 'string' },
      record: { type: 'string' },
      replay: { type: 'string' },
      ...watchOptions,
      ...accountOptions,
      help: { type: 'boolean', short: 'h' },
    },
  });
}

/** parseArgs takes `--arg -5` for two options: joined to `--arg=-5` it is what was meant. */
function joinNegative(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (joined.at(-1) === '--arg' && /^-\d/.test(arg)) joined[joined.length - 1] = `--arg=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

function parseInteger(text: string): bigint {
  if (!/^-?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) throw new UsageError(`--arg: '${text}' is not an integer`);
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  if (value < -(1n << 31n) || value >= 1n << 32n) throw new UsageError(`--arg: ${text} does not fit into 32 bits`);
  return value;
}

function parseHeapSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= 1 && value <= MAX_HEAP_SIZE_KIB)) {
    throw new UsageError(`--heap-size: '${text}' is not a number of KiB from 1 to ${MAX_HEAP_SIZE_KIB}`);
  }
  return value;
}

function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The core that was asked for, or of the last file; what is not an ELF is refused by the loader later. */
function cpuFor(contents: readonly Uint8Array[], chosen: CpuInfo | undefined): CpuInfo {
  try {
    const elf = ElfFile.parse(contents[contents.length - 1]);
    return chosen === undefined ? cpuForElf(elf) : withFloatAbiOf(elf, chosen);
  } catch (error) {
    if (error instanceof FormatError) return chosen ?? cpus[0];
    throw error;
  }
}

/** The loader compares no machines: code of another one would run as if it were this one's. */
function requireCpu({ cpu }: RunOptions, file: string, bytes: Uint8Array): void {
  if (cpu === undefined) return;
  try {
    const elf = ElfFile.parse(bytes);
    const { header, is64 } = elf;
    if (header.e_machine === cpu.machine && is64 === (cpu.pointerSize === 8)) {
      const lacking = missingFloatRegisters(elf, cpu);
      if (lacking === undefined) return;
      throw new UsageError(`--cpu: ${cpu.name} does not run ${file}, which ${lacking}`);
    }
    const found = `${constantName(machineNames, header.e_machine)} (${is64 ? '64' : '32'}-bit)`;
    throw new UsageError(`--cpu: ${cpu.name} does not run ${file}, which is for ${found}`);
  } catch (error) {
    // What is no ELF is refused by the loader.
    if (!(error instanceof FormatError)) throw error;
  }
}

function baseCpu(base: BaseImageDescription | undefined): CpuInfo | undefined {
  return base?.elf && cpuForElf(base.elf);
}

/** undefined: the built-in one. What does not fit is refused before anything is loaded. */
async function usableBase(
  { base: file, files, cpu, heapSizeKiB }: RunOptions,
  contents: readonly Uint8Array[],
): Promise<BaseImageDescription | undefined> {
  if (file === undefined) return undefined;
  const base = await readBase(file);
  const problems = checkBaseImage(base, cpu ?? baseCpu(base) ?? cpus[0]);
  if (problems.length > 0) throw new UsageError(`--base: ${problems.join('; ')}`);
  const ownHeap = ownHeapText(base);
  if (heapSizeKiB !== undefined && ownHeap !== undefined) throw new UsageError(`--heap-size: ${ownHeap}`);
  contents.forEach((bytes, i) => {
    const [problem] = extensionProblems(bytes, base);
    if (problem !== undefined) throw new UsageError(`${files[i]}: ${problem}`);
  });
  return base;
}

async function runFiles(options: RunOptions, io: CommandIo): Promise<number> {
  const printed: string[] = [];
  const contents = options.files.map(readFile);
  const base = await usableBase(options, contents);
  contents.forEach((bytes, i) => {
    requireCpu(options, options.files[i], bytes);
  });
  const target = createTarget(options, {
    cpu: cpuFor(contents, options.cpu ?? baseCpu(base)),
    heapSizeKiB: options.heapSizeKiB,
    base,
    seed: options.seed,
    sharedMemory: options.sharedMemory.map(parseSharedMemory),
    // Nobody else goes back.
    historyMiB: options.whoWrote.length > 0 ? DEFAULT_HISTORY_MIB : 0,
    listener: {
      output({ text }) {
        if (options.accounts?.json === true || options.record !== undefined || options.expected) printed.push(text);
        if (options.accounts?.json !== true) io.stdout.write(text);
      },
    },
  });
  if (options.checkMemory) target.setMemorySafety(checkedRules(options));
  const loaded: LoadedFile[] = [];
  for (const [i, file] of options.files.entries()) {
    const outcome = target.loadExtension({ name: extensionName(basename(file)), bytes: contents[i] });
    if (!outcome.loaded) {
      io.stderr.write(`${file}: ${outcome.message}\n`);
      return 1;
    }
    loaded.push({ file, debug: await findDebugFiles(file, contents[i]), loaded: outcome });
  }
  const last = loaded.at(-1);
  if (last === undefined) throw new UsageError('no FILE');
  const { name, address } = chooseEntry(last.loaded, options.entry);
  const warn = (text: string): unknown => io.stderr.write(`llext run: ${text}\n`);
  const report = options.accounts && (await RunReport.open(target, loaded, options.accounts, warn));
  const watches = new RunWatches(target, loaded, options, (line) => void io.stderr.write(`${line}\n`));
  target.prepareCall(address, options.arguments, target.bringUpCalls());
  const stop = await target.resume({ kind: 'continue' });
  const returnsNothing = stop.reason === 'exited' && isVoid(last, name);
  const ended = returnsNothing ? `${name} returned` : describeStop(name, stop);
  io.stderr.write(`${ended}\n`);
  if (stop.reason === 'fault') io.stderr.write(siteLines(stop.fault, loaded));
  await watches.tellWriters();
  const code = stop.reason === 'exited' ? await tearDown(target, io) : 1;
  const [stdout, stderr] = [io.stdout, io.stderr].map((to) => (text: string) => void to.write(text));
  const result = resultOf(target, printed.join(''), ended);
  if (options.record !== undefined) writeRecording(options.record, inputsOf(options), result);
  report?.write(ended, printed.join(''), { stdout, stderr });
  return options.expected === undefined ? code : compareReplay(options.expected, result, io) ? code : 1;
}

function inputsOf(options: RunOptions): RunInputs {
  const { files, base, entry, arguments: values, cpu, heapSizeKiB, seed } = options;
  const { checkMemory, checkOwners, sharedMemory } = options;
  const checks = { checkMemory, checkOwners, sharedMemory };
  return { files, base, entry, arguments: values, cpu: cpu?.name, heapSizeKiB, seed, ...checks };
}

function compareReplay(recorded: RunResult, result: RunResult, io: CommandIo): boolean {
  const found = differences(recorded, result);
  io.stderr.write(found.length === 0 ? 'as recorded\n' : `not as recorded:\n  ${found.join('\n  ')}\n`);
  return found.length === 0;
}

/** The fini functions, as llext_teardown calls them when the host is done with the extensions. */
async function tearDown(target: EmulatedTarget, io: CommandIo): Promise<number> {
  const calls = target.tearDownCalls();
  const last = calls.at(-1);
  if (last === undefined) return 0;
  target.prepareCall(last.address, [], calls.slice(0, -1));
  const stop = await target.resume({ kind: 'continue' });
  if (stop.reason === 'exited') return 0;
  io.stderr.write(`${describeStop('a fini function', stop)}\n`);
  return 1;
}

/** As far as the file has debug information that can be read: the function ran all the same. */
function isVoid({ debug, loaded }: LoadedFile, name: string): boolean {
  try {
    const found = openProgram(loaded.elf, debug).debug?.functionsNamed(name).at(0);
    return found !== undefined && stripType(found.returnType).kind === 'void';
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Exported data can't be called and is no candidate. */
function chooseEntry({ extension }: LoadedExtension, wanted: string | undefined): { name: string; address: bigint } {
  const functions = extension.expTab.symbols.filter(({ address }) => extension.hasCodeAt(address));
  const list = functions.length === 0 ? 'no function' : functions.map(({ name }) => name).join(', ');
  const name = wanted ?? usualEntry(functions.map((symbol) => symbol.name));
  const found = functions.find((symbol) => symbol.name === name);
  if (found !== undefined) return found;
  if (name !== undefined) {
    throw new UsageError(`--entry: ${extension.name} does not export a function '${name}'; it exports ${list}`);
  }
  throw new UsageError(`which function? ${extension.name} exports ${list}; say --entry FUNCTION`);
}

/** The C lines of a fault, and of what happened to the memory that it is about. */
function siteLines({ pc, safety }: FaultReport, loaded: readonly LoadedFile[]): string {
  if (safety === undefined) return '';
  const line = (what: string, at: bigint): string => {
    const position = loaded.map((one) => sourceAt(one, at)).find((found) => found !== undefined);
    return position === undefined ? '' : `  ${what}: ${position}\n`;
  };
  return [line('at', pc), ...safety.sites.map((site) => line(site.what, site.pc))].join('');
}

/** 'main.c:12'; undefined where the file's debug information does not tell, or cannot be read. */
function sourceAt({ debug, loaded: { elf, instance, extension } }: LoadedFile, address: bigint): string | undefined {
  try {
    const placements = new Map(extension.sections.map((section) => [section.index, section.address]));
    const position = new LoadedProgram(openProgram(elf, debug), instance, placements).sourceAt(address);
    return position && `${position.file.path}:${position.line}`;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function describeStop(entry: string, stop: TargetStop): string {
  switch (stop.reason) {
    case 'exited': {
      const signed = BigInt.asIntN(32, stop.returnValue);
      return `${entry} returned ${signed} (0x${BigInt.asUintN(32, signed).toString(16)})`;
    }
    case 'fault':
      return `${entry} faulted: ${stop.fault.message}`;
    case 'aborted':
      return `${entry} aborted: ${stop.message}`;
    case 'step':
    case 'pause':
    case 'watchpoint':
    case 'breakpoint':
    case 'history-start':
      return `${entry} stopped: ${stop.reason}`;
  }
}
