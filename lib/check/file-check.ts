/**
 * What the parts of a check share: one file, what the trials made of it, the files before and after it, and the list
 * of findings, to which a code, a message and a place make an entry.
 */
import type { ElfFile, SectionHeader } from '../elf/elf-file';
import { profileFor } from '../llext/profile';
import type { Profile, ProfileName } from '../llext/profile';
import { regionsFor } from '../llext/regions';
import type { Regions } from '../llext/regions';
import type { LlextStorage, PlacedSection } from '../llext/types';
import type { CheckBase } from './base';
import type { Finding, RelatedPlace, Severity } from './finding';
import { findingRules, severityIn } from './rules';
import type { FindingCode } from './rules';
import { SourcePlaces } from './source-places';
import type { Trial, TrialTarget } from './trial';

export interface CheckInput {
  /** As reports show it. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Name for llext_load; by default the file's without folder and suffix. */
  readonly name?: string;
  /** Where the debug information is, when the file is stripped. */
  readonly debugElf?: ElfFile;
  /** Files with parts of the debug information. */
  readonly companions?: readonly ElfFile[];
}

export interface CheckOptions {
  /** undefined: only what the file alone says. */
  readonly base?: CheckBase;
  readonly profile?: ProfileName;
  readonly storage?: LlextStorage;
  /** Whether the loader can give addresses into the file image. */
  readonly peek?: boolean;
}

/** An export of a file of the check, and whether that file loads. */
export interface ProvidedExport {
  readonly name: string;
  readonly file: string;
  /** Position among the files. */
  readonly order: number;
  readonly address: bigint | undefined;
}

/** What has no place of its own in the file is '' . */
export interface Where {
  /** A section of the file; its name is shown, and its offset finds the source. */
  readonly section?: SectionHeader;
  readonly offset?: number;
  readonly symbol?: string;
  /** Replaces the rule's. */
  readonly fix?: string;
  readonly related?: readonly RelatedPlace[];
}

/** Of one code; more of the same says nothing new. */
const mostOfACode = 200;
const mostRelated = 12;

/** What is known of a file when its check begins. */
export interface FileFacts {
  readonly input: CheckInput & { readonly name: string };
  /** Position among the files. */
  readonly order: number;
  readonly elf: ElfFile;
  readonly base: CheckBase;
  /** Whether `base` is one, and not the stand-in. */
  readonly knowsBase: boolean;
  readonly profile: ProfileName;
  readonly storage: LlextStorage;
  readonly peek: boolean;
  readonly verdict: Trial;
  /** Sections at their predicted places; memory as it is before linking. */
  readonly layout: { readonly trial: Trial; readonly target: TrialTarget };
  readonly provided: readonly ProvidedExport[];
}

export class FileCheck implements FileFacts {
  readonly input: FileFacts['input'];
  readonly order: FileFacts['order'];
  readonly elf: FileFacts['elf'];
  readonly base: FileFacts['base'];
  readonly knowsBase: FileFacts['knowsBase'];
  readonly profile: FileFacts['profile'];
  readonly storage: FileFacts['storage'];
  readonly peek: FileFacts['peek'];
  readonly verdict: FileFacts['verdict'];
  readonly layout: FileFacts['layout'];
  readonly provided: FileFacts['provided'];
  /** The rules of that version, and its regions. */
  readonly rules: Profile;
  readonly regions: Regions;
  readonly findings: Finding<FindingCode>[] = [];
  private lazyPlaces: SourcePlaces | undefined;
  private readonly counts = new Map<FindingCode, number>();

  constructor(facts: FileFacts) {
    this.input = facts.input;
    this.order = facts.order;
    this.elf = facts.elf;
    this.base = facts.base;
    this.knowsBase = facts.knowsBase;
    this.profile = facts.profile;
    this.storage = facts.storage;
    this.peek = facts.peek;
    this.verdict = facts.verdict;
    this.layout = facts.layout;
    this.provided = facts.provided;
    this.rules = profileFor(facts.profile);
    this.regions = regionsFor(this.rules, facts.base.config);
  }

  get refused(): boolean {
    return this.verdict.ret < 0 || this.verdict.fault !== undefined;
  }

  get places(): SourcePlaces {
    this.lazyPlaces ??= new SourcePlaces(this.elf, this.input);
    return this.lazyPlaces;
  }

  placed(sectionIndex: number): PlacedSection | undefined {
    return this.layout.trial.placed.find(({ index }) => index === sectionIndex);
  }

  add(code: FindingCode, message: string, where: Where = {}): void {
    const severity = this.severityOf(code);
    if (severity === undefined) return;
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (count > mostOfACode) return;
    const { section, offset, symbol, related = [] } = where;
    const source =
      (section !== undefined && offset !== undefined ? this.places.of(section.index, offset) : undefined) ??
      (symbol === undefined ? undefined : this.places.ofSymbol(symbol));
    this.findings.push({
      code,
      severity,
      message,
      fix: where.fix ?? findingRules[code].fix,
      section: section?.name,
      symbol,
      offset,
      source,
      related: related.slice(0, mostRelated),
    });
  }

  /** A place with its source, for `related`. */
  related(message: string, section: SectionHeader, offset?: number): RelatedPlace {
    const source = offset === undefined ? undefined : this.places.of(section.index, offset);
    return { message, section: section.name, offset, source };
  }

  has(code: FindingCode): boolean {
    return this.counts.has(code);
  }

  /** Findings beyond the most that are listed, by code. */
  leftOut(): { readonly code: FindingCode; readonly count: number }[] {
    return [...this.counts]
      .map(([code, count]) => ({ code, count: count - mostOfACode }))
      .filter(({ count }) => count > 0);
  }

  private severityOf(code: FindingCode): Severity | undefined {
    const severity = severityIn(findingRules[code], this.profile);
    if (severity === 'absent') return undefined;
    return severity === 'by-trial' ? (this.refused ? 'error' : 'warning') : severity;
  }
}
