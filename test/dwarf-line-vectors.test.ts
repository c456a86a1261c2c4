/** Line programs that compilers here do not write: every opcode, versions 2 to 5, both formats, VLIW, damaged ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Form, Line } from '../lib/dwarf/constants';
import { readLineTable, type RawLineTable } from '../lib/dwarf/line';
import { DwarfSections } from '../lib/dwarf/sections';
import { FormatError } from '../lib/errors';
import { Bytes } from './support/dwarf-builder';

interface TableOptions {
  readonly version?: number;
  readonly is64?: boolean;
  readonly maximumOperations?: number;
  readonly minimumLength?: number;
  readonly lineRange?: number;
  readonly machine?: number;
}

const opcodeLengths = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

function header(body: Bytes, options: TableOptions, opcodeBase: number): void {
  const { version = 4, maximumOperations = 1, minimumLength = 1, lineRange = 14 } = options;
  body.u8(minimumLength);
  if (version >= 4) body.u8(maximumOperations);
  body.u8(1, -5, lineRange, opcodeBase);
  for (let opcode = 1; opcode < opcodeBase; opcode++) body.u8(opcodeLengths[opcode - 1] ?? 2);
  if (version < 5) {
    body.text('dir').u8(0).text('a.c').uleb(0).uleb(0).uleb(0).text('b.h').uleb(1).uleb(7).uleb(9).u8(0);
    return;
  }
  body.u8(1).uleb(Line.DW_LNCT_path).uleb(Form.DW_FORM_string).uleb(2).text('/comp').text('dir');
  body.u8(5).uleb(Line.DW_LNCT_path).uleb(Form.DW_FORM_line_strp);
  body.uleb(Line.DW_LNCT_directory_index).uleb(Form.DW_FORM_udata).uleb(Line.DW_LNCT_MD5).uleb(Form.DW_FORM_data16);
  body.uleb(Line.DW_LNCT_size).uleb(Form.DW_FORM_data4).uleb(0x2001).uleb(Form.DW_FORM_block).uleb(2);
  for (let file = 0; file < 2; file++)
    body
      .offset(4 * file, options.is64 ?? false)
      .uleb(file)
      .append(new Uint8Array(16).fill(0xa0 + file))
      .u32(3)
      .u8(1, 9);
}

function table(write: (program: Bytes) => void, options: TableOptions = {}, opcodeBase = 13): RawLineTable {
  const { version = 4, is64 = false, machine = 0 } = options;
  const section = new Bytes().sized(is64, (body) => {
    body.u16(version);
    if (version >= 5) body.u8(4).u8(0);
    const rest = new Bytes();
    header(rest, options, opcodeBase);
    body.offset(rest.length, is64).append(rest.array);
    const program = new Bytes();
    write(program);
    body.append(program.array);
  }).array;
  const strings = new Bytes().text('a.c').text('b.h').array;
  const sections = new DwarfSections(
    new Map([
      ['.debug_line', section],
      ['.debug_line_str', strings],
    ]),
    { littleEndian: true, addressSize: 4, machine },
  );
  const read = readLineTable(sections, 0);
  assert.deepEqual(sections.problems, []);
  return read;
}

function extended(program: Bytes, opcode: number, write: (operand: Bytes) => void = () => undefined): Bytes {
  const operand = new Bytes().u8(opcode);
  write(operand);
  return program.u8(0).uleb(operand.length).append(operand.array);
}

const end = (program: Bytes): Bytes => extended(program, Line.DW_LNE_end_sequence);

/** address file line column is_stmt */
function rows({ rows: all }: RawLineTable): string[] {
  return all.map(({ address, file, line, column, isStatement, endSequence }) =>
    [address.toString(16), file, line, column, isStatement ? 's' : '-', endSequence ? 'end' : ''].join(' ').trim(),
  );
}

type Case = readonly [write: (program: Bytes) => void, expected: string];

const standard: Readonly<Record<string, Case>> = {
  DW_LNS_copy: [(p) => p.u8(1), '0 1 1 0 s'],
  DW_LNS_advance_pc: [(p) => p.u8(2).uleb(300).u8(1), '12c 1 1 0 s'],
  DW_LNS_advance_line: [(p) => p.u8(3).sleb(-1).u8(3).sleb(500).u8(1), '0 1 500 0 s'],
  DW_LNS_set_file: [(p) => p.u8(4).uleb(2).u8(1), '0 2 1 0 s'],
  DW_LNS_set_column: [(p) => p.u8(5).uleb(130).u8(1), '0 1 1 130 s'],
  DW_LNS_negate_stmt: [(p) => p.u8(6).u8(1), '0 1 1 0 -'],
  DW_LNS_set_basic_block: [(p) => p.u8(7).u8(1), '0 1 1 0 s'],
  DW_LNS_const_add_pc: [(p) => p.u8(8).u8(1), '11 1 1 0 s'],
  DW_LNS_fixed_advance_pc: [(p) => p.u8(9).u16(0x1234).u8(1), '1234 1 1 0 s'],
  DW_LNS_set_prologue_end: [(p) => p.u8(10).u8(1), '0 1 1 0 s'],
  DW_LNS_set_epilogue_begin: [(p) => p.u8(11).u8(1), '0 1 1 0 s'],
  DW_LNS_set_isa: [(p) => p.u8(12).uleb(200).u8(1), '0 1 1 0 s'],
  DW_LNE_end_sequence: [(p) => p, ''],
  DW_LNE_set_address: [(p) => extended(p, 2, (o) => o.u32(0x8000)).u8(1), '8000 1 1 0 s'],
  DW_LNE_define_file: [
    (p) =>
      extended(p, 3, (o) => o.text('c.c').uleb(0).uleb(0).uleb(0))
        .u8(4)
        .uleb(3)
        .u8(1),
    '0 3 1 0 s',
  ],
  DW_LNE_set_discriminator: [(p) => extended(p, 4, (o) => o.uleb(7)).u8(1), '0 1 1 0 s'],
};

for (const [name, [write, expected]] of Object.entries(standard)) {
  test(`${name} of a line program`, () => {
    const found = rows(table((program) => end((write(program), program))));
    if (expected !== '') assert.equal(found[0], expected);
    assert.match(found.at(-1) ?? '', /end$/);
  });
}

test('the cases name every opcode', () => {
  const opcodes = Object.keys(Line).filter((name) => !name.startsWith('DW_LNCT_'));
  assert.deepEqual(Object.keys(standard).sort(), opcodes.sort());
});

test('a special opcode advances address and line, and appends a row', () => {
  // 13 + (line 3 - -5) + 14 * 4
  assert.deepEqual(rows(table((program) => program.u8(13 + 8 + 56))), ['4 1 4 0 s']);
});

test('prologue_end and discriminator hold for one row', () => {
  const { rows: all } = table((p) => extended(p.u8(10), 4, (o) => o.uleb(7)).u8(1, 1));
  assert.deepEqual(
    all.map(({ prologueEnd, discriminator }) => [prologueEnd, discriminator]),
    [
      [true, 7],
      [false, 0],
    ],
  );
});

test('opcodes of a vendor, standard and extended, are skipped by their lengths', () => {
  const program = table((p) => extended(p.u8(13).uleb(1000).uleb(2000), 0x80, (o) => o.u8(1, 2, 3)).u8(1), {}, 14);
  assert.deepEqual(rows(program), ['0 1 1 0 s']);
});

test('VLIW: several operations share the address of an instruction', () => {
  const program = (p: Bytes): Bytes => p.u8(2).uleb(2).u8(1).u8(2).uleb(2).u8(1);
  assert.deepEqual(rows(table(program, { maximumOperations: 3, minimumLength: 8 })), ['0 1 1 0 s', '8 1 1 0 s']);
});

for (const version of [2, 3, 4, 5]) {
  for (const is64 of [false, true]) {
    test(`the tables of files of version ${version}, ${is64 ? 64 : 32}-bit`, () => {
      const { header: read } = table((p) => p.u8(1), { version, is64 });
      assert.equal(read.version, version);
      const files = read.files.map((file) => file && `${read.directories[file.directory]}|${file.name}`);
      assert.deepEqual(files, version >= 5 ? ['/comp|a.c', 'dir|b.h'] : [undefined, '|a.c', 'dir|b.h']);
      if (version >= 5) assert.equal(read.files[1]?.md5, 'a1'.repeat(16));
    });
  }
}

test('the Thumb bit of an address is no part of it', () => {
  const program = (p: Bytes): Bytes => extended(p, Line.DW_LNE_set_address, (o) => o.u32(0x8001)).u8(1);
  assert.deepEqual(rows(table(program, { machine: 40 })), ['8000 1 1 0 s']);
});

function sectionsOf(bytes: Uint8Array): DwarfSections {
  return new DwarfSections(new Map([['.debug_line', bytes]]), { littleEndian: true, addressSize: 4, machine: 40 });
}

function refusal(bytes: Uint8Array): string | undefined {
  try {
    readLineTable(sectionsOf(bytes), 0);
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
  return undefined;
}

test('unknown versions and damaged headers are refused', () => {
  assert.equal(refusal(new Bytes().sized(false, (body) => body.u16(6).u32(0)).array), 'bad-version');
  assert.equal(refusal(new Bytes().sized(false, (body) => body.u16(1).u32(0)).array), 'bad-version');
  assert.equal(refusal(Uint8Array.of(0xff, 0, 0, 0)), 'bad-size');
  assert.equal(refusal(Uint8Array.of(0xf5, 0xff, 0xff, 0xff)), 'bad-size');
  assert.equal(refusal(new Bytes().sized(false, (body) => body.u16(4).u32(100)).array), 'bad-size');
  assert.equal(refusal(new Bytes().sized(false, (body) => body.u16(4)).array), 'truncated');
});

test('a program that breaks keeps its rows until there, and says where', () => {
  const broken = new Bytes().sized(false, (body) => {
    const rest = new Bytes();
    header(rest, { version: 4 }, 13);
    body.u16(4).u32(rest.length).append(rest.array).u8(1).u8(3).sleb(4).u8(1).u8(2);
  });
  const sections = sectionsOf(broken.array);
  assert.deepEqual(rows(readLineTable(sections, 0)), ['0 1 1 0 s', '0 1 5 0 s']);
  assert.equal(sections.problems.length, 1);
  assert.match(sections.problems[0], /line table at 0x0: \.debug_line\+0x/);
});
