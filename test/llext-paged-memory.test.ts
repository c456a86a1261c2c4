/** Memory of loads without a machine, beside a plain array: whatever is written, copied, cleared or changed in place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlextError } from '../lib/errors';
import { PagedMemory } from '../lib/llext/paged-memory';
import { Random } from './support/random';

const base = 0x2000_0800;
const size = 0x20_0000;
const ranges = [{ start: BigInt(base), end: BigInt(base + size) }];

/** Lengths around what makes pages and blocks. */
function someLength(random: Random): number {
  const length = random.pick([1, 4, 32, 33, 4095, 4096, 4097, 0xffff, 0x1_0000, 0x1_0001, 0x3_1234]);
  return random.below(4) === 0 ? random.below(length) : length;
}

function someBytes(random: Random, length: number): Uint8Array {
  const first = random.below(256);
  return new Uint8Array(length).map((_, i) => first + i * 7);
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`random accesses, seed ${seed}`, () => {
    const random = new Random(seed);
    const memory = new PagedMemory(ranges);
    const expected = new Uint8Array(size);
    const shared: { bytes: Uint8Array; first: Uint8Array }[] = [];
    const counts = { view: 0, copy: 0, share: 0 };
    for (let i = 0; i < 400; i++) {
      const length = someLength(random);
      const [at, other] = [random.below(size - length), random.below(size - length)];
      const address = BigInt(base + at);
      switch (random.below(6)) {
        case 0:
          memory.clear(address, length);
          expected.fill(0, at, at + length);
          break;
        case 1:
          memory.copy(address, BigInt(base + other), length);
          expected.copyWithin(at, other, other + length);
          counts.copy++;
          break;
        case 2: {
          const view = memory.view(address, length);
          if (view === undefined) break;
          assert.deepEqual(view, expected.subarray(at, at + length));
          view.fill(i);
          expected.fill(i, at, at + length);
          counts.view++;
          break;
        }
        case 3: {
          const bytes = someBytes(random, length);
          memory.share(address, bytes);
          shared.push({ bytes, first: bytes.slice() });
          expected.set(bytes, at);
          counts.share++;
          break;
        }
        default: {
          const bytes = someBytes(random, length);
          memory.write(address, bytes);
          expected.set(bytes, at);
        }
      }
      assert.ok(Buffer.from(memory.read(BigInt(base), size)).equals(expected), `step ${i}, ${length} bytes at ${at}`);
    }
    for (const { bytes, first } of shared) assert.deepEqual(bytes, first, 'who shares sees no changes');
    assert.ok(counts.copy > 20 && counts.view > 5 && counts.share > 20, JSON.stringify(counts));
  });
}

test('where memory ends a write changes nothing, a read gives what is there, and there is no view', () => {
  const memory = new PagedMemory(ranges);
  const last = BigInt(base + size - 0x1_0000);
  for (const length of [0x1_0001, 0x2_0000]) {
    assert.throws(() => memory.write(last, new Uint8Array(length).fill(1)), LlextError);
    assert.throws(() => memory.share(last, new Uint8Array(length).fill(1)), LlextError);
    assert.throws(() => memory.copy(last, BigInt(base), length), LlextError);
    assert.throws(() => memory.read(last, length), LlextError);
    assert.equal(memory.view(last, length), undefined);
    assert.deepEqual(memory.readPrefix(last, length), new Uint8Array(0x1_0000));
  }
});

test('memory that is added later begins where a block ends', () => {
  const memory = new PagedMemory(ranges);
  const last = BigInt(base + size - 0x1_0000);
  memory.write(last, new Uint8Array(0x1_0000).fill(1));
  const end = BigInt(base + size);
  memory.include({ start: end, end: end + 0x1_0000n });
  memory.write(end, Uint8Array.of(2));
  assert.deepEqual([...memory.read(end - 1n, 3)], [1, 2, 0]);
});
