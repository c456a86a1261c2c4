/**
 * How far gdb 13 takes Thumb code for a prologue, as found out by asking it about single instructions: code that saves
 * registers to the stack, makes room there, and copies what is needed for that. Values do not matter, only whether a
 * register points into the stack frame or is a constant that may be added to such a pointer. An instruction of another
 * kind does not end the walk, but a breakpoint goes no further than to the last such one. Encodings: Armv7-M manual, A5.
 */
/** Reads an instruction's halfword; undefined where there is no code. */
export type ReadHalfword = (address: bigint) => number | undefined;

/** `foreign`: no part of a prologue, which may go on behind it. */
type Verdict = 'prologue' | 'foreign' | 'end';
type Value = 'frame' | 'constant' | 'other';
type Registers = Value[];

interface Rule {
  readonly mask: number;
  readonly bits: number;
  /** undefined: the rule does not apply, later ones may. */
  readonly judge: (registers: Registers, code: number) => Verdict | undefined;
}

const SP = 13;
const PC = 15;

/** The register number in `width` bits of an instruction from `low` on. */
const field = (code: number, low: number, width = 3): number => (code >>> low) & ((1 << width) - 1);

const always =
  (verdict: Verdict): Rule['judge'] =>
  () =>
    verdict;

type Select = (code: number) => number;

/** Reads and writes of the frame; `otherwise`: the verdict about other addresses. */
const inFrame =
  (base: Select, otherwise?: Verdict): Rule['judge'] =>
  (registers, code) =>
    registers[base(code)] === 'frame' ? 'prologue' : otherwise;

const copy =
  (to: Select, from: Select): Rule['judge'] =>
  (registers, code) => {
    registers[to(code)] = registers[from(code)];
    return 'prologue';
  };

const constant =
  (...to: Select[]): Rule['judge'] =>
  (registers, code) => {
    for (const register of to) registers[register(code)] = 'constant';
    return 'prologue';
  };

const sp: Select = () => SP;
const low0: Select = (code) => field(code, 0);
const low3: Select = (code) => field(code, 3);
const low8: Select = (code) => field(code, 8);
const highDestination: Select = (code) => field(code, 0) | (field(code, 7, 1) << 3);
const highSource: Select = (code) => field(code, 3, 4);

/** The first that applies decides. */
const shortRules: readonly Rule[] = [
  { mask: 0xfe00, bits: 0xb400, judge: inFrame(sp, 'end') }, // PUSH
  { mask: 0xffff, bits: 0x46bd, judge: always('end') }, // MOV SP, R7: an epilogue
  { mask: 0xff80, bits: 0xb000, judge: always('end') }, // ADD SP, #imm
  { mask: 0xfe00, bits: 0xbc00, judge: always('end') }, // POP
  { mask: 0xff80, bits: 0xb080, judge: always('prologue') }, // SUB SP, #imm
  { mask: 0xf800, bits: 0xa800, judge: copy(low8, sp) }, // ADD Rd, SP, #imm
  { mask: 0xfe00, bits: 0x1c00, judge: addressInFrame }, // ADD Rd, Rn, #imm3
  { mask: 0xf800, bits: 0x3000, judge: inFrame(low8) }, // ADD Rdn, #imm8
  { mask: 0xfe00, bits: 0x1800, judge: frameAndConstant }, // ADD Rd, Rn, Rm
  { mask: 0xff00, bits: 0x4400, judge: addConstant }, // ADD Rdn, Rm
  { mask: 0xff00, bits: 0x4600, judge: copy(highDestination, highSource) }, // MOV Rd, Rm
  { mask: 0xf800, bits: 0x9000, judge: inFrame(sp, 'end') }, // STR Rt, [SP, #imm]
  { mask: 0xf800, bits: 0x6000, judge: inFrame(low3, 'end') }, // STR Rt, [Rn, #imm]
  { mask: 0xf800, bits: 0x7000, judge: inFrame(low3) }, // STRB
  { mask: 0xf800, bits: 0x8000, judge: inFrame(low3) }, // STRH
  { mask: 0xf800, bits: 0xc800, judge: inFrame(low8) }, // LDM
  { mask: 0xf800, bits: 0x9800, judge: always('prologue') }, // LDR Rt, [SP, #imm]
  { mask: 0xf800, bits: 0x6800, judge: inFrame(low3) }, // LDR Rt, [Rn, #imm]
  // gdb passes over these two copies without taking note of them.
  { mask: 0xffc0, bits: 0x0000, judge: always('prologue') }, // MOVS Rd, Rm
  { mask: 0xffc0, bits: 0x1c00, judge: always('prologue') }, // ADDS Rd, Rn, #0
  { mask: 0xf800, bits: 0x2000, judge: constant(low8) }, // MOVS Rd, #imm
  { mask: 0xf800, bits: 0x4800, judge: constant(low8) }, // LDR Rt, literal
  { mask: 0xf000, bits: 0xd000, judge: always('end') }, // B<c>, UDF, SVC
  { mask: 0xf800, bits: 0xe000, judge: always('end') }, // B
  { mask: 0xff00, bits: 0x4700, judge: always('end') }, // BX, BLX
  { mask: 0xf500, bits: 0xb100, judge: always('end') }, // CBZ, CBNZ
];

const base: Select = (code) => field(code, 16, 4);
const destination: Select = (code) => field(code, 8, 4);
const transferred: Select = (code) => field(code, 12, 4);

/** Both halfwords, the first one above. */
const longRules: readonly Rule[] = [
  { mask: 0xf800c000, bits: 0xf000c000, judge: always('end') }, // BL
  { mask: 0xf800d000, bits: 0xf0009000, judge: always('end') }, // B.W
  { mask: 0xf800d000, bits: 0xf0008000, judge: conditionalBranch },
  { mask: 0xffd00000, bits: 0xe9000000, judge: inFrame(base) }, // STMDB, PUSH.W
  { mask: 0xff500000, bits: 0xe9400000, judge: inFrame(base) }, // STRD
  { mask: 0xfff00000, bits: 0xf8c00000, judge: inFrame(base) }, // STR.W Rt, [Rn, #imm12]
  { mask: 0xffd00000, bits: 0xf8800000, judge: inFrame(base) }, // STRB.W, STRH.W
  { mask: 0xffd00d00, bits: 0xf8000c00, judge: inFrame(base) }, // STRB, STRH Rt, [Rn, #-imm8]
  { mask: 0xffd08000, bits: 0xe8900000, judge: inFrame(base) }, // LDM, POP.W
  { mask: 0xff7f0000, bits: 0xe95f0000, judge: constant(transferred, destination) }, // LDRD, literal
  { mask: 0xff700000, bits: 0xe9500000, judge: inFrame(base) }, // LDRD
  { mask: 0xff7f0000, bits: 0xf85f0000, judge: constant(transferred) }, // LDR.W, literal
  { mask: 0xfff00d00, bits: 0xf8500c00, judge: inFrame(base) }, // LDR Rt, [Rn, #-imm8]
  { mask: 0xfff00000, bits: 0xf8d00000, judge: inFrame(base) }, // LDR.W Rt, [Rn, #imm12]
  { mask: 0xfbf08000, bits: 0xf1000000, judge: copy(destination, base) }, // ADD.W Rd, Rn, #const
  { mask: 0xfbf08000, bits: 0xf2000000, judge: copy(destination, base) }, // ADDW Rd, Rn, #imm12
  { mask: 0xfbf08000, bits: 0xf1a00000, judge: copy(destination, base) }, // SUB.W Rd, Rn, #const
  { mask: 0xfbf08000, bits: 0xf2a00000, judge: copy(destination, base) }, // SUBW Rd, Rn, #imm12
  { mask: 0xfbff8000, bits: 0xf04f0000, judge: constant(destination) }, // MOV.W Rd, #const
  { mask: 0xfbf08000, bits: 0xf2400000, judge: constant(destination) }, // MOVW
  { mask: 0xfffff0f0, bits: 0xea5f0000, judge: copy(destination, (code) => field(code, 0, 4)) }, // MOVS.W Rd, Rm
  { mask: 0xffbf0f00, bits: 0xed2d0b00, judge: inFrame(sp, 'end') }, // VPUSH of doubles
  { mask: 0xffd08000, bits: 0xe8908000, judge: always('end') }, // LDM with PC
  { mask: 0xffd08000, bits: 0xe9108000, judge: always('end') }, // LDMDB with PC
  { mask: 0xfff0ffe0, bits: 0xe8d0f000, judge: always('end') }, // TBB, TBH
  { mask: 0xff70f000, bits: 0xf850f000, judge: always('end') }, // LDR.W to PC
];

/** All of them, for a test that each has a case. */
export const thumbPrologueRules: readonly Rule[] = [...shortRules, ...longRules];

function addressInFrame(registers: Registers, code: number): Verdict | undefined {
  if (registers[low3(code)] !== 'frame') return undefined;
  registers[low0(code)] = 'frame';
  return 'prologue';
}

/** Only with the address as Rm. */
function frameAndConstant(registers: Registers, code: number): Verdict | undefined {
  if (registers[field(code, 6)] !== 'frame' || registers[low3(code)] !== 'constant') return undefined;
  registers[low0(code)] = 'frame';
  return 'prologue';
}

function addConstant(registers: Registers, code: number): Verdict | undefined {
  return registers[highSource(code)] === 'constant' ? 'prologue' : undefined;
}

/** Conditions from 14 on are system instructions. */
function conditionalBranch(_registers: Registers, code: number): Verdict | undefined {
  return field(code, 23) === 7 ? undefined : 'end';
}

/** Where a breakpoint on the function at `start` may go at the furthest; about `limit` if all code before it is prologue. */
export function thumbPrologueEnd(start: bigint, limit: bigint, read: ReadHalfword): bigint {
  const registers: Registers = Array.from({ length: PC + 1 }, (_, i) => (i === SP ? 'frame' : 'other'));
  let lastForeign: bigint | undefined;
  let address = start;
  while (address < limit) {
    const first = read(address);
    if (first === undefined) break;
    const isLong = first >>> 11 >= 0b11101;
    const code = isLong ? ((first << 16) | (read(address + 2n) ?? 0)) >>> 0 : first;
    const verdict = judge(isLong ? longRules : shortRules, registers, code);
    if (verdict === 'end') break;
    if (verdict === 'foreign') lastForeign = address;
    address += isLong ? 4n : 2n;
  }
  return lastForeign ?? address;
}

function judge(rules: readonly Rule[], registers: Registers, code: number): Verdict {
  for (const { mask, bits, judge: rule } of rules) {
    const verdict = (code & mask) >>> 0 === bits ? rule(registers, code) : undefined;
    if (verdict !== undefined) return verdict;
  }
  return 'foreign';
}
