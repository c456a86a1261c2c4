/** All codes that `llext check` knows: a closed table, each with a case in test/check-codes.test.ts. */
import type { ProfileName } from '../llext/profile';
import type { FindingRule, RuleSeverity } from './finding';
import { fileRules } from './rules-file';
import { memoryRules } from './rules-memory';
import { relocationRules } from './rules-relocations';
import { sectionRules } from './rules-sections';
import { symbolRules } from './rules-symbols';

export const findingRules = { ...fileRules, ...sectionRules, ...relocationRules, ...symbolRules, ...memoryRules };

export type FindingCode = keyof typeof findingRules;

export const findingCodes = Object.keys(findingRules) as FindingCode[];

export function ruleOf(code: string): FindingRule | undefined {
  return findingCodes.includes(code as FindingCode) ? findingRules[code as FindingCode] : undefined;
}

export function severityIn(rule: FindingRule, profile: ProfileName): RuleSeverity {
  return typeof rule.severity === 'string' ? rule.severity : rule.severity[profile];
}
