/** Every DW_CFA instruction, and the headers of .debug_frame and .eh_frame that compilers for Cortex-M do not write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameTable } from '../lib/dwarf/cfi';
import { Cfa } from '../lib/dwarf/constants';
import { DebugInfo } from '../lib/dwarf/debug-info';
import type { CfaRule, CfiRow, RegisterRule } from '../lib/dwarf/model';
import { DwarfSections } from '../lib/dwarf/sections';
import { Bytes } from './support/dwarf-builder';

const hexOf = ({ bytes }: { readonly bytes: Uint8Array }): string => Buffer.from(bytes).toString('hex');

function spellCfa(cfa: CfaRule | undefined): string {
  if (cfa === undefined) return '-';
  return cfa.kind === 'expression' ? `(${hexOf(cfa.expression)})` : `r${cfa.register}+${cfa.offset}`;
}

function spellRule(rule: RegisterRule): string {
  switch (rule.kind) {
    case 'offset':
    case 'val-offset':
      return `${rule.kind} ${rule.offset}`;
    case 'register':
      return `r${rule.register}`;
    case 'expression':
    case 'val-expression':
      return `${rule.kind} ${hexOf(rule.expression)}`;
    default:
      return rule.kind;
  }
}

/** '1000-1010 r13+0 r4=offset -8' */
function spell(rows: readonly CfiRow[]): string[] {
  return rows.map((row) => {
    const rules = [...row.registers].map(([register, rule]) => `r${register}=${spellRule(rule)}`);
    const range = `${row.range.start.toString(16)}-${row.range.end.toString(16)}`;
    return [range, spellCfa(row.cfa), ...rules].join(' ');
  });
}

function open(section: string, bytes: Uint8Array, ehFrameAddress?: bigint): DebugInfo {
  const options = { littleEndian: true, addressSize: 4, machine: 40, ehFrameAddress } as const;
  return new DebugInfo(new Map([[section, bytes]]), options);
}

/** A CIE with def_cfa r13+0 and r4 at CFA-4, code alignment 2, data alignment -4, and an FDE of 0x1000 to 0x1020. */
function rowsOf(write: (instructions: Bytes) => void): string[] {
  const out = new Bytes().sized(false, (cie) => {
    cie.u32(0xffffffff).u8(3).text('').uleb(2).sleb(-4).uleb(14);
    cie
      .u8(Cfa.DW_CFA_def_cfa)
      .uleb(13)
      .uleb(0)
      .u8(Cfa.DW_CFA_offset | 4)
      .uleb(1);
  });
  out.sized(false, (fde) => {
    fde.u32(0).u32(0x1000).u32(0x20);
    write(fde);
  });
  const debug = open('.debug_frame', out.array);
  const rows = spell(debug.cfiRows());
  assert.deepEqual(debug.problems, []);
  return rows;
}

const initial = 'r13+0 r4=offset -4';
type Case = readonly [write: (instructions: Bytes) => unknown, expected: readonly string[]];
const whole = (text: string): string[] => [`1000-1020 ${text}`];

const cases: Readonly<Record<keyof typeof Cfa, Case>> = {
  DW_CFA_advance_loc: [(i) => i.u8(Cfa.DW_CFA_advance_loc | 4), [`1000-1008 ${initial}`, `1008-1020 ${initial}`]],
  DW_CFA_offset: [(i) => i.u8(Cfa.DW_CFA_offset | 7).uleb(2), whole(`${initial} r7=offset -8`)],
  DW_CFA_restore: [
    (i) =>
      i
        .u8(Cfa.DW_CFA_same_value)
        .uleb(4)
        .u8(Cfa.DW_CFA_offset | 5, 1, Cfa.DW_CFA_restore | 4, Cfa.DW_CFA_restore | 5),
    whole(initial),
  ],
  DW_CFA_nop: [(i) => i.u8(0, 0, 0), whole(initial)],
  DW_CFA_set_loc: [(i) => i.u8(Cfa.DW_CFA_set_loc).u32(0x1011), [`1000-1010 ${initial}`, `1010-1020 ${initial}`]],
  DW_CFA_advance_loc1: [(i) => i.u8(Cfa.DW_CFA_advance_loc1, 1), [`1000-1002 ${initial}`, `1002-1020 ${initial}`]],
  DW_CFA_advance_loc2: [(i) => i.u8(Cfa.DW_CFA_advance_loc2).u16(2), [`1000-1004 ${initial}`, `1004-1020 ${initial}`]],
  DW_CFA_advance_loc4: [(i) => i.u8(Cfa.DW_CFA_advance_loc4).u32(3), [`1000-1006 ${initial}`, `1006-1020 ${initial}`]],
  DW_CFA_offset_extended: [
    (i) => i.u8(Cfa.DW_CFA_offset_extended).uleb(300).uleb(3),
    whole(`${initial} r300=offset -12`),
  ],
  DW_CFA_restore_extended: [(i) => i.u8(Cfa.DW_CFA_undefined, 4, Cfa.DW_CFA_restore_extended, 4), whole(initial)],
  DW_CFA_undefined: [(i) => i.u8(Cfa.DW_CFA_undefined, 4), whole('r13+0 r4=undefined')],
  DW_CFA_same_value: [(i) => i.u8(Cfa.DW_CFA_same_value, 4), whole('r13+0 r4=same-value')],
  DW_CFA_register: [(i) => i.u8(Cfa.DW_CFA_register, 4, 9), whole('r13+0 r4=r9')],
  DW_CFA_remember_state: [(i) => i.u8(Cfa.DW_CFA_remember_state), whole(initial)],
  DW_CFA_restore_state: [
    (i) => {
      i.u8(Cfa.DW_CFA_remember_state, Cfa.DW_CFA_def_cfa, 7, 16, Cfa.DW_CFA_undefined, 4, Cfa.DW_CFA_advance_loc | 1);
      i.u8(Cfa.DW_CFA_restore_state);
    },
    ['1000-1002 r7+16 r4=undefined', `1002-1020 ${initial}`],
  ],
  DW_CFA_def_cfa: [(i) => i.u8(Cfa.DW_CFA_def_cfa).uleb(7).uleb(200), whole('r7+200 r4=offset -4')],
  DW_CFA_def_cfa_register: [(i) => i.u8(Cfa.DW_CFA_def_cfa_register, 11), whole('r11+0 r4=offset -4')],
  DW_CFA_def_cfa_offset: [(i) => i.u8(Cfa.DW_CFA_def_cfa_offset, 24), whole('r13+24 r4=offset -4')],
  DW_CFA_def_cfa_expression: [(i) => i.u8(Cfa.DW_CFA_def_cfa_expression, 2, 0x7d, 8), whole('(7d08) r4=offset -4')],
  DW_CFA_expression: [(i) => i.u8(Cfa.DW_CFA_expression, 4, 1, 0x30), whole('r13+0 r4=expression 30')],
  DW_CFA_offset_extended_sf: [(i) => i.u8(Cfa.DW_CFA_offset_extended_sf, 4).sleb(-3), whole('r13+0 r4=offset 12')],
  DW_CFA_def_cfa_sf: [(i) => i.u8(Cfa.DW_CFA_def_cfa_sf, 7).sleb(-5), whole('r7+20 r4=offset -4')],
  DW_CFA_def_cfa_offset_sf: [(i) => i.u8(Cfa.DW_CFA_def_cfa_offset_sf).sleb(-6), whole('r13+24 r4=offset -4')],
  DW_CFA_val_offset: [(i) => i.u8(Cfa.DW_CFA_val_offset, 4, 2), whole('r13+0 r4=val-offset -8')],
  DW_CFA_val_offset_sf: [(i) => i.u8(Cfa.DW_CFA_val_offset_sf, 4).sleb(-2), whole('r13+0 r4=val-offset 8')],
  DW_CFA_val_expression: [(i) => i.u8(Cfa.DW_CFA_val_expression, 4, 1, 0x31), whole('r13+0 r4=val-expression 31')],
  DW_CFA_GNU_args_size: [(i) => i.u8(Cfa.DW_CFA_GNU_args_size).uleb(500), whole(initial)],
  DW_CFA_GNU_negative_offset_extended: [
    (i) => i.u8(Cfa.DW_CFA_GNU_negative_offset_extended, 4, 2),
    whole('r13+0 r4=offset 8'),
  ],
};

for (const [name, [write, expected]] of Object.entries(cases)) {
  test(`${name} of a frame table`, () => assert.deepEqual(rowsOf(write), expected));
}

test('.eh_frame: augmentation, pc-relative pointers, id counted backwards, terminator', () => {
  const out = new Bytes().sized(false, (cie) => {
    cie.u32(0).u8(1).text('zPLRS').uleb(1).sleb(-4).u8(14);
    cie.uleb(8).u8(0x1b).u32(0x1234).u8(0x1b).u8(0x1b).u8(0); // P: encoding and pointer; L; R; one more byte
    cie.u8(Cfa.DW_CFA_def_cfa, 13, 8);
  });
  const fdeStart = out.length;
  out.sized(false, (fde) => {
    fde
      .u32(fdeStart + 4)
      .int(0x1000 - (0x4000 + fdeStart + 8), 4)
      .u32(0x10)
      .uleb(4)
      .u32(0);
  });
  const debug = open('.eh_frame', out.u32(0).array, 0x4000n);
  assert.deepEqual(spell(debug.cfiRows()), ['1000-1010 r13+8']);
  assert.equal(debug.cfiAt(0x1004n)?.signalFrame, true);
  assert.equal(debug.cfiAt(0x1010n), undefined);
  assert.deepEqual(debug.problems, []);
});

test('64-bit DWARF and version 4 of .debug_frame', () => {
  const out = new Bytes().sized(true, (cie) => {
    cie.u64(0xffffffffffffffffn).u8(4).text('').u8(4).u8(0).uleb(2).sleb(-4).uleb(14).u8(Cfa.DW_CFA_def_cfa, 13, 0);
  });
  out.sized(true, (fde) => fde.u64(0).u32(0x1001).u32(0x10));
  const debug = open('.debug_frame', out.array);
  assert.deepEqual(spell(debug.cfiRows()), ['1000-1010 r13+0']);
  assert.equal(debug.cfiAt(0x100fn)?.returnAddressRegister, 14);
});

function problemOf(
  write: (instructions: Bytes) => void,
  cie = (body: Bytes): Bytes => body.u32(0xffffffff).u8(3).text(''),
): string {
  const out = new Bytes().sized(false, (body) => cie(body).uleb(2).sleb(-4).uleb(14));
  out.sized(false, (fde) => {
    fde.u32(0).u32(0x1000).u32(0x20);
    write(fde);
  });
  const debug = open('.debug_frame', out.array);
  assert.deepEqual(debug.cfiRows(), []);
  assert.equal(debug.cfiAt(0x1000n), undefined);
  return debug.problems.join('\n');
}

test('damaged frame tables are problems, not exceptions', () => {
  assert.match(
    problemOf((i) => i.u8(0x3e)),
    /DW_CFA 0x3e/,
  );
  assert.match(
    problemOf((i) => i.u8(Cfa.DW_CFA_restore_state)),
    /opcode/,
  );
  assert.match(
    problemOf((i) => i.u8(Cfa.DW_CFA_def_cfa_offset, 4)),
    /opcode/,
  );
  assert.match(
    problemOf((i) => i.u8(Cfa.DW_CFA_advance_loc4, 1)),
    /ends before/,
  );
  const version = (body: Bytes): Bytes => body.u32(0xffffffff).u8(9).text('');
  assert.match(
    problemOf(() => undefined, version),
    /version/,
  );
  const augmentation = (body: Bytes): Bytes => body.u32(0xffffffff).u8(3).text('eh');
  assert.match(
    problemOf(() => undefined, augmentation),
    /augmentation 'eh'/,
  );
  const notCie = (body: Bytes): Bytes => body.u32(0).u8(3).text('');
  assert.match(
    problemOf(() => undefined, notCie),
    /no CIE/,
  );
});

test('an entry of absurd length behind good ones ends the table', () => {
  const out = new Bytes().sized(false, (cie) => {
    cie.u32(0xffffffff).u8(3).text('').uleb(2).sleb(-4).uleb(14).u8(Cfa.DW_CFA_def_cfa, 13, 0);
  });
  out.sized(false, (fde) => fde.u32(0).u32(0x1000).u32(0x10));
  // More than half of what 32 bits hold, and a multiple of 4: as a signed number it would lead back to the beginning.
  out.u32(2 ** 32 - 16 - out.array.length).u32(0);
  for (let n = 0; n < 8; n++) out.u32(0);
  const debug = open('.debug_frame', out.array);
  assert.equal(debug.cfiAt(0x1004n)?.returnAddressRegister, 14);
  assert.equal(debug.cfiAt(0x2000n), undefined);
  assert.match(debug.problems.join('\n'), /debug_frame/);
});

test('in a large section the entry of a function is found by its address, and any other way when that is not there', () => {
  const count = 9000;
  const addressOf = (n: number): number => 0x10000 + 0x20 * n;
  const wanted = addressOf(count - 2);
  const parts = new Bytes().sized(false, (cie) => {
    cie.u32(0xffffffff).u8(3).text('').uleb(2).sleb(-4).uleb(14).u8(Cfa.DW_CFA_def_cfa, 13, 0).u8(0, 0, 0);
  });
  // Address and size among instructions, behind a length and the offset of something that is no CIE.
  parts.sized(false, (fde) => fde.u32(0).u32(addressOf(0)).u32(0x20).u32(16).u32(4).u32(wanted).u32(0x20));
  const data = [...parts.array];
  for (let n = 1; n < count; n++) {
    const words = Uint32Array.of(16, 0, addressOf(n), 0x20, Cfa.DW_CFA_advance_loc | 4);
    data.push(...new Uint8Array(words.buffer));
  }
  const options = { littleEndian: true, addressSize: 4, machine: 40 } as const;
  const table = (): FrameTable =>
    new FrameTable(new DwarfSections(new Map([['.debug_frame', Uint8Array.from(data)]]), options));
  const pc = BigInt(wanted) + 10n;
  const expected = table().rowAt(pc);
  assert.deepEqual(expected?.range, { start: BigInt(wanted) + 8n, end: BigInt(wanted) + 0x20n });
  const searched = table();
  assert.deepEqual(
    spell(
      [searched.rowAt(pc, () => ({ start: BigInt(wanted), end: BigInt(wanted) + 0x20n }))].flatMap((row) => row ?? []),
    ),
    spell([expected]),
  );
  assert.equal(searched.looked, 0);
  const elsewhere = table();
  assert.deepEqual(
    spell([elsewhere.rowAt(pc, () => ({ start: 0x9999n, end: pc + 1n }))].flatMap((row) => row ?? [])),
    spell([expected]),
  );
  assert.ok(elsewhere.looked > 0x20000);
});
