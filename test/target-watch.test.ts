/**
 * Watchpoints of the emulated target: instructions, functions of the host and the loader, conditions, stops at the exact place. What
 * is accessed follows from the instructions and from what the C standard says of the functions.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LLEXT_HEAP_BASE } from '../lib/kernel/memory-map';
import { EmulatedTarget } from '../lib/target/emulated-target';
import type { TargetStop } from '../lib/target/target';
import { examplePath } from './support/fixtures';

const code = LLEXT_HEAP_BASE + 0x8000;
const data = BigInt(code + 0x2000);
const goOn = { kind: 'continue' } as const;

function withCode(jit: 'on' | 'off', ...halfwords: number[]): EmulatedTarget {
  const target = EmulatedTarget.create({ jit });
  target.writeMemoryNow(BigInt(code), new Uint8Array(new Uint16Array(halfwords).buffer));
  target.prepareCall(BigInt(code));
  return target;
}

function hitsOf(stop: TargetStop) {
  assert.ok(stop.reason === 'watchpoint', stop.reason);
  return stop.hits;
}

/** BLX r4; BX r5 with r5 = lr and the arguments in r0 to r2. */
function callOf(name: string, ...values: bigint[]): EmulatedTarget {
  const target = withCode('off', 0x4675, 0x47a0, 0x4728);
  const served = target.kernel.image.served.find((row) => row.name === name);
  assert.ok(served, name);
  target.writeRegisterNow('r4', BigInt(served.address | 1));
  values.forEach((value, i) => target.writeRegisterNow(`r${i}`, value));
  return target;
}

for (const jit of ['on', 'off'] as const) {
  test(`conditions decide in the run loop, the JIT is ${jit}`, async () => {
    // LDR r0, =data; MOVS r1, #0; loop: STR r1, [r0]; ADDS r1, #1; CMP r1, #200; BNE loop; BX lr
    const target = withCode(jit, 0x4803, 0x2100, 0x6001, 0x3101, 0x29c8, 0xd1fb, 0x4770, 0xbf00, ...words(data));
    let asked = 0;
    const every = target.addWatchpoint({
      address: data,
      length: 4,
      kind: 'change',
      condition: ({ after }, { registers }) => {
        asked++;
        assert.equal(registers.get(1), BigInt(after[0]));
        return after[0] === 150;
      },
    });
    const [hit] = hitsOf(await target.resume(goOn));
    assert.deepEqual([hit.id, hit.pc, hit.before[0], hit.after[0]], [every, BigInt(code + 4), 149, 150]);
    assert.equal(target.readRegisterNow('pc'), BigInt(code + 6));
    // The first store of 0 changes nothing.
    assert.equal(asked, 150);
    assert.equal(target.machine.instructionCount, 2 + 150 * 4 + 1);
    target.removeWatchpoint(every);
    assert.equal((await target.resume(goOn)).reason, 'exited');
  });
}

const words = (value: bigint): number[] => [Number(value & 0xffffn), Number(value >> 16n)];

test('a breakpoint at the next instruction is told with the hit, and not again', async () => {
  const target = withCode('off', 0x4801, 0x6001, 0x4770, 0xbf00, ...words(data));
  target.addWatchpoint({ address: data, length: 1, kind: 'write' });
  const id = target.addBreakpoint({ address: BigInt(code + 4) });
  const stop = await target.resume(goOn);
  assert.ok(stop.reason === 'watchpoint');
  assert.deepEqual(stop.ids, [id]);
  assert.equal((await target.resume(goOn)).reason, 'exited');
});

test('memcpy is one access of the host: what was copied, whole ranges, and where it returns to', async () => {
  const target = callOf('memcpy', data, data + 0x100n, 64n);
  target.writeMemoryNow(data + 0x100n, new Uint8Array(64).fill(5));
  const written = target.addWatchpoint({ address: data + 16n, length: 4, kind: 'change' });
  const read = target.addWatchpoint({ address: data + 0x13fn, length: 8, kind: 'read' });
  const hits = hitsOf(await target.resume(goOn));
  assert.equal(target.readRegisterNow('pc'), BigInt(code + 4));
  assert.deepEqual(
    hits.map(({ id, host, access, address, size, start, before, after }) => ({
      id,
      host,
      access,
      address,
      size,
      start,
      before: [...before],
      after: [...after],
    })),
    [
      {
        id: read,
        host: 'memcpy',
        access: 'read',
        address: data + 0x100n,
        size: 64,
        start: data + 0x13fn,
        before: [5],
        after: [5],
      },
      {
        id: written,
        host: 'memcpy',
        access: 'write',
        address: data,
        size: 64,
        start: data + 16n,
        before: [0, 0, 0, 0],
        after: [5, 5, 5, 5],
      },
    ],
  );
  assert.equal((await target.resume(goOn)).reason, 'exited');
});

test('a string is read up to its NUL and no further', async () => {
  for (const [offset, isHit] of [
    [2n, true],
    [3n, false],
  ] as const) {
    const target = callOf('strlen', data);
    target.writeMemoryNow(data, Uint8Array.of(0x68, 0x69, 0, 0x21));
    target.addWatchpoint({ address: data + offset, length: 1, kind: 'read' });
    const { reason } = await target.resume(goOn);
    assert.equal(reason, isHit ? 'watchpoint' : 'exited');
  }
});

test("what the loader has hit is told when the run begins, as the loader's", async () => {
  const target = EmulatedTarget.create();
  const file = { name: 'hello', bytes: readFileSync(examplePath('hello/hello.llext')) };
  target.addWatchpoint({ address: BigInt(LLEXT_HEAP_BASE), length: 0x4000, kind: 'write' });
  const loaded = target.loadExtension(file);
  assert.ok(loaded.loaded);
  const entry = loaded.extension.expTab.symbols.find(({ name }) => name === 'entry');
  assert.ok(entry);
  target.prepareCall(entry.address);
  const [hit] = hitsOf(await target.resume(goOn));
  assert.equal(hit.host, 'the loader');
});

test('what cannot be watched is refused', () => {
  const target = EmulatedTarget.create();
  assert.equal(target.watches, true);
  assert.throws(() => target.addWatchpoint({ address: 1n << 32n, length: 1, kind: 'read' }), RangeError);
  assert.throws(() => target.addWatchpoint({ address: 0xffff_fffen, length: 4, kind: 'read' }), RangeError);
});
