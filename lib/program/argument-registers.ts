/**
 * Which registers pass the parameters of a function, for those that are integers and pointers (AAPCS32 6.5, RISC-V ELF
 * psABI "Integer Calling Convention"). Structures, floating point in registers of its own and results in memory are
 * not assigned: who asks is told so.
 */
import { Encoding } from '../dwarf/constants';
import { stripType, type Type } from '../dwarf/model';
import { EM_ARM } from '../elf/constants';
import { type CallAbi, returnsInMemory } from './return-value';

/** `registers` hold the value's words, lowest first; empty: it is on the stack. */
export interface ArgumentPlace {
  readonly registers: readonly number[];
}

/** A place for each parameter, or what cannot be assigned. */
export function argumentPlaces(parameters: readonly Type[], returnType: Type, abi: CallAbi): ArgumentPlace[] | string {
  const arm = abi.machine === EM_ARM;
  const first = arm ? 0 : 10;
  const count = arm ? 4 : 8;
  if (stripType(returnType).kind !== 'void' && returnsInMemory(returnType, abi)) {
    return `its result, a ${returnType.displayName}, is in memory whose address only the first call was told`;
  }
  const places: ArgumentPlace[] = [];
  let next = 0;
  for (const type of parameters) {
    const words = Math.ceil((type.byteSize ?? 0) / abi.xlen);
    if (!isInteger(type, abi) || words < 1 || words > 2) return `a parameter is a ${type.displayName}`;
    // A double word begins at an even register of Arm, and RISC-V splits one over the last register and the stack.
    if (arm && words === 2) next += next % 2;
    const fits = next + words <= count;
    if (!fits && !arm && next < count) return `a parameter is half in a register and half on the stack`;
    places.push({ registers: fits ? Array.from({ length: words }, (_, n) => first + next + n) : [] });
    next = fits ? next + words : count;
  }
  return places;
}

function isInteger(type: Type, { flen }: CallAbi): boolean {
  const stripped = stripType(type);
  if (stripped.kind === 'pointer' || stripped.kind === 'enum' || stripped.kind === 'reference') return true;
  if (stripped.kind !== 'base' || stripped.encoding === Encoding.DW_ATE_complex_float) return false;
  return stripped.encoding !== Encoding.DW_ATE_float || flen === 0;
}
