/**
 * The heaps of llext (specification 1.11). What a k_heap allocates is compared with Zephyr by the golden cases; here are
 * sys_mem_blocks by its rules (lowest run of free blocks), and which heap each allocation comes from in each
 * configuration. Expected addresses are sums of block sizes, or what a fresh k_heap of the same place gives.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno, LlextError } from '../lib/errors';
import { KHeap } from '../lib/kernel/k-heap';
import type { HeapMemory } from '../lib/kernel/k-heap';
import { defaultHeapSizes, makeHeaps, planHeaps } from '../lib/kernel/llext-heaps';
import type { HeapConfig } from '../lib/kernel/llext-heaps';
import { MemBlocks } from '../lib/kernel/mem-blocks';
import { PagedMemory } from '../lib/llext/paged-memory';
import type { AllocationPurpose, LlextEvent } from '../lib/llext/types';
import { bss, buildElf, data, func, text } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import type { Bench } from './support/load-bench';

const base = 0x2000_0000;

function memory(bytes = 0x10_0000): HeapMemory {
  const pages = new PagedMemory([{ start: BigInt(base), end: BigInt(base + bytes) }]);
  return {
    read: (address, length) => pages.read(BigInt(address), length),
    write: (address, contents) => pages.write(BigInt(address), contents),
  };
}

const kib = 1024;

function config(kind: HeapConfig['kind'], harvard: boolean, sizes: Partial<HeapConfig['sizes']> = {}): HeapConfig {
  return { kind, harvard, sizes: { ...defaultHeapSizes, HEAP_SIZE: 64 * kib, ...sizes } };
}

// --- sys_mem_blocks --------------------------------------------------------------------------------------------------

function blocks(count = 70, blockSize = 32): { it: MemBlocks; access: HeapMemory } {
  const access = memory();
  return { access, it: MemBlocks.init(access, { buffer: base, blockSize, blocks: count, bitmap: base + 0x8000 }) };
}

test('blocks: the lowest run that is long enough, also across the words of the bitmap', () => {
  const { it, access } = blocks();
  assert.equal(it.allocContiguous(3), base);
  assert.equal(it.allocContiguous(30), base + 3 * 32);
  assert.equal(it.allocContiguous(2), base + 33 * 32);
  assert.equal(it.freeContiguous(base, 3), 0);
  assert.equal(it.allocContiguous(4), base + 35 * 32, 'a hole of three is too small');
  assert.equal(it.allocContiguous(1), base);
  assert.deepEqual([...access.read(base + 0x8000, 12)], [0xf9, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(it.freeBytes(), (70 - 37) * 32);
});

test('blocks: return codes', () => {
  const { it } = blocks();
  assert.equal(it.allocContiguous(0), 0);
  assert.equal(it.allocContiguous(71), -Errno.ENOMEM);
  assert.equal(it.allocContiguous(70), base);
  assert.equal(it.allocContiguous(1), -Errno.ENOMEM);
  assert.equal(it.freeContiguous(base, 0), 0);
  assert.equal(it.freeContiguous(base, 71), -Errno.EINVAL);
  assert.equal(it.freeContiguous(base - 32, 1), -Errno.EFAULT);
  assert.equal(it.freeContiguous(base + 70 * 32, 1), -Errno.EFAULT);
  assert.equal(it.freeContiguous(base + 69 * 32, 2), -Errno.EINVAL);
  assert.equal(it.freeContiguous(base + 32, 1), 0);
  assert.equal(it.freeContiguous(base, 2), -Errno.EFAULT, 'one of the two is free');
  assert.equal(it.get(base + 32, 1), base + 32);
  assert.equal(it.get(base + 32, 1), -Errno.ENOMEM);
  assert.equal(it.get(base + 8, 1), -Errno.ENOMEM, 'not the start of a block');
  for (const wrong of [0, 24]) assert.throws(() => blocks(8, wrong), RangeError);
  assert.throws(() => blocks(0), RangeError);
});

test('blocks: 3000 random operations against a list of booleans', () => {
  const { it } = blocks(200, 64);
  const taken = new Array<boolean>(200).fill(false);
  const live: { first: number; count: number }[] = [];
  let state = 4711;
  const below = (limit: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % limit;
  for (let i = 0; i < 3000; i++) {
    if (live.length > 0 && below(100) < 48) {
      const [{ first, count }] = live.splice(below(live.length), 1);
      assert.equal(it.freeContiguous(base + first * 64, count), 0);
      taken.fill(false, first, first + count);
      continue;
    }
    const count = 1 + below(12);
    const wanted = taken.findIndex((_, at) => at + count <= 200 && !taken.slice(at, at + count).includes(true));
    assert.equal(it.allocContiguous(count), wanted < 0 ? -Errno.ENOMEM : base + wanted * 64);
    if (wanted < 0) continue;
    taken.fill(true, wanted, wanted + count);
    live.push({ first: wanted, count });
  }
  assert.equal(it.freeBytes(), taken.filter((used) => !used).length * 64);
});

// --- Which heap an allocation is from --------------------------------------------------------------------------------

const file = buildElf({
  sections: [text(new Array<number>(40).fill(0)), data(new Array<number>(20).fill(7)), bss(100)],
  symbols: [func('f')],
});

type Allocation = Extract<LlextEvent, { kind: 'allocation' }>;

function allocations(it: Bench): Map<AllocationPurpose, Allocation> {
  return new Map(it.events.flatMap((event) => (event.kind === 'allocation' ? [[event.purpose, event] as const] : [])));
}

function load(heap: HeapConfig, profile: 'V41' | 'V44' = 'V44'): { it: Bench; ret: number; log: string[] } {
  const it = bench(image({ profile }), [], undefined, { heap });
  const { ret, log } = it.load(file);
  return { it, ret, log };
}

test('Kconfig’s defaults', () => {
  const plan = planHeaps({ kind: 'memblk', harvard: true, sizes: defaultHeapSizes }, base);
  assert.deepEqual(plan.instruction, { address: base, bytes: 4096 });
  assert.deepEqual(plan.data, { address: base + 4096, bytes: 8192 });
  assert.deepEqual(plan.metadata, { address: base + 12288, bytes: 4096 });
  assert.equal(defaultHeapSizes.HEAP_MEMBLK_BLOCK_SIZE, 32);
  assert.equal(planHeaps({ kind: 'memblk', harvard: false, sizes: defaultHeapSizes }, base).data.bytes, 16384);
});

test('one k_heap: the same addresses as without a plan', () => {
  const planned = load(config('kheap', false), 'V41').it;
  const plain = bench(image());
  plain.load(file);
  const addresses = (it: Bench): bigint[] => [...allocations(it).values()].map(({ address }) => address);
  assert.deepEqual(addresses(planned), addresses(plain));
  assert.ok(addresses(plain).length > 6);
});

test('Harvard: code in the instruction heap, all else in the data heap', () => {
  const heap = config('kheap', true);
  const { it, ret, log } = load(heap);
  assert.equal(ret, 0, log.join('\n'));
  const plan = planHeaps(heap, 0x2010_0000);
  const within = ({ address, bytes }: { address: number; bytes: number }, at: bigint): boolean =>
    at >= BigInt(address) && at < BigInt(address + bytes);
  const all = allocations(it);
  for (const [purpose, { address }] of all) {
    assert.ok(within(purpose === 'region TEXT' ? plan.instruction : plan.data, address), purpose);
  }
  const fresh = KHeap.init(memory(), base, plan.instruction.bytes, 4);
  const offset = fresh.alignedAlloc(4, 40) - base;
  assert.equal(all.get('region TEXT')?.address, BigInt(plan.instruction.address + offset));
  const extension = it.target.llext.byName('test');
  assert.ok(extension !== undefined);
  const whole = bench(image({ profile: 'V44' }), [], undefined, { heap }).target.freeHeapBytes();
  assert.equal(it.target.llext.unload(extension), 0);
  assert.equal(it.target.freeHeapBytes(), whole);
});

for (const harvard of [false, true]) {
  test(`memory blocks${harvard ? ' on Harvard' : ''}: regions in whole blocks in the order of their allocation`, () => {
    const heap = config('memblk', harvard);
    const { it, ret, log } = load(heap);
    assert.equal(ret, 0, log.join('\n'));
    const plan = planHeaps(heap, 0x2010_0000);
    const all = allocations(it);
    let next = plan.data.address;
    for (const region of ['SHSTRTAB', 'STRTAB', 'TEXT', 'DATA', 'BSS', 'SYMTAB'] as const) {
      const allocation = all.get(`region ${region}`);
      assert.ok(allocation !== undefined, region);
      if (harvard && region === 'TEXT') {
        assert.equal(allocation.address, BigInt(plan.instruction.address));
        continue;
      }
      assert.equal(allocation.address, BigInt(next), region);
      next += Math.ceil(allocation.size / 32) * 32;
    }
    // alloc_size: whole blocks, and sym_tab of one symbol.
    const blocksOfRegions = [...all].filter(([purpose]) => purpose.startsWith('region '));
    const taken = blocksOfRegions.reduce((sum, [, { size }]) => sum + Math.ceil(size / 32) * 32, 0);
    assert.equal(it.target.llext.byName('test')?.allocSize, BigInt(taken + 8));
    for (const purpose of ['struct llext', 'sect_map', 'sym_tab'] as const) {
      const at = Number(all.get(purpose)?.address);
      assert.ok(at >= plan.metadata.address && at < plan.metadata.address + plan.metadata.bytes, purpose);
    }
  });
}

test('memory blocks: mem_alloc_map in struct llext', () => {
  const { it } = load(config('memblk', false));
  const extension = it.target.llext.byName('test');
  assert.ok(extension !== undefined);
  const mapOffset = it.target.layout.mem_alloc_map;
  assert.ok(mapOffset !== undefined);
  const bytes = it.target.memory.read(extension.address + BigInt(mapOffset), 4 + 11 * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(view.getInt32(0, true), 6);
  const text_ = allocations(it).get('region TEXT');
  // int num_blocks, void *memblk_ptr; TEXT is the third to be allocated.
  assert.equal(view.getInt32(4 + 2 * 8, true), 2);
  assert.equal(view.getUint32(8 + 2 * 8, true), Number(text_?.address));
  const whole = bench(image({ profile: 'V44' }), [], undefined, { heap: config('memblk', false) });
  assert.equal(it.target.llext.unload(extension), 0);
  assert.equal(it.target.freeHeapBytes(), whole.target.freeHeapBytes());
});

test('memory blocks: an alignment that no block has, and more allocations than there are regions', () => {
  const aligned = buildElf({ sections: [{ ...text(), align: 64 }], symbols: [func('f')] });
  const it = bench(image({ profile: 'V44' }), [], undefined, { heap: config('memblk', false) });
  const { ret, log } = it.load(aligned);
  assert.equal(ret, -Errno.ENOMEM);
  assert.equal(errors(log)[0], 'llext: Requested alignment 64 not possible with block alignment 32');
  assert.equal(
    it.target.freeHeapBytes(),
    bench(image({ profile: 'V44' }), [], undefined, { heap: config('memblk', false) }).target.freeHeapBytes(),
  );

  const access = memory();
  const plan = planHeaps(config('memblk', false), base + 0x1000);
  const { data: heap, reset } = makeHeaps(access, plan, 4, { pointerSize: 4, offset: 0, regions: 11 });
  const ext = BigInt(base);
  const reports: string[] = [];
  const taken = Array.from({ length: 12 }, () => heap.alignedAlloc(4, 1, 'region TEXT', ext));
  assert.deepEqual(taken.map(Number), [...Array.from({ length: 11 }, (_, i) => plan.data.address + i * 32), 0]);
  heap.free(taken[3], ext);
  assert.equal(heap.alignedAlloc(4, 1, 'region TEXT', ext), 0n, 'an entry that was freed is not used again');
  reset?.(ext);
  assert.equal(heap.alignedAlloc(4, 1, 'region TEXT', ext), taken[3]);
  assert.equal(heap.alignedAlloc(0, 1, 'region TEXT', ext), 0n);
  const again = makeHeaps(access, plan, 4, { pointerSize: 4, offset: 0, regions: 11 });
  again.setReport?.((message) => reports.push(message));
  again.data.free(0x1234n, ext);
  assert.deepEqual(reports, ['Could not find sys_mem_blocks alloc to free pointer 0x1234']);
});

test('memory blocks: what no build would have', () => {
  const odd = config('memblk', false, { EXT_HEAP_SIZE: 1000 });
  const map = { pointerSize: 4, offset: 0, regions: 11 } as const;
  assert.throws(() => makeHeaps(memory(), planHeaps(odd, base), 4, map), LlextError);
  assert.throws(() => makeHeaps(memory(), planHeaps(config('memblk', false), base), 4), /profile V44 or S/);
});

test('zero bytes: never asked for in the newest versions, refused by k_heap in all', () => {
  const nothing = buildElf({ sections: [text()], symbols: [{ ...func('f'), binding: C.STB_LOCAL }] });
  for (const kind of ['kheap', 'memblk'] as const) {
    const it = bench(image({ profile: 'V44' }), [], undefined, { heap: config(kind, false) });
    assert.equal(it.load(nothing).ret, -Errno.ENOMEM, kind);
  }
});

test('dynamic heaps: nothing is allocated before llext_heap_init, and the state is in guest memory', () => {
  const heap = config('dynamic', false);
  const late = bench(image({ profile: 'V44' }), [], undefined, { heap, leaveHeapUninitialised: true });
  assert.equal(late.load(file).ret, -Errno.ENOMEM);
  assert.equal(errors(late.load(file).log)[0], 'llext: Not enough memory for extension metadata');
  assert.equal(late.target.llext.heapInit({ address: 0x2010_0000, bytes: 32 * kib }), 0);
  assert.equal(late.load(file).ret, 0);
  const plan = planHeaps(heap, 0x2010_0000);
  // struct k_heap begins with {heap, init_mem, init_bytes}.
  const record = late.target.memory.read(BigInt(plan.records), 12);
  const words = new DataView(record.buffer, record.byteOffset);
  assert.deepEqual(
    [0, 4, 8].map((at) => words.getUint32(at, true)),
    [0x2010_0000, 0x2010_0000, 32 * kib],
  );
  assert.throws(() => {
    const small = bench(image({ profile: 'V44' }), [], undefined, { heap, leaveHeapUninitialised: true });
    small.target.llext.heapInit({ address: 0x2010_0000, bytes: 16 });
  }, LlextError);
});

test('dynamic heaps on Harvard', () => {
  const heap = config('dynamic', true);
  const it = bench(image({ profile: 'V44' }), [], undefined, { heap });
  assert.equal(it.load(file).ret, 0);
  const plan = planHeaps(heap, 0x2010_0000);
  const at = Number(allocations(it).get('region TEXT')?.address);
  assert.ok(at >= plan.instruction.address && at < plan.instruction.address + plan.instruction.bytes);
});
