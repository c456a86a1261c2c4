/** Relocation of debug sections: every type of every machine's table, joined sections, and what cannot be applied. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EM_ARM, EM_RISCV } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { debugRelocationTables } from '../lib/program/debug-relocation-types';
import { readDebugSections } from '../lib/program/debug-sections';
import { allWhole } from './support/whole-sections';
import { buildElf, text, type BuiltRelocation, type BuiltSection } from './support/elf-builder';

const linkAddress = 0x12340000n;
/** Where the symbol is: S. */
const symbolOffset = 0x5678;

function relocated(
  machine: number,
  sections: readonly BuiltSection[],
  relocations: readonly BuiltRelocation[],
): { contents: ReadonlyMap<string, Uint8Array>; problems: readonly string[] } {
  const symbols = [
    { name: 'place', value: symbolOffset, section: '.text' },
    { name: 'absolute', value: 0x99, section: 0xfff1 },
    { name: 'undefined' },
    { name: 'string', value: 3, section: '.debug_str' },
  ];
  const plan = { machine, sections: [text(), ...sections], symbols, relocations };
  const read = readDebugSections(ElfFile.parse(buildElf(plan)), (index) => (index === 1 ? linkAddress : undefined));
  return { contents: allWhole(read), problems: read.problems };
}

const info = (bytes: readonly number[]): BuiltSection => ({ name: '.debug_info', bytes });
const strings: BuiltSection = { name: '.debug_str', bytes: [0x61, 0x62, 0, 0x63, 0] };

/** A field of 8 bytes at offset 2, before and after; S is 0x12345678, P is 2. */
const before = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80];
const cases: Readonly<Record<string, string>> = {
  R_ARM_NONE: '1020304050607080',
  R_ARM_ABS32: '8876645250607080',
  R_ARM_REL32: '8676645250607080',
  R_ARM_ABS16: '8876304050607080',
  R_ARM_ABS8: '8820304050607080',
  R_ARM_TARGET1: '8876645250607080',
  R_ARM_TLS_LDO32: '8876645250607080',
  R_RISCV_NONE: '1020304050607080',
  R_RISCV_32: '8876645250607080',
  R_RISCV_64: '8876645250607080',
  R_RISCV_ADD8: '8820304050607080',
  R_RISCV_ADD16: '8876304050607080',
  R_RISCV_ADD32: '8876645250607080',
  R_RISCV_ADD64: '8876645250607080',
  R_RISCV_SUB8: '9820304050607080',
  R_RISCV_SUB16: '98c9304050607080',
  R_RISCV_SUB32: '98c9fb2d50607080',
  R_RISCV_SUB64: '98c9fb2d50607080',
  R_RISCV_RELAX: '1020304050607080',
  // Six bits; the two above them stay.
  R_RISCV_SUB6: '1820304050607080',
  R_RISCV_SET6: '0820304050607080',
  R_RISCV_SET8: '8820304050607080',
  R_RISCV_SET16: '8876304050607080',
  R_RISCV_SET32: '8876645250607080',
  R_RISCV_32_PCREL: '8676645250607080',
  R_RISCV_SET_ULEB128: '7820304050607080',
  R_RISCV_SUB_ULEB128: '1820304050607080',
};

for (const [machine, table] of debugRelocationTables) {
  for (const [type, { name }] of table) {
    test(`${name} of a debug section`, () => {
      const relocation = { target: '.debug_info', offset: 2, type, symbol: 'place' };
      const { contents, problems } = relocated(machine, [info([1, 2, ...before, 9])], [relocation]);
      assert.deepEqual(problems, []);
      const bytes = contents.get('.debug_info');
      assert.equal(Buffer.from(bytes ?? []).toString('hex'), `0102${cases[name]}09`);
    });
  }
}

test('a ULEB128 keeps its length: SET, then SUB', () => {
  const relocations = [
    { target: '.debug_info', offset: 0, type: 60, symbol: 'place' },
    { target: '.debug_info', offset: 0, type: 61, symbol: 'absolute' },
  ];
  const { contents } = relocated(EM_RISCV, [info([0x80, 0x80, 0x00])], relocations);
  // 0x12345678 - 0x99, its low 21 bits.
  const value = 0x12345678 - 0x99;
  const expected = [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, (value >> 14) & 0x7f];
  assert.deepEqual([...(contents.get('.debug_info') ?? [])], expected);
});

test('symbols of debug sections, absolute and undefined ones', () => {
  const bytes = new Array<number>(12).fill(0);
  const relocations = ['string', 'absolute', 'undefined'].map((symbol, i) => ({
    ...{ target: '.debug_info', offset: 4 * i, type: 2, symbol },
  }));
  const { contents } = relocated(EM_ARM, [info(bytes), strings], relocations);
  assert.deepEqual([...(contents.get('.debug_info') ?? [])], [3, 0, 0, 0, 0x99, 0, 0, 0, 0, 0, 0, 0]);
});

test('sections of one name are joined', () => {
  const { contents } = relocated(EM_ARM, [info([1, 2]), strings, info([3])], []);
  assert.deepEqual([...(contents.get('.debug_info') ?? [])], [1, 2, 3]);
});

test('a field outside of its section and an unknown type are problems', () => {
  const at = (offset: number, type: number): readonly string[] =>
    relocated(EM_ARM, [info([0, 0, 0, 0])], [{ target: '.debug_info', offset, type, symbol: 'place' }]).problems;
  assert.match(at(1, 2).join(), /offset/);
  assert.match(at(0, 77).join(), /relocation type 77/);
  assert.deepEqual(at(0, 2), []);
});
