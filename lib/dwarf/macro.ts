/**
 * Macro definitions of .debug_macro (6.3), which GCC and Clang write with -g3. Units follow each other in the section,
 * also those that others import, so that reading them all finds every definition. Versions 4 (a GNU extension) and 5 are
 * the same as far as GCC writes them.
 */
import { ByteReader, stringAt } from '../bytes';
import { FormatError } from '../errors';

const MACRO_SECTION = '.debug_macro';
const OFFSET_SIZE_FLAG = 1;
const DEBUG_LINE_OFFSET_FLAG = 2;
const OPCODE_OPERANDS_TABLE_FLAG = 4;
const DW_MACRO_define = 0x01;
const DW_MACRO_undef = 0x02;
const DW_MACRO_start_file = 0x03;
const DW_MACRO_end_file = 0x04;
const DW_MACRO_define_strp = 0x05;
const DW_MACRO_undef_strp = 0x06;
const DW_MACRO_import = 0x07;
const DW_MACRO_define_strx = 0x0b;
const DW_MACRO_undef_strx = 0x0c;
/** Where a table of .debug_str_offsets begins: after its length, version and padding. */
const STR_OFFSETS_HEADER = 8;

interface MacroSections {
  get(name: string): Uint8Array | undefined;
}

/** Object-like macros by name; of several definitions the last. Throws FormatError for a section that cannot be read. */
export function macroDefinitions(
  sections: MacroSections,
  littleEndian: boolean,
  isWanted: (name: string) => boolean,
): Map<string, string> {
  const reader = new ByteReader(sections.get(MACRO_SECTION) ?? new Uint8Array(0), littleEndian, MACRO_SECTION);
  const found = new Map<string, string>();
  const define = (text: string): void => {
    const match = /^(\w+)(?: (.*))?$/s.exec(text);
    if (match !== null && isWanted(match[1])) found.set(match[1], match[2] ?? '');
  };
  while (!reader.atEnd) readUnit(reader, sections, define);
  return found;
}

function readUnit(reader: ByteReader, sections: MacroSections, define: (text: string) => void): void {
  const start = reader.offset;
  const version = reader.u16();
  if (version !== 4 && version !== 5) throw new FormatError('bad-version', MACRO_SECTION, start);
  const flags = reader.u8();
  const wide = (flags & OFFSET_SIZE_FLAG) !== 0;
  const offset = (): number => (wide ? Number(reader.u64()) : reader.u32());
  if ((flags & DEBUG_LINE_OFFSET_FLAG) !== 0) offset();
  // No producer has opcodes of its own; without their operands' forms they could not be skipped.
  if ((flags & OPCODE_OPERANDS_TABLE_FLAG) !== 0) throw new FormatError('bad-opcode', MACRO_SECTION, start + 2);
  for (;;) {
    const at = reader.offset;
    const opcode = reader.u8();
    switch (opcode) {
      case 0:
        return;
      case DW_MACRO_define:
      case DW_MACRO_undef: {
        reader.ulebNumber();
        const text = reader.cstring();
        if (opcode === DW_MACRO_define) define(text);
        break;
      }
      case DW_MACRO_start_file:
        reader.ulebNumber();
        reader.ulebNumber();
        break;
      case DW_MACRO_end_file:
        break;
      case DW_MACRO_define_strp:
      case DW_MACRO_undef_strp: {
        reader.ulebNumber();
        const text = stringOf(sections, '.debug_str', offset());
        if (opcode === DW_MACRO_define_strp) define(text);
        break;
      }
      case DW_MACRO_import:
        offset();
        break;
      case DW_MACRO_define_strx:
      case DW_MACRO_undef_strx: {
        reader.ulebNumber();
        const index = reader.ulebNumber();
        if (opcode === DW_MACRO_define_strx) define(indexedString(sections, index, wide, reader.littleEndian));
        break;
      }
      default:
        throw new FormatError('bad-opcode', MACRO_SECTION, at);
    }
  }
}

function stringOf(sections: MacroSections, section: string, at: number): string {
  const text = stringAt(sections.get(section) ?? new Uint8Array(0), at);
  if (text === undefined) throw new FormatError('bad-string', section, at);
  return text;
}

function indexedString(sections: MacroSections, index: number, wide: boolean, littleEndian: boolean): string {
  const name = '.debug_str_offsets';
  const size = wide ? 8 : 4;
  const table = new ByteReader(sections.get(name) ?? new Uint8Array(0), littleEndian, name);
  const entry = table.at((wide ? 2 : 1) * STR_OFFSETS_HEADER + index * size);
  return stringOf(sections, '.debug_str', wide ? Number(entry.u64()) : entry.u32());
}
