/** `llext run --watch` and `--who-wrote`: values as the C source of test/dap-programs/watched.c makes them, lines by their markers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../cli/run';
import { ElfFile } from '../lib/elf/elf-file';
import { markerLine } from './support/fixtures';

const programs = join(import.meta.dirname, 'dap-programs');
const at = (marker: string): string => `watched.c:${markerLine(join(programs, 'watched.c'), marker)}`;

async function runWatched(build: string, what: number, ...args: string[]): Promise<{ code: number; lines: string[] }> {
  let text = '';
  const take = { write: (part: string) => (text += part) };
  const file = join(programs, `watched.${build}.elf`);
  const code = await run([file, '--arg', String(what), ...args], { stdout: { write: () => undefined }, stderr: take });
  return { code, lines: text.trimEnd().split('\n') };
}

for (const build of ['m3-O0', 'm3-O2', 'rv32imac', 'rv64imac']) {
  test(`--watch tells each change with its writer (${build})`, async () => {
    const { code, lines } = await runWatched(build, 0, '--watch', 'counter');
    assert.equal(code, 0);
    assert.deepEqual(lines, [
      `counter: 1 -> 2, written by bump() at ${at('BUMP')}`,
      `counter: 2 -> 3, written by bump() at ${at('BUMP')}`,
      'entry returned 3 (0x3)',
    ]);
  });

  test(`elements and members, and what a function of the host writes (${build})`, async () => {
    const { lines } = await runWatched(
      build,
      2,
      '--watch',
      'table[3]',
      '--watch',
      'items[1].values[2]',
      '--watch',
      'text[4]',
    );
    assert.match(lines[0], /^table\[3\]: 0 -> 9, written by entry\(\) at watched\.c:/);
    assert.match(lines[1], /^items\[1\]\.values\[2\]: 0 -> 4, written by entry\(\) at watched\.c:/);
    assert.match(lines[2], /^text\[4\]: .* -> 111 'o', written by (memcpy|entry\(\) at watched\.c:\d+)$/);
  });

  test(`--who-wrote tells the last write, after the return (${build})`, async () => {
    const { code, lines } = await runWatched(build, 6, '--who-wrote', 'counter', '--who-wrote', 'table[0]');
    assert.equal(code, 0);
    assert.equal(lines[0], 'entry returned 1001 (0x3e9)');
    assert.equal(lines[1], `counter: 1000 -> 1001, written by bump() at ${at('BUMP')}`);
    assert.match(lines[2], /^table\[0\]: (nobody has written it since it was loaded|.* -> 0, written by the loader)$/);
  });
}

test('what is no object of its own is refused before anything runs', async () => {
  for (const [text, says] of [
    ['nonsense', /--watch: 'nonsense': No symbol "nonsense"/],
    ['counter + 1', /--watch: 'counter \+ 1' is no object in memory/],
    ['bits.low', /--watch: 'bits.low' is no object in memory of its own/],
    ['counter +', /--watch: 'counter \+'/],
    ['counter = 5', /--watch: 'counter = 5'/],
  ] as const) {
    const { code, lines } = await runWatched('m3-O0', 0, '--watch', text);
    assert.equal(code, 2, text);
    assert.match(lines.join('\n'), says);
  }
});

test('a file without readable debug information runs as long as nothing is watched', async () => {
  const file = join(programs, 'watched.m3-O0.elf');
  const bytes = readFileSync(file);
  const elf = ElfFile.parse(bytes);
  const section = elf.sections.find(({ name }) => name === '.debug_abbrev');
  assert.ok(section);
  bytes.fill(0xff, section.sh_offset, section.sh_offset + section.sh_size);
  const folder = mkdtempSync(join(tmpdir(), 'llext-watch-'));
  try {
    const damaged = join(folder, 'damaged.elf');
    writeFileSync(damaged, bytes);
    const quiet = { stdout: { write: () => undefined }, stderr: { write: () => undefined } };
    assert.equal(await run([damaged, '--arg', '0'], quiet), 0);
    assert.equal(await run([damaged, '--arg', '0', '--watch', 'no_such_name'], quiet), 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
