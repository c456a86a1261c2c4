/** The committed base images: their bytes, and damage for tests of what is missing or wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseImageBuilds, type BaseImageBuild } from '../../scripts/base-image-builds';
import { readBaseImage, type BaseImageContext } from '../../lib/base-image/base-image-elf';
import type { BaseImageDescription } from '../../lib/base-image';
import { ElfFile } from '../../lib/elf/elf-file';
import { projectRoot } from './fixtures';

export { baseImageBuilds };

export function baseImageBuild(name: string): BaseImageBuild {
  const build = baseImageBuilds.find((candidate) => candidate.name === name);
  if (build === undefined) throw new Error(`no base image is called ${name}`);
  return build;
}

export function baseImagePath(name: string): string {
  return join(projectRoot, baseImageBuild(name).output);
}

export function baseImageBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(baseImagePath(name)));
}

export function baseImage(name: string, context: Partial<BaseImageContext> = {}): BaseImageDescription {
  return describeBytes(baseImageBytes(name), context);
}

export function describeBytes(bytes: Uint8Array, context: Partial<BaseImageContext> = {}): BaseImageDescription {
  return readBaseImage(ElfFile.parse(bytes), { origin: 'zephyr.elf', ...context });
}

/** A file whose section of that name is no symbol table, no export table ... any more: it gets type SHT_NULL and no name. */
export function withoutSection(bytes: Uint8Array, name: string): Uint8Array {
  const copy = bytes.slice();
  const elf = ElfFile.parse(copy);
  const section = elf.section(name);
  if (section === undefined) throw new Error(`no section ${name}`);
  const header = elf.header.e_shoff + section.index * elf.header.e_shentsize;
  const view = new DataView(copy.buffer);
  view.setUint32(header, 0, elf.littleEndian);
  view.setUint32(header + 4, 0, elf.littleEndian);
  return copy;
}

/** The words of the section with the export table, replaced by what `change` makes of them (32-bit images). */
export function withTable(bytes: Uint8Array, change: (words: Uint32Array) => void): Uint8Array {
  const copy = bytes.slice();
  const section = ElfFile.parse(copy).section('llext_const_symbol_area');
  if (section === undefined) throw new Error('no export table');
  const words = new Uint32Array(section.sh_size / 4);
  const view = new DataView(copy.buffer, section.sh_offset);
  words.forEach((_, i) => (words[i] = view.getUint32(i * 4, true)));
  change(words);
  words.forEach((word, i) => view.setUint32(i * 4, word, true));
  return copy;
}
