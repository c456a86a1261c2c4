/** Listings have the addresses and encodings that arm-none-eabi-objdump shows for the same file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { listSection } from '../extension/disassembly-listing';
import { ElfSymbols } from '../extension/elf-symbols';
import { createDisassembler, type CapstoneFactory } from '../lib/disassembler';
import { SHF_EXECINSTR } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { examplePath, fixturePath } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const load = createRequire(__filename);
const capstone = load('@alexaltea/capstone-js') as CapstoneFactory;
const wasm = readFileSync(load.resolve('@alexaltea/capstone-js/dist/capstone.wasm'));

const files = [
  examplePath('hello/hello_ext_debug.elf'),
  examplePath('sensor/sensor.llext'),
  fixturePath('calls', 'm3-O0'),
  fixturePath('control', 'm3-O2'),
  fixturePath('control', 'm0plus-Os'),
  fixturePath('data', 'm3clang-O2'),
];

/** 'section offset encoding' of every row. */
async function ours(path: string): Promise<string[]> {
  const disassembler = await createDisassembler(capstone, wasm);
  const elf = ElfFile.parse(readFileSync(path));
  const symbols = new ElfSymbols(elf);
  const code = elf.sections.filter((section) => (section.sh_flags & SHF_EXECINSTR) !== 0 && section.sh_size > 0);
  return code.flatMap((section) => {
    const rows = listSection(
      {
        name: section.name,
        bytes: elf.sectionBytes(section),
        base: 0n,
        start: 0,
        end: section.sh_size,
        labels: symbols.inSection(section.index),
        lines: [],
        relocations: symbols.relocationsOf(section.index),
        kinds: symbols.kindsIn(section.index),
        symbolAt: () => undefined,
      },
      disassembler,
    );
    return rows.flatMap(({ text }) => {
      const row = /^\s+([0-9a-f]+): {2}([0-9a-f]+(?: [0-9a-f]{4})?) /.exec(text);
      return row === null ? [] : [`${section.name} ${row[1]} ${row[2].replace(' ', '')}`];
    });
  });
}

function objdumps(tool: string, path: string): string[] {
  let section = '';
  return runTool(tool, ['-d', '-z', path])
    .split('\n')
    .flatMap((line) => {
      section = /^Disassembly of section (.*):$/.exec(line)?.[1] ?? section;
      const row = /^\s+([0-9a-f]+):\t([0-9a-f]+(?: [0-9a-f]{4})?)\s*\t/.exec(line);
      return row === null ? [] : [`${section} ${row[1]} ${row[2].replace(' ', '')}`];
    });
}

for (const path of files) {
  test(`listing of ${path.split('/').at(-1)}`, async (t) => {
    const tool = requireTool(t, 'arm-none-eabi-objdump');
    if (tool === undefined) return;
    const expected = objdumps(tool, path);
    assert.ok(expected.length > 20);
    assert.deepEqual(await ours(path), expected);
  });
}
