/** RISC-V extensions in sessions with and without translated code: the same output, results and instruction counts, call by call. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { EmulatedTarget } from '../lib/target/emulated-target';
import { examplePath } from './support/fixtures';

interface Session {
  /** After each call: the stop, the machine's count, a checksum of the registers. */
  readonly calls: readonly unknown[];
  readonly output: string;
  readonly share: number;
}

async function run(file: string, cpu: string, jit: 'on' | 'off', instructions: number): Promise<Session> {
  let output = '';
  const target = EmulatedTarget.create({
    cpu: findCpu(cpu),
    jit,
    listener: { output: (event) => (output += event.text) },
  });
  const outcome = target.loadExtension({ name: 'extension', bytes: readFileSync(examplePath(file)) });
  assert.ok(outcome.loaded);
  const entry = outcome.extension.expTab.symbols.find(({ name }) => name === 'entry');
  assert.ok(entry);
  const { machine } = target;
  const calls: unknown[] = [];
  while (machine.instructionCount < instructions) {
    target.prepareCall(entry.address, [], calls.length === 0 ? target.bringUpCalls() : []);
    const stop = await target.resume({ kind: 'continue' });
    assert.equal(stop.reason, 'exited');
    calls.push([
      stop,
      machine.instructionCount,
      ...machine.state.registerNames.map((name) => machine.state.read(name)),
    ]);
  }
  const { translated = 0, interpreted = 1 } = machine.translation ?? {};
  assert.equal(machine.translation === undefined, jit === 'off');
  return { calls, output, share: translated / (translated + interpreted) };
}

for (const cpu of ['rv32imac', 'rv64imac']) {
  for (const name of ['hello', 'sensor']) {
    test(`${name} on ${cpu}: translated as interpreted`, async () => {
      const file = `riscv/${name}.${cpu}.llext`;
      const [on, off] = [await run(file, cpu, 'on', 1_000_000), await run(file, cpu, 'off', 1_000_000)];
      assert.deepEqual(on.calls, off.calls);
      assert.equal(on.output, off.output);
      assert.ok(on.output.length > 0);
      assert.ok(on.share > 0.3, `${(100 * on.share).toFixed(1)} % of the instructions were translated`);
    });
  }
}
