/**
 * Every version and option of GCC and clang that changes how debug information is written: one source compiled with
 * each; what the C source says must come out the same.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { requireTool, runTool } from './support/tools';

const source = `
struct point { int x, y : 5; struct point *next; };
enum color { RED, GREEN };
typedef struct { struct point p; enum color c; } shape_t;
static shape_t shape;
int vla(int n)
{
  char buffer[n];
  int grid[n][3];
  buffer[0] = (char)n;
  grid[0][1] = n;
  __asm__ volatile("" :: "r"(buffer), "r"(grid) : "memory");
  return buffer[n - 1] + grid[n - 1][2];
}
int entry(int a) { shape.p.x = a; return shape.p.x + vla(a); }
`;

const gcc = [
  '-gdwarf-2 -gstrict-dwarf',
  '-gdwarf-3',
  '-gdwarf-4',
  '-gdwarf-4 -fdebug-types-section',
  '-gdwarf-5 -fdebug-types-section',
  '-gdwarf-5 -gdwarf64',
  '-gdwarf-4 -gz',
  '-gdwarf-5 -gvariable-location-views=incompat5 -O2',
  '-g3 -O2',
  '-g -Os -flto -ffat-lto-objects',
  '-g -mbig-endian',
].map((options) => ['arm-none-eabi-gcc', '-mcpu=cortex-m3 -mthumb', options] as const);

const clang = [
  '-gdwarf-2',
  '-gdwarf-3',
  '-gdwarf-4 -fdebug-types-section',
  '-gdwarf-5 -fdebug-types-section',
  '-g -O2',
].map((options) => ['clang-14', '--target=thumbv7m-none-eabi', options] as const);

for (const [compiler, target, options] of [...gcc, ...clang]) {
  test(`${compiler} ${options}`, (t) => {
    const path = requireTool(t, compiler);
    if (path === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'dwarf-'));
    try {
      writeFileSync(join(folder, 'a.c'), source);
      runTool(path, [...target.split(' '), ...options.split(' '), '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
      check(Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'a.o'))))));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

function check(program: Program): void {
  const { debug } = program;
  assert.ok(debug);
  const point = debug.typeNamed('struct', 'point');
  assert.ok(point?.kind === 'struct');
  assert.deepEqual(
    point.members.map((member) => [member.name, member.byteOffset, member.bitOffset, member.bitSize]),
    [
      ['x', 0, undefined, undefined],
      ['y', 4, 32, 5],
      ['next', 8, undefined, undefined],
    ],
  );
  assert.equal(point.members[2].type.displayName, 'struct point *');
  const shape = debug.globals().find(({ name }) => name === 'shape');
  assert.equal(shape?.type.displayName, 'shape_t');
  assert.equal(shape.type.byteSize, 16);
  assert.equal(debug.enumeratorNamed('GREEN')?.enumerator.value, 1n);
  const vla = debug.functions().find(({ name }) => name === 'vla');
  const variables = vla?.scope.variables.filter(({ name }) => !name.startsWith('__'));
  assert.deepEqual(
    variables?.map(({ name, type }) => `${name} ${type.displayName}`),
    ['n int', 'buffer char []', 'grid int [][3]'],
  );
  const entry = debug.functions().find(({ name }) => name === 'entry');
  assert.ok(entry);
  assert.equal(debug.functionAt(entry.entryPc), entry);
  assert.ok(debug.cfiAt(entry.entryPc), 'frame table');
  const entryLine = source.split('\n').findIndex((line) => line.startsWith('int entry')) + 1;
  assert.equal(debug.rowAt(entry.entryPc)?.line, entryLine);
  assert.deepEqual(debug.problems, []);
  assert.deepEqual(program.warnings, []);
}

test('a block of an inlined function of clang is the one at its place in the function', (t) => {
  const path = requireTool(t, 'clang-14');
  if (path === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'dwarf-'));
  try {
    const inlined =
      'static inline __attribute__((always_inline)) int sum(int n) { n++; for (int i = 0; i < 3; i++) n += i; return n; }';
    writeFileSync(join(folder, 'a.c'), `${inlined} int entry(int a) { return sum(a); }`);
    runTool(path, ['--target=thumbv7m-none-eabi', '-g', '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
    const { debug } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'a.o')))));
    const [copy] = debug?.functions().find(({ name }) => name === 'entry')?.scope.children ?? [];
    // gdb lists i in the block only, and not as optimized out around it.
    assert.deepEqual(
      [copy, ...copy.children].map(({ kind, variables }) => [kind, variables.map(({ name }) => name)]),
      [
        ['inlined', ['n']],
        ['block', ['i']],
      ],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('C has no scopes in structures, though clang writes what is declared in one below it', (t) => {
  const path = requireTool(t, 'clang-14');
  if (path === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'dwarf-'));
  try {
    const text = 'struct word { enum { NAME, NUMBER = 7 } kind; enum inner { DEEP = 3 } in; } word;';
    writeFileSync(join(folder, 'a.c'), text);
    runTool(path, ['--target=thumbv7m-none-eabi', '-g', '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
    const { debug } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'a.o')))));
    assert.equal(debug?.enumeratorNamed('NUMBER')?.enumerator.value, 7n);
    assert.equal(debug.enumeratorNamed('DEEP')?.type.displayName, 'enum inner');
    assert.equal(debug.typeNamed('enum', 'inner')?.displayName, 'enum inner');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
