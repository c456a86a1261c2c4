/**
 * Opening a program with much debug information costs an index, not a parse: how many entries are read is counted. The
 * program is one object with many structures, linked many times.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeLargeElf } from '../scripts/bench/large-elf';
import type { ByteSource, ByteWindow } from '../lib/byte-source';
import { AbbreviationTables } from '../lib/dwarf/abbrev';
import { DwarfSections } from '../lib/dwarf/sections';
import type { Unit } from '../lib/dwarf/unit';
import { EM_ARM } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { findLocations } from '../lib/program/breakpoint-locations';
import { layOut } from '../lib/program/link-layout';
import { Program, type ProgramSymbol } from '../lib/program/program';
import { SymbolIndex } from '../lib/program/symbols';
import { allExtensionPaths } from './support/fixtures';
import { requireTool } from './support/tools';

/** Made once for all tests. */
const folder = mkdtempSync(join(tmpdir(), 'lazy-'));
after(() => rmSync(folder, { recursive: true }));
let made: Uint8Array | undefined;

function largePath(): string {
  return join(folder, 'large.elf');
}

function largeFile(): Uint8Array {
  if (made === undefined) {
    assert.ok(makeLargeElf(largePath(), 6) > 5e6);
    made = new Uint8Array(readFileSync(largePath()));
  }
  return made;
}

test('a large program is read where somebody looks', (t) => {
  if (requireTool(t, 'arm-none-eabi-gcc') === undefined) return;
  const program = Program.open(ElfFile.parse(largeFile()));
  const { debug } = program;
  assert.ok(debug);
  const { units } = debug.readCounts;
  assert.ok(units > 40, `${units} units`);
  assert.deepEqual(debug.readCounts, { units, trees: 0, entries: 0, indexed: 0, lineTables: 0 });

  // A stop: function, line, frame rules, variables. The unit of the function is small.
  const entry = program.symbolIndex.named('entry');
  assert.ok(entry);
  const found = debug.functionAt(entry.address);
  assert.equal(found?.name, 'entry');
  assert.deepEqual(
    found.scope.variables.map(({ name }) => name),
    ['n', 'local'],
  );
  assert.ok(program.lines?.blockAt(entry.address));
  assert.ok(debug.cfiAt(entry.address));
  assert.equal(debug.readCounts.trees, 1);
  assert.ok(debug.readCounts.entries < 20);

  // A type is looked for until it is found.
  const device = debug.typeNamed('struct', 'device_7');
  assert.equal(device?.kind, 'struct');
  assert.deepEqual({ trees: debug.readCounts.trees, indexed: debug.readCounts.indexed }, { trees: 2, indexed: 1 });

  // What is nowhere written costs nothing; a name that is somewhere costs the names of the units that have it.
  assert.equal(debug.typeNamed('struct', 'no_such_thing'), undefined);
  assert.equal(debug.readCounts.indexed, 1);
  const places = program.lines === undefined ? [] : debug.functionsNamed('work_3_5');
  assert.ok(places.length > 5);
  assert.equal(debug.readCounts.indexed, 1 + places.length);
  assert.ok(debug.readCounts.trees <= 2 + places.length);

  // Files of all line tables, without their rows.
  assert.ok(debug.files.some(({ path: name }) => name.endsWith('devices.h')));
  assert.ok([...debug.filesWithCode()].every(({ path: name }) => name.endsWith('.c')));
  assert.deepEqual(debug.problems, []);
});

/** Counts what is asked of a file; a range that was read before counts again. */
class CountingSource implements ByteSource {
  readonly length: number;
  bytesRead = 0;
  largest = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.length = bytes.length;
  }

  window(start: number, end: number): ByteWindow {
    this.bytesRead += end - start;
    this.largest = Math.max(this.largest, end - start);
    return { start, bytes: this.bytes.slice(start, end) };
  }
}

test('a first stop reads a small part of a large file, and finds what the whole file has', (t) => {
  if (requireTool(t, 'arm-none-eabi-gcc') === undefined) return;
  const bytes = largeFile();
  const source = new CountingSource(bytes);
  const stop = (file: Uint8Array | ByteSource): unknown[] => {
    const { debug, lines, symbolIndex } = Program.open(ElfFile.parse(file));
    assert.ok(debug && lines);
    const files = debug.files.filter((one) => one.path.endsWith('entry.c'));
    const [place] = findLocations(debug, lines, files, 2);
    const { address, function: found } = place;
    const variables = found?.scope.variables.map(({ name, type }) => `${name} ${type.displayName}`);
    const symbol = symbolIndex.at(address, 0n)?.symbol.name;
    const { cfa } = debug.cfiAt(address) ?? {};
    const { line } = lines.blockAt(address) ?? {};
    return [address, found?.name, variables, symbol, cfa, line, debug.problems.length];
  };
  const found = stop(source);
  assert.deepEqual(found.slice(1, 4), ['entry', ['n int', 'local int'], 'entry']);
  assert.deepEqual(found, stop(bytes));
  // Tables of addresses, frames and symbols as a whole, of units and line tables their beginnings.
  const share = source.bytesRead / bytes.length;
  assert.ok(share < 0.12, `${source.bytesRead} of ${bytes.length} bytes`);
  assert.ok(source.largest < 0.03 * bytes.length, `${source.largest} bytes at once`);
});

/** All that is asked of a file, in an order of its own. */
function describe(file: Uint8Array | ByteSource): unknown {
  const elf = ElfFile.parse(file);
  const program = Program.open(elf);
  const { debug } = program;
  return {
    files: debug?.files.map(({ path }) => path),
    functions: debug?.functions().map((one) => [one.name, one.ranges, one.scope.variables.map(({ name }) => name)]),
    globals: debug?.globals().map((one) => [one.name, one.type.displayName]),
    rows: debug?.cfiRows().map(({ range, cfa }) => [range, cfa]),
    lines: program.lines?.all.map(({ file: { path }, entries }) => [
      path,
      Array.from({ length: entries.count }, (_, at) => entries.at(at)),
    ]),
    symbols: program.symbols,
    sections: elf.sections.map((section) => Buffer.from(elf.sectionBytes(section)).toString('base64')),
    problems: debug?.problems,
  };
}

/** Every fifth; and some of them linked, whose debug sections are not relocated and stay in the file. */
test('of every fixture, what is read in parts is what the whole file gives', (t) => {
  const paths = allExtensionPaths().filter((_, n) => n % 5 === 0);
  const linked = requireTool(t, 'arm-none-eabi-ld') === undefined ? [] : paths.filter(isArm).slice(0, 12).map(link);
  for (const path of [...paths, ...linked]) {
    const bytes = new Uint8Array(readFileSync(path));
    assert.deepEqual(describe(new CountingSource(bytes)), describe(bytes), path);
  }
});

/** The search leaves out units by their bytes; what all units together have is what each name must find. */
test('every name of a program is found by a search for it', () => {
  let names = 0;
  for (const path of allExtensionPaths()) {
    const { debug } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    const fresh = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path)))).debug;
    for (const { name, shortName, linkageName, entryPc } of debug?.functions() ?? []) {
      for (const one of new Set([name, shortName, linkageName ?? name])) {
        if (one === '') continue;
        const found = fresh?.functionsNamed(one).map((other) => other.entryPc);
        assert.ok(found?.includes(entryPc), `${path}: ${one}`);
        const near = fresh?.functionsNear(Object.assign((other: string) => other === one, { exact: one }));
        assert.ok(
          near?.some((other) => other.entryPc === entryPc),
          `${path}: near ${one}`,
        );
        names++;
      }
    }
    for (const { name } of debug?.globals() ?? []) {
      assert.ok((fresh?.globalsNamed(name) ?? []).length > 0, `${path}: ${name}`);
      names++;
    }
  }
  assert.ok(names > 200, `${names} names`);
});

/** Line tables are left out by the bytes of their headers; what all of them have is what each name must find. */
test('every file of a program is found by a search for its name, in any case, with the units that have it', () => {
  let files = 0;
  for (const path of allExtensionPaths()) {
    const bytes = new Uint8Array(readFileSync(path));
    const { debug } = Program.open(ElfFile.parse(bytes));
    for (const { path: wanted } of debug?.files ?? []) {
      const name = wanted.slice(wanted.lastIndexOf('/') + 1);
      const fresh = Program.open(ElfFile.parse(new CountingSource(bytes))).debug;
      assert.ok(fresh);
      const found = fresh.filesNear(name.toUpperCase()).find((one) => one.path === wanted);
      assert.ok(found, `${path}: ${wanted}`);
      const having = fresh.units.filter((unit) => fresh.linesOf(unit)?.files.has(found) === true);
      assert.deepEqual(fresh.unitsOfFile(found), having, `${path}: ${wanted}`);
      files++;
    }
  }
  assert.ok(files > 100, `${files} files`);
});

test('of a large program only the line tables are read that may have a file', (t) => {
  if (requireTool(t, 'arm-none-eabi-gcc') === undefined) return;
  const read = (name: string): number => {
    const { debug } = Program.open(ElfFile.parse(new CountingSource(largeFile())));
    assert.ok(debug);
    assert.ok(debug.filesNear(name).some(({ path }) => path === name));
    return debug.readCounts.lineTables;
  };
  assert.equal(read('entry.c'), 1);
  const [part, header] = [read('part_0.c'), read('devices.h')];
  assert.equal(part * 6, header);
});

/** Questions that one pass over a table answers; asked of programs in which nothing is in order yet. */
test('of linked fixtures the symbol, the frame rules and the unit of an address are those of the whole tables', (t) => {
  if (requireTool(t, 'arm-none-eabi-ld') === undefined) return;
  assert.ok(largeFile().length > 0);
  let asked = 0;
  for (const path of [...allExtensionPaths().filter(isArm).slice(0, 16).map(link), largePath()]) {
    const elf = ElfFile.parse(new Uint8Array(readFileSync(path)));
    const whole = Program.open(elf);
    const { symbols, debug } = whole;
    if (debug === undefined) continue;
    // Of the large program a few of many.
    const few = <T>(all: readonly T[]): readonly T[] => all.filter((_, n) => n % Math.ceil(all.length / 40) === 0);
    for (const { address, size, name } of few(symbols)) {
      for (const at of [address, address + BigInt(size), address + BigInt(size) / 2n, address - 1n]) {
        const passing = new SymbolIndex(elf, layOut(elf, undefined));
        assert.deepEqual(passing.at(at, 0n), whole.symbolIndex.at(at, 0n), `${path}: ${at}`);
        assert.equal(passing.isOrdered, false);
      }
      const passing = new SymbolIndex(elf, layOut(elf, undefined));
      assert.deepEqual(passing.named(name), firstOf(symbols, name), `${path}: ${name}`);
      const exact = Object.assign((one: string) => one === name, { exact: name });
      const functions = symbols.filter((one) => one.kind === 'function' && one.name === name);
      assert.deepEqual(passing.functions(exact), functions, `${path}: ${name}`);
      assert.equal(passing.isOrdered, false);
    }
    assert.ok(whole.symbolIndex.isOrdered);
    const rows = debug.cfiRows();
    for (const { range } of few(rows)) {
      const fresh = Program.open(elf).debug?.cfiAt(range.start);
      const first = rows.find((one) => one.range.start <= range.start && range.start < one.range.end);
      assert.deepEqual([fresh?.range, fresh?.cfa], [first?.range, first?.cfa], `${path}: ${range.start}`);
    }
    for (const { entryPc, unit } of few(debug.functions())) {
      const found = Program.open(elf).debug?.unitAt(entryPc) as Unit | undefined;
      assert.equal(found?.header.offset, (unit as Unit).header.offset, `${path}: ${entryPc}`);
      asked++;
    }
  }
  assert.ok(asked > 100, `${asked} functions`);
});

/** The bytes are gone over in parts; few values, so that patterns are across the borders of parts, and overlap. */
test('a search of several patterns finds every place of each, as going over all bytes does', () => {
  const bytes = new Uint8Array(600_000);
  let seed = 1;
  for (let at = 0; at < bytes.length; at++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    bytes[at] = (seed >>> 16) % 3;
  }
  const patterns = [
    [0, 0, 1, 2, 2, 1, 0, 1],
    [1, 1, 1, 1, 1, 1, 1],
    [2, 0, 1, 0, 2, 0, 1, 0, 2],
  ].map((one) => Uint8Array.from(one));
  // One that begins before the border of two parts, and one at the very end.
  bytes.set(patterns[2], 0x40000 - 4);
  bytes.set(patterns[0], bytes.length - patterns[0].length);
  const options = { littleEndian: true, addressSize: 4, machine: EM_ARM } as const;
  const sections = new DwarfSections(new Map([['.debug_info', new CountingSource(bytes)]]), options);
  const found: [number, number | undefined][][] = patterns.map(() => []);
  sections.searchEach(
    '.debug_info',
    patterns.map((wanted, n) => ({ wanted, visit: (at, next) => void found[n].push([at, next]) })),
  );
  const text = Buffer.from(bytes).toString('latin1');
  patterns.forEach((pattern, n) => {
    const wanted = Buffer.from(pattern).toString('latin1');
    const expected: [number, number | undefined][] = [];
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      expected.push([at, bytes.at(at + pattern.length)]);
    }
    assert.ok(expected.length > 10);
    assert.deepEqual(found[n], expected);
  });
});

/** What a name means: a global symbol, else the first. */
function firstOf(symbols: readonly ProgramSymbol[], name: string): ProgramSymbol | undefined {
  const named = symbols.filter((one) => one.name === name);
  return named.find(({ global }) => global) ?? named.at(0);
}

function isArm(path: string): boolean {
  return ElfFile.parse(new Uint8Array(readFileSync(path))).header.e_machine === EM_ARM;
}

function link(path: string, number: number): string {
  const output = join(folder, `linked-${number}.elf`);
  const options = [
    '-e',
    '0',
    '--unresolved-symbols=ignore-all',
    '-Ttext=0x10000',
    '-Tdata=0x20000000',
    path,
    '-o',
    output,
  ];
  execFileSync('arm-none-eabi-ld', options, { stdio: ['ignore', 'ignore', 'ignore'] });
  return output;
}

test('equal abbreviation tables of several units are read once, and one that differs in its last byte is another', () => {
  // 7.5.3: code, tag, children, pairs of attribute and form, two zeros; a zero ends the table.
  const first = [1, 0x11, 1, 0x03, 0x08, 0, 0];
  const variable = (form: number): number[] => [2, 0x34, 0, 0x3a, form, 0, 0, 0];
  const bytes = Uint8Array.from([
    ...first,
    ...variable(0x0b),
    ...first,
    ...variable(0x0b),
    ...first,
    ...variable(0x05),
  ]);
  const options = { littleEndian: true, addressSize: 4, machine: 40 } as const;
  const tables = new AbbreviationTables(new DwarfSections(new Map([['.debug_abbrev', bytes]]), options));
  const size = bytes.length / 3;
  const [one, two, three] = [0, size, 2 * size].map((offset) => tables.at(offset));
  const formOf = (table: typeof one): number | undefined => table.get(2)?.attributes[0].form;
  assert.deepEqual([one, two, three].map(formOf), [0x0b, 0x0b, 0x05]);
  assert.equal(two.get(1), one.get(1));
  assert.notEqual(three.get(1), one.get(1));
  assert.equal(two.get(3), undefined);
  // The last table without its terminator is not the beginning of a longer one.
  const cut = new AbbreviationTables(
    new DwarfSections(new Map([['.debug_abbrev', Uint8Array.from([...first, 0, ...first])]]), options),
  );
  assert.equal(cut.at(0).get(2), undefined);
  assert.deepEqual(cut.at(first.length + 1).get(1)?.tag, 0x11);
});
