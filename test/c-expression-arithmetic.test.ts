/**
 * Types and values of C expressions on constants: three thousand random expressions as GCC types and folds them, for
 * 32-bit Arm (ILP32, char unsigned) and x86-64 (LP64, char signed). Recorded by test/c-expression-table/record.py.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileExpression, evaluateExpression, type ExpressionScope } from '../lib/c-expression';
import { readScalar } from '../lib/dwarf/value';
import { runQuery } from '../lib/query';
import { emptyScope } from './support/empty-scope';
import { findTool, requireTool, runTool } from './support/tools';

type Row = readonly [string, string | null, string | null, string | null, string | null];

const folder = join(__dirname, 'c-expression-table');
const table = JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8')) as Row[];

function evaluate(text: string, scope: ExpressionScope): [string, string] {
  const { value } = runQuery(
    evaluateExpression(compileExpression(text, scope), { frame: scope.frame }),
    () => undefined,
  );
  const number = runQuery(readScalar(value), () => undefined);
  assert.ok(typeof number !== 'object');
  return [value.type.displayName, String(number)];
}

/** Python spells floating-point numbers in its own way. */
function normal(type: string, value: string): string {
  return /float|double/.test(type) ? String(Number(value.replace('inf', 'Infinity'))) : value;
}

function check(column: 1 | 3, scope: ExpressionScope): void {
  const problems: string[] = [];
  let compared = 0;
  for (const row of table) {
    const [type, value] = [row[column], row[column + 1]];
    if (type === null || value === null) continue;
    compared++;
    const [ourType, ourValue] = evaluate(row[0], scope);
    // x86's long double has more digits than a JavaScript number: only its type is compared.
    const isWide = type === 'long double' && scope.machine.addressSize === 8;
    if (ourType !== type || (!isWide && ourValue !== normal(type, value))) {
      problems.push(`${row[0]}: ${ourType} ${ourValue}, GCC has ${type} ${value}`);
    }
  }
  assert.deepEqual(problems.slice(0, 20), []);
  assert.ok(compared > 2500, `${compared}`);
}

test('ILP32, char unsigned: as arm-none-eabi-gcc', () => check(1, emptyScope(4, false)));
test('LP64, char signed: as gcc for x86-64', () => check(3, emptyScope(8, true)));

test('the recorded table is what GCC says', (t) => {
  const tools = ['arm-none-eabi-gcc', 'gcc', 'python3'];
  const [armGcc, gcc] = tools.map((tool) => requireTool(t, tool));
  if (armGcc === undefined || gcc === undefined || tools.some((tool) => findTool(tool) === undefined)) return;
  // Which expressions are left out depends on the warnings that a version has.
  const is12 = (tool: string): boolean => /^12(\.|$)/.test(runTool(tool, ['-dumpversion']).trim());
  if (!is12(armGcc) || !is12(gcc)) return t.skip('needs GCC 12');
  const { status, stderr } = spawnSync('python3', [join(folder, 'record.py'), '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
