/**
 * A linked ELF of the size of a large firmware with debug information: some generated C files that share a header of
 * many structures, as Zephyr's do, each linked several times. `node --import tsx scripts/bench/large-elf.ts FILE [MB]`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const files = 6;

function header(): string {
  const structs: string[] = [];
  for (let n = 0; n < 400; n++) {
    const before = n === 0 ? 'void' : `struct device_${n - 1}`;
    structs.push(
      `enum state_${n} { STATE_${n}_OFF, STATE_${n}_ON = ${n}, STATE_${n}_FAILED };`,
      `struct device_${n} { ${before} *parent; int flags : 5, level : 11; enum state_${n} state; char name[${8 + n}];`,
      `  union { unsigned int word; unsigned char bytes[4]; }; int (*handler_${n})(struct device_${n} *, int); };`,
      `typedef struct device_${n} device_${n}_t;`,
    );
  }
  return structs.join('\n');
}

function source(file: number): string {
  const functions = Array.from(
    { length: 120 },
    (_, n) => `
static inline int clamp_${file}_${n}(int value, int most) { return value > most ? most : value < 0 ? 0 : value; }
int work_${file}_${n}(device_${n}_t *device, int count)
{
  int sum = ${n};
  for (int i = 0; i < count; i++) {
    int step = clamp_${file}_${n}(device->level + i, ${n + 3});
    if (device->handler_${n}) sum += device->handler_${n}(device, step);
    sum ^= device->bytes[i & 3] + step;
  }
  device->state = sum > 100 ? STATE_${n}_ON : STATE_${n}_OFF;
  return sum;
}
device_${n}_t instance_${file}_${n};`,
  );
  return `#include "devices.h"\n${functions.join('\n')}\n`;
}

/** Returns the file's size in bytes. */
export function makeLargeElf(output: string, megabytes: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'large-elf-'));
  const run = (tool: string, options: string): void => {
    execFileSync(tool, options.split(' '), { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  try {
    writeFileSync(join(folder, 'devices.h'), header());
    const objects: string[] = [];
    for (let file = 0; file < files; file++) {
      writeFileSync(join(folder, `part_${file}.c`), source(file));
      run(
        'arm-none-eabi-gcc',
        `-mcpu=cortex-m3 -mthumb -g -O2 -ffunction-sections -c part_${file}.c -o part_${file}.o`,
      );
      objects.push(`part_${file}.o`);
    }
    writeFileSync(
      join(folder, 'entry.c'),
      'int work_0_0(void *, int);\nint entry(int n) { int local = n * 2; return work_0_0(0, local); }\n',
    );
    run('arm-none-eabi-gcc', '-mcpu=cortex-m3 -mthumb -g -O0 -c entry.c -o entry.o');
    const each = objects.reduce((sum, name) => sum + debugBytes(join(folder, name)), 0);
    const repeats = Math.max(1, Math.round((megabytes * 1e6) / each));
    const list = Array.from({ length: repeats }, () => objects.join(' ')).join(' ');
    run(
      'arm-none-eabi-ld',
      `-Ttext=0x10000 -Tdata=0x20000000 -e entry -z muldefs ${list} entry.o -o ${resolve(output)}`,
    );
    return statSync(output).size;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Relocations are not in the linked file: about a third of an object remains. */
function debugBytes(object: string): number {
  const text = execFileSync('readelf', ['-SW', object], { encoding: 'utf8' });
  const sizes = [...text.matchAll(/\] \.debug_(?!str)\w+ +PROGBITS +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+)/g)];
  return sizes.reduce((sum, [, size]) => sum + parseInt(size, 16), 0);
}

if (process.argv[1]?.endsWith('large-elf.ts')) {
  const [output, megabytes = '50'] = process.argv.slice(2);
  console.log(`${output}: ${makeLargeElf(output, Number(megabytes))} bytes`);
}
