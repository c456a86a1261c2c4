/** Build attributes equal readelf's, and choose the core that each fixture was compiled for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { armAttributes, Tag_CPU_name } from '../lib/elf/arm-attributes';
import { ElfFile } from '../lib/elf/elf-file';
import { cpuForElf } from '../lib/program/cpu-for-elf';
import { allExtensionPaths, projectRoot, testFixtureBuilds } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

test('Tag_CPU_name equals what readelf prints', (t) => {
  const readelf = requireTool(t, 'arm-none-eabi-readelf');
  if (readelf === undefined) return;
  for (const path of allExtensionPaths()) {
    const printed: string | undefined = /Tag_CPU_name: "(.*)"/.exec(runTool(readelf, ['-A', path]))?.[1];
    assert.equal(armAttributes(ElfFile.parse(readFileSync(path))).get(Tag_CPU_name), printed, path);
  }
});

test('the core is the one that the fixture was compiled for', () => {
  for (const build of testFixtureBuilds) {
    const elf = ElfFile.parse(readFileSync(join(projectRoot, build.folder, build.output)));
    assert.equal(cpuForElf(elf).name, build.cpu.replace(/\+.*/, ''), build.output);
  }
});

test('a damaged section loses nothing but itself', () => {
  const path = join(projectRoot, testFixtureBuilds[0].folder, testFixtureBuilds[0].output);
  const bytes = new Uint8Array(readFileSync(path));
  const section = ElfFile.parse(bytes).sections.find(({ name }) => name === '.ARM.attributes');
  assert.ok(section !== undefined);
  for (let i = 0; i < section.sh_size; i++) {
    for (const value of [0, 0x7f, 0xff]) {
      const damaged = bytes.slice();
      damaged[Number(section.sh_offset) + i] = value;
      armAttributes(ElfFile.parse(damaged));
    }
  }
});
