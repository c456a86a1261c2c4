/**
 * Values of every kind of type and C expressions on them, shown as gdb 13 shows them (recorded by
 * test/dwarf-values/record.py), little-endian, big-endian and with DWARF 2's bit-fields. Where C and gdb disagree,
 * C wins; each such case is listed with its reason.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileExpression, evaluateExpression, ExpressionError } from '../lib/c-expression';
import { formatValue, symbolAnnotation } from '../lib/dwarf/format';
import { runQuery } from '../lib/query';
import { type StaticProgram, staticProgram } from './support/static-program';
import { requireTool, runTool } from './support/tools';

const folder = join(__dirname, 'dwarf-values');
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));

/** What C's rules give where gdb follows its own; type null: an error. */
interface Difference {
  readonly type: string | null;
  readonly text: string;
  readonly reason: string;
}

const differences = json('differences') as Readonly<Record<string, Difference | undefined>>;
const variants = ['values', 'big-endian', 'dwarf2'];

function show(program: StaticProgram, text: string): [string | null, string] {
  const { scope, read, loaded } = program;
  const symbolText = symbolAnnotation((address) => loaded.labelAt(address));
  try {
    const compiled = compileExpression(text, scope);
    const { value } = runQuery(evaluateExpression(compiled, { frame: scope.frame }), read);
    return [value.type.displayName, runQuery(formatValue(value, { symbolText }), read)];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [null, error.message];
  }
}

for (const variant of variants) {
  const program = staticProgram(readFileSync(join(folder, `${variant}.elf`)));
  const expected = json(variant) as [string, string | null, string][];
  test(`${variant}: ${expected.length} expressions as gdb prints them`, () => {
    const problems: string[] = [];
    for (const [expression, type, text] of expected) {
      const difference = differences[expression];
      const [shownType, shownText] = show(program, expression);
      const [wantedType, wantedText] = difference ? [difference.type, difference.text] : [type, text];
      // gdb's wording of errors is its own; that it is an error is what counts.
      const same = shownType === wantedType && (type === null || shownText === wantedText);
      if (!same) problems.push(`${expression}: ${shownType} ${shownText}, wanted ${wantedType} ${wantedText}`);
    }
    assert.deepEqual(problems, []);
  });
}

test('every listed difference from gdb is one', () => {
  const recorded = new Map((json('values') as [string, string | null, string][]).map(([e, ...rest]) => [e, rest]));
  for (const [expression, difference] of Object.entries(differences)) {
    assert.ok(recorded.has(expression), `${expression} is not recorded`);
    assert.notDeepEqual([difference?.type, difference?.text], recorded.get(expression), expression);
  }
});

test('the recorded texts are what gdb says', (t) => {
  const gdb = requireTool(t, 'gdb-multiarch');
  if (gdb === undefined || requireTool(t, 'python3') === undefined) return;
  // Another version may word things differently; what was recorded stays the reference.
  if (!/\b13\.\d/.test(runTool(gdb, ['--version']))) return t.skip('needs gdb 13');
  const { status, stderr } = spawnSync('python3', [join(folder, 'record.py'), '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
