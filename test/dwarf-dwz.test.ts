/**
 * Debug information that dwz has made smaller: with what its units have in common in partial units, and (dwz -m) with what several programs
 * have in common in a supplementary file. It reads as the same program did before, and a file of another build is not taken.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { isLinked, supplementaryLink } from '../lib/dwarf/supplementary';
import { companionsOf } from '../lib/program/debug-companions';
import { Program } from '../lib/program/program';
import { nearbyFiles } from '../cli/nearby-files';
import { baseImagePath } from './support/base-images';
import { compareEntriesOf } from './support/compare-entries';
import { AdapterClient } from './support/dap-client';
import { describeProgram } from './support/describe-program';
import { examplePath } from './support/fixtures';
import { gcc, riscv, writeSources } from './support/split-build';
import { requireTool, runTool } from './support/tools';

const cpp = 'arm-none-eabi-g++ -mcpu=cortex-m3 -mthumb -w -fno-exceptions -fno-rtti';

const header = `
namespace outer {
  namespace inner { struct box { int w, h; enum kind { FIRST, SECOND } k; int area() const { return w * h; } }; }
  template <typename T> struct pair { T first, second; T sum() const { return first + second; } };
  inline int helper(const inner::box &b) { return b.area() + 1; }
}
using namespace outer::inner;
`;
const source = (entry: string): string => `#include "x.h"
box ${entry}_table[2];
int ${entry}(int a) { outer::pair<int> p = { a, 2 }; return outer::helper(${entry}_table[a & 1]) + p.sum(); }
`;

describe('debug information of dwz', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dwz-'));
    writeSources(folder);
    writeFileSync(join(folder, 'x.h'), header);
    for (const name of ['one', 'two']) writeFileSync(join(folder, `${name}.cc`), source(name));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (name: string): ElfFile => ElfFile.parse(new Uint8Array(readFileSync(join(folder, name))));

  /** <name>.elf of some sources, and <name>.plain.elf, which stays as it is. */
  function build(t: TestContext, command: string, name: string, sources: readonly string[]): boolean {
    const [compiler, ...options] = command.split(' ');
    const isRiscv = compiler.startsWith('riscv');
    const [path, ld] = [
      requireTool(t, compiler),
      requireTool(t, `${isRiscv ? 'riscv64-unknown-elf' : 'arm-none-eabi'}-ld`),
    ];
    if (path === undefined || ld === undefined) return false;
    const objects = sources.map((file) => {
      const object = `${name}-${file}.o`;
      runTool(path, [...options, '-c', file, '-o', object], { cwd: folder });
      return object;
    });
    const emulation = isRiscv ? ['-melf32lriscv'] : [];
    const link = [...emulation, '--unresolved-symbols=ignore-all', '-Ttext=0x10000', '-e0'];
    runTool(ld, [...link, ...objects, '-o', `${name}.plain.elf`], { cwd: folder });
    copyFileSync(join(folder, `${name}.plain.elf`), join(folder, `${name}.elf`));
    return true;
  }

  /** Moves what first.elf and second.elf have in common to <common>. */
  function share(dwz: string, common: string, ...options: string[]): void {
    runTool(dwz, [...options, '-m', common, '-M', common, 'first.elf', 'second.elf'], { cwd: folder });
  }

  const builds: readonly (readonly [command: string, ...options: string[]])[] = [
    [`${gcc} -gdwarf-4 -g3`],
    [`${riscv} -gdwarf-5 -g3`, '--dwarf-5'],
  ];

  for (const [command, ...options] of builds) {
    it(`with a supplementary file: ${command} ${options.join(' ')}`, (t) => {
      const dwz = requireTool(t, 'dwz');
      const sources = ['a.c', 'b.c'];
      if (dwz === undefined) return;
      if (!build(t, `${command} -O1`, 'first', sources) || !build(t, `${command} -O2`, 'second', sources)) return;
      share(dwz, 'common.dwz', ...options);
      for (const name of ['first', 'second']) {
        const found = Program.open(read(`${name}.elf`), undefined, [read('common.dwz')]);
        assert.deepEqual(describeProgram(found), describeProgram(Program.open(read(`${name}.plain.elf`))));
        assert.ok(found.debug?.units.every(({ isPartial }) => isPartial !== true));
      }
    });
  }

  it('with partial units, whose entries are as llvm-dwarfdump shows them', (t) => {
    const [dwz, dwarfdump] = [requireTool(t, 'dwz'), requireTool(t, 'llvm-dwarfdump-14')];
    if (dwz === undefined || dwarfdump === undefined) return;
    if (!build(t, `${cpp} -gdwarf-5 -O1`, 'cpp', ['one.cc', 'two.cc'])) return;
    runTool(dwz, ['-L', 'none', 'cpp.elf'], { cwd: folder });
    const dwzed = Program.open(read('cpp.elf'));
    assert.ok(dwzed.debug?.units.some(({ isPartial }) => isPartial === true));
    assert.deepEqual(cppFacts(dwzed), cppFacts(Program.open(read('cpp.plain.elf'))));
    assert.ok(compareEntriesOf(dwarfdump, join(folder, 'cpp.elf')) > 100);
  });

  /** Names that need the language of the importing unit, and its using directives. */
  function cppFacts({ debug, lines }: Program): unknown {
    assert.ok(debug);
    assert.deepEqual(debug.problems, []);
    const box = debug.typeNamed('any', 'outer::inner::box');
    const facts = {
      functions: debug
        .functions()
        .map(({ name, entryPc, declaration }) => `${name} ${entryPc} ${declaration?.line}`)
        .sort(),
      types: [box?.displayName, box?.byteSize, debug.typeNamed('any', 'outer::pair<int>')?.byteSize],
      enumerator: debug.enumeratorNamed('outer::inner::box::SECOND')?.enumerator.value,
      // After the declarations, which are in the tables of partial units.
      blocks: debug.functions().map(({ entryPc }) => {
        const block = lines?.blockAt(entryPc);
        return `${block?.start} ${block?.end} ${block?.line} ${block?.file.path.replace(/^.*\//, '')}`;
      }),
      used: debug.functionsNamed('one').map(({ unit }) => debug.usedNamespaces(unit)),
    };
    assert.deepEqual(facts.used, [['outer::inner']]);
    assert.deepEqual(facts.types, ['outer::inner::box', 12, 8]);
    return facts;
  }

  it('C++ with a supplementary file', (t) => {
    const dwz = requireTool(t, 'dwz');
    const sources = ['one.cc', 'two.cc'];
    if (
      dwz === undefined ||
      !build(t, `${cpp} -g -O0`, 'first', sources) ||
      !build(t, `${cpp} -g -O1`, 'second', sources)
    )
      return;
    share(dwz, 'common.dwz', '-L', 'none');
    for (const name of ['first', 'second']) {
      const dwzed = Program.open(read(`${name}.elf`), undefined, [read('common.dwz')]);
      assert.deepEqual(cppFacts(dwzed), cppFacts(Program.open(read(`${name}.plain.elf`))));
    }
  });

  it('is found beside the ELF, by path and by build-id; else its name and what to do are said', async (t) => {
    const dwz = requireTool(t, 'dwz');
    if (dwz === undefined || !build(t, `${gcc} -g -O1`, 'first', ['a.c', 'b.c'])) return;
    copyFileSync(join(folder, 'first.elf'), join(folder, 'second.elf'));
    share(dwz, 'kept.dwz');
    const elf = read('first.elf');
    const wanted = describeProgram(Program.open(read('first.plain.elf')));
    const found = async (path: string): Promise<Program> =>
      Program.open(elf, undefined, await companionsOf(elf, path, nearbyFiles));
    assert.deepEqual(describeProgram(await found(join(folder, 'first.elf'))), wanted);

    const place = mkdtempSync(join(folder, 'place-'));
    const path = join(place, 'first.elf');
    const { debug } = await found(path);
    const [problem] = debug?.problems ?? [];
    const said = /supplementary file kept\.dwz \(build-id ([0-9a-f]{40})\), which dwz .* put it .*beside the ELF/;
    const [, id] = said.exec(problem) ?? assert.fail(problem);
    assert.equal(debug?.missingSupplementary?.name, 'kept.dwz');
    // Lines are known; what is in the file says where it is.
    assert.deepEqual(debug.unitLines().length, 2);
    assert.equal(debug.typeNamed('struct', 'point'), undefined);
    assert.match(debug.problems.join('\n'), /it is in the supplementary file kept\.dwz, which is not there/);

    const byId = join(place, '.build-id', id.slice(0, 2), `${id.slice(2)}.debug`);
    mkdirSync(dirname(byId), { recursive: true });
    copyFileSync(join(folder, 'kept.dwz'), byId);
    assert.deepEqual(describeProgram(await found(path)), wanted);
    rmSync(byId);

    // One of another build, in the right place.
    if (!build(t, `${gcc} -g -O2 -DLIMIT=3`, 'first', ['a.c', 'b.c'])) return;
    copyFileSync(join(folder, 'first.elf'), join(folder, 'second.elf'));
    share(dwz, 'other.dwz');
    copyFileSync(join(folder, 'other.dwz'), join(place, 'kept.dwz'));
    assert.match((await found(path)).debug?.problems[0] ?? '', said);
    writeFileSync(join(place, 'kept.dwz'), 'damaged');
    assert.match((await found(path)).debug?.problems[0] ?? '', said);
  });

  it('reads .debug_sup and .gnu_debugaltlink, and no link where there is none', () => {
    const text = (value: string): number[] => [...Buffer.from(value, 'latin1')];
    const sections = (name: string, bytes: number[]): Map<string, Uint8Array> =>
      new Map([[name, Uint8Array.from(bytes)]]);
    const link = { name: 'a.dwz', id: 'abcd' };
    const sup = (isSupplementary: number, version = 5): number[] => [
      ...[version, 0, isSupplementary],
      ...text('a.dwz\0'),
      ...[2, 0xab, 0xcd],
    ];
    assert.deepEqual(supplementaryLink(sections('.gnu_debugaltlink', [...text('a.dwz\0'), 0xab, 0xcd]), true), link);
    assert.deepEqual(supplementaryLink(sections('.debug_sup', sup(0)), true), { ...link, isSupplementary: false });
    assert.equal(supplementaryLink(sections('.debug_sup', sup(1)), true), undefined);
    assert.equal(supplementaryLink(new Map(), true), undefined);
    assert.throws(() => supplementaryLink(sections('.debug_sup', sup(0, 4)), true), /\.debug_sup of version 4/);
    assert.ok(isLinked(sections('.debug_sup', sup(1)), true, link));
    assert.ok(!isLinked(sections('.debug_sup', sup(0)), true, link));
    // Another note before the one of the build.
    const notes = [
      4,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      9,
      0,
      0,
      0,
      ...text('GNU\0'),
      7,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      3,
      0,
      0,
      0,
    ];
    const note = sections('.note.gnu.build-id', [...notes, ...text('GNU\0'), 0xab, 0xcd]);
    assert.ok(isLinked(note, true, link));
    assert.ok(!isLinked(note, true, { ...link, id: 'ab' }));
    assert.ok(!isLinked(sections('.note.gnu.build-id', notes.slice(0, 30)), true, link));
  });

  it('of a base image in a session', async (t) => {
    const dwz = requireTool(t, 'dwz');
    if (dwz === undefined) return;
    const place = mkdtempSync(join(folder, 'base-'));
    for (const name of ['first', 'second']) copyFileSync(baseImagePath('m3'), join(place, `${name}.elf`));
    runTool(dwz, ['-m', 'common.dwz', '-M', 'common.dwz', 'first.elf', 'second.elf'], { cwd: place });
    const adapter = new AdapterClient();
    try {
      const program = examplePath('with-base/with_base.llext');
      const session = { program, base: join(place, 'first.elf'), entry: 'entry', args: [14] };
      await adapter.launchToStop({ ...session, stopOnEntry: true });
      await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name: 'firmware_scale' }] });
      await adapter.run('continue');
      const { result, type } = await adapter.evaluate('value * firmware_settings.gain');
      assert.deepEqual([result, type], ['42', 'int']);
      assert.doesNotMatch(adapter.output('important'), /cannot be read/);
    } finally {
      await adapter.close();
    }
  });
});
