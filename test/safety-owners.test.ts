/**
 * Several extensions, each the owner of its data: what one has no business with in another one stops and is named; what that exports does not,
 * nor what a function is handed that lies in memory of nobody else. Shared memory is declared by range or name.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { builtInImage } from '../lib/kernel/guest-image';
import { cpus } from '../lib/arch';
import { EmulatedTarget } from '../lib/target/emulated-target';
import type { LoadedExtension } from '../lib/target/load';
import { resolveSharedMemory } from '../lib/target/shared-memory';
import type { TargetStop } from '../lib/target/target';
import { projectRoot } from './support/fixtures';
import { safetySession, type SafetySession, usualRules } from './support/safety-session';

const folder = join(projectRoot, 'test/safety-programs');

function neighbourOf({ target }: SafetySession, variant: string): LoadedExtension {
  const bytes = new Uint8Array(readFileSync(join(folder, `neighbour.${variant}-O2.elf`)));
  const outcome = target.loadExtension({ name: 'neighbour', bytes });
  assert.ok(outcome.loaded);
  return outcome;
}

/** Where a symbol of the file lies. */
function addressIn({ elf, extension }: LoadedExtension, name: string): number {
  const symbol = [...elf.symbols()].find((one) => one.name === name);
  const section = extension.sections.find(({ index }) => index === symbol?.st_shndx);
  assert.ok(symbol !== undefined && section !== undefined, name);
  return Number(section.address) + Number(symbol.st_value);
}

function call(target: EmulatedTarget, { extension }: LoadedExtension, name: string, ...values: number[]) {
  const symbol = extension.expTab.symbols.find((one) => one.name === name);
  assert.ok(symbol, name);
  target.prepareCall(symbol.address, values.map(BigInt));
  return target.resume({ kind: 'continue' });
}

function assertOthers(stop: TargetStop, says: RegExp): void {
  assert.ok(stop.reason === 'fault', stop.reason);
  assert.equal(stop.fault.safety?.rule, 'other-extension');
  assert.match(stop.fault.message, says);
}

for (const variant of ['m3', 'rv32imac']) {
  test(`${variant}: private data of another extension`, async () => {
    const session = safetySession(`unsafe.${variant}-O2.elf`);
    const { target } = session;
    const neighbour = neighbourOf(session, variant);
    const secret = addressIn(neighbour, 'secret');
    assertOthers(
      await session.run('entry', 20, secret),
      /^read of 4 bytes at 0x[0-9a-f]+, which is private to another extension \(secret in \.data of neighbour, which does not export it\)/,
    );
    assert.equal((await session.resume()).reason, 'exited', 'continuing makes the access');
    assertOthers(await session.run('entry', 21, secret - 12), /^write of 4 bytes/);
    const exported = await session.run('entry', 20, addressIn(neighbour, 'shared_counter'));
    assert.equal(exported.reason, 'exited', 'what it exports may be imported');
    // The neighbour with the first one's data, through a pointer and through a function of the host.
    const sink = addressIn(session.extension, 'sink');
    const constants = addressIn(session.extension, 'constants');
    const read = await call(target, neighbour, 'neighbour_read', sink);
    assertOthers(read, /sink in \.bss of subject/);
    const copied = await call(target, neighbour, 'neighbour_copy', addressIn(neighbour, 'shared_counter'), sink);
    assertOthers(
      copied,
      /^memcpy: src: it would read 4 bytes .*private to another extension \(sink in \.bss of subject/,
    );
    const own = await call(target, neighbour, 'neighbour_copy', addressIn(neighbour, 'shared_counter'), constants);
    assert.ok(
      own.reason === 'exited' && own.returnValue === 0x5ecn,
      'constants of others may be read, its own data too',
    );
    target.setMemorySafety(usualRules.filter((rule) => rule !== 'other-extension'));
    assert.equal((await session.run('entry', 20, secret)).reason, 'exited');
    target.setMemorySafety(usualRules);
    assertOthers(await session.run('entry', 20, secret), /secret/);
    assert.equal(target.unloadExtension(neighbour), 0);
    const gone = await session.run('entry', 20, secret);
    assert.ok(gone.reason === 'fault' && gone.fault.safety?.rule === 'outside');
    assert.match(gone.fault.message, /DATA of neighbour, which is unloaded/);
  });

  test(`${variant}: translated code with data beside others' stops at the same instruction`, async () => {
    const file = `clean.${variant}-O2.elf`;
    const results = [];
    for (const jit of ['on', 'off'] as const) {
      const session = safetySession(file, usualRules, { jit });
      neighbourOf(session, variant);
      const stop = await session.run('entry');
      assert.equal(stop.reason, 'exited');
      results.push([stop, session.target.machine.instructionCount, session.output]);
    }
    assert.deepEqual(results[0], results[1]);
  });
}

for (const variant of ['m3-O0', 'm3-O2', 'rv32imac-O0', 'rv32imac-O2']) {
  test(`${variant}: constants of another extension may be read, not written; blocks of the heap are handed on by their pointers`, async () => {
    const session = safetySession(`unsafe.${variant}.elf`);
    const { target } = session;
    const neighbour = neighbourOf(session, variant.split('-')[0]);
    // The block that it stops for is the first one's, and stays.
    assert.equal((await session.run('entry', 11)).reason, 'fault');
    const [block] = [...(target.kernel.owners?.state.blocks.values() ?? [])];
    assert.equal(block.size, 16);
    const shared = addressIn(neighbour, 'shared_counter');
    const given = await call(target, neighbour, 'neighbour_copy', block.address, shared);
    assert.equal(given.reason, 'exited', 'what has a pointer may use the block');
    const outside = await call(target, neighbour, 'neighbour_copy', block.address + 14, shared);
    assert.ok(outside.reason === 'fault' && outside.fault.safety?.rule === 'outside');
    const constants = addressIn(session.extension, 'constants');
    assert.equal((await call(target, neighbour, 'neighbour_read', constants)).reason, 'exited');
    const written = await call(target, neighbour, 'neighbour_copy', constants, shared);
    assert.ok(written.reason === 'fault' && written.fault.safety?.rule === 'read-only');
    assert.match(written.fault.message, /^memcpy: dest: .*read-only \(RODATA of subject\)/);
  });
}

test('declared shared memory may be used, by range and by name', async () => {
  const image = builtInImage(64, cpus[0]);
  const object = image.symbols.find(({ name }) => name === '__stack_chk_guard');
  assert.ok(object);
  const wishes = [{ address: 0x2000_0800, size: 8, writable: true }, '__stack_chk_guard'];
  assert.deepEqual(resolveSharedMemory(wishes, image).at(1), {
    ...{ address: object.address, size: 4 },
    writable: true,
  });
  const session = safetySession('unsafe.m3-O0.elf', usualRules, {
    sharedMemory: [...wishes, { address: 0x2000_0900, size: 4, writable: false }],
  });
  assert.equal((await session.run('entry', 21, 0x2000_07f4)).reason, 'exited');
  assert.equal((await session.run('entry', 20, 0x2000_0804)).reason, 'exited');
  assert.equal((await session.run('entry', 20, 0x2000_0900)).reason, 'exited');
  const constant = await session.run('entry', 21, 0x2000_0900 - 12);
  assert.ok(constant.reason === 'fault' && constant.fault.safety?.rule === 'read-only');
});

test('what cannot be meant as shared memory is refused with its reason', () => {
  const refused: readonly (readonly [string | { address: number; size: number; writable: boolean }, RegExp])[] = [
    ['nobody', /the base image has no object 'nobody'/],
    ['printk', /'printk' is a function of the base image/],
    [{ address: 0x2000_0800, size: 0, writable: true }, /0 bytes at 0x20000800 are no range/],
    [{ address: 0xffff_fff0, size: 64, writable: true }, /no range of the 4 GiB/],
    [
      { address: 0x4000_0000, size: 4, writable: true },
      /nothing is mapped at 0x40000000: memory of this machine is flash /,
    ],
    [{ address: 0x2000_0ff0, size: 64, writable: true }, /nothing is mapped at 0x20001000/],
    [{ address: 0x2000_2000, size: 4, writable: true }, /in the stack, whose use is what is checked/],
    [{ address: 0x2000_6000, size: 4, writable: true }, /in the llext heap/],
    [{ address: 0x2001_7000, size: 4, writable: true }, /in the system heap/],
  ];
  for (const [wish, says] of refused) {
    const create = () => EmulatedTarget.create({ sharedMemory: ['__stack_chk_guard', wish] });
    assert.throws(
      create,
      (error: RangeError & { index: number }) => error.index === 1 && says.test(error.message),
      String(says),
    );
  }
});
