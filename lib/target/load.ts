/**
 * Loading a file into the emulated target: its bytes go to an ELF buffer in RAM, the buf loader reads them from there.
 * A refusal says why in words: all imports that nothing provides, or the loader's own error messages.
 */
import { errnoName, FormatError } from '../errors';
import { ElfFile } from '../elf/elf-file';
import type { Kernel } from '../kernel/kernel';
import { BufLoader } from '../llext/buf-loader';
import type { LlextExtension } from '../llext/extension';
import type { InstanceId, LlextStorage } from '../llext/types';
import { missingImports, type MissingImport } from './missing-imports';

export interface LoadedExtension {
  readonly loaded: true;
  /** Name that it was loaded by (llext keeps the first 15 characters). */
  readonly name: string;
  readonly instance: InstanceId;
  readonly extension: LlextExtension;
  readonly elf: ElfFile;
}

export interface RefusedExtension {
  readonly loaded: false;
  readonly name: string;
  /** What llext_load returned: a negative errno. */
  readonly ret: number;
  /** 'ENOEXEC', ... */
  readonly error: string;
  /** Lines for people. */
  readonly message: string;
  /** Imports that neither the base image nor a loaded extension provides, with the nearest known names. */
  readonly missing: readonly MissingImport[];
}

export type LoadOutcome = LoadedExtension | RefusedExtension;

export interface LoadRequest {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly storage?: LlextStorage;
}

/** What an ELF that the parser refuses is called by the loader as well. */
function parse(bytes: Uint8Array): ElfFile | FormatError {
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** `messages` are the loader's error and warning lines of this load. */
export function loadInto(kernel: Kernel, request: LoadRequest, messages: readonly string[]): LoadOutcome {
  const { name, bytes, storage = 'temporary' } = request;
  const address = kernel.placeFile(name, bytes);
  const loader = new BufLoader(kernel.llextMemory, BigInt(address), bytes.length, { storage });
  const { ret, extension, fault } = kernel.llext.load(loader, name);
  const elf = parse(bytes);
  if (extension !== undefined && elf instanceof ElfFile) {
    return { loaded: true, name, instance: extension.instance, extension, elf };
  }
  // The loader checks less than a debugger needs: what it took and nobody can read is taken out again.
  if (extension !== undefined) kernel.llext.unload(extension);
  const missing =
    elf instanceof ElfFile
      ? missingImports(
          elf,
          kernel.llext,
          kernel.image.exports.map(({ name: known }) => known),
        )
      : [];
  const error = errnoName(ret) ?? 'error';
  const lines = [
    ret < 0
      ? `llext_load of '${name}' failed with ${error} (${ret})`
      : `llext_load took '${name}', but nothing else can`,
  ];
  if (elf instanceof FormatError) lines.push(`not a readable ELF file: ${elf.message}`);
  if (fault !== undefined) lines.push(`the loader itself faulted: ${fault.message}`);
  if (missing.length > 0) lines.push(...missingLines(missing));
  else lines.push(...messages);
  return { loaded: false, name, ret, error, message: lines.join('\n'), missing };
}

function missingLines(missing: readonly MissingImport[]): string[] {
  const count = missing.length === 1 ? '1 symbol is' : `${missing.length} symbols are`;
  return [
    `${count} provided by neither the base image nor a loaded extension:`,
    ...missing.map(({ name, nearest }) => `  ${name}${nearest.length > 0 ? ` (nearest: ${nearest.join(', ')})` : ''}`),
  ];
}
