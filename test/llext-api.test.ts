/**
 * Every function of the API in every version that has it: each errno that it can return, and success. The last tests walk
 * lib/llext/llext-api.ts to prove it. Expected codes are the specification's (section 5).
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Errno, LlextError } from '../lib/errors';
import type { ErrnoName } from '../lib/errors';
import { KMemDomain } from '../lib/kernel/mem-domain';
import { apiErrnos, apiNames } from '../lib/llext/llext-api';
import type { ApiName } from '../lib/llext/llext-api';
import { profileNames } from '../lib/llext/profile';
import { calling } from './support/api-cases/calling';
import { inspection } from './support/api-cases/inspection';
import { loading } from './support/api-cases/loading';
import { instr, memory, rest } from './support/api-cases/memory';
import { file, open } from './support/api-cases/opened';
import type { Case, Opened } from './support/api-cases/opened';
import { resuming } from './support/api-cases/resuming';

const cases: readonly Case[] = [...loading, ...inspection, ...calling, ...memory, ...resuming];

for (const { fn, result, when, profiles = profileNames, run } of cases) {
  test(`${fn}: ${result}${when === undefined ? '' : `, ${when}`}`, () => {
    for (const profile of profiles) {
      assert.equal(run(profile), result === 'OK' ? 0 : -Errno[result], profile);
    }
  });
}

// --- The table is walked ---------------------------------------------------------------------------------------------

test('every errno of every function in every version has a case, and so has success', () => {
  const missing: string[] = [];
  for (const fn of apiNames) {
    for (const profile of profileNames) {
      const wanted: (ErrnoName | 'OK')[] = [...(apiErrnos(profile, fn) ?? [])];
      if (apiErrnos(profile, fn) !== undefined) wanted.push('OK');
      for (const result of wanted) {
        const found = cases.some(
          (each) => each.fn === fn && each.result === result && (each.profiles ?? profileNames).includes(profile),
        );
        if (!found) missing.push(`${fn} ${profile} ${result}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('no case is for what the table does not have', () => {
  const wrong = cases.flatMap(({ fn, result, profiles = profileNames }) =>
    profiles
      .filter((profile) => {
        const errnos = apiErrnos(profile, fn);
        return errnos === undefined || (result !== 'OK' && !errnos.includes(result));
      })
      .map((profile) => `${fn} ${profile} ${result}`),
  );
  assert.deepEqual(wrong, []);
});

const calls: Readonly<Record<ApiName, (opened: Opened) => unknown>> = {
  llext_load: ({ it }) => it.load(file),
  llext_unload: ({ llext, extension }) => llext.unload(extension),
  llext_by_name: ({ llext }) => llext.byName('x'),
  llext_iterate: ({ llext }) => llext.iterate(() => 0),
  llext_find_sym: ({ llext }) => llext.findSym('x'),
  llext_call_fn: ({ llext, extension }) => llext.callFn(extension, 'x'),
  llext_add_domain: ({ llext, extension }) => llext.addDomain(extension, new KMemDomain(0n, 4)),
  llext_find_section: ({ llext, loader }) => llext.findSection(loader, 'x'),
  llext_get_section_header: ({ llext, extension }) => llext.getSectionHeader(extension, 'x'),
  llext_section_shndx: ({ llext, extension }) => llext.sectionShndx(extension, 'x'),
  llext_get_section_info: ({ llext, loader, extension }) => llext.getSectionInfo(loader, extension, 0),
  llext_get_region_info: ({ llext, loader, extension }) => llext.getRegionInfo(loader, extension, 0),
  llext_section_headers: ({ llext, extension }) => llext.sectionHeaders(extension),
  llext_section_count: ({ llext, extension }) => llext.sectionCount(extension),
  llext_free_inspection_data: ({ llext, loader, extension }) => llext.freeInspectionData(loader, extension),
  llext_get_fn_table: ({ llext, extension }) => llext.getFnTable(extension, true),
  llext_get_fn_table_entry: ({ llext, extension }) => llext.getFnTableEntry(extension, true),
  llext_bringup: ({ llext, extension }) => llext.bringup(extension),
  llext_teardown: ({ llext, extension }) => llext.teardown(extension),
  llext_bootstrap: ({ llext, extension }) => llext.bootstrap(extension, 0n, 0n),
  llext_heap_init: ({ llext }) => llext.heapInit(instr),
  llext_heap_init_harvard: ({ llext }) => llext.heapInitHarvard(instr, rest),
  llext_heap_uninit: ({ llext }) => llext.heapUninit(),
  llext_relink_dependency: ({ llext }) => llext.relinkDependency(0x2000_8000n, 0),
  llext_restore: ({ llext }) => llext.restore([], []),
};

test('what a version does not have says so, and names the versions that have it', () => {
  for (const fn of apiNames) {
    for (const profile of profileNames) {
      const opened = open(profile);
      assert.equal(opened.llext.provides(fn), apiErrnos(profile, fn) !== undefined);
      if (opened.llext.provides(fn)) continue;
      assert.throws(
        () => calls[fn](opened),
        (error) => error instanceof LlextError && error.errno === Errno.ENOSYS && error.message.startsWith(fn),
        `${fn} ${profile}`,
      );
    }
  }
});
