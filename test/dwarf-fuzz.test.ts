/**
 * Damaged debug information: seeded mutations of the sections of real extensions, and of whole files. Whatever the
 * bytes, nothing but problems and FormatError may come of it, and it must come soon.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DebugInfo } from '../lib/dwarf/debug-info';
import type { LocationDescription, Scope, Type } from '../lib/dwarf/model';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { readDebugSections } from '../lib/program/debug-sections';
import { allWhole } from './support/whole-sections';
import { LoadedProgram } from '../lib/program/loaded-program';
import { Program } from '../lib/program/program';
import { projectRoot } from './support/fixtures';
import { truthCase, truthElf } from './support/gdb-truth';
import { buildSplit, clang, gcc, writeSources } from './support/split-build';
import { requireTool, runTool } from './support/tools';

const seed = Number(process.env['FUZZ_SEED'] ?? 20250117);
const milliseconds = Number(process.env['FUZZ_MS'] ?? 2500);
/** A single damaged input may not take longer, on a slow machine. */
const longest = 5000;

/** mulberry32: small, seeded, good enough to pick bytes. */
function randomNumbers(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0xc0];

function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  for (let n = 1 + random(6); n > 0 && bytes.length > 0; n--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = interesting[random(interesting.length)];
    else if (kind === 2) bytes[at] ^= 1 << random(8);
    else bytes.copyWithin(at, random(bytes.length), random(bytes.length));
  }
}

class Visitor {
  private readonly types = new Set<Type>();

  visit(debug: DebugInfo): void {
    const pcs = new Set<bigint>([0n, 0x10000n, 0x10010n]);
    for (const found of debug.functions()) {
      void [found.name, found.linkageName, found.external, found.declaration, found.unit.name, found.callSites];
      this.type(found.returnType);
      this.location(found.frameBase);
      this.scope(found.scope);
      pcs.add(found.entryPc);
    }
    for (const variable of debug.globals()) this.type(variable.type);
    for (const pc of pcs) void [debug.scopesAt(pc), debug.rowAt(pc), debug.cfiAt(pc), debug.unitAt(pc)];
    void [debug.files, debug.cfiRows(), debug.typeNamed('struct', 'box'), debug.enumeratorNamed('RED')];
    for (const unit of debug.units)
      void [debug.hasLocationLists(unit), debug.usedNamespaces(unit), debug.globalsOf(unit)];
    void [
      debug.filesWithCode(),
      debug.globalNames(),
      debug.functionsNamed('entry'),
      debug.globalsNamed('motion::origin'),
    ];
    void [debug.typeNamed('any', 'motion::Point'), debug.enumeratorNamed('motion::Axis::Y'), debug.rowAt(0x10010n)];
    assert.ok(debug.problems.every((problem) => typeof problem === 'string'));
  }

  private scope(scope: Scope): void {
    for (const { type, location, name } of scope.variables) {
      assert.equal(typeof name, 'string');
      this.type(type);
      this.location(location);
    }
    scope.children.forEach((child) => this.scope(child));
  }

  private location(location: LocationDescription | undefined): void {
    if (location?.kind !== 'list') return;
    for (const { range } of location.entries) assert.ok(range.start <= range.end);
  }

  private type(type: Type): void {
    if (this.types.has(type)) return;
    this.types.add(type);
    void [type.displayName, type.byteSize, type.declaration];
    if ('target' in type) this.type(type.target);
    if ('element' in type) this.type(type.element);
    if ('members' in type) type.members.forEach((member) => this.type(member.type));
    if ('parameters' in type) [type.returnType, ...type.parameters].forEach((each) => this.type(each));
  }
}

const names = [
  'shapes.m3-O0',
  'shapes.m3-O2-dwarf4',
  'shapes.m3clang-Os',
  'deep.m3-Os',
  'inlines.m3-O2',
  'deep.m3clang-O2',
];

/** The recorded programs in C, and those in C++. */
function originalFiles(): ElfFile[] {
  const cpp = ['m3-Og', 'm3-O2'].map((variant) => join(projectRoot, 'test/cpp', `classes.${variant}.elf`));
  return [
    ...names.map((name) => truthElf(truthCase(name))),
    ...cpp.map((path) => ElfFile.parse(new Uint8Array(readFileSync(path)))),
  ];
}

/** undefined: refused. */
function parsed(bytes: Uint8Array): ElfFile | undefined {
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Runs `attempt` with seeded generators until the time is over; the seed of a failure is in its message. */
function repeat(budget: number, attempt: (random: (below: number) => number) => void): number {
  const end = Date.now() + budget;
  let runs = 0;
  while (Date.now() < end) {
    const started = Date.now();
    try {
      attempt(randomNumbers(seed + runs));
    } catch (error) {
      throw new Error(`seed ${seed + runs}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
    }
    assert.ok(Date.now() - started < longest, `seed ${seed + runs} took ${Date.now() - started} ms`);
    runs++;
  }
  return runs;
}

test('a unit whose abbreviations are nowhere is empty', () => {
  const sections = allWhole(
    readDebugSections(truthElf(truthCase('shapes.m3-O0')), (index) => 0x10000n * BigInt(index)),
  );
  const info = new Uint8Array(sections.get('.debug_info') ?? []);
  sections.set('.debug_info', info);
  // debug_abbrev_offset of a unit of version 5 (7.5.1.1).
  new DataView(info.buffer).setUint32(8, 0x80000, true);
  const debug = new DebugInfo(sections, { littleEndian: true, addressSize: 4, machine: 40 });
  assert.deepEqual(debug.units.at(0) && debug.globalsOf(debug.units[0]), []);
  assert.equal(debug.globals.length, 0);
  assert.match(debug.problems.join('\n'), /\.debug_abbrev\+0x80000/);
});

test('mutated debug sections give problems and nothing else', (t) => {
  const originals = originalFiles().map((elf) => {
    return allWhole(readDebugSections(elf, (index) => 0x10000n * BigInt(index)));
  });
  const runs = repeat(milliseconds, (random) => {
    const original = originals[random(originals.length)];
    const sections = new Map([...original].map(([name, bytes]) => [name, bytes.slice()]));
    const mutable = [...sections.values()].filter(({ length }) => length > 0);
    mutate(mutable[random(mutable.length)], random);
    new Visitor().visit(new DebugInfo(sections, { littleEndian: true, addressSize: 4, machine: 40 }));
  });
  t.diagnostic(`${runs} inputs from seed ${seed}`);
});

test('mutated files open as programs, or are refused with FormatError', (t) => {
  const originals = originalFiles().map(({ bytes }) => bytes);
  const runs = repeat(milliseconds / 2, (random) => {
    const bytes = originals[random(originals.length)].slice();
    mutate(bytes, random);
    const elf = parsed(bytes);
    if (elf === undefined) return;
    const program = Program.open(elf);
    const placements = new Map(program.sections.map(({ index, address }) => [index, address]));
    const loaded = new LoadedProgram(program, { id: 1, name: 'fuzz' }, placements);
    void [program.symbols.length, program.warnings.length, loaded.symbolNamed('entry')];
    const [file] = program.debug?.files ?? [];
    for (const { address } of program.sections) {
      void [loaded.sourceAt(address), loaded.symbolAt(address), loaded.bodyStart(address), loaded.codeKindAt(address)];
    }
    if (file !== undefined) for (const line of [1, 30, 60, 90]) loaded.breakpointLocations(file, line);
  });
  t.diagnostic(`${runs} inputs from seed ${seed}`);
});

interface SplitProgram {
  readonly main: Uint8Array;
  /** Its .dwo files, a .dwp of them, or its supplementary file. */
  readonly files: readonly Uint8Array[];
}

/** Of both versions, with type units in both of their places. */
const splitBuilds = [
  `${gcc} -gdwarf-4 -O2 -fdebug-types-section`,
  `${gcc} -gdwarf-5 -O2 -fdebug-types-section -ffunction-sections`,
  `${clang} -gdwarf-5 -O1 -fdebug-types-section`,
];

function splitPrograms(t: TestContext, folder: string): SplitProgram[] {
  const dwp = requireTool(t, 'llvm-dwp-14');
  if (dwp === undefined) return [];
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
  writeSources(folder);
  return splitBuilds.flatMap((command, number) => {
    const name = `split${number}`;
    if (!buildSplit(t, folder, `${command} -gsplit-dwarf`, name)) return [];
    const main = read(`${name}.elf`);
    const dwos = [`${name}-a.dwo`, `${name}-b.dwo`];
    const asFiles = { main, files: dwos.map(read) };
    // llvm-dwp 14 may not end with what GCC writes of DWARF 5.
    if (number === 1) return [asFiles];
    runTool(dwp, [...dwos, '-o', `${name}.dwp`], { cwd: folder });
    return [asFiles, { main, files: [read(`${name}.dwp`)] }];
  });
}

/** One whose entries, strings and macros are mostly in a supplementary file. */
function sharedProgram(t: TestContext, folder: string): SplitProgram[] {
  const [dwz, ld] = [requireTool(t, 'dwz'), requireTool(t, 'arm-none-eabi-ld')];
  if (dwz === undefined || ld === undefined || !buildSplit(t, folder, `${gcc} -g3 -O1`, 'joined')) return [];
  for (const name of ['first.elf', 'second.elf']) {
    const options = ['--unresolved-symbols=ignore-all', '-Ttext=0x10000', '-e0'];
    runTool(ld, [...options, 'joined.elf', '-o', name], { cwd: folder });
  }
  runTool(dwz, ['-m', 'common.dwz', '-M', 'common.dwz', 'first.elf', 'second.elf'], { cwd: folder });
  const [main, common] = ['first.elf', 'common.dwz'].map((name) => new Uint8Array(readFileSync(join(folder, name))));
  return [{ main, files: [common] }];
}

/** Parts of a file that hold split debug information, and the whole. */
function mutableParts(bytes: Uint8Array): Uint8Array[] {
  const sections = ElfFile.parse(bytes).sections.filter(({ name, sh_size }) => /^\.debug_/.test(name) && sh_size > 0n);
  const parts = sections.map(({ sh_offset, sh_size }) =>
    bytes.subarray(Number(sh_offset), Number(sh_offset + sh_size)),
  );
  return [...parts, bytes];
}

test('mutated .dwo, .dwp and supplementary files give problems and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dwarf-fuzz-'));
  try {
    const originals = [...splitPrograms(t, folder), ...sharedProgram(t, folder)];
    if (originals.length === 0) return;
    let damaged = 0;
    const runs = repeat(milliseconds / 2, (random) => {
      const original = originals[random(originals.length)];
      const all = [original.main, ...original.files].map((bytes) => bytes.slice());
      // The program's own file has what belongs to a .dwo together with it, and is damaged less often.
      const target = all[random(4) === 0 ? 0 : 1 + random(all.length - 1)];
      const parts = mutableParts(target);
      mutate(parts[random(parts.length)], random);
      const elfs = all.flatMap((bytes) => parsed(bytes) ?? []);
      if (elfs.length < all.length) return;
      const { debug } = Program.open(elfs[0], undefined, elfs.slice(1));
      // Where the names of sections are damaged there may be no debug information.
      if (debug === undefined) return;
      new Visitor().visit(debug);
      if (debug.problems.length > 0) damaged++;
    });
    // Unharmed, they are read without problems: not the originals are what is damaged.
    for (const { main, files } of originals) {
      const { debug } = Program.open(
        ElfFile.parse(main),
        undefined,
        files.map((file) => ElfFile.parse(file)),
      );
      assert.ok(debug);
      new Visitor().visit(debug);
      assert.deepEqual([debug.problems, debug.functionsNamed('entry').length], [[], 1]);
    }
    t.diagnostic(`${runs} inputs from seed ${seed}, ${damaged} with problems`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
