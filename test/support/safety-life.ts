/**
 * A random life of a target whose memory safety is checked: programs that break its rules, one after the other, and go on each time;
 * clean ones; loads, unloads, a debugger's writes; now and then the checks are switched off and on. Led freely, or step by step.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuInfo } from '../../lib/arch';
import { Shadow } from '../../lib/emulator/safety/shadow';
import { safetyRules, type SafetyRule } from '../../lib/emulator/types';
import type { EmulatedTarget } from '../../lib/target/emulated-target';
import type { LoadedExtension } from '../../lib/target/load';
import type { TargetStop } from '../../lib/target/target';
import { projectRoot } from './fixtures';
import { fingerprint, type Life, type Run } from './history-program';
import { Random } from './random';

/** Kinds of unsafe.c that can go on afterwards. */
const kinds = [0, 1, 2, 3, 6, 10, 11, 12, 13, 14, 16, 20, 21, 22, 26];
const sharedWord = 0x2000_0800;
const rules: readonly SafetyRule[] = safetyRules.filter((rule) => rule !== 'misaligned');

const variantOf = (cpu: CpuInfo): string => (cpu.arch === 'arm' ? 'm3' : `rv${cpu.isa.xlen}imac`);
const canGoOn = (stop: TargetStop): boolean => stop.reason === 'fault' && stop.fault.kind === 'memory-safety';

/** Lets everything pass, until the moment. */
export const passingFreely: Run = async (target, until) => {
  while (target.history.now < until) {
    const stop = await target.resume({ kind: 'continue', until });
    if (!canGoOn(stop)) return;
  }
};

/** The same by single steps, looked at as soon as it is at each of the times (ascending). */
export function passingBySteps(times: readonly number[], look: (target: EmulatedTarget) => void): Run {
  let next = 0;
  return async (target, until) => {
    while (target.history.now < until) {
      while (next < times.length && times[next] < target.history.now) next++;
      if (times[next] === target.history.now) {
        look(target);
        next++;
      }
      const stop = await target.resume({ kind: 'step-instruction' });
      if (stop.reason !== 'step' && !canGoOn(stop)) return;
    }
  };
}

export async function liveUnsafely({ target }: Life, cpu: CpuInfo, seed: number, run: Run): Promise<void> {
  const random = new Random(seed);
  const loaded: LoadedExtension[] = [];
  target.setMemorySafety(rules);
  for (let i = 0; i < 14; i++) {
    const [chosen] = loaded.slice(-1);
    const what = i === 0 ? 0 : random.below(9);
    if (what === 0 || chosen === undefined) loaded.push(load(target, cpu, random));
    else if (what === 1) target.unloadExtension(loaded.pop() ?? chosen);
    else if (what === 2) target.writeMemoryNow(BigInt(sharedWord), new Uint8Array(4).fill(random.below(256)));
    else if (what === 3) target.setMemorySafety(random.below(2) === 0 ? [] : rules);
    else await call(target, chosen, random, run);
  }
}

function load(target: EmulatedTarget, cpu: CpuInfo, random: Random): LoadedExtension {
  const program = random.below(3) === 0 ? 'clean' : 'unsafe';
  const file = `${program}.${variantOf(cpu)}-O${random.below(2) * 2}.elf`;
  const bytes = readFileSync(join(projectRoot, 'test/safety-programs', file));
  const outcome = target.loadExtension({ name: `ext${random.below(1000)}`, bytes });
  assert.ok(outcome.loaded, outcome.loaded ? '' : outcome.message);
  return outcome;
}

async function call(target: EmulatedTarget, chosen: LoadedExtension, random: Random, run: Run): Promise<void> {
  const entry = chosen.extension.expTab.symbols.find(({ name }) => name === 'entry');
  assert.ok(entry !== undefined);
  target.prepareCall(entry.address, [BigInt(kinds[random.below(kinds.length)]), BigInt(sharedWord)]);
  await run(target, target.history.now + 4000);
}

/** fingerprint(), and what is known of each byte, of the registers' bits, and of the owners. */
export function safetyFingerprint(target: EmulatedTarget): string {
  const { machine, kernel } = target;
  const { safety } = machine;
  const { owners } = kernel;
  if (safety === undefined || owners === undefined) return fingerprint(target);
  const hash = createHash('sha1');
  const { shadow } = safety;
  for (const { base, size } of machine.memory.regions) {
    const known = new Uint8Array(2 * size);
    for (let i = 0; i < size; i++) {
      // What is private is marked by the rules of now, which are a setting.
      known[2 * i] = shadow.flagsAt(base + i) & ~Shadow.private;
      known[2 * i + 1] = shadow.undefinedAt(base + i);
    }
    hash.update(known);
  }
  const { blocks, ...rest } = owners.state;
  return JSON.stringify([
    fingerprint(target),
    hash.digest('hex'),
    [...safety.bits],
    [...blocks].sort(([a], [b]) => a - b),
    rest,
    safety.state,
  ]);
}
