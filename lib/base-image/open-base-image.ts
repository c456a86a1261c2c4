/**
 * A base image with what lies around it: the build folder's .config and version.h, and the files that hold parts of its debug information
 * (program/debug-companions).
 */
import type { ByteSource } from '../byte-source';
import { baseName, folderOf, joinPath } from '../paths';
import { companionsOf, type NearbyFiles } from '../program/debug-companions';
import { companionFiles, parseBaseImage, type BaseImageContext } from './index';
import type { BaseImageDescription } from './description';

export interface BaseImageFile {
  readonly path: string;
  readonly bytes: Uint8Array | ByteSource;
  readonly files: NearbyFiles;
}

/** Throws BaseImageError or another FormatError. */
export async function openBaseImage(
  { path, bytes, files }: BaseImageFile,
  context: Pick<BaseImageContext, 'origin' | 'knownNames'>,
  builtIn: BaseImageDescription,
): Promise<BaseImageDescription> {
  const beside = {
    ...context,
    dotConfig: await textBeside(path, companionFiles.dotConfig, files),
    versionHeader: await textBeside(path, companionFiles.versionHeader, files),
  };
  const description = parseBaseImage(bytes, beside, builtIn);
  const { elf } = description;
  const companions = elf === undefined ? [] : await companionsOf(elf, path, files);
  return companions.length === 0 ? description : parseBaseImage(bytes, { ...beside, companions }, builtIn);
}

/** Of the first of the names that is there. */
async function textBeside(path: string, names: readonly string[], files: NearbyFiles): Promise<string | undefined> {
  for (const name of names) {
    const place = joinPath(folderOf(path), name);
    const there = await files.list(folderOf(place));
    if (there.includes(baseName(place))) return new TextDecoder().decode(await files.read(place));
  }
  return undefined;
}
