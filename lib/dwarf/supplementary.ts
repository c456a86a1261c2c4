/**
 * The supplementary file of debug information (DWARF 5, 7.3.6), to which dwz moves what several programs have in common: entries, strings
 * and macros. The program names it, with what tells one build's from another's: in .debug_sup, or as GNU did before in .gnu_debugaltlink
 * (the note of its build). References lead there only, never back, so that it is a table of units of its own.
 */
import { bytesOf } from '../byte-source';
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { Die } from './die';
import type { DwarfSections } from './sections';
import type { Sections } from './split-files';
import type { Unit } from './unit';

/** What a program says of the file. */
export interface SupplementaryLink {
  /** A path, relative to the program's folder. */
  readonly name: string;
  /** Hexadecimal: the file's build-id, or the checksum in its own .debug_sup. */
  readonly id: string;
}

/** The file, as units see it; they get it by asking, which fails where there is none. */
export interface Supplementary {
  readonly sections: DwarfSections;
  readonly units: readonly Unit[];
  dieAt(section: string, offset: number): Die | undefined;
}

const SUP = '.debug_sup';
const ALT_LINK = '.gnu_debugaltlink';
const BUILD_ID = '.note.gnu.build-id';
const NT_GNU_BUILD_ID = 3;

/** Sections that tell of the file without being debug information themselves. */
export const supplementaryLinkSections: readonly string[] = [ALT_LINK, BUILD_ID];

/** undefined: the program needs none. Throws FormatError for a damaged section. */
export function supplementaryLink(sections: Sections, littleEndian: boolean): SupplementaryLink | undefined {
  const alternative = readerOf(sections, ALT_LINK, littleEndian);
  if (alternative !== undefined) {
    const name = alternative.cstring();
    return { name, id: hex(alternative.take8(alternative.end - alternative.offset)) };
  }
  const own = readSup(sections, littleEndian);
  return own === undefined || own.isSupplementary ? undefined : own;
}

/** Whether a file is the one that a program means. */
export function isLinked(file: Sections, littleEndian: boolean, { id }: SupplementaryLink): boolean {
  try {
    const own = readSup(file, littleEndian);
    const ids = [own?.isSupplementary === true ? own.id : undefined, buildId(file, littleEndian)];
    return id !== '' && ids.includes(id);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** What to do, said once. */
export function missingSupplementary({ name, id }: SupplementaryLink): string {
  return `parts of the debug information are in the supplementary file ${name} (build-id ${id}), which dwz has made and which is not there, damaged or of another build; put it where it was, beside the ELF or under .build-id/, or use the ELF from before dwz`;
}

function readSup(
  sections: Sections,
  littleEndian: boolean,
): (SupplementaryLink & { readonly isSupplementary: boolean }) | undefined {
  const reader = readerOf(sections, SUP, littleEndian);
  if (reader === undefined) return undefined;
  const version = reader.u16();
  if (version !== 5) throw new FormatError('bad-version', SUP, 0, `${SUP} of version ${version}`);
  const isSupplementary = reader.u8() !== 0;
  const name = reader.cstring();
  return { isSupplementary, name, id: hex(reader.take8(reader.ulebNumber())) };
}

/** The descriptor of the first note of that type (gABI, "Note Section"). */
function buildId(sections: Sections, littleEndian: boolean): string | undefined {
  const reader = readerOf(sections, BUILD_ID, littleEndian);
  while (reader !== undefined && !reader.atEnd) {
    const [nameSize, size, type] = [reader.u32(), reader.u32(), reader.u32()];
    reader.skip((nameSize + 3) & ~3);
    if (type === NT_GNU_BUILD_ID) return hex(reader.take8(size));
    reader.skip((size + 3) & ~3);
  }
  return undefined;
}

function readerOf(sections: Sections, name: string, littleEndian: boolean): ByteReader | undefined {
  const data = sections.get(name);
  if (data === undefined) return undefined;
  return new ByteReader(data instanceof Uint8Array ? data : bytesOf(data, 0, data.length), littleEndian, name);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
