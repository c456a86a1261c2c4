/** S0 to S31 and FPSCR as tests like them: what rounding, NaNs, subnormals and overflow make interesting. */
import type { Random } from './random';

const words32 = [
  0, 0x80000000, 1, 0x80000001, 0x7fffff, 0x807fffff, 0x800000, 0x80800000, 0x800001, 0x3f800000, 0xbf800000,
  0x3f7fffff, 0x3f800001, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40000000, 0x40490fdb, 0x4b000000, 0x4b7fffff,
  0x4effffff, 0x4f000000, 0xcf000000, 0x4f7fffff, 0x4f800000, 0x477fe000, 0x477ff000, 0x38800000, 0x387fffff,
  0x33800000, 0x33000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345,
  0x7f800001, 0xff812345, 0x7fbfffff,
];

/** High words of binary64; the low one is 0, all ones, or random. */
const words64 = [
  0, 0x80000000, 1, 0x000fffff, 0x800fffff, 0x00100000, 0x80100000, 0x3ff00000, 0xbff00000, 0x3fefffff, 0x3fe00000,
  0xbfe00000, 0x3ff80000, 0x40000000, 0x400921fb, 0x43300000, 0x433fffff, 0x41dfffff, 0x41e00000, 0xc1e00000,
  0x41efffff, 0x41f00000, 0x40effc00, 0x40effe00, 0x3f100000, 0x3f0fffff, 0x47efffff, 0x47f00000, 0x38100000,
  0x380fffff, 0x36a00000, 0x36900000, 0x7fefffff, 0xffefffff, 0x7ff00000, 0xfff00000, 0x7ff80000, 0xfff80000,
  0x7ff00001, 0xfff12345, 0x7ff7ffff,
];

function single(random: Random): number {
  switch (random.below(4)) {
    case 0:
      return random.pick(words32);
    case 1:
      return random.next();
    case 2:
      // Near one another, so that sums cancel and quotients are near 1.
      return ((random.next() & 0x80000000) | ((0x7e + random.below(4)) << 23) | (random.next() & 0x7fffff)) >>> 0;
    default:
      // Few significant bits: exact results and ties.
      return ((random.next() & 0x80000000) | ((0x60 + random.below(0x40)) << 23) | (random.below(64) << 17)) >>> 0;
  }
}

function double(random: Random): readonly [number, number] {
  const low = random.pick([0, 0xffffffff, 1, random.next()]);
  switch (random.below(4)) {
    case 0:
      return [low, random.pick(words64)];
    case 1:
      return [random.next(), random.next()];
    case 2:
      return [
        random.next(),
        ((random.next() & 0x80000000) | ((0x3fe + random.below(4)) << 20) | (random.next() & 0xfffff)) >>> 0,
      ];
    default:
      return [
        0,
        ((random.next() & 0x80000000) | ((0x3e0 + random.below(0x40)) << 20) | (random.below(64) << 14)) >>> 0,
      ];
  }
}

/** RMode, FZ, DN and AHP are at rest in half of the cases; flags are anything. */
function fpscr(random: Random): number {
  const control = random.below(2) === 0 ? 0 : random.next() & 0x07c00000;
  const flags = random.below(2) === 0 ? 0 : random.next() & 0xf000009f;
  return (control | flags) >>> 0;
}

/** 33 words, as registers of one width or a mixture. */
export function randomFloats(random: Random): Uint32Array {
  const words = new Uint32Array(33);
  const kind = random.below(3);
  for (let i = 0; i < 32; i += 2) {
    const isDouble = kind === 0 || (kind === 2 && random.below(2) === 0);
    words.set(isDouble ? double(random) : [single(random), single(random)], i);
  }
  words[32] = fpscr(random);
  return words;
}
