/**
 * What is known of a loaded file: sections and regions.
 */
import assert from 'node:assert/strict';
import * as C from '../../../lib/elf/constants';
import { Errno } from '../../../lib/errors';
import type { ProfileName } from '../../../lib/llext/profile';
import { open, later, newest } from './opened';
import type { Opened, Case } from './opened';

export const inspection: readonly Case[] = [
  {
    fn: 'llext_find_section',
    result: 'OK',
    run(profile) {
      const { llext, loader } = open(profile);
      assert.equal(llext.findSection(loader, '.text'), 52n);
      assert.equal(llext.findSection(loader, '.rodata'), 84n);
      return 0;
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOENT',
    run(profile) {
      const { llext, loader } = open(profile);
      return Number(llext.findSection(loader, '.none'));
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOENT',
    when: 'without peek',
    profiles: ['SEED'],
    run(profile) {
      const { llext, loader } = open(profile, { peek: false });
      return Number(llext.findSection(loader, '.text'));
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOTSUP',
    profiles: later,
    run(profile) {
      const { llext, loader } = open(profile, { peek: false });
      return Number(llext.findSection(loader, '.text'));
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, shdr } = llext.getSectionHeader(extension, '.bss');
      assert.deepEqual([shdr?.sh_type, shdr?.sh_size], [C.SHT_NOBITS, 64n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.getSectionHeader(extension, '.none').ret;
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'ENOTSUP',
    profiles: newest,
    run(profile) {
      const { llext, extension } = forgotten(profile);
      return llext.getSectionHeader(extension, '.text').ret;
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.sectionShndx(extension, '.bss'), 6);
      // The name of section 0 is empty too, but it is not looked at.
      assert.equal(llext.sectionShndx(extension, ''), -Errno.ENOENT);
      return 0;
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.sectionShndx(extension, '.none');
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'ENOTSUP',
    profiles: newest,
    run(profile) {
      const { llext, extension } = forgotten(profile);
      return llext.sectionShndx(extension, '.text');
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile, { keep: true });
      const { BSS, RODATA, COUNT } = it.target.llext.regions;
      assert.equal(llext.getSectionInfo(loader, extension, 2).region, RODATA);
      assert.equal(llext.getSectionInfo(loader, extension, 0).region, COUNT);
      const { ret, region, offset, hdr } = llext.getSectionInfo(loader, extension, 6);
      assert.deepEqual([region, offset, hdr?.sh_size], [BSS, 0n, 64n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile, { keep: true });
      assert.equal(llext.getSectionInfo(loader, extension, -1).ret, -Errno.EINVAL);
      return llext.getSectionInfo(loader, extension, extension.sectCnt).ret;
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'ENOTSUP',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile);
      return llext.getSectionInfo(loader, extension, 1).ret;
    },
  },
  {
    fn: 'llext_get_region_info',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile);
      const { TEXT } = it.target.llext.regions;
      const { ret, addr, size, hdr } = llext.getRegionInfo(loader, extension, TEXT);
      assert.deepEqual([addr, size, hdr?.sh_offset], [extension.mem[TEXT], 32n, 52n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_region_info',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile);
      for (const wrong of [-1, 0.5]) assert.equal(llext.getRegionInfo(loader, extension, wrong).ret, -Errno.EINVAL);
      return llext.getRegionInfo(loader, extension, it.target.llext.regions.COUNT).ret;
    },
  },
  {
    fn: 'llext_section_headers',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile);
      // In place: behind all sections of the file, rounded up to 4.
      assert.ok(llext.sectionHeaders(extension) > loader.address);
      assert.equal(extension.sectionHeaders()?.at(6)?.name, '.bss');
      return 0;
    },
  },
  {
    fn: 'llext_section_count',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      // Six, their three relocation sections, three tables, and the first, which is none.
      assert.equal(llext.sectionCount(extension), 13);
      return 0;
    },
  },
  {
    fn: 'llext_free_inspection_data',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile, { keep: true });
      const before = extension.allocSize;
      const free = it.target.freeHeapBytes();
      assert.equal(llext.freeInspectionData(loader, extension), 0);
      assert.equal(before - extension.allocSize, BigInt(extension.sectCnt * 8));
      assert.ok(it.target.freeHeapBytes() > free);
      // Nothing is left to free.
      return llext.freeInspectionData(loader, extension);
    },
  },
];

/** An extension whose section names somebody has taken away. */
function forgotten(profile: ProfileName): Opened {
  const opened = open(profile);
  const { layout } = opened.it.target;
  const { SHSTRTAB } = opened.llext.regions;
  opened.it.target.memory.write(opened.extension.address + BigInt(layout.mem + SHSTRTAB * 4), new Uint8Array(4));
  return opened;
}
