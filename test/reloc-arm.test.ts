/**
 * Every relocation of the Arm handler. Expected bytes: the specification's own vectors, GNU ld's result for the same
 * object at the same addresses (where the loader follows the ABI), and the formula where ld has no counterpart.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { relocationName } from '../lib/elf/relocation-names';
import { Errno } from '../lib/errors';
import { arm } from '../lib/llext/reloc/arm';
import { hasProfile } from '../lib/llext/reloc/relocator';
import { requireTool, runTool } from './support/tools';
import { bench, image } from './support/load-bench';
import { applyAt } from './support/reloc-place';

interface Vector {
  readonly type: number;
  readonly before: readonly number[];
  readonly S: number;
  readonly P: number;
  /** undefined = refused with -ENOEXEC. */
  readonly after: readonly number[] | undefined;
  readonly loadBias?: number;
}

const halfwords = (upper: number, lower: number): number[] => [upper & 255, upper >> 8, lower & 255, lower >> 8];
const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
const P = 0x2000_0010;

/** Bounds of branches are exclusive at both ends: 2^n - 1 and -2^n + 1 fit, +-2^n do not (Thumb bit included in S). */
function range(type: number, before: readonly number[], A: number, limit: number, least = -limit + 1): Vector[] {
  const at = (X: number, after: readonly number[] | undefined): Vector => ({
    type,
    before,
    S: (X + P - A) >>> 0,
    P,
    after,
  });
  return [at(limit, undefined), at(least - 1, undefined)];
}

const vectors: readonly Vector[] = [
  { type: C.R_ARM_NONE, before: word(0x1234_5678), S: 0x2000_abcd, P, after: word(0x1234_5678) },
  { type: C.R_ARM_ABS32, before: word(4), S: 0x2000_abcd, P, after: word(0x2000_abd1) },
  { type: C.R_ARM_ABS32, before: word(0xffff_fffc), S: 0x2000_abcd, P, after: word(0x2000_abc9) },
  { type: C.R_ARM_TARGET1, before: word(8), S: 0x2000_0101, P, after: word(0x2000_0109) },
  { type: C.R_ARM_REL32, before: word(4), S: 0x2000_0100, P, after: word(0xf4) },
  // Specification, appendix A.
  { type: C.R_ARM_THM_CALL, before: halfwords(0xf7ff, 0xfffe), S: 0x2000_0101, P, after: halfwords(0xf000, 0xf876) },
  { type: C.R_ARM_THM_CALL, before: halfwords(0xf7ff, 0xfffe), S: 0x0800_1235, P, after: undefined },
  { type: C.R_ARM_THM_JUMP24, before: halfwords(0xf7ff, 0xbffe), S: 0x1fff_ff01, P, after: halfwords(0xf7ff, 0xbf76) },
  {
    type: C.R_ARM_THM_MOVW_ABS_NC,
    before: halfwords(0xf240, 0x0000),
    S: 0x2000_abcd,
    P,
    after: halfwords(0xf64a, 0x30cd),
  },
  {
    type: C.R_ARM_THM_MOVT_ABS,
    before: halfwords(0xf2c0, 0x0300),
    S: 0x2000_abcd,
    P,
    after: halfwords(0xf2c2, 0x0300),
  },
  { type: C.R_ARM_CALL, before: word(0xebff_fffe), S: 0x2000_0100, P, after: word(0xeb00_003a) },
  // By the formulas.
  { type: C.R_ARM_PC24, before: word(0xebff_fffe), S: 0x2000_0100, P, after: word(0xeb00_003a) },
  { type: C.R_ARM_JUMP24, before: word(0xeaff_fffe), S: 0x1fff_ff00, P, after: word(0xeaff_ffba) },
  { type: C.R_ARM_V4BX, before: word(0xe12f_ff1e), S: 0, P, after: word(0xe1a0_f00e) },
  { type: C.R_ARM_V4BX, before: word(0x112f_ff13), S: 0, P, after: word(0x11a0_f003) },
  { type: C.R_ARM_PREL31, before: word(0x8000_0000), S: 0x2000_0000, P, after: word(0xffff_fff0) },
  { type: C.R_ARM_PREL31, before: word(4), S: 0x2000_0100, P, after: word(0xf4) },
  { type: C.R_ARM_MOVW_ABS_NC, before: word(0xe300_3000), S: 0x2000_abcd, P, after: word(0xe30a_3bcd) },
  { type: C.R_ARM_MOVT_ABS, before: word(0xe340_3000), S: 0x2000_abcd, P, after: word(0xe342_3000) },
  // The instruction's bit 20 is lost.
  { type: C.R_ARM_MOVW_ABS_NC, before: word(0xe310_3000), S: 0x2000_abcd, P, after: word(0xe30a_3bcd) },
  { type: C.R_ARM_MOVW_PREL_NC, before: word(0xe300_3000), S: 0x2001_0110, P, after: word(0xe300_3100) },
  { type: C.R_ARM_MOVT_PREL, before: word(0xe340_3000), S: 0x2001_0110, P, after: word(0xe340_3001) },
  {
    type: C.R_ARM_THM_MOVW_PREL_NC,
    before: halfwords(0xf240, 0x0300),
    S: 0x2001_0110,
    P,
    after: halfwords(0xf240, 0x1300),
  },
  {
    type: C.R_ARM_THM_MOVT_PREL,
    before: halfwords(0xf2c0, 0x0300),
    S: 0x2001_0110,
    P,
    after: halfwords(0xf2c0, 0x0301),
  },
  // MOVT: the sign-extended field is added before the shift.
  {
    type: C.R_ARM_THM_MOVT_ABS,
    before: halfwords(0xf6cf, 0x73ff),
    S: 0x2000_0000,
    P,
    after: halfwords(0xf6c1, 0x73ff),
  },
  { type: C.R_ARM_RELATIVE, before: word(0x40), S: 0, P, loadBias: 0x2000_0000, after: word(0x2000_0040) },
  { type: C.R_ARM_GLOB_DAT, before: word(0x1234), S: 0x2000_0101, P, after: word(0x2000_0101) },
  { type: C.R_ARM_JUMP_SLOT, before: word(0x1234), S: 0x0800_0101, P, after: word(0x0800_0101) },
  ...range(C.R_ARM_THM_CALL, halfwords(0xf7ff, 0xfffe), -4, 0x0100_0000),
  ...range(C.R_ARM_THM_JUMP24, halfwords(0xf7ff, 0xbffe), -4, 0x0100_0000),
  ...range(C.R_ARM_CALL, word(0xebff_fffe), -8, 0x0200_0000),
  ...range(C.R_ARM_JUMP24, word(0xeaff_fffe), -8, 0x0200_0000),
  ...range(C.R_ARM_PC24, word(0xebff_fffe), -8, 0x0200_0000),
  ...range(C.R_ARM_PREL31, word(0), 0, 0x4000_0000, -0x4000_0000),
  // The last that fit: BL +16777214, BL -16777214; the Thumb bit of S is dropped.
  {
    type: C.R_ARM_THM_CALL,
    before: halfwords(0xf7ff, 0xfffe),
    S: P + 4 + 0xff_ffff,
    P,
    after: halfwords(0xf3ff, 0xd7ff),
  },
  {
    type: C.R_ARM_THM_CALL,
    before: halfwords(0xf7ff, 0xfffe),
    S: P + 4 - 0xff_ffff,
    P,
    after: halfwords(0xf400, 0xd000),
  },
];

function apply({ type, before, S, P: place, loadBias = 0 }: Vector): { ret: number; bytes: number[] } {
  return applyAt(arm, 4, { type, before, S: BigInt(S >>> 0), P: BigInt(place), B: BigInt(loadBias) });
}

const withBit20 = (bytes: readonly number[] = []): number[] => bytes.map((byte, i) => (i === 2 ? byte | 0x10 : byte));

vectors.forEach((vector, i) => {
  const S = (vector.S >>> 0).toString(16);
  test(`vector ${i}: ${relocationName(C.EM_ARM, vector.type)}, S=0x${S}`, () => {
    const { ret, bytes } = apply(vector);
    assert.equal(ret, vector.after === undefined ? -Errno.ENOEXEC : 0);
    // A refused place keeps its bytes.
    assert.deepEqual(bytes, vector.after ?? vector.before);
  });
});

test('every type of the table has a vector, every branch its bounds', () => {
  for (const { type } of arm.rows.filter((row) => hasProfile(row, 'V41'))) {
    assert.ok(
      vectors.some((vector) => vector.type === type && vector.after !== undefined),
      relocationName(C.EM_ARM, type),
    );
  }
  assert.equal(apply({ type: C.R_ARM_TLS_LE32, before: word(0), S: 0, P, after: undefined }).ret, -Errno.ENOEXEC);
});

test('the newest version knows local-exec TLS, and R_ARM_RELATIVE takes what its caller looked up', () => {
  const base = { P: BigInt(P), profile: 'S' } as const;
  const tls = applyAt(arm, 4, { ...base, type: C.R_ARM_TLS_LE32, before: word(4), S: 0x18n });
  assert.deepEqual([tls.ret, tls.bytes], [0, word(0x1c)]);
  const relative = applyAt(arm, 4, { ...base, type: C.R_ARM_RELATIVE, before: word(0x40), S: 0x2010_0040n, B: 1n });
  assert.deepEqual([relative.ret, relative.bytes], [0, word(0x2010_0040)]);
});

/** AAELF32: V4BX is left alone, bit 20 stays, branches take -2^n but no Thumb code from Arm state. */
test('abi-correct makes the same of all vectors but the quirks', () => {
  for (const { type, before, S, P: place, after, loadBias = 0 } of vectors) {
    const isBit20 = type === C.R_ARM_MOVW_ABS_NC && (before[2] & 0x10) !== 0;
    const thumb = (S & 1) !== 0 && after !== undefined;
    const common = { type, before, S: BigInt(S >>> 0), P: BigInt(place), B: BigInt(loadBias), thumb };
    const { ret, bytes } = applyAt(arm, 4, { ...common, mode: 'abi-correct' });
    const name = `${relocationName(C.EM_ARM, type)} S=0x${(S >>> 0).toString(16)}`;
    if (type === C.R_ARM_V4BX) assert.deepEqual(bytes, before, name);
    else if (isBit20) assert.deepEqual(bytes, withBit20(after), name);
    else if (after !== undefined) assert.deepEqual([ret, bytes], [0, after], name);
  }
  const abi = { P: BigInt(P), mode: 'abi-correct' } as const;
  const lowest = { type: C.R_ARM_THM_CALL, before: halfwords(0xf7ff, 0xfffe), S: BigInt(P + 4 - 0x100_0000) };
  assert.deepEqual(applyAt(arm, 4, { ...abi, ...lowest }).bytes, halfwords(0xf400, 0xd000));
  assert.equal(applyAt(arm, 4, { ...abi, ...lowest, mode: 'exact' }).ret, -Errno.ENOEXEC);
  const toThumb = { type: C.R_ARM_CALL, before: word(0xebff_fffe), S: 0x2000_0101n, thumb: true };
  assert.equal(applyAt(arm, 4, { ...abi, ...toThumb }).ret, -Errno.ENOEXEC);
  assert.equal(applyAt(arm, 4, { ...abi, ...toThumb, mode: 'exact' }).ret, 0);
  // T is ORed in after the addition: an odd addend does not clear it.
  const odd = { type: C.R_ARM_ABS32, before: word(1), S: 0x2000_0101n, thumb: true };
  assert.deepEqual(applyAt(arm, 4, { ...abi, ...odd }).bytes, word(0x2000_0101));
  assert.deepEqual(applyAt(arm, 4, { ...abi, ...odd, mode: 'exact' }).bytes, word(0x2000_0102));
});

/** All types that GNU as emits for these operands and GNU ld resolves as Zephyr does. */
const source = `
  .syntax unified
  .cpu cortex-a9
  .section .text, "ax"
  .thumb
  .global first
  .type first, %function
first:
  bl outside
  b.w outside
  movw r3, #:lower16:thing
  movt r3, #:upper16:thing
  movw r10, #:lower16:(thing - .)
  movt r10, #:upper16:(thing - .)
  bl near
  .align 2
  .word thing
  .word thing + 20
  .word near
  .word outside - .
  .word near(target1)
  .reloc ., R_ARM_PREL31, thing
  .word 0
  .global near
  .type near, %function
near:
  bx lr
  .align 2
  .arm
  .global arm_code
  .type arm_code, %function
arm_code:
  bl arm_outside
  b arm_outside
  blne arm_outside
  movw r4, #:lower16:thing
  movt r4, #:upper16:thing
  movw r5, #:lower16:(thing - .)
  movt r5, #:upper16:(thing - .)
  bx lr
  .data
  .global thing
  .type thing, %object
thing:
  .word first
  .word arm_code
  .word outside
`;

/** The base image: ld needs to know which of its functions are Thumb code. */
const outsideSource = `
  .syntax unified
  .cpu cortex-a9
  .section .outside, "ax"
  .thumb
  .global outside
  .type outside, %function
outside:
  bx lr
  .section .arm_outside, "ax"
  .arm
  .global arm_outside
  .type arm_outside, %function
arm_outside:
  bx lr
`;

test('equals GNU ld for one object at the same addresses', (t) => {
  const as = requireTool(t, 'arm-none-eabi-as');
  const ld = requireTool(t, 'arm-none-eabi-ld');
  if (as === undefined || ld === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'reloc-arm-'));
  try {
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('a.s'), source);
    runTool(as, ['-march=armv7-a', path('a.s'), '-o', path('a.o')]);
    const object = readFileSync(path('a.o'));
    const [outside, arm_outside] = [0x2020_0101n, 0x2020_0200n];
    const it = bench(image({}, { outside, arm_outside }));
    const result = it.load(object);
    assert.equal(result.ret, 0, result.log.join('\n'));
    const { extension } = result;
    assert.ok(extension !== undefined);
    const sections = extension.sections.filter(({ name }) => name === '.text' || name === '.data');
    const script = sections
      .map(({ name, address }) => `  ${name} 0x${address.toString(16)} : { *(${name}) }\n`)
      .join('');
    const base = `  .outside 0x20200100 : { *(.outside) }\n  .arm_outside 0x20200200 : { *(.arm_outside) }\n`;
    writeFileSync(path('a.ld'), `SECTIONS {\n${script}${base}}\n`);
    writeFileSync(path('b.s'), outsideSource);
    runTool(as, ['-march=armv7-a', path('b.s'), '-o', path('b.o')]);
    runTool(ld, ['-e', 'first', '--fix-v4bx', '-T', path('a.ld'), path('a.o'), path('b.o'), '-o', path('a.elf')]);
    const linked = ElfFile.parse(readFileSync(path('a.elf')));
    for (const { name, address, size } of sections) {
      const section = linked.section(name);
      assert.ok(section !== undefined);
      const expected = Buffer.from(linked.sectionBytes(section)).toString('hex');
      assert.equal(Buffer.from(it.target.memory.read(address, size)).toString('hex'), expected, name);
    }
    const seen = new Set(it.events.flatMap((event) => (event.kind === 'relocation' ? [event.type] : [])));
    assert.ok(seen.size >= 14, [...seen].map((type) => relocationName(C.EM_ARM, type)).join(' '));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
