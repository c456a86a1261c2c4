/**
 * Natural alignment of types, which GCC and Clang use for every type of the supported targets (AAPCS32 5.3, RISC-V psABI
 * "C/C++ type details"): debug information names an alignment only where the source asks for another.
 */
import { Encoding } from './constants';
import { stripType, type Type } from './model';

/** In bytes; undefined: the type is not known well enough. */
export function alignmentOf(type: Type): number | undefined {
  const stripped = stripType(type);
  switch (stripped.kind) {
    case 'struct':
    case 'union':
    case 'class': {
      if (stripped.incomplete) return undefined;
      const members = stripped.members.map((member) => (member.bitSize === 0 ? 1 : alignmentOf(member.type)));
      return members.includes(undefined) ? undefined : Math.max(1, ...members.map((value) => value ?? 1));
    }
    case 'array':
      return alignmentOf(stripped.element);
    case 'function':
    case 'void':
      return 1;
    case 'base':
      return isComplex(stripped.encoding) ? (stripped.byteSize ?? 0) / 2 : stripped.byteSize;
    case 'member-pointer':
      // Of data a difference, of methods a pointer and a difference.
      return stripType(stripped.target).kind === 'function' ? (stripped.byteSize ?? 8) / 2 : stripped.byteSize;
    default:
      return stripped.byteSize;
  }
}

const isComplex = (encoding: number): boolean => encoding === Encoding.DW_ATE_complex_float;
