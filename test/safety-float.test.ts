/** Rules of memory safety broken by multiple loads and stores of floating-point registers (test/safety-programs/floating.c), in the hard-float ABI. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import type { SafetyRule } from '../lib/emulator/types';
import { markerLine, projectRoot } from './support/fixtures';
import { safetySession, usualRules } from './support/safety-session';

const source = join(projectRoot, 'test/safety-programs/floating.c');

/** Kind, the line where it stops, the rule, what is said. */
const cases: readonly (readonly [kind: number, marker: string, rule: SafetyRule, says: RegExp])[] = [
  [0, 'OVERFLOW', 'outside', /right behind the block of 16 bytes/],
  [1, 'UNDERFLOW', 'outside', /4 bytes before the block of 16 bytes/],
  [2, 'AFTER_FREE', 'outside', /in the block of 16 bytes at 0x[0-9a-f]+, which is freed/],
  [3, 'RODATA', 'read-only', /read-only \(RODATA of subject\)/],
  [4, 'READ', 'outside', /at 0x20000800, which is not the extension's/],
  [5, 'BRANCH', 'uninitialised', /a branch depends/],
  [6, 'ADDRESS', 'uninitialised', /the address of an access depends/],
];

for (const level of ['O0', 'O2']) {
  for (const name of ['cortex-m4', 'cortex-m7']) {
    const cpu = findCpu(name);
    const session = () => {
      assert.ok(cpu !== undefined);
      return safetySession(`floating.m4f-${level}.elf`, usualRules, { cpu });
    };
    for (const [kind, marker, rule, says] of cases) {
      test(`${name} -${level}: ${marker}`, async () => {
        const one = session();
        const stop = await one.run('entry', kind, 0x2000_0800);
        assert.ok(stop.reason === 'fault', stop.reason);
        const { message, pc, safety } = stop.fault;
        assert.equal(safety?.rule, rule, message);
        assert.match(message, says);
        assert.equal(one.lineAt(pc), markerLine(source, marker), message);
      });
    }

    test(`${name} -${level}: what is stored whole is written`, async () => {
      const stop = await session().run('entry', 7, 0);
      assert.ok(stop.reason === 'exited' && stop.returnValue === 4n, JSON.stringify(stop.reason));
    });
  }
}
