/**
 * A program of two sources in C, built with the options of a compiler: with -gsplit-dwarf <name>.elf is what was joined, and the most
 * of its debug information is in <name>-a.dwo and <name>-b.dwo.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { requireTool, runTool } from './tools';

export const gcc = 'arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -w';
export const clang = 'clang-14 --target=thumbv7m-none-eabi -w';
export const riscv = 'riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -w';

const sources = {
  'a.c': `
#define LIMIT 10
struct point { int x, y : 5; struct point *next; };
enum color { RED = -1, GREEN };
typedef struct { struct point p; enum color c; } shape_t;
static volatile shape_t shapes[3];
static inline int square(int v) { return v * v + shapes[v & 1].p.x; }
double mean(const double *values, int count)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += values[i];
  return count > LIMIT ? sum / count : 0;
}
int entry(int a)
{
  static long long calls;
  shapes[0].p.x = a;
  calls += square(a) + square(a + 1);
  if (calls > 10) { int more = a * 3; shapes[1].c = more > 4 ? RED : GREEN; calls += more; }
  return shapes[0].p.x + (int)calls;
}
`,
  'b.c': `
struct other { int q; char tag[4]; };
struct other kept;
int second(int a) { struct other o = { a, "abc" }; kept = o; return o.q + 1; }
`,
};

export function writeSources(folder: string): void {
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
}

/** False where a tool is not there. */
export function buildSplit(t: Pick<TestContext, 'skip'>, folder: string, command: string, name: string): boolean {
  const [compiler, ...options] = command.split(' ');
  const path = requireTool(t, compiler);
  const isRiscv = command.startsWith(riscv);
  const ld = requireTool(t, isRiscv ? 'riscv64-unknown-elf-ld' : 'arm-none-eabi-ld');
  if (path === undefined || ld === undefined) return false;
  for (const one of ['a', 'b']) {
    runTool(path, [...options, '-c', `${one}.c`, '-o', `${name}-${one}.o`], { cwd: folder });
  }
  const emulation = isRiscv ? ['-melf32lriscv'] : [];
  runTool(ld, [...emulation, '-r', `${name}-a.o`, `${name}-b.o`, '-o', `${name}.elf`], { cwd: folder });
  return true;
}
