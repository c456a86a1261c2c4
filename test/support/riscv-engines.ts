/** The engines that run the programs of riscv-program.ts: this one, QEMU's user mode, QEMU's board and native Unicorn. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { riscvCpus, type RiscvCpu } from '../../lib/arch';
import type { JitOptions } from '../../lib/emulator/jit/jit';
import { RiscvMachine } from '../../lib/emulator/riscv/riscv-machine';
import { programBase, type RiscvProgram, type Xlen } from './riscv-program';
import { UcError } from '../../lib/emulator/unicorn/unicorn-api';
import { type UnicornRiscv } from './unicorn-riscv';

const HANG_GUARD_MS = 300_000;
/** Instructions; the largest program has some two million. */
const hangGuard = 50_000_000;

/** What stopped a case before its end. */
export interface CaseFault {
  /** 'read unmapped', 'write unmapped', 'fetch unmapped', or 'exception' for the others. */
  readonly kind: string;
  readonly pc: number;
}

export interface RiscvRun {
  /** Data and blocks. */
  readonly output: Uint8Array;
  readonly faults: ReadonlyMap<number, CaseFault>;
}

/** The CPU that has everything. */
export function largestCpu(xlen: Xlen): RiscvCpu {
  const found = riscvCpus.filter(({ isa }) => isa.xlen === xlen && isa.d).at(-1);
  if (!found) throw new Error(`no RV${xlen} with D`);
  return found;
}

/** This engine; the machine is used for one program after the other. */
export class Here {
  private readonly machine: RiscvMachine;

  /** With `jit` by translated code as far as there is any. */
  constructor(cpu: RiscvCpu, program: RiscvProgram, jit?: JitOptions) {
    const size = Math.ceil(program.image.length / 4096) * 4096;
    const permissions = { read: true, write: true, execute: true };
    const traps = program.kind === 'bare';
    const memory = [{ name: 'program', base: program.base, size, permissions }];
    // Where the board has the register that raises its software interrupt.
    const msip = { name: 'MSIP', base: 0x2000000, size: 4096, permissions: { ...permissions, execute: false } };
    this.machine = new RiscvMachine(cpu, traps ? [...memory, msip] : memory, { traps, jit });
    this.machine.setBreakpoint(program.end);
  }

  /** Share of the instructions that translated code has executed. */
  get translatedShare(): number {
    const { translated, interpreted } = this.machine.translation ?? { translated: 0, interpreted: 1 };
    return translated / (translated + interpreted);
  }

  raiseSoftwareInterrupt(): void {
    this.machine.setInterrupt('software', true);
  }

  run(program: RiscvProgram): RiscvRun {
    const { state, memory } = this.machine;
    const faults = new Map<number, CaseFault>();
    memory.write(program.base, program.used);
    state.write('pc', program.base);
    state.write('priv', 3);
    for (;;) {
      const stop = this.machine.run(hangGuard);
      const pc = state.read('pc');
      if (stop.reason === 'breakpoint') break;
      const index = (state.read('tp') - program.blocksAddress) / program.blockSize;
      if (stop.reason !== 'fault' || faults.has(index))
        throw new Error(`the program ended with ${stop.reason} at 0x${pc.toString(16)}, case ${index}`);
      const { kind, access } = stop.fault;
      const verb = access === 'execute' ? 'fetch' : access;
      faults.set(index, { kind: kind === 'unmapped' && verb ? `${verb} unmapped` : 'exception', pc });
      state.write('pc', program.leave);
    }
    return { output: memory.read(program.dataAddress, program.outputLength), faults };
  }
}

/** A static executable of one segment that may be read, written and executed. */
export function elfOf(xlen: Xlen, image: Uint8Array): Uint8Array {
  const is64 = xlen === 64;
  // Offset and address of a segment agree modulo the page size.
  const headerSize = 4096;
  const file = new Uint8Array(headerSize + image.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1, 0]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  const long = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  const word = xlen / 8;
  long(24, programBase);
  long(24 + word, is64 ? 64 : 52);
  // e_flags: RVC, and the double-float ABI of nothing.
  view.setUint32(24 + 3 * word, 1, true);
  view.setUint16(28 + 3 * word, is64 ? 64 : 52, true);
  view.setUint16(30 + 3 * word, is64 ? 56 : 32, true);
  view.setUint16(32 + 3 * word, 1, true);
  const ph = is64 ? 64 : 52;
  view.setUint32(ph, 1, true);
  if (is64) view.setUint32(ph + 4, 7, true);
  else view.setUint32(ph + 24, 7, true);
  const fields = is64 ? [8, 16, 24, 32, 40, 48] : [4, 8, 12, 16, 20, 28];
  [headerSize, programBase, programBase, image.length, image.length, 4].forEach((value, i) =>
    long(ph + fields[i], value),
  );
  file.set(image, headerSize);
  return file;
}

const withBitmanip = (xlen: Xlen) => `rv${xlen},zba=true,zbb=true,zbc=true,zbs=true`;

/** QEMU's user mode: it faults nowhere, or ends. */
export function runOnQemu(qemu: string, program: RiscvProgram): RiscvRun {
  const folder = mkdtempSync(join(tmpdir(), 'llext-riscv-'));
  const file = join(folder, 'cases.elf');
  const result = join(folder, 'output');
  // Megabytes come faster through a file than through a pipe.
  const fd = openSync(result, 'w');
  try {
    writeFileSync(file, elfOf(program.xlen, program.used), { mode: 0o755 });
    const { status, signal, stderr } = spawnSync(qemu, ['-cpu', withBitmanip(program.xlen), file], {
      stdio: ['ignore', fd, 'pipe'],
      timeout: HANG_GUARD_MS,
    });
    const output = readFileSync(result);
    if (status !== 0 || output.length !== program.outputLength) {
      const what = `QEMU ended with ${status ?? signal}, ${output.length} bytes`;
      throw new Error(`${what}: ${stderr.toString().slice(0, 300)}`);
    }
    return { output, faults: new Map() };
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/** QEMU's board `virt`, in machine mode: traps are part of the output. */
export function runOnBoard(qemu: string, program: RiscvProgram): RiscvRun {
  const folder = mkdtempSync(join(tmpdir(), 'llext-riscv-'));
  try {
    writeFileSync(join(folder, 'program.bin'), program.used);
    const { status, signal, stderr } = spawnSync(
      qemu,
      [
        ...[
          '-M',
          'virt',
          '-cpu',
          `${withBitmanip(program.xlen)},s=false,h=false,mmu=false`,
          '-bios',
          'none',
          '-display',
          'none',
          '-serial',
          'none',
        ],
        ...['-monitor', 'none', '-semihosting-config', 'enable=on,target=native'],
        ...['-device', `loader,file=program.bin,addr=0x${program.base.toString(16)},force-raw=on`],
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: HANG_GUARD_MS },
    );
    if (status !== 0) throw new Error(`QEMU ended with ${status ?? signal}: ${stderr.toString().slice(0, 300)}`);
    const output = readFileSync(join(folder, 'out'));
    if (output.length !== program.outputLength) throw new Error(`QEMU wrote ${output.length} bytes`);
    return { output, faults: new Map() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const faultNames: Readonly<Record<number, string>> = {
  [UcError.READ_UNMAPPED]: 'read unmapped',
  [UcError.WRITE_UNMAPPED]: 'write unmapped',
  [UcError.FETCH_UNMAPPED]: 'fetch unmapped',
  [UcError.EXCEPTION]: 'exception',
};

export function runOnUnicorn(unicorn: UnicornRiscv, program: RiscvProgram): RiscvRun {
  const faults = new Map<number, CaseFault>();
  unicorn.load(programBase, program.used);
  for (let from: number = programBase; ; from = program.leave) {
    const error = unicorn.run(from, program.end);
    if (error === UcError.OK) break;
    const index = (unicorn.register('x4') - program.blocksAddress) / program.blockSize;
    const kind = faultNames[error];
    if (kind === undefined || faults.has(index)) throw new Error(`Unicorn: error ${error} in case ${index}`);
    faults.set(index, { kind, pc: unicorn.register('pc') });
  }
  return { output: unicorn.read(program.dataAddress, program.outputLength), faults };
}
