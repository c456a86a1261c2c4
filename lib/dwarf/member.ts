/**
 * Members of structs, unions and classes (5.7), with bit-fields brought to one convention: the offset in bits from the
 * start of the containing type in memory order, as DW_AT_data_bit_offset counts. Before DWARF 4, DW_AT_bit_offset
 * counted from the most significant bit of a storage unit of DW_AT_byte_size bytes.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { At, Tag } from './constants';
import type { Die } from './die';
import { DW_OP } from './expression-opcodes';
import { expressionAt } from './variable';
import type { Member, SourcePosition, Type } from './model';

/** None for a child that is no data member, else one. */
export function readMembers(die: Die, type: Type, positionOf: (die: Die) => SourcePosition | undefined): Member[] {
  if ((die.tag !== Tag.DW_TAG_member && die.tag !== Tag.DW_TAG_inheritance) || isStaticMember(die)) return [];
  const bitSize = die.number(At.DW_AT_bit_size);
  const isBase = die.tag === Tag.DW_TAG_inheritance;
  const common = { name: die.name, type, declaration: positionOf(die), ...(isBase ? { isBase } : {}) };
  const plain = isBase ? plainOffset(die) : undefined;
  if (isBase && plain === undefined) {
    const baseAddress = expressionAt(die, At.DW_AT_data_member_location);
    return [{ ...common, byteOffset: 0, bitSize, bitOffset: undefined, ...(baseAddress ? { baseAddress } : {}) }];
  }
  if (bitSize === undefined) {
    return [{ ...common, byteOffset: memberOffset(die), bitSize: undefined, bitOffset: undefined }];
  }
  const bitOffset = bitFieldOffset(die, type, bitSize);
  const storage = type.byteSize ?? 1;
  const byteOffset = Math.floor(bitOffset / (8 * storage)) * storage;
  return [{ ...common, byteOffset, bitSize, bitOffset }];
}

/** Of a class: declared in it, stored elsewhere (5.7.7; before DWARF 5 its entry is a member's). */
export function isStaticMember(die: Die): boolean {
  if (die.tag !== Tag.DW_TAG_member && die.tag !== Tag.DW_TAG_variable) return false;
  return die.flag(At.DW_AT_external) || die.flag(At.DW_AT_declaration);
}

function bitFieldOffset(die: Die, type: Type, bitSize: number): number {
  const offset = die.number(At.DW_AT_data_bit_offset);
  if (offset !== undefined) return offset;
  const start = 8 * memberOffset(die);
  const fromTop = die.signedConstant(At.DW_AT_bit_offset);
  if (fromTop === undefined) return start;
  if (!die.unit.littleEndian) return start + Number(fromTop);
  const storage = die.number(At.DW_AT_byte_size) ?? type.byteSize ?? 0;
  return start + 8 * storage - Number(fromTop) - bitSize;
}

/** DW_AT_data_member_location: a constant, or an expression that adds one to the address on the stack (5.7.6). */
function memberOffset(die: Die): number {
  const offset = plainOffset(die);
  if (offset !== undefined) return offset;
  throw new FormatError('bad-opcode', die.unit.section, die.offset, 'the place of a member is computed at run time');
}

/** undefined: it depends on the object. */
function plainOffset(die: Die): number | undefined {
  const constant = die.number(At.DW_AT_data_member_location);
  if (constant !== undefined) return constant;
  const expression = die.bytes(At.DW_AT_data_member_location);
  if (expression === undefined) return 0;
  const reader = new ByteReader(expression, die.unit.littleEndian, die.unit.section);
  if (reader.u8() === DW_OP.plus_uconst) {
    const offset = reader.ulebNumber();
    if (reader.atEnd) return offset;
  }
  return undefined;
}
