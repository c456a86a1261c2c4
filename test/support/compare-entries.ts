/** Every entry with every attribute, and every row of every line table, of one ELF file beside llvm-dwarfdump's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ET_REL } from '../../lib/elf/constants';
import { ElfFile } from '../../lib/elf/elf-file';
import { Program } from '../../lib/program/program';
import { dumpedEntryLines } from './dumped-entries';
import { dumpedLines, runDwarfdump } from './dwarfdump';
import { entryLines } from './entry-text';

export interface ComparedCounts {
  /** Entries and attributes. */
  readonly entries: number;
  readonly rows: number;
}

export function compareWithDwarfdump(dwarfdump: string, path: string): ComparedCounts {
  const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
  const counts = { entries: compareEntries(dwarfdump, path, program), rows: compareRows(dwarfdump, path, program) };
  assert.deepEqual(program.debug?.problems, []);
  assert.deepEqual(program.warnings, []);
  return counts;
}

/** 0 for a file without debug information. */
export function compareEntriesOf(dwarfdump: string, path: string): number {
  const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
  if (program.debug === undefined) return 0;
  const count = compareEntries(dwarfdump, path, program);
  assert.deepEqual(program.debug.problems, []);
  return count;
}

/** llvm-dwarfdump leaves every section of an ET_REL at address 0. */
function sectionOffset({ elf, sections }: Program, address: bigint): bigint {
  if (elf.header.e_type !== ET_REL) return address;
  const section =
    sections.find(({ address: start, size }) => start <= address && address < start + BigInt(size)) ??
    sections.find(({ address: start, size }) => address === start + BigInt(size));
  return section === undefined ? address : address - section.address;
}

function compareEntries(dwarfdump: string, path: string, program: Program): number {
  const { debug, elf } = program;
  assert.ok(debug, 'no debug information');
  const relocatable = elf.header.e_type === ET_REL;
  const ours = entryLines(debug, (address) => sectionOffset(program, address), relocatable);
  const text = runDwarfdump(dwarfdump, ['-v', '--debug-info', '--debug-types', path]);
  let count = 0;
  let entry = '';
  for (const line of dumpedEntryLines(linesOf(text), relocatable)) {
    if (!line.startsWith(' ')) entry = line;
    const found: unknown = ours.next().value;
    assert.equal(found, line, `in the entry ${entry} of ${path}`);
    count++;
  }
  assert.equal(ours.next().done, true, 'there are more entries than llvm-dwarfdump shows');
  return count;
}

/** Without an array of all of them. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}

function compareRows(dwarfdump: string, path: string, program: Program): number {
  const expected = dumpedLines(dwarfdump, path);
  // In the order of the section; dwz moves units.
  const tables = [...(program.debug?.unitLines() ?? [])].sort((a, b) => a.table.header.offset - b.table.header.offset);
  assert.equal(tables.length, expected.length, 'line tables');
  let count = 0;
  tables.forEach(({ table }, n) => {
    assert.equal(table.rows.length, expected[n].length, `rows of line table ${n}`);
    table.rows.forEach((row, at) => {
      const { line, column, file, discriminator, isStatement, prologueEnd, endSequence } = row;
      const address = Number(sectionOffset(program, row.address));
      const ours = { address, line, column, file, discriminator, isStatement, prologueEnd, endSequence };
      assert.deepEqual(ours, expected[n][at], `row ${at} of line table ${n} of ${path}`);
      count++;
    });
  });
  return count;
}
