/**
 * The directed vectors of every Armv7E-M row (thumb-vectors*.json, made by Unicorn) executed by QEMU's Cortex-M7 board too: a third
 * opinion on each instruction form. One start of QEMU runs them all.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readVectors, vectorAddress, vectorData, type Vector } from './support/thumb-vectors';
import { requireTool, runTool } from './support/tools';
import { dataBase } from './support/lockstep';
import { batchNames, floatNames } from './support/unicorn';

const HANG_GUARD_MS = 120_000;
const JOBS = 0x60000000;
const recordWords = 2 + 16 + 33 + 2;
const coreNames = batchNames.filter((name) => name !== 'pc');
const names = [...coreNames, ...floatNames];

/** Not run: what leaves for another address, changes the harness's own state, or is of another architecture. */
function isRunnable({ row, cpu, code, after }: Vector): boolean {
  const goesOn = Number(after['pc']) === vectorAddress + 2 * code.length;
  return !['cortex-m33', 'cortex-m0'].includes(cpu) && goesOn && !/^(MSR|CPS|MRS|SG|B T|B\w\w T)/.test(row);
}

function before(vector: Vector): number[] {
  const values = vector.before.map(Number);
  return [...values, ...new Array<number>(names.length - values.length).fill(0)];
}

function encode(vectors: readonly Vector[]): Uint8Array {
  const words = new Uint32Array(1 + vectors.length * recordWords);
  words[0] = vectors.length;
  vectors.forEach((vector, i) => {
    const at = 1 + i * recordWords;
    const SVC = 0xdf00;
    const [first, second] = [...vector.code.map(Number), SVC, SVC];
    words[at] = (second << 16) | first;
    words[at + 1] = (SVC << 16) | SVC;
    words.set(before(vector), at + 2);
    words[at + 51] = Number(vector.memory?.at ?? 0);
    words[at + 52] = (vector.memory?.bytes.length ?? 0) / 2;
  });
  return new Uint8Array(words.buffer);
}

/** What differs; bytes that the harness's exception frame has overwritten are not compared. */
function differences(vector: Vector, line: string): string[] {
  const parts = line.split(' ');
  const expected = before(vector);
  const found: string[] = [];
  names.forEach((name, i) => {
    const mask = name === 'xpsr' ? 0xf80f0000 : -1;
    const wanted = (Number(vector.after[name] ?? expected[i]) & mask) >>> 0;
    if (parseInt(parts[i], 16) !== wanted) found.push(`${name}: 0x${parts[i]}, not 0x${wanted.toString(16)}`);
  });
  const frameEnd = parseInt(parts[coreNames.indexOf('sp')], 16);
  const { at = '0', bytes = '' } = vector.memory ?? {};
  for (let k = 0; k < bytes.length / 2; k++) {
    const address = Number(at) + k;
    const inFrame = address >= frameEnd - 0x24 && address < frameEnd;
    const [ours, theirs] = [bytes, parts[names.length]].map((text) => text.slice(2 * k, 2 * k + 2));
    if (!inFrame && ours !== theirs) found.push(`memory at 0x${address.toString(16)}: ${theirs}, not ${ours}`);
  }
  return found;
}

test('vectors: every Armv7E-M row on QEMU as on Unicorn', (t) => {
  const gcc = requireTool(t, 'arm-none-eabi-gcc');
  const qemu = requireTool(t, 'qemu-system-arm');
  if (gcc === undefined || qemu === undefined) return;
  assert.equal(vectorData()[0x123], (0x123 * 7 + 13 + 3) & 0xff, `the harness fills ${dataBase} like this`);
  const vectors = readVectors().filter(isRunnable);
  assert.ok(vectors.length > 700, `${vectors.length} vectors`);
  const folder = mkdtempSync(join(tmpdir(), 'llext-vectors-'));
  try {
    const sources = join(__dirname, 'qemu');
    const file = join(folder, 'vectors.elf');
    runTool(gcc, [
      ...['-mcpu=cortex-m7', '-mthumb', '-mfpu=fpv5-d16', '-mfloat-abi=softfp', '-O1', '-ffreestanding', '-nostdlib'],
      ...['-nostartfiles', `-DJOBS=0x${JOBS.toString(16)}`, '-T', join(sources, 'host.ld')],
      ...['-Wl,--defsym=ORIGIN_ADDRESS=0', '-o', file, join(sources, 'vectors.c')],
    ]);
    const list = join(folder, 'vectors.bin');
    writeFileSync(list, encode(vectors));
    const output = runTool(
      qemu,
      [
        ...['-M', 'mps2-an500', '-display', 'none', '-serial', 'none', '-monitor', 'none'],
        ...['-chardev', 'stdio,id=out', '-semihosting-config', 'enable=on,target=native,chardev=out'],
        ...['-kernel', file, '-device', `loader,file=${list},addr=0x${JOBS.toString(16)},force-raw=on`],
      ],
      { timeout: HANG_GUARD_MS },
    );
    const lines = output.trimEnd().split('\n');
    assert.equal(lines.at(-1), '@end', `after ${lines.length} of ${vectors.length}: ${vectors[lines.length - 1]?.row}`);
    assert.equal(lines.length, vectors.length + 1);
    // A wrong expectation would be seen.
    assert.notDeepEqual(differences({ ...vectors[0], after: {} }, lines[0]), []);
    const wrong = vectors.flatMap((vector, i) =>
      differences(vector, lines[i]).map((text) => `${vector.row} ${vector.code.join(' ')}: ${text}`),
    );
    assert.deepEqual(wrong, []);
    t.diagnostic(`${vectors.length} vectors of ${new Set(vectors.map(({ row }) => row)).size} rows`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
