/**
 * What in a file will make llext_load fail, or surprise: all of it at once and in words, where the loader stops at the
 * first (specification 1.3, appendix B 4). Each problem says what to change in the build.
 */
import {
  EM_ARM,
  ET_DYN,
  ET_REL,
  SHT_DYNSYM,
  SHT_SYMTAB,
  constantName,
  elfTypes,
  SHF_ALLOC,
  SHN_COMMON,
  SHN_UNDEF,
  SHT_ARM_EXIDX,
  SHT_NOBITS,
  SHT_REL,
  SHT_RELA,
  STB_WEAK,
} from '../elf/constants';
import { relocationName } from '../elf/relocation-names';
import type { ElfFile, SectionHeader } from '../elf/elf-file';
import { regionNameOf } from './llext-map';
import { findRow } from './reloc/apply';
import { machineArch, relocatorFor } from './reloc/index';

export interface LoadProblem {
  /** error: llext_load refuses the file. warning: it depends on the target, or does not do what one thinks. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export function loadProblems(elf: ElfFile): LoadProblem[] {
  return [...tableProblems(elf), ...sectionProblems(elf), ...relocationProblems(elf), ...symbolProblems(elf)];
}

function tableProblems(elf: ElfFile): LoadProblem[] {
  const { e_type, e_shstrndx } = elf.header;
  if (e_type !== ET_REL && e_type !== ET_DYN) {
    return [error(`${constantName(elfTypes, e_type)} is no extension: build with -c, \`ld -r\` or -shared`)];
  }
  const wanted = e_type === ET_REL ? SHT_SYMTAB : SHT_DYNSYM;
  const table = elf.sections.find(({ sh_type }) => sh_type === wanted);
  if (table === undefined) {
    return [error('there is no symbol table: strip with --strip-debug or --strip-unneeded, not with --strip-all')];
  }
  if (table.sh_link === e_shstrndx) {
    const fix = 'pass the file through GNU `ld -r`';
    return [error(`sections and symbols share one string table, as Clang writes it, which Zephyr refuses: ${fix}`)];
  }
  if (table.sh_link < table.index) {
    return [
      error(`'${elf.sections.at(table.sh_link)?.name ?? '?'}' lies before its symbol table and is not found there`),
    ];
  }
  return [];
}

function error(message: string): LoadProblem {
  return { severity: 'error', message };
}

function warning(message: string): LoadProblem {
  return { severity: 'warning', message };
}

function isAllocated(section: SectionHeader): boolean {
  return (section.sh_flags & SHF_ALLOC) !== 0 && section.sh_size > 0;
}

function sectionProblems(elf: ElfFile): LoadProblem[] {
  const problems: LoadProblem[] = [];
  const nobits = elf.sections.filter((section) => isAllocated(section) && section.sh_type === SHT_NOBITS);
  if (nobits.length > 1) {
    const names = nobits.map(({ name }) => name).join(', ');
    problems.push(error(`more than one section without data (${names}): build with -fno-data-sections -fno-common`));
  }
  const unmapped = elf.sections.filter((section) => isAllocated(section) && !isMapped(section));
  for (const section of unmapped) {
    if (elf.relocationsFor(section.index).length === 0) continue;
    const hint = section.sh_type === SHT_ARM_EXIDX ? ': build with -fno-unwind-tables -fno-exceptions' : '';
    problems.push(error(`relocations write to '${section.name}', which no region takes${hint}`));
  }
  return problems;
}

function isMapped(section: SectionHeader): boolean {
  return regionNameOf(section.sh_type, BigInt(section.sh_flags), section.name) !== undefined;
}

function relocationProblems(elf: ElfFile): LoadProblem[] {
  const problems: LoadProblem[] = [];
  const arch = machineArch.get(elf.header.e_machine);
  const relocator = arch === undefined ? undefined : relocatorFor(arch, elf.is64 ? 8 : 4);
  const unknown = new Map<number, string>();
  for (const table of elf.sections) {
    if (table.sh_type !== SHT_REL && table.sh_type !== SHT_RELA) continue;
    if (table.sh_type === SHT_RELA && elf.header.e_machine === EM_ARM) {
      problems.push(error(`'${table.name}' is of type SHT_RELA, which Zephyr does not support on Arm`));
      continue;
    }
    const target = elf.sections.at(table.sh_info);
    if (target === undefined) {
      problems.push(error(`'${table.name}' applies to section ${table.sh_info}, which does not exist`));
      continue;
    }
    if (elf.header.e_type === ET_DYN && table.sh_info === 0) {
      problems.push(warning(`'${table.name}' names no section and is skipped in silence: nothing of it is relocated`));
    }
    if (!isAllocated(target) || relocator === undefined) continue;
    for (const { type } of elf.relocationsOf(table)) {
      if (findRow(relocator, type, 'V41')?.exact === undefined) unknown.set(type, target.name);
    }
  }
  for (const [type, section] of unknown) {
    problems.push(error(`${relocationName(elf.header.e_machine, type)} in '${section}' is not supported`));
  }
  return problems;
}

function symbolProblems(elf: ElfFile): LoadProblem[] {
  const problems: LoadProblem[] = [];
  for (const { name, st_shndx, binding, index } of elf.symbols()) {
    if (index === 0) continue;
    if (st_shndx === SHN_COMMON) problems.push(error(`'${name}' is a common symbol: build with -fno-common`));
    if (st_shndx === SHN_UNDEF && binding === STB_WEAK) {
      problems.push(warning(`'${name}' is weak and undefined: where nothing provides it, the load fails all the same`));
    }
  }
  return problems;
}
