/**
 * Scopes as gdb's blocks: which one holds an address, where a block begins. gdb makes no block of a DW_TAG_lexical_block
 * that declares nothing.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import type { AddressRange, FunctionInfo, Scope, UnitInfo } from '../dwarf/model';

/** From the lowest to the highest address. */
export function hullOf(ranges: readonly AddressRange[]): AddressRange | undefined {
  if (ranges.length === 0) return undefined;
  let { start, end } = ranges[0];
  for (const range of ranges) {
    if (range.start < start) start = range.start;
    if (range.end > end) end = range.end;
  }
  return { start, end };
}

/** All code of a unit. */
export function rangesHull(debug: DebugInfo, unit: UnitInfo): AddressRange | undefined {
  return hullOf(debug.functionsOf(unit).flatMap((one) => one.ranges));
}

/** The blocks that hold pc, innermost first, the function's own last. */
export function blocksAt(debug: DebugInfo, pc: bigint): readonly Scope[] {
  return debug.scopesAt(pc).filter((scope) => scope.kind !== 'block' || declaresSomething(scope));
}

function declaresSomething(scope: Scope): boolean {
  return scope.declaresVariables || scope.children.some((child) => child.kind === 'inlined');
}

/** The range of a function that holds pc, as gdb's find_pc_partial_function: all of it, when it has only one. */
export function functionRange(found: FunctionInfo, pc: bigint): AddressRange {
  return found.ranges.find(({ start, end }) => start <= pc && pc < end) ?? found.ranges[0];
}
