/**
 * Memory safety of programs as they are written, by compilers and for processors that the other programs are not built with: each mistake of
 * test/safety-programs/mistakes.c stops at its line before it has an effect, interpreted and translated; everyday.c does not stop; what
 * another extension has handed over is nobody's when that is unloaded.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMachine } from '../lib/emulator/machine';
import { safetyRules, type SafetyRule, type SafetyUse } from '../lib/emulator/types';
import type { EmulatedTarget, EmulatedTargetOptions } from '../lib/target/emulated-target';
import type { LoadedExtension } from '../lib/target/load';
import type { TargetStop } from '../lib/target/target';
import { everydayBuilds, riscvEverydayBuilds } from '../scripts/fixture-builds';
import { projectRoot } from './support/fixtures';
import { safetySession, type SafetySession, usualRules } from './support/safety-session';

const folder = join(projectRoot, 'test/safety-programs');
const files = [...everydayBuilds, ...riscvEverydayBuilds].map(({ output }) => output);
const variantsOf = (program: string): string[] =>
  files.filter((file) => file.startsWith(`${program}.`)).map((file) => file.split('.')[1]);

type Engine = readonly [name: string, options: EmulatedTargetOptions];
const interpreted: Engine = ['interpreted', { jit: 'off' }];
const translated: Engine = [
  'translated',
  { machine: (options) => createMachine({ ...options, jit: { threshold: 0 } }) },
];
/** Translating everything takes its time: one build for each CPU. */
const enginesOf = (variant: string): readonly Engine[] =>
  ['m33-O2', 'rv64imac-O2'].includes(variant) ? [interpreted, translated] : [interpreted];

interface Mistake {
  readonly kind: number;
  /** Markers of the lines where it may stop: compilers give an instruction the one or the other. */
  readonly lines: readonly string[];
  readonly rule: SafetyRule | undefined;
  readonly use?: SafetyUse;
  readonly says: RegExp;
  readonly site?: string;
  /** Builds without it: the compiler has made something else of what is undefined in C. */
  readonly notIn?: readonly string[];
}

const mistakes: readonly Mistake[] = [
  {
    kind: 0,
    lines: ['OFF_BY_ONE'],
    rule: 'outside',
    says: /^write of 4 .*right behind the block of 16/,
    site: 'NUMBERS',
  },
  {
    kind: 1,
    lines: ['STRCPY'],
    rule: 'outside',
    says: /^strcpy: dest.*right behind the block of 7/,
    site: 'TEXT_ROOM',
  },
  { kind: 2, lines: ['MEMSET'], rule: 'outside', says: /^memset: buf.*right behind the block of 2[04]/, site: 'NODE' },
  { kind: 3, lines: ['NEXT', 'FREE_NODE'], rule: 'outside', says: /^read .*which is freed/, site: 'LISTED' },
  { kind: 4, lines: ['DROP'], rule: undefined, says: /^free: \w+ is not a live block.*which is freed/, site: 'TEXT' },
  { kind: 5, lines: ['DANGLING'], rule: 'outside', says: /^read of 4 bytes .*below the stack pointer/ },
  { kind: 6, lines: ['FIELD'], rule: 'uninitialised', use: 'argument', says: /^printk: .*never written/ },
  { kind: 7, lines: ['FLAG'], rule: 'uninitialised', use: 'branch', says: /a variable on the stack/ },
  { kind: 9, lines: ['LITERAL'], rule: 'read-only', says: /^write of 1 byte .*read-only \(RODATA of subject\)/ },
  {
    kind: 12,
    lines: ['UNTERMINATED'],
    rule: 'outside',
    says: /^printk: .*right behind the block of 6/,
    site: 'NARROW',
  },
  { kind: 13, lines: ['STALE'], rule: 'outside', says: /^read .*block of 16 .*freed by realloc/, site: 'SMALL' },
  { kind: 14, lines: ['PADDING'], rule: 'uninitialised', use: 'memory', says: /^k_str_out: .*was never written/ },
  {
    kind: 15,
    lines: ['BEFORE_FIRST', 'OR_HERE'],
    rule: 'outside',
    says: /4 bytes before the block of 12/,
    site: 'ZEROS',
  },
  { kind: 16, lines: ['MEMCPY'], rule: 'outside', says: /^memcpy: src.*right behind the block of 14/, site: 'SHORTS' },
  { kind: 17, lines: ['FREE_STATIC'], rule: undefined, says: /^free: \w+ is not a live block/ },
];

const source = readFileSync(join(folder, 'mistakes.c'), 'utf8').split('\n');
function lineOf(marker: string): number {
  const found = source.findIndex((line) => line.endsWith(`// #${marker}`));
  assert.ok(found >= 0, marker);
  return found + 1;
}

function faultOf(stop: TargetStop, what: string) {
  assert.ok(stop.reason === 'fault', `${what}: ${stop.reason}`);
  return stop.fault;
}

for (const variant of variantsOf('mistakes')) {
  for (const [engine, options] of enginesOf(variant)) {
    test(`${variant}, ${engine}: mistakes stop at their lines`, async () => {
      const session = safetySession(`mistakes.${variant}.elf`, usualRules, options);
      for (const { kind, lines, rule, use, says, site } of mistakes.filter(({ notIn }) => !notIn?.includes(variant))) {
        const { message, safety, pc, kind: what } = faultOf(await session.run('entry', kind, 4), `mistake ${kind}`);
        assert.deepEqual([what, safety?.rule], [rule ? 'memory-safety' : 'unhandled-exception', rule], message);
        if (use !== undefined) assert.equal(safety?.use, use, message);
        assert.match(message, says);
        assert.ok(lines.map(lineOf).includes(session.lineAt(pc) ?? 0), `line ${session.lineAt(pc)}: ${message}`);
        const sites = (safety?.sites ?? []).map((one) => session.lineAt(one.pc));
        if (site !== undefined)
          assert.ok(sites.includes(lineOf(site)), `${site}, in lines ${sites.join()}: ${message}`);
      }
    });
  }

  test(`${variant}: recursion, a call of NULL, an odd address`, async () => {
    const session = safetySession(`mistakes.${variant}.elf`, safetyRules);
    const deep = faultOf(await session.run('entry', 8), 'recursion');
    assert.equal(deep.kind, 'stack-overflow', deep.message);
    const called = faultOf(await session.run('entry', 10, 4), 'NULL');
    assert.match(called.message, /^execution at 0x00000000, where no memory is/);
    assert.equal(session.lineAt(called.pc), lineOf('NULL_CALL'), called.message);
    // Compilers for RISC-V read it byte by byte.
    if (variant.startsWith('rv')) return;
    const odd = faultOf(await session.run('entry', 11, 0), 'odd');
    assert.equal(odd.kind, variant === 'm0plus-O0' ? 'unaligned' : 'memory-safety', odd.message);
    assert.equal(session.lineAt(odd.pc), lineOf('UNALIGNED'), odd.message);
  });
}

for (const variant of variantsOf('everyday')) {
  test(`${variant}: what is done every day does not stop`, async () => {
    const plain = safetySession(`everyday.${variant}.elf`, []);
    const expected = await plain.run('entry', 4);
    assert.equal(expected.reason, 'exited');
    for (const [engine, options] of enginesOf(variant)) {
      const session = safetySession(`everyday.${variant}.elf`, usualRules, options);
      const stop = await session.run('entry', 4);
      assert.deepEqual(stop, expected, `${engine}: ${stop.reason === 'fault' ? stop.fault.message : stop.reason}`);
      assert.deepEqual(session.output, plain.output);
    }
  });
}

function call(target: EmulatedTarget, { extension }: LoadedExtension, name: string): Promise<TargetStop> {
  const symbol = extension.expTab.symbols.find((one) => one.name === name);
  assert.ok(symbol, name);
  target.prepareCall(symbol.address, []);
  return target.resume({ kind: 'continue' });
}

async function subscribed(variant: string): Promise<{ session: SafetySession; gone: LoadedExtension }> {
  const session = safetySession(`mistakes.${variant}.elf`);
  const bytes = new Uint8Array(readFileSync(join(folder, `subscriber.${variant}.elf`)));
  const gone = session.target.loadExtension({ name: 'subscriber', bytes });
  assert.ok(gone.loaded, gone.loaded ? '' : gone.message);
  assert.equal((await call(session.target, gone, 'join')).reason, 'exited');
  return { session, gone };
}

for (const variant of variantsOf('subscriber')) {
  test(`${variant}: a function and data of an extension that is unloaded`, async () => {
    const { session, gone } = await subscribed(variant);
    const { target } = session;
    const called = await session.run('entry', 18, 5);
    assert.ok(called.reason === 'exited' && called.returnValue === 16n, 'while it is loaded its function is called');
    assert.equal(target.unloadExtension(gone), 0);
    const before = target.machine.memory.read(0x2000_0000, 0x1_0000);
    const execution = faultOf(await session.run('entry', 18, 5), 'call');
    assert.equal(execution.safety?.rule, 'execute', execution.message);
    assert.match(execution.message, /\(TEXT of subscriber, which is unloaded\)/);
    assert.equal(session.lineAt(execution.pc), lineOf('GONE_CALL'), 'before the jump');
    target.setMemorySafety(usualRules.filter((rule) => rule !== 'other-extension'));
    const data = faultOf(await session.run('entry', 19), 'data');
    assert.equal(data.safety?.rule, 'outside', data.message);
    assert.match(data.message, /^read of 4 bytes .*\(BSS of subscriber, which is unloaded\)/);
    assert.equal(session.lineAt(data.pc), lineOf('GONE_DATA'));
    const heap = target.kernel.image.map.llextHeap;
    const from = heap.base - 0x2000_0000;
    const after = target.machine.memory.read(heap.base, 0x1000);
    assert.deepEqual(after, before.subarray(from, from + 0x1000), 'nothing was written');
  });
}
