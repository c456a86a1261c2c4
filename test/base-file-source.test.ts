/**
 * Files that are read in parts: what is read is what is in the file, whatever way it is asked for; a file that changes under the
 * reader is refused from then on; and of every ELF file of the fixtures the parts give what the whole gives.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLarge, openSource } from '../debug-adapter/file-source';
import { type ByteSource, bytesOf, PartOfSource, Passing, Pieces, Scratch } from '../lib/byte-source';
import { ByteReader, stringIn } from '../lib/bytes';
import { FormatError } from '../lib/errors';
import { Random } from './support/random';

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'file-source-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function large(path: string): ByteSource {
  const source = openLarge(path, 0);
  assert.ok(source, `${path} is read whole`);
  return source;
}

/** Until a look at the file is due again. */
function waitForCheck(): void {
  const begin = performance.now();
  while (performance.now() - begin < 10);
}

const contents = Uint8Array.from({ length: 10_000 }, (_, n) => (n * 7 + (n >> 8)) % 256);

test('any range of a file, in pieces and parts, is what stands there', () => {
  inFolder((folder) => {
    const path = join(folder, 'data');
    writeFileSync(path, contents);
    const numbers = new Random(11);
    const random = (limit: number): number => numbers.below(limit);
    const file = large(path);
    const sources: readonly (readonly [ByteSource, number])[] = [
      [file, 0],
      [new Pieces(file, 64), 0],
      [new PartOfSource(new Pieces(file, 512), 1000, 7000), 1000],
      [new Pieces(new PartOfSource(file, 1000, 7000), 100), 1000],
      [new Passing(new PartOfSource(file, 1, 9999), 3000), 1],
    ];
    const scratch = new Scratch();
    for (let n = 0; n < 2000; n++) {
      const [source, first] = sources[random(sources.length)];
      const start = random(source.length);
      const end = start + random(Math.min(source.length - start, n % 3 === 0 ? 5000 : 40) + 1);
      const found = bytesOf(source, start, end, n % 2 === 0 ? scratch : undefined);
      assert.deepEqual(Buffer.from(found), Buffer.from(contents.subarray(first + start, first + end)));
    }
  });
});

test('a reader of a file gives what a reader of the same bytes gives', () => {
  inFolder((folder) => {
    const path = join(folder, 'data');
    writeFileSync(path, contents);
    const numbers = new Random(12);
    const random = (limit: number): number => numbers.below(limit);
    const readers = [new ByteReader(contents, true), new ByteReader(new Pieces(large(path), 32), true)];
    const reads: readonly ((reader: ByteReader, length: number) => unknown)[] = [
      (reader) => reader.u8(),
      (reader) => reader.i16(),
      (reader) => reader.u32(),
      (reader) => reader.i64(),
      (reader) => reader.uleb(),
      (reader) => reader.sleb(),
      (reader) => reader.cstring(),
      (reader, length) => Buffer.from(reader.take8(length)).toString('hex'),
      (reader, length) => reader.unsigned(1 + (length % 8)),
    ];
    for (let n = 0; n < 3000; n++) {
      const [offset, end, length, which] = [random(10_000), random(10_001), random(200), random(reads.length)];
      const outcome = readers.map((reader) => {
        const at = reader.at(offset, n % 2 === 0 ? end : undefined);
        if (n % 5 === 0) at.prefetch(offset + length);
        try {
          return [reads[which](at, length), at.offset];
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          return [error.message, at.offset];
        }
      });
      assert.deepEqual(outcome[1], outcome[0]);
    }
    for (const offset of [0, 5, 9_990, 9_999, 10_000]) {
      assert.equal(stringIn(new Pieces(large(path), 16), offset), stringIn(new Pieces(large(path), 10_000), offset));
    }
  });
});

test('a file that is written over, grows or shrinks is refused; one that is replaced stays what it was', () => {
  const changes: Readonly<Record<string, (path: string) => void>> = {
    'written over': (path) => {
      writeFileSync(
        path,
        contents.map((byte) => byte ^ 1),
      );
      utimesSync(path, 1, 1);
    },
    grown: (path) => appendFileSync(path, 'x'),
    shorter: (path) => writeFileSync(path, 'short'),
  };
  for (const [what, change] of Object.entries(changes)) {
    inFolder((folder) => {
      const path = join(folder, 'data');
      writeFileSync(path, contents);
      const source = large(path);
      source.window(0, 10);
      change(path);
      waitForCheck();
      const isRefused = (error: unknown): boolean =>
        error instanceof FormatError && error.code === 'file-changed' && error.message.startsWith(`${path}+0x`);
      assert.throws(() => source.window(5000, 5010), isRefused, what);
      // And from then on, even what would look right.
      assert.throws(() => source.window(0, 4), isRefused, what);
    });
  }
  inFolder((folder) => {
    const path = join(folder, 'data');
    writeFileSync(path, contents);
    const source = large(path);
    writeFileSync(join(folder, 'new'), 'another build');
    renameSync(join(folder, 'new'), path);
    waitForCheck();
    assert.deepEqual(Buffer.from(bytesOf(source, 9000, 9100)), Buffer.from(contents.subarray(9000, 9100)));
  });
});

test('a small file is read whole, and one that is not there says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-source-'));
  try {
    const path = join(folder, 'data');
    writeFileSync(path, contents);
    const whole = await openSource(path);
    assert.ok(whole instanceof Uint8Array && !Buffer.isBuffer(whole));
    assert.equal(whole.length, statSync(path).size);
    await assert.rejects(openSource(join(folder, 'nothing')), /ENOENT/);
    await assert.rejects(openSource(folder), /EISDIR/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
