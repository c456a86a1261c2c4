/** What `llext run` tells of a run: coverage as an lcov tracefile, the profile, calls across the border, stack and heap. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hex } from '../lib/bytes';
import { FormatError } from '../lib/errors';
import { coverageOf, type FunctionCoverage, type LineCoverage, mergeLines } from '../lib/program/coverage';
import { demangle } from '../lib/program/demangle';
import { lcovText, type LcovFile } from '../lib/program/lcov';
import { LoadedProgram } from '../lib/program/loaded-program';
import type { BorderEvent, RunAccounts } from '../lib/target/accounts';
import type { EmulatedTarget } from '../lib/target/emulated-target';
import type { LoadedExtension } from '../lib/target/load';
import { type DebugFiles, openProgram } from './debug-elf';
import { table } from './output';
import { UsageError } from './usage-error';

export interface AccountOptions {
  readonly coverage: string | undefined;
  readonly output: string | undefined;
  readonly profile: boolean;
  readonly traceCalls: boolean;
  readonly json: boolean;
}

export const accountsUsage = `
  --coverage lcov    writes how often each line and function was executed, as a tracefile of lcov (genhtml reads it)
  --output FILE      where --coverage writes (default: lcov.info)
  --profile          instructions of each function and line, the deepest stack and the heap's use, on standard error
  --trace-calls      calls between the host and extensions, and between extensions, on standard error
  --json             one JSON object with all of that on standard output, and what the extension prints in it
                     With --trace-calls and --json the run is interpreted, which is slower; all counts are exact to the instruction.
`;

export const accountOptions = {
  coverage: { type: 'string' },
  output: { type: 'string' },
  profile: { type: 'boolean' },
  'trace-calls': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface AccountValues {
  readonly coverage?: string;
  readonly output?: string;
  readonly profile?: boolean;
  readonly 'trace-calls'?: boolean;
  readonly json?: boolean;
}

/** undefined: nothing is asked for. */
export function parseAccountOptions(values: AccountValues): AccountOptions | undefined {
  const { coverage, output, profile = false, json = false, 'trace-calls': traceCalls = false } = values;
  if (coverage !== undefined && coverage !== 'lcov') throw new UsageError(`--coverage: '${coverage}' is not 'lcov'`);
  if (output !== undefined && coverage === undefined) throw new UsageError('--output is for --coverage');
  if (coverage === undefined && !profile && !traceCalls && !json) return undefined;
  return { coverage, output, profile, traceCalls, json };
}

/** A loaded extension with its sources. */
interface Module {
  readonly name: string;
  readonly folder: string;
  readonly program: LoadedProgram;
}

export interface LoadedFile {
  readonly file: string;
  readonly debug: DebugFiles;
  readonly loaded: LoadedExtension;
}

interface Report {
  readonly instructions: number;
  readonly files: readonly LcovFile[];
  readonly functions: readonly (FunctionCoverage & { readonly module: string; readonly path: string })[];
}

export class RunReport {
  private readonly modules: Module[] = [];

  private constructor(
    private readonly target: EmulatedTarget,
    private readonly accounts: RunAccounts,
    private readonly options: AccountOptions,
  ) {}

  /** To be made before anything runs. */
  static async open(
    target: EmulatedTarget,
    files: readonly LoadedFile[],
    options: AccountOptions,
    warn: (text: string) => void,
  ): Promise<RunReport> {
    const report = new RunReport(
      target,
      target.keepAccounts({ tracesCalls: options.traceCalls || options.json }),
      options,
    );
    for (const { file, debug, loaded } of files) {
      const name = loaded.instance.name;
      if (report.modules.some(({ program }) => program.instance.id === loaded.instance.id)) continue;
      try {
        const program = openProgram(loaded.elf, debug);
        if (program.debug === undefined) warn(`${file} has no debug information: its lines are not counted`);
        const placed = new Map(loaded.extension.sections.map(({ index, address }) => [index, address]));
        const folder = dirname(resolve(file));
        report.modules.push({ name, folder, program: new LoadedProgram(program, loaded.instance, placed) });
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        warn(`the debug information of ${file} cannot be read (${error.message}): its lines are not counted`);
      }
    }
    return report;
  }

  /** Writes what was asked for. `ended`: how the run ended, in words; `output`: what the extension has printed. */
  write(ended: string, output: string, io: { stdout: (text: string) => void; stderr: (text: string) => void }): void {
    const report = this.compute();
    const { coverage, output: file = 'lcov.info', profile, traceCalls, json } = this.options;
    if (coverage !== undefined) writeTracefile(file, lcovText(report.files));
    if (json) {
      io.stdout(`${JSON.stringify(this.asJson(report, ended, output), plainNumbers, 2)}\n`);
      return;
    }
    if (traceCalls) io.stderr(this.traceText());
    if (profile) io.stderr(this.profileText(report));
  }

  private compute(): Report {
    const { counts } = this.accounts;
    const byPath = new Map<string, { lines: (readonly LineCoverage[])[]; functions: FunctionCoverage[] }>();
    const functions: Report['functions'][number][] = [];
    for (const { name, folder, program } of this.modules) {
      for (const { file, lines, functions: own } of coverageOf(program, counts)) {
        const path = sourcePath(file.path, folder);
        const known = byPath.get(path) ?? { lines: [], functions: [] };
        byPath.set(path, known);
        known.lines.push(lines);
        known.functions.push(...own);
        functions.push(...own.map((one) => ({ ...one, module: name, path })));
      }
    }
    const files = [...byPath].map(([path, { lines, functions: own }]) => ({
      path,
      lines: mergeLines(lines),
      functions: own,
    }));
    const instructions = [...counts.values()].reduce((sum, count) => sum + count, 0);
    functions.sort((a, b) => b.instructions - a.instructions);
    return { instructions, files, functions };
  }

  private asJson({ instructions, files, functions }: Report, ended: string, output: string): unknown {
    const { stack, heaps, events, droppedEvents } = this.accounts;
    return {
      ended,
      output,
      instructions,
      stack: stack && {
        bytes: stack.bytes,
        in: this.nameOf(stack.pc),
        calls: stack.calls.map((pc) => this.nameOf(pc)),
      },
      heap: Object.fromEntries([...heaps].map(([name, heap]) => [name === '' ? 'host' : name, heap])),
      functions,
      files: files.map(({ path, lines }) => ({ path, lines })),
      calls: events.map((event) => ({ ...event, from: this.nameOf(event.from), to: this.nameOf(event.to) })),
      ...(droppedEvents > 0 ? { callsNotKept: droppedEvents } : {}),
    };
  }

  private profileText({ instructions, files, functions }: Report): string {
    const share = (part: number): string => `${((100 * part) / Math.max(1, instructions)).toFixed(1)} %`;
    const functionRows = functions
      .filter((one) => one.instructions > 0)
      .map((one) => [
        String(one.instructions),
        share(one.instructions),
        String(one.count),
        `${one.name} of ${one.module}`,
      ]);
    const lineRows = files
      .flatMap(({ path, lines }) => lines.map((one) => ({ ...one, path })))
      .filter((one) => one.instructions > 0)
      .sort((a, b) => b.instructions - a.instructions)
      .slice(0, mostLines)
      .map((one) => [
        String(one.instructions),
        share(one.instructions),
        String(one.count),
        `${shortPath(one.path)}:${one.line}`,
      ]);
    return [
      `${instructions} instructions\n`,
      table([['instructions', 'share', 'calls', 'function'], ...functionRows], [0, 1, 2]),
      table([['instructions', 'share', 'times', 'line'], ...lineRows], [0, 1, 2]),
      this.stackText(),
      ...this.heapTexts(),
    ].join('');
  }

  private stackText(): string {
    const { stack } = this.accounts;
    if (stack === undefined) return 'stack: nothing was pushed\n';
    const calls = stack.calls.map((pc) => this.nameOf(pc)).join(' > ');
    return `stack: at most ${stack.bytes} bytes, in ${calls === '' ? this.nameOf(stack.pc) : calls}\n`;
  }

  private heapTexts(): string[] {
    return [...this.accounts.heaps].map(
      ([name, { current, peak, allocations, frees }]) =>
        `heap of ${name === '' ? 'the host' : name}: at most ${peak} bytes; ${allocations} blocks taken, ${frees} freed, ${current} bytes left\n`,
    );
  }

  private traceText(): string {
    const { events, droppedEvents } = this.accounts;
    const lines = events.map((event) => `${'  '.repeat(Math.max(0, event.depth))}${this.eventText(event)}\n`);
    if (droppedEvents > 0) lines.push(`and ${droppedEvents} more\n`);
    return lines.join('');
  }

  private eventText({ kind, from, to, values, result }: BorderEvent): string {
    const caller = from === 0 ? 'host' : this.nameOf(from);
    switch (kind) {
      case 'return':
        return `${caller} returns ${values.map(numberText).join('')}`;
      case 'host-call': {
        const returned = result === undefined ? '' : ` = ${numberText(result)}`;
        return `${this.nameOf(from - 1)} -> host ${this.nameOf(to)}(${values.map(numberText).join(', ')})${returned}`;
      }
      default: {
        const known = values.slice(0, this.parametersOf(to));
        return `${caller} ${kind === 'jump' ? '=>' : '->'} ${this.nameOf(to)}(${known.map(numberText).join(', ')})`;
      }
    }
  }

  /** Without debug information all registers that may hold one. */
  private parametersOf(address: number): number {
    const found = this.modules.map(({ program }) => program.functionAt(BigInt(address))).find((one) => one);
    return found?.scope.variables.filter(({ isParameter }) => isParameter).length ?? 4;
  }

  private nameOf(address: number): string {
    for (const { name, program } of this.modules) {
      const found = program.functionAt(BigInt(address))?.name ?? program.symbolAt(BigInt(address))?.symbol.name;
      if (found !== undefined) return `${name}:${demangle(found)}`;
    }
    return this.target.hostSymbol(BigInt(address))?.name ?? hex(address, 8);
  }
}

/** Rows of the profile's table of lines. */
const mostLines = 25;

function writeTracefile(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Relative names start where the ELF lies, which is where compilers were told to let them start. */
function sourcePath(path: string, folder: string): string {
  const beside = resolve(folder, path);
  return existsSync(beside) ? beside : path;
}

const shortPath = (path: string): string => path.replace(/^.*\//, '');

function numberText(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(value);
  const signed = BigInt.asIntN(typeof value === 'bigint' ? 64 : 32, BigInt(value));
  return signed > -0x10000n && signed < 0x10000n ? String(signed) : hex(BigInt.asUintN(32, signed));
}

function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
