/**
 * Every version and option of GCC and clang that changes how debug information is written, on a source in C and one in
 * C++: all entries with all attributes, and all rows of the line tables, are llvm-dwarfdump's.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { compareWithDwarfdump } from './support/compare-entries';
import { entryLines } from './support/entry-text';
import { requireTool, runTool } from './support/tools';

const cSource = `
struct point { int x, y : 5; struct point *next; union { float f; char bytes[4]; }; };
enum color { RED = -1, GREEN };
typedef struct { struct point p; enum color c; } shape_t;
static volatile shape_t shapes[3];
extern int printk(const char *, ...);
static inline int square(int v) { return v * v + shapes[v & 1].p.x; }
int vla(int n)
{
  char buffer[n];
  int grid[n][3];
  buffer[0] = (char)n;
  grid[0][1] = n;
  __asm__ volatile("" :: "r"(buffer), "r"(grid) : "memory");
  return buffer[n - 1] + grid[n - 1][2];
}
double mean(const double *values, int count)
{
  double sum = 0;
  for (int i = 0; i < count; i++) sum += values[i];
  return count > 0 ? sum / count : 0;
}
int entry(int a)
{
  static long long calls;
  shapes[0].p.x = a;
  calls += square(a) + square(a + 1);
  if (calls > 10) printk("%d %s", a, "many");
  return shapes[0].p.x + vla(a) + (int)calls;
}
`;

const cppSource = `
namespace ns {
struct Base { virtual int area() const = 0; int b; static int count; enum class Kind : unsigned char { A, B = 7 }; Kind k; };
int Base::count = 3;
template <class T, int N> struct Array : Base { T v[N]; int area() const override { return v[0]; } T get(int i) const { return v[i]; } };
namespace { int hidden(int a) { return a + 1; } }
inline namespace v2 { struct Pair { int first; double second; }; }
int f(int a) { return hidden(a); }
int f(double d) { return (int)d; }
}
using namespace ns;
template <typename... Ts> int count(Ts... all) { return sizeof...(all); }
int entry(int n)
{
  Array<short, 3> a;
  a.v[1] = n;
  int &r = n;
  int &&moved = n + 1;
  int Base::*member = &Base::b;
  int (Base::*method)() const = &Base::area;
  int (*function)(int) = &ns::f;
  auto lambda = [&](int q) { return q + r + moved; };
  Pair pair{n, 1.5};
  return lambda(a.get(1)) + f(pair.second) + function(2) + a.*member + (a.*method)() + count(1, 2.0, 'c');
}
`;

const gcc = (language: 'c' | 'c++', ...options: string[]) =>
  options.map((option) => {
    const target = '-mcpu=cortex-m3 -mthumb -fno-exceptions -fno-rtti';
    return [language, language === 'c' ? 'arm-none-eabi-gcc' : 'arm-none-eabi-g++', target, option] as const;
  });
const riscv = (language: 'c' | 'c++', ...options: string[]) =>
  options.map((option) => {
    const target = '-march=rv32imac -mabi=ilp32 -fno-exceptions -fno-rtti';
    return [language, `riscv64-unknown-elf-${language === 'c' ? 'gcc' : 'g++'}`, target, option] as const;
  });
const clang = (language: 'c' | 'c++', ...options: string[]) =>
  options.map((option) => [language, 'clang-14', '--target=thumbv7m-none-eabi -fno-exceptions', option] as const);

/** COMDAT sections of one name are several sections of type units. */
const builds = [
  ...gcc('c', '-gdwarf-2 -gstrict-dwarf -O0', '-gdwarf-2 -O2', '-gdwarf-3 -Og', '-gdwarf-4 -O2', '-gdwarf-5 -O2'),
  ...gcc('c', '-gdwarf-3 -gdwarf64 -O2', '-gdwarf-4 -gdwarf64 -Os', '-gdwarf-5 -gdwarf64 -O2', '-g3 -O2', '-g1 -O2'),
  ...gcc('c', '-gdwarf-4 -fdebug-types-section -O2', '-gdwarf-5 -fdebug-types-section -ffunction-sections -O2'),
  ...gcc('c', '-g -gz=zlib -O2', '-g -gz=zlib-gnu -O2'),
  ...gcc('c++', '-gdwarf-2 -O0', '-gdwarf-3 -Og', '-gdwarf-4 -Os', '-gdwarf-5 -O2'),
  ...gcc('c++', '-gdwarf-5 -gdwarf64 -O2 -fdebug-types-section'),
  ...riscv('c', '-gdwarf-4 -O0', '-gdwarf-5 -Os -ffunction-sections'),
  ...riscv('c++', '-gdwarf-5 -O2'),
  ...clang('c', '-gdwarf-2 -O0', '-gdwarf-3 -O2', '-gdwarf-4 -O2 -fdebug-types-section', '-gdwarf-5 -O2'),
  ...clang('c', '-gdwarf-5 -O2 -fdebug-types-section -ffunction-sections', '-g -gz=zlib -O1', '-gline-tables-only -O2'),
  ...clang('c++', '-gdwarf-4 -O0', '-gdwarf-5 -O1', '-gdwarf-5 -O1 -fdebug-types-section'),
];

/** Addresses in expressions and lists are only compared where they are final. */
const linked = new Set(['-gdwarf-2 -O2', '-gdwarf-3 -Og', '-gdwarf-4 -Os', '-gdwarf-5 -O2', '-gdwarf-5 -gdwarf64 -O2']);

function inFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'dwarf-'));
  try {
    writeFileSync(join(folder, 'a.c'), cSource);
    writeFileSync(join(folder, 'a.cpp'), cppSource);
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function link(folder: string): void {
  const options = '-Ttext=0x8000 -e entry --unresolved-symbols=ignore-all --no-warn-mismatch';
  runTool('arm-none-eabi-ld', [...options.split(' '), 'a.o', '-o', 'a.elf'], { cwd: folder });
}

for (const [language, compiler, target, options] of builds) {
  test(`${compiler} ${language === 'c' ? '' : 'C++ '}${options}`, (t) => {
    const [path, dwarfdump] = [requireTool(t, compiler), requireTool(t, 'llvm-dwarfdump-14')];
    if (path === undefined || dwarfdump === undefined) return;
    inFolder((folder) => {
      const file = language === 'c' ? 'a.c' : 'a.cpp';
      runTool(path, [...`${target} ${options} -c ${file} -o a.o`.split(' ')], { cwd: folder });
      const isLinked = compiler.startsWith('arm') && linked.has(options);
      if (isLinked) link(folder);
      const { entries, rows } = compareWithDwarfdump(dwarfdump, join(folder, isLinked ? 'a.elf' : 'a.o'));
      assert.ok(rows > 5, `${rows} rows`);
      // Line tables only: functions without variables and types.
      assert.ok(entries > (/-g1|line-tables/.test(options) ? 5 : 250), `${entries} entries and attributes`);
    });
  });
}

for (const kind of ['zlib', 'zlib-gnu']) {
  test(`sections compressed by objcopy as ${kind} are the same`, (t) => {
    const [path, objcopy] = [requireTool(t, 'arm-none-eabi-gcc'), requireTool(t, 'arm-none-eabi-objcopy')];
    if (path === undefined || objcopy === undefined) return;
    inFolder((folder) => {
      runTool(path, '-mcpu=cortex-m3 -mthumb -g3 -O2 -c a.c -o a.o'.split(' '), { cwd: folder });
      runTool(objcopy, [`--compress-debug-sections=${kind}`, 'a.o', 'b.o'], { cwd: folder });
      const [plain, compressed] = ['a.o', 'b.o'].map((name) => {
        const { debug } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, name)))));
        assert.ok(debug);
        return [...entryLines(debug, (address) => address, false)];
      });
      assert.ok(plain.length > 250);
      assert.deepEqual(compressed, plain);
    });
  });
}
