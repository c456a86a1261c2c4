/** Listings have the addresses and encodings that arm-none-eabi-objdump shows for the same file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { listSection } from '../extension/disassembly-listing';
import { ElfSymbols } from '../extension/elf-symbols';
import { overviewHtml } from '../extension/overview-html';
import { createDisassembler, type CapstoneFactory } from '../lib/disassembler';
import { SHF_EXECINSTR } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { examplePath, fixturePath, projectRoot } from './support/fixtures';
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

async function listing(path: string): Promise<{ section: string; text: string }[]> {
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
    return rows.map(({ text }) => ({ section: section.name, text }));
  });
}

/** 'section offset encoding' of every row. */
async function ours(path: string): Promise<string[]> {
  return (await listing(path)).flatMap(({ section, text }) => {
    const row = /^\s+([0-9a-f]+): {2}([0-9a-f]+(?: [0-9a-f]{4})?) /.exec(text);
    return row === null ? [] : [`${section} ${row[1]} ${row[2].replace(' ', '')}`];
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

test('labels of C++ are those of objdump -C', async (t) => {
  const tool = requireTool(t, 'arm-none-eabi-objdump');
  if (tool === undefined) return;
  const path = join(projectRoot, 'test/cpp/classes.m3-O0.elf');
  const labels = (text: string): string[] =>
    [...text.matchAll(/^([0-9a-f]{8}) <(.*)>:$/gm)].map(([, at, name]) => `${at} ${name}`);
  const expected = labels(runTool(tool, ['-d', '-C', path]));
  const found = new Set(labels((await listing(path)).map(({ text }) => text).join('\n')));
  assert.ok(expected.some((label) => label.includes('motion::Square::area() const')));
  assert.deepEqual(
    expected.filter((label) => !found.has(label)),
    [],
  );
});

test('the overview names C++ imports as c++filt does, and tells what the loader looks for', (t) => {
  const tool = requireTool(t, 'arm-none-eabi-c++filt');
  if (tool === undefined) return;
  const name = '_ZN6motion7convertERKd';
  const nothing = { regions: [], exports: [], imports: [], dependencies: [], problem: undefined };
  const head = { id: 0, name: 'x', program: 'x', debugElf: undefined, address: undefined, useCount: undefined };
  const html = overviewHtml({
    description: { ...head, ...nothing, allocSize: undefined },
    fileName: 'x.elf',
    facts: [],
    imports: [{ name, by: 'nothing', extension: undefined, signature: undefined, doc: undefined, address: undefined }],
    uri: 'file:///x.elf',
    styleUri: '',
    cspSource: '',
  });
  const shown = runTool(tool, [name]).trim().replace('&', '&amp;');
  assert.ok(html.includes(`<span title="${name}">${shown}</span>`), html);
});
