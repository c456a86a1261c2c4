/** Guest memory: regions and permissions, the debugger's access, dirty pages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestMemory } from '../lib/emulator/memory';
import type { MemoryRegion } from '../lib/emulator/types';

const rw = { read: true, write: true, execute: false };
const region = (name: string, base: number, pages: number): MemoryRegion => ({
  name,
  base,
  size: pages * 4096,
  permissions: rw,
});

test('reads and writes reach as far as memory is mapped, across regions', () => {
  const memory = new GuestMemory([region('a', 0x1000, 1), region('b', 0x2000, 1), region('top', 0xfffff000, 1)]);
  const bytes = Uint8Array.from({ length: 0x3000 }, (_, i) => i * 3);
  assert.equal(memory.write(0x1800, bytes), 0x1800);
  assert.deepEqual(memory.read(0x1800, 0x4000), bytes.subarray(0, 0x1800));
  assert.equal(memory.read(0x3000, 16).length, 0);
  assert.equal(memory.read(0, 16).length, 0);
  assert.equal(memory.write(0xfffffff0, new Uint8Array(64).fill(1)), 16);
  assert.equal(memory.read(0xffffffff, 8).length, 1);
});

test('the region mapped last names the page; its bytes stay', () => {
  const memory = new GuestMemory([region('RAM', 0x20000000, 4)]);
  memory.write(0x20001000, Uint8Array.of(1, 2, 3));
  memory.map({
    name: 'guard',
    base: 0x20001000,
    size: 4096,
    permissions: { read: false, write: false, execute: false },
  });
  assert.equal(memory.regionAt(0x20001000)?.name, 'guard');
  assert.equal(memory.regionAt(0x20002000)?.name, 'RAM');
  assert.equal(memory.regionAt(0x30000000), undefined);
  assert.deepEqual([...memory.read(0x20001000, 3)], [1, 2, 3]);
  assert.equal(memory.readTable[0x20001] & 1, 0);
});

test('regions are whole pages of the 4 GiB', () => {
  const memory = new GuestMemory([]);
  const permissions = rw;
  for (const [base, size] of [
    [0x1001, 4096],
    [0x1000, 100],
    [0x1000, 0],
    [0xfffff000, 8192],
  ]) {
    assert.throws(() => memory.map({ name: 'x', base, size, permissions }), RangeError);
  }
});

test('a region that needs more host memory keeps what was there', () => {
  const memory = new GuestMemory([region('a', 0x1000, 1)]);
  memory.write(0x1000, Uint8Array.of(42));
  memory.map(region('large', 0x10000000, 4096));
  assert.equal(memory.read(0x1000, 1)[0], 42);
  assert.equal(memory.write(0x10ffffff, Uint8Array.of(7)), 1);
  assert.equal(memory.bytes.buffer, memory.buffer.buffer);
});

test('dirty pages are those written since the last clear', () => {
  const memory = new GuestMemory([region('a', 0x1000, 8)]);
  memory.write(0x2ffe, new Uint8Array(4));
  memory.write(0x2000, new Uint8Array(4));
  assert.deepEqual(memory.dirtyPages(), [2, 3]);
  memory.clearDirty();
  assert.deepEqual(memory.dirtyPages(), []);
  memory.write(0x8000, new Uint8Array(1));
  assert.deepEqual(memory.dirtyPages(), [8]);
});
