/**
 * Macro definitions: .debug_macro (DWARF 5, 6.3; as a GNU extension also in version 4) and .debug_macinfo (DWARF 4, 6.3), which GCC and
 * Clang write with -g3. A unit is a list of events in the order of the preprocessor: definitions, and files that begin and end.
 */
import { ByteReader, stringAt } from '../bytes';
import { FormatError } from '../errors';

const MACRO_SECTION = '.debug_macro';
const MACINFO_SECTION = '.debug_macinfo';
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
const DW_MACRO_define_sup = 0x08;
const DW_MACRO_undef_sup = 0x09;
const DW_MACRO_import_sup = 0x0a;
const DW_MACRO_define_strx = 0x0b;
const DW_MACRO_undef_strx = 0x0c;
const DW_MACINFO_vendor_ext = 0xff;
/** Where a table of .debug_str_offsets begins: after its length, version and padding. */
const STR_OFFSETS_HEADER = 8;
/** Of units that units import. */
const deepestImport = 100;

export interface MacroSections {
  get(name: string): Uint8Array | undefined;
  /** Of the supplementary file. */
  readonly supplementary?: Pick<MacroSections, 'get'>;
}

export type MacroEvent =
  /** As after #define: `NAME replacement` or `NAME(a,b) replacement`. */
  | { readonly kind: 'define'; readonly line: number; readonly text: string }
  | { readonly kind: 'undef'; readonly line: number; readonly text: string }
  /** `file` is a number of the unit's line table; the line is that of the #include. */
  | { readonly kind: 'start-file'; readonly line: number; readonly file: number }
  | { readonly kind: 'end-file' };

/**
 * Object-like macros by name, of all units of one file's section; of several definitions the last. Throws FormatError for a section that
 * cannot be read.
 */
export function macroDefinitions(
  sections: MacroSections,
  littleEndian: boolean,
  isWanted: (name: string) => boolean,
): Map<string, string> {
  const reader = readerOf(sections, MACRO_SECTION, littleEndian);
  const found = new Map<string, string>();
  // Units follow each other, also those that others import.
  while (!reader.atEnd) {
    for (const event of unitEvents(reader, sections)) {
      if (event.kind !== 'define') continue;
      const match = /^(\w+)(?: (.*))?$/s.exec(event.text);
      if (match !== null && isWanted(match[1])) found.set(match[1], match[2] ?? '');
    }
  }
  return found;
}

/**
 * The events of the unit of .debug_macro at an offset, with those of the units that it imports. `around`: units whose imports led here;
 * they are not imported once more: GCC leaves 0 for all imports in a .dwo file, where nothing is relocated.
 */
export function macroEvents(
  sections: MacroSections,
  littleEndian: boolean,
  at: number,
  around: readonly number[] = [],
): MacroEvent[] {
  if (around.length > deepestImport) throw new FormatError('too-deep', MACRO_SECTION, at);
  const path = [...around, at];
  const events: MacroEvent[] = [];
  for (const event of unitEvents(readerOf(sections, MACRO_SECTION, littleEndian).at(at), sections)) {
    if (event.kind === 'import-sup') {
      // What is there imports nothing from here.
      for (const inner of macroEvents(supplementaryOf(sections, at), littleEndian, event.offset)) events.push(inner);
    } else if (event.kind !== 'import') events.push(event);
    else if (!path.includes(event.offset)) {
      for (const inner of macroEvents(sections, littleEndian, event.offset, path)) events.push(inner);
    }
  }
  return events;
}

/** The same of .debug_macinfo. */
export function macinfoEvents(sections: MacroSections, littleEndian: boolean, start: number): MacroEvent[] {
  const reader = readerOf(sections, MACINFO_SECTION, littleEndian).at(start);
  const events: MacroEvent[] = [];
  for (;;) {
    const at = reader.offset;
    const opcode = reader.u8();
    switch (opcode) {
      case 0:
        return events;
      case DW_MACRO_define:
      case DW_MACRO_undef: {
        const line = reader.ulebNumber();
        events.push({ kind: opcode === DW_MACRO_define ? 'define' : 'undef', line, text: reader.cstring() });
        break;
      }
      case DW_MACRO_start_file:
        events.push({ kind: 'start-file', line: reader.ulebNumber(), file: reader.ulebNumber() });
        break;
      case DW_MACRO_end_file:
        events.push({ kind: 'end-file' });
        break;
      case DW_MACINFO_vendor_ext:
        reader.ulebNumber();
        reader.cstring();
        break;
      default:
        throw new FormatError('bad-opcode', MACINFO_SECTION, at);
    }
  }
}

function readerOf(sections: MacroSections, name: string, littleEndian: boolean): ByteReader {
  return new ByteReader(sections.get(name) ?? new Uint8Array(0), littleEndian, name);
}

type UnitEvent =
  | MacroEvent
  | { readonly kind: 'import'; readonly offset: number }
  | { readonly kind: 'import-sup'; readonly offset: number };

function supplementaryOf({ supplementary }: MacroSections, at: number): MacroSections {
  if (supplementary !== undefined) return supplementary;
  throw new FormatError('bad-form', MACRO_SECTION, at, 'macros are in a supplementary file that is not there');
}

function* unitEvents(reader: ByteReader, sections: MacroSections): Iterable<UnitEvent> {
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
        const line = reader.ulebNumber();
        yield { kind: opcode === DW_MACRO_define ? 'define' : 'undef', line, text: reader.cstring() };
        break;
      }
      case DW_MACRO_start_file:
        yield { kind: 'start-file', line: reader.ulebNumber(), file: reader.ulebNumber() };
        break;
      case DW_MACRO_end_file:
        yield { kind: 'end-file' };
        break;
      case DW_MACRO_define_strp:
      case DW_MACRO_undef_strp: {
        const line = reader.ulebNumber();
        const text = stringOf(sections, '.debug_str', offset());
        yield { kind: opcode === DW_MACRO_define_strp ? 'define' : 'undef', line, text };
        break;
      }
      case DW_MACRO_import:
        yield { kind: 'import', offset: offset() };
        break;
      case DW_MACRO_define_sup:
      case DW_MACRO_undef_sup: {
        const line = reader.ulebNumber();
        const text = stringOf(supplementaryOf(sections, at), '.debug_str', offset());
        yield { kind: opcode === DW_MACRO_define_sup ? 'define' : 'undef', line, text };
        break;
      }
      case DW_MACRO_import_sup:
        yield { kind: 'import-sup', offset: offset() };
        break;
      case DW_MACRO_define_strx:
      case DW_MACRO_undef_strx: {
        const line = reader.ulebNumber();
        const text = indexedString(sections, reader.ulebNumber(), wide, reader.littleEndian);
        yield { kind: opcode === DW_MACRO_define_strx ? 'define' : 'undef', line, text };
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
  const table = readerOf(sections, name, littleEndian);
  const entry = table.at((wide ? 2 : 1) * STR_OFFSETS_HEADER + index * size);
  return stringOf(sections, '.debug_str', wide ? Number(entry.u64()) : entry.u32());
}
