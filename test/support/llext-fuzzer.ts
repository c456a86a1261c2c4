/**
 * Loads malformed files by the hundred thousand and says what became of them. An input is a number: it chooses the
 * source file, the mutation, and the setting of the load (storage, loader, parameters, configuration, base image).
 * Only FormatError may come out of the ELF reader, nothing at all out of the loader; a refusal leaves nothing allocated.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LoadTarget } from '../../cli/load-target';
import type { Arch } from '../../lib/arch';
import { ElfFile } from '../../lib/elf/elf-file';
import { Errno, FormatError, LlextError } from '../../lib/errors';
import { importedNames, inspectRegions } from '../../lib/llext/inspect';
import type { LlextLoadResult } from '../../lib/llext/llext';
import { defaultLoadParam } from '../../lib/llext/loader';
import type { LlextLoadParam } from '../../lib/llext/loader';
import type { LlextConfig, LlextEvent, LlextStorage } from '../../lib/llext/types';
import { ElfMutator } from './elf-mutator';
import { trimmedRoot } from './golden';
import { Random } from './random';

export interface FuzzSource {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mutator: ElfMutator;
  readonly pointerSize: 4 | 8;
  readonly arch: Arch;
  readonly bigEndian: boolean;
  readonly imports: readonly string[];
}

/** How an input is loaded; plain data. */
export interface FuzzSetting {
  readonly config: LlextConfig;
  /** What the base image exports. */
  readonly imports: readonly string[];
  readonly heapBytes: number;
  readonly storage: LlextStorage;
  readonly peek: boolean;
  readonly parm: Pick<LlextLoadParam, 'relocate_local' | 'pre_located' | 'keep_section_info'>;
  readonly detachesEvenNames: boolean;
  /** Each relocation by itself, or a section in one go. */
  readonly linksOneByOne: boolean;
}

/** An input of test/fuzz-corpus: it outlives changes of the mutator. */
export interface KeptInput {
  /** What it found. */
  readonly found: string;
  readonly setting: FuzzSetting;
  /** base64 */
  readonly file: string;
}

export interface FuzzReport {
  files: number;
  /** Files that reached a step of do_llext_load, by the step's name; 'loaded' = to the end. */
  readonly steps: Record<string, number>;
  /** Results by errno; 'fault' = the machine itself would have failed. */
  readonly results: Record<string, number>;
  /** By processor time of all threads: the machine may be busy with something else. */
  slowest: { input: number; milliseconds: number };
  /** The first of those that took longer than the goal: while code is cold, any input may. */
  readonly slow: { input: number; milliseconds: number }[];
  /** Of the whole process, in MB. */
  peakMemory: number;
  readonly failures: { input: number; source: string; message: string }[];
}

const largestSource = 6000;
const goalMilliseconds = 100;
const mostSlow = 50;
const machines: Readonly<Record<number, Arch>> = {
  3: 'x86',
  40: 'arm',
  62: 'x86',
  94: 'xtensa',
  183: 'arm64',
  195: 'arc',
  243: 'riscv',
};

/** The kept golden extensions that are small: real compiler output for every architecture there. */
export function fuzzSources(): FuzzSource[] {
  const sources: FuzzSource[] = [];
  for (const folder of readdirSync(trimmedRoot, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    for (const file of readdirSync(join(trimmedRoot, folder.name)).sort()) {
      const path = join(trimmedRoot, folder.name, file);
      if (!file.endsWith('.elf') || file.startsWith('bad_') || statSync(path).size > largestSource) continue;
      sources.push(fuzzSource(`${folder.name}/${file}`, new Uint8Array(readFileSync(path))));
    }
  }
  return sources;
}

export function fuzzSource(name: string, bytes: Uint8Array): FuzzSource {
  const elf = ElfFile.parse(bytes);
  return {
    name,
    bytes,
    mutator: new ElfMutator(bytes),
    pointerSize: elf.is64 ? 8 : 4,
    arch: machines[elf.header.e_machine] ?? 'arm',
    bigEndian: !elf.littleEndian,
    imports: importedNames(elf),
  };
}

export class LlextFuzzer {
  readonly report: FuzzReport = {
    files: 0,
    steps: {},
    results: {},
    slowest: { input: -1, milliseconds: 0 },
    slow: [],
    peakMemory: 0,
    failures: [],
  };

  constructor(
    private readonly sources: readonly FuzzSource[],
    private readonly seed: number,
  ) {}

  /** Makes, reads and loads the file of that number. */
  run(input: number): void {
    const { file, setting, source, readRegions } = this.make(input);
    this.attempt(input, source, () => {
      readEverything(file, readRegions);
      this.load(file, setting);
    });
  }

  /** A kept input: what once failed must not fail again. */
  replay(kept: KeptInput, index: number): void {
    const file = Uint8Array.from(Buffer.from(kept.file, 'base64'));
    this.attempt(index, kept.found, () => {
      readEverything(file, true);
      this.load(file, kept.setting);
    });
  }

  /** The file and setting of an input, to keep or to look at. */
  keep(input: number, found: string): KeptInput {
    const { file, setting } = this.make(input);
    return { found, setting, file: Buffer.from(file).toString('base64') };
  }

  private attempt(input: number, source: string, action: () => void): void {
    const started = process.cpuUsage();
    try {
      action();
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.report.failures.push({ input, source, message });
    }
    const { user, system } = process.cpuUsage(started);
    const milliseconds = (user + system) / 1000;
    if (milliseconds > goalMilliseconds && this.report.slow.length < mostSlow)
      this.report.slow.push({ input, milliseconds });
    if (milliseconds > this.report.slowest.milliseconds) this.report.slowest = { input, milliseconds };
    this.report.files++;
  }

  private make(input: number): { file: Uint8Array; setting: FuzzSetting; source: string; readRegions: boolean } {
    const random = new Random(Math.imul(input + 1, 0x9e37_79b1) ^ this.seed);
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 4; i++) random.next();
    const source = random.pick(this.sources);
    const file = source.mutator.mutate(random);
    return { file, source: source.name, readRegions: random.below(8) === 0, setting: randomSetting(source, random) };
  }

  private load(file: Uint8Array, setting: FuzzSetting): void {
    const steps = new Set<string>();
    let outOfBounds = false;
    const listener = (event: LlextEvent): void => {
      if (event.kind === 'phase') steps.add(event.phase);
      else if (event.kind === 'out-of-bounds') outOfBounds = true;
    };
    const exports = setting.imports.map((name, i) => ({ name, address: 0x2000_8001n + BigInt(i * 16) }));
    const target = new LoadTarget(
      {
        config: setting.config,
        exports,
        heap: { address: 0x2010_0000n, bytes: setting.heapBytes },
        pool: 0x2000_1000n,
        listAddress: 0x2000_0000n,
      },
      { listener, relocationEvents: setting.linksOneByOne },
    );
    const before = target.freeHeapBytes();
    const loader = target.placeFile(file, setting.storage, setting.peek);
    const parm = {
      ...defaultLoadParam,
      ...setting.parm,
      ...(setting.detachesEvenNames ? { section_detached: ({ name }: { name: string }) => name.length % 2 === 0 } : {}),
    };
    target.announce('fuzzed');
    const result = target.llext.load(loader, 'fuzzed', parm);
    this.count(result, steps);
    // What Zephyr writes outside of its allocations, ours does too: then the heap's lists may be spoiled, as on a board.
    // So may a relocation whose r_offset nobody checks.
    if (result.ret !== 0 && result.fault === undefined && !outOfBounds && !steps.has('link')) {
      assert.equal(target.freeHeapBytes(), before, 'a refused file leaves something allocated');
    }
    if (result.ret === 0 && result.fault === undefined) useAndUnload(target, loader, result, parm.keep_section_info);
  }

  private count(result: LlextLoadResult, steps: ReadonlySet<string>): void {
    const { report } = this;
    for (const step of steps) report.steps[step] = (report.steps[step] ?? 0) + 1;
    if (result.ret === 0) report.steps['loaded'] = (report.steps['loaded'] ?? 0) + 1;
    assert.ok(result.ret <= 0, `a fresh name cannot have a use count: ${result.ret}`);
    const known = result.ret === 0 || Object.values(Errno).some((value) => value === -result.ret);
    assert.ok(known, `not an errno of Zephyr: ${result.ret}`);
    const key = result.fault === undefined ? String(result.ret) : 'fault';
    report.results[key] = (report.results[key] ?? 0) + 1;
  }
}

/** The default version most often. */
const versions = ['V41', 'V41', 'V41', 'V41', 'V41', 'V44', 'S', 'S', 'SEED'] as const;

function randomSetting(source: FuzzSource, random: Random): FuzzSetting {
  const protection = random.below(8);
  return {
    config: {
      pointerSize: source.pointerSize,
      arch: source.arch,
      bigEndian: source.bigEndian,
      page: source.arch === 'arm' ? 32 : 4096,
      armMpu: source.arch === 'arm' && protection === 0,
      mmu: source.arch !== 'arm' && protection === 0,
      importAllGlobals: random.below(6) === 0,
      logLevel: random.below(8) === 0 ? 4 : 1,
      profile: random.pick(versions),
      mode: random.below(10) === 0 ? 'abi-correct' : 'exact',
      veneers: random.below(4) === 0,
    },
    imports: random.below(4) === 0 ? source.imports.slice(1) : source.imports,
    heapBytes: random.pick([0x400, 0x2000, 0x1_0000, 0x1_0000]),
    storage: random.pick(['temporary', 'temporary', 'persistent', 'writable']),
    peek: random.below(4) !== 0,
    parm: {
      relocate_local: random.below(16) !== 0,
      pre_located: random.below(12) === 0,
      keep_section_info: random.below(4) === 0,
    },
    detachesEvenNames: random.below(12) === 0,
    linksOneByOne: random.below(2) === 0,
  };
}

/** What a caller does next. A table that a wild relocation has spoiled may fault. */
function useAndUnload(
  target: LoadTarget,
  loader: Parameters<LoadTarget['llext']['load']>[0],
  { extension }: LlextLoadResult,
  kept: boolean,
): void {
  assert.ok(extension !== undefined);
  try {
    target.llext.getFnTable(extension, true);
    target.llext.findSym('entry', extension);
    if (kept && target.llext.provides('llext_free_inspection_data')) target.llext.freeInspectionData(loader, extension);
    target.llext.unload(extension);
  } catch (error) {
    if (!(error instanceof LlextError)) throw error;
  }
}

/** Everything that the ELF reader offers; `regions` also asks for the preview of a load. */
function readEverything(file: Uint8Array, regions: boolean): void {
  onlyFormatErrors(() => {
    const elf = ElfFile.parse(file);
    onlyFormatErrors(() => elf.symbols());
    for (const section of elf.sections) {
      onlyFormatErrors(() => elf.sectionBytes(section));
      onlyFormatErrors(() => elf.relocationsFor(section.index));
    }
    if (regions) onlyFormatErrors(() => inspectRegions(elf));
  });
}

function onlyFormatErrors(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}
