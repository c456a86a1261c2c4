/**
 * Where a function's body begins, by gdb 13's rule (skip_prologue_using_sal): a compiler marks the end of the prologue
 * by a second line entry. Two entries at the function's first address: there is no prologue. Otherwise the body begins
 * where the first line's code ends; entries of smaller lines after it are instructions that the compiler moved up,
 * and belong to the prologue too. On Arm this is believed of GCC and of a clang that calls itself just so; a vendor's
 * ("Debian clang") must have written nothing but instructions of prologues before that place (arm_skip_prologue).
 * A breakpoint on the function goes to where the table's prologue_end flag is, if there is one; a step does not.
 */
import { DW_LANG_Mips_Assembler } from '../dwarf/constants';
import type { DebugInfo } from '../dwarf/debug-info';
import type { FunctionInfo } from '../dwarf/model';
import { blocksAt, functionRange } from './code-blocks';
import type { LineEntries } from './line-entries';
import type { LineBlock, SourceLines } from './source-lines';
import { skipStackProtector } from './stack-protector';
import { thumbPrologueEnd } from './thumb-prologue';

/** How much code gdb looks through where the line table says nothing. */
const unmarkedPrologueSize = 64n;

/** The end of the prologue as the line table shows it; undefined where one line covers the whole function. */
function prologueEnd(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint | undefined {
  const { start, end } = functionRange(found, found.entryPc);
  let block = lines.blockAt(start);
  if (block === undefined) return undefined;
  if (hasTwoEntriesAt(lines, found, block, start)) return start;
  if (block.end >= end) return undefined;
  while (block.end < end) {
    const next = lines.blockAt(block.end);
    if (next === undefined || next.line >= block.line || next.file !== block.file) break;
    // The smaller line of an inlined function says nothing.
    if (blocksAt(debug, block.end).some((scope) => scope.kind === 'inlined')) break;
    block = next;
  }
  return block.end < end ? block.end : block.start;
}

/** Only entries of the first line's own file count. */
function entriesFrom(
  lines: SourceLines,
  found: FunctionInfo,
  block: LineBlock,
): { table: LineEntries; at: number } | undefined {
  const table = lines.ofUnit(found.unit).find(({ file }) => file === block.file)?.entries;
  if (table === undefined) return undefined;
  let at = table.after(block.start);
  while (at > 0 && table.address(at - 1) === block.start) at--;
  return { table, at };
}

function hasTwoEntriesAt(lines: SourceLines, found: FunctionInfo, block: LineBlock, start: bigint): boolean {
  const entries = entriesFrom(lines, found, block);
  if (entries === undefined) return false;
  const { table } = entries;
  let first = entries.at;
  while (first < table.count && table.line(first) === 0) first++;
  // The entry that the block begins with, and one behind it.
  if (first + 1 >= table.count || table.address(first) !== block.start) return false;
  return table.line(first + 1) !== 0 && table.address(first + 1) === start;
}

/** Where clang has set the line table's prologue_end flag. */
function flaggedEnd(lines: SourceLines, found: FunctionInfo): bigint | undefined {
  const { start, end } = functionRange(found, found.entryPc);
  const block = lines.blockAt(start);
  const entries = block && entriesFrom(lines, found, block);
  if (entries === undefined) return undefined;
  const { table } = entries;
  for (let { at } = entries; at < table.count && table.address(at) < end; at++) {
    if (table.address(at) >= start && table.endsPrologue(at)) return table.address(at);
  }
  return undefined;
}

/** The end of the prologue by the line table, as far as the instructions agree. */
function agreedEnd(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint {
  const { entryPc } = found;
  const lined = prologueEnd(debug, lines, found);
  const read = lines.readThumb;
  if (read === undefined) return lined ?? entryPc;
  const marked = lined === undefined ? undefined : skipStackProtector(lined, read, lines.symbolOf);
  if (marked === undefined) return thumbPrologueEnd(entryPc, entryPc + unmarkedPrologueSize, read);
  if (/^(GNU|clang) /.test(found.unit.producer ?? 'GNU ')) return marked;
  return thumbPrologueEnd(entryPc, marked, read) === marked ? marked : entryPc;
}

/** Where a step into the function stops. */
export function bodyStart(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint {
  // An assembler has no prologues; each line is an instruction that somebody wrote.
  if (found.unit.language === DW_LANG_Mips_Assembler) return found.entryPc;
  return throughLine(lines, found, agreedEnd(debug, lines, found));
}

/** Where a breakpoint on the function stops: unlike a step it believes the prologue_end flag before all else. */
export function bodyBreak(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint {
  const flagged = found.unit.language === DW_LANG_Mips_Assembler ? undefined : flaggedEnd(lines, found);
  return flagged === undefined ? bodyStart(debug, lines, found) : throughLine(lines, found, flagged);
}

/** In the middle of a line: the rest of the line is prologue as well. */
function throughLine(lines: SourceLines, found: FunctionInfo, address: bigint): bigint {
  const block = lines.blockAt(address);
  const { start, end } = functionRange(found, found.entryPc);
  if (block !== undefined && block.start !== address && start <= block.end && block.end < end) return block.end;
  return address;
}
