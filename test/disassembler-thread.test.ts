/** The disassembler in a thread of its own says what the same one says in place, and why it cannot. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadCapstone } from '../debug-adapter/capstone';
import { DisassemblerThread } from '../debug-adapter/disassembler-thread';
import { createDisassembler } from '../lib/disassembler';
import { bundlePath } from './support/adapter-bundle';

const wasm = createRequire(__filename).resolve('@alexaltea/capstone-js/dist/capstone.wasm');
const folder = mkdtempSync(join(tmpdir(), 'disassembler-'));
after(() => rmSync(folder, { recursive: true }));

/** Instructions, and bytes that are none. */
const bytes = Uint8Array.from({ length: 600 }, (_, n) => (n * 89 + (n >> 2) * 7) & 0xff);

test('a thread lists what a disassembler in place lists, for each instruction set, whole and limited', async () => {
  const thread = new DisassemblerThread(bundlePath('disassembler'), wasm);
  try {
    for (const set of ['thumb', 'riscv32', 'riscv64'] as const) {
      const here = await createDisassembler(await loadCapstone(), new Uint8Array(readFileSync(wasm)), set);
      const there = thread.for(set);
      const expected = here.disassemble(bytes, 0x20000000n);
      assert.ok(expected.some(({ valid }) => valid) && expected.some(({ valid }) => !valid));
      // Both questions are on their way at once.
      const [all, few] = await Promise.all([
        there.disassemble(bytes, 0x20000000n),
        there.disassemble(bytes, 0x20000000n, 7),
      ]);
      const plain = (list: typeof all): unknown => list.map((one) => ({ ...one, bytes: [...one.bytes] }));
      assert.deepEqual(plain(all), plain(expected));
      assert.deepEqual(plain(few), plain(here.disassemble(bytes, 0x20000000n, 7)));
    }
  } finally {
    await thread.close();
  }
  await assert.rejects(async () => thread.for('thumb').disassemble(bytes, 0n), /its thread has ended/);
});

test('a thread that cannot load says why to whoever asks', async () => {
  const damaged = join(folder, 'damaged.wasm');
  writeFileSync(damaged, 'no module');
  const thread = new DisassemblerThread(bundlePath('disassembler'), damaged);
  await assert.rejects(async () => thread.for('thumb').disassemble(bytes, 0n), /WebAssembly/);
  await thread.close();

  const script = join(folder, 'broken.cjs');
  writeFileSync(script, "throw new Error('broken script');");
  const broken = new DisassemblerThread(script, wasm);
  await assert.rejects(async () => broken.for('thumb').disassemble(bytes, 0n), /broken script/);
  await broken.close();
});
