/**
 * Malformed files by the thousand: real extensions with random bytes, words and lengths changed. The ELF reader may only
 * throw FormatError; the loader throws nothing and leaves no leak after a refusal; nothing hangs. The seed is printed
 * with a failure; LLEXT_SEED repeats it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { SHT_REL, SHT_RELA } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { inspectRegions } from '../lib/llext/inspect';
import { trimmedRoot } from './support/golden';
import { bench, image } from './support/load-bench';

const seed = Number(process.env.LLEXT_SEED ?? 20250);
const filesPerSource = 400;
const sources = ['m3/hello', 'm3/data', 'm3/dep_base', 'm3-O0/initfini', 'm3-fsec/fnptr', 'm3-pic-so/data', 'm4/near'];

/** xorshift32 */
class Random {
  private state: number;

  constructor(start: number) {
    this.state = Math.imul(start, 0x9e37_79b1) | 1;
  }

  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

const words = [
  0, 1, 2, 3, 4, 7, 0x7f, 0x80, 0xff, 0xfff1, 0xfff2, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

function mutate(original: Uint8Array, random: Random): Uint8Array {
  let file = original.slice();
  const view = new DataView(file.buffer);
  const headers = view.getUint32(32, true);
  const changes = 1 + random.below(6);
  for (let i = 0; i < changes; i++) {
    // Most of what matters is in the header, the section headers and the tables before them.
    const areas = [
      [0, 52],
      [headers, file.length],
      [0, file.length],
      [Math.max(0, headers - 400), headers],
    ] as const;
    const [from, to] = random.pick(areas);
    const at = from + random.below(to - from);
    const aligned = at - (at % 4);
    switch (random.below(4)) {
      case 0:
        file[at] = random.below(256);
        break;
      case 1:
        file[at] ^= 1 << random.below(8);
        break;
      case 2:
        if (aligned + 4 <= file.length) view.setUint32(aligned, random.pick(words), true);
        break;
      default:
        if (aligned + 4 <= file.length) view.setUint32(aligned, random.below(file.length * 2), true);
    }
  }
  if (random.below(10) === 0) file = file.slice(0, random.below(file.length));
  return file;
}

/** Everything that the ELF reader offers. */
function readAll(file: Uint8Array): void {
  const elf = ElfFile.parse(file);
  const attempts = [
    () => elf.symbols(),
    ...elf.sections.map((section) => () => elf.sectionBytes(section)),
    ...elf.sections.map((section) => () => elf.relocationsFor(section.index)),
    ...elf.sections
      .filter(({ sh_type }) => sh_type === SHT_REL || sh_type === SHT_RELA)
      .map((section) => () => elf.relocationsOf(section)),
    () => inspectRegions(elf),
  ];
  for (const attempt of attempts) onlyFormatErrors(attempt);
}

function onlyFormatErrors(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** Processor time, not the clock's: a busy machine makes no difference. */
function cpuMilliseconds(): number {
  return process.cpuUsage().user / 1000;
}

const pristineHeap = bench().target.freeHeapBytes();

function loadOnce(file: Uint8Array, random: Random, logLevel: number): void {
  const it = bench(image({ logLevel }, { printk: 0x0800_0101n, memcpy: 0x0800_0201n }));
  const parm = { pre_located: random.below(8) === 0, keep_section_info: random.below(4) === 0 };
  const storage = random.pick(['temporary', 'persistent', 'writable'] as const);
  const result = it.load(file, { storage, peek: random.below(4) !== 0, parm });
  if (result.fault !== undefined) return;
  // A wild r_offset is not checked by this version: relocation may have overwritten the heap, as on the target.
  const linked = it.events.some((event) => event.kind === 'phase' && event.phase === 'link');
  if (result.ret !== 0 && !linked) assert.equal(it.target.freeHeapBytes(), pristineHeap, 'a refused file leaks');
  else if (result.ret === 0) assert.ok(result.extension !== undefined && result.extension.expTab.count >= 0);
}

for (const name of sources) {
  test(`${filesPerSource} mutations of ${name}, seed ${seed}`, () => {
    const original = Uint8Array.from(readFileSync(join(trimmedRoot, `${name}.elf`)));
    const random = new Random(seed);
    const started = cpuMilliseconds();
    for (let i = 0; i < filesPerSource; i++) {
      const file = mutate(original, random);
      const before = cpuMilliseconds();
      try {
        onlyFormatErrors(() => readAll(file));
        loadOnce(file, random, i % 2 === 0 ? 4 : 1);
      } catch (error) {
        throw new Error(`mutation ${i}, seed ${seed}`, { cause: error });
      }
      const milliseconds = cpuMilliseconds() - before;
      assert.ok(milliseconds < 4000, `mutation ${i} of seed ${seed} took ${milliseconds} ms`);
    }
    assert.ok(cpuMilliseconds() - started < 60_000);
  });
}
