/**
 * Constants of Thumb encodings: Armv7-M ARM A5.3.2 ThumbExpandImm_C and A7.4.2 DecodeImmShift.
 */

export function signExtend(value: number, width: number): number {
  return (value << (32 - width)) >> (32 - width);
}

/** Carry unchanged. */
export const sameCarry = 2;

export interface ExpandedImmediate {
  readonly value: number;
  /** 0, 1, or `sameCarry`. */
  readonly carry: number;
  readonly unpredictable: boolean;
}

/** ThumbExpandImm_C of i:imm3:imm8. */
export function thumbExpandImm(imm12: number): ExpandedImmediate {
  const byte = imm12 & 0xff;
  if (imm12 >>> 10 === 0) {
    const patterns = [byte, (byte << 16) | byte, (byte << 24) | (byte << 8), Math.imul(byte, 0x01010101)];
    const form = imm12 >>> 8;
    return { value: patterns[form] | 0, carry: sameCarry, unpredictable: form !== 0 && byte === 0 };
  }
  const unrotated = 0x80 | (imm12 & 0x7f);
  const rotation = imm12 >>> 7;
  const value = (unrotated >>> rotation) | (unrotated << (32 - rotation));
  return { value, carry: value >>> 31, unpredictable: false };
}

/** SRType as the operations number it. */
export const Shift = { LSL: 0, LSR: 1, ASR: 2, ROR: 3, RRX: 4 } as const;

export interface ImmediateShift {
  readonly type: number;
  readonly amount: number;
}

/** DecodeImmShift: LSR and ASR by 0 mean 32, ROR by 0 is RRX. */
export function decodeImmShift(type: number, imm5: number): ImmediateShift {
  if (imm5 !== 0 || type === Shift.LSL) return { type, amount: imm5 };
  return type === Shift.ROR ? { type: Shift.RRX, amount: 1 } : { type, amount: 32 };
}
