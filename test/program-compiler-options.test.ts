/**
 * Functions whose prologues options and attributes make longer: `break` on each of them goes where gdb's does. Of room for patches gdb
 * makes a second place (the symbol is before the function), which here is none.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { findFunctionPlaces } from '../lib/program/function-locations';
import { Program } from '../lib/program/program';
import { AdapterClient } from './support/dap-client';
import { requireTool, runTool } from './support/tools';

const source = `unsigned __stack_chk_guard = 0x5aa5c33c;
void __attribute__((noinline)) __stack_chk_fail(void) { __asm__ volatile ("" ::: "memory"); }
#define NOINLINE __attribute__((noinline))
#if defined(__riscv)
#define NAKED "li a0, 7\\n ret"
#define INTERRUPT __attribute__((interrupt))
#else
#define NAKED "movs r0, #7\\n bx lr"
#define INTERRUPT __attribute__((interrupt("IRQ")))
#endif
volatile int ticks;
__attribute__((naked)) int naked(void)
{
	__asm__ volatile (NAKED);
}
INTERRUPT void handler(void)
{
	ticks++;
}
static NOINLINE int fill(int n)
{
	char buf[20];
	volatile char *p = buf;

	for (int i = 0; i < 20; i++)
		p[i] = (char)(n + i);
	return p[3] + p[n & 15];
}
static NOINLINE int large(int n)
{
	volatile int room[1200];

	room[n] = n;
	return room[n] + fill(n);
}
static NOINLINE int many(int a, int b, int c, int d, int e, int f)
{
	int sum = a + b + c + d;

	sum += e * f;
	return sum + large(a) / b;
}
int entry(int arg)
{
	int r = fill(arg);

	r += many(arg, 2, 3, 4, 5, 6);
	return r + naked();
}
`;
const names = ['naked', 'handler', 'fill', 'large', 'many', 'entry'];

const gcc = 'arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb';
const riscvGcc = 'riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32 -msmall-data-limit=0';
const clang = 'clang-14 --target=thumbv7m-none-eabi';
const riscvClang = 'clang-14 --target=riscv32-unknown-elf -march=rv32imac -mabi=ilp32';

const builds: readonly (readonly [command: string, hasPatchRoom?: boolean])[] = [
  [`${gcc} -O0 -fstack-protector-all`],
  [`${gcc} -O1 -fstack-protector-all -fstack-clash-protection -mapcs-frame -fno-omit-frame-pointer`],
  [`${gcc} -O0 -fpatchable-function-entry=3`, true],
  [`${riscvGcc} -O0 -fstack-protector-all -mstrict-align`],
  [`${clang} -O0 -fstack-protector-all`],
  [`${riscvClang} -O0`],
];

type Places = readonly (readonly [string, readonly number[]])[];

describe('breakpoints on functions whose prologues are longer', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'options-'));
    writeFileSync(join(folder, 'a.c'), source);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Where the breakpoints go, from the entry function's symbol on. */
  function ours(name: string): Places {
    const { debug, lines, symbolIndex } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, name)))));
    const start = symbolIndex.named('entry')?.address ?? assert.fail('no entry');
    return names.map((wanted) => {
      const test = Object.assign((one: string) => one === wanted, { exact: wanted });
      const places = findFunctionPlaces(debug, lines, symbolIndex, test);
      return [wanted, places.map(({ address }) => Number(address - start))];
    });
  }

  /** The same of gdb; `start`: the symbol's address, which gdb's own expressions do not tell where there is room for patches. */
  function gdbs(gdb: string, start: number): Places {
    const script = `python
import gdb, json
found = [[name, sorted(l.address - ${start} for l in gdb.Breakpoint(name).locations)] for name in ${JSON.stringify(names)}]
print(json.dumps(found))
`;
    writeFileSync(join(folder, 'ask.gdb'), script);
    const text = runTool(gdb, ['-nx', '-batch', '-x', 'ask.gdb', 'a.elf'], { cwd: folder });
    const line = text.split('\n').find((one) => one.startsWith('[[')) ?? assert.fail(text);
    return JSON.parse(line) as Places;
  }

  for (const [command, hasPatchRoom = false] of builds) {
    it(command, (t) => {
      const [compiler, ...options] = command.split(' ');
      const isRiscv = command.includes('riscv');
      const [path, ld] = [
        requireTool(t, compiler),
        requireTool(t, `${isRiscv ? 'riscv64-unknown-elf' : 'arm-none-eabi'}-ld`),
      ];
      const gdb = requireTool(t, 'gdb-multiarch');
      if (path === undefined || ld === undefined || gdb === undefined) return;
      runTool(path, [...options, '-g', '-w', '-fno-pic', '-ffreestanding', '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
      const link = [...(isRiscv ? ['-melf32lriscv', '--no-relax'] : []), '-Ttext=0x10000', '-eentry'];
      runTool(ld, [...link, '--unresolved-symbols=ignore-all', 'a.o', '-o', 'a.elf'], { cwd: folder });
      const symbols = ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'a.elf')))).symbols();
      const { st_value } = symbols.find(({ name }) => name === 'entry') ?? assert.fail('no entry');
      const wanted = gdbs(gdb, Number(st_value & ~1n));
      const expected = hasPatchRoom ? wanted.map(([name, places]) => [name, places.slice(-1)]) : wanted;
      assert.deepEqual(ours('a.elf'), expected);
      // By the relocations instead of the values.
      assert.deepEqual(ours('a.o'), expected);
    });
  }

  it('a step goes over the part of a prologue that is a call (-msave-restore)', async (t) => {
    const [compiler, ...options] = `${riscvGcc} -Os -msave-restore`.split(' ');
    const [path, ld] = [requireTool(t, compiler), requireTool(t, 'riscv64-unknown-elf-ld')];
    const objcopy = requireTool(t, 'riscv64-unknown-elf-objcopy');
    if (path === undefined || ld === undefined || objcopy === undefined) return;
    const lines = source.split('\n');
    runTool(path, [...options, '-g', '-w', '-fno-pic', '-ffreestanding', '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
    const library = runTool(path, [...options, '-print-libgcc-file-name']).trim();
    // Without lines: with them, a step enters it.
    runTool(objcopy, ['-g', library, 'stripped.a'], { cwd: folder });
    runTool(ld, ['-melf32lriscv', '-r', 'a.o', 'stripped.a', '-o', 'a.elf'], { cwd: folder });
    const elf = ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'a.elf'))));
    assert.ok(elf.symbols().some(({ name, st_shndx }) => name.startsWith('__riscv_save_') && st_shndx !== 0));
    const adapter = new AdapterClient();
    try {
      await adapter.launchToStop({ program: join(folder, 'a.elf'), args: [3], stopOnEntry: true, entry: 'entry' });
      const stops: unknown[] = [];
      for (const command of ['', 'stepIn', 'next', 'next']) {
        if (command !== '') await adapter.run(command);
        const [top, ...callers] = await adapter.stack();
        stops.push([top.name, lines[top.line - 1].trim(), callers.map(({ name }) => name)]);
      }
      // As gdb 13.1 with QEMU: __riscv_save_N has no lines, and comes back by t0.
      const callers = ['llext_call_fn'];
      assert.deepEqual(stops, [
        ['entry', '{', callers],
        ['entry', 'int r = fill(arg);', callers],
        ['entry', 'r += many(arg, 2, 3, 4, 5, 6);', callers],
        ['entry', 'return r + naked();', callers],
      ]);
    } finally {
      await adapter.close();
    }
  });
});
