/**
 * Memory safety of C++ programs, which new and delete their objects, and of programs that switch stacks: by a thread with a stack in BSS, and
 * by a jump out of deep calls as longjmp makes it. What is done wrong stops at the marked line, at -O0 and at -O2; what is done right does
 * not stop and prints what it prints without checks.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SafetyRule, SafetyUse } from '../lib/emulator/types';
import { projectRoot } from './support/fixtures';
import { safetySession } from './support/safety-session';

interface Case {
  readonly kind: number;
  readonly line: string;
  readonly rule: SafetyRule;
  readonly use?: SafetyUse;
  readonly says: RegExp;
  readonly sites: readonly string[];
}

const cases: readonly Case[] = [
  {
    kind: 1,
    line: 'VIRTUAL',
    rule: 'outside',
    says: /read of 4 bytes .*in the block of 16 bytes.*which is freed.*allocated by malloc.*freed by free.* readOf\(Sensor const\*\)/s,
    sites: ['NEW', 'DELETE'],
  },
  {
    kind: 2,
    line: 'ELEMENT',
    rule: 'outside',
    says: /write of 4 bytes .*right behind the block of 20 bytes.*allocated by malloc/s,
    sites: ['NEW_ARRAY'],
  },
  {
    kind: 3,
    line: 'MEMBER',
    rule: 'uninitialised',
    use: 'branch',
    says: /a branch depends.* Sensor::isHot\(\) const/,
    sites: ['NEW'],
  },
];

const source = readFileSync(join(projectRoot, 'test/safety-programs/classes.cpp'), 'utf8').split('\n');
const lineOf = (marker: string): number => source.findIndex((line) => line.endsWith(`// #${marker}`)) + 1;

for (const level of ['O0', 'O2']) {
  for (const { kind, line, rule, use, says, sites } of cases) {
    test(`C++, ${level}: ${line}`, async () => {
      const session = safetySession(`classes.m3-${level}.elf`);
      const stop = await session.run('entry', kind);
      assert.ok(stop.reason === 'fault', stop.reason);
      const { message, safety, pc } = stop.fault;
      assert.deepEqual([safety?.rule, safety?.use], [rule, use], message);
      assert.match(message, says);
      assert.equal(session.lineAt(pc), lineOf(line), message);
      const lines = (safety?.sites ?? []).map((site) => session.lineAt(site.pc));
      for (const site of sites)
        assert.ok(lines.includes(lineOf(site)), `${site}, in lines ${lines.join()}: ${message}`);
    });
  }

  for (const name of ['classes', 'stacks']) {
    test(`${name}, ${level}: what is done right does not stop`, async () => {
      const plain = safetySession(`${name}.m3-${level}.elf`, []);
      const expected = await plain.run('entry', 0);
      assert.equal(expected.reason, 'exited');
      const session = safetySession(`${name}.m3-${level}.elf`);
      const stop = await session.run('entry', 0);
      assert.deepEqual(stop, expected, stop.reason === 'fault' ? stop.fault.message : '');
      assert.deepEqual(session.output, plain.output);
      assert.equal(session.output.length, name === 'stacks' ? 4 : 1);
    });
  }
}
