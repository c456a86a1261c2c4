/** Small sources through real compilers, for what only compilers write; each result is made once. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, runTool } from './tools';

export const compilers = { f: 'arm-none-eabi-gcc', riscv: 'riscv64-unknown-elf-gcc' } as const;
export type CompilerName = keyof typeof compilers;

export class NoCompiler extends Error {}

const common = ['-c', '-Os', '-ffreestanding', '-fno-common', '-fno-asynchronous-unwind-tables', '-nostdlib'];
const known = new Map<string, Uint8Array>();

/** `f`: C for Arm in Thumb state. `riscv`: assembly for RV32. Throws NoCompiler. */
export function compile(
  target: CompilerName,
  options: readonly string[],
  source = 'int g(int); int f(int a) { return g(a) + 1; }',
): Uint8Array {
  const key = JSON.stringify([target, options, source]);
  const made = known.get(key) ?? run(target, options, source);
  known.set(key, made);
  return made;
}

function run(target: CompilerName, options: readonly string[], source: string): Uint8Array {
  const tool = findTool(compilers[target]);
  if (tool === undefined) throw new NoCompiler(compilers[target]);
  const folder = mkdtempSync(join(tmpdir(), 'llext-check-'));
  try {
    const input = join(folder, target === 'riscv' ? 'f.s' : 'f.c');
    const output = join(folder, 'f.o');
    writeFileSync(input, source);
    const machine = target === 'riscv' ? ['-march=rv32imac', '-mabi=ilp32'] : ['-mthumb', '-mlong-calls'];
    runTool(tool, [...common, ...machine, ...options, '-o', output, input], { cwd: folder, timeout: 60_000 });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
