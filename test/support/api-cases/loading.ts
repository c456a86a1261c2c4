/**
 * llext_load, llext_unload and the functions that find something.
 */
import assert from 'node:assert/strict';
import * as C from '../../../lib/elf/constants';
import type { ProfileName } from '../../../lib/llext/profile';
import type { LlextConfig } from '../../../lib/llext/types';
import { buildElf, bss, undefinedSymbol } from '../elf-builder';
import { bench, image } from '../load-bench';
import { plan, file, fileOf, planOf, open, later } from './opened';
import type { Case } from './opened';

function loadRet(
  profile: ProfileName,
  bytes: Uint8Array,
  config: Partial<LlextConfig> = {},
  pre_located = false,
): number {
  return bench(image({ profile, ...config })).load(bytes, { parm: { pre_located } }).ret;
}

export const loading: readonly Case[] = [
  {
    fn: 'llext_load',
    result: 'OK',
    run(profile) {
      const { it, extension } = open(profile);
      assert.equal(extension.useCount, 1);
      // A name that is loaded: its use count as it was.
      assert.equal(it.load(fileOf(profile), { name: 'opened' }).ret, 1);
      assert.equal(extension.useCount, 2);
      return 0;
    },
  },
  {
    fn: 'llext_load',
    result: 'ENOMEM',
    run: (profile) =>
      loadRet(profile, buildElf({ ...plan, sections: [...plan.sections.slice(0, 3), bss(0x2_0000)], relocations: [] })),
  },
  {
    fn: 'llext_load',
    result: 'ENOEXEC',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          relocations: [{ target: '.text', offset: 0, type: C.R_ARM_THM_JUMP19, symbol: 'b' }],
        }),
      ),
  },
  {
    fn: 'llext_load',
    result: 'ENOTSUP',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          sections: [...planOf(profile).sections, { name: '.rela.text', type: C.SHT_RELA, entsize: 12, info: 1 }],
        }),
      ),
  },
  {
    fn: 'llext_load',
    result: 'ENODATA',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          symbols: [...(plan.symbols ?? []), undefinedSymbol('missing')],
          relocations: [{ target: '.text', offset: 0, type: C.R_ARM_ABS32, symbol: 'missing' }],
        }),
      ),
  },
  { fn: 'llext_load', result: 'EFAULT', profiles: later, run: (profile) => loadRet(profile, file, {}, true) },
  {
    fn: 'llext_unload',
    result: 'OK',
    run(profile) {
      const { it, llext, extension } = open(profile);
      it.load(fileOf(profile), { name: 'opened' });
      assert.equal(llext.unload(extension), 1, 'what is left of the use count');
      assert.equal(llext.byName('opened')?.address, extension.address);
      return llext.unload(extension);
    },
  },
  {
    fn: 'llext_by_name',
    result: 'OK',
    run(profile) {
      const it = bench(image({ profile }));
      it.load(fileOf(profile), { name: 'sixteen_letters_' });
      const found = (name: string): boolean => it.target.llext.byName(name) !== undefined;
      assert.ok(found('sixteen_letters'));
      assert.ok(!found('sixteen_letter'));
      // The oldest version compares one character more than it has kept.
      assert.equal(found('sixteen_letters_'), profile !== 'SEED');
      assert.equal(found('sixteen_lettersX'), profile !== 'SEED');
      return 0;
    },
  },
  {
    fn: 'llext_iterate',
    result: 'OK',
    run(profile) {
      const it = bench(image({ profile }));
      for (const name of ['a', 'b', 'c']) it.load(fileOf(profile), { name });
      const seen: string[] = [];
      const stop = it.target.llext.iterate(({ name }) => {
        seen.push(name);
        return name === 'b' ? 42 : 0;
      });
      assert.deepEqual([stop, seen.join('')], [42, 'ab']);
      return it.target.llext.iterate(() => 0);
    },
  },
  {
    fn: 'llext_find_sym',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.findSym('imported'), 0x0800_0101n);
      assert.equal(llext.findSym('entry'), undefined);
      assert.equal(llext.findSym('imported', extension), undefined);
      assert.equal(llext.findSym('entry', extension), extension.mem[0] + 1n);
      assert.equal(llext.findSym(0x1234n), undefined, 'no SLIDs in this build');
      return 0;
    },
  },
];
