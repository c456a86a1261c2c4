/** Entries of preinit, init and fini arrays: llext_bringup and llext_teardown call what they find there (4.9). */
import { ET_DYN, SHN_ABS, SHN_UNDEF } from '../elf/constants';
import type { SectionHeader } from '../elf/elf-file';
import { loaderSymbols } from './check-imports';
import { isLoaded, regionOf } from './check-sections';
import type { FileCheck } from './file-check';

export function checkFunctionArrays(check: FileCheck): void {
  for (const section of check.elf.sections.filter(isLoaded)) {
    const region = regionOf(check, section);
    if (region !== 'PREINIT' && region !== 'INIT' && region !== 'FINI') continue;
    if (check.elf.header.e_type !== ET_DYN) checkEntries(check, section);
    else if (!check.rules.dynImage) {
      const message = `'${section.name}' has ${section.sh_size} bytes of addresses that nothing relocates`;
      check.add('dyn-function-array', message, { section });
    }
  }
}

function checkEntries(check: FileCheck, section: SectionHeader): void {
  const { elf } = check;
  const pointer = elf.is64 ? 8 : 4;
  const symbols = loaderSymbols(elf);
  const relocations = new Map(elf.relocationsFor(section.index).map((entry) => [Number(entry.r_offset), entry]));
  for (let at = 0; at + pointer <= section.sh_size; at += pointer) {
    const symbol = symbols.at(relocations.get(at)?.symbolIndex ?? 0);
    const shndx = symbol?.st_shndx ?? SHN_UNDEF;
    const target = shndx === SHN_UNDEF || shndx === SHN_ABS ? undefined : elf.sections.at(shndx);
    if (target !== undefined && regionOf(check, target) === 'TEXT') continue;
    const what = symbol === undefined || symbol.index === 0 ? 'no symbol' : `'${symbol.name}'`;
    const where = target === undefined ? 'not in this file' : `in '${target.name}'`;
    const message = `entry ${at / pointer} of '${section.name}' is ${what}, ${where}`;
    check.add('function-outside-text', message, { section, offset: at, symbol: symbol?.name });
  }
}
