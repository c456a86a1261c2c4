/**
 * Every 16-bit encoding and a million seeded random 32-bit ones: defined or UNDEFINED, and how long, as native Unicorn
 * takes them on Cortex-M3, M0 and M33. Differences have to be in the list of exclusions, each with the manual's section;
 * what is defined and not implemented here is printed. THUMB_CASES=10 classifies ten million.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoder, rows, type Decoded } from '../lib/emulator/arm/decoder';
import { operations, type Operation } from '../lib/emulator/arm/operations';
import { cpuNamed, hex } from './support/lockstep';
import { Random } from './support/random';
import { diagramOf } from './support/thumb-words';
import { UcError } from '../lib/emulator/unicorn/unicorn-api';
import { batchNames, Unicorn, UC_CPU_ARM } from './support/unicorn';

const scale = Number(process.env['THUMB_CASES'] ?? 1);
const codeBase = 0x10000;
const slotBytes = 8;

type Class = 'defined' | 'undefined' | 'unpredictable' | 'not implemented';

function classOf({ operation, operands }: Decoded): Class {
  if (operation === 'not_implemented') return 'not implemented';
  if (operation !== 'undefined') return 'defined';
  return operands[0] === 1 ? 'unpredictable' : 'undefined';
}

interface Case {
  readonly first: number;
  readonly second: number;
  readonly ours: Class;
  readonly row: string;
  readonly profile: string;
}

const word = ({ first, second }: Case) => ((first << 16) | second) >>> 0;
const matches = (bits: string) => {
  const { mask, value } = diagramOf({ bits, name: '', section: '', in: [], exec: () => ['nop'] });
  return (item: Case) => (word(item) & mask) >>> 0 === value;
};
const v81Rows = new Set(rows.filter((row) => row.extension === 'v8.1m').map(({ name }) => name));
const dspRows = rows.filter((row) => row.extension === 'dsp').map((row) => matches(row.bits));
const doubleExclusive = [matches('111010001100 x:4 | x:8 0111 x:4'), matches('11101000110 x x:4 | x:8 1111 x:4')];
const doubleLoad = matches('111010001101 x:4 | x:8 0111 x:4');
const blxImmediate = matches('11110 x:11 | 11 x 0 x:12');
const simdElements = matches('11111001 x:3 0 x:4 | x:16');

/** Where Unicorn 2.0.1 (QEMU's decoder) accepts more than the M profile has, or the manual leaves it open. */
const exclusions: readonly {
  readonly why: string;
  readonly section: string;
  readonly applies: (item: Case) => boolean;
}[] = [
  {
    why: 'UNPREDICTABLE: we stop, saying so',
    section: 'Armv7-M ARM, the row of each encoding',
    applies: ({ ours }) => ours === 'unpredictable',
  },
  {
    why: 'stores relative to pc (Rn = 1111) are UNDEFINED; Unicorn executes them',
    section: 'Armv7-M ARM A7.7, STR, STRB, STRH (immediate and register)',
    applies: ({ row, first }) => /^STR[BH]? \(/.test(row) && (first & 15) === 15,
  },
  {
    why: 'SETEND is of the A and R profiles; Unicorn executes it',
    section: 'Armv7-M ARM A5.2.5',
    applies: ({ first }) => (first & 0xfff7) === 0xb650,
  },
  {
    why: 'BLX (immediate) is of the A and R profiles: there is no other instruction set to go to',
    section: 'Armv7-M ARM A5.3.4',
    applies: blxImmediate,
  },
  {
    why: 'LDREXD, STREXD, LDAEXD and STLEXD are of the A and R profiles; Unicorn executes them',
    section: 'Armv7-M ARM A5.3.6',
    applies: (item) => doubleExclusive.some((test) => test(item)) || doubleLoad(item),
  },
  {
    why: 'Advanced SIMD element loads and stores are not of the M profile; Unicorn executes them',
    section: 'Armv7-M ARM A5.3',
    applies: simdElements,
  },
  {
    why: 'Cortex-M3 has no DSP Extension; Unicorn does not check that in all of its instructions',
    section: 'Armv7-M ARM A5.3.11 to A5.3.17 (v7E-M), SSAT16 and USAT16 A5.3.3',
    applies: (item) => item.profile === 'v7m' && dspRows.some((test) => test(item)),
  },
  {
    why: 'Armv8.1-M is not implemented, with its name; the reference, a Cortex-M33, does not have it',
    section: 'Armv8-M ARM C2.4 (MVE, loops, conditional selection, half-precision)',
    applies: ({ ours, row }) => ours === 'not implemented' && v81Rows.has(row),
  },
  {
    why: 'Armv6-M has neither CBZ, CBNZ nor IT; Unicorn executes them',
    section: 'Armv6-M ARM A5.2.5',
    applies: ({ profile, first }) =>
      profile === 'v6m' && ((first & 0xf500) === 0xb100 || (first >>> 8 === 0xbf && (first & 15) !== 0)),
  },
];

const needed = new Set<string>();
const isWide = (halfword: number) => halfword >>> 11 >= 0x1d;

/** All halfwords (32-bit ones with a random second), then random 32-bit encodings. */
function encodings(random: Random, wide: number): Uint16Array {
  const count = 65536 + wide;
  const code = new Uint16Array((count * slotBytes) / 2).fill(0xe7fe);
  for (let i = 0; i < count; i++) {
    const first = i < 65536 ? i : 0xe800 + random.below(0x1800);
    code[4 * i] = first;
    if (isWide(first)) code[4 * i + 1] = random.next() >>> 16;
  }
  return code;
}

/** Registers that point into memory, aligned, so that most accesses succeed. */
function prepare(unicorn: Unicorn, pc: number): void {
  unicorn.restore();
  for (let i = 0; i < 15; i++) unicorn.batch[i] = 0x20002000 + 16 * i;
  unicorn.batch[15] = pc;
  unicorn.batch[16] = 0;
  unicorn.writeBatch();
}

const pcIndex = batchNames.indexOf('pc');

/** True when Unicorn refuses the encoding; then the length it took, where it went on to the next instruction. */
function ask(unicorn: Unicorn, pc: number, first: number): { readonly undefined: boolean; readonly length: number } {
  let error = 0;
  // After a WFI the next run ends at once.
  for (let attempt = 0; attempt < 2; attempt++) {
    prepare(unicorn, pc);
    error = unicorn.run(pc, 1);
    unicorn.readBatch();
    if (error !== UcError.OK || unicorn.batch[pcIndex] !== pc) break;
  }
  const stayed = unicorn.batch[pcIndex] === pc;
  const isBkpt = first >>> 8 === 0xbe;
  const refused = stayed && !isBkpt && (error === UcError.INSN_INVALID || error === UcError.EXCEPTION);
  return { undefined: refused, length: error === UcError.OK ? unicorn.batch[pcIndex] - pc : 0 };
}

for (const [cpu, model, wide] of [
  ['cortex-m3', UC_CPU_ARM.CORTEX_M3, 200_000],
  ['cortex-m4', UC_CPU_ARM.CORTEX_M4, 200_000],
  ['cortex-m7', UC_CPU_ARM.CORTEX_M7, 400_000],
  ['cortex-m33', UC_CPU_ARM.CORTEX_M33, 300_000],
  ['cortex-m0', UC_CPU_ARM.CORTEX_M0, 100_000],
] as const) {
  test(`${cpu}: encodings are classified as Unicorn does`, (t) => {
    const unicorn = Unicorn.open(t, model);
    if (!unicorn) return;
    const code = encodings(new Random(model), wide * scale);
    const size = Math.ceil((code.length * 2) / 4096) * 4096;
    unicorn.map(codeBase, size, 5);
    unicorn.map(0x20000000, 0x10000, 3);
    unicorn.write(codeBase, new Uint8Array(code.buffer));
    unicorn.save();
    const decoder = new Decoder(cpuNamed(cpu).isa);
    const excluded = new Map<string, number>();
    const notImplemented = new Map<string, number>();
    const unpredictable = new Map<string, number>();
    const totals = { defined: 0, undefined: 0, unpredictable: 0, 'not implemented': 0 };
    for (let i = 0; i < code.length / 4; i++) {
      const [first, second] = [code[4 * i], code[4 * i + 1]];
      const pc = codeBase + i * slotBytes;
      const decoded = decoder.decode(first, second, pc, 0);
      const ours = classOf(decoded);
      const row = decoded.row?.name ?? '';
      totals[ours]++;
      if (ours === 'not implemented') notImplemented.set(row, (notImplemented.get(row) ?? 0) + 1);
      if (ours === 'unpredictable') unpredictable.set(row, (unpredictable.get(row) ?? 0) + 1);
      const theirs = ask(unicorn, pc, first);
      const item: Case = { first, second, ours, row, profile: decoder.profile };
      const agrees = theirs.undefined === (ours === 'undefined');
      // Unicorn's count of one does not end behind an IT.
      const jumps = (operations[decoded.operation] as Operation).jumps === true || decoded.operation === 'it';
      const lengthAgrees =
        ours !== 'defined' || jumps || theirs.length === 0 || theirs.length === (isWide(first) ? 4 : 2);
      if (agrees && lengthAgrees && ours !== 'unpredictable') continue;
      const exclusion = exclusions.find((candidate) => candidate.applies(item));
      const says = theirs.undefined ? 'undefined' : `defined, ${theirs.length} bytes`;
      assert.ok(
        exclusion,
        `${hex(first)} ${isWide(first) ? hex(second) : ''} ${row}: ${ours} here, Unicorn says ${says}`,
      );
      needed.add(exclusion.why);
      excluded.set(exclusion.why, (excluded.get(exclusion.why) ?? 0) + 1);
    }
    t.diagnostic(
      Object.entries(totals)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
    );
    for (const [why, count] of excluded) t.diagnostic(`${count} excluded: ${why}`);
    t.diagnostic(`unpredictable: ${[...unpredictable].map(([name, count]) => `${name} (${count})`).join('; ')}`);
    for (const [name, count] of notImplemented) t.diagnostic(`not implemented: ${name} (${count})`);
    unicorn.close();
  });
}

test('no exclusion is stale', (t) => {
  if (needed.size === 0) return t.skip('nothing was classified');
  assert.deepEqual(
    exclusions.map(({ why }) => why).filter((why) => !needed.has(why)),
    [],
  );
});
