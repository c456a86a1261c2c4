/**
 * Most location expressions are one operator: a frame offset, a register, an address. Those are recognised once per
 * expression and evaluated without the machine of expression.ts, which a breakpoint condition in a hot loop feels.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { DW_OP } from './expression-opcodes';
import type { ExpressionBytes } from './model';

export type SimpleExpression =
  | { readonly kind: 'frame-base'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'register-offset'; readonly register: number; readonly offset: bigint }
  | { readonly kind: 'address'; readonly link: bigint }
  | { readonly kind: 'cfa' };

const known = new WeakMap<ExpressionBytes, { readonly simple: SimpleExpression | undefined }>();

/** undefined: the expression needs the machine. */
export function simpleExpression(expression: ExpressionBytes): SimpleExpression | undefined {
  let entry = known.get(expression);
  if (!entry) {
    entry = { simple: recognise(expression) };
    known.set(expression, entry);
  }
  return entry.simple;
}

function recognise({ bytes, unit }: ExpressionBytes): SimpleExpression | undefined {
  if (bytes.length === 0 || bytes.length > 11) return undefined;
  const reader = new ByteReader(bytes, unit.littleEndian, 'DWARF expression');
  try {
    const simple = operator(reader, unit.addressSize);
    return reader.atEnd ? simple : undefined;
  } catch (error) {
    // Damaged: the machine says what is wrong.
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function operator(reader: ByteReader, addressSize: number): SimpleExpression | undefined {
  const opcode = reader.u8();
  if (opcode === DW_OP.fbreg) return { kind: 'frame-base', offset: reader.sleb() };
  if (opcode === DW_OP.addr) return { kind: 'address', link: reader.unsigned(addressSize) };
  if (opcode === DW_OP.call_frame_cfa) return { kind: 'cfa' };
  if (opcode >= DW_OP.reg0 && opcode <= DW_OP.reg31) return { kind: 'register', register: opcode - DW_OP.reg0 };
  if (opcode >= DW_OP.breg0 && opcode <= DW_OP.breg31) {
    return { kind: 'register-offset', register: opcode - DW_OP.breg0, offset: reader.sleb() };
  }
  return undefined;
}
