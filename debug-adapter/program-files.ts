/**
 * The ELF files of a launch configuration, read and parsed: the one that is loaded, and the one with its debug
 * information when that is another. Zephyr's build writes `hello.llext` (stripped) beside `hello_ext_debug.elf`, so the
 * second is found by name near the first.
 */
import type { ByteSource } from '../lib/byte-source';
import { ElfFile } from '../lib/elf/elf-file';
import { EM_ARM, EM_RISCV, ET_REL } from '../lib/elf/constants';
import type { CpuInfo } from '../lib/arch';
import { FormatError } from '../lib/errors';
import { cpuForElf, missingFloatRegisters } from '../lib/program/cpu-for-elf';
import { companionsOf } from '../lib/program/debug-companions';
import { Program } from '../lib/program/program';
import { checkAgainstBase, type SessionBase } from './base-image';
import { errors } from './errors';
import type { ExtensionConfig, LaunchConfig } from './launch-config';
import { baseName, folderOf, joinPath } from '../lib/paths';
import { openFile, readFile } from './read-file';
import type { FileAccess } from './services';

export interface ExtensionFile {
  readonly config: ExtensionConfig;
  /** Of the loaded ELF. */
  readonly bytes: Uint8Array;
  readonly elf: ElfFile;
  readonly program: Program;
  /** Path of the ELF with the debug information; the loaded one's when it has its own; undefined when there is none. */
  readonly debugPath: string | undefined;
  /** Relative compilation directories start here. */
  readonly folder: string;
}

export async function openExtensions(
  config: LaunchConfig,
  base: SessionBase | undefined,
  files: FileAccess,
  onFile: (extension: ExtensionConfig, index: number) => Promise<void>,
): Promise<ExtensionFile[]> {
  const opened: ExtensionFile[] = [];
  for (const [index, extension] of config.extensions.entries()) {
    await onFile(extension, index);
    const opening = await openExtension(extension, config.cpu, base, files);
    opened.push(opening);
  }
  return opened;
}

export async function openExtension(
  config: ExtensionConfig,
  cpu: CpuInfo | undefined,
  base: SessionBase | undefined,
  files: FileAccess,
): Promise<ExtensionFile> {
  const bytes = await readFile(config.program, files);
  const elf = parse(config.program, bytes);
  checkAgainstBase(config.program, elf, base);
  checkMachine(config.program, elf, cpu ?? cpuForElf(elf));
  const debugPath = hasDebugInfo(elf) ? config.program : (config.debugElf ?? (await findDebugElf(config, files)));
  const chosen = config.debugElf ?? debugPath;
  const isOther = chosen !== undefined && chosen !== config.program;
  const debugElf = isOther ? parse(chosen, await openFile(chosen, files)) : undefined;
  const companions = await companionsOf(debugElf ?? elf, chosen ?? config.program, files);
  return {
    config,
    bytes,
    elf,
    program: open(config.program, elf, debugElf, companions),
    debugPath: chosen,
    folder: folderOf(chosen ?? config.program),
  };
}

function parse(path: string, bytes: Uint8Array | ByteSource): ElfFile {
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw errors.notElf(path, error.message);
    throw error;
  }
}

function open(path: string, elf: ElfFile, debugElf: ElfFile | undefined, companions: readonly ElfFile[]): Program {
  try {
    return Program.open(elf, debugElf, companions);
  } catch (error) {
    if (error instanceof FormatError) throw errors.notElf(path, error.message);
    throw error;
  }
}

function checkMachine(path: string, elf: ElfFile, cpu: CpuInfo): void {
  const { e_machine, e_type } = elf.header;
  if (e_machine !== cpu.machine || elf.is64 !== (cpu.pointerSize === 8) || !elf.littleEndian) {
    const bits = elf.is64 ? '64-bit' : '32-bit';
    const order = elf.littleEndian ? 'little' : 'big';
    const name = { [EM_ARM]: 'Arm', [EM_RISCV]: 'RISC-V' }[e_machine] ?? `machine ${e_machine}`;
    throw errors.wrongMachine(path, `${name} (${bits}, ${order}-endian)`, cpu.name);
  }
  const lacking = missingFloatRegisters(elf, cpu);
  if (lacking !== undefined) throw errors.wrongMachine(path, `code that ${lacking}`, cpu.name);
  if (e_type !== ET_REL)
    throw errors.notElf(path, `e_type is ${e_type}, but this version loads relocatable files (ET_REL)`);
}

export function hasDebugInfo(elf: ElfFile): boolean {
  return ['.debug_info', '.zdebug_info'].some((name) => elf.section(name) !== undefined);
}

/** `<name>_ext_debug.elf` or `<name>_debug.elf` in the folder of the loaded file, its parent, or an llext/ in either. */
async function findDebugElf(config: ExtensionConfig, files: FileAccess): Promise<string | undefined> {
  const folder = folderOf(config.program);
  const stem = baseName(config.program).replace(/\.(llext|elf|so|o)$/i, '');
  const stems = [...new Set([stem, stem.replace(/_ext$/, ''), config.name])];
  const names = stems.flatMap((name) => [`${name}_ext_debug.elf`, `${name}_debug.elf`]);
  const places = ['.', 'llext', '..', '../llext'].map((place) => joinPath(folder, place));
  for (const place of places) {
    const there = await files.list(place);
    const name = names.find((candidate) => there.includes(candidate));
    if (name !== undefined) return joinPath(place, name);
  }
  return undefined;
}
