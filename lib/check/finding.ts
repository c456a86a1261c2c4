/**
 * What a check reports. The rules are data (rules.ts): what a code means, how severe it is in which version of Zephyr,
 * and how to mend it; a finding adds the numbers and the place of one file.
 */
import type { SourceFile } from '../dwarf/model';
import type { ProfileName } from '../llext/profile';

export type Severity = 'error' | 'warning' | 'note';

/**
 * error: llext_load refuses the file, or what it needs cannot work. warning: it loads and does not do what one thinks.
 * by-trial: an error where the loader itself refuses the file, else a warning. absent: no problem in that version.
 */
export type RuleSeverity = Severity | 'by-trial' | 'absent';

export interface FindingRule {
  readonly severity: RuleSeverity | Readonly<Record<ProfileName, RuleSeverity>>;
  readonly title: string;
  /** Why it is so; for the finding's page. */
  readonly explanation: string;
  /** What to change in build or code, where the finding has nothing more exact. */
  readonly fix: string;
  /** Section of the loader's specification. */
  readonly specification: string;
}

export interface SourcePlace {
  readonly file: SourceFile;
  readonly line: number;
  /** 0 = unknown. */
  readonly column: number;
}

/** Where in the file: what is known of it. */
export interface FindingPlace {
  readonly section?: string;
  readonly symbol?: string;
  /** In that section. */
  readonly offset?: number;
  readonly source?: SourcePlace;
}

export interface RelatedPlace extends FindingPlace {
  readonly message: string;
}

export interface Finding<Code extends string = string> extends FindingPlace {
  readonly code: Code;
  readonly severity: Severity;
  /** What is wrong here, with the numbers. */
  readonly message: string;
  readonly fix: string;
  readonly related: readonly RelatedPlace[];
}
