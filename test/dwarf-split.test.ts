/**
 * Split debug information (-gsplit-dwarf): with its .dwo files, in the object itself, or with a package of all, a program reads as the same
 * sources built without it, whose entries dwarf-variants.test.ts compares with llvm-dwarfdump's. A file of another build is not taken.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { findDebugFiles } from '../cli/debug-elf';
import { nearbyFiles } from '../cli/nearby-files';
import { run } from '../cli/run';
import type { BaseImageDescription } from '../lib/base-image';
import { openBaseImage } from '../lib/base-image/open-base-image';
import { SourcePlaces } from '../lib/check/source-places';
import { SplitFiles } from '../lib/dwarf/split-files';
import { ElfFile } from '../lib/elf/elf-file';
import { builtInBaseImage } from '../lib/kernel/base-image-description';
import { Program } from '../lib/program/program';
import { buildBaseImage } from '../scripts/build-base-image';
import { baseImageBuild, baseImagePath } from './support/base-images';
import { AdapterClient } from './support/dap-client';
import { describeProgram } from './support/describe-program';
import { examplePath, projectRoot } from './support/fixtures';
import { buildSplit, clang, gcc, riscv, writeSources } from './support/split-build';
import { requireTool, runTool } from './support/tools';

const builds = [
  `${gcc} -gdwarf-4 -O2`,
  `${gcc} -gdwarf-5 -g3 -Os`,
  `${gcc} -gdwarf-4 -O1 -fdebug-types-section`,
  `${gcc} -gdwarf-5 -O2 -ffunction-sections`,
  `${gcc} -gdwarf-5 -O2 -fdebug-types-section -ffunction-sections`,
  `${riscv} -gdwarf-5 -O2`,
  `${clang} -gdwarf-4 -O2`,
  `${clang} -gdwarf-5 -O1 -ffunction-sections`,
];

describe('split debug information', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'split-'));
    writeSources(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (name: string): ElfFile => ElfFile.parse(new Uint8Array(readFileSync(join(folder, name))));

  const build = (t: TestContext, command: string, name: string): boolean => buildSplit(t, folder, command, name);

  for (const command of builds) {
    it(command, (t) => {
      if (!build(t, command, 'plain') || !build(t, `${command} -gsplit-dwarf`, 'split')) return;
      const plain = describeProgram(Program.open(read('plain.elf')));
      const files = ['split-a.dwo', 'split-b.dwo'].map(read);
      assert.deepEqual(describeProgram(Program.open(read('split.elf'), undefined, files)), plain);
      // llvm-dwp 14 may not end with what GCC writes of DWARF 5.
      const dwp =
        command.startsWith('clang') || command.includes('-gdwarf-4') ? requireTool(t, 'llvm-dwp-14') : undefined;
      if (dwp === undefined) return;
      runTool(dwp, ['split-a.dwo', 'split-b.dwo', '-o', 'split.dwp'], { cwd: folder });
      assert.deepEqual(describeProgram(Program.open(read('split.elf'), undefined, [read('split.dwp')])), plain);
    });
  }

  /** Of RISC-V the program as it is without -gsplit-dwarf, and with it. */
  function buildRiscv(t: TestContext, options: string): { plain: Program; split: Program } | undefined {
    const command = `${riscv} ${options}`;
    if (!build(t, command, 'plain') || !build(t, `${command} -gsplit-dwarf`, 'split')) return undefined;
    const files = ['split-a.dwo', 'split-b.dwo'].map(read);
    return { plain: Program.open(read('plain.elf')), split: Program.open(read('split.elf'), undefined, files) };
  }

  it('type units share the line table of the unit with the code', (t) => {
    const command = `${gcc} -gdwarf-5 -O1`;
    if (!build(t, command, 'plain') || !build(t, `${command} -fdebug-types-section`, 'typed')) return;
    assert.deepEqual(
      describeProgram(Program.open(read('typed.elf'))),
      describeProgram(Program.open(read('plain.elf'))),
    );
  });

  it('says where sizes of blocks are lost, and has what is outside of them', (t) => {
    const { plain, split } = buildRiscv(t, '-gdwarf-5 -O0') ?? {};
    if (plain === undefined || split === undefined) return;
    const outside = ({ debug }: Program): unknown =>
      debug?.functions().map(({ name, ranges, scope }) => [name, ranges, scope.variables.map((one) => one.name)]);
    assert.deepEqual(outside(split), outside(plain));
    const blocks = ({ debug }: Program): number =>
      debug?.functions().flatMap(({ scope }) => scope.children).length ?? 0;
    assert.deepEqual([blocks(plain), blocks(split)], [2, 0]);
    const problems = split.debug?.problems ?? [];
    assert.equal(problems.length, 1);
    assert.match(problems[0], /sizes of blocks within functions of a\.c are lost.* build without -gsplit-dwarf/);
  });

  it('says which variables of DWARF 4 have lost their places, and does not call them optimized out', (t) => {
    const { plain, split } = buildRiscv(t, '-gdwarf-4 -O2') ?? {};
    if (plain === undefined || split === undefined) return;
    const extents = ({ debug }: Program): unknown => debug?.functions().map(({ name, ranges }) => [name, ranges]);
    assert.deepEqual(extents(split), extents(plain));
    const entry = split.debug?.functionsNamed('entry')[0].scope;
    assert.deepEqual(
      entry?.variables.map(({ name }) => name),
      ['calls'],
    );
    assert.match(split.debug?.problems[0] ?? '', /^variable at 0x.*ranges in location lists of a\.c are lost/);
  });

  it('tells of a damaged index of a package', () => {
    const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
    const info = new Uint8Array(4);
    // Version, columns, rows, slots; then a slot of 12 bytes, the kinds of columns, offsets and sizes.
    const cases: [RegExp, Uint8Array][] = [
      [/index of version 3/, words(3, 1, 0, 0)],
      [/debug_cu_index\+0x4: /, words(2, 0, 0xffffffff, 0)],
      [/debug_cu_index\+0x4: /, words(2, 33, 0, 0)],
      [/debug_cu_index\+0x4: /, words(5, 1, 1000, 1)],
      [/debug_info\.dwo/, words(5, 1, 1, 1, 0, 0, 0, 1, 2, 4)],
      [/debug_cu_index/, words(5)],
    ];
    for (const [wanted, index] of cases) {
      const problems: string[] = [];
      const options = { littleEndian: true, addressSize: 4, machine: 40, problems } as const;
      const file = new Map(Object.entries({ '.debug_cu_index': index, '.debug_info.dwo': info }));
      new SplitFiles(new Map(), [file], options, () => []);
      assert.equal(problems.length, 1, String(wanted));
      assert.match(problems[0], wanted);
    }
  });

  it('in the object itself', (t) => {
    const [path] = [requireTool(t, 'clang-14')];
    if (path === undefined) return;
    for (const options of ['-gdwarf-4', '-gdwarf-5']) {
      const compile = (more: string[], name: string): Program => {
        const all = ['--target=thumbv7m-none-eabi', options, '-O2', ...more, '-c', 'a.c', '-o', name];
        runTool(path, all, { cwd: folder });
        return Program.open(read(name));
      };
      assert.deepEqual(
        describeProgram(compile(['-gsplit-dwarf=single'], 'single.o')),
        describeProgram(compile([], 'plain.o')),
      );
    }
  });

  it('names the file that is not there, and takes none of another build', (t) => {
    if (!build(t, `${gcc} -g -O1 -gsplit-dwarf`, 'first') || !build(t, `${gcc} -g -O2 -gsplit-dwarf`, 'second')) return;
    for (const files of [[], [read('second-a.dwo'), read('first-b.dwo')]]) {
      const { debug } = Program.open(read('first.elf'), undefined, files);
      assert.match(
        debug?.problems.join('\n') ?? '',
        /first-a\.dwo \(compiled in .*, which is not there, damaged or of/,
      );
      assert.equal(debug?.missingSplitFiles.length, 2 - Math.min(files.length, 1));
      assert.deepEqual(
        debug.functionsNamed('second').map(({ name }) => name),
        files.length === 0 ? [] : ['second'],
      );
      assert.ok(debug.unitLines().length === 2);
    }
  });

  it('is found by a session: where it was compiled, beside the ELF, and in a package', async (t) => {
    const dwp = requireTool(t, 'llvm-dwp-14');
    const options = '-fno-pic -mlong-calls -ffreestanding -fno-builtin';
    if (dwp === undefined || !build(t, `${gcc} ${options} -gdwarf-4 -O0 -gsplit-dwarf`, 'session')) return;
    const move = (name: string): string => {
      const place = mkdtempSync(join(tmpdir(), 'split-'));
      writeFileSync(join(place, name), readFileSync(join(folder, name)));
      return place;
    };
    const argument = async (program: string): Promise<string> => {
      const adapter = new AdapterClient();
      try {
        await adapter.launchToStop({ program, args: [5], stopOnEntry: true, entry: 'entry' });
        const { result, type } = await adapter.evaluate('a');
        return `${type} ${result}`;
      } catch (error) {
        return String(error);
      } finally {
        await adapter.close();
      }
    };
    const wanted = 'int 5';
    assert.equal(await argument(join(folder, 'session.elf')), wanted);
    const beside = move('session.elf');
    runTool(dwp, ['session-a.dwo', 'session-b.dwo', '-o', join(beside, 'session.elf.dwp')], { cwd: folder });
    for (const name of ['session-a.dwo', 'session-b.dwo']) rmSync(join(folder, name));
    try {
      assert.equal(await argument(join(beside, 'session.elf')), wanted);
      assert.match(await argument(join(folder, 'session.elf')), /No symbol "a"|'a'/);
    } finally {
      rmSync(beside, { recursive: true });
    }
  });

  /** The base image of the examples, in a folder of its own, its entries left to a .dwo file there. */
  async function buildBase(t: TestContext, name: string): Promise<string | undefined> {
    if (requireTool(t, 'arm-none-eabi-gcc') === undefined) return undefined;
    const build = baseImageBuild(name);
    const place = mkdtempSync(join(folder, 'base-'));
    const output = 'zephyr.elf';
    await buildBaseImage({ ...build, output, flags: [...build.flags, '-gsplit-dwarf'] }, projectRoot, place, place);
    return join(place, output);
  }

  it('of a base image: functions, values and settings', async (t) => {
    const base = await buildBase(t, 'm3-macros');
    if (base === undefined) return;
    const open = async (path: string): Promise<BaseImageDescription> =>
      openBaseImage(
        { path, bytes: new Uint8Array(readFileSync(path)), files: nearbyFiles },
        { origin: 'zephyr.elf' },
        builtInBaseImage(),
      );
    const [split, plain] = [await open(base), await open(baseImagePath('m3-macros'))];
    assert.deepEqual(split.debug?.problems, []);
    assert.equal(split.kconfig.source, 'debug information');
    const facts = ({ kconfig, zephyrVersion, config, layoutFound, notes, exports }: BaseImageDescription): unknown => [
      [...kconfig.values].sort(),
      [zephyrVersion, config.layout, layoutFound, notes, exports.length],
    ];
    assert.deepEqual(facts(split), facts(plain));
    const adapter = new AdapterClient();
    try {
      const session = { program: examplePath('with-base/with_base.llext'), base, entry: 'entry', args: [14] };
      await adapter.launchToStop({ ...session, stopOnEntry: true });
      await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name: 'firmware_scale' }] });
      await adapter.run('continue');
      assert.equal((await adapter.topFrame()).name, 'firmware_scale');
      assert.equal((await adapter.evaluate('value * firmware_settings.gain')).result, '42');
    } finally {
      await adapter.close();
    }
  });

  it('of files of the command line: names of objects, functions of the coverage, places of checks', async (t) => {
    const [compiler, ...options] = `${gcc} -fno-pic -mlong-calls -ffreestanding -g -O0 -gsplit-dwarf -c`.split(' ');
    const compile = requireTool(t, compiler);
    if (compile === undefined) return;
    const exported = `struct counter { int low, high; };
struct counter kept;
int doubled(int a) { kept.high = a * 2; return kept.high; }
struct llext_const_symbol { const char *name; const void *address; };
const struct llext_const_symbol symbol __attribute__((section(".exported_sym"))) = { "doubled", doubled };
`;
    writeFileSync(join(folder, 'exported.c'), exported);
    runTool(compile, [...options, 'exported.c', '-o', 'exported.elf'], { cwd: folder });
    const path = join(folder, 'exported.elf');
    const text = { stdout: '', stderr: '' };
    const io = {
      stdout: { write: (part: string) => (text.stdout += part) },
      stderr: { write: (part: string) => (text.stderr += part) },
    };
    const lcov = join(folder, 'lcov.info');
    const asked = ['--watch', 'kept.high', '--coverage', 'lcov', '--output', lcov];
    assert.equal(await run([path, '--entry', 'doubled', '--arg', '5', ...asked], io), 0, text.stderr);
    assert.match(text.stderr, /kept\.high.* 10/);
    assert.match(readFileSync(lcov, 'utf8'), /^FN:3,doubled$/m);
    const input = { file: path, bytes: new Uint8Array(readFileSync(path)) };
    const { companions } = await findDebugFiles(path, input.bytes);
    assert.equal(companions.length, 1);
    const elf = ElfFile.parse(input.bytes);
    assert.equal(new SourcePlaces(elf, {}).ofSymbol('kept'), undefined);
    assert.match(new SourcePlaces(elf, { companions }).ofSymbol('kept')?.file.path ?? '', /exported\.c$/);
  });
});
