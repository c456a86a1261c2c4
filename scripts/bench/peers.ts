/**
 * The benchmark's kernels on other emulators: qemu-system as a process (parameters by loader devices, the checksum by semihosting)
 * and native Unicorn in this process. Both get the ELF's bytes at the addresses that this project's engine gets them at.
 */
import { spawnSync } from 'node:child_process';
import koffi from 'koffi';
import { findTool } from '../../test/support/tools';
import { layouts, memorySize, returnOffset } from './kernel-program';
import type { Isa, KernelProgram } from './kernel-program';
import { childrenClock, ownMilliseconds } from './processor-time';

/** What one run of a kernel took, in milliseconds of processor time, and its checksum. */
export interface TimedRun {
  readonly milliseconds: number;
  readonly checksum: number;
}

/** A fresh emulator that runs one kernel for so many rounds. */
export type RunKernel = (program: KernelProgram, kernel: number, rounds: number) => TimedRun;

/** Something to compare with, or the sentence that says why it is not there. */
export type Peer = { readonly run: RunKernel } | { readonly missing: string };

const HANG_GUARD_MS = 300_000;

const qemus: Readonly<Record<Isa, { readonly program: string; readonly machine: readonly string[] }>> = {
  thumb: { program: 'qemu-system-arm', machine: ['-M', 'mps2-an386'] },
  rv32: { program: 'qemu-system-riscv32', machine: ['-M', 'virt', '-bios', 'none'] },
};

/** The time is the whole process's. */
export function qemu(isa: Isa): Peer {
  const { program: name, machine } = qemus[isa];
  const path = findTool(name);
  if (path === undefined) return { missing: `${name} is not installed` };
  const clock = childrenClock();
  if (clock === undefined) return { missing: `the processor time of ${name} cannot be read: there is no libc.so.6` };
  const quiet = ['-display', 'none', '-serial', 'none', '-monitor', 'none'];
  const semihosting = ['-chardev', 'stdio,id=out', '-semihosting-config', 'enable=on,target=native,chardev=out'];
  const run: RunKernel = (program, kernel, rounds) => {
    const parameters = [kernel, rounds].flatMap((value, i) => {
      const address = layouts[isa].data + 4 * i;
      return ['-device', `loader,addr=0x${address.toString(16)},data=0x${value.toString(16)},data-len=4`];
    });
    const args = [...machine, ...quiet, ...semihosting, '-kernel', program.path, ...parameters];
    const start = clock();
    const { stdout, stderr, status, signal } = spawnSync(path, args, { encoding: 'utf8', timeout: HANG_GUARD_MS });
    const milliseconds = clock() - start;
    const [, sum] = /^([0-9a-f]{8})$/m.exec(stdout) ?? [];
    if (status !== 0 || sum === undefined) {
      throw new Error(`${name} ended with ${String(status ?? signal)} and no checksum: ${stderr.slice(0, 300)}`);
    }
    return { milliseconds, checksum: parseInt(sum, 16) };
  };
  return { run };
}

// Numbers of unicorn/unicorn.h, arm.h and riscv.h.
const UC_CTL_WRITE_CPU_MODEL = (1 << 30) | (1 << 26) | 7;
const UC_CPU_ARM_CORTEX_M4 = 9;
const UC_PROT_ALL = 7;

interface UnicornIsa {
  readonly architecture: number;
  readonly mode: number;
  readonly model: number | undefined;
  /** First and second argument, stack pointer, return address. */
  readonly registers: readonly [number, number, number, number];
}

const unicornIsas: Readonly<Record<Isa, UnicornIsa>> = {
  thumb: { architecture: 1, mode: 1 << 4, model: UC_CPU_ARM_CORTEX_M4, registers: [66, 67, 12, 10] },
  rv32: { architecture: 8, mode: 1 << 2, model: undefined, registers: [11, 12, 3, 2] },
};

function bind(path: string) {
  const library = koffi.load(path);
  return {
    open: library.func('int uc_open(int arch, int mode, _Out_ void **engine)'),
    close: library.func('int uc_close(void *engine)'),
    control: library.func('int uc_ctl(void *engine, int control, ...)'),
    map: library.func('int uc_mem_map(void *engine, uint64_t address, size_t size, uint32_t perms)'),
    write: library.func('int uc_mem_write(void *engine, uint64_t address, const uint8_t *bytes, size_t size)'),
    start: library.func(
      'int uc_emu_start(void *engine, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
    ),
    readRegister: library.func('int uc_reg_read(void *engine, int id, void *value)'),
    writeRegister: library.func('int uc_reg_write(void *engine, int id, void *value)'),
  };
}

function must(error: unknown): void {
  if (error !== 0) throw new Error(`Unicorn: error ${String(error)}`);
}

/** Without hooks and counts: as fast as it gets. The time is that of uc_emu_start. */
export function unicorn(isa: Isa): Peer {
  const path = findTool('libunicorn.so.2');
  if (path === undefined) return { missing: 'libunicorn.so.2 is not installed' };
  const api = bind(path);
  const { architecture, mode, model, registers } = unicornIsas[isa];
  const { code, data } = layouts[isa];
  const run: RunKernel = (program, kernel, rounds) => {
    const opened: unknown[] = [null];
    must(api.open(architecture, mode, opened));
    const [engine] = opened;
    try {
      if (model !== undefined) must(api.control(engine, UC_CTL_WRITE_CPU_MODEL, 'int', model));
      for (const base of [code, data]) must(api.map(engine, base, memorySize, UC_PROT_ALL));
      for (const { address, bytes } of program.pieces) must(api.write(engine, address, bytes, bytes.length));
      const word = new Uint32Array(2);
      const end = code + returnOffset;
      // The ELF's address of a Thumb function has bit 0 set; the return address needs it too.
      const values = [kernel, rounds, program.stackTop, isa === 'thumb' ? end | 1 : end];
      registers.forEach((register, i) => {
        word[0] = values[i];
        must(api.writeRegister(engine, register, word));
      });
      const start = ownMilliseconds();
      const error: unknown = api.start(engine, program.main, end, 0, 0);
      const milliseconds = ownMilliseconds() - start;
      must(error);
      must(api.readRegister(engine, registers[0], word));
      return { milliseconds, checksum: word[0] };
    } finally {
      api.close(engine);
    }
  };
  return { run };
}
