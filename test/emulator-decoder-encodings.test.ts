/**
 * The Thumb decoder against the manual's index of encodings, Armv7-M ARM A7.7 (without extensions) and what Armv8-M ARM C2.4 has
 * besides: every encoding T1, T2 ... of every instruction is decoded by a row of that instruction, and every row by an encoding
 * of the list. GNU as makes the words.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Decoder } from '../lib/emulator/arm/decoder';
import { ElfFile } from '../lib/elf/elf-file';
import { cpuNamed, hex } from './support/lockstep';
import { requireTool, runTool } from './support/tools';

/** Mnemonic and form as the manual's heading, the encoding, and an instruction that has it. */
type Listed = readonly [heading: string, encoding: string, assembly: string];

/** Lines `heading | assembly of T1 | of T2 ...`; an encoding that is listed with another instruction is `-`. */
function parse(text: string): Listed[] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [heading, ...encodings] = line.split('|').map((part) => part.trim());
      return encodings.flatMap((assembly, i): Listed[] => (assembly === '-' ? [] : [[heading, `T${i + 1}`, assembly]]));
    });
}

const v7m = parse(`
ADC (immediate) | adc.w r1, r2, #3
ADC (register) | adcs r1, r2 | adc.w r1, r2, r3, lsl #2
ADD (immediate) | adds r1, r2, #3 | adds r1, #30 | add.w r1, r2, #0xff00 | addw r1, r2, #0xabc
ADD (register) | adds r1, r2, r3 | add r1, r9 | add.w r1, r2, r3, lsl #2
ADD (SP plus immediate) | add r1, sp, #8 | add sp, #8 | add.w r1, sp, #0xff00 | addw r1, sp, #0xabc
ADD (SP plus register) | add r1, sp, r1 | add sp, r1 | add.w r1, sp, r2
ADR | adr.n r1, .+8 | subw r1, pc, #4 | addw r1, pc, #4
AND (immediate) | and.w r1, r2, #3
AND (register) | ands r1, r2 | and.w r1, r2, r3, lsl #2
ASR (immediate) | asrs r1, r2, #3 | asr.w r1, r2, #3
ASR (register) | asrs r1, r2 | asr.w r1, r2, r3
B | beq.n . | b.n . | beq.w . | b.w .
BFC | bfc r1, #3, #4
BFI | bfi r1, r2, #3, #4
BIC (immediate) | bic.w r1, r2, #3
BIC (register) | bics r1, r2 | bic.w r1, r2, r3, lsl #2
BKPT | bkpt #1
BL | bl .
BLX (register) | blx r1
BX | bx r1
CBNZ | cbnz r1, .+8
CBZ | cbz r1, .+8
CLREX | clrex
CLZ | clz r1, r2
CMN (immediate) | cmn.w r1, #3
CMN (register) | cmn r1, r2 | cmn.w r1, r2, lsl #2
CMP (immediate) | cmp r1, #3 | cmp.w r1, #0xff00
CMP (register) | cmp r1, r2 | cmp r1, r9 | cmp.w r1, r2, lsl #2
CPS | cpsie i
DBG | dbg #1
DMB | dmb
DSB | dsb
EOR (immediate) | eor.w r1, r2, #3
EOR (register) | eors r1, r2 | eor.w r1, r2, r3, lsl #2
ISB | isb
IT | .inst.n 0xbf08
LDM | ldmia r1!, {r2, r3} | ldmia.w r1, {r2, r3}
LDMDB | ldmdb r1, {r2, r3}
LDR (immediate) | ldr r1, [r2, #4] | ldr r1, [sp, #4] | ldr.w r1, [r2, #0x404] | ldr r1, [r2], #4
LDR (literal) | ldr.n r1, .+8 | ldr.w r1, .+8
LDR (register) | ldr r1, [r2, r3] | ldr.w r1, [r2, r3, lsl #2]
LDRB (immediate) | ldrb r1, [r2, #4] | ldrb.w r1, [r2, #0x404] | ldrb r1, [r2], #4
LDRB (literal) | ldrb.w r1, .+8
LDRB (register) | ldrb r1, [r2, r3] | ldrb.w r1, [r2, r3, lsl #2]
LDRBT | ldrbt r1, [r2, #4]
LDRD (immediate) | ldrd r1, r2, [r3, #4]
LDREX | ldrex r1, [r2, #4]
LDREXB | ldrexb r1, [r2]
LDREXH | ldrexh r1, [r2]
LDRH (immediate) | ldrh r1, [r2, #4] | ldrh.w r1, [r2, #0x404] | ldrh r1, [r2], #4
LDRH (literal) | ldrh.w r1, .+8
LDRH (register) | ldrh r1, [r2, r3] | ldrh.w r1, [r2, r3, lsl #2]
LDRHT | ldrht r1, [r2, #4]
LDRSB (immediate) | ldrsb.w r1, [r2, #0x404] | ldrsb r1, [r2], #4
LDRSB (literal) | ldrsb.w r1, .+8
LDRSB (register) | ldrsb r1, [r2, r3] | ldrsb.w r1, [r2, r3, lsl #2]
LDRSBT | ldrsbt r1, [r2, #4]
LDRSH (immediate) | ldrsh.w r1, [r2, #0x404] | ldrsh r1, [r2], #4
LDRSH (literal) | ldrsh.w r1, .+8
LDRSH (register) | ldrsh r1, [r2, r3] | ldrsh.w r1, [r2, r3, lsl #2]
LDRSHT | ldrsht r1, [r2, #4]
LDRT | ldrt r1, [r2, #4]
LSL (immediate) | lsls r1, r2, #3 | lsl.w r1, r2, #3
LSL (register) | lsls r1, r2 | lsl.w r1, r2, r3
LSR (immediate) | lsrs r1, r2, #3 | lsr.w r1, r2, #3
LSR (register) | lsrs r1, r2 | lsr.w r1, r2, r3
MLA | mla r1, r2, r3, r4
MLS | mls r1, r2, r3, r4
MOV (immediate) | movs r1, #3 | mov.w r1, #0xff00 | movw r1, #0xabcd
MOV (register) | mov r1, r9 | lsls r1, r2, #0 | mov.w r1, r2
MOVT | movt r1, #0xabcd
MRS | mrs r1, apsr
MSR (register) | msr apsr_nzcvq, r1
MUL | muls r1, r2, r1 | mul r1, r2, r3
MVN (immediate) | mvn.w r1, #3
MVN (register) | mvns r1, r2 | mvn.w r1, r2, lsl #2
NOP | nop.n | nop.w
ORN (immediate) | orn r1, r2, #3
ORN (register) | orn r1, r2, r3
ORR (immediate) | orr.w r1, r2, #3
ORR (register) | orrs r1, r2 | orr.w r1, r2, r3, lsl #2
POP | pop {r1, r2} | pop.w {r1, r9} | ldr r1, [sp], #4
PUSH | push {r1, r2} | push.w {r1, r9} | str r1, [sp, #-4]!
RBIT | rbit r1, r2
REV | rev r1, r2 | rev.w r1, r2
REV16 | rev16 r1, r2 | rev16.w r1, r2
REVSH | revsh r1, r2 | revsh.w r1, r2
ROR (immediate) | ror.w r1, r2, #3
ROR (register) | rors r1, r2 | ror.w r1, r2, r3
RRX | rrx r1, r2
RSB (immediate) | rsbs r1, r2, #0 | rsb.w r1, r2, #3
RSB (register) | rsb r1, r2, r3
SBC (immediate) | sbc.w r1, r2, #3
SBC (register) | sbcs r1, r2 | sbc.w r1, r2, r3, lsl #2
SBFX | sbfx r1, r2, #3, #4
SDIV | sdiv r1, r2, r3
SEV | sev.n | sev.w
SMLAL | smlal r1, r2, r3, r4
SMULL | smull r1, r2, r3, r4
SSAT | ssat r1, #3, r2
STM | stmia r1!, {r2, r3} | stmia.w r1, {r2, r3}
STMDB | stmdb r1, {r2, r3}
STR (immediate) | str r1, [r2, #4] | str r1, [sp, #4] | str.w r1, [r2, #0x404] | str r1, [r2], #4
STR (register) | str r1, [r2, r3] | str.w r1, [r2, r3, lsl #2]
STRB (immediate) | strb r1, [r2, #4] | strb.w r1, [r2, #0x404] | strb r1, [r2], #4
STRB (register) | strb r1, [r2, r3] | strb.w r1, [r2, r3, lsl #2]
STRBT | strbt r1, [r2, #4]
STRD (immediate) | strd r1, r2, [r3, #4]
STREX | strex r1, r2, [r3, #4]
STREXB | strexb r1, r2, [r3]
STREXH | strexh r1, r2, [r3]
STRH (immediate) | strh r1, [r2, #4] | strh.w r1, [r2, #0x404] | strh r1, [r2], #4
STRH (register) | strh r1, [r2, r3] | strh.w r1, [r2, r3, lsl #2]
STRHT | strht r1, [r2, #4]
STRT | strt r1, [r2, #4]
SUB (immediate) | subs r1, r2, #3 | subs r1, #30 | sub.w r1, r2, #0xff00 | subw r1, r2, #0xabc
SUB (register) | subs r1, r2, r3 | sub.w r1, r2, r3, lsl #2
SUB (SP minus immediate) | sub sp, #8 | sub.w r1, sp, #0xff00 | subw r1, sp, #0xabc
SUB (SP minus register) | sub.w r1, sp, r2
SVC | svc #1
SXTB | sxtb r1, r2 | sxtb.w r1, r2
SXTH | sxth r1, r2 | sxth.w r1, r2
TBB | tbb [r1, r2]
TBH | tbh [r1, r2, lsl #1]
TEQ (immediate) | teq r1, #3
TEQ (register) | teq r1, r2
TST (immediate) | tst.w r1, #3
TST (register) | tst r1, r2 | tst.w r1, r2, lsl #2
UBFX | ubfx r1, r2, #3, #4
UDF | udf.n #1 | udf.w #1
UDIV | udiv r1, r2, r3
UMLAL | umlal r1, r2, r3, r4
UMULL | umull r1, r2, r3, r4
USAT | usat r1, #3, r2
UXTB | uxtb r1, r2 | uxtb.w r1, r2
UXTH | uxth r1, r2 | uxth.w r1, r2
WFE | wfe.n | wfe.w
WFI | wfi.n | wfi.w
YIELD | yield.n | yield.w
STRD (immediate) post-indexed | strd r1, r2, [r3], #4
LDRD (immediate) post-indexed | ldrd r1, r2, [r3], #4
`);

const v8mMore = parse(`
LDA | lda r1, [r2]
LDAB | ldab r1, [r2]
LDAEX | ldaex r1, [r2]
LDAEXB | ldaexb r1, [r2]
LDAEXH | ldaexh r1, [r2]
LDAH | ldah r1, [r2]
SG | sg
STL | stl r1, [r2]
STLB | stlb r1, [r2]
STLEX | stlex r1, r2, [r3]
STLEXB | stlexb r1, r2, [r3]
STLEXH | stlexh r1, r2, [r3]
STLH | stlh r1, [r2]
TT | tt r1, r2
TTT | ttt r1, r2
TTA | tta r1, r2
TTAT | ttat r1, r2
`);

/** Headings whose instruction a row has by the name of the one that it is a case of. */
const alias: Readonly<Record<string, string>> = {
  'ADD (SP plus register) T1': 'ADD (register) T2',
  'ADD (SP plus register) T2': 'ADD (register) T2',
  'ADD (SP plus register) T3': 'ADD (register) T3',
  'ADD (SP plus immediate) T3': 'ADD (immediate) T3',
  'ADD (SP plus immediate) T4': 'ADD (immediate) T4',
  'SUB (SP minus immediate) T2': 'SUB (immediate) T3',
  'SUB (SP minus immediate) T3': 'SUB (immediate) T4',
  'SUB (SP minus register) T1': 'SUB (register) T2',
  'MOV (register) T2': 'LSL (immediate) T1',
  'ASR (immediate) T2': 'MOV (register) T3',
  'LSL (immediate) T2': 'MOV (register) T3',
  'LSR (immediate) T2': 'MOV (register) T3',
  'ROR (immediate) T1': 'MOV (register) T3',
  'RRX T1': 'MOV (register) T3',
  'YIELD T1': 'NOP T1',
  'POP T3': 'LDR (immediate), 8 bits',
  'PUSH T3': 'STR (immediate), 8 bits',
};

/** Words of every instruction, assembled. */
function assembled(as: string, cpu: string, list: readonly Listed[]): (readonly [number, number])[] {
  const folder = mkdtempSync(join(tmpdir(), 'llext-encodings-'));
  try {
    // Not in an IT block, whose conditions an instruction could not have.
    const lines = list.map(([, , assembly]) => `.balign 4\n${assembly}\n.balign 4, 0`);
    writeFileSync(join(folder, 'a.s'), `.syntax unified\n.thumb\n.text\n${lines.join('\n')}\n`);
    runTool(as, [`-mcpu=${cpu}`, '-mthumb', '-mimplicit-it=never', '-o', join(folder, 'a.o'), join(folder, 'a.s')]);
    const elf = ElfFile.parse(readFileSync(join(folder, 'a.o')));
    const section = elf.sections.find(({ name }) => name === '.text');
    assert.ok(section);
    const bytes = elf.sectionBytes(section);
    const half = (at: number): number => bytes[at] | (bytes[at + 1] << 8);
    return list.map((_, i) => [half(4 * i), half(4 * i) >>> 11 >= 0x1d ? half(4 * i + 2) : 0] as const);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [cpu, list] of [
  ['cortex-m3', v7m],
  ['cortex-m33', [...v7m, ...v8mMore]],
] as const) {
  test(`${cpu}: the encodings of the manual and the rows are the same`, (t) => {
    const as = requireTool(t, 'arm-none-eabi-as');
    if (as === undefined) return;
    const decoder = new Decoder(cpuNamed(cpu).isa);
    const words = assembled(as, cpu, list);
    const hit = new Set<string>();
    const wrong: string[] = [];
    for (const [i, [heading, encoding, assembly]] of list.entries()) {
      const [first, second] = words[i];
      const { row, operation } = decoder.decode(first, second, 0, 0);
      const name = row?.name ?? operation;
      hit.add(name);
      const wanted = alias[`${heading} ${encoding}`] ?? `${heading} ${encoding}`;
      if (!names(name, wanted))
        wrong.push(`${heading} ${encoding}, ${assembly} (${hex(first)} ${hex(second)}): ${name}`);
    }
    assert.deepEqual(wrong, []);
    const base = decoder.rows.filter(({ extension }) => extension === undefined).map(({ name }) => name);
    assert.deepEqual(
      [...new Set(base)].filter((name) => !hit.has(name)),
      [],
      'rows without an encoding of the list',
    );
  });
}

/** Whether a row's name is that of the instruction, and of the encoding where it says one. */
function names(row: string, wanted: string): boolean {
  const [mnemonic] = wanted.split(/[ ,]/);
  const [, encoding] = /\b(T\d)\b/.exec(wanted) ?? [];
  const form = /\((immediate|literal|register)\)/.exec(wanted)?.[1];
  const words = row.split(/[^A-Z0-9a-z]+/);
  if (!words.includes(mnemonic)) return false;
  if (form !== undefined && /\((immediate|literal|register)\)/.test(row) && !row.includes(`(${form})`)) return false;
  const said = words.filter((word) => /^T\d$/.test(word));
  return encoding === undefined || said.length === 0 || said.includes(encoding);
}
