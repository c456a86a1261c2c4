/**
 * Where a function's body begins, by gdb 13's rule (skip_prologue_using_sal): a compiler marks the end of the prologue
 * by a second line entry. Two entries at the function's first address: there is no prologue. Otherwise the body begins
 * where the first line's code ends; entries of smaller lines after it are instructions that the compiler moved up,
 * and belong to the prologue too.
 */
import { DW_LANG_Mips_Assembler } from '../dwarf/constants';
import type { DebugInfo } from '../dwarf/debug-info';
import type { FunctionInfo } from '../dwarf/model';
import { blocksAt, functionRange } from './code-blocks';
import type { LineBlock, SourceLines } from './source-lines';

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
function hasTwoEntriesAt(lines: SourceLines, found: FunctionInfo, block: LineBlock, start: bigint): boolean {
  const entries = lines.ofUnit(found.unit).find(({ file }) => file === block.file)?.entries;
  if (entries === undefined) return false;
  let first = entries.after(block.start);
  while (first > 0 && entries.address(first - 1) === block.start) first--;
  while (first < entries.count && entries.line(first) === 0) first++;
  // The entry that the block begins with, and one behind it.
  if (first + 1 >= entries.count || entries.address(first) !== block.start) return false;
  return entries.line(first + 1) !== 0 && entries.address(first + 1) === start;
}

/** Where a step into the function stops. */
export function bodyStart(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint {
  // An assembler has no prologues; each line is an instruction that somebody wrote.
  if (found.unit.language === DW_LANG_Mips_Assembler) return found.entryPc;
  const afterPrologue = prologueEnd(debug, lines, found) ?? found.entryPc;
  const block = lines.blockAt(afterPrologue);
  // In the middle of a line: the rest of the line is prologue as well.
  const { start, end } = functionRange(found, found.entryPc);
  if (block !== undefined && block.start !== afterPrologue && start <= block.end && block.end < end) return block.end;
  return afterPrologue;
}
