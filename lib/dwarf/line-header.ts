/**
 * The header of a line number program (6.2.4), versions 2 to 5: lengths of the standard opcodes, and the tables of
 * directories and files. Version 5 describes the tables' own layout (DW_LNCT_*) and numbers files from 0, where the
 * first is the unit's own; older ones number them from 1, and directory 0 is DW_AT_comp_dir.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { readForm, type FormContext } from './attribute';
import { Form, Line } from './constants';
import { readInitialLength, readOffset, type DwarfSections } from './sections';

export interface FileEntry {
  readonly name: string;
  readonly directory: number;
  /** 32 lower-case hexadecimal digits. */
  readonly md5: string | undefined;
}

export interface LineHeader {
  /** In .debug_line. */
  readonly offset: number;
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: 4 | 8;
  readonly minimumInstructionLength: number;
  readonly maximumOperations: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operand counts by opcode; entry 0 is unused. */
  readonly opcodeLengths: readonly number[];
  readonly directories: readonly string[];
  /** By the number that the program uses: entry 0 is undefined before version 5. */
  readonly files: (FileEntry | undefined)[];
  /** Offsets of the first opcode, and of one past the last. */
  readonly program: number;
  readonly end: number;
}

const section = '.debug_line';

export function readLineHeader(sections: DwarfSections, offset: number): LineHeader {
  const whole = sections.reader(section, offset);
  const { length, is64 } = readInitialLength(whole);
  const end = whole.offset + length;
  if (end > whole.end) throw new FormatError('bad-size', section, offset);
  const reader = whole.at(whole.offset, end);
  const version = reader.u16();
  if (version < 2 || version > 5) throw new FormatError('bad-version', section, offset, `line table ${version}`);
  let { addressSize } = sections;
  if (version >= 5) {
    const size = reader.u8();
    if (size !== 4 && size !== 8) throw new FormatError('bad-size', section, offset, `address size ${size}`);
    addressSize = size;
    if (reader.u8() !== 0) throw new FormatError('bad-size', section, offset, 'segment selectors are not known');
  }
  const headerLength = readOffset(reader, is64);
  const program = reader.offset + headerLength;
  if (program > end) throw new FormatError('bad-size', section, offset);
  const minimumInstructionLength = reader.u8();
  const maximumOperations = version >= 4 ? reader.u8() : 1;
  const defaultIsStatement = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const opcodeLengths = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) opcodeLengths.push(reader.u8());
  const context = { version, is64, addressSize };
  const tables = version >= 5 ? readTables5(sections, reader, context) : readTables2(reader);
  return {
    offset,
    version,
    is64,
    addressSize,
    minimumInstructionLength,
    maximumOperations: Math.max(maximumOperations, 1),
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    opcodeLengths,
    ...tables,
    program,
    end,
  };
}

type Tables = Pick<LineHeader, 'directories' | 'files'>;

function readTables2(reader: ByteReader): Tables {
  const directories = [''];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) directories.push(name);
  const files: (FileEntry | undefined)[] = [undefined];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) files.push(readFileEntry2(reader, name));
  return { directories, files };
}

/** The rest of a file entry of versions 2 to 4, and of DW_LNE_define_file. */
export function readFileEntry2(reader: ByteReader, name: string): FileEntry {
  const directory = reader.ulebNumber();
  reader.uleb(); // time of modification
  reader.uleb(); // length in bytes
  return { name, directory, md5: undefined };
}

function readTables5(sections: DwarfSections, reader: ByteReader, context: FormContext): Tables {
  const directories = readEntries5(sections, reader, context).map((entry) => entry.name);
  return { directories, files: readEntries5(sections, reader, context) };
}

function readEntries5(sections: DwarfSections, reader: ByteReader, context: FormContext): FileEntry[] {
  const formatCount = reader.u8();
  const format: { content: number; form: number }[] = [];
  for (let i = 0; i < formatCount; i++) format.push({ content: reader.ulebNumber(), form: reader.ulebNumber() });
  const count = reader.ulebNumber();
  // Each entry takes a byte at least, else a damaged count would be believed.
  if (count > 0 && (formatCount === 0 || count > reader.end - reader.offset)) {
    throw new FormatError('bad-size', section, reader.offset);
  }
  const entries: FileEntry[] = [];
  for (let i = 0; i < count; i++) {
    let name = '';
    let directory = 0;
    let md5: string | undefined;
    for (const { content, form } of format) {
      const value = readForm(reader, form, context);
      if (content === Line.DW_LNCT_path) name = pathOf(sections, form, value);
      else if (content === Line.DW_LNCT_directory_index && typeof value === 'bigint') directory = Number(value);
      else if (content === Line.DW_LNCT_MD5 && value instanceof Uint8Array) md5 = hexDigits(value);
    }
    entries.push({ name, directory, md5 });
  }
  return entries;
}

function pathOf(sections: DwarfSections, form: number, value: ReturnType<typeof readForm>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && form === Form.DW_FORM_line_strp) return sections.string('.debug_line_str', value);
  if (typeof value === 'number' && form === Form.DW_FORM_strp) return sections.string('.debug_str', value);
  throw new FormatError('bad-form', section, 0, `DW_FORM 0x${form.toString(16)} of a file name`);
}

function hexDigits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
