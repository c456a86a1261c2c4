/** DWARF expressions as one spelling of what llvm-dwarfdump prints: operators with decimal operands. */
import { ByteReader } from '../../lib/bytes';
import { DW_OP, operatorName } from '../../lib/dwarf/expression-opcodes';
import type { Unit } from '../../lib/dwarf/unit';

/** Takes the base of a link address's section away. */
export type OffsetOf = (address: bigint) => bigint;

/** Operand layouts: u s = LEB128; 1 2 4 8 = bytes, signed with '-'; a = address; t = unit-relative reference;
 * r = a register, which llvm-dwarfdump names. */
const operands: Readonly<Record<number, string>> = {
  [DW_OP.addr]: 'a',
  [DW_OP.const1u]: '1',
  [DW_OP.const1s]: '-1',
  [DW_OP.const2u]: '2',
  [DW_OP.const2s]: '-2',
  [DW_OP.const4u]: '4',
  [DW_OP.const4s]: '-4',
  [DW_OP.const8u]: '8',
  [DW_OP.const8s]: '-8',
  [DW_OP.constu]: 'u',
  [DW_OP.consts]: 's',
  [DW_OP.pick]: '1',
  [DW_OP.plus_uconst]: 'u',
  [DW_OP.bra]: '-2',
  [DW_OP.skip]: '-2',
  [DW_OP.regx]: 'r',
  [DW_OP.fbreg]: 's',
  [DW_OP.bregx]: 'rs',
  [DW_OP.piece]: 'u',
  [DW_OP.deref_size]: '1',
  [DW_OP.bit_piece]: 'uu',
  [DW_OP.call2]: '2',
  [DW_OP.call4]: '4',
  [DW_OP.addrx]: 'u',
  [DW_OP.constx]: 'u',
  [DW_OP.convert]: 't',
  [DW_OP.regval_type]: 'rt',
  [DW_OP.GNU_addr_index]: 'u',
  [DW_OP.GNU_const_index]: 'u',
};

/** Operators that llvm-dwarfdump 14 does not take apart: from there on both sides say only that. */
const unknownToLlvm: ReadonlySet<number> = new Set([
  DW_OP.implicit_pointer,
  DW_OP.const_type,
  DW_OP.deref_type,
  DW_OP.reinterpret,
  DW_OP.GNU_implicit_pointer,
  DW_OP.GNU_const_type,
  DW_OP.GNU_regval_type,
  DW_OP.GNU_deref_type,
  DW_OP.GNU_convert,
  DW_OP.GNU_reinterpret,
  DW_OP.GNU_parameter_ref,
  DW_OP.GNU_uninit,
  DW_OP.GNU_variable_value,
  DW_OP.call_ref,
]);

/** `offsetOf` undefined: addresses are left out. */
export function expressionText(bytes: Uint8Array, unit: Unit, offsetOf: OffsetOf | undefined): string {
  const reader = new ByteReader(bytes, unit.littleEndian, 'expression');
  const parts: string[] = [];
  while (!reader.atEnd) {
    const opcode = reader.u8();
    if (unknownToLlvm.has(opcode)) return [...parts, 'undecoded'].join(' ');
    const name = operatorName(opcode).replace('DW_OP_', '');
    if (opcode === DW_OP.entry_value || opcode === DW_OP.GNU_entry_value) {
      const inner = expressionText(reader.take8(reader.ulebNumber()), unit, offsetOf);
      parts.push(inner.endsWith('undecoded') ? inner : `${name}(${inner})`);
      if (inner.endsWith('undecoded')) return parts.join(' ');
      continue;
    }
    if (opcode === DW_OP.implicit_value) {
      const value = reader.take8(reader.ulebNumber());
      parts.push([name, value.length, ...value].join(':'));
      continue;
    }
    const isBreg = opcode >= DW_OP.breg0 && opcode <= DW_OP.breg31;
    const layout = isBreg ? 's' : (operands[opcode] ?? '');
    const values = [...layout.matchAll(/-?./g)].flatMap(([one]) => operand(reader, one, unit, offsetOf) ?? []);
    parts.push([name, ...values].join(':'));
  }
  return parts.join(' ');
}

function operand(reader: ByteReader, kind: string, unit: Unit, offsetOf: OffsetOf | undefined): string | undefined {
  switch (kind) {
    case 'a': {
      const address = reader.unsigned(unit.addressSize);
      return offsetOf && String(offsetOf(address));
    }
    case 'r':
      reader.uleb();
      return undefined;
    case 'u':
      return String(reader.uleb());
    case 's':
      return String(reader.sleb());
    case 't':
      return String(reader.ulebNumber());
    default: {
      const size = Math.abs(Number(kind));
      const value = reader.unsigned(size);
      return String(kind.startsWith('-') ? BigInt.asIntN(8 * size, value) : value);
    }
  }
}
