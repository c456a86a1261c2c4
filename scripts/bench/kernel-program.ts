/**
 * The benchmark's ELF files (bench/kernels) on this project's engine: memory as their linker scripts have it, bench_main(kernel, rounds)
 * called with a return address that the machine stops at.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCpu } from '../../lib/arch';
import { ElfFile } from '../../lib/elf/elf-file';
import type { JitOptions } from '../../lib/emulator/jit/jit';
import { createMachine } from '../../lib/emulator/machine';
import type { Machine, RunStop } from '../../lib/emulator/types';

export const kernelNames = ['intloop', 'crc32', 'sha256', 'memcpy', 'sort', 'matmul', 'list', 'strops', 'fmt'] as const;
export type KernelName = (typeof kernelNames)[number];
export type Isa = 'thumb' | 'rv32';
export type Level = 'O0' | 'O2';

export interface KernelProgram {
  readonly isa: Isa;
  readonly level: Level;
  readonly path: string;
  readonly elf: ElfFile;
  readonly main: number;
  readonly stackTop: number;
  /** Allocated bytes and where they go. */
  readonly pieces: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

interface Layout {
  readonly cpu: string;
  readonly code: number;
  readonly data: number;
}

export const layouts: Readonly<Record<Isa, Layout>> = {
  thumb: { cpu: 'cortex-m4', code: 0, data: 0x2000_0000 },
  rv32: { cpu: 'rv32imac', code: 0x8000_0000, data: 0x8010_0000 },
};

/** In bytes, of each of the two memories. */
export const memorySize = 0x10000;
/** Where bench_main returns to. */
export const returnOffset = 0xff00;

const SHF_ALLOC = 2;
const SHT_NOBITS = 8;
const STT_FUNC = 2;

export function kernelProgram(isa: Isa, level: Level): KernelProgram {
  const path = join(__dirname, '../../bench/kernels', `kernels.${isa}-${level}.elf`);
  const elf = ElfFile.parse(readFileSync(path));
  const address = (name: string): number => {
    const symbol = elf.symbols().find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`${path} has no ${name}`);
    return Number(symbol.st_value);
  };
  const pieces = elf.sections
    .filter(({ sh_flags, sh_type }) => (sh_flags & SHF_ALLOC) !== 0 && sh_type !== SHT_NOBITS)
    .map((section) => ({ address: Number(section.sh_addr), bytes: elf.sectionBytes(section) }));
  return { isa, level, path, elf, main: address('bench_main'), stackTop: address('stack_top'), pieces };
}

export interface KernelMachine {
  readonly machine: Machine;
  start(kernel: number, rounds: number): void;
  /** To the end of the kernel: the checksum. */
  finish(slice?: number): number;
}

export function kernelMachine(program: KernelProgram, jit?: JitOptions): KernelMachine {
  const layout = layouts[program.isa];
  const cpu = findCpu(layout.cpu);
  if (cpu === undefined) throw new Error(`the engine has no ${layout.cpu}`);
  const executable = { read: true, write: false, execute: true };
  const writable = { read: true, write: true, execute: false };
  const machine = createMachine({
    cpu,
    regions: [
      { name: 'code', base: layout.code, size: memorySize, permissions: executable },
      { name: 'data', base: layout.data, size: memorySize, permissions: writable },
    ],
    jit,
  });
  for (const { address, bytes } of program.pieces) machine.memory.write(address, bytes);
  // As a session gives it the functions of its symbols.
  const functions = program.elf.symbols().filter(({ st_info }) => (st_info & 0xf) === STT_FUNC);
  machine.addFunctions?.(functions.map(({ st_value }) => Number(st_value) & ~1));
  const end = layout.code + returnOffset;
  machine.setHostCall(end);
  const names = program.isa === 'thumb' ? ['r0', 'r1', 'sp', 'lr', 'pc'] : ['a0', 'a1', 'sp', 'ra', 'pc'];
  const returnAddress = program.isa === 'thumb' ? end | 1 : end;
  return {
    machine,
    start(kernel, rounds) {
      const values = [kernel, rounds, program.stackTop, returnAddress, program.main & ~1];
      names.forEach((name, i) => machine.state.write(name, values[i]));
    },
    finish(slice = 1_000_000) {
      let stop: RunStop;
      do stop = machine.run(slice);
      while (stop.reason === 'budget');
      if (stop.reason !== 'host-call') throw new Error(`the kernel stopped: ${JSON.stringify(stop)}`);
      return Number(machine.state.read(names[0])) >>> 0;
    },
  };
}
