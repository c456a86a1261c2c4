/**
 * The loader against Zephyr's own (test/golden): return codes, messages, every byte and address of regions and tables,
 * use counts, dependencies, unloading, malformed files, loads in which the machine faults. Twice: with the addresses
 * that the heap model predicts, and with every region placed where Zephyr had it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { SHF_ALLOC, SHT_REL, SHT_RELA } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { relocationName } from '../lib/elf/relocation-names';
import { llextLayout } from '../lib/llext/layout';
import { compareRun, goldenCases, goldenElf, goldenImage, isImageOf, trimmedRoot, wholeRoot } from './support/golden';

interface Architecture {
  readonly name: string;
  readonly variants: string;
  /** At least so many runs are in the selection, and in the whole. */
  readonly selected: number;
  readonly all: number;
}

const architectures: readonly Architecture[] = [
  {
    name: 'arm',
    variants:
      'a7-arm arm7 m0plus m3 m3-O0 m3-direct m3-fsec m3-ldr m3-movw m3-pic-so m3-reord m3-reord-direct m3-unwind m4 sequences',
    selected: 250,
    all: 960,
  },
  {
    name: 'rv32',
    variants:
      'rv32 rv32-O0 rv32-ldr rv32-medany rv32-noc rv32-norelax rv32-nosd rv32-reord rv32-reord-norelax sequences',
    selected: 49,
    all: 563,
  },
  { name: 'rv64', variants: 'rv64 rv64-O0 rv64-norelax rv64-nosd rv64-reord sequences', selected: 34, all: 357 },
  { name: 'arm64', variants: 'a64 a64-O0 a64-large a64-reord sequences', selected: 34, all: 303 },
];

function runAll(root: string, arch: string, placed: boolean, silent = false): { runs: number; variants: Set<string> } {
  const variants = new Set<string>();
  const failures: string[] = [];
  let runs = 0;
  for (const located of goldenCases(root, isImageOf(arch))) {
    variants.add(located.golden.variant);
    for (const run of located.golden.runs) {
      runs++;
      for (const difference of compareRun(located, run, placed, silent)) failures.push(`${located.id}: ${difference}`);
    }
  }
  assert.deepEqual(failures.slice(0, 20), [], `${failures.length} differences in ${runs} runs`);
  return { runs, variants };
}

for (const { name, variants, selected, all } of architectures) {
  for (const placed of [false, true]) {
    const how = placed ? 'every region placed where Zephyr had it' : 'addresses predicted by the heap model';
    test(`selected cases of ${name}, ${how}`, () => {
      const { runs, variants: seen } = runAll(trimmedRoot, name, placed);
      assert.deepEqual([...seen].sort(), variants.split(' '));
      assert.ok(runs >= selected, `${runs} runs`);
    });
    const skip = existsSync(wholeRoot) ? false : 'the whole collection is not here';
    test(`all cases of ${name}, ${how}`, { skip }, () => {
      const { runs } = runAll(wholeRoot, name, placed);
      assert.ok(runs >= all, `${runs} runs`);
    });
  }
}

for (const [what, root] of [
  ['selected', trimmedRoot],
  ['all', wholeRoot],
] as const) {
  const skip = existsSync(root) ? false : 'the whole collection is not here';
  test(`${what} cases of every architecture, linked in one go because nobody listens`, { skip }, () => {
    for (const { name, selected, all } of architectures) {
      const { runs } = runAll(root, name, false, true);
      assert.ok(runs >= (what === 'all' ? all : selected), `${runs} runs`);
    }
  });
}

/** Relocation types of allocated sections in the files of an architecture. */
function typesIn(root: string, arch: string): string[] {
  const types = new Set<string>();
  for (const located of goldenCases(root, isImageOf(arch))) {
    const { elf, variant } = located.golden;
    // Malformed ones name types that nothing has made.
    if (elf === null || elf.startsWith('bad_') || variant === 'sequences') continue;
    const file = ElfFile.parse(goldenElf(located, { op: 'load', file: elf }));
    for (const table of file.sections) {
      if (table.sh_type !== SHT_REL && table.sh_type !== SHT_RELA) continue;
      if (((file.sections.at(table.sh_info)?.sh_flags ?? 0) & SHF_ALLOC) === 0) continue;
      for (const { type } of file.relocationsOf(table)) types.add(relocationName(file.header.e_machine, type));
    }
  }
  return [...types].sort();
}

const whole = existsSync(wholeRoot) ? false : 'the whole collection is not here';
test('every relocation type that occurs in the collection occurs in the selection', { skip: whole }, () => {
  for (const { name } of architectures) assert.deepEqual(typesIn(trimmedRoot, name), typesIn(wholeRoot, name), name);
});

test('the selection has the relocation types that compilers emit', () => {
  const expected: Readonly<Record<string, string>> = {
    rv32: '32 BRANCH CALL_PLT HI20 LO12_I LO12_S PCREL_HI20 PCREL_LO12_I RELAX RVC_BRANCH RVC_JUMP',
    rv64: '64 BRANCH CALL_PLT PCREL_HI20 PCREL_LO12_I RELAX RVC_BRANCH RVC_JUMP',
  };
  for (const [arch, types] of Object.entries(expected)) {
    assert.deepEqual(
      typesIn(trimmedRoot, arch),
      types.split(' ').map((type) => `R_RISCV_${type}`),
      arch,
    );
  }
});

test('struct llext has the offsets that the images show', () => {
  for (const root of [trimmedRoot, wholeRoot]) {
    if (!existsSync(root)) continue;
    for (const file of readdirSync(join(root, 'images'))) {
      const image = JSON.parse(readFileSync(join(root, 'images', file), 'utf8')) as {
        ptr_size: 4 | 8;
        struct_llext: object;
      };
      assert.deepEqual({ ...llextLayout(image.ptr_size) }, image.struct_llext, file);
    }
  }
});

test('the MPU image rounds, the plain one does not', () => {
  assert.equal(goldenImage(trimmedRoot, 'arm-mpu').config.armMpu, true);
  assert.equal(goldenImage(trimmedRoot, 'arm').config.armMpu, false);
});
