/**
 * Breakpoint locations and line extents against what gdb 13.1 answered for every line of every file
 * (`break FILE:LINE`, `info line FILE:LINE`), on gcc and clang, all optimization levels.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from '../lib/dwarf/model';
import type { LoadedProgram } from '../lib/program/loaded-program';
import { SourceLines } from '../lib/program/source-lines';
import { loadScattered, placeOf, truthCases, truthElf, truthStatics } from './support/gdb-truth';

function filesNamed(program: LoadedProgram, path: string): SourceFile[] {
  const files = program.debug?.files.filter((file) => file.path === path) ?? [];
  assert.ok(files.length > 0, `no file ${path}`);
  return files;
}

for (const truth of truthCases()) {
  test(`breakpoints and lines of ${truth.name} are where gdb puts them`, () => {
    const program = loadScattered(truthElf(truth));
    const { breakpoints, info_line } = truthStatics(truth);
    for (const [path, lines] of Object.entries(breakpoints)) {
      const files = filesNamed(program, path);
      for (const [line, expected] of lines) {
        const found = program
          .breakpointLocations(files, line)
          .map(({ address, file, line: at, function: inside }) =>
            [inside?.name, file.path, at, placeOf(program, address)].join(' '),
          );
        assert.deepEqual(found.sort(), expected.map((location) => location.join(' ')).sort(), `${path}:${line}`);
      }
    }
    for (const [path, lines] of Object.entries(info_line)) {
      const files = filesNamed(program, path);
      for (const [line, start, end] of lines) {
        const extent = program.lineExtent(files, line);
        assert.ok(extent, `${path}:${line}`);
        const found = [
          placeOf(program, extent.start),
          extent.end === undefined ? null : placeOf(program, extent.end, true),
        ];
        assert.deepEqual(found, [start, end], `${path}:${line}`);
        if (end === null) continue;
        const source = program.sourceAt(extent.start);
        assert.deepEqual([source?.file.path, source?.line], [path, line]);
        const range = program.stepRangeAt(extent.start);
        assert.deepEqual([range?.start, range?.end, range?.line], [extent.start, extent.end, line]);
      }
    }
  });
}

/** The whole table of a file, which the cases above hold against gdb. */
function statementsOfWhole(lines: SourceLines, file: SourceFile, line: number): readonly unknown[] {
  return lines.ofFile(file).flatMap(({ entries }) => entries.statementsOf(line));
}

test('a line that is searched for in the line programs has the statements of the whole tables', () => {
  let parts = 0;
  for (const truth of truthCases().filter(({ name }) => /(m3|clang|rv..)-O2$/.test(name))) {
    const { debug } = loadScattered(truthElf(truth));
    assert.ok(debug);
    const whole = new SourceLines(debug);
    for (const file of debug.filesWithCode()) {
      const known = whole.ofFile(file).map(({ entries }) => entries);
      const lines = known.flatMap((entries) => Array.from({ length: entries.count }, (_, at) => entries.line(at)));
      for (const line of new Set([...lines.filter((one) => one > 0), 1, 100_000])) {
        const found = new SourceLines(debug).statementsOf(file, line);
        assert.deepEqual(found, statementsOfWhole(whole, file, line), `${truth.name} ${file.path}:${line}`);
        parts += found.length;
      }
    }
  }
  assert.ok(parts > 500, `${parts} statements`);
});

test('more than four lines of a unit are answered by its whole table, with the same statements', () => {
  const [truth] = truthCases();
  const { debug } = loadScattered(truthElf(truth));
  assert.ok(debug);
  const [whole, searched] = [new SourceLines(debug), new SourceLines(debug)];
  const linesOf = (file: SourceFile): number[] =>
    whole.ofFile(file).flatMap(({ entries }) => Array.from({ length: entries.count }, (_, at) => entries.line(at)));
  const [file] = [...debug.filesWithCode()].sort((a, b) => linesOf(b).length - linesOf(a).length);
  const lines = linesOf(file).filter((line) => line > 0);
  assert.ok(new Set(lines).size > 4);
  for (const line of lines)
    assert.deepEqual(searched.statementsOf(file, line), statementsOfWhole(whole, file, line), `line ${line}`);
});
