/**
 * A real zephyr.elf as a base image: export table, configuration, heaps, structures, machine, version. Whatever of
 * symbols, sections and debug information is there is used; what is missing is assumed and noted.
 */
import { constantName, elfTypes, ET_DYN, ET_EXEC, machineNames } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import type { DebugInfo } from '../dwarf/debug-info';
import { slidOf } from '../llext/slid';
import type { LlextConfig } from '../llext/types';
import { openDebugInfo } from '../program/debug-companions';
import { hasDebugSections } from '../program/debug-sections';
import { BaseImageError } from './base-image-error';
import { declarationIn, llextLayoutOf, regionsOf, userspaceSizesOf } from './debug-facts';
import type { BaseImageDescription, BaseImageExport, BaseMachine, KconfigFacts } from './description';
import { readExportTable, type ExportTable, type TableEntry } from './export-table';
import { imageObject, readHeaps } from './heaps';
import { ImageMemory } from './image-memory';
import { isSet, readKconfig } from './kconfig';
import { llextConfigOf } from './llext-config';
import { machineOf } from './machine';
import { zephyrVersion } from './zephyr-version';

/** What lies in the build folder beside the image, and what else is known. */
export interface BaseImageContext {
  /** For messages. */
  readonly origin: string;
  /** Text of .config and of version.h. */
  readonly dotConfig?: string | undefined;
  readonly versionHeader?: string | undefined;
  /** Names whose SLIDs are recognised in a table that has no names. */
  readonly knownNames?: readonly string[];
  /** Files with parts of its debug information. */
  readonly companions?: readonly ElfFile[];
}

const MIB = 0x10_0000n;

/** Throws BaseImageError for a file that is none, FormatError for a damaged one. */
export function readBaseImage(elf: ElfFile, context: BaseImageContext): BaseImageDescription {
  const machine = checkedMachine(elf);
  const memory = new ImageMemory(elf);
  const notes: string[] = [];
  const debug = readDebug(elf, context.companions ?? [], notes);
  const macroSources = debug?.macroSources ?? [];
  const table = readExportTable(elf, memory, debug);
  const kconfig = readKconfig({ elf, dotConfig: context.dotConfig, macroSources });
  const version = zephyrVersion(memory, context.versionHeader, macroSources, elf.littleEndian);
  const bySlid = isBySlid(table, kconfig, memory);
  const exports = bySlid
    ? exportsBySlid(table, machine, context.knownNames ?? [])
    : table.entries.map((entry) => namedExport(entry, memory));
  const config = { ...llextConfigOf(machine, kconfig, version), exportBySlid: bySlid, ...structures(debug) };
  const heaps = readHeaps(elf, memory, debug);
  const listAddress = (imageObject(elf, debug, 'llext_list') ?? imageObject(elf, debug, '_llext_list'))?.address;
  notes.push(...assumptions(kconfig, version, config, heaps.length, exports));
  return {
    kind: 'elf',
    origin: context.origin,
    machine,
    config,
    kconfig,
    exports,
    exportsBySlid: bySlid,
    exportsFoundBy: table.foundBy,
    heaps,
    listAddress,
    zephyrVersion: version,
    layoutFound: config.layout !== undefined,
    elf,
    debug,
    declarationOf: (name) => declarationIn(debug, name),
    filePool: (memory.extent.end / MIB + 1n) * MIB,
    notes,
  };
}

function checkedMachine(elf: ElfFile): BaseMachine {
  const { e_type, e_machine } = elf.header;
  if (e_type !== ET_EXEC && e_type !== ET_DYN) {
    throw new BaseImageError(
      'not-an-image',
      `not a linked image: e_type is ${constantName(elfTypes, e_type)}. A base image is the zephyr.elf of a build folder; extensions are given apart from it`,
    );
  }
  const machine = machineOf(elf);
  if (machine === undefined) {
    throw new BaseImageError(
      'unknown-machine',
      `e_machine is ${constantName(machineNames, e_machine)}, which LLEXT does not support`,
    );
  }
  return machine;
}

/** Debug information that cannot be read must not keep the rest from being used. */
function readDebug(elf: ElfFile, companions: readonly ElfFile[], notes: string[]): DebugInfo | undefined {
  if (!hasDebugSections(elf)) return undefined;
  const addressOf = (index: number): bigint | undefined => elf.sections.at(index)?.sh_addr;
  return openDebugInfo(elf, addressOf, companions, (problem) => notes.push(problem));
}

/** The configuration tells; without it, a table whose first words are no names of symbols is one of SLIDs. */
function isBySlid(table: ExportTable, kconfig: KconfigFacts, memory: ImageMemory): boolean {
  if (kconfig.source !== undefined) return isSet(kconfig, 'LLEXT_EXPORT_BUILTINS_BY_SLID');
  return table.entries.length > 0 && table.entries.every(({ key }) => !isName(memory.text(key)));
}

const isName = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z_.$][\w.$]*$/.test(text);

function namedExport({ at, key, address }: TableEntry, memory: ImageMemory): BaseImageExport {
  const name = memory.text(key);
  if (!isName(name)) {
    const place = `0x${at.toString(16)}`;
    throw new BaseImageError(
      'export-table',
      `the export entry at ${place} has no name at 0x${key.toString(16)}: the file is damaged, or its table is by SLID and CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID is not among its settings`,
    );
  }
  return { name, slid: undefined, address };
}

function exportsBySlid({ entries, variableNames }: ExportTable, machine: BaseMachine, knownNames: readonly string[]) {
  const bytes = machine.is64 ? 8 : 4;
  const names = new Map([...knownNames, ...variableNames].map((name) => [slidOf(name, bytes), name]));
  return entries.map(({ key, address }): BaseImageExport => ({ name: names.get(key), slid: key, address }));
}

function structures(debug: DebugInfo | undefined): Pick<LlextConfig, 'layout' | 'regions' | 'userspaceSizes'> {
  const layout = llextLayoutOf(debug);
  const regions = regionsOf(debug);
  const userspaceSizes = userspaceSizesOf(debug);
  return {
    ...(layout === undefined ? {} : { layout }),
    ...(regions === undefined ? {} : { regions }),
    ...(userspaceSizes === undefined ? {} : { userspaceSizes }),
  };
}

function assumptions(
  kconfig: KconfigFacts,
  version: string | undefined,
  config: LlextConfig,
  heapCount: number,
  exports: readonly BaseImageExport[],
): string[] {
  const notes: string[] = [];
  if (kconfig.source === undefined) {
    notes.push(
      'no CONFIG_ settings: neither symbols, nor a .config beside the file, nor macros of -g3. Assumed are neither MPU nor MMU nor user mode',
    );
  }
  if (version === undefined) notes.push('the version of Zephyr is not told: the loader of 4.2 is assumed');
  if (config.layout === undefined) {
    notes.push("no debug information of struct llext: its layout is assumed to be this version's");
  }
  if (config.userspace === true && config.layout === undefined && config.userspaceSizes === undefined) {
    notes.push('CONFIG_USERSPACE is set, and without debug information the size of struct llext is not known');
  }
  if (heapCount === 0) notes.push('no llext heap: neither a symbol llext_heap nor a section .llext_heap');
  const unnamed = exports.filter(({ name }) => name === undefined).length;
  if (unnamed > 0)
    notes.push(`${unnamed} of ${exports.length} exports have only a SLID, because the names are not in the file`);
  if (exports.length === 0) notes.push('the export table is empty');
  return notes;
}
