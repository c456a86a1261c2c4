/** Bytes of a file -> base image: an ELF by its first four bytes, else a JSON list. */
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
  bytes: Uint8Array,
  context: BaseImageContext,
  builtIn: BaseImageDescription,
): BaseImageDescription {
  if (magic.every((byte, i) => bytes[i] === byte)) return readBaseImage(ElfFile.parse(bytes), context);
  return parseBaseImageJson(decodeText(bytes), context.origin, builtIn);
}
