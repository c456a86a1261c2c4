/**
 * The Kconfig settings of a build: absolute symbols CONFIG_* that every zephyr.elf has, else the text of the build
 * folder's .config, else the macros in debug information of -g3. A setting that is off is in none of them.
 */
import { SHN_ABS } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { macroDefinitions, type MacroSections } from '../dwarf/macro';
import type { KconfigFacts } from './description';

const PREFIX = 'CONFIG_';
export const VERSION_MACRO = 'KERNEL_VERSION_STRING';

export interface KconfigSources {
  readonly elf: ElfFile;
  /** Text of .config, when it lies beside the image. */
  readonly dotConfig: string | undefined;
  /** Where macros are: the image's .debug_* sections, and those of its companions. */
  readonly macroSources: readonly MacroSections[];
}

export function readKconfig({ elf, dotConfig, macroSources }: KconfigSources): KconfigFacts {
  const symbols = new Map<string, bigint>();
  for (const { name, st_value, st_shndx } of elf.symbols()) {
    if (st_shndx === SHN_ABS && name.startsWith(PREFIX)) symbols.set(name, st_value);
  }
  if (symbols.size > 0) return { values: symbols, source: 'symbols' };
  if (dotConfig !== undefined) {
    const values = parseDotConfig(dotConfig);
    if (values.size > 0) return { values, source: '.config' };
  }
  const macros = macroSources.flatMap((sections) => [
    ...macroDefinitions(sections, elf.littleEndian, (name) => name.startsWith(PREFIX)),
  ]);
  if (macros.length === 0) return { values: new Map(), source: undefined };
  const values = new Map(macros.map(([name, text]) => [name, settingOf(text)] as const));
  return { values, source: 'debug information' };
}

/** Lines `CONFIG_X=y`, `CONFIG_X=0x20`, `CONFIG_X="text"`; others are comments. */
export function parseDotConfig(text: string): Map<string, bigint | string> {
  const values = new Map<string, bigint | string>();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*?)\r?$/gm)) {
    if (value !== 'n') values.set(name, value === 'y' ? 1n : settingOf(value));
  }
  return values;
}

function settingOf(text: string): bigint | string {
  const trimmed = text.trim();
  if (/^-?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(trimmed)) {
    return trimmed.startsWith('-') ? -BigInt(trimmed.slice(1)) : BigInt(trimmed);
  }
  return trimmed.replace(/^"(.*)"$/s, '$1');
}

export function isSet({ values }: KconfigFacts, name: string): boolean {
  const value = values.get(PREFIX + name);
  return value !== undefined && value !== 0n;
}

/** An integer setting; undefined when it is off, text, or beyond what an address or a size can be. */
export function settingNumber({ values }: KconfigFacts, name: string): number | undefined {
  const value = values.get(PREFIX + name);
  return typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : undefined;
}
