/**
 * Where Zephyr 4.2 itself reaches outside of its data, the loader says so and goes on as it does: one file for each
 * place, and a twin without the defect that tells nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as C from '../lib/elf/constants';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, data, func, patchHeader, text } from './support/elf-builder';
import type { ElfPlan } from './support/elf-builder';
import { bench, image } from './support/load-bench';

const R_ARM_ABS32 = 2;

const plan: ElfPlan = {
  sections: [text(), data([0, 0, 0, 0])],
  symbols: [func('entry')],
  relocations: [{ target: '.data', offset: 0, type: R_ARM_ABS32, symbol: 'entry' }],
};
// Sections: 1 .text, 2 .data, 3 .rel.data, 4 .symtab, 5 .strtab, 6 .shstrtab.
const sh_name = 0;
const sh_offset = 16;
const sh_size = 20;
const sh_info = 28;

function told(file: Uint8Array, config: Partial<LlextConfig> = {}): string[] {
  const it = bench(image(config));
  it.load(file);
  return it.events.flatMap((event) => (event.kind === 'out-of-bounds' ? [`${event.access}: ${event.what}`] : []));
}

const relocation = (offset: number, symbolIndex = 1): Uint8Array => {
  const file = buildElf(plan);
  const view = new DataView(file.buffer);
  const at = view.getUint32(view.getUint32(32, true) + 3 * 40 + sh_offset, true);
  view.setUint32(at, offset, true);
  view.setUint32(at + 4, (symbolIndex << 8) | R_ARM_ABS32, true);
  return file;
};

const cases: readonly [what: string, file: () => Uint8Array, expected: RegExp][] = [
  [
    'a section name outside of the names',
    () => patchHeader(buildElf(plan), 1, sh_name, 0x1000),
    /^read: sh_name 4096 of section 1/,
  ],
  [
    'a relocation section for no section',
    () => patchHeader(buildElf(plan), 3, sh_info, 77),
    /^read: sh_info 77 of section 3: there are 7/,
  ],
  [
    'a symbol in no section',
    () => buildElf({ ...plan, symbols: [func('entry'), func('shared', 4, C.SHN_COMMON)] }),
    /^read: st_shndx 65522 of 'shared': there are 7 sections/,
  ],
  [
    'a relocation outside of its section',
    () => relocation(8),
    /^write: r_offset 0x8 of a relocation in \.data, which has 0x4 bytes/,
  ],
  ['a relocation with a symbol that is not there', () => relocation(0, 9), /^read: symbol 9: there are 2 symbols/],
  [
    'a region that the file does not have whole',
    () => patchHeader(buildElf(plan), 6, sh_size, 0x2000),
    /^read: \d+ bytes behind the file's end/,
  ],
  [
    'padding that is larger than its region',
    () => {
      const flags = 8;
      return patchHeader(patchHeader(buildElf(plan), 5, flags, C.SHF_ALLOC), 5, sh_info, 127);
    },
    /^write: 127 bytes of padding before a region of \d+ bytes/,
  ],
];

for (const [what, file, expected] of cases) {
  test(`${what} is told`, () => {
    const lines = told(file());
    assert.ok(
      lines.some((line) => expected.test(line)),
      `told: ${lines.join('; ')}`,
    );
  });
}

test('a file without defects tells nothing', () => {
  assert.deepEqual(told(buildElf(plan)), []);
  assert.deepEqual(told(relocation(0)), []);
});
