/**
 * Why memory looks as it does after a load: every relocation with its formula in numbers, the bytes before and after, the margin to
 * its range and the source line; and the load itself as a timeline. Files are loaded one after another on scratch memory with the real
 * loader (lib/check/trial), so that later ones find what earlier ones export.
 */
import { ElfFile } from '../elf/elf-file';
import { FormatError } from '../errors';
import { machinesOf, standInBase } from '../check/base';
import type { CheckBase } from '../check/base';
import type { CheckInput, CheckOptions } from '../check/file-check';
import type { SourcePlace } from '../check/finding';
import { extensionNameOf } from '../check/extension-name';
import { SourcePlaces } from '../check/source-places';
import { TrialTarget } from '../check/trial';
import type { Trial } from '../check/trial';
import { explainRelocation, inputOfEvent } from '../llext/reloc/explain';
import type { RelocationExplanation } from '../llext/reloc/explain';
import { importedNames } from '../llext/inspect';
import { relocatorFor } from '../llext/reloc/index';
import type { AssumedRule } from '../llext/profile';
import type { LlextConfig, RelocationEvent } from '../llext/types';
import { timelineOf } from './timeline';
import type { TimelineStep } from './timeline';

export interface ExplainedRelocation {
  readonly section: string;
  /** r_offset. */
  readonly offset: number;
  readonly symbol: string;
  readonly typeName: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** 0, or the negative errno with which the loader refused it. */
  readonly ret: number;
  /** undefined: the loader has no formula for the type. */
  readonly explanation: RelocationExplanation | undefined;
  /** Function or variable that the place is part of. */
  readonly inside: string | undefined;
  readonly source: SourcePlace | undefined;
}

export interface FileExplanation {
  readonly file: string;
  readonly name: string;
  /** llext_load's return value, and its first error message where it is negative. */
  readonly ret: number;
  readonly refusal: string | undefined;
  readonly config: LlextConfig;
  readonly relocations: readonly ExplainedRelocation[];
  readonly timeline: readonly TimelineStep[];
  /** Rules that took effect and that nobody has compared with Zephyr. */
  readonly assumed: readonly AssumedRule[];
}

/**
 * FormatError where a file is no ELF file at all. Without a base image for the files' machine every import is provided
 * at a made-up address within reach.
 */
export function explainFiles(inputs: readonly CheckInput[], options: CheckOptions): FileExplanation[] {
  const files = inputs.map((input) => ({ input, elf: ElfFile.parse(input.bytes) }));
  if (files.length === 0) return [];
  const base = baseOf(
    files.map(({ elf }) => elf),
    options,
  );
  const target = new TrialTarget(base, {
    storage: options.storage ?? 'temporary',
    peek: options.peek !== false,
    relocationEvents: true,
    fileBytes: Math.max(...inputs.map(({ bytes }) => bytes.length)),
  });
  return files.map(({ input, elf }) => {
    const name = input.name ?? extensionNameOf(input.file);
    return describe(input, elf, name, target.load(input.bytes, name), target.config);
  });
}

function baseOf(elfs: readonly ElfFile[], { base, profile }: CheckOptions): CheckBase {
  const imports = [...new Set(elfs.flatMap((elf) => importedNames(elf)))];
  const chosen = base ?? standInBase(elfs[0], imports);
  return profile === undefined ? chosen : { ...chosen, config: { ...chosen.config, profile } };
}

function describe(input: CheckInput, elf: ElfFile, name: string, trial: Trial, config: LlextConfig): FileExplanation {
  const places = new SourcePlaces(elf, input);
  const relocations = trial.events.flatMap((event) =>
    event.kind === 'relocation' || event.kind === 'relocation-refused'
      ? [describeRelocation(event, config, places)]
      : [],
  );
  return {
    file: input.file,
    name,
    ret: trial.ret,
    refusal: trial.ret < 0 ? (trial.fault ?? trial.errors.find((text) => text !== '')) : undefined,
    config,
    relocations,
    timeline: timelineOf(trial.events),
    assumed: trial.assumed,
  };
}

function describeRelocation(event: RelocationEvent, config: LlextConfig, places: SourcePlaces): ExplainedRelocation {
  const relocator = relocatorFor(config.arch, config.pointerSize);
  return {
    section: event.sectionName,
    offset: event.offset,
    symbol: event.symbol,
    typeName: event.typeName,
    before: event.before,
    after: event.after,
    ret: event.ret,
    explanation: relocator && explainRelocation(relocator, inputOfEvent(event, config)),
    inside: attempt(() => places.symbolAt(event.section, event.offset)),
    source: attempt(() => places.of(event.section, event.offset)),
  };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Whether a base image is one for the file's machine, class and byte order. */
export function fitsBase(bytes: Uint8Array, { config }: CheckBase): boolean {
  const elf = attempt(() => ElfFile.parse(bytes));
  if (elf === undefined) return true;
  const sameWidth = elf.is64 === (config.pointerSize === 8) && elf.littleEndian === (config.bigEndian !== true);
  return sameWidth && machinesOf(config).includes(elf.header.e_machine);
}
