/**
 * arch/arm/core/elf.c in the 4.2 era (specification 4.2): the relocations of AAELF32 that Zephyr applies, with its
 * rounding, its range tests (exclusive at both ends for branches) and its omissions: no BL/BLX conversion, MOVW and
 * MOVT are never range-checked, MOVW/MOVT of Arm state clear bit 20. The addend is always in the place (SHT_REL).
 * S, A, P are the letters of AAELF32; T is part of S. All arithmetic is modulo 2^32.
 */
import {
  armRelocationNames,
  R_ARM_ABS32,
  R_ARM_CALL,
  R_ARM_GLOB_DAT,
  R_ARM_JUMP24,
  R_ARM_JUMP_SLOT,
  R_ARM_MOVT_ABS,
  R_ARM_MOVT_PREL,
  R_ARM_MOVW_ABS_NC,
  R_ARM_MOVW_PREL_NC,
  R_ARM_NONE,
  R_ARM_PC24,
  R_ARM_PREL31,
  R_ARM_REL32,
  R_ARM_RELATIVE,
  R_ARM_TARGET1,
  R_ARM_THM_CALL,
  R_ARM_THM_JUMP24,
  R_ARM_THM_MOVT_ABS,
  R_ARM_THM_MOVT_PREL,
  R_ARM_THM_MOVW_ABS_NC,
  R_ARM_THM_MOVW_PREL_NC,
  R_ARM_V4BX,
} from '../../elf/constants';
import { Errno } from '../../errors';
import type { RelocationInput, RelocationResult, Relocator } from './relocator';

/** The 32 bits at P; Thumb instructions are two halfwords, first one at the lower address. */
class Place {
  constructor(
    private readonly input: RelocationInput,
    readonly S = Number(BigInt.asIntN(32, input.S)),
    readonly P = Number(BigInt.asIntN(32, input.P)),
  ) {}

  get word(): number {
    return this.input.guest.u32(this.input.P) | 0;
  }

  set word(value: number) {
    this.input.guest.setU32(this.input.P, value >>> 0);
  }

  get halfwords(): { upper: number; lower: number } {
    const [b0, b1, b2, b3] = this.input.guest.bytes(this.input.P, 4);
    if (this.input.guest.littleEndian) return { upper: b0 | (b1 << 8), lower: b2 | (b3 << 8) };
    return { upper: b1 | (b0 << 8), lower: b3 | (b2 << 8) };
  }

  set halfwords({ upper, lower }) {
    const bytes = this.input.guest.littleEndian
      ? [upper, upper >> 8, lower, lower >> 8]
      : [upper >> 8, upper, lower >> 8, lower];
    this.input.guest.write(this.input.P, Uint8Array.from(bytes));
  }
}

function signExtend(value: number, width: number): number {
  return (value << (32 - width)) >> (32 - width);
}

function done(A: number): RelocationResult {
  return { ret: 0, A: BigInt(A | 0) };
}

function outOfRange(input: RelocationInput, A: number): RelocationResult {
  const [from, to] = [input.P, input.S].map((address) => `0x${address.toString(16)}`);
  const error = `sym '${input.symbol}': relocation out of range (${from} -> ${to})\n`;
  return { ret: -Errno.ENOEXEC, A: BigInt(A), error };
}

function relocate(input: RelocationInput): RelocationResult {
  const place = new Place(input);
  const { S, P } = place;
  switch (input.type) {
    case R_ARM_NONE:
      return done(0);

    case R_ARM_ABS32:
    case R_ARM_TARGET1: {
      const A = place.word;
      place.word = S + A;
      return done(A);
    }
    case R_ARM_REL32: {
      const A = place.word;
      place.word = S + A - P;
      return done(A);
    }

    case R_ARM_PC24:
    case R_ARM_CALL:
    case R_ARM_JUMP24: {
      const A = signExtend(place.word << 2, 26);
      const X = (S + A - P) | 0;
      if (X >= 0x0200_0000 || X <= -0x0200_0000) return outOfRange(input, A);
      place.word = (place.word & 0xff00_0000) | ((X >> 2) & 0x00ff_ffff);
      return done(A);
    }

    // BX Rm becomes MOV PC, Rm: condition and Rm stay.
    case R_ARM_V4BX:
      place.word = (place.word & 0xf000_000f) | 0x01a0_f000;
      return done(0);

    case R_ARM_PREL31: {
      const A = signExtend(place.word, 31);
      const X = (S + A - P) | 0;
      if (X >= 0x4000_0000 || X < -0x4000_0000) return outOfRange(input, A);
      place.word = (place.word & 0x8000_0000) | (X & 0x7fff_ffff);
      return done(A);
    }

    case R_ARM_MOVW_ABS_NC:
    case R_ARM_MOVT_ABS:
    case R_ARM_MOVW_PREL_NC:
    case R_ARM_MOVT_PREL:
      return relocateMov(input, place);

    case R_ARM_THM_CALL:
    case R_ARM_THM_JUMP24:
      return relocateThumbBranch(input, place);

    case R_ARM_THM_MOVW_ABS_NC:
    case R_ARM_THM_MOVT_ABS:
    case R_ARM_THM_MOVW_PREL_NC:
    case R_ARM_THM_MOVT_PREL:
      return relocateThumbMov(input, place);

    case R_ARM_RELATIVE: {
      const A = place.word;
      place.word = A + Number(BigInt.asIntN(32, input.loadBias));
      return done(A);
    }
    case R_ARM_GLOB_DAT:
    case R_ARM_JUMP_SLOT:
      place.word = S;
      return done(0);

    default:
      return { ret: -Errno.ENOEXEC, A: 0n, error: `unknown relocation: ${input.type}\n` };
  }
}

/** MOVW, MOVT: imm4 in bits 19:16, imm12 in 11:0. */
function relocateMov(input: RelocationInput, place: Place): RelocationResult {
  const { S, P } = place;
  const word = place.word;
  const A = signExtend(((word & 0xf_0000) >> 4) | (word & 0xfff), 16);
  let X = S + A;
  if (input.type === R_ARM_MOVW_PREL_NC || input.type === R_ARM_MOVT_PREL) X -= P;
  X |= 0;
  if (input.type === R_ARM_MOVT_ABS || input.type === R_ARM_MOVT_PREL) X >>= 16;
  place.word = (word & 0xffe0_f000) | ((X & 0xf000) << 4) | (X & 0x0fff);
  return done(A);
}

/** BL, B.W: S:I1:I2:imm10:imm11:0 with I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S). */
function relocateThumbBranch(input: RelocationInput, place: Place): RelocationResult {
  const { upper, lower } = place.halfwords;
  const sign = (upper >> 10) & 1;
  const I1 = ~((lower >> 13) ^ sign) & 1;
  const I2 = ~((lower >> 11) ^ sign) & 1;
  const A = signExtend((sign << 24) | (I1 << 23) | (I2 << 22) | ((upper & 0x3ff) << 12) | ((lower & 0x7ff) << 1), 25);
  const X = (place.S + A - place.P) | 0;
  if (X >= 0x0100_0000 || X <= -0x0100_0000) return outOfRange(input, A);
  const newSign = (X >> 24) & 1;
  const J1 = newSign ^ (~(X >> 23) & 1);
  const J2 = newSign ^ (~(X >> 22) & 1);
  place.halfwords = {
    upper: (upper & 0xf800) | (newSign << 10) | ((X >> 12) & 0x3ff),
    lower: (lower & 0xd000) | (J1 << 13) | (J2 << 11) | ((X >> 1) & 0x7ff),
  };
  return done(A);
}

/** Thumb MOVW, MOVT: imm4:i:imm3:imm8. */
function relocateThumbMov(input: RelocationInput, place: Place): RelocationResult {
  const { upper, lower } = place.halfwords;
  const imm16 = ((upper & 0xf) << 12) | ((upper & 0x400) << 1) | ((lower & 0x7000) >> 4) | (lower & 0xff);
  const A = signExtend(imm16, 16);
  let X = place.S + A;
  if (input.type === R_ARM_THM_MOVW_PREL_NC || input.type === R_ARM_THM_MOVT_PREL) X -= place.P;
  X |= 0;
  if (input.type === R_ARM_THM_MOVT_ABS || input.type === R_ARM_THM_MOVT_PREL) X >>= 16;
  place.halfwords = {
    upper: (upper & 0xfbf0) | ((X & 0xf000) >> 12) | ((X & 0x0800) >> 1),
    lower: (lower & 0x8f00) | ((X & 0x0700) << 4) | (X & 0x00ff),
  };
  return done(A);
}

export const arm: Relocator = {
  names: armRelocationNames,
  types: [
    R_ARM_NONE,
    R_ARM_PC24,
    R_ARM_ABS32,
    R_ARM_REL32,
    R_ARM_THM_CALL,
    R_ARM_GLOB_DAT,
    R_ARM_JUMP_SLOT,
    R_ARM_RELATIVE,
    R_ARM_CALL,
    R_ARM_JUMP24,
    R_ARM_THM_JUMP24,
    R_ARM_TARGET1,
    R_ARM_V4BX,
    R_ARM_PREL31,
    R_ARM_MOVW_ABS_NC,
    R_ARM_MOVT_ABS,
    R_ARM_MOVW_PREL_NC,
    R_ARM_MOVT_PREL,
    R_ARM_THM_MOVW_ABS_NC,
    R_ARM_THM_MOVT_ABS,
    R_ARM_THM_MOVW_PREL_NC,
    R_ARM_THM_MOVT_PREL,
  ],
  patchSize: (type) => (type !== R_ARM_NONE && arm.types.includes(type) ? 4 : 0),
  relocate,
};
