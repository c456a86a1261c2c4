/** Which Zephyr an image was built from: its boot banner, else version.h of the build folder, else the -g3 macro. */
import { macroDefinitions, type MacroSections } from '../dwarf/macro';
import type { ImageMemory } from './image-memory';
import { VERSION_MACRO } from './kconfig';

const banner = /Zephyr OS (?:build |version )?v?(\d+\.\d+\.\d+)/;
const number = /(\d+\.\d+\.\d+)/;

export function zephyrVersion(
  memory: ImageMemory,
  versionHeader: string | undefined,
  macroSources: readonly MacroSections[],
  littleEndian: boolean,
): string | undefined {
  for (const { bytes } of memory.sections) {
    const found = bytes && bannerIn(bytes);
    if (found !== undefined) return found;
  }
  const header = /^#define\s+KERNEL_VERSION_STRING\s+"?([^"\n]*)/m.exec(versionHeader ?? '')?.[1];
  if (header !== undefined) return number.exec(header)?.[1];
  for (const sections of macroSources) {
    const macro = macroDefinitions(sections, littleEndian, (name) => name === VERSION_MACRO).get(VERSION_MACRO);
    if (macro !== undefined) return number.exec(macro)?.[1];
  }
  return undefined;
}

const start = new TextEncoder().encode('Zephyr OS ');

function bannerIn(bytes: Uint8Array): string | undefined {
  for (let at = bytes.indexOf(start[0]); at >= 0; at = bytes.indexOf(start[0], at + 1)) {
    if (!start.every((byte, i) => bytes[at + i] === byte)) continue;
    const found = banner.exec(String.fromCharCode(...bytes.subarray(at, at + 60)))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
