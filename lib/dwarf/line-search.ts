/**
 * Which sequences of a line number program have rows of a line, without making the rows (6.2.5): only the registers file, line and
 * is_stmt are followed. A program has a sequence for each section of code, and of the hundreds of a large unit few have a line.
 */
import { FormatError } from '../errors';
import { Line } from './constants';
import type { LineHeader } from './line-header';
import type { RawCursor } from './raw-cursor';
import type { DwarfSections } from './sections';

/** Offsets in the section of a sequence's first instruction and of what follows it. */
export interface SequenceExtent {
  readonly start: number;
  readonly end: number;
}

/**
 * Those in which a row of the line and one of the files (by their numbers) begins a statement, in order. undefined: one cannot tell
 * without running the program, which is damaged or defines files itself.
 */
export function sequencesWithLine(
  sections: DwarfSections,
  header: LineHeader,
  files: ReadonlySet<number>,
  line: number,
): readonly SequenceExtent[] | undefined {
  if (header.lineRange === 0) return undefined;
  try {
    return search(sections.cursor('.debug_line', header.program, header.end), header, files, line);
  } catch (error) {
    // Whoever runs the program reports it, with the rows before it.
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function search(
  cursor: RawCursor,
  { opcodeBase, opcodeLengths, lineBase, lineRange, defaultIsStatement }: LineHeader,
  files: ReadonlySet<number>,
  wanted: number,
): readonly SequenceExtent[] | undefined {
  const found: SequenceExtent[] = [];
  const { bytes } = cursor;
  // Before anything is compiled, a local name is several times as quick as a property.
  const { DW_LNS_copy, DW_LNS_negate_stmt, DW_LNS_set_column, DW_LNS_advance_line, DW_LNS_set_file } = Line;
  const isWantedFirst = files.has(1);
  let start = cursor.offset;
  let line = 1;
  let isStatement = defaultIsStatement;
  let isWanted = isWantedFirst;
  let isFound = false;
  for (let at = 0; at < bytes.length;) {
    const opcode = bytes[at++];
    if (opcode >= opcodeBase || opcode === DW_LNS_copy) {
      if (opcode >= opcodeBase) line = (line + lineBase + ((opcode - opcodeBase) % lineRange)) >>> 0;
      isFound ||= line === wanted && isWanted && isStatement;
    } else if (opcode === DW_LNS_negate_stmt) isStatement = !isStatement;
    // The most frequent operands by far: columns and lines of one byte.
    else if (opcode === DW_LNS_set_column && bytes[at] < 0x80) at++;
    else if (opcode === DW_LNS_advance_line && bytes[at] < 0x80) {
      line = (line + ((bytes[at++] << 25) >> 25)) >>> 0;
    } else {
      cursor.offset = cursor.start + at;
      if (opcode === DW_LNS_advance_line) line = (line + cursor.sleb32()) >>> 0;
      else if (opcode === DW_LNS_set_file) isWanted = files.has(cursor.uleb());
      else if (opcode > 0) passOperands(cursor, opcode, opcodeLengths);
      else {
        const kind = passExtended(cursor);
        if (kind === Line.DW_LNE_define_file) return undefined;
        if (kind === Line.DW_LNE_end_sequence) {
          if (isFound) found.push({ start, end: cursor.offset });
          start = cursor.offset;
          line = 1;
          isStatement = defaultIsStatement;
          isWanted = isWantedFirst;
          isFound = false;
        }
      }
      at = cursor.offset - cursor.start;
    }
  }
  if (isFound) found.push({ start, end: cursor.end });
  return found;
}

/** Of a standard opcode; what later versions define says how many it has (6.2.5.2). */
function passOperands(cursor: RawCursor, opcode: number, lengths: readonly number[]): void {
  switch (opcode) {
    case Line.DW_LNS_advance_pc:
    case Line.DW_LNS_set_column:
    case Line.DW_LNS_set_isa:
      cursor.uleb();
      break;
    case Line.DW_LNS_fixed_advance_pc:
      cursor.skip(2);
      break;
    default:
      if (opcode > Line.DW_LNS_set_isa) for (let n = lengths[opcode]; n > 0; n--) cursor.uleb();
  }
}

/** What cannot be run is refused here too, so that what follows it does not count either. */
function passExtended(cursor: RawCursor): number | undefined {
  const length = cursor.uleb();
  if (length === 0) return undefined;
  const { offset: start, section, next: kind } = cursor;
  cursor.skip(length);
  const end = cursor.offset;
  if (kind === Line.DW_LNE_set_address && (length < 2 || length > 9)) throw new FormatError('bad-size', section, start);
  if (kind === Line.DW_LNE_set_discriminator) {
    cursor.offset = start + 1;
    cursor.uleb();
    if (cursor.offset > end) throw new FormatError('leb128', section, start);
    cursor.offset = end;
  }
  return kind;
}
