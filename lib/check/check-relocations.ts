/** Relocation sections and types (specification 4.1): what the loader refuses or passes over, whatever the addresses. */
import { EM_ARM, EM_XTENSA, ET_DYN, SHF_ALLOC, SHT_REL, SHT_RELA } from '../elf/constants';
import type { ElfRelocation, SectionHeader } from '../elf/elf-file';
import { relocationName } from '../elf/relocation-names';
import { findRow } from '../llext/reloc/apply';
import { machineArch, relocatorFor } from '../llext/reloc/index';
import { hex } from './check-headers';
import { appliedTables } from './check-imports';
import type { FileCheck } from './file-check';
import { adviceFor, codeOfUnsupported } from './relocation-advice';

export function checkRelocations(check: FileCheck): void {
  const { elf } = check;
  for (const table of elf.sections) {
    if (table.sh_type === SHT_REL || table.sh_type === SHT_RELA) checkTable(check, table);
  }
  for (const { table, target } of appliedTables(elf, check.profile)) checkTypes(check, table, target);
}

function checkTable(check: FileCheck, table: SectionHeader): void {
  const { elf } = check;
  const { name, sh_entsize, sh_size, sh_info } = table;
  const word = elf.is64 ? 8 : 4;
  const size = word * (table.sh_type === SHT_RELA ? 3 : 2);
  if (table.sh_type === SHT_RELA && elf.header.e_machine === EM_ARM) {
    check.add('rela-on-arm', `'${name}' is of type SHT_RELA`, { section: table });
    return;
  }
  if (sh_entsize !== size || sh_size % size !== 0 || sh_info >= elf.sections.length) {
    const facts = `sh_entsize ${sh_entsize}, sh_size ${sh_size}, sh_info ${sh_info}`;
    const limits = `an entry has ${size} bytes, and there are ${elf.sections.length} sections`;
    check.add('bad-relocation-section', `'${name}': ${facts}; ${limits}`, { section: table });
    return;
  }
  const target = elf.sections[sh_info];
  if (elf.header.e_type === ET_DYN && sh_info === 0) {
    const message = `'${name}' names no section: its ${sh_size / size} relocations are not applied`;
    check.add('dyn-relocations-skipped', message, { section: table });
  } else if ((target.sh_flags & SHF_ALLOC) === 0) {
    check.add('debug-relocations', `'${name}' applies to '${target.name}', which is not loaded`, { section: table });
  }
}

/** One finding for each type and section, with the places. */
function checkTypes(check: FileCheck, table: SectionHeader, target: SectionHeader): void {
  const { elf } = check;
  const machine = elf.header.e_machine;
  const { arch, pointerSize } = check.base.config;
  const relocator = relocatorFor(arch, pointerSize);
  if (relocator === undefined || arch !== machineArch.get(machine)) return;
  const unknown = new Map<number, ElfRelocation[]>();
  for (const relocation of elf.relocationsOf(table)) {
    const { type, r_offset } = relocation;
    const row = findRow(relocator, type, check.profile);
    if (row?.exact === undefined || row.exact.refusal !== undefined)
      unknown.set(type, [...(unknown.get(type) ?? []), relocation]);
    else if (!isInside(check, target, r_offset)) outside(check, target, relocation);
  }
  for (const [type, places] of unknown) {
    const name = relocationName(machine, type);
    const [first, ...others] = places;
    const many = others.length === 0 ? '' : ` in ${places.length} places`;
    const where = `${target.name}+${hex(first.r_offset)}`;
    check.add(codeOfUnsupported(machine, type, name), `${name} at ${where}${many} is not supported`, {
      section: target,
      offset: Number(first.r_offset),
      symbol: check.places.symbolAt(target.index, Number(first.r_offset)),
      fix: adviceFor(name),
      related: others.map(({ r_offset }) =>
        check.related(`also at ${target.name}+${hex(r_offset)}`, target, Number(r_offset)),
      ),
    });
  }
}

/** Of a shared object that is loaded as one image r_offset is an address of the file, whatever sh_info says. */
function isByAddress({ elf, rules }: FileCheck): boolean {
  return elf.header.e_type === ET_DYN && rules.dynImage && elf.header.e_machine !== EM_XTENSA;
}

function isInside(check: FileCheck, target: SectionHeader, offset: bigint): boolean {
  if (!isByAddress(check)) return offset < BigInt(target.sh_size);
  return check.elf.sections.some(({ sh_flags, sh_addr, sh_size }) => {
    const start = BigInt(sh_addr);
    return (sh_flags & SHF_ALLOC) !== 0 && offset >= start && offset < start + BigInt(sh_size);
  });
}

function outside(check: FileCheck, target: SectionHeader, { type, r_offset }: ElfRelocation): void {
  const name = relocationName(check.elf.header.e_machine, type);
  if (isByAddress(check)) {
    check.add('relocation-outside-section', `${name} at address ${hex(r_offset)}, which is in no section`, {});
    return;
  }
  const message = `${name} at ${target.name}+${hex(r_offset)}, but '${target.name}' has ${hex(target.sh_size)} bytes`;
  check.add('relocation-outside-section', message, { section: target });
}
