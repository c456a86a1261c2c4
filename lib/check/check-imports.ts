/**
 * Undefined symbols that the loader will look up: in the base image, then in the extensions loaded before
 * (specification 3.4). All of them, each with the places that need it.
 */
import { ET_DYN, SHF_ALLOC, SHN_UNDEF, SHT_DYNSYM, SHT_REL, SHT_RELA, SHT_SYMTAB, STB_WEAK } from '../elf/constants';
import { relocationName } from '../elf/relocation-names';
import type { ElfFile, ElfRelocation, ElfSymbol, SectionHeader } from '../elf/elf-file';
import type { ProfileName } from '../llext/profile';
import { hex } from './check-headers';
import { baseLookup } from './base';
import type { FileCheck, ProvidedExport, Where } from './file-check';
import type { RelatedPlace } from './finding';
import { kindOfMissing } from './import-kinds';
import { nameWithoutCpp, nearestNames } from './nearest-names';
import type { FindingCode } from './rules';

const mostDependencies = 8;

/** An undefined symbol and the relocations that refer to it. */
export interface Import {
  readonly symbol: ElfSymbol;
  readonly uses: readonly { readonly section: SectionHeader; readonly relocation: ElfRelocation }[];
}

/** The symbol table that the loader uses. */
export function loaderSymbols(elf: ElfFile): readonly ElfSymbol[] {
  const type = elf.header.e_type === ET_DYN ? SHT_DYNSYM : SHT_SYMTAB;
  const table = elf.sections.find(({ sh_type }) => sh_type === type);
  return table === undefined ? [] : elf.symbolsOf(table);
}

/** Relocation sections that the loader applies, with the section that they patch. */
export function appliedTables(
  elf: ElfFile,
  profile: ProfileName,
): { readonly table: SectionHeader; readonly target: SectionHeader }[] {
  return elf.sections.flatMap((table) => {
    if (table.sh_type !== SHT_REL && table.sh_type !== SHT_RELA) return [];
    const target = elf.sections.at(table.sh_info);
    const isDynamic = elf.header.e_type === ET_DYN && profile === 'S';
    if (target === undefined || (!isDynamic && (target.sh_flags & SHF_ALLOC) === 0)) return [];
    return [{ table, target }];
  });
}

export function importsOf(elf: ElfFile, profile: ProfileName): Import[] {
  const symbols = loaderSymbols(elf);
  const uses = new Map<number, { section: SectionHeader; relocation: ElfRelocation }[]>();
  for (const { table, target } of appliedTables(elf, profile)) {
    for (const relocation of elf.relocationsOf(table)) {
      const { symbolIndex } = relocation;
      if (symbolIndex === 0 || symbols.at(symbolIndex)?.st_shndx !== SHN_UNDEF) continue;
      const known = uses.get(symbolIndex);
      if (known === undefined) uses.set(symbolIndex, [{ section: target, relocation }]);
      else known.push({ section: target, relocation });
    }
  }
  return [...uses].map(([index, places]) => ({ symbol: symbols[index], uses: places }));
}

export function checkImports(check: FileCheck): void {
  const { base, order, provided, elf } = check;
  if (!check.knowsBase) return;
  const imports = importsOf(elf, check.profile);
  checkSlids(check, imports);
  const lookup = baseLookup(base);
  const known = [...new Set([...base.exports, ...provided].map(({ name }) => name))];
  const dependencies = new Set<number>();
  for (const entry of imports) {
    const { name } = entry.symbol;
    const address = lookup(entry.symbol);
    if (address !== undefined && address !== 0n) continue;
    const providers = provided.filter((other) => other.name === name && other.order < order && other.address !== 0n);
    const [provider] = [...providers.filter((other) => other.address !== undefined), ...providers];
    if (provider?.address !== undefined) {
      dependencies.add(provider.order);
      reportAmbiguity(check, entry, providers);
    } else if (provider !== undefined) {
      report(check, 'import-from-refused', entry, `'${name}' is exported by ${provider.file}, which is refused`);
    } else reportMissing(check, entry, address, known);
  }
  if (dependencies.size > mostDependencies) {
    const message = `it imports from ${dependencies.size} extensions; ${dependencies.size - mostDependencies} are not counted`;
    check.add('too-many-dependencies', message);
  }
}

function reportAmbiguity(check: FileCheck, entry: Import, providers: readonly ProvidedExport[]): void {
  const files = [...new Set(providers.filter(({ address }) => address !== undefined).map(({ file }) => file))];
  if (files.length < 2) return;
  const message = `'${entry.symbol.name}' is exported by ${files.join(' and ')}: that of ${files[0]} is taken`;
  report(check, 'ambiguous-import', entry, message);
}

function reportMissing(check: FileCheck, entry: Import, address: bigint | undefined, known: readonly string[]): void {
  const { name } = entry.symbol;
  const later = check.provided.find((other) => other.name === name && other.order > check.order);
  if (address === 0n) report(check, 'import-null', entry, `the base image exports '${name}' as NULL`);
  else if (later !== undefined) {
    const message = `'${name}' is exported by ${later.file}, which is loaded after this file`;
    report(check, 'import-order', entry, message, `load ${later.file} before ${check.input.file}`);
  } else if (entry.symbol.binding === STB_WEAK) {
    report(check, 'weak-undefined', entry, `'${name}' is weak, undefined, and nothing provides it`);
  } else {
    const code = kindOfMissing(name, check.base.config.exportDevices === true);
    const nearest = nearestNames(name, known);
    const meant = nearest.length === 0 ? '' : `; near: ${nearest.map((other) => `'${other}'`).join(', ')}`;
    const fix = code === 'undefined-symbol' ? fixOf(name, nearest) : undefined;
    report(check, code, entry, `nothing provides '${name}'${meant}`, fix);
  }
}

function fixOf(name: string, nearest: readonly string[]): string {
  const plain = nameWithoutCpp(name);
  if (plain !== undefined && nearest.includes(plain))
    return `declare '${plain}' in extern "C" { }, as the base image has it`;
  const meant = nearest.length === 0 ? '' : `write ${nearest.map((other) => `'${other}'`).join(' or ')}, or `;
  const group = /^z_(?:impl|mrsh)_/.test(name) ? ' or set CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_SYSCALL=y' : '';
  return `${meant}add EXPORT_SYMBOL(${name}) to the base image${group}, or load an extension with LL_EXTENSION_SYMBOL(${name}) first`;
}

function report(check: FileCheck, code: FindingCode, { symbol, uses }: Import, message: string, fix?: string): void {
  const [first, ...others] = uses;
  const where: Where = {
    section: first.section,
    offset: Number(first.relocation.r_offset),
    symbol: symbol.name,
    fix,
    related: others.map(({ section, relocation }) => useOf(check, section, relocation)),
  };
  const many = uses.length === 1 ? '' : ` (${uses.length} places)`;
  check.add(code, `${message}${many}`, where);
}

function useOf(check: FileCheck, section: SectionHeader, { type, r_offset }: ElfRelocation): RelatedPlace {
  const name = relocationName(check.elf.header.e_machine, type);
  return check.related(`also needed at ${section.name}+${hex(r_offset)} (${name})`, section, Number(r_offset));
}

/** llext_inject_slids.py writes the hash of an undefined symbol's name into its st_value. */
function checkSlids(check: FileCheck, imports: readonly Import[]): void {
  const { base } = check;
  if (imports.length === 0) return;
  const injected = imports.filter(({ symbol }) => symbol.st_value !== 0n);
  if (base.config.exportBySlid === true && injected.length === 0) {
    const message = `the base image exports by SLID, but none of the ${imports.length} imports has one`;
    report(check, 'slid-mismatch', imports[0], message);
  } else if (base.config.exportBySlid !== true && injected.length > 0) {
    const { name, st_value } = injected[0].symbol;
    const message = `the base image exports by name, but ${injected.length} imports have a SLID, as '${name}' ${hex(st_value)}`;
    report(check, 'slid-mismatch', injected[0], message);
  }
}
