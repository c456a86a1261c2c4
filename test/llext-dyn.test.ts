/**
 * Shared objects (specification 1.9). Real ones: compiled and linked by GNU ld and lld for four CPUs, loaded as the newest
 * version does, and compared with the same objects linked by the same linker for the addresses where the image lies: every
 * place of a dynamic relocation without a symbol must hold what the linker put there, every other byte of the regions must
 * be the file's. Places with a symbol must hold the address of the import. Up to 4.4 nothing is relocated, in silence.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { decodeUnsigned } from '../lib/bytes';
import * as C from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { Errno } from '../lib/errors';
import type { LlextExtension } from '../lib/llext/extension';
import type { LlextConfig, LlextEvent } from '../lib/llext/types';
import { bench, errors, image } from './support/load-bench';
import { sharedObject } from './support/profile-cases';
import { requireTool, runTool } from './support/tools';

interface Target {
  readonly name: string;
  readonly gcc: string;
  readonly args: readonly string[];
  readonly linker: string;
  readonly linkArgs: readonly string[];
  readonly config: Pick<LlextConfig, 'arch' | 'pointerSize'>;
}

const noRelro = ['-z', 'norelro', '-z', 'max-page-size=4096', '-z', 'noexecstack', '--hash-style=sysv'];
/** lld then fills places whose addend is in a relocation entry, as they are in memory. */
const lld = [...noRelro, '--apply-dynamic-relocs'];

const targets: readonly Target[] = [
  {
    ...{ name: 'ARM, GNU ld', gcc: 'arm-none-eabi-gcc', args: ['-mcpu=cortex-m3', '-mthumb'] },
    ...{ linker: 'arm-none-eabi-ld', linkArgs: ['-z', 'norelro', '-z', 'max-page-size=4096', '--hash-style=sysv'] },
    config: { arch: 'arm', pointerSize: 4 },
  },
  {
    ...{ name: 'ARM, lld', gcc: 'arm-none-eabi-gcc', args: ['-mcpu=cortex-m3', '-mthumb'], linker: 'ld.lld-14' },
    ...{ linkArgs: lld, config: { arch: 'arm', pointerSize: 4 } },
  },
  {
    ...{ name: 'AArch64, lld', gcc: 'aarch64-linux-gnu-gcc', args: ['-mno-outline-atomics'], linker: 'ld.lld-14' },
    ...{ linkArgs: lld, config: { arch: 'arm64', pointerSize: 8 } },
  },
  {
    ...{ name: 'RISC-V 64, lld', gcc: 'riscv64-unknown-elf-gcc', linker: 'ld.lld-14', linkArgs: lld },
    args: ['-march=rv64imac', '-mabi=lp64', '-mno-relax'],
    config: { arch: 'riscv', pointerSize: 8 },
  },
  {
    ...{ name: 'x86-64, lld', gcc: 'x86_64-linux-gnu-gcc', args: ['-fcf-protection=none'], linker: 'ld.lld-14' },
    ...{ linkArgs: lld, config: { arch: 'x86', pointerSize: 8 } },
  },
];

const source = `
extern int imported(const char *text, int value);
extern int imported_counter;
static int hidden;
int counter = 5;
int *pointer = &counter;
static int *hidden_pointer = &hidden;
const char *names[] = { "zero", "one" };
int (*function)(const char *, int) = imported;
int entry(int x)
{
	hidden += x;
	*hidden_pointer += imported_counter;
	return imported(names[x & 1], counter) + *pointer + function(names[0], hidden);
}
`;

const imports = { imported: 0x0800_0101n, imported_counter: 0x2000_0040n };

function build(t: TestContext, target: Target, folder: string): ((base: bigint) => Uint8Array) | undefined {
  const gcc = requireTool(t, target.gcc);
  const linker = requireTool(t, target.linker);
  if (gcc === undefined || linker === undefined) return undefined;
  const [c, o, so] = ['c', 'o', 'so'].map((suffix) => join(folder, `shared.${suffix}`));
  writeFileSync(c, source);
  const flags = ['-Os', '-ffreestanding', '-fPIC', '-fno-common', '-fno-asynchronous-unwind-tables'];
  runTool(gcc, [...target.args, ...flags, '-fno-stack-protector', '-c', c, '-o', o]);
  return (base) => {
    const place = target.linker.includes('lld') ? `--image-base=${base}` : `-Ttext-segment=0x${base.toString(16)}`;
    runTool(linker, ['-shared', '-z', 'now', ...target.linkArgs, place, o, '-o', so]);
    return readFileSync(so);
  };
}

const settings = { page: 4096, mmu: true } as const;

interface Image {
  readonly extension: LlextExtension;
  readonly base: bigint;
  readonly events: readonly LlextEvent[];
  read(address: bigint, length: number): Uint8Array;
}

function loadImage(file: Uint8Array, config: Partial<LlextConfig>): Image {
  const it = bench(image({ profile: 'S', ...settings, ...config }, imports));
  const { ret, extension, log } = it.load(file);
  assert.equal(ret, 0, log.slice(-12).join('\n'));
  assert.ok(extension);
  const allocation = it.events.find((event) => event.kind === 'allocation' && event.purpose === 'dyn_image');
  assert.ok(allocation?.kind === 'allocation');
  return {
    extension,
    base: allocation.address,
    events: it.events,
    read: (address, length) => it.target.memory.read(address, length),
  };
}

/** Sections that are in memory, by address of the file. */
function loadedSections(elf: ElfFile) {
  return elf.sections.filter(
    ({ sh_type, sh_flags, sh_size }) => sh_type === C.SHT_PROGBITS && (sh_flags & C.SHF_ALLOC) !== 0 && sh_size > 0,
  );
}

for (const target of targets) {
  test(`${target.name}: as the linker makes it for the same addresses`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dyn-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const linkAt = build(t, target, folder);
    if (linkAt === undefined) return;
    const loadedFile = linkAt(0n);
    const { base, read } = loadImage(loadedFile, target.config);
    const elf = ElfFile.parse(loadedFile);
    const placed = ElfFile.parse(linkAt(base));
    const word = target.config.pointerSize;
    const symbolPlaces = new Map<bigint, bigint>();
    const relocated = new Set<bigint>();
    let relative = 0;
    for (const table of elf.sections.filter(({ sh_type }) => sh_type === C.SHT_REL || sh_type === C.SHT_RELA)) {
      const symbols = elf.symbolsOf(elf.sections[table.sh_link]);
      for (const { r_offset, symbolIndex } of elf.relocationsOf(table)) {
        relocated.add(r_offset);
        const symbol = symbols.at(symbolIndex);
        if (symbolIndex === 0) relative++;
        else if (symbol !== undefined && symbol.name in imports) {
          symbolPlaces.set(r_offset, imports[symbol.name as keyof typeof imports]);
        } else if (symbol !== undefined) symbolPlaces.set(r_offset, base + symbol.st_value);
      }
    }
    assert.ok(relative >= 2 && symbolPlaces.size >= 3, `${relative} without and ${symbolPlaces.size} with a symbol`);
    for (const section of loadedSections(elf)) {
      const twin = placed.section(section.name);
      assert.ok(twin, section.name);
      const expected = placed.sectionBytes(twin).slice();
      const start = BigInt(section.sh_addr);
      for (const [r_offset, value] of symbolPlaces) {
        if (r_offset < start || r_offset >= start + BigInt(section.sh_size)) continue;
        const at = Number(r_offset - start);
        for (let i = 0; i < word; i++) expected[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      }
      const actual = read(base + start, section.sh_size);
      // The first words of .got are for a dynamic linker, which Zephyr has none of: they stay as the file has them.
      const own = elf.sectionBytes(section);
      for (let i = 0; i < actual.length; i++) {
        if (actual[i] === expected[i]) continue;
        const place = start + BigInt(i - (i % word));
        const isFilled = section.name.startsWith('.got') && !relocated.has(place) && actual[i] === own[i];
        assert.ok(isFilled, `${section.name}+${i}: ${actual[i]}, not ${expected[i]}`);
      }
    }
  });
}

test('exports, bias and fields of the image; one block, freed with the extension', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dyn-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const linkAt = build(t, targets[0], folder);
  if (linkAt === undefined) return;
  const file = linkAt(0x40000n);
  const it = bench(image({ profile: 'S', ...settings, ...targets[0].config, importAllGlobals: true }, imports));
  const free = it.target.freeHeapBytes();
  const { extension } = it.load(file);
  assert.ok(extension);
  const entry = ElfFile.parse(file)
    .symbols()
    .find(({ name }) => name === 'entry');
  const exported = extension.expTab.symbols.find(({ name }) => name === 'entry');
  // The fields follow struct llext of the 4.2 era, an assumption that every such load is labelled with.
  const fields = [0, 1, 2, 3].map((i) =>
    decodeUnsigned(it.target.memory.read(extension.address + BigInt(188 + 4 * i), 4), true),
  );
  const [dynImage, dynBase, dynLink, dynSpan] = fields;
  assert.equal(dynImage, dynBase);
  assert.equal(dynLink, 0x40000n);
  assert.equal(dynSpan % 4096n, 0n);
  assert.equal((exported?.address ?? 0n) - (entry?.st_value ?? 0n), dynBase - dynLink);
  assert.ok(extension.memOnHeap.slice(0, 4).every((onHeap) => !onHeap));
  assert.equal(it.target.llext.unload(extension), 0);
  assert.equal(it.target.freeHeapBytes(), free);
});

test('up to 4.4 a shared object loads and nothing of it is relocated', () => {
  const RELATIVE = { offset: 0x1038, type: C.R_ARM_RELATIVE };
  for (const profile of ['V41', 'V44'] as const) {
    const it = bench(image({ profile }));
    const { ret, extension, log } = it.load(sharedObject([RELATIVE]));
    assert.equal(ret, 0);
    assert.deepEqual(errors(log), []);
    assert.deepEqual([...(extension?.regionBytes(1) ?? [])], [1, 2, 3, 4]);
    assert.ok(!it.events.some(({ kind }) => kind === 'relocation'));
  }
  const { extension } = loadImage(sharedObject([{ offset: 0x1038, type: C.R_ARM_GLOB_DAT }]), { mmu: false });
  assert.deepEqual([...(extension?.regionBytes(1) ?? [])], [0, 0, 0, 0]);
});

test('S: a relative address in no region is refused', () => {
  const it = bench(image({ profile: 'S' }));
  const { ret, log } = it.load(sharedObject([{ offset: 0x1038, type: C.R_ARM_RELATIVE }]));
  assert.equal(ret, -Errno.ENOEXEC);
  assert.equal(errors(log)[0], 'elf: 0x4030201 is in no loaded region');
});

test('S: AArch64 images are page-aligned, others to their regions', () => {
  const aligned = (config: Partial<LlextConfig>): number | undefined => {
    const it = bench(image({ profile: 'S', ...config }));
    it.load(sharedObject());
    const event = it.events.find((found) => found.kind === 'allocation' && found.purpose === 'dyn_image');
    return event?.kind === 'allocation' ? event.align : undefined;
  };
  assert.equal(aligned({}), 4);
  assert.equal(aligned({ mmu: true, page: 4096 }), 4096);
});
