/**
 * Sizes of code that no file has. GCC writes a size as the difference of two labels. Where the linker makes code shorter (RISC-V) that
 * takes relocations, which a .dwo file cannot have (DWARF 5, 7.3.2): 0 is left of it. What has both its ends in .debug_addr is as it
 * should be: the lists of DWARF 5, and the ranges of DWARF 4.
 */
import { Tag } from './constants';
import type { Die } from './die';
import { FormatError } from '../errors';
import type { Unit } from './unit';

/** Whether 0 means that the size is not known. */
export function losesSizes(unit: Unit): boolean {
  return unit.skeleton !== undefined && unit.context.sections.registers.isRelaxed === true;
}

/** Functions have their sizes in call-frame information too. Those of blocks within them are gone: they are empty, and one problem. */
export function lostEnd({ unit, tag }: Die, start: bigint): bigint {
  const frame = tag === Tag.DW_TAG_subprogram ? unit.context.frameRangeAt(start) : undefined;
  if (frame?.start === start) return frame.end;
  const what = tag === Tag.DW_TAG_subprogram ? 'functions' : 'blocks within functions';
  unit.context.sections.report(lostSize(unit, what).message);
  return start;
}

export function lostSize(unit: Unit, what: string): FormatError {
  const detail = `the sizes of ${what} of ${unit.name ?? 'this unit'} are lost: for this CPU -gsplit-dwarf leaves them to the linker, which does not see the .dwo file; what depends on them is not shown; build without -gsplit-dwarf`;
  return new FormatError('bad-size', unit.section, unit.header.offset, detail);
}
