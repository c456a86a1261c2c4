/** Variable-length arrays have the length that they have in the frame (DWARF 5, 5.13); sources in test/dwarf-values. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { markerLine } from './support/fixtures';
import { TruthRun } from './support/truth-session';

const folder = join(__dirname, 'dwarf-values');
const n = 3;

async function stopAt(name: string, marker: string): Promise<TruthRun> {
  const run = await TruthRun.start({ name, folder }, n);
  const files = run.program.debug?.files.filter((file) => file.path.endsWith('lengths.c')) ?? [];
  const [location] = run.program.breakpointLocations(files, markerLine(join(folder, 'lengths.c'), marker));
  assert.ok(await run.runTo(location.address));
  return run;
}

/** Expression -> type and text; `-` where a compiler's spelling of the type may differ. */
const inFill: readonly (readonly [string, string, string])[] = [
  ['line', 'int [3]', '{0, 1, 4}'],
  ['line[2]', 'int', '4'],
  ['*line@2', 'int [2]', '{0, 1}'],
  ['sizeof line', 'unsigned int', '12'],
  ['sizeof(line) / sizeof(line[0])', 'unsigned int', '3'],
  ['grid', 'short [3][4]', '{{0, 1, 2, 3}, {10, 11, 12, 13}, {20, 21, 22, 23}}'],
  ['grid[1]', 'short [4]', '{10, 11, 12, 13}'],
  ['grid[2][3] + line[1]', 'int', '24'],
  ['sizeof grid', 'unsigned int', '24'],
  ['sizeof grid[0]', 'unsigned int', '8'],
  ['&grid[1][2] - &grid[0][0]', 'int', '6'],
];

for (const name of ['lengths.m3-O0', 'lengths.m3-Og', 'lengths.m3clang-O0']) {
  test(`${name}: local arrays`, async () => {
    const run = await stopAt(name, 'BP3');
    const [frame] = run.frames();
    for (const [text, type, value] of inFill) assert.deepEqual(run.evaluate(text, frame), [type, value], text);
    const line = run.locals(frame).find(([variable]) => variable === 'line');
    assert.deepEqual(line?.slice(2), ['int [3]', '{0, 1, 4}']);
  });

  test(`${name}: an array parameter`, async () => {
    const run = await stopAt(name, 'BP1');
    const [frame] = run.frames();
    if (name.includes('clang')) {
      // clang does not say how long the rows of a parameter are.
      assert.deepEqual(run.evaluate('grid[1][2]', frame), [null, 'the size of short [] is not known']);
      return;
    }
    assert.deepEqual(run.evaluate('grid[1][2]', frame), ['short', '12']);
    assert.deepEqual(run.evaluate('grid[last]', frame), ['short [4]', '{20, 21, 22, 23}']);
    assert.deepEqual(run.evaluate('*grid', frame), ['short [4]', '{0, 1, 2, 3}']);
    assert.deepEqual(run.evaluate('(*(grid + 1))[1]', frame), ['short', '11']);
  });

  test(`${name}: before the declaration has run`, async () => {
    const run = await stopAt(name, 'BP2');
    const [frame] = run.frames();
    // The length is garbage; what is shown is bounded and says what it is.
    for (const [variable, , , text] of run.locals(frame)) assert.ok(text.length < 2000, `${variable} = ${text}`);
    for (const text of ['line', 'grid', 'sizeof line', 'line[1000000]']) {
      assert.ok(run.evaluate(text, frame)[1].length < 2000, text);
    }
  });
}
