/** Line tables against llvm-dwarfdump 14: recorded ones, and live on every extension that the project builds. */
import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { dumpedLines } from './support/dwarfdump';
import { allExtensionPaths, projectRoot } from './support/fixtures';
import { truthCases, truthElf, truthLines } from './support/gdb-truth';
import { requireTool } from './support/tools';

/** Rows as the recorded tables have them: [offset, file, line, column, is_stmt, end_sequence]. */
function rowsOf(program: Program, base: bigint): number[][][] {
  const tables = program.debug?.unitLines() ?? [];
  return tables.map(({ table }) =>
    table.rows.map((row) => [
      Number(row.address - base),
      row.file,
      row.line,
      row.column,
      Number(row.isStatement),
      Number(row.endSequence),
    ]),
  );
}

for (const truth of truthCases()) {
  test(`the line table of ${truth.name} is the recorded one`, () => {
    const program = Program.open(truthElf(truth));
    const text = program.sections.find(({ name }) => name === '.text');
    assert.ok(text);
    const recorded = truthLines(truth);
    assert.deepEqual(
      rowsOf(program, text.address),
      recorded.map(({ rows }) => rows),
    );
    program.debug?.unitLines().forEach(({ table, files }, unit) => {
      assert.equal(table.header.version, recorded[unit].version);
      for (const [number, name] of Object.entries(recorded[unit].files)) {
        assert.equal(files.file(Number(number))?.path.replace(/^.*\//, ''), name.replace(/^.*\//, ''));
      }
    });
    assert.deepEqual(program.debug?.problems, []);
    assert.deepEqual(program.warnings, []);
  });
}

for (const path of allExtensionPaths()) {
  test(`the line table of ${relative(projectRoot, path)} is llvm-dwarfdump's`, (t) => {
    const dwarfdump = requireTool(t, 'llvm-dwarfdump-14');
    if (dwarfdump === undefined) return;
    const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    const expected = dumpedLines(dwarfdump, path);
    const tables = program.debug?.unitLines() ?? [];
    assert.equal(tables.length, expected.length);
    tables.forEach(({ table }, unit) => {
      // llvm-dwarfdump leaves every section at address 0.
      const offsetOf = (address: bigint): number => {
        const section = program.sections.find(
          ({ address: start, size }) => start <= address && address <= start + BigInt(size),
        );
        return section === undefined ? -1 : Number(address - section.address);
      };
      const rows = table.rows.map((row) => ({
        address: offsetOf(row.address),
        line: row.line,
        column: row.column,
        file: row.file,
        discriminator: row.discriminator,
        isStatement: row.isStatement,
        prologueEnd: row.prologueEnd,
        endSequence: row.endSequence,
      }));
      assert.deepEqual(rows, expected[unit]);
    });
    assert.deepEqual(program.debug?.problems ?? [], []);
  });
}
