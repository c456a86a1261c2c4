/**
 * The base image of a session that is not the built-in one: read from the launch attribute `base` with what its build
 * folder says beside it, checked against core and extensions, and its code and data as a module with debug information.
 */
import { cpus, type CpuInfo } from '../lib/arch';
import type { BaseImageDescription } from '../lib/base-image';
import { openBaseImage } from '../lib/base-image/open-base-image';
import type { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { baseExports } from '../lib/kernel/base-image';
import { builtInBaseImage } from '../lib/kernel/base-image-description';
import { baseName, folderOf } from '../lib/paths';
import { cpuForElf } from '../lib/program/cpu-for-elf';
import { LoadedProgram } from '../lib/program/loaded-program';
import { Program } from '../lib/program/program';
import { checkBaseImage, checkExtension, ownHeapText } from '../lib/target/base-image-check';
import { errors } from './errors';
import type { LaunchConfig } from './launch-config';
import { openFile } from './read-file';
import type { FileAccess } from './services';

export interface SessionBase {
  readonly path: string;
  readonly folder: string;
  readonly description: BaseImageDescription;
  readonly elf: ElfFile;
  /** At the addresses that it was linked to. */
  readonly program: LoadedProgram;
}

/** undefined: the built-in one. */
export async function openBase(config: LaunchConfig, files: FileAccess): Promise<SessionBase | undefined> {
  const path = config.base;
  if (path === undefined) return undefined;
  const description = await readDescription(path, files);
  const { elf } = description;
  const [problem] = checkBaseImage(description, config.cpu ?? baseCpu(description));
  if (problem !== undefined || elf === undefined) throw errors.baseUnusable(path, problem ?? 'it has no code to run');
  const ownHeap = ownHeapText(description);
  if (config.heapSize !== undefined && ownHeap !== undefined) throw errors.heapSizeWithBase(ownHeap);
  const program = Program.ofImage(elf, description.debug);
  const placements = new Map(program.sections.map(({ index, address }) => [index, address]));
  return {
    path,
    folder: folderOf(path),
    description,
    elf,
    program: new LoadedProgram(program, { id: 0, name: baseName(path) }, placements),
  };
}

/** The core that it was built for; the default one of a list, which is refused. */
function baseCpu({ elf }: BaseImageDescription): CpuInfo {
  return elf === undefined ? cpus[0] : cpuForElf(elf);
}

export function checkAgainstBase(path: string, extension: ElfFile, base: SessionBase | undefined): void {
  const [problem] = base === undefined ? [] : checkExtension(extension, base.description);
  if (problem !== undefined) throw errors.baseMismatch(path, problem);
}

async function readDescription(path: string, files: FileAccess): Promise<BaseImageDescription> {
  const bytes = await openFile(path, files, errors.baseUnreadable);
  const context = { origin: baseName(path), knownNames: baseExports.map(({ name }) => name) };
  try {
    return await openBaseImage({ path, bytes, files }, context, builtInBaseImage());
  } catch (error) {
    if (error instanceof FormatError) throw errors.baseUnusable(path, error.message);
    throw error;
  }
}
