/**
 * Runs a bundle from V8's compiled code of an earlier run: to read, scan and compile its text takes several times as long as
 * all that it does up to a session's first stop. The text is needed all the same, for functions that no earlier run has called.
 *
 * A bundle is one function expression in ASCII, `(function (exports, require, module, __filename, __dirname) {...})`, and ends with a
 * comment that names its build (webpack.config.js): text and name come out of one reading, so code of another build is never taken
 * for this one's. V8 itself refuses code of another version, processor or setting of its own, and text of another length; it does not
 * look whether the code is whole (no check sum outside of debug builds). Whatever is wrong with the cache, the bundle is compiled
 * from its text.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** What a bundle exports to have its code kept: from when on it has called what the next start will call. */
export interface KeptBundle {
  readonly started?: Promise<void>;
}

type BundleFunction = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: KeptBundle },
  filename: string,
  folder: string,
) => void;

/** Builds and versions of Node whose code is kept; 2 MB each. */
const entriesKept = 4;
/** After the first stop the client asks for much at once, and waits for it. */
const quietAfter = 2000;
const sumSize = 4;
/** Bytes from one word that is added up to the next. */
const sumStride = 1024;

/** The user's folder for what can be made again; LLEXT_CODE_CACHE names another one, and none when it is empty. */
export function codeCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  const chosen = env['LLEXT_CODE_CACHE'];
  if (chosen !== undefined) return chosen === '' ? undefined : chosen;
  const below = (variable: string, ...names: string[]): string | undefined => {
    const folder = env[variable];
    return folder ? join(folder, ...names, 'llext-debugger') : undefined;
  };
  if (platform === 'win32') return below('LOCALAPPDATA');
  if (platform === 'darwin') return below('HOME', 'Library', 'Caches');
  return below('XDG_CACHE_HOME') ?? below('HOME', '.cache');
}

/** Returns what the bundle exports. Its code is written to `folder` when it has started, unless it came from there. */
export function runBundle(path: string, folder: string | undefined): { bundle: KeptBundle; fromCache: boolean } {
  const text = readFileSync(path, 'latin1');
  const build = /\/\/# build=(\w+)/.exec(text.slice(-200))?.[1];
  const entry = folder === undefined || build === undefined ? undefined : join(folder, `${build}-${engineName()}.v8`);
  const cachedData = entry === undefined ? undefined : readCode(entry);
  const script = new Script(text, { filename: path, cachedData });
  const fromCache = cachedData !== undefined && script.cachedDataRejected !== true;
  const module = { exports: {} as KeptBundle };
  const run = script.runInThisContext() as BundleFunction;
  run(module.exports, createRequire(path), module, path, dirname(path));
  if (entry !== undefined && !fromCache) keepOnceStarted(script, entry, module.exports.started);
  return { bundle: module.exports, fromCache };
}

/** So that editors with engines of their own do not replace each other's code. What node:v8 has for it takes long to load. */
function engineName(): string {
  const { arch, execArgv, versions } = process;
  return [versions.v8, arch, ...execArgv]
    .join('-')
    .replace(/[^\w.-]/g, '')
    .slice(0, 100);
}

/** At the latest when the process ends: many sessions are shorter than the wait for a quiet moment. */
function keepOnceStarted(script: Script, entry: string, started: Promise<void> | undefined): void {
  void started?.then(() => {
    const keep = (): void => {
      process.off('exit', keep);
      clearTimeout(timer);
      writeCode(entry, script.createCachedData());
    };
    const timer = setTimeout(keep, quietAfter);
    timer.unref();
    process.on('exit', keep);
  });
}

/** Over some words of each page: a crash loses pages of a file, and to add up all of it would take longer than to run it. */
function sumOf(code: Buffer): number {
  let sum = code.length;
  for (let at = 0; at + sumSize <= code.length; at += sumStride) sum = (Math.imul(sum, 31) + code.readInt32LE(at)) | 0;
  return sum;
}

function readCode(entry: string): Buffer | undefined {
  try {
    const bytes = readFileSync(entry);
    const code = bytes.subarray(0, bytes.length - sumSize);
    return bytes.readInt32LE(code.length) === sumOf(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Two processes may write the same at once: each puts it in place whole. A cache that cannot be written stays empty. */
function writeCode(entry: string, code: Buffer): void {
  const folder = dirname(entry);
  const own = `${entry}.${process.pid}`;
  const sum = Buffer.alloc(sumSize);
  sum.writeInt32LE(sumOf(code));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(own, Buffer.concat([code, sum]), { mode: 0o600, flush: true });
    renameSync(own, entry);
    removeOld(folder);
  } catch {
    removeIfThere(own);
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What cannot be removed was never there: its folder is none.
  }
}

function removeOld(folder: string): void {
  const entries = readdirSync(folder).filter((name) => /\.v8(\.\d+)?$/.test(name));
  const byAge = entries.map((name) => ({ name, written: statSync(join(folder, name)).mtimeMs }));
  byAge.sort((a, b) => b.written - a.written);
  for (const { name } of byAge.slice(entriesKept)) removeIfThere(join(folder, name));
}
