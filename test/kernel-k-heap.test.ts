/**
 * The k_heap model. Its addresses are compared with Zephyr's by the golden cases; here are the rules one by one, both
 * header sizes, and a random run against a plain list of what is allocated.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LlextError } from '../lib/errors';
import { KHeap } from '../lib/kernel/k-heap';
import { PagedMemory } from '../lib/llext/paged-memory';

const base = 0x2000_0000;

function heap(bytes: number, pointerSize: 4 | 8 = 4, start = base): KHeap {
  const memory = new PagedMemory([{ start: BigInt(base), end: BigInt(base) + 0x100_0000n }]);
  const access = {
    read: (address: number, length: number) => memory.read(BigInt(address), length),
    write: (address: number, contents: Uint8Array) => memory.write(BigInt(address), contents),
  };
  return KHeap.init(access, start, bytes, pointerSize);
}

test('the first allocation of golden’s 128 KiB heaps', () => {
  // images/arm.json: heap_init_mem 0x200c7508 and the first struct llext at 0x200c7554.
  assert.equal(heap(131072, 4, 0x200c_7508).alloc(188), 0x200c_7554);
});

test('small heaps have headers of 4 bytes, big ones and those of 64-bit targets of 8', () => {
  assert.equal(heap(0x1_0000).alloc(4) % 8, 4);
  assert.equal(heap(0x4_0000 + 8).alloc(4) % 8, 0);
  assert.equal(heap(0x1_0000, 8).alloc(8) % 8, 0);
});

test('nothing is allocated for zero bytes or for more than there is', () => {
  const it = heap(4096);
  assert.equal(it.alloc(0), 0);
  assert.equal(it.alignedAlloc(64, 0), 0);
  assert.equal(it.alloc(4096), 0);
  assert.equal(it.alloc(1 << 30), 0);
  assert.notEqual(it.alloc(3900), 0);
  assert.equal(it.alloc(200), 0);
});

test('freed neighbours become one chunk again', () => {
  const it = heap(4096);
  const whole = it.freeBytes();
  const blocks = [100, 200, 300].map((bytes) => it.alloc(bytes));
  for (const index of [1, 0, 2]) it.free(blocks[index]);
  assert.equal(it.freeBytes(), whole);
  assert.notEqual(it.alloc(3900), 0);
});

test('the rewind bit: 8 bytes before a multiple of 32', () => {
  assert.equal(heap(4096).alignedAlloc(32 | 8, 40) % 32, 24);
});

test('a chunk of one unit in a big heap is merged when its neighbour is freed', () => {
  const it = heap(0x1_0000, 8);
  const whole = it.freeBytes();
  const first = it.alignedAlloc(16, 8);
  const second = it.alignedAlloc(16, 8);
  it.free(first);
  it.free(second);
  assert.equal(it.freeBytes(), whole);
});

test('what is not allocated cannot be freed; NULL can', () => {
  const it = heap(4096);
  const block = it.alloc(16);
  it.free(0);
  it.free(block);
  assert.throws(() => it.free(block), LlextError);
  assert.throws(() => it.free(base + 0x10_0000), LlextError);
  assert.equal(it.isAllocated(block), false);
});

test('allocAt takes exactly the wanted place, or nothing', () => {
  const it = heap(4096);
  const whole = it.freeBytes();
  const wanted = base + 1024 + 4;
  assert.equal(it.allocAt(wanted, 100), wanted);
  assert.equal(it.allocAt(wanted + 8, 100), 0);
  assert.ok(it.isAllocated(wanted));
  assert.ok(it.usableSize(wanted) >= 100);
  it.free(wanted);
  assert.equal(it.freeBytes(), whole);
});

test('a heap is attached again without being formatted', () => {
  const memory = new PagedMemory([{ start: BigInt(base), end: BigInt(base) + 0x1_0000n }]);
  const access = {
    read: (address: number, length: number) => memory.read(BigInt(address), length),
    write: (address: number, contents: Uint8Array) => memory.write(BigInt(address), contents),
  };
  const block = KHeap.init(access, base, 4096).alloc(64);
  const again = KHeap.attach(access, base, 4096);
  assert.ok(again.isAllocated(block));
  again.free(block);
  assert.throws(() => KHeap.init(access, base, 24), RangeError);
});

for (const [bytes, pointerSize] of [
  [0x4000, 4],
  [0x8_0000, 4],
  [0x4000, 8],
] as const) {
  test(`4000 random operations, ${bytes} bytes, pointers of ${pointerSize}`, () => {
    const it = heap(bytes, pointerSize);
    const whole = it.freeBytes();
    const live: { at: number; size: number }[] = [];
    let state = 12345;
    const below = (limit: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % limit;
    for (let i = 0; i < 4000; i++) {
      if (live.length > 0 && below(100) < 45) {
        const [block] = live.splice(below(live.length), 1);
        it.free(block.at);
        continue;
      }
      const size = 1 + below(below(10) === 0 ? bytes >> 3 : 200);
      const align = below(3) === 0 ? 1 << below(9) : 0;
      const at = it.alignedAlloc(align, size);
      if (at === 0) continue;
      assert.equal(align === 0 ? 0 : at % align, 0);
      assert.ok(at % 4 === 0 && it.contains(at) && it.usableSize(at) >= size);
      for (const other of live) assert.ok(at + size <= other.at || other.at + other.size <= at, 'allocations overlap');
      live.push({ at, size });
    }
    for (const { at } of live) it.free(at);
    assert.equal(it.freeBytes(), whole);
  });
}
