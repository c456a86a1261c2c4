/**
 * The decoders' rows against the manuals' indexes of instructions: names that a manual lists for an architecture or extension and names
 * that rows have, both ways. Armv6-M ARM A6.7, Armv7-M ARM A7.7 (with its DSP and Floating-point Extensions), Armv8-M ARM C2.4; RISC-V
 * unprivileged 24 (instruction set listings), Bit-Manipulation ISA-extensions 1.0.0 chapter 1, privileged 3.3. Pseudo-instructions and
 * aliases that have no encoding of their own are not listed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows as armRows } from '../lib/emulator/arm/decoder';
import type { Row as ArmRow } from '../lib/emulator/arm/rows';
import { rows as riscvRows } from '../lib/emulator/riscv/decoder';

const list = (text: string) => text.trim().split(/\s+/);

const v6m =
  list(`ADC ADD ADR AND ASR B BIC BKPT BL BLX BX CMN CMP CPS DMB DSB EOR ISB LDM LDR LDRB LDRH LDRSB LDRSH LSL LSR
  MOV MRS MSR MUL MVN NOP ORR POP PUSH REV REV16 REVSH ROR RSB SBC SEV STM STR STRB STRH SUB SVC SXTB SXTH TST UDF UXTB UXTH WFE WFI`);
/** What Armv8-M Baseline and Armv7-M have more. */
const shared = list('CBNZ CBZ CLREX LDREX LDREXB LDREXH MOVT SDIV STREX STREXB STREXH UDIV');
const acquire = list('LDA LDAB LDAEX LDAEXB LDAEXH LDAH SG STL STLB STLEX STLEXB STLEXH STLH TT TTA TTAT TTT');
const mainline =
  list(`BFC BFI CLZ DBG IT LDMDB LDRBT LDRD LDRHT LDRSBT LDRSHT LDRT MLA MLS ORN RBIT RRX SBFX SMLAL SMULL SSAT
  STMDB STRBT STRD STRHT STRT TBB TBH TEQ UBFX UMLAL UMULL USAT YIELD`);
const dsp =
  list(`PKHBT PKHTB QADD QADD16 QADD8 QASX QDADD QDSUB QSAX QSUB QSUB16 QSUB8 SADD16 SADD8 SASX SEL SHADD16 SHADD8 SHASX SHSAX
  SHSUB16 SHSUB8 SMLABB SMLABT SMLATB SMLATT SMLAD SMLADX SMLALBB SMLALBT SMLALTB SMLALTT SMLALD SMLALDX SMLAWB SMLAWT SMLSD SMLSDX
  SMLSLD SMLSLDX SMMLA SMMLAR SMMLS SMMLSR SMMUL SMMULR SMUAD SMUADX SMULBB SMULBT SMULTB SMULTT SMULWB SMULWT SMUSD SMUSDX SSAT16
  SSAX SSUB16 SSUB8 SXTAB SXTAB16 SXTAH SXTB16 UADD16 UADD8 UASX UHADD16 UHADD8 UHASX UHSAX UHSUB16 UHSUB8 UMAAL UQADD16 UQADD8
  UQASX UQSAX UQSUB16 UQSUB8 USAD8 USADA8 USAT16 USAX USUB16 USUB8 UXTAB UXTAB16 UXTAH UXTB16`);
const fp =
  list(`VABS VADD VCMP VCMPE VCVT VCVTB VCVTR VCVTT VDIV VFMA VFMS VFNMA VFNMS VLDM VLDMDB VLDMIA VLDR VMLA VMLS VMOV VMRS VMSR VMUL VNEG
  VNMLA VNMLS VNMUL VPOP VPUSH VSQRT VSTM VSTMDB VSTMIA VSTR VSUB`);
const fpv5 = list(
  `VCVTA VCVTM VCVTN VCVTP VMAXNM VMINNM VRINTA VRINTM VRINTN VRINTP VRINTR VRINTX VRINTZ VSELEQ VSELGE VSELGT VSELVS`,
);

/** Words in capitals of a row's name that are no mnemonic. */
const notMnemonics = new Set(['SP', 'APSR', 'GE', 'F32', 'F64']);

function mnemonics(rows: readonly ArmRow[]): string[] {
  const found = rows.flatMap(({ name }) => [...name.matchAll(/\b(?!T\d\b)[A-Z][A-Z0-9]*\b/g)].map(([word]) => word));
  return [...new Set(found.filter((word) => !notMnemonics.has(word)))].sort();
}

const sorted = (...lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].sort();
const base = (profile: ArmRow['in'][number]) =>
  armRows.filter((row) => row.in.includes(profile) && row.extension === undefined);
const extended = (extension: ArmRow['extension'], profile: ArmRow['in'][number] = 'v7m') =>
  armRows.filter((row) => row.extension === extension && row.in.includes(profile));

for (const [name, rows, expected] of [
  ['Armv6-M', base('v6m'), sorted(v6m)],
  ['Armv8-M Baseline', base('v8m-base'), sorted(v6m, shared, acquire)],
  ['Armv7-M', base('v7m'), sorted(v6m, shared, mainline)],
  ['Armv8-M Mainline', base('v8m-main'), sorted(v6m, shared, mainline, acquire)],
  ['DSP Extension', extended('dsp'), sorted(dsp, ['MSR'])],
  ['FPv4-SP', extended('fp'), sorted(fp)],
  ['FPv5', extended('fpv5'), sorted(fpv5)],
] as const) {
  test(`${name}: rows have the names of the manual's index, no more and no fewer`, () => {
    assert.deepEqual(mnemonics(rows), expected);
  });
}

test('binary64 has the data processing of binary32', () => {
  // Loads, stores and moves of double registers belong to every Floating-point Extension.
  const moves = list('VLDM VLDMDB VLDMIA VLDR VMRS VMSR VPOP VPUSH VSTM VSTMDB VSTMIA VSTR');
  const expected = sorted(fp, fpv5).filter((name) => !moves.includes(name));
  assert.deepEqual(mnemonics(extended('fp64')), expected);
});

const float = (l: 's' | 'd') =>
  list(`fmadd fmsub fnmsub fnmadd fadd fsub fmul fdiv fsqrt fsgnj fsgnjn fsgnjx fmin fmax feq flt fle fclass`).map(
    (n) => `${n}.${l}`,
  );
const amo = (size: 'w' | 'd') =>
  list('lr sc amoswap amoadd amoxor amoand amoor amomin amomax amominu amomaxu').map((name) => `${name}.${size}`);

/** Instructions of both widths, then those of RV64 alone and of RV32 alone. */
const riscv: Readonly<
  Record<string, readonly [both: readonly string[], only64: readonly string[], only32?: readonly string[]]>
> = {
  I: [
    list(`lui auipc jal jalr beq bne blt bge bltu bgeu lb lh lw lbu lhu sb sh sw addi slti sltiu xori ori andi slli srli srai
      add sub sll slt sltu xor srl sra or and fence ecall ebreak`),
    list('lwu ld sd addiw slliw srliw sraiw addw subw sllw srlw sraw'),
  ],
  M: [list('mul mulh mulhsu mulhu div divu rem remu'), list('mulw divw divuw remw remuw')],
  A: [amo('w'), amo('d')],
  F: [
    [...float('s'), ...list('flw fsw fcvt.w.s fcvt.wu.s fcvt.s.w fcvt.s.wu fmv.x.w fmv.w.x')],
    list('fcvt.l.s fcvt.lu.s fcvt.s.l fcvt.s.lu'),
  ],
  D: [
    [...float('d'), ...list('fld fsd fcvt.s.d fcvt.d.s fcvt.w.d fcvt.wu.d fcvt.d.w fcvt.d.wu')],
    list('fcvt.l.d fcvt.lu.d fcvt.d.l fcvt.d.lu fmv.x.d fmv.d.x'),
  ],
  C: [
    list(`c.addi4spn c.fld c.lw c.fsd c.sw c.addi c.li c.addi16sp c.lui c.srli c.srai c.andi c.sub c.xor c.or c.and c.j c.beqz
      c.bnez c.slli c.fldsp c.lwsp c.jr c.mv c.ebreak c.jalr c.add c.fsdsp c.swsp`),
    list('c.ld c.sd c.addiw c.subw c.addw c.ldsp c.sdsp'),
    list('c.flw c.fsw c.jal c.flwsp c.fswsp'),
  ],
  Zicsr: [list('csrrw csrrs csrrc csrrwi csrrsi csrrci'), []],
  Zifencei: [['fence.i'], []],
  Zba: [list('sh1add sh2add sh3add'), list('add.uw sh1add.uw sh2add.uw sh3add.uw slli.uw')],
  Zbb: [
    list('andn orn xnor clz ctz cpop max maxu min minu sext.b sext.h zext.h rol ror rori orc.b rev8'),
    list('clzw ctzw cpopw rolw rorw roriw'),
  ],
  Zbc: [list('clmul clmulh clmulr'), []],
  Zbs: [list('bclr bclri bext bexti binv binvi bset bseti'), []],
  // Of the privileged instructions, those of machine mode; SRET only to be illegal.
  priv: [list('mret wfi sret'), []],
};

for (const xlen of [32, 64] as const) {
  test(`RV${xlen}: rows have the names of the manual's listings, no more and no fewer, each once`, () => {
    const own = riscvRows.filter((row) => row.xlen === undefined || row.xlen === xlen);
    for (const [extension, [both, only64, only32 = []]] of Object.entries(riscv)) {
      const names = own.filter((row) => row.extension === extension).map(({ name }) => name);
      assert.deepEqual(names.sort(), [...both, ...(xlen === 64 ? only64 : only32)].sort(), extension);
    }
    assert.deepEqual(
      own.filter(({ extension }) => !(extension in riscv)),
      [],
    );
  });
}
