/**
 * Architectural exceptions, faults, priorities, the MPU, stack limits and floating-point contexts: one program
 * (test/qemu/exceptions.c) runs on the emulator and on QEMU's boards, and prints a line for each case. The lines must be
 * equal. One start of QEMU for each of the four boards.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { ArmMachine } from '../lib/emulator/arm/arm-machine';
import { cpuNamed } from './support/lockstep';
import { requireTool, runTool } from './support/tools';

const HANG_GUARD_MS = 60_000;
const memorySize = 0x400000;

const boards = [
  { machine: 'mps2-an385', cpu: 'cortex-m3', origin: 0, flags: [] },
  {
    machine: 'mps2-an386',
    cpu: 'cortex-m4',
    origin: 0,
    flags: ['-DHAS_FP', '-mfpu=fpv4-sp-d16', '-mfloat-abi=softfp'],
  },
  { machine: 'mps2-an500', cpu: 'cortex-m7', origin: 0, flags: ['-DHAS_FP', '-mfpu=fpv5-d16', '-mfloat-abi=softfp'] },
  {
    machine: 'mps2-an505',
    cpu: 'cortex-m33',
    origin: 0x10000000,
    flags: ['-DHAS_FP', '-mfpu=fpv5-sp-d16', '-mfloat-abi=softfp'],
  },
] as const;
type Board = (typeof boards)[number];

function build(gcc: string, folder: string, { cpu, origin, flags }: Board): string {
  const file = join(folder, `${cpu}.elf`);
  const sources = join(__dirname, 'qemu');
  runTool(gcc, [
    ...[`-mcpu=${cpu}`, '-mthumb', '-Os', '-ffreestanding', '-nostdlib', '-nostartfiles', ...flags],
    ...['-T', join(sources, 'host.ld'), `-Wl,--defsym=ORIGIN_ADDRESS=0x${origin.toString(16)}`],
    ...['-o', file, join(sources, 'exceptions.c')],
  ]);
  return file;
}

function onQemu(qemu: string, file: string, { machine }: Board): string {
  return runTool(
    qemu,
    [
      ...['-M', machine, '-display', 'none', '-serial', 'none', '-monitor', 'none'],
      ...['-chardev', 'stdio,id=out', '-semihosting-config', 'enable=on,target=native,chardev=out'],
      ...['-kernel', file],
    ],
    { timeout: HANG_GUARD_MS },
  );
}

/** Semihosting: SYS_WRITE0 and SYS_EXIT by BKPT 0xAB. */
function onEmulator(file: string, { cpu, origin }: Board): string {
  const info = cpuNamed(cpu);
  const permissions = { read: true, write: true, execute: true };
  const machine = new ArmMachine(info, [{ name: 'memory', base: origin, size: memorySize, permissions }], {
    vectorTable: origin,
  });
  const elf = ElfFile.parse(readFileSync(file));
  for (const section of elf.sections) {
    const SHF_ALLOC = 2n;
    const SHT_NOBITS = 8;
    if ((BigInt(section.sh_flags) & SHF_ALLOC) !== 0n && section.sh_type !== SHT_NOBITS)
      machine.memory.write(Number(section.sh_addr), elf.sectionBytes(section));
  }
  machine.system?.reset();
  let output = '';
  for (;;) {
    const stop = machine.run(1_000_000);
    const at = `pc ${machine.state.read('pc').toString(16)}, output ends: ${output.slice(-300)}`;
    assert.equal(stop.reason, 'bkpt', `stopped with ${JSON.stringify(stop)} at ${at}`);
    const [operation, argument] = machine.state.r;
    if (operation === 0x18) return output;
    assert.equal(operation, 4, at);
    const bytes = machine.memory.read(argument >>> 0, 256);
    output += new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    machine.state.write('pc', machine.state.read('pc') + 2);
  }
}

for (const board of boards) {
  test(`${board.cpu}: exceptions as on QEMU's ${board.machine}`, (t) => {
    const gcc = requireTool(t, 'arm-none-eabi-gcc');
    const qemu = requireTool(t, 'qemu-system-arm');
    if (gcc === undefined || qemu === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'llext-exceptions-'));
    try {
      const file = build(gcc, folder, board);
      const expected = onQemu(qemu, file, board).split('\n');
      assert.ok(expected.includes('@end'), expected.slice(-5).join('\n'));
      assert.deepEqual(onEmulator(file, board).split('\n'), expected);
      t.diagnostic(`${expected.length} lines`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
