/**
 * The adapter's bundle from compiled code (debug-adapter/code-cache.ts): what an earlier start left is used, what does not fit or is
 * damaged is not, and neither that nor a folder that cannot be written ever fails a start.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildSync } from 'esbuild';
import { codeCacheFolder } from '../debug-adapter/code-cache';
import { projectRoot } from './support/fixtures';

const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
after(() => rmSync(folder, { recursive: true }));

const cache = join(folder, 'cache');
const bundle = join(folder, 'bundle.js');
const starter = join(folder, 'starter.cjs');

buildSync({
  stdin: {
    contents: `
      import { runBundle } from './debug-adapter/code-cache';
      const { bundle, fromCache } = runBundle(process.argv[2], process.argv[3]);
      console.log(JSON.stringify({ answer: bundle.answer, fromCache }));`,
    resolveDir: projectRoot,
  },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: starter,
});

/** Its code has several pages. */
function writeBundle(build: string, answer: string, started = 'Promise.resolve()'): void {
  const functions = Array.from({ length: 200 }, (_, n) => `function f${n}(x) { return x + ${n}; } f${n}(1);`).join(
    '\n',
  );
  writeFileSync(
    bundle,
    `(function (exports, require, module, filename, folder) {
${functions}
module.exports = { answer: ${answer} + f1(1), started: ${started} };
})
//# build=${build}
//# sourceMappingURL=bundle.js.map`,
  );
}

function start(flags: readonly string[] = [], at = cache): { answer: unknown; fromCache: boolean } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, starter, bundle, at], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return JSON.parse(stdout) as { answer: unknown; fromCache: boolean };
}

const entries = (): string[] => (existsSync(cache) ? readdirSync(cache) : []);

test('a second start runs compiled code of the first, in the same way', () => {
  writeBundle('a1', `require('node:path').basename(filename)`);
  assert.deepEqual(start(), { answer: 'bundle.js2', fromCache: false });
  assert.equal(entries().length, 1);
  assert.deepEqual(start(), { answer: 'bundle.js2', fromCache: true });
  assert.equal(entries().length, 1);
});

test('a bundle of another build with a text as long is not taken for the one before', () => {
  writeBundle('a2', '40');
  assert.deepEqual(start(), { answer: 42, fromCache: false });
  writeBundle('a3', '50');
  assert.deepEqual(start(), { answer: 52, fromCache: false });
  assert.deepEqual(start(), { answer: 52, fromCache: true });
});

test('code of an engine with other settings is not used', () => {
  writeBundle('a4', '4');
  start();
  assert.deepEqual(start(['--no-opt', '--max-lazy']), { answer: 6, fromCache: false });
  assert.deepEqual(start(['--no-opt', '--max-lazy']), { answer: 6, fromCache: true });
  assert.deepEqual(start(), { answer: 6, fromCache: true });
  const [plain, other] = [false, true].map((wanted) =>
    entries().find((entry) => entry.startsWith('a4-') && entry.includes('no-opt') === wanted),
  );
  assert.ok(plain !== undefined && other !== undefined);
  renameSync(join(cache, other), join(cache, plain));
  assert.deepEqual(start(), { answer: 6, fromCache: false });
});

test('code that is cut off, empty or has lost a page is replaced', () => {
  writeBundle('a5', '5');
  start();
  const name = entries().find((entry) => entry.startsWith('a5-'));
  assert.ok(name !== undefined);
  const path = join(cache, name);
  const whole = readFileSync(path);
  const lost = Buffer.from(whole);
  lost.fill(0, whole.length >> 1, (whole.length >> 1) + 4096);
  for (const damaged of [whole.subarray(0, whole.length - 100), Buffer.alloc(0), Buffer.alloc(whole.length), lost]) {
    writeFileSync(path, damaged);
    assert.deepEqual(start(), { answer: 7, fromCache: false });
    assert.deepEqual(start(), { answer: 7, fromCache: true });
  }
});

test('a folder that cannot be made or written is no reason not to start', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const at of [file, join(file, 'below')]) assert.deepEqual(start([], at), { answer: 7, fromCache: false });
});

test('a bundle that has not started leaves no code, nor does one without a build', () => {
  writeBundle('a6', '6', 'new Promise(() => undefined)');
  start();
  assert.ok(!entries().some((entry) => entry.startsWith('a6-')));
  writeBundle('a7', '7', 'undefined');
  start();
  assert.ok(!entries().some((entry) => entry.startsWith('a7-')));
  writeFileSync(
    bundle,
    `(function (exports, require, module) { exports.started = Promise.resolve(); exports.answer = 1; })`,
  );
  const before = entries().length;
  assert.deepEqual(start(), { answer: 1, fromCache: false });
  assert.equal(entries().length, before);
});

test('the oldest code goes', () => {
  mkdirSync(cache, { recursive: true });
  for (let n = 0; n < 6; n++) {
    const path = join(cache, `b${n}-0.v8`);
    writeFileSync(path, '');
    utimesSync(path, n, n);
  }
  writeFileSync(join(cache, 'of-somebody-else'), '');
  writeBundle('a8', '8');
  start();
  const left = entries();
  assert.equal(left.filter((entry) => entry.endsWith('.v8')).length, 4);
  assert.ok(left.some((entry) => entry.startsWith('a8-')));
  assert.ok(!left.some((entry) => entry.startsWith('b0-')));
  assert.ok(left.includes('of-somebody-else'));
});

test('where the code is kept', () => {
  assert.equal(codeCacheFolder({ LLEXT_CODE_CACHE: 'here', HOME: '/h' }, 'linux'), 'here');
  assert.equal(codeCacheFolder({ LLEXT_CODE_CACHE: '', HOME: '/h' }, 'linux'), undefined);
  assert.equal(codeCacheFolder({ HOME: '/h' }, 'linux'), join('/h', '.cache', 'llext-debugger'));
  assert.equal(codeCacheFolder({ HOME: '/h', XDG_CACHE_HOME: '/x' }, 'linux'), join('/x', 'llext-debugger'));
  assert.equal(codeCacheFolder({ HOME: '/h' }, 'darwin'), join('/h', 'Library', 'Caches', 'llext-debugger'));
  assert.equal(codeCacheFolder({ LOCALAPPDATA: '/l' }, 'win32'), join('/l', 'llext-debugger'));
  assert.equal(codeCacheFolder({}, 'linux'), undefined);
});
