/**
 * Programs and their loads: debug information of another file bound by section name, symbols against nm, addresses
 * translated section by section, and a linker's view of relocation (arm-none-eabi-ld) against our own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { LoadedProgram } from '../lib/program/loaded-program';
import { Program } from '../lib/program/program';
import { examplePath, fixturePath, markerLine } from './support/fixtures';
import { loadScattered, placeOf, truthCase, truthElf, truthElfPath, truthStatics } from './support/gdb-truth';
import { requireTool, runTool } from './support/tools';

function elfAt(path: string): ElfFile {
  return ElfFile.parse(new Uint8Array(readFileSync(path)));
}

test('a stripped extension is bound to its debug ELF by section name', () => {
  const stripped = elfAt(examplePath('detached/detached_fn.llext'));
  const debugElf = elfAt(examplePath('detached/detached_fn_ext_debug.elf'));
  assert.equal(Program.open(stripped).debug, undefined);
  const program = loadScattered(stripped, debugElf);
  assert.deepEqual(program.program.warnings, []);
  assert.ok(program.debug);
  const source = examplePath('detached/detached_fn.c');
  const file = program.debug.files.find(({ path }) => path.endsWith('detached_fn.c'));
  assert.ok(file);
  const [location] = program.breakpointLocations(file, markerLine(source, 'BP4'));
  assert.equal(program.sectionAt(location.address)?.name, '.text');
  assert.equal(location.function?.name, 'test_entry');
  const detached = program.symbolNamed('detached_fn');
  assert.ok(detached !== undefined);
  assert.equal(program.sectionAt(detached)?.name, '.detach');
  assert.equal(program.symbolAt(detached + 4n)?.symbol.name, 'detached_fn');
  assert.equal(program.symbolAt(detached + 4n)?.offset, 4n);
  assert.equal(program.sourceAt(detached)?.file, file);
  const body = program.bodyStart(detached);
  assert.ok(body !== undefined && body > detached);
});

test('addresses translate section by section, ends of sections included on the way to the load', () => {
  const program = loadScattered(truthElf(truthCase('shapes.m3-O0')));
  for (const { section, load } of program.placements) {
    assert.equal(program.toLoad(section.address), load);
    assert.equal(program.toLoad(section.address + BigInt(section.size)), load + BigInt(section.size));
    if (section.size > 0)
      assert.equal(program.toLink(load + BigInt(section.size) - 1n), section.address + BigInt(section.size) - 1n);
  }
  assert.equal(program.toLink(0x1fff_ffffn), undefined);
  assert.equal(program.toLoad(1n), undefined);
});

test('two instances of one program have their own addresses', () => {
  const program = Program.open(truthElf(truthCase('deep.m3-O0')));
  const text = program.sections.find(({ name }) => name === '.text');
  assert.ok(text);
  const [first, second] = [0x2000_0000n, 0x2000_1000n].map(
    (load, id) => new LoadedProgram(program, { id, name: 'deep' }, new Map([[text.index, load]])),
  );
  const entry = first.symbolNamed('entry');
  assert.ok(entry !== undefined);
  assert.equal(second.symbolNamed('entry'), entry + 0x1000n);
  assert.equal(first.toLink(0x2000_1000n + entry - 0x2000_0000n), undefined);
  assert.equal(first.symbolNamed('depth_limit_that_is_not_there'), undefined);
});

test('a debug ELF of another build is noticed', () => {
  const open = (loaded: string, debug: string): string =>
    Program.open(elfAt(fixturePath('calls', loaded)), elfAt(fixturePath('calls', debug))).warnings.join('\n');
  assert.match(open('m3-O0', 'm3-Os'), /another build: \.text has \d+ bytes there, \d+ in the loaded file/);
  assert.equal(open('m3-O0', 'm3-O0'), '');
  const bytes = new Uint8Array(readFileSync(fixturePath('calls', 'm3-O0')));
  const original = ElfFile.parse(bytes);
  const changed = bytes.slice();
  changed[original.section('.text')?.sh_offset ?? 0] ^= 1;
  assert.match(Program.open(ElfFile.parse(changed), original).warnings.join('\n'), /contents of \.text differ/);
});

test('functions are where the ELF symbols say', () => {
  for (const name of ['shapes.m3-O0', 'inlines.m3-O2', 'deep.m3clang-Os']) {
    const truth = truthCase(name);
    const program = loadScattered(truthElf(truth));
    for (const [symbol, [place, size]] of Object.entries(truthStatics(truth).functions)) {
      const address = program.symbolNamed(symbol);
      assert.ok(address !== undefined, symbol);
      assert.equal(placeOf(program, address), place);
      const found = program.symbolAt(address)?.symbol;
      assert.deepEqual([found?.size, found?.kind, found?.thumb], [size, 'function', true]);
    }
  }
});

test('symbols are those of nm, mapping symbols say what is code', (t) => {
  const nm = requireTool(t, 'arm-none-eabi-nm');
  if (nm === undefined) return;
  for (const name of ['shapes.m3-O0', 'shapes.m3clang-O2', 'inlines.m3-Os']) {
    const path = truthElfPath(truthCase(name));
    const program = Program.open(elfAt(path));
    const ours = program.symbols.map((symbol) => {
      const section = program.sections.find(({ index }) => index === symbol.section);
      assert.ok(section);
      const value = symbol.address - section.address + (symbol.thumb ? 1n : 0n);
      return `${value} ${symbol.size} ${symbol.name}`;
    });
    const listed: string[] = runTool(nm, ['-S', '-f', 'posix', path])
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, kind]) => kind !== undefined && !/[UaAnN]/.test(kind))
      .map(([symbol, , value, size]) => `${parseInt(value, 16)} ${parseInt(size || '0', 16)} ${symbol}`);
    // nm shows the even address of a Thumb function.
    const even = (text: string): string => text.replace(/^\d+/, (digits) => String(BigInt(digits) & ~1n));
    assert.deepEqual(
      ours.map(even).sort(),
      listed
        .filter((line: string) => !/ \$[atd]/.test(line))
        .map(even)
        .sort(),
    );
  }
});

test('code and literal pools are told apart', (t) => {
  const objdump = requireTool(t, 'arm-none-eabi-objdump');
  if (objdump === undefined) return;
  const path = truthElfPath(truthCase('shapes.m3-O0'));
  const program = loadScattered(elfAt(path));
  const text = program.placements.find(({ section }) => section.name === '.text');
  assert.ok(text);
  let words = 0;
  for (const line of runTool(objdump, ['-d', '-j', '.text', path]).split('\n')) {
    const instruction = /^\s+([0-9a-f]+):\t[0-9a-f ]+\t(\S+)/.exec(line);
    if (instruction === null) continue;
    const isData = /^\.(word|short|byte)$/.test(instruction[2]);
    if (isData) words++;
    const kind = program.codeKindAt(text.load + BigInt('0x' + instruction[1]));
    assert.equal(kind, isData ? 'data' : 'thumb', line);
  }
  assert.ok(words > 0);
});

test('a linked file says the same as the relocatable one that it was linked from', (t) => {
  const ld = requireTool(t, 'arm-none-eabi-ld');
  if (ld === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'link-'));
  try {
    for (const name of ['shapes.m3-O0', 'inlines.m3-O2', 'inlines.m3-O2-dwarf4', 'shapes.m3clang-Os']) {
      const object = truthElfPath(truthCase(name));
      const linked = join(folder, 'linked.elf');
      const placed = ['-Ttext=0x8000', '-Tdata=0x20000000', '-Tbss=0x20010000', '-e', 'entry'];
      runTool(ld, ['--unresolved-symbols=ignore-all', ...placed, object, '-o', linked]);
      assert.deepEqual(describe(Program.open(elfAt(linked))), describe(Program.open(elfAt(object))), name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Functions, variables' scopes, lines and frames with addresses counted from .text. */
function describe(program: Program): unknown {
  const { debug } = program;
  assert.ok(debug);
  const base = program.sections.find(({ name }) => name === '.text')?.address ?? 0n;
  const range = ({ start, end }: { start: bigint; end: bigint }): string => `${start - base}-${end - base}`;
  return {
    functions: debug.functions().map(({ name, ranges, scope }) => [name, ranges.map(range), scope.variables.length]),
    inner: debug.functions().map(({ scope }) => scope.children.map(({ kind, ranges }) => [kind, ranges.map(range)])),
    lists: debug
      .functions()
      .flatMap(({ scope }) =>
        scope.variables.map(({ location }) =>
          location?.kind === 'list' ? location.entries.map((e) => range(e.range)) : [],
        ),
      ),
    lines: [...debug.lineRows()].flat().map(({ address, line, file }) => [address - base, line, file.path].join(' ')),
    frames: debug.cfiRows().map((row) => [range(row.range), row.registers.size]),
    problems: debug.problems,
    warnings: program.warnings,
  };
}
