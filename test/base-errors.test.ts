/**
 * The closed sets of errors: every FormatError code has damage that provokes it (the table's type makes it complete),
 * every errno of Zephyr its name, and a query its two ways to run.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLarge } from '../debug-adapter/file-source';
import { readBaseImage } from '../lib/base-image/base-image-elf';
import type { ByteSource } from '../lib/byte-source';
import { ByteReader } from '../lib/bytes';
import { AbbreviationTables } from '../lib/dwarf/abbrev';
import { executeFde } from '../lib/dwarf/cfi-row';
import { FrameTable } from '../lib/dwarf/cfi';
import { Cfa } from '../lib/dwarf/constants';
import { DebugInfo } from '../lib/dwarf/debug-info';
import { DwarfSections } from '../lib/dwarf/sections';
import { ElfFile } from '../lib/elf/elf-file';
import { Errno, errnoName, FormatError, LlextError } from '../lib/errors';
import type { FormatErrorCode } from '../lib/errors';
import { cpus, findCpu } from '../lib/arch';
import { runQuery, runQueryAsync } from '../lib/query';
import type { MemoryRequest, Query } from '../lib/query';
import { Bytes, buildUnit } from './support/dwarf-builder';
import { fixtureBytes } from './support/fixtures';

const options = { littleEndian: true, addressSize: 4, machine: 40 } as const;
const sections = (name: string, bytes: Uint8Array): DwarfSections =>
  new DwarfSections(new Map([[name, bytes]]), options);

/** A good ELF file with some bytes changed. */
function elf(changes: Record<number, number>): ElfFile {
  const bytes = fixtureBytes('only', 'm3-O0').slice();
  for (const [offset, byte] of Object.entries(changes)) bytes[Number(offset)] = byte;
  return ElfFile.parse(bytes);
}

/** Where a field of section header `index` is in that file. */
function headerField(index: number, field: number): number {
  const bytes = fixtureBytes('only', 'm3-O0');
  const e_shoff = new DataView(bytes.buffer, bytes.byteOffset).getUint32(32, true);
  return e_shoff + 40 * index + field;
}

const sh_link = 24;
const symtabIndex = elf({}).sections.findIndex(({ name }) => name === '.symtab');

/** The table of one FDE after a CIE without instructions. */
function executeFrame(...instructions: number[]): unknown {
  const out = new Bytes().sized(false, (cie) => {
    cie.u32(0xffffffff).u8(3).text('').uleb(2).sleb(-4).uleb(14);
  });
  out.sized(false, (fde) => {
    fde
      .u32(0)
      .u32(0x1000)
      .u32(0x20)
      .u8(...instructions);
  });
  const owner = sections('.debug_frame', out.array);
  return executeFde(new FrameTable(owner).fdes[0], owner.registers);
}

/** Data that is only reported, because the rest stays usable: gives the first problem as an error. */
function firstProblem(problems: readonly string[]): never {
  throw new Error(problems[0] ?? 'nothing was reported');
}

const DW_TAG_compile_unit = 0x11;
const DW_TAG_variable = 0x34;
const [DW_AT_name, DW_AT_type] = [0x03, 0x49];
const [DW_FORM_string, DW_FORM_ref4] = [0x08, 0x13];

/** A unit with a variable whose type is at an offset where nothing is. */
function danglingReference(): DebugInfo {
  const { info, abbrev } = buildUnit({
    tag: DW_TAG_compile_unit,
    attributes: [[DW_AT_name, DW_FORM_string, 'a.c']],
    children: [
      {
        tag: DW_TAG_variable,
        attributes: [
          [DW_AT_name, DW_FORM_string, 'v'],
          [DW_AT_type, DW_FORM_ref4, 0x7777],
        ],
      },
    ],
  });
  return new DebugInfo(new Map([['.debug_info', info]]).set('.debug_abbrev', abbrev), options);
}

/** Damage for each code. A case throws the FormatError itself or an error with the message that was reported. */
function withLargeFile(use: (source: ByteSource, path: string) => unknown): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'errors-'));
  try {
    const path = join(folder, 'large');
    writeFileSync(path, new Uint8Array(5000));
    const source = openLarge(path, 4096);
    assert.ok(source);
    return use(source, path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const damage: Record<FormatErrorCode, () => unknown> = {
  'not-elf': () => elf({ 0: 0 }),
  'unsupported-class': () => elf({ 4: 7 }),
  'unsupported-encoding': () => elf({ 5: 0 }),
  truncated: () => ElfFile.parse(fixtureBytes('only', 'm3-O0').slice(0, 51)),
  'bad-offset': () => sections('.debug_line', Uint8Array.of(1, 2)).reader('.debug_line', 3),
  'bad-size': () => elf({ [headerField(symtabIndex, 36)]: 8 }).symbols(),
  'bad-index': () => elf({ [headerField(symtabIndex, sh_link)]: 250 }).symbols(),
  'bad-string': () => sections('.debug_str', Uint8Array.of(0)).string('.debug_str', 9),
  leb128: () => new ByteReader(new Uint8Array(11).fill(0xff), true).uleb(),
  'bad-compression': () => {
    const compressed = fixtureBytes('data', 'm3-Og-gz').slice();
    const whole = ElfFile.parse(compressed);
    const section = whole.sections.find(({ name }) => name === '.debug_info');
    assert.ok(section !== undefined);
    compressed.fill(0xff, section.sh_offset + 12, section.sh_offset + 40);
    return ElfFile.parse(compressed).sectionBytes(section);
  },
  'bad-version': () => {
    const out = new Bytes().sized(false, (cie) => void cie.u32(0xffffffff).u8(77).text(''));
    out.sized(false, (fde) => void fde.u32(0).u32(0).u32(4));
    const owner = sections('.debug_frame', out.array);
    assert.equal(new FrameTable(owner).fdes.length, 0);
    firstProblem(owner.problems);
  },
  'bad-form': () => {
    // DW_FORM_indirect that names itself.
    const abbrev = Uint8Array.of(1, DW_TAG_compile_unit, 0, DW_AT_name, 0x16, 0, 0, 0);
    const info = new Bytes().sized(false, (unit) => void unit.u16(5).u8(1, 4).u32(0).uleb(1).uleb(0x16).uleb(0x16));
    const debug = new DebugInfo(new Map([['.debug_info', info.array]]).set('.debug_abbrev', abbrev), options);
    assert.deepEqual(debug.problems, []);
    // A unit is opened by a question about it, and has nothing in it then.
    assert.deepEqual([debug.units.at(0)?.name, debug.functions().length, debug.globals().length], [undefined, 0, 0]);
    firstProblem(debug.problems);
  },
  'bad-abbreviation': () =>
    new AbbreviationTables(sections('.debug_abbrev', Uint8Array.of(1, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 0)))
      .at(0)
      .get(2),
  'bad-reference': () => {
    const debug = danglingReference();
    assert.equal(debug.globals().length, 1);
    firstProblem(debug.problems);
  },
  'bad-opcode': () => executeFrame(0x3f),
  'too-deep': () => executeFrame(...Array<number>(2000).fill(Cfa.DW_CFA_remember_state)),
  // An extension is no base image; all of its own codes are in base-image-errors.test.ts.
  'base-image': () => readBaseImage(elf({}), { origin: 'only.elf' }),
  // Files that are read in parts are in base-file-source.test.ts.
  unreadable: () => withLargeFile((source) => source.window(2 ** 62, 2 ** 62 + 4096)),
  'file-changed': () =>
    withLargeFile((source, path) => {
      writeFileSync(path, 'shorter');
      source.window(4000, 5000);
    }),
};

for (const [code, provoke] of Object.entries(damage)) {
  test(`damage of kind ${code}`, () => {
    const wording = new FormatError(code as FormatErrorCode, '', 0).message.replace(/^file\+0x0: /, '');
    assert.throws(provoke, (error: Error) =>
      error instanceof FormatError ? error.code === code : error.message.includes(wording),
    );
  });
}

test('a FormatError says section and offset, and a detail instead of the general words', () => {
  assert.equal(
    new FormatError('truncated', '.debug_line', 0x1f).message,
    `.debug_line+0x1f: the data ends before the value that is read here`,
  );
  assert.equal(new FormatError('bad-opcode', '', 2, 'opcode 0x99').message, 'file+0x2: opcode 0x99');
});

test("Zephyr's errno values have their names, with either sign", () => {
  for (const [name, value] of Object.entries(Errno)) {
    assert.equal(errnoName(value), name);
    assert.equal(errnoName(-value), name);
  }
  assert.equal(errnoName(-99), undefined);
  // Zephyr's libc, not the host's: ENODATA and ENOTSUP differ from Linux's.
  assert.deepEqual([Errno.ENODATA, Errno.ENOTSUP], [61, 134]);
  assert.equal(new LlextError(Errno.ENOEXEC, 'refused').errno, 8);
});

test('a query is answered from memory, at once or later', async () => {
  function* sum(): Query<number> {
    const first = yield { address: 0x10n, length: 1 };
    const second = yield { address: BigInt(first?.[0] ?? 0), length: 2 };
    return second === undefined ? -1 : second[0] + second[1];
  }
  const memory = new Uint8Array(64).map((_, i) => i + 4);
  const read = ({ address, length }: MemoryRequest): Uint8Array | undefined =>
    address + BigInt(length) > 64n ? undefined : memory.slice(Number(address), Number(address) + length);
  assert.equal(runQuery(sum(), read), 24 + 25);
  assert.equal(await runQueryAsync(sum(), (request) => Promise.resolve(read(request))), 24 + 25);
  memory[0x10] = 63;
  assert.equal(runQuery(sum(), read), -1);
});

test('every core has a name of its own and is found by it', () => {
  assert.equal(new Set(cpus.map(({ name }) => name)).size, cpus.length);
  for (const cpu of cpus) assert.equal(findCpu(cpu.name), cpu);
  assert.equal(findCpu('cortex-a53'), undefined);
});
