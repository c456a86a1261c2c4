/**
 * Every code of `llext check`: a file that has the finding, with severity, place, numbers and advice, and a twin without.
 * A walk over the table proves that none is left out. Errors are said exactly where the loader refuses.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { findingCodes, findingRules } from '../lib/check/rules';
import { findingsOf, reportsOf } from './support/check-case';
import type { CheckCase } from './support/check-case';
import { fileCases } from './support/check-cases-file';
import { memoryCases } from './support/check-cases-memory';
import { relocationCases } from './support/check-cases-relocations';
import { sectionCases } from './support/check-cases-sections';
import { symbolCases } from './support/check-cases-symbols';
import { NoCompiler } from './support/check-compiler';

const cases: readonly CheckCase[] = [...fileCases, ...sectionCases, ...relocationCases, ...symbolCases, ...memoryCases];

test('every code has a case, and every case a code', () => {
  assert.deepEqual([...new Set(cases.map(({ code }) => code))].sort(), [...findingCodes].sort());
});

test('every code says what it is, why, what to do, and where it is specified', () => {
  for (const code of findingCodes) {
    const { title, explanation, fix, specification } = findingRules[code];
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const text of [title, explanation, fix]) assert.ok(text.length > 3 && text === text.trim(), code);
    assert.match(explanation, /\.$/, code);
    assert.match(specification, /^\d(\.\d+)?$/, code);
  }
});

/** Without a compiler the case is skipped on a developer's machine. */
function withCompiler(t: { skip(reason: string): void }, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof NoCompiler) || process.env['CI'] === 'true') throw error;
    t.skip(`needs ${error.message}`);
  }
}

for (const entry of cases) {
  test(`${entry.code}: found where it is, not in the twin`, (t) => {
    withCompiler(t, () => {
      const found = findingsOf(entry.provoke());
      const finding = found.find(({ code, message }) => code === entry.code && entry.message.test(message));
      assert.ok(finding, found.map(({ code, severity, message }) => `${severity} ${code}: ${message}`).join('\n'));
      assert.equal(finding.severity, entry.severity);
      if (entry.section !== undefined) assert.equal(finding.section, entry.section);
      if (entry.symbol !== undefined) assert.equal(finding.symbol, entry.symbol);
      if (entry.fix !== undefined) assert.match(finding.fix, entry.fix);
      const twin = findingsOf(entry.clean()).filter(({ code }) => code === entry.code);
      assert.deepEqual(twin, []);
    });
  });
}

test('an error is said exactly where llext_load refuses or does not read the file', (t) => {
  withCompiler(t, () => {
    const wrong = cases.flatMap(({ code, provoke, clean }) =>
      [provoke(), clean()].flatMap((setup, i) =>
        reportsOf(setup)
          .filter(({ ret, findings }) => (ret !== 0) !== findings.some(({ severity }) => severity === 'error'))
          .map(
            ({ ret, findings }) =>
              `${code} ${i}: ret ${ret}, ${findings.map((f) => `${f.severity} ${f.code}`).join(', ')}`,
          ),
      ),
    );
    assert.deepEqual(wrong, []);
  });
});
