/** The same machine twice, interpreted and translated from the first instruction on: after every run all they can show is equal. */
import assert from 'node:assert/strict';
import type { CpuInfo } from '../../lib/arch';
import { createMachine } from '../../lib/emulator/machine';
import type { JitOptions } from '../../lib/emulator/jit/jit';
import type { Machine, MemoryRegion, RunStop } from '../../lib/emulator/types';
import { hex } from './lockstep';

export class EnginePair {
  readonly interpreted: Machine;
  readonly translated: Machine;

  constructor(
    cpu: CpuInfo,
    private readonly regions: readonly MemoryRegion[],
    /** Of machines with options of their own. */
    make: (jit?: JitOptions) => Machine = (jit) => createMachine({ cpu, regions, jit }),
  ) {
    this.interpreted = make();
    this.translated = make({ threshold: 0 });
  }

  both(act: (machine: Machine) => void): void {
    act(this.interpreted);
    act(this.translated);
  }

  /** Runs both; the stop that they agree on. */
  run(budget: number, text: string, skipBreakpoint = false): RunStop {
    const expected = this.interpreted.run(budget, skipBreakpoint);
    const stop = this.translated.run(budget, skipBreakpoint);
    assert.deepEqual(stop, expected, text);
    this.compare(text);
    return stop;
  }

  compare(text: string): void {
    const { interpreted, translated } = this;
    assert.equal(translated.instructionCount, interpreted.instructionCount, `${text}: instruction count`);
    for (const name of interpreted.state.registerNames) {
      const [ours, theirs] = [translated.state.readWide(name), interpreted.state.readWide(name)];
      assert.equal(ours, theirs, `${text}: ${name} is ${String(ours)}, not ${String(theirs)}`);
    }
    for (const { base, size, name, permissions } of this.regions) {
      if (!permissions.write) continue;
      const ours = Buffer.from(translated.memory.read(base, size));
      const theirs = Buffer.from(interpreted.memory.read(base, size));
      if (ours.equals(theirs)) continue;
      const at = ours.findIndex((byte, i) => byte !== theirs[i]);
      assert.fail(`${text}: ${name} at ${hex(base + at)} is ${hex(ours[at])}, not ${hex(theirs[at])}`);
    }
  }

  /** Share of the instructions that translated code has executed. */
  get share(): number {
    const { translated, interpreted } = this.translated.translation ?? { translated: 0, interpreted: 0 };
    return translated / Math.max(1, translated + interpreted);
  }
}
