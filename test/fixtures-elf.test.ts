/**
 * The committed extensions themselves: built from their sources as they are, loadable by the rules of the loader of
 * 4.2 (specification 1.5 and 1.6, applied here to readelf's output), and free of the building machine's paths.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { baseImageBuilds } from '../scripts/base-image-builds';
import { compilerVersions, differingFixtures } from '../scripts/build-fixtures';
import { allExtensionPaths, exampleBuilds, fixtureSource, markerLine, projectRoot } from './support/fixtures';
import { riscvExtensionPaths, testFixtureBuilds } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

interface Section {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
  readonly size: number;
  readonly flags: string;
}

function readSections(readelf: string, path: string): Section[] {
  const row =
    /^ +\[ *\d+\] (\S+) +(\S+) +[0-9a-f]{8} ([0-9a-f]{6}) ([0-9a-f]{6}) [0-9a-f]{2} +([A-Za-z]*) +\d+ +\d+ +\d+$/;
  return runTool(readelf, ['-SW', path])
    .split('\n')
    .flatMap((line) => {
      const match = row.exec(line);
      if (match === null) return [];
      const [, name, type, offset, size, flags] = match;
      return [{ name, type, offset: parseInt(offset, 16), size: parseInt(size, 16), flags }];
    });
}

/** Specification 1.5: the region of a section, undefined for one that is in none. */
function regionOf(section: Section): string | undefined {
  if (section.size === 0 || !section.flags.includes('A')) return undefined;
  if (section.name === '.exported_sym') return 'EXPORT';
  switch (section.type) {
    case 'NOBITS':
      return 'BSS';
    case 'PREINIT_ARRAY':
    case 'INIT_ARRAY':
    case 'FINI_ARRAY':
      return section.type;
    case 'PROGBITS':
      if (section.flags.includes('X')) return 'TEXT';
      return section.flags.includes('W') ? 'DATA' : 'RODATA';
    default:
      return `unmapped ${section.type}`;
  }
}

/** What the loader would refuse; empty when it takes the file. */
function refusals(sections: readonly Section[]): string[] {
  const problems: string[] = [];
  const regions = new Map<string, Section[]>();
  for (const section of sections) {
    const region = regionOf(section);
    if (region === undefined) continue;
    if (region.startsWith('unmapped')) problems.push(`${section.name} is allocated, and ${region}`);
    regions.set(region, [...(regions.get(region) ?? []), section]);
  }
  for (const [region, members] of regions) {
    const single = region === 'BSS' || region.endsWith('_ARRAY');
    if (single && members.length > 1) problems.push(`${members.length} sections in ${region}`);
    const writable = new Set(members.map((section) => section.flags.replace(/[^WAX]/g, '')));
    if (writable.size > 1) problems.push(`different flags in ${region}`);
  }
  const spans = [...regions]
    .filter(([region]) => region !== 'EXPORT' && region !== 'BSS')
    .map(([region, members]) => ({
      region,
      start: Math.min(...members.map((section) => section.offset)),
      end: Math.max(...members.map((section) => section.offset + section.size)),
    }))
    .sort((a, b) => a.start - b.start);
  for (let i = 1; i < spans.length; i++) {
    if (spans[i].start < spans[i - 1].end) problems.push(`${spans[i - 1].region} and ${spans[i].region} interleave`);
  }
  return problems;
}

test('every extension passes the region rules of the loader', (t) => {
  const readelf = requireTool(t, 'arm-none-eabi-readelf');
  if (readelf === undefined) return;
  const refused = allExtensionPaths().flatMap((path) =>
    refusals(readSections(readelf, path)).map((problem) => `${relative(projectRoot, path)}: ${problem}`),
  );
  assert.deepEqual(refused, []);
});

test('the rules find what the loader refuses', () => {
  const section = (name: string, type: string, offset: number, size: number, flags: string): Section => ({
    name,
    type,
    offset,
    size,
    flags,
  });
  const text = section('.text', 'PROGBITS', 0x34, 0x10, 'AX');
  const data = section('.data', 'PROGBITS', 0x44, 0x10, 'WA');
  assert.deepEqual(refusals([text, data]), []);
  assert.equal(refusals([text, data, section('.text.hot', 'PROGBITS', 0x54, 4, 'AX')]).length, 1);
  assert.equal(refusals([text, section('.ARM.exidx', 'ARM_EXIDX', 0x44, 8, 'AL')]).length, 1);
  assert.equal(refusals([section('.bss', 'NOBITS', 8, 4, 'WA'), section('.noinit', 'NOBITS', 8, 4, 'WA')]).length, 1);
});

test('no extension names a folder of the machine that built it', () => {
  const named = [...allExtensionPaths(), ...riscvExtensionPaths()].filter((path) => {
    const text = readFileSync(path, 'latin1');
    return text.includes(projectRoot) || /\/(tmp|home|root|usr)\//.test(text);
  });
  assert.deepEqual(named, []);
});

test('the committed extensions are small', () => {
  const total = [...allExtensionPaths(), ...riscvExtensionPaths()].reduce((sum, path) => sum + statSync(path).size, 0);
  assert.ok(total < 3 * 1024 * 1024, `${total} bytes`);
});

test('every ELF in the repository belongs to a build', () => {
  const listed = execFileSync('git', ['ls-files', '*.elf', '*.llext'], { cwd: projectRoot, encoding: 'utf8' });
  const tracked = listed.split('\n').filter((path) => /^(examples|test\/fixtures)\//.test(path));
  const bases = baseImageBuilds.map(({ output }) => join(projectRoot, output));
  const built = new Set([...allExtensionPaths(), ...riscvExtensionPaths(), ...bases]);
  assert.deepEqual(
    tracked.filter((path) => !built.has(join(projectRoot, path))),
    [],
  );
});

test('every test fixture has a marked line', () => {
  for (const build of testFixtureBuilds.filter((candidate) => candidate.name !== 'faults')) {
    assert.ok(markerLine(fixtureSource(build.name), 'BP1') > 0);
  }
  assert.throws(() => markerLine(fixtureSource('calls'), 'NONE'), /has no line/);
});

test('an example is the ELF with debug information or comes with one', () => {
  for (const build of exampleBuilds) {
    assert.equal(build.stripped !== undefined, build.output.endsWith('_ext_debug.elf'), build.output);
  }
});

test('rebuilding gives the same bytes', { timeout: 120_000 }, async (t) => {
  const gcc = requireTool(t, 'arm-none-eabi-gcc');
  const clang = requireTool(t, 'clang-14');
  if (gcc === undefined || clang === undefined) return;
  const versions = {
    gcc: runTool(gcc, ['-dumpfullversion']).trim(),
    clang: runTool(clang, ['-dumpversion']).trim(),
  };
  if (
    process.env['CI'] !== 'true' &&
    (versions.gcc !== compilerVersions.gcc || versions.clang !== compilerVersions.clang)
  ) {
    t.skip(
      `needs gcc ${compilerVersions.gcc} and clang ${compilerVersions.clang}, not ${versions.gcc} and ${versions.clang}`,
    );
    return;
  }
  assert.deepEqual(await differingFixtures(), []);
});
