/** Headers, tables and ABI of one file (specification 1.3, 1.4). */
import { Tag_CPU_arch, Tag_CPU_name, armAttributes } from '../elf/arm-attributes';
import {
  EM_ARM,
  EM_RISCV,
  ET_DYN,
  ET_REL,
  SHT_DYNSYM,
  SHT_NOBITS,
  SHT_NULL,
  SHT_STRTAB,
  SHT_SYMTAB,
  constantName,
  elfTypes,
  machineNames,
} from '../elf/constants';
import { machineOf } from '../base-image/machine';
import type { LlextConfig } from '../llext/types';
import { runsOn } from './arm-cores';
import { armCpuOf, machinesOf } from './base';
import type { FileCheck } from './file-check';

/** e_flags of RISC-V: only registers x0 to x15 (RISC-V ELF psABI, 8.1). */
const EF_RISCV_RVE = 0x8;
const EF_ARM_EABIMASK = 0xff00_0000;
const EF_ARM_EABI_VER5 = 0x0500_0000;

/** False where the target reads the file with other structures than we do: nothing further can be said. */
export function checkHeaders(check: FileCheck): boolean {
  const { elf, base } = check;
  const { e_type, e_machine, e_shentsize } = elf.header;
  if (!checkClass(check)) return false;
  const machines = machinesOf(base.config);
  if (base.machine !== undefined ? base.machine !== e_machine : !machines.includes(e_machine)) {
    const wanted = base.machine ?? machines[0];
    check.add('wrong-machine', `${machineName(e_machine)} is not the base image’s ${machineName(wanted)}`);
  }
  if (e_type !== ET_REL && e_type !== ET_DYN) {
    check.add('not-loadable-type', `${constantName(elfTypes, e_type)} is no extension`);
  }
  const size = elf.is64 ? 64 : 40;
  if (e_shentsize !== size) check.add('bad-section-header-size', `e_shentsize is ${e_shentsize}, not ${size}`);
  if (elf.header.e_shnum === 0) check.add('no-sections', 'e_shnum is 0');
  return true;
}

function machineName(machine: number): string {
  return constantName(machineNames, machine);
}

function checkClass(check: FileCheck): boolean {
  const { elf, base } = check;
  const wrong = identMismatches(elf.is64, elf.littleEndian, base.config);
  for (const { code, message } of wrong) check.add(code, message);
  return wrong.length === 0;
}

export function identMismatches(
  is64: boolean,
  littleEndian: boolean,
  { pointerSize, bigEndian = false }: LlextConfig,
): { readonly code: 'wrong-class' | 'wrong-byte-order'; readonly message: string }[] {
  const [bits, wanted] = [is64 ? 64 : 32, pointerSize * 8];
  const order = (little: boolean): string => (little ? 'little-endian' : 'big-endian');
  const byClass = `the file is ELFCLASS${bits}, the base image has ${wanted}-bit addresses`;
  const byOrder = `the file is ${order(littleEndian)}, the base image ${order(!bigEndian)}`;
  return [
    ...(bits === wanted ? [] : [{ code: 'wrong-class', message: byClass } as const]),
    ...(littleEndian !== bigEndian ? [] : [{ code: 'wrong-byte-order', message: byOrder } as const]),
  ];
}

export function checkTables(check: FileCheck): void {
  const { elf } = check;
  const { e_type, e_shstrndx } = elf.header;
  checkExtent(check);
  const names = elf.sections.at(e_shstrndx);
  if (e_shstrndx === 0 || names?.sh_type !== SHT_STRTAB) {
    const what = names === undefined || e_shstrndx === 0 ? 'no section' : `'${names.name}', no string table`;
    check.add('missing-string-table', `e_shstrndx ${e_shstrndx} names ${what}`);
  }
  const bad = elf.sections.filter(({ sh_name }) => names !== undefined && sh_name >= names.sh_size && sh_name > 0);
  for (const { index, sh_name } of bad) {
    check.add(
      'bad-section-name',
      `section ${index}: sh_name ${sh_name} is outside of the ${names?.sh_size ?? 0} bytes`,
    );
  }
  if (e_type === ET_REL || e_type === ET_DYN) checkSymbolTable(check, e_type === ET_REL ? SHT_SYMTAB : SHT_DYNSYM);
}

/** What lies behind the end of the file is read as if it were there. */
function checkExtent(check: FileCheck): void {
  const { elf } = check;
  for (const section of elf.sections) {
    if (section.sh_type === SHT_NOBITS || section.sh_type === SHT_NULL) continue;
    const end = section.sh_offset + section.sh_size;
    if (end <= elf.bytes.length) continue;
    const message = `'${section.name}' ends at ${hex(end)}, the file at ${hex(elf.bytes.length)}: ${end - elf.bytes.length} bytes are missing`;
    check.add('truncated-file', message, { section });
  }
}

function checkSymbolTable(check: FileCheck, type: number): void {
  const { elf } = check;
  const table = elf.sections.find(({ sh_type }) => sh_type === type);
  if (table === undefined) {
    check.add('no-symbol-table', `there is no section of type ${type === SHT_SYMTAB ? 'SHT_SYMTAB' : 'SHT_DYNSYM'}`);
    return;
  }
  const size = elf.is64 ? 24 : 16;
  if (table.sh_entsize !== size || table.sh_size % size !== 0) {
    const message = `'${table.name}': sh_entsize ${table.sh_entsize}, sh_size ${table.sh_size}, but a symbol has ${size} bytes`;
    check.add('bad-symbol-table', message, { section: table });
    return;
  }
  const strings = elf.sections.at(table.sh_link);
  if (strings?.sh_type !== SHT_STRTAB) {
    check.add('missing-string-table', `sh_link ${table.sh_link} of '${table.name}' names no string table`);
    return;
  }
  if (table.sh_link === elf.header.e_shstrndx) {
    const message = `'${strings.name}' is the string table of sections and of symbols`;
    check.add('shared-string-table', message, { section: strings });
  } else if (table.sh_link < table.index) {
    const message = `'${strings.name}' is section ${strings.index}, before its symbol table, section ${table.index}`;
    check.add('string-table-before-symbols', message, { section: strings });
  }
  checkSymbolNames(check, table.index, strings.sh_size);
}

/** Read by hand: a symbol table with a bad name has no list of symbols. */
function checkSymbolNames(check: FileCheck, index: number, limit: number): void {
  const { elf } = check;
  const table = elf.sections[index];
  const size = elf.is64 ? 24 : 16;
  const end = Math.min(table.sh_offset + table.sh_size, elf.bytes.length);
  const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset, elf.bytes.byteLength);
  for (let at = table.sh_offset + size; at + size <= end; at += size) {
    const st_name = view.getUint32(at, elf.littleEndian);
    if (st_name < limit) continue;
    const symbol = (at - table.sh_offset) / size;
    check.add('bad-symbol-name', `symbol ${symbol}: st_name ${st_name} is outside of the ${limit} bytes of names`);
  }
}

export function checkAbi(check: FileCheck): void {
  const { elf, base } = check;
  const { e_machine, e_flags } = elf.header;
  const own = machineOf(elf)?.floatAbi;
  if (own !== undefined && base.floatAbi !== undefined && own !== base.floatAbi) {
    const message = `the file passes floating-point arguments by the ${own}-float convention, the base image by ${base.floatAbi}-float`;
    check.add('float-abi-mismatch', message);
  }
  if (e_machine === EM_ARM) checkArmAbi(check);
  if (e_machine === EM_RISCV && (e_flags & EF_RISCV_RVE) !== 0) {
    check.add('wrong-abi', 'e_flags has EF_RISCV_RVE: code for 16 registers');
  }
}

function checkArmAbi(check: FileCheck): void {
  const { elf, base } = check;
  const { e_flags } = elf.header;
  if ((e_flags & EF_ARM_EABIMASK) >>> 0 !== EF_ARM_EABI_VER5) {
    check.add('wrong-abi', `e_flags 0x${e_flags.toString(16)} is not EABI version 5`);
  }
  const cpu = base.armCpu;
  const attributes = armAttributes(elf);
  if (cpu === undefined || attributes.size === 0) return;
  const own = armCpuOf(elf);
  const arch = Number(attributes.get(Tag_CPU_arch) ?? 0);
  const built = `built for ${String(attributes.get(Tag_CPU_name) ?? `Tag_CPU_arch ${arch}`)}`;
  const otherProfile =
    own === undefined ? cpu.profile === 'M' : 'ARM'.includes(own.profile) && own.profile !== cpu.profile;
  if (otherProfile) {
    const code = own === undefined ? 'code for Arm state or any profile' : `code of the ${own.profile} profile`;
    check.add('instruction-set-mismatch', `${built}, ${code}; the base image’s core is of the ${cpu.profile} profile`);
  } else if (runsOn(arch, cpu.arch) === false) {
    const message = `${built}, Tag_CPU_arch ${arch}; the base image’s core is of ${cpu.arch}, which lacks some of it`;
    check.add('instruction-set-mismatch', message);
  }
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
