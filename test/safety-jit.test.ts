/**
 * Memory safety in translated code: the programs of test/safety-programs stop at the same instruction, after as many instructions and with the
 * same words as by the careful interpreter alone; what runs through gives the same result, output and shadow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from '../lib/emulator/machine';
import type { EmulatedTargetOptions } from '../lib/target/emulated-target';
import type { TargetStop } from '../lib/target/target';
import { riscvSafetyBuilds, safetyBuilds } from '../scripts/fixture-builds';
import { safetySession, type SafetySession, usualRules } from './support/safety-session';

const interpreted: EmulatedTargetOptions = { jit: 'off' };
/** Everything is translated when it is met. */
const translated: EmulatedTargetOptions = {
  machine: (options) => createMachine({ ...options, jit: { threshold: 0 } }),
};

const kinds = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 27];

interface Outcome {
  readonly stop: TargetStop;
  readonly instructions: number;
  readonly output: string;
  readonly flags: Uint8Array;
}

async function outcome(session: SafetySession, ...values: number[]): Promise<Outcome> {
  const stop = await session.run('entry', ...values);
  const { machine, kernel } = session.target;
  const { base, size } = kernel.image.map.stack;
  const safety = machine.safety;
  assert.ok(safety);
  return {
    stop,
    instructions: machine.instructionCount,
    output: session.output.join(''),
    flags: Uint8Array.from({ length: size }, (_, i) => safety.shadow.flagsAt(base + i)),
  };
}

for (const { output: file } of [...safetyBuilds, ...riscvSafetyBuilds]) {
  const isUnsafe = file.startsWith('unsafe');
  test(`${file}: translated code stops as the interpreter does`, async () => {
    for (const kind of isUnsafe ? kinds : [0]) {
      const expected = await outcome(safetySession(file, usualRules, interpreted), kind, 0x2000_07f4);
      const session = safetySession(file, usualRules, translated);
      const actual = await outcome(session, kind, 0x2000_07f4);
      assert.deepEqual(actual.stop, expected.stop, `kind ${kind}`);
      assert.equal(actual.instructions, expected.instructions, `kind ${kind}`);
      assert.equal(actual.output, expected.output);
      assert.deepEqual(actual.flags, expected.flags, `kind ${kind}: flags of the stack`);
      const { translation } = session.target.machine;
      assert.equal(translation?.refusal, undefined);
      if (!isUnsafe) assert.ok((translation?.translated ?? 0) > expected.instructions / 4, JSON.stringify(translation));
    }
  });
}
