/** Sections and the regions that the loader makes of them (specification 1.5 to 1.8). */
import {
  ET_DYN,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_TLS,
  SHF_WRITE,
  SHT_ARM_EXIDX,
  SHT_DYNSYM,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_REL,
  SHT_RELA,
  SHT_SYMTAB,
  constantName,
  sectionTypes,
} from '../elf/constants';
import type { SectionHeader } from '../elf/elf-file';
import { regionNameOf } from '../llext/llext-map';
import type { RegionName } from '../llext/regions';
import { hex } from './check-headers';
import type { FileCheck } from './file-check';

const largeAlignment = 256;

interface Region {
  readonly name: RegionName;
  readonly sections: readonly SectionHeader[];
  readonly start: number;
  readonly end: number;
}

export function isLoaded(section: SectionHeader): boolean {
  return (section.sh_flags & SHF_ALLOC) !== 0 && section.sh_size > 0;
}

const skippedNames = ['.relro_padding', '.heap', '.stack'];
const namesOfOldest: Readonly<Record<string, RegionName>> = {
  '.text': 'TEXT',
  '.data': 'DATA',
  '.rodata': 'RODATA',
  '.bss': 'BSS',
  '.exported_sym': 'EXPORT',
};

/** undefined: no region of this version and configuration takes the section. */
export function regionOf({ rules, regions }: FileCheck, section: SectionHeader): RegionName | undefined {
  const { name, sh_type, sh_flags } = section;
  if (rules.mapByName) return namesOfOldest[name];
  if (rules.skippedNames && skippedNames.includes(name)) return undefined;
  if (rules.tlsSections && (sh_flags & SHF_TLS) !== 0) return undefined;
  if (regions.RODATA_NO_RELOC !== undefined && name === '.llext.rodata.noreloc') return 'RODATA_NO_RELOC';
  const region = regionNameOf(sh_type, BigInt(sh_flags), name);
  return region !== undefined && regions[region] !== undefined ? region : undefined;
}

const functionArrays: readonly (RegionName | undefined)[] = ['PREINIT', 'INIT', 'FINI'];
const tables: readonly RegionName[] = ['SYMTAB', 'STRTAB', 'SHSTRTAB'];

export function checkSections(check: FileCheck): void {
  const loaded = check.elf.sections.filter(isLoaded);
  const mapped = loaded.filter((section) => regionOf(check, section) !== undefined);
  checkUnmapped(
    check,
    loaded.filter((section) => !mapped.includes(section)),
  );
  for (const section of mapped) checkSection(check, section);
  if (check.elf.header.e_type === ET_DYN && check.rules.harvardRefusesDyn && check.base.config.harvard === true) {
    check.add('dyn-on-harvard', 'ET_DYN, and the base image has CONFIG_HARVARD');
  }
  const regions = regionsOf(check, mapped);
  for (const region of regions) checkRegion(check, region);
  checkOverlaps(check, regions);
  checkPlaces(check);
}

function regionsOf(check: FileCheck, mapped: readonly SectionHeader[]): Region[] {
  return check.regions.names.flatMap((name) => {
    const sections = mapped.filter((section) => regionOf(check, section) === name);
    if (sections.length === 0) return [];
    const start = Math.min(...sections.map(({ sh_offset }) => sh_offset));
    const end = Math.max(...sections.map(({ sh_offset, sh_size }) => sh_offset + sh_size));
    return [{ name, sections, start, end }];
  });
}

function checkUnmapped(check: FileCheck, sections: readonly SectionHeader[]): void {
  const { elf } = check;
  const targets = new Set(
    elf.sections.filter(({ sh_type }) => sh_type === SHT_REL || sh_type === SHT_RELA).map(({ sh_info }) => sh_info),
  );
  for (const section of sections) {
    const type = constantName(sectionTypes, section.sh_type);
    if (section.sh_type === SHT_ARM_EXIDX && targets.has(section.index)) {
      check.add('arm-exidx', `'${section.name}' has relocations, and no region takes it`, { section });
    } else if (targets.has(section.index)) {
      const message = `relocations write to '${section.name}' (${type}), which no region takes`;
      check.add('unmapped-relocated-section', message, { section });
    } else if (elf.header.e_type !== ET_DYN && section.sh_type !== SHT_NOTE) {
      // The tables of a shared object are for a dynamic linker, notes for people.
      const message = `'${section.name}' (${type}, ${section.sh_size} bytes) is allocated, but no region takes it`;
      check.add('section-dropped', message, { section });
    }
  }
}

function checkSection(check: FileCheck, section: SectionHeader): void {
  const { sh_addralign, name, sh_size, sh_entsize } = section;
  const pointer = check.base.config.pointerSize;
  if (!isPowerOfTwo(Math.max(sh_addralign, 1))) {
    check.add('bad-alignment', `'${name}' has sh_addralign ${sh_addralign}`, { section });
  } else if (sh_addralign >= largeAlignment) {
    const message = `'${name}' wants ${sh_addralign} bytes alignment for ${sh_size} bytes`;
    check.add('over-aligned', message, { section, offset: 0 });
  }
  if ((section.sh_flags & SHF_TLS) !== 0) {
    check.add('tls-section', `'${name}' holds ${sh_size} bytes of thread-local data`, { section, offset: 0 });
  }
  if (functionArrays.includes(regionOf(check, section)) && (sh_entsize !== pointer || sh_size % pointer !== 0)) {
    const message = `'${name}': sh_entsize ${sh_entsize}, sh_size ${sh_size}, but a pointer has ${pointer} bytes`;
    if (!(check.rules.arrayEntsizeZero && sh_entsize === 0 && sh_size % pointer === 0)) {
      check.add('bad-function-array', message, { section });
    }
  }
  if (regionOf(check, section) === 'RODATA_NO_RELOC') {
    const count = check.elf.relocationsFor(section.index).length;
    if (count > 0) check.add('noreloc-relocated', `'${name}' has ${count} relocations`, { section });
  }
  if (name === '.exported_sym' && sh_size % (2 * pointer) !== 0) {
    check.add('bad-export-size', `'.exported_sym' has ${sh_size} bytes, an entry ${2 * pointer}`, { section });
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && (BigInt(value) & (BigInt(value) - 1n)) === 0n;
}

function checkRegion(check: FileCheck, region: Region): void {
  const { sections, name } = region;
  const names = sections.map((section) => `'${section.name}'`).join(', ');
  const related = sections.map((section) => check.related(`'${section.name}' of ${section.sh_size} bytes`, section, 0));
  const mask = SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR;
  const first = sections[0];
  for (const section of sections.slice(1)) {
    if ((section.sh_flags & mask) === (first.sh_flags & mask)) continue;
    const flags = `${flagLetters(section)} and ${flagLetters(first)}`;
    const message = `region ${name}: '${section.name}' and '${first.name}' have different flags (${flags})`;
    check.add('region-flags-differ', message, { section, related });
  }
  if (sections.length > 1 && name === 'BSS') {
    check.add('multiple-nobits', `${sections.length} sections without data: ${names}`, {
      section: sections[1],
      offset: 0,
      related,
    });
  } else if (sections.length > 1 && functionArrays.includes(name)) {
    check.add('repeated-function-array', `region ${name} has ${names}`, { section: sections[1], related });
  }
  if (check.elf.header.e_type === ET_DYN) checkDynamicRegion(check, region);
}

function flagLetters({ sh_flags }: SectionHeader): string {
  const letters = [
    [SHF_WRITE, 'W'],
    [SHF_ALLOC, 'A'],
    [SHF_EXECINSTR, 'X'],
  ] as const;
  return letters.map(([flag, letter]) => ((sh_flags & flag) !== 0 ? letter : '')).join('');
}

function checkDynamicRegion(check: FileCheck, { sections, name }: Region): void {
  const [first, ...others] = sections;
  const distance = (section: SectionHeader): bigint => section.sh_addr - BigInt(section.sh_offset);
  for (const section of others) {
    if (distance(section) === distance(first)) continue;
    const message = `region ${name}: '${section.name}' is ${hex(section.sh_addr - first.sh_addr)} behind '${first.name}' in memory, ${section.sh_offset - first.sh_offset} bytes in the file`;
    check.add('dyn-addresses-differ', message, { section });
  }
  const align = Math.max(...sections.map(({ sh_addralign }) => Math.max(sh_addralign, 1)));
  const start = Math.min(...sections.map(({ sh_offset }) => sh_offset));
  const lowest = sections.reduce((least, { sh_addr }) => (sh_addr < least ? sh_addr : least), first.sh_addr);
  const prepad = start % align;
  if (BigInt(prepad) > lowest) {
    const message = `region ${name} would begin ${prepad} bytes before its address ${hex(lowest)}`;
    check.add('dyn-bad-alignment', message, { section: first });
  }
}

/** As testOverlaps of llext-map, on the extents that the file shows; the sections in the middle are named. */
function checkOverlaps(check: FileCheck, regions: readonly Region[]): void {
  const files = [...regions.filter(({ name }) => name !== 'EXPORT' && name !== 'BSS'), ...tableRegions(check)];
  for (const [i, a] of files.entries()) {
    for (const b of files.slice(i + 1)) {
      if (a.start >= b.end || b.start >= a.end) continue;
      const between = [...a.sections, ...b.sections].filter(
        ({ sh_offset, sh_size }) =>
          sh_offset + sh_size > Math.max(a.start, b.start) && sh_offset < Math.min(a.end, b.end),
      );
      const span = ({ start, end }: Region): string => `${hex(start)}-${hex(end - 1)}`;
      const names = between.map(({ name }) => `'${name}'`).join(', ');
      const message = `regions ${a.name} (${span(a)}) and ${b.name} (${span(b)}) of the file overlap; both reach over ${names}`;
      const related = between.map((section) =>
        check.related(
          `'${section.name}' of region ${regionOf(check, section) ?? 'of tables'} at ${hex(section.sh_offset)}`,
          section,
          0,
        ),
      );
      check.add('regions-overlap', message, { section: between[0], offset: 0, related });
    }
  }
}

function tableRegions({ elf }: FileCheck): Region[] {
  const { e_shstrndx, e_type } = elf.header;
  const symbols = elf.sections.find(({ sh_type }) => sh_type === (e_type === ET_DYN ? SHT_DYNSYM : SHT_SYMTAB));
  const indices = new Map<RegionName, number | undefined>([
    ['SYMTAB', symbols?.index],
    ['STRTAB', symbols?.sh_link],
    // One table for both is a finding of its own.
    ['SHSTRTAB', symbols?.sh_link === e_shstrndx ? undefined : e_shstrndx],
  ]);
  return [...indices].flatMap(([name, index]) => {
    const section = index === undefined ? undefined : elf.sections.at(index);
    if (section === undefined || section.sh_size === 0) return [];
    return [{ name, sections: [section], start: section.sh_offset, end: section.sh_offset + section.sh_size }];
  });
}

/** What the trial made of the regions: padding, foreign bytes, copies that could have been shared. */
function checkPlaces(check: FileCheck): void {
  const { layout, elf } = check;
  if (layout.trial.placed.length === 0) return;
  for (const [i, descriptor] of layout.trial.sects.entries()) {
    const region = check.regions.names[i];
    const members = layout.trial.placed.filter((member) => member.region === region);
    if (members.length === 0 || descriptor.sh_type === SHT_NOBITS) continue;
    const section = elf.sections[members[0].index];
    const prepad = descriptor.sh_info;
    if (prepad > 0 && !tables.includes(region)) {
      const message = `region ${region} begins ${prepad} bytes before '${section.name}', for ${descriptor.sh_addralign} bytes alignment`;
      check.add(region === 'EXPORT' ? 'export-prepad' : 'region-prepad', message, { section });
    }
    const foreign = elf.sections.filter(({ index, sh_type, sh_offset, sh_size }) => {
      const isMember = members.some((member) => member.index === index);
      const [start, end] = [Number(descriptor.sh_offset) + prepad, Number(descriptor.sh_offset + descriptor.sh_size)];
      return !isMember && sh_type !== SHT_NOBITS && sh_size > 0 && sh_offset >= start && sh_offset + sh_size <= end;
    });
    if (foreign.length === 0) continue;
    const bytes = foreign.reduce((sum, { sh_size }) => sum + sh_size, 0);
    const names = foreign.map(({ name }) => `'${name}'`).join(', ');
    check.add('region-swallows-sections', `region ${region} holds ${bytes} foreign bytes: ${names}`, {
      section,
    });
  }
  for (const warning of layout.trial.warnings) {
    if (warning.startsWith('Cannot peek')) check.add('not-used-in-place', regionNamed(check, warning));
  }
  checkConstants(check);
}

function regionNamed({ regions }: FileCheck, message: string): string {
  return message.replace(/region (\d+)/, (whole, index: string) => `region ${regions.names[Number(index)] ?? whole}`);
}

function checkConstants(check: FileCheck): void {
  const { elf, storage, layout } = check;
  if (storage !== 'persistent') return;
  const constants = layout.trial.placed.filter(({ region }) => region === 'RODATA');
  const counted = constants
    .map(({ index }) => ({ section: elf.sections[index], count: elf.relocationsFor(index).length }))
    .filter(({ count }) => count > 0);
  if (counted.length === 0) return;
  const size = layout.trial.sects[check.regions.RODATA].sh_size;
  const list = counted.map(({ section, count }) => `${count} in '${section.name}'`).join(', ');
  const { section } = counted[0];
  const [{ r_offset }] = elf.relocationsFor(section.index);
  const message = `the ${size} bytes of RODATA are copied to the heap because of relocations: ${list}`;
  check.add('constants-relocated', message, { section, offset: Number(r_offset) });
}
