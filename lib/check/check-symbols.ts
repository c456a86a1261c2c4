/** Defined symbols, exports and the extension's name (specification 1.1, 3.2, 3.3). */
import {
  ET_DYN,
  SHF_ALLOC,
  SHN_ABS,
  SHN_COMMON,
  SHN_LORESERVE,
  SHN_UNDEF,
  STB_GLOBAL,
  STT_FUNC,
  STT_OBJECT,
} from '../elf/constants';
import type { ElfFile, ElfSymbol } from '../elf/elf-file';
import { exportedSymbols } from '../llext/exported-symbols';
import { LLEXT_MAX_NAME_LEN } from '../llext/layout';
import { hex } from './check-headers';
import { appliedTables, loaderSymbols } from './check-imports';
import { isLoaded, regionOf } from './check-sections';
import type { FileCheck } from './file-check';

export function checkSymbols(check: FileCheck): void {
  const { elf } = check;
  const symbols = loaderSymbols(elf).slice(1);
  const globals = symbols.filter(isCounted);
  if (globals.length === 0 && symbols.length > 0) {
    check.add('no-global-symbols', `none of the ${symbols.length} symbols is a global function or object`);
  }
  for (const symbol of symbols) {
    if (symbol.st_shndx !== SHN_COMMON) continue;
    const message = `'${symbol.name}' is a common symbol of ${symbol.st_size} bytes`;
    check.add('common-symbol', message, { symbol: symbol.name });
  }
  for (const symbol of globals) checkGlobal(check, symbol);
  checkRelocationSymbols(check);
}

/** Counted for sym_tab. */
function isCounted({ type, binding }: ElfSymbol): boolean {
  return (type === STT_FUNC || type === STT_OBJECT) && binding === STB_GLOBAL;
}

function checkGlobal(check: FileCheck, symbol: ElfSymbol): void {
  const { elf } = check;
  const { st_shndx, name } = symbol;
  if (st_shndx === SHN_UNDEF || st_shndx === SHN_COMMON) return;
  const section = st_shndx < SHN_LORESERVE ? elf.sections.at(st_shndx) : undefined;
  if (section === undefined) {
    const where = st_shndx === SHN_ABS ? 'SHN_ABS' : `section ${hex(st_shndx)}, which does not exist`;
    check.add('absolute-symbol', `'${name}' is global and in ${where}`, { symbol: name });
    return;
  }
  const mapped = isLoaded(section) && regionOf(check, section) !== undefined;
  if (mapped || section.sh_offset < elf.bytes.length) return;
  check.add('symbol-without-data', `'${name}' lies in '${section.name}', which is not loaded`, {
    symbol: name,
    section,
  });
}

function checkRelocationSymbols(check: FileCheck): void {
  const { elf } = check;
  const symbols = loaderSymbols(elf);
  for (const { table, target } of appliedTables(elf, check.profile)) {
    for (const { symbolIndex, r_offset } of elf.relocationsOf(table)) {
      const symbol = symbols.at(symbolIndex);
      const shndx = symbol?.st_shndx ?? 0;
      const exists = shndx < elf.sections.length || shndx === SHN_ABS || shndx === SHN_COMMON;
      if (symbol !== undefined && exists) continue;
      const what =
        symbol === undefined
          ? `symbol ${symbolIndex}, of ${symbols.length}`
          : `'${symbol.name}' in section ${hex(shndx)}`;
      const message = `'${table.name}' refers to ${what}`;
      check.add('bad-relocation-symbol', message, { section: target, offset: Number(r_offset) });
    }
  }
}

/** Names that others can find in this file, as it will be: from the export table, or all globals. */
export function exportsOf(elf: ElfFile, allGlobals: boolean): { name: string; shndx: number; value: bigint }[] {
  const symbols = loaderSymbols(elf);
  if (allGlobals) {
    return symbols
      .slice(1)
      .filter((symbol) => isCounted(symbol) && symbol.st_shndx !== SHN_UNDEF)
      .map(({ name, st_shndx, st_value }) => ({ name, shndx: st_shndx, value: st_value }));
  }
  return exportedSymbols(elf).map(({ name, symbol, value }) => ({
    name,
    shndx:
      symbols.find((candidate) => candidate.name === symbol && candidate.st_value === value)?.st_shndx ?? SHN_UNDEF,
    value,
  }));
}

export function checkExports(check: FileCheck): void {
  const { elf, base } = check;
  const table = elf.section('.exported_sym');
  if (base.config.importAllGlobals) return checkExportNames(check);
  if (table === undefined || table.sh_size === 0 || (table.sh_flags & SHF_ALLOC) === 0) {
    const entry = loaderSymbols(elf).find((symbol) => symbol.type === STT_FUNC && symbol.binding === STB_GLOBAL);
    check.add('no-exports', 'there is no .exported_sym: nothing of this file can be called', {
      symbol: entry?.name,
      fix:
        entry === undefined
          ? undefined
          : `add LL_EXTENSION_SYMBOL(${entry.name}), compiled with -DLL_EXTENSION_BUILD; or set CONFIG_LLEXT_IMPORT_ALL_GLOBALS=y in the base image`,
    });
    return;
  }
  // What a dynamic linker would fill in is not known from the file.
  if (elf.header.e_type !== ET_DYN) checkExportAddresses(check, table.index);
  checkExportNames(check);
}

function checkExportAddresses(check: FileCheck, index: number): void {
  const { elf } = check;
  const table = elf.sections[index];
  const word = elf.is64 ? 8 : 4;
  const symbols = loaderSymbols(elf);
  const relocations = new Map(elf.relocationsFor(index).map((relocation) => [Number(relocation.r_offset), relocation]));
  const names = exportedSymbols(elf);
  const bytes = elf.sectionBytes(table);
  for (let at = 0; at + 2 * word <= table.sh_size; at += 2 * word) {
    const relocation = relocations.get(at + word);
    const symbol = relocation === undefined ? undefined : symbols.at(relocation.symbolIndex);
    const isZero = bytes.subarray(at + word, at + 2 * word).every((byte) => byte === 0);
    const addend = relocation?.addend ?? 0n;
    const isAbsoluteZero = symbol?.st_shndx === SHN_ABS && symbol.st_value + addend === 0n;
    if (!isZero || (symbol !== undefined && symbol.index !== 0 && !isAbsoluteZero)) continue;
    const name = names.find((entry) => entry.symbol === symbol?.name)?.name;
    const message = `entry ${at / (2 * word)} of .exported_sym${name === undefined ? '' : ` ('${name}')`} has the address 0`;
    check.add('export-null', message, { section: table, offset: at, symbol: name });
  }
}

function checkExportNames(check: FileCheck): void {
  const { base, order, elf, provided } = check;
  const seen = new Set<string>();
  const ofBase = new Set(check.knowsBase ? base.exports.map(({ name }) => name) : []);
  for (const { name } of exportsOf(elf, base.config.importAllGlobals)) {
    if (seen.has(name)) check.add('repeated-export', `'${name}' is exported twice by this file`, { symbol: name });
    else if (ofBase.has(name)) {
      check.add('export-shadowed', `the base image exports '${name}' too`, { symbol: name });
    } else {
      const other = provided.find((entry) => entry.name === name && entry.order < order && entry.address !== undefined);
      if (other !== undefined) check.add('duplicate-export', `${other.file} exports '${name}' too`, { symbol: name });
    }
    seen.add(name);
  }
}

export function checkName(
  check: FileCheck,
  earlier: readonly { readonly name: string; readonly file: string }[],
): void {
  const { name } = check.input;
  const cut = cutName(name);
  if (cut !== name) check.add('long-name', `'${name}' has ${name.length} characters and becomes '${cut}'`);
  // The name is only taken where the other one has loaded.
  const other = check.verdict.ret <= 0 ? undefined : earlier.find((file) => cutName(file.name) === cut);
  if (other !== undefined) {
    const message = `'${name}' and '${other.name}' (${other.file}) are both '${cut}': this file is not read`;
    check.add('name-collision', message);
  }
}

export function cutName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length <= LLEXT_MAX_NAME_LEN ? name : new TextDecoder().decode(bytes.subarray(0, LLEXT_MAX_NAME_LEN));
}
