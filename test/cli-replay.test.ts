/** llext run --record and --replay: the same instructions, output and end; what is not the same is named. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../cli/run';
import { examplePath } from './support/fixtures';

async function llext(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const io = {
    stdout: { write: (part: string) => (text.stdout += part) },
    stderr: { write: (part: string) => (text.stderr += part) },
  };
  return { code: await run(args, io), ...text };
}

test('a recorded run is replayed bit for bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llext-replay-'));
  try {
    for (const program of ['hello/hello.llext', 'init-fini/init_fini.llext', 'faulting/faulting.llext']) {
      const file = join(folder, 'recording.json');
      const first = await llext(examplePath(program), '--seed', '7', '--record', file);
      const again = await llext('--replay', file);
      assert.equal(again.stdout, first.stdout);
      assert.equal(again.stderr, `${first.stderr}as recorded\n`);
      assert.equal(again.code, first.code);
      assert.ok(readFileSync(file).length < 2000, 'the file is small');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a run with memory checked is replayed with memory checked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llext-replay-'));
  try {
    const file = join(folder, 'recording.json');
    const program = join(import.meta.dirname, 'safety-programs', 'unsafe.m3-O2.elf');
    const first = await llext(program, '--arg', '2', '--check-memory', '--record', file);
    assert.match(first.stderr, /which is freed/);
    const again = await llext('--replay', file);
    assert.equal(again.stderr, `${first.stderr}as recorded\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what differs is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llext-replay-'));
  try {
    const file = join(folder, 'recording.json');
    await llext(examplePath('hello/hello.llext'), '--record', file);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/"instructions": \d+/, '"instructions": 5'));
    const other = await llext('--replay', file);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /not as recorded:\n {2}instructions: recorded 5, now \d+/);
    writeFileSync(file, text.replace(/"sha256": "./, '"sha256": "x'));
    const changed = await llext('--replay', file);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /hello\.llext is not the file that was recorded/);
    writeFileSync(file, text.replace('"version": 2', '"version": 99'));
    assert.match((await llext('--replay', file)).stderr, /has version 99/);
    const broken = [
      '{}',
      'null',
      '[',
      text.replace('"arguments": []', '"arguments": ["x"]'),
      text.replace('"path"', '"p"'),
    ];
    for (const content of broken) {
      writeFileSync(file, content);
      assert.match((await llext('--replay', file)).stderr, /is not a recording/, content);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
