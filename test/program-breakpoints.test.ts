/**
 * Breakpoint locations and line extents against what gdb 13.1 answered for every line of every file
 * (`break FILE:LINE`, `info line FILE:LINE`), on gcc and clang, all optimization levels.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from '../lib/dwarf/model';
import type { LoadedProgram } from '../lib/program/loaded-program';
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
