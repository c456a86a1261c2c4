/** Expected text is arm-none-eabi-objdump's of the same bytes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createDisassembler, type CapstoneFactory, type Disassembler } from '../lib/disassembler';

const load = createRequire(import.meta.url);
const capstone = load('@alexaltea/capstone-js') as CapstoneFactory;
const wasm = readFileSync(load.resolve('@alexaltea/capstone-js/dist/capstone.wasm'));

async function text(bytes: number[], limit?: number): Promise<string[]> {
  const disassembler: Disassembler = await createDisassembler(capstone, wasm);
  return disassembler
    .disassemble(Uint8Array.from(bytes), 0x20000000n, limit)
    .map((i) => `${i.address.toString(16)} ${i.bytes.length} ${i.mnemonic} ${i.operands}`.trim());
}

test('narrow and wide instructions', async () => {
  assert.deepEqual(await text([0x10, 0xb5, 0x04, 0x46, 0x41, 0xf2, 0x34, 0x20, 0x70, 0x47]), [
    '20000000 2 push {r4, lr}',
    '20000002 2 mov r4, r0',
    '20000004 4 movw r0, #0x1234',
    '20000008 2 bx lr',
  ]);
});

test('what is no instruction keeps its length, and the rest stays in step', async () => {
  assert.deepEqual(await text([0xff, 0xff, 0xff, 0xff, 0x70, 0x47, 0x10]), [
    '20000000 4 .inst.w 0xffffffff',
    '20000004 2 bx lr',
  ]);
});

test('the limit counts instructions', async () => {
  assert.deepEqual(await text([0x70, 0x47, 0x70, 0x47, 0x70, 0x47], 2), ['20000000 2 bx lr', '20000002 2 bx lr']);
  assert.deepEqual(await text([0xff, 0xff, 0xff, 0xff, 0x70, 0x47], 1), ['20000000 4 .inst.w 0xffffffff']);
});
