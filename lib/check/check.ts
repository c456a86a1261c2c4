/**
 * The whole preflight: files in the order in which they would be loaded, each looked at by the parts of this folder, and
 * loaded by the real loader on scratch memory. The trial has the last word: what it refuses has an error among its
 * findings, and what only it can tell (heap, faults) is said from it.
 */
import { FormatError, errnoName } from '../errors';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB } from '../elf/constants';
import { ElfFile } from '../elf/elf-file';
import type { AssumedRule, ProfileName } from '../llext/profile';
import type { LlextConfig, LlextStorage } from '../llext/types';
import { standInBase } from './base';
import type { CheckBase } from './base';
import { checkAbi, checkHeaders, checkTables, identMismatches } from './check-headers';
import { checkFunctionArrays } from './check-function-arrays';
import { checkImports, importsOf } from './check-imports';
import { checkMemory } from './check-memory';
import { checkReach } from './check-reach';
import { checkRelocations } from './check-relocations';
import { checkSections } from './check-sections';
import { checkExports, checkName, checkSymbols, exportsOf } from './check-symbols';
import { extensionNameOf } from './extension-name';
import { FileCheck } from './file-check';
import type { CheckInput, CheckOptions, ProvidedExport } from './file-check';
import type { Finding, Severity } from './finding';
import { findingRules } from './rules';
import type { FindingCode } from './rules';
import { TrialTarget } from './trial';
import type { Trial } from './trial';

export interface FileReport {
  readonly file: string;
  /** As llext_load would be asked to call it. */
  readonly name: string;
  /** What llext_load returns; undefined where no base image was given and the file is not even an ELF. */
  readonly ret: number;
  /** The loader's first error message, or what made it fault; undefined when it takes the file. */
  readonly refusal: string | undefined;
  readonly findings: readonly Finding<FindingCode>[];
  /** Rules that the verdict rests on and nobody has compared with Zephyr. */
  readonly assumed: readonly AssumedRule[];
  readonly leftOut: readonly { readonly code: FindingCode; readonly count: number }[];
}

export interface CheckReport {
  readonly profile: ProfileName;
  readonly files: readonly FileReport[];
}

type NamedInput = CheckInput & { readonly name: string };

/** Heap of the layout trial: nothing fails in it that some heap could hold. */
const layoutHeap = 0x400_0000;

export function checkFiles(inputs: readonly CheckInput[], options: CheckOptions = {}): CheckReport {
  const named = inputs.map((input): NamedInput => ({ ...input, name: input.name ?? extensionNameOf(input.file) }));
  const session = new Session(named, options);
  return { profile: session.profile, files: named.map((input, order) => session.report(input, order)) };
}

interface Loaded {
  readonly elf: ElfFile | FormatError;
  readonly verdict: Trial;
  readonly layout: { readonly trial: Trial; readonly target: TrialTarget };
  readonly base: CheckBase;
}

class Session {
  readonly profile: ProfileName;
  private readonly storage: LlextStorage;
  private readonly peek: boolean;
  private readonly loaded: readonly Loaded[];
  private readonly provided: readonly ProvidedExport[];

  constructor(
    private readonly inputs: readonly NamedInput[],
    private readonly options: CheckOptions,
  ) {
    this.profile = options.profile ?? options.base?.config.profile ?? 'V41';
    this.storage = options.storage ?? 'temporary';
    this.peek = options.peek ?? true;
    this.loaded = this.loadAll();
    this.provided = this.inputs.flatMap((input, order) => this.exportsOf(input, order));
  }

  report(input: NamedInput, order: number): FileReport {
    const { elf, verdict, layout, base } = this.loaded[order];
    const { ret } = verdict;
    const first = verdict.fault ?? verdict.errors.find((text) => text !== '');
    const refused = ret < 0 || verdict.fault !== undefined;
    const refusal = refused
      ? `${first?.split('\n')[0] ?? 'refused without a message'} (-${errnoName(ret) ?? ret})`
      : undefined;
    const head = { file: input.file, name: input.name, ret, refusal, assumed: verdict.assumed };
    if (elf instanceof FormatError) {
      return { ...head, findings: unreadable(elf, input.bytes, base.config, refused), leftOut: [] };
    }
    const { profile, storage, peek, provided } = this;
    const knowsBase = this.options.base !== undefined;
    const check = new FileCheck({
      input,
      order,
      elf,
      base,
      knowsBase,
      profile,
      storage,
      peek,
      verdict,
      layout,
      provided,
    });
    this.run(check);
    for (const { access, what } of verdict.outOfBounds) check.add('out-of-bounds', `the loader ${access}s ${what}`);
    if (verdict.fault !== undefined) check.add('loader-faults', verdict.fault);
    if (refusal !== undefined && !check.findings.some(({ severity }) => severity === 'error')) {
      check.add('load-refused', refusal);
    }
    return { ...head, findings: sorted(check.findings), leftOut: check.leftOut() };
  }

  private run(check: FileCheck): void {
    const earlier = this.inputs.slice(0, check.order);
    checkName(check, earlier);
    if (!checkHeaders(check)) return;
    const parts: readonly ((check: FileCheck) => void)[] = [
      checkTables,
      checkSections,
      checkFunctionArrays,
      checkRelocations,
      checkSymbols,
      checkImports,
      checkExports,
      checkAbi,
      checkReach,
      (file) => checkMemory(file, this.inputs),
    ];
    for (const part of parts) {
      try {
        part(check);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        const known = check.findings.some(({ code, message }) => code === 'damaged-table' && message === error.message);
        if (!known) check.add('damaged-table', error.message);
      }
    }
  }

  /** All files on one target, as they would be loaded; without a base image each by itself. */
  private loadAll(): Loaded[] {
    const fileBytes = this.inputs.reduce((sum, { bytes }) => sum + bytes.length, 0x1000 * this.inputs.length);
    const { storage, peek } = this;
    const shared = this.options.base === undefined ? undefined : this.inProfile(this.options.base);
    const make = (base: CheckBase) => ({
      exact: new TrialTarget(base, { storage, peek, fileBytes }),
      layout: new TrialTarget(base, { storage, peek, fileBytes, relocate: false, heapBytes: layoutHeap }),
    });
    const targets = shared === undefined ? undefined : make(shared);
    return this.inputs.map(({ bytes, name }) => {
      const elf = parse(bytes);
      const base = shared ?? this.inProfile(standInFor(elf));
      const { exact, layout } = targets ?? make(base);
      const verdict = exact.load(bytes, name);
      return { elf, verdict, base, layout: { trial: layout.load(bytes, name), target: layout } };
    });
  }

  private inProfile(base: CheckBase): CheckBase {
    return { ...base, config: { ...base.config, profile: this.profile } };
  }

  private exportsOf({ file }: NamedInput, order: number): ProvidedExport[] {
    const { elf, verdict, layout, base } = this.loaded[order];
    if (elf instanceof FormatError) return [];
    try {
      return exportsOf(elf, base.config.importAllGlobals).map(({ name, shndx, value }) => {
        const section = layout.trial.placed.find(({ index }) => index === shndx);
        const refused = verdict.ret !== 0 || section === undefined;
        return { name, file, order, address: refused ? undefined : section.address + value };
      });
    } catch (error) {
      if (error instanceof FormatError) return [];
      throw error;
    }
  }
}

function parse(bytes: Uint8Array): ElfFile | FormatError {
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

function standInFor(elf: ElfFile | FormatError): CheckBase {
  if (elf instanceof FormatError) return standInBase(undefined, []);
  try {
    return standInBase(
      elf,
      importsOf(elf, 'V41').map(({ symbol }) => symbol.name),
    );
  } catch (error) {
    if (error instanceof FormatError) return standInBase(elf, []);
    throw error;
  }
}

/** A file whose headers cannot be read at all. */
function unreadable(
  error: FormatError,
  bytes: Uint8Array,
  config: LlextConfig,
  refused: boolean,
): Finding<FindingCode>[] {
  const severity: Severity = refused ? 'error' : 'warning';
  const finding = (code: FindingCode, message: string): Finding<FindingCode> => {
    return { code, severity, message, fix: findingRules[code].fix, related: [] };
  };
  if (error.code === 'not-elf') return [finding('not-elf', error.message)];
  const [is64, littleEndian] = [bytes[EI_CLASS] === ELFCLASS64, bytes[EI_DATA] === ELFDATA2LSB];
  const ident = error.code.startsWith('unsupported') ? [] : identMismatches(is64, littleEndian, config);
  return [...ident.map(({ code, message }) => finding(code, message)), finding('damaged-table', error.message)];
}

const ranks: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** The worst first; otherwise as they were found. */
function sorted(findings: readonly Finding<FindingCode>[]): Finding<FindingCode>[] {
  return [...findings].sort((a, b) => ranks[a.severity] - ranks[b.severity]);
}

/** How many of each severity. */
export function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}
