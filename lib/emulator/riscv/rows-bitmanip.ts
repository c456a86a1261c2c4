/** Zba, Zbb, Zbc, Zbs: "RISC-V Bit-Manipulation ISA-extensions" 1.0.0, chapter 2. */
import { format, register, shift, table, unary, type Row } from './rows';

const { R, unary: one, shift: shiftFormat } = format;
const OP = '0110011';
const OP32 = '0111011';
const OP_IMM = '0010011';
const OP_IMM32 = '0011011';

const zba = table('bitmanip 1.1 Zba', 'Zba', [
  [R('0010000', '010', OP), 'sh1add', register('sh1add')],
  [R('0010000', '100', OP), 'sh2add', register('sh2add')],
  [R('0010000', '110', OP), 'sh3add', register('sh3add')],
  [R('0000100', '000', OP32), 'add.uw', register('add_uw'), 64],
  [R('0010000', '010', OP32), 'sh1add.uw', register('sh1add_uw'), 64],
  [R('0010000', '100', OP32), 'sh2add.uw', register('sh2add_uw'), 64],
  [R('0010000', '110', OP32), 'sh3add.uw', register('sh3add_uw'), 64],
  [shiftFormat('000010', '001', OP_IMM32, 64), 'slli.uw', shift('slli_uw'), 64],
]);

const zbb = table('bitmanip 1.2 Zbb', 'Zbb', [
  [R('0100000', '111', OP), 'andn', register('andn')],
  [R('0100000', '110', OP), 'orn', register('orn')],
  [R('0100000', '100', OP), 'xnor', register('xnor')],
  [one('011000000000', '001', OP_IMM), 'clz', unary('clz')],
  [one('011000000001', '001', OP_IMM), 'ctz', unary('ctz')],
  [one('011000000010', '001', OP_IMM), 'cpop', unary('cpop')],
  [one('011000000000', '001', OP_IMM32), 'clzw', unary('clzw'), 64],
  [one('011000000001', '001', OP_IMM32), 'ctzw', unary('ctzw'), 64],
  [one('011000000010', '001', OP_IMM32), 'cpopw', unary('cpopw'), 64],
  [R('0000101', '110', OP), 'max', register('max')],
  [R('0000101', '111', OP), 'maxu', register('maxu')],
  [R('0000101', '100', OP), 'min', register('min')],
  [R('0000101', '101', OP), 'minu', register('minu')],
  [one('011000000100', '001', OP_IMM), 'sext.b', unary('sext_b')],
  [one('011000000101', '001', OP_IMM), 'sext.h', unary('sext_h')],
  [one('000010000000', '100', OP), 'zext.h', unary('zext_h'), 32],
  [one('000010000000', '100', OP32), 'zext.h', unary('zext_h'), 64],
  [R('0110000', '001', OP), 'rol', register('rol')],
  [R('0110000', '101', OP), 'ror', register('ror')],
  [shiftFormat('011000', '101', OP_IMM, 32), 'rori', shift('rori'), 32],
  [shiftFormat('011000', '101', OP_IMM, 64), 'rori', shift('rori'), 64],
  [R('0110000', '001', OP32), 'rolw', register('rolw'), 64],
  [R('0110000', '101', OP32), 'rorw', register('rorw'), 64],
  [shiftFormat('011000', '101', OP_IMM32, 32), 'roriw', shift('roriw'), 64],
  [one('001010000111', '101', OP_IMM), 'orc.b', unary('orc_b')],
  [one('011010011000', '101', OP_IMM), 'rev8', unary('rev8'), 32],
  [one('011010111000', '101', OP_IMM), 'rev8', unary('rev8'), 64],
]);

const zbc = table('bitmanip 1.3 Zbc', 'Zbc', [
  [R('0000101', '001', OP), 'clmul', register('clmul')],
  [R('0000101', '011', OP), 'clmulh', register('clmulh')],
  [R('0000101', '010', OP), 'clmulr', register('clmulr')],
]);

const zbs = table('bitmanip 1.4 Zbs', 'Zbs', [
  [R('0100100', '001', OP), 'bclr', register('bclr')],
  [R('0100100', '101', OP), 'bext', register('bext')],
  [R('0110100', '001', OP), 'binv', register('binv')],
  [R('0010100', '001', OP), 'bset', register('bset')],
  ...([32, 64] as const).flatMap(
    (xlen) =>
      [
        [shiftFormat('010010', '001', OP_IMM, xlen), 'bclri', shift('bclri'), xlen],
        [shiftFormat('010010', '101', OP_IMM, xlen), 'bexti', shift('bexti'), xlen],
        [shiftFormat('011010', '001', OP_IMM, xlen), 'binvi', shift('binvi'), xlen],
        [shiftFormat('001010', '001', OP_IMM, xlen), 'bseti', shift('bseti'), xlen],
      ] as const,
  ),
]);

export const bitmanipRows: readonly Row[] = [...zba, ...zbb, ...zbc, ...zbs];
