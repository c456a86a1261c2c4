/**
 * Every rule of lib/llext/profile.ts in every version: what a load does that shows the rule's value. The expected values
 * are the specification's statements (sections beside the cases), the files are made for one rule each. The last tests
 * walk the table: a rule without a case, or whose case cannot tell two of its values apart, fails them.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { profileNames, profileRules, ruleNames } from '../lib/llext/profile';
import type { ProfileName, RuleName } from '../lib/llext/profile';
import { buildElf, func, text } from './support/elf-builder';
import { bench, image } from './support/load-bench';
import { ruleCases } from './support/profile-cases';

/** Rules of functions other than llext_load, and of Xtensa's own linker: their cases are in those subjects' tests. */
const elsewhere: readonly RuleName[] = [
  'nameBytesCompared',
  'findSectionNeedsPeek',
  'shndxNeedsSectionData',
  'fnTable',
  'callFnEinval',
  'partitionMessage',
  'exportGroups',
  'shellLimitsHex',
  'progDataSize',
  'pltNeedsWritable',
  'pltReturnsErrors',
];

/** The oldest version maps sections by name: these rules have nothing to decide there. */
const hiddenInSeed: readonly RuleName[] = ['skippedNames', 'tlsSections', 'arrayEntsizeZero'];

for (const name of ruleNames) {
  const ruleCase = ruleCases[name];
  if (ruleCase === undefined) continue;
  const { section, what } = profileRules[name];
  test(`${name} (specification ${section}): ${what}`, () => {
    for (const profile of profileNames) {
      assert.deepEqual(ruleCase.observe(profile), ruleCase.expected[profile], profile);
    }
  });
}

test('every rule has a case', () => {
  const missing = ruleNames.filter((name) => ruleCases[name] === undefined && !elsewhere.includes(name));
  assert.deepEqual(missing, []);
});

test('each case tells every two values of its rule apart', () => {
  const blind = ruleNames.flatMap((name) => {
    const expected = ruleCases[name]?.expected;
    if (expected === undefined) return [];
    const values: Readonly<Record<string, boolean | string>> = profileRules[name].values;
    const pairs = profileNames.flatMap((a) => profileNames.map((b) => [a, b] as const));
    return pairs
      .filter(([a, b]) => !hiddenInSeed.includes(name) || (a !== 'SEED' && b !== 'SEED'))
      .filter(([a, b]) => values[a] !== values[b] && JSON.stringify(expected[a]) === JSON.stringify(expected[b]))
      .map(([a, b]) => `${name}: ${a} and ${b}`);
  });
  assert.deepEqual(blind, []);
});

test('what was compared with a real Zephyr is not assumed', () => {
  for (const name of ruleNames) {
    const assumed: readonly string[] = profileRules[name].assumed;
    assert.ok(!assumed.includes('V41'), name);
  }
});

test('a load tells which assumed rules it rested on, and only those', () => {
  const loadWith = (profile: ProfileName) => {
    const it = bench(image({ profile }));
    const { assumed } = it.load(buildElf({ sections: [text()], symbols: [func('f')] }));
    return assumed.map(({ rule, section }) => `${rule} ${section}`);
  };
  assert.deepEqual(loadWith('V41'), []);
  assert.deepEqual(loadWith('V44'), ['sectionNameBounds 1.2']);
  // The enum and the struct shape every load; the names of sections are looked at in any.
  assert.deepEqual(loadWith('S'), ['regionEnum 1.5', 'structLayout 2.1']);
  assert.ok(loadWith('SEED').includes('mapByName 1.5'));
});
