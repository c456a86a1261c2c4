/**
 * Loaders (specification 1.8, 1.3): what each kind of storage lets llext_load use in place, the file system's and the
 * stream's return codes, and the table for GDB (6.3) with its parser.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Errno } from '../lib/errors';
import {
  llextBufLoader,
  llextPersistentBufLoader,
  llextTemporaryBufLoader,
  llextWritableBufLoader,
} from '../lib/llext/buf-loader';
import { FsLoader, MemoryFileSystem } from '../lib/llext/fs-loader';
import { gdbFlags, gdbTableMarker, parseGdbTables } from '../lib/llext/gdb-table';
import type { LlextLoader } from '../lib/llext/loader';
import { StreamLoader } from '../lib/llext/stream-loader';
import type { StreamLoaderOptions } from '../lib/llext/stream-loader';
import { buildElf, bss, data, func, text } from './support/elf-builder';
import { bench, errors, image, plainConfig } from './support/load-bench';
import type { Bench } from './support/load-bench';

const file = buildElf({
  sections: [text([0x70, 0x47, 0, 0]), data([1, 2, 3, 4]), bss(8)],
  symbols: [func('f'), func('counter', 0, '.data')],
});
const bufferAddress = 0x2000_2000n;

/** Loads through a loader that is not the bench's own. */
function loadWith(it: Bench, loader: LlextLoader): { ret: number; log: string[]; onHeap: string } {
  it.target.announce('test');
  const { ret, extension, regionNames } = it.target.llext.load(loader, 'test');
  const onHeap = regionNames.filter((_, i) => extension?.memOnHeap[i] === true).join(' ');
  return { ret, log: it.target.takeLog(), onHeap };
}

function withBuffer(make: (it: Bench) => LlextLoader): { ret: number; onHeap: string } {
  const it = bench();
  it.target.memory.write(bufferAddress, file);
  return loadWith(it, make(it));
}

test('LLEXT_*_BUF_LOADER: what is copied to the heap', () => {
  const length = file.length;
  const expected: [string, (it: Bench) => LlextLoader, string][] = [
    [
      'temporary',
      (it) => llextTemporaryBufLoader(it.target.memory, bufferAddress, length),
      'TEXT DATA BSS SYMTAB STRTAB SHSTRTAB',
    ],
    ['persistent', (it) => llextPersistentBufLoader(it.target.memory, bufferAddress, length), 'DATA BSS'],
    ['writable', (it) => llextWritableBufLoader(it.target.memory, bufferAddress, length), 'BSS'],
    ['by configuration', (it) => llextBufLoader(it.target.memory, bufferAddress, length, plainConfig), 'DATA BSS'],
    [
      'by CONFIG_LLEXT_STORAGE_WRITABLE',
      (it) => llextBufLoader(it.target.memory, bufferAddress, length, { storageWritable: true }),
      'BSS',
    ],
  ];
  for (const [name, make, onHeap] of expected) assert.deepEqual(pick(withBuffer(make)), { ret: 0, onHeap }, name);
});

function pick({ ret, onHeap }: { ret: number; onHeap: string }): { ret: number; onHeap: string } {
  return { ret, onHeap };
}

test('prog_data_size: in the oldest version, from the first to the last data of the file', () => {
  const size = (bytes: Uint8Array, profile: 'SEED' | 'V41'): bigint => {
    const it = bench(image({ profile }));
    const loader = it.target.placeFile(bytes, 'temporary', true);
    it.target.llext.load(loader, 'test');
    return loader.state.prog_data_size;
  };
  const sections = [text(), data([1, 2, 3, 4]), bss(8), { name: '.comment', bytes: [1, 2, 3] }];
  const symbols = [func('f')];
  // .data at 56, .comment at 60.
  assert.equal(size(buildElf({ sections, symbols }), 'SEED'), 7n);
  assert.equal(size(buildElf({ sections, symbols }), 'V41'), 0n);
  assert.equal(size(buildElf({ sections: [text()], symbols }), 'SEED'), 1n, 'none: 0 + 0 - 0xffffffff');
});

// --- File system -----------------------------------------------------------------------------------------------------

const files = new MemoryFileSystem(
  new Map([
    ['/ext/ext.llext', file],
    ['/ext/short.llext', file.subarray(0, file.length - 1)],
    ['/ext/tiny', file.subarray(0, 20)],
  ]),
);

test('a file is loaded as a temporary buffer is: same bytes, everything on the heap', () => {
  const it = bench();
  const loaded = loadWith(it, new FsLoader(files, '/ext/ext.llext'));
  assert.equal(loaded.ret, 0, loaded.log.join('\n'));
  assert.equal(loaded.onHeap, 'TEXT DATA BSS SYMTAB STRTAB SHSTRTAB');
  const other = bench();
  other.load(file, { peek: false });
  const bytes = (each: Bench): string[] => {
    const extension = each.target.llext.byName('test');
    return [0, 1, 5].map((region) => Buffer.from(extension?.regionBytes(region) ?? []).toString('hex'));
  };
  assert.deepEqual(bytes(it), bytes(other));
  assert.equal(it.target.llext.byName('test')?.sectHdrsOnHeap, true);
});

test('a short read is -EINVAL, a missing file what fs_open says', () => {
  const result = (path: string): number => loadWith(bench(), new FsLoader(files, path)).ret;
  assert.equal(result('/ext/short.llext'), -Errno.EINVAL);
  assert.equal(result('/ext/tiny'), -Errno.EINVAL);
  assert.equal(result('/ext/none'), -Errno.ENOENT);
  assert.match(
    errors(loadWith(bench(), new FsLoader(files, '/ext/none')).log)[0],
    /^llext: Failed to prepare the loader, ret -2$/,
  );
});

test('outside of prepare and finalize nothing can be read', () => {
  const loader = new FsLoader(files, '/ext/ext.llext');
  assert.equal(loader.seek(0n), -Errno.EINVAL);
  assert.equal(loader.read(4n), -Errno.EINVAL);
  assert.equal(loader.prepare(), 0);
  assert.deepEqual(loader.read(4n), file.subarray(0, 4));
  loader.finalize();
  assert.equal(loader.read(4n), -Errno.EINVAL);
});

test('a folder of the file system is no file', () => {
  assert.equal(files.stat('/ext'), 'directory');
  assert.equal(files.stat('/ext/'), 'directory');
  assert.equal(files.stat('/ext/tiny'), 'file');
  assert.equal(files.stat('/other'), -Errno.ENOENT);
});

// --- Stream ----------------------------------------------------------------------------------------------------------

function streamOf(bytes: Uint8Array, options: StreamLoaderOptions & { fail?: number; openFails?: number } = {}) {
  let at = 0;
  const events: string[] = [];
  const loader = new StreamLoader(
    {
      open() {
        events.push('open');
        at = 0;
        return options.openFails ?? 0;
      },
      next(length) {
        if (options.fail !== undefined && at >= options.fail) return -Errno.EIO;
        // A line delivers what it has, not what is wanted.
        const part = bytes.subarray(at, at + Math.min(length, 7));
        at += part.length;
        return part;
      },
      close: () => void events.push('close'),
    },
    options,
  );
  return { loader, events };
}

test('a stream is opened, loaded and closed', () => {
  const { loader, events } = streamOf(file);
  const it = bench();
  const loaded = loadWith(it, loader);
  assert.equal(loaded.ret, 0, loaded.log.join('\n'));
  assert.deepEqual(events, ['open', 'close']);
  assert.deepEqual([...(it.target.llext.byName('test')?.regionBytes(1) ?? [])], [1, 2, 3, 4]);
});

test('a stream’s failures', () => {
  assert.equal(loadWith(bench(), streamOf(file, { openFails: -Errno.EIO }).loader).ret, -Errno.EIO);
  assert.equal(loadWith(bench(), streamOf(file, { fail: 60 }).loader).ret, -Errno.EIO);
  assert.equal(loadWith(bench(), streamOf(file.subarray(0, 100)).loader).ret, -Errno.EIO, 'the stream ends early');
  const forgetful = loadWith(bench(), streamOf(file, { history: 16 }).loader);
  assert.equal(forgetful.ret, -Errno.ENOTSUP, 'the headers are behind the sections');
});

test('a stream keeps as much as it is told, and reads behind that', () => {
  const { loader } = streamOf(
    Uint8Array.from({ length: 100 }, (_, i) => i),
    { history: 10 },
  );
  assert.equal(loader.prepare(), 0);
  assert.equal(loader.seek(40n), 0);
  assert.deepEqual(loader.read(4n), Uint8Array.of(40, 41, 42, 43));
  assert.equal(loader.seek(34n), 0);
  assert.deepEqual(loader.read(2n), Uint8Array.of(34, 35));
  assert.equal(loader.seek(33n), -Errno.ENOTSUP);
  assert.equal(loader.seek(98n), 0);
  assert.equal(loader.read(4n), -Errno.EIO);
});

// --- The table for GDB -----------------------------------------------------------------------------------------------

test('the loader’s own messages are parsed back, and equal the flags of the extension', () => {
  const it = bench();
  const { log, extension } = it.load(file);
  assert.ok(extension !== undefined && log.includes(`<dbg> llext: ${gdbTableMarker}`));
  const [rows, ...others] = parseGdbTables(log.join('\n'));
  assert.deepEqual(others, []);
  const flags = gdbFlags(extension.sections);
  assert.deepEqual(
    rows.map(({ section, address }) => `-s ${section ?? '?'} 0x${address.toString(16)}`),
    flags,
  );
  assert.deepEqual(
    rows.map(({ section }) => section),
    ['.text', '.data', '.bss'],
  );
});

test('tables in the records of Zephyr’s backends', () => {
  const log = [
    'D: gdb add-symbol-file flags:',
    'D: -s .text 0x20001000',
    '',
    'D: -s .rodata.str1.1 0x2000a0f8',
    'D: Counting exported symbols...',
    'D: -s .late 0x1',
    '[00:00:00.010,123] <dbg> llext: llext_copy_regions: gdb add-symbol-file flags:',
    '[00:00:00.010,124] <dbg> llext: llext_copy_regions: -s .text 0x80041000\r',
    '[00:00:00.010,125] <wrn> llext: -s (out of bounds section name string table index) 0x80042000',
    '[00:00:00.010,126] <dbg> llext: llext_copy_regions: -s .bss 0xffffffff80043000',
  ].join('\n');
  assert.deepEqual(parseGdbTables(log), [
    [
      { section: '.text', address: 0x2000_1000n },
      { section: '.rodata.str1.1', address: 0x2000_a0f8n },
    ],
    [
      { section: '.text', address: 0x8004_1000n },
      { section: undefined, address: 0x8004_2000n },
      { section: '.bss', address: 0xffff_ffff_8004_3000n },
    ],
  ]);
  assert.deepEqual(parseGdbTables('no table'), []);
  assert.deepEqual(parseGdbTables(gdbTableMarker), [[]]);
});
