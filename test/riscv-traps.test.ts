/**
 * Traps as on QEMU's board: cases in machine and user mode, all in one bare-metal program, whose handler writes mcause, mepc and
 * mtval. Directed ones for each exception, MRET, the fields of mstatus, the software interrupt, PMP (TOR, NA4, NAPOT, locked; both modes);
 * and random accesses under random PMP entries. RISCV_CASES=10 runs ten times as many, RISCV_SEED another selection.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Random } from './support/random';
import { assemble } from './support/riscv-assembler';
import { Here, largestCpu, runOnBoard } from './support/riscv-engines';
import { dataSize, emptyState, RiscvProgram, type RiscvState, type Xlen } from './support/riscv-program';
import { requireTool } from './support/tools';

const scale = Number(process.env['RISCV_CASES'] ?? 1);
const seed = Number(process.env['RISCV_SEED'] ?? 7);
const codeBytes = 120;

/**
 * Registers of a case: a1 an address in the data, a2 one where nothing is, a3 an odd one; t1 behind the case; t3 MPP, t4 all ones, t5 MPRV,
 * s2 a NAPOT address for the 64 bytes at a1, s3 and s4 the PMP addresses of a1 and a1 + 64.
 */
function prepare(state: RiscvState, program: RiscvProgram, length: number): void {
  const { integers } = state;
  const set = (x: number, value: number, high = 0) => {
    integers[2 * x] = value;
    integers[2 * x + 1] = high;
  };
  for (let x = 1; x < 32; x++) set(x, 0x1000 + x);
  const data = program.dataAddress + 0x1000;
  set(11, data);
  set(12, 0x0800_0000);
  set(13, data + 1);
  set(6, program.codeOf(program.count) + length);
  set(28, 0x1800);
  set(29, 0xffffffff, 0xffffffff);
  set(30, 1 << 17);
  set(18, (data >>> 2) | 7);
  set(19, data >>> 2);
  set(20, (data + 64) >>> 2);
  set(21, 0x888);
  set(22, 8);
  state.fcsr = 0;
}

/** Everything off but the last PMP entry, which lets user mode use all memory, unless a case needs it otherwise. */
const reset = 'csrw pmpcfg0, zero; csrw mie, zero; csrrci zero, mtvec, 1; li t6, 0x7800; csrw mstatus, t6';
const open = 'csrw pmpaddr3, t4; li t6, 0x1f000000; csrw pmpcfg0, t6';
/** Goes on in user mode behind it. */
const toUser = 'csrc mstatus, t3; auipc t6, 0; addi t6, t6, 16; csrw mepc, t6; mret';
const user = `${open}; ${toUser}`;
/** An entry 0 of a mode (8 TOR, 16 NA4, 24 NAPOT) and permissions, for what s2 or s3 say; behind it all is open. */
const entry = (address: string, config: number) =>
  `csrw pmpaddr0, ${address}; csrw pmpaddr3, t4; li t6, ${0x1f000000 + config}; csrw pmpcfg0, t6`;

const accesses = ['lw a0, 0(a1)', 'sw a0, 0(a1)', 'lw a0, 60(a1)', 'lw a0, 64(a1)', 'sb a0, -1(a1)', 'sd2 a0, 60(a1)'];

const directed: readonly string[] = [
  // Exceptions of both modes, 3.1.15.
  ...['ecall', '.word 0xffffffff', '.half 0', 'lw a0, 0(a2)', 'sw a0, 0(a2)', 'lr.w a0, (a3)', 'amoadd.w a0, a0, (a3)'],
  ...['sc.w a0, a0, (a3)', 'jr a2', 'jalr a0, 0(a2)', 'csrr a0, 0x123', 'csrw mvendorid, a0', 'amoswap.w a0, a0, (a2)'],
  ...[`${user}; ecall`, `${user}; .word 0xffffffff`, `${user}; lw a0, 0(a2)`, `${user}; sw a0, 0(a2)`],
  ...[
    `${user}; csrr a0, mstatus`,
    `${user}; csrw mepc, a0`,
    `${user}; mret`,
    `${user}; jr a2`,
    `${user}; lr.w a0, (a3)`,
  ],
  // Misaligned loads and stores are made.
  ...['lw a0, 0(a3)', 'lh a0, 0(a3)', 'sw a0, 1(a1)', 'sh a0, 3(a1)', `${user}; lw a0, 0(a3)`, `${user}; sw a0, 2(a1)`],
  // MRET and the stack of mstatus, 3.1.6.1; MPP keeps a value that is a mode.
  ...[
    'csrs mstatus, s6; ecall',
    'csrr a0, mstatus',
    'csrs mstatus, t4; csrr a0, mstatus; li t6, 0x7800; csrw mstatus, t6',
  ],
  ...['csrw mstatus, t4; csrr a0, mstatus', 'csrw mstatus, zero; csrr a0, mstatus; li t6, 0x7800; csrw mstatus, t6'],
  ...[
    'li a0, 0x800; csrw mstatus, a0; csrr a0, mstatus; li t6, 0x7800; csrw mstatus, t6',
    'li a0, 0x7880; csrw mstatus, a0; csrw mepc, t1; mret',
  ],
  'li a0, 0x7808; csrw mstatus, a0; csrw mepc, t1; mret',
  // Registers that have fewer bits than are written.
  ...['csrw mepc, t4; csrr a0, mepc', 'csrw mtvec, t4; csrr a0, mtvec', 'csrw mscratch, t4; csrr a0, mscratch'],
  ...[
    'csrw mcause, t4; csrr a0, mcause',
    'csrw mtval, t4; csrr a0, mtval',
    'csrw mie, t4; csrr a0, mie; csrw mie, zero',
  ],
  ...['csrr a0, misa', 'csrr a0, mhartid', 'csrw mcounteren, zero; csrr a0, mcounteren'],
  // Counters from user mode are mcounteren's to allow, 3.1.11.
  ...[`csrw mcounteren, zero; ${user}; csrr a0, instret`, `csrw mcounteren, zero; ${user}; csrr a0, cycle`],
  // MPRV: loads and stores with the privilege of MPP, here user mode, 3.1.6.3.
  ...['csrc mstatus, t3; csrs mstatus, t5; lw a0, 0(a1)', `${open}; csrc mstatus, t3; csrs mstatus, t5; lw a0, 0(a1)`],
  // No entry allows user mode anything, 3.7.1: the fetch faults.
  toUser,
  // PMP: TOR, NA4, NAPOT, for every permission, in user mode and, when they are locked, in machine mode.
  ...[0, 1, 3, 4, 5, 7].flatMap((permissions) =>
    (
      [
        ['s2', 24],
        ['s3', 16],
      ] as const
    ).flatMap(([address, mode]) =>
      accesses.map((access) => `${entry(address, mode + permissions)}; ${toUser}; ${access}`),
    ),
  ),
  ...[0, 1, 3].flatMap((permissions) =>
    accesses.map(
      (access) =>
        `csrw pmpaddr0, s3; csrw pmpaddr1, s4; csrw pmpaddr3, t4; li t6, ${0x1f000000 + 256 * (8 + permissions)}; csrw pmpcfg0, t6; ${toUser}; ${access}`,
    ),
  ),
  // What PMP registers read.
  ...['csrw pmpaddr0, t4; csrr a0, pmpaddr0', 'li a0, 0x1f1d1b19; csrw pmpcfg0, a0; csrr a0, pmpcfg0'],
  'li t6, 2; csrw pmpcfg0, t6; csrr a0, pmpcfg0',
];

/** The software interrupt of the board: there MSIP is set, here it is pending from the start. */
const pend = 'lui t6, 0x2000; li a0, 1; sw a0, 0(t6)';
const interrupts: readonly string[] = [
  ...[
    'csrr a0, mip; andi a0, a0, 8',
    'csrw mie, s6; csrs mstatus, s6; addi a0, a0, 1',
    'csrs mstatus, s6; addi a0, a0, 1',
  ],
  ...[
    'csrw mie, s6; addi a0, a0, 1',
    'csrs mstatus, s6; csrw mie, s6; addi a0, a0, 1',
    `csrw mie, s6; ${user}; addi a0, a0, 1`,
  ],
  // MRET sets MIE from MPIE.
  'csrw mie, s6; li a0, 0x7880; csrw mstatus, a0; csrw mepc, t1; mret',
  'csrw mie, s6; li a0, 0x7800; csrw mstatus, a0; csrw mepc, t1; mret',
  // Vectored, 3.1.7: interrupts go to base + 4 x cause, exceptions to the base.
  'csrrsi zero, mtvec, 1; csrw mie, s6; csrs mstatus, s6; addi a0, a0, 1',
  'csrrsi zero, mtvec, 1; lw a0, 0(a2)',
];

/** Locked entries last until reset, so that each of these is a program of its own. */
const locked: readonly string[] = [
  ...[0x98, 0x99, 0x9b].flatMap((config) =>
    accesses.slice(0, 4).map((access) => `csrw pmpaddr0, s2; li t6, ${config}; csrw pmpcfg0, t6; ${access}`),
  ),
  'csrw pmpaddr0, s2; li t6, 0x99; csrw pmpcfg0, t6; csrw pmpcfg0, zero; csrr a0, pmpcfg0; csrw pmpaddr0, zero; csrr a1, pmpaddr0',
  'csrw pmpaddr0, s3; csrw pmpaddr1, s4; li t6, 0x8900; csrw pmpcfg0, t6; csrw pmpaddr0, zero; csrr a0, pmpaddr0; sw a0, 0(a1)',
];

/** `sd2` is the widest store of the hart. */
const widen = (text: string, xlen: Xlen) => text.replace('sd2', xlen === 64 ? 'sd' : 'sw');

interface Exclusion {
  readonly why: string;
  readonly section: string;
  /** Of the case's text, and of each line that differs. */
  readonly text: RegExp;
  readonly lines: RegExp;
}

/** Where QEMU 7.2 differs from the specification, or the specification leaves it open. */
const exclusions: readonly Exclusion[] = [
  {
    why: 'QEMU 7.2 reports AMOs that fault as loads',
    section: 'privileged 3.1.15, table 3.6: store/AMO',
    text: /; amo\w+\.w a0, a0, \(a[23]\)$/,
    lines: /^mcause: (6, QEMU 4|7, QEMU 5)$/,
  },
  {
    why: 'QEMU 7.2 does not access memory for an SC that fails; a misaligned one has to fault',
    section: 'unprivileged 8.2',
    text: /; sc\.w a0, a0, \(a3\)$/,
    lines: /./,
  },
  {
    why: 'QEMU 7.2 keeps fields of mstatus and bits of mie for supervisor mode, which its hart does not have here',
    section: 'privileged 3.1.6, 3.1.9: they are 0, and MPP is U or M',
    text: /csrr a0, (mstatus|mie)(;|$)/,
    lines: /^x10:/,
  },
  {
    why: 'QEMU 7.2 keeps bit 0 of mepc',
    section: 'privileged 3.1.14: it is 0',
    text: /csrw mepc, t4; csrr a0, mepc$/,
    lines: /^x10: f+e, QEMU f+$/,
  },
  {
    why: 'QEMU 7.2 takes MRET to user mode as illegal while no PMP entry is on',
    section: 'privileged 3.7.1: the fetch in user mode faults',
    text: /mstatus, t6; csrc mstatus, t3; auipc t6, 0; addi t6, t6, 16; csrw mepc, t6; mret$/,
    lines: /^(mcause: 1, QEMU 2|mepc|mtval)/,
  },
  {
    why: 'QEMU 7.2 keeps bits 63:54 of pmpaddr',
    section: 'privileged 3.7.1: they are 0',
    text: /csrw pmpaddr0, t4; csrr a0, pmpaddr0$/,
    lines: /^x10: 3f{13}, QEMU f{16}$/,
  },
  {
    why: 'R = 0 with W = 1 is reserved: this hart keeps the old value, QEMU 7.2 takes the new one',
    section: 'privileged 3.7.1',
    text: /li t6, 2; csrw pmpcfg0, t6; csrr a0, pmpcfg0$/,
    lines: /^x10: 0, QEMU 2$/,
  },
];

interface Tools {
  readonly as: string;
  readonly qemu: string;
}

/** Cases by their text, in one program. */
function runTexts(t: TestContext, xlen: Xlen, tools: Tools, texts: readonly string[], isPending = false): void {
  // ECALL ends what is in user mode.
  const code = assemble(
    tools.as,
    xlen,
    texts.map((text) => `${widen(text, xlen)}; ecall`),
  );
  const program = new RiscvProgram(xlen, codeBytes, 'bare');
  const here = new Here(largestCpu(xlen), program);
  if (isPending) here.raiseSoftwareInterrupt();
  const state = emptyState();
  program.begin(new Random(seed));
  for (const halfwords of code) {
    prepare(state, program, 2 * halfwords.length);
    program.add(halfwords, state);
  }
  program.finish();
  const ours = here.run(program).output;
  const theirs = runOnBoard(tools.qemu, program).output;
  const problems = program.unequal(ours, theirs).flatMap((i) => {
    const lines = program.differences(i, ours, theirs, 'QEMU');
    const found = exclusions.find((one) => one.text.test(texts[i]) && lines.every((line) => one.lines.test(line)));
    if (found) t.diagnostic(`excluded: ${found.why} (${found.section})`);
    return found ? [] : [`${texts[i]}: ${lines.join('; ')}`];
  });
  assert.deepEqual(problems, []);
  assert.ok(Buffer.compare(ours.subarray(0, dataSize), theirs.subarray(0, dataSize)) === 0, 'memory differs');
  t.diagnostic(`${texts.length} cases`);
}

function toolsFor(t: TestContext, xlen: Xlen): Tools | undefined {
  const as = requireTool(t, 'riscv64-unknown-elf-as');
  const qemu = requireTool(t, `qemu-system-riscv${xlen}`);
  return as === undefined || qemu === undefined ? undefined : { as, qemu };
}

const randomAccesses = [
  ...([
    ['lb', 1],
    ['lhu', 2],
    ['lw', 4],
    ['sb', 1],
    ['sh', 2],
    ['sw', 4],
    ['sd2', 8],
  ] as const),
];

/** Random entries 0 to 2 and a random access in user mode or with MPRV. */
function randomText(random: Random): string {
  const lines: string[] = [];
  for (let i = 0; i < 3; i++) {
    const base = random.pick(['s2', 's3', 's4']);
    lines.push(`addi t6, ${base}, ${random.below(16) - 8}`, `csrw pmpaddr${i}, t6`);
  }
  const byte = () => random.pick([0, 8, 16, 24]) + random.pick([0, 1, 3, 4, 5, 7]);
  const config = byte() + 256 * byte() + 65536 * byte() + 0x1000000 * random.pick([0x1f, 0x1b, 0x1d]);
  lines.push(`csrw pmpaddr3, t4`, `li t6, ${config}`, 'csrw pmpcfg0, t6');
  if (random.below(4) > 0) lines.push(toUser);
  else lines.push('csrc mstatus, t3', 'csrs mstatus, t5');
  const [access, size] = random.pick(randomAccesses);
  // Aligned: QEMU makes a misaligned access that an entry cuts in parts, of which the first may be stored.
  const offset = (random.below(96 / size) - 16 / size) * size;
  lines.push(`${access} a0, ${offset}(a1)`);
  return lines.join('; ');
}

for (const xlen of [32, 64] as const) {
  test(`RV${xlen}: traps, MRET, mstatus and PMP as on QEMU's board`, (t) => {
    const tools = toolsFor(t, xlen);
    if (tools === undefined) return;
    runTexts(
      t,
      xlen,
      tools,
      directed.map((text) => `${reset}; ${text}`),
    );
  });

  test(`RV${xlen}: interrupts as on QEMU's board`, (t) => {
    const tools = toolsFor(t, xlen);
    if (tools === undefined) return;
    runTexts(
      t,
      xlen,
      tools,
      interrupts.map((text) => `${reset}; ${pend}; ${text}`),
      true,
    );
  });

  test(`RV${xlen}: locked PMP entries as on QEMU's board`, (t) => {
    const tools = toolsFor(t, xlen);
    if (tools === undefined) return;
    for (const text of locked) runTexts(t, xlen, tools, [text]);
  });

  test(`RV${xlen}: random PMP entries as on QEMU's board`, (t) => {
    const tools = toolsFor(t, xlen);
    if (tools === undefined) return;
    const random = new Random(seed + xlen);
    for (let left = 400 * scale; left > 0; left -= 400) {
      const texts = Array.from({ length: Math.min(left, 400) }, () => `${reset}; ${randomText(random)}`);
      runTexts(t, xlen, tools, texts);
    }
  });
}
