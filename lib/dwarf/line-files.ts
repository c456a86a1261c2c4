/**
 * Which files a line number program has rows of, without making the rows (6.2.5): only the file register is followed.
 */
import type { LineHeader } from './line-header';
import { Line } from './constants';
import type { DwarfSections } from './sections';

/** Numbers of the files; throws FormatError where the program breaks. */
export function filesOfRows(sections: DwarfSections, header: LineHeader): ReadonlySet<number> {
  const { opcodeBase, opcodeLengths, program, end } = header;
  const cursor = sections.cursor('.debug_line', program, end);
  const found = new Set<number>();
  let file = 1;
  while (!cursor.atEnd) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase || opcode === Line.DW_LNS_copy) found.add(file);
    else if (opcode === 0) {
      const length = cursor.uleb();
      if (length > 0 && cursor.next === Line.DW_LNE_end_sequence) file = 1;
      cursor.skip(length);
    } else if (opcode === Line.DW_LNS_set_file) file = cursor.uleb();
    else if (opcode === Line.DW_LNS_fixed_advance_pc) cursor.skip(2);
    else for (let operand = opcodeLengths[opcode]; operand > 0; operand--) cursor.uleb();
  }
  return found;
}
