/**
 * Values of every kind of type and C expressions on them, shown as gdb shows them: test/dwarf-values/expected.json
 * was recorded from gdb 13 (record.py). Where C and gdb disagree, C wins; each such case is listed with its reason.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileExpression, evaluateExpression, ExpressionError } from '../lib/c-expression';
import { formatValue, symbolAnnotation } from '../lib/dwarf/format';
import { runQuery } from '../lib/query';
import { staticProgram } from './support/static-program';
import { requireTool } from './support/tools';

const folder = join(__dirname, 'dwarf-values');
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as [string, string | null, string][];
const { scope, read, loaded } = staticProgram(readFileSync(join(folder, 'values.elf')));
const symbolText = symbolAnnotation((address) => loaded.symbolAt(address));

/** [type, text] by C's rules where gdb follows its own. */
const differences = JSON.parse(readFileSync(join(folder, 'differences.json'), 'utf8')) as Record<
  string,
  { readonly type: string | null; readonly text: string; readonly reason: string }
>;

function show(text: string): [string | null, string] {
  try {
    const compiled = compileExpression(text, scope);
    const { value } = runQuery(evaluateExpression(compiled, { frame: scope.frame }), read);
    return [value.type.displayName, runQuery(formatValue(value, { symbolText }), read)];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [null, error.message];
  }
}

for (const [expression, type, text] of expected) {
  test(`print ${expression}`, () => {
    const difference = differences[expression] as (typeof differences)[string] | undefined;
    const [shownType, shownText] = show(expression);
    // gdb's wording of errors is its own; that it is an error is what counts.
    if (type === null && !difference) assert.equal(shownType, null, `${shownText} instead of: ${text}`);
    else assert.deepEqual([shownType, shownText], difference ? [difference.type, difference.text] : [type, text]);
  });
}

test('every listed difference from gdb is one', () => {
  for (const [expression, { type, text }] of Object.entries(differences)) {
    const recorded = expected.find(([candidate]) => candidate === expression);
    assert.ok(recorded, `${expression} is not recorded`);
    assert.notDeepEqual([type, text], recorded.slice(1), expression);
  }
});

test('the recorded texts are what gdb says', (t) => {
  if (requireTool(t, 'gdb-multiarch') === undefined || requireTool(t, 'python3') === undefined) return;
  const { status, stderr } = spawnSync('python3', [join(folder, 'record.py'), '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
