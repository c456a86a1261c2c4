/** Bytes of a file -> base image: an ELF by its first four bytes, else a JSON list. */
import { type ByteSource, bytesOf, WholeBytes } from '../byte-source';
import { decodeText } from '../bytes';
import { ElfFile } from '../elf/elf-file';
import { parseBaseImageJson } from './base-image-json';
import { readBaseImage, type BaseImageContext } from './base-image-elf';
import type { BaseImageDescription } from './description';

export { BaseImageError } from './base-image-error';
export type { BaseImageContext } from './base-image-elf';
export { exportNames } from './description';
export type { BaseHeap, BaseImageDescription, BaseImageExport, BaseMachine } from './description';

const magic = [0x7f, 0x45, 0x4c, 0x46];

/** Files of a build folder that say more about the image in it, from its own folder. */
export const companionFiles = {
  dotConfig: ['.config'],
  versionHeader: ['include/generated/zephyr/version.h', 'include/generated/version.h'],
} as const;

/** Throws BaseImageError or another FormatError. `builtIn` is what a JSON list leaves unsaid. */
export function parseBaseImage(
  file: Uint8Array | ByteSource,
  context: BaseImageContext,
  builtIn: BaseImageDescription,
): BaseImageDescription {
  const source = file instanceof Uint8Array ? new WholeBytes(file) : file;
  const first = bytesOf(source, 0, Math.min(source.length, magic.length));
  if (magic.every((byte, i) => first[i] === byte)) return readBaseImage(ElfFile.parse(source), context);
  return parseBaseImageJson(decodeText(bytesOf(source, 0, source.length)), context.origin, builtIn);
}
