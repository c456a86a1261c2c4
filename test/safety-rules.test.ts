/**
 * Every rule of memory safety is broken by a C program (test/safety-programs/unsafe.c), which stops before the marked line's effect and
 * says whose memory it is and who allocated it; clean.c, the examples and the fixtures do what C programs may, and run through.
 * Built at -O0 and -O2, by GCC and Clang, for Thumb, RV32 and RV64.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { safetyBuilds, riscvSafetyBuilds } from '../scripts/fixture-builds';
import { safetyRules, type SafetyRule, type SafetyUse } from '../lib/emulator/types';
import { projectRoot } from './support/fixtures';
import { safetySession, usualRules, type SafetySession } from './support/safety-session';

interface Case {
  readonly kind: number;
  /** Marker of the line where it stops. */
  readonly line: string;
  readonly rule?: SafetyRule;
  readonly use?: SafetyUse;
  /** In the message, in this order. */
  readonly says: readonly RegExp[];
  /** Lines of the sites, by marker. */
  readonly sites?: readonly string[];
  readonly address?: (session: SafetySession) => number;
}

const cases: readonly Case[] = [
  {
    kind: 0,
    line: 'OVERFLOW',
    rule: 'outside',
    says: [/write of 1 byte/, /right behind the block of 13 bytes/, /allocated by malloc/],
    sites: ['ALLOCATION'],
  },
  {
    kind: 1,
    line: 'UNDERFLOW',
    rule: 'outside',
    says: [/read of 1 byte/, /1 byte before the block of 13 bytes/],
    sites: ['ALLOCATION'],
  },
  {
    kind: 2,
    line: 'AFTER_FREE',
    rule: 'outside',
    says: [/which is freed/, /allocated by malloc/, /freed by free/],
    sites: ['ALLOCATION', 'FREE'],
  },
  { kind: 3, line: 'AFTER_REALLOC', rule: 'outside', says: [/which is freed/, /freed by realloc/] },
  {
    kind: 4,
    line: 'DOUBLE_FREE',
    says: [/not a live block/, /which is freed/, /freed by free/],
    sites: ['ALLOCATION', 'FREE'],
  },
  { kind: 5, line: 'INVALID_FREE', says: [/not a live block/, /in the block of 13 bytes/], sites: ['ALLOCATION'] },
  {
    kind: 6,
    line: 'HOST_OVERFLOW',
    rule: 'outside',
    says: [/memset: buf: it would write 14 bytes/, /right behind the block/],
    sites: ['ALLOCATION'],
  },
  {
    kind: 10,
    line: 'LOCAL',
    rule: 'uninitialised',
    use: 'branch',
    says: [/a branch depends/, /a variable on the stack/],
  },
  {
    kind: 11,
    line: 'HEAP',
    rule: 'uninitialised',
    use: 'branch',
    says: [/a branch depends/, /in the block of 16 bytes/],
    sites: ['ALLOCATION'],
  },
  {
    kind: 12,
    line: 'ADDRESS',
    rule: 'uninitialised',
    use: 'address',
    says: [/the address of an access depends/],
    sites: ['ALLOCATION'],
  },
  {
    kind: 13,
    line: 'ARGUMENT',
    rule: 'uninitialised',
    use: 'argument',
    says: [/printk: an argument after the named ones was never written/],
  },
  { kind: 14, line: 'OUTPUT', rule: 'uninitialised', use: 'memory', says: [/printk: .* was never written/] },
  {
    kind: 15,
    line: 'TARGET',
    rule: 'uninitialised',
    use: 'target',
    says: [/the target of a jump/],
    sites: ['ALLOCATION'],
  },
  { kind: 16, line: 'COPIED', rule: 'uninitialised', use: 'branch', says: [/a branch depends/] },
  { kind: 20, line: 'READ', rule: 'outside', says: [/read of 4 bytes at 0x20000800/], address: () => 0x2000_0800 },
  { kind: 21, line: 'WRITE', rule: 'outside', says: [/write of 4 bytes at 0x20000800/], address: () => 0x2000_07f4 },
  { kind: 22, line: 'RODATA', rule: 'read-only', says: [/which is read-only \(RODATA of subject\)/] },
  { kind: 23, line: 'TEXT', rule: 'read-only', says: [/which is read-only \(TEXT of subject\)/] },
  { kind: 24, line: 'EXECUTE', rule: 'execute', says: [/execution .* no code \(DATA of subject\)/] },
  { kind: 26, line: 'AFTER_RETURN', rule: 'outside', says: [/below the stack pointer/] },
  { kind: 27, line: 'MISALIGNED', rule: 'misaligned', says: [/not a multiple of 4/] },
];

const source = readFileSync(join(projectRoot, 'test/safety-programs/unsafe.c'), 'utf8').split('\n');
function lineOf(marker: string): number {
  const found = source.findIndex((line) => new RegExp(`// #${marker}\\b`).test(line));
  assert.ok(found >= 0, marker);
  return found + 1;
}

const files = [...safetyBuilds, ...riscvSafetyBuilds].map(({ output }) => output);
const unsafeFiles = files.filter((file) => file.startsWith('unsafe'));

for (const file of unsafeFiles) {
  for (const one of cases) {
    test(`${file}: ${one.line}`, async () => {
      const session = safetySession(file, one.rule === 'misaligned' ? safetyRules : usualRules);
      const stop = await session.run('entry', one.kind, one.address?.(session) ?? 0);
      assert.equal(
        stop.reason,
        'fault',
        JSON.stringify(stop, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
      );
      if (stop.reason !== 'fault') return;
      const { fault } = stop;
      const { message, safety, pc } = fault;
      assert.equal(fault.kind, one.rule === undefined ? 'unhandled-exception' : 'memory-safety', message);
      let from = 0;
      for (const part of one.says) {
        const found = part.exec(message.slice(from));
        assert.ok(found, `${String(part)} in: ${message}`);
        from += found.index;
      }
      assert.equal(safety?.rule, one.rule, message);
      if (one.use) assert.equal(safety?.use, one.use);
      assert.equal(session.lineAt(pc), lineOf(one.line), message);
      const sites = one.sites ?? [];
      const lines = (safety?.sites ?? []).map((site) => session.lineAt(site.pc));
      for (const site of sites) assert.ok(lines.includes(lineOf(site)), `${site} in lines ${lines.join()}: ${message}`);
    });
  }

  test(`${file}: stack overflow by recursion`, async () => {
    const session = safetySession(file);
    const stop = await session.run('entry', 25, 0);
    assert.ok(stop.reason === 'fault' && stop.fault.kind === 'stack-overflow');
  });
}

test('every rule has a case', () => {
  // Two extensions: safety-owners.test.ts.
  const others: SafetyRule = 'other-extension';
  assert.deepEqual(new Set([...cases.flatMap(({ rule }) => rule ?? []), others]), new Set(safetyRules));
});

for (const file of unsafeFiles) {
  test(`${file}: continuing from a broken rule makes the access or the call, and takes the time that it takes`, async () => {
    const session = safetySession(file);
    for (const kind of [0, 6, 13]) {
      const stop = await session.run('entry', kind, 0);
      assert.equal(stop.reason, 'fault');
      const { history, machine } = session.target;
      const [time, pc] = [history.now, session.target.readRegisterNow('pc')];
      assert.equal(pc, stop.reason === 'fault' ? stop.fault.pc : undefined, 'it is shown where the message says');
      assert.equal((await session.resume()).reason, 'exited', `kind ${kind}`);
      const [end, count] = [history.end, machine.instructionCount];
      await session.target.goTo(time);
      assert.equal(session.target.readRegisterNow('pc'), pc, 'and when it is returned to');
      await session.target.goTo(end);
      assert.deepEqual([history.now, machine.instructionCount], [end, count]);
    }
    assert.equal(session.output.length, 1);
  });
}

test('a rule that is not asked for does not stop', async () => {
  for (const one of cases) {
    if (one.rule === undefined) continue;
    const session = safetySession(
      'unsafe.m3-O2.elf',
      safetyRules.filter((rule) => rule !== one.rule && rule !== 'misaligned'),
    );
    const stop = await session.run('entry', one.kind, one.address?.(session) ?? 0);
    if (stop.reason === 'fault') assert.notEqual(stop.fault.safety?.rule, one.rule);
  }
});

test("memory of an extension that is unloaded is nobody's", async () => {
  const session = safetySession('unsafe.m3-O0.elf');
  const bytes = new Uint8Array(readFileSync(join(projectRoot, 'test/safety-programs/clean.m3-O0.elf')));
  const other = session.target.loadExtension({ name: 'gone', bytes });
  assert.ok(other.loaded);
  const text = other.extension.sections.find(({ region }) => region === 'RODATA');
  assert.ok(text);
  const address = Number(text.address);
  const stop = await session.run('entry', 20, address);
  assert.equal(stop.reason, 'exited');
  assert.equal(session.target.unloadExtension(other), 0);
  const after = await session.run('entry', 20, address);
  assert.ok(after.reason === 'fault' && after.fault.safety?.rule === 'outside');
  assert.match(after.fault.message, /RODATA of gone, which is unloaded/);
});

for (const file of files.filter((one) => one.startsWith('clean'))) {
  test(`${file}: what C programs may do does not stop`, async () => {
    const plain = safetySession(file, []);
    const expected = await plain.run('entry');
    assert.equal(expected.reason, 'exited');
    const session = safetySession(file);
    const stop = await session.run('entry');
    assert.deepEqual(stop, expected);
    assert.deepEqual(session.output, plain.output);
  });
}

/** What is executed of examples and fixtures: an exported function by name, with arguments. */
const programs: readonly (readonly [file: string, name: string, ...values: number[]])[] = [
  ['examples/hello/hello.llext', 'entry'],
  ['examples/sensor/sensor.llext', 'entry'],
  ['examples/init-fini/init_fini.llext', 'entry'],
  ['examples/detached/detached_fn.llext', 'test_entry'],
  ['examples/riscv/hello.rv32imac.llext', 'entry'],
  ['examples/riscv/hello.rv64imac.llext', 'entry'],
  ...['m3-O0', 'm3-O2', 'm3clang-O2'].flatMap((variant) =>
    ['arith', 'calls', 'control', 'data', 'printing', 'strings'].map((name): readonly [string, string, ...number[]] => [
      `test/fixtures/${name}.${variant}.elf`,
      'entry',
      3,
    ]),
  ),
  ['test/fixtures/floats.rv32imafc-Og.elf', 'entry', 3],
  ['test/fixtures/floats.rv64gc-Og.elf', 'entry', 3],
  ['test/dap-programs/controls.m4f-O2.elf', 'entry', 3],
];

for (const [file, name, ...values] of programs) {
  test(`${file} runs as without checks`, async () => {
    const plain = safetySession(file, []);
    const expected = await plain.run(name, ...values);
    const session = safetySession(file);
    assert.deepEqual(await session.run(name, ...values), expected);
    assert.deepEqual(session.output, plain.output);
    assert.equal(session.target.machine.instructionCount, plain.target.machine.instructionCount);
  });
}
