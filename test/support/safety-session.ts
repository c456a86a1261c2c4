/** A target with one of the programs of test/safety-programs, checked by rules of memory safety. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuInfo } from '../../lib/arch';
import { safetyRules, type SafetyRule } from '../../lib/emulator/types';
import { cpuForElf } from '../../lib/program/cpu-for-elf';
import { ElfFile } from '../../lib/elf/elf-file';
import { LoadedProgram } from '../../lib/program/loaded-program';
import { Program } from '../../lib/program/program';
import { EmulatedTarget, type EmulatedTargetOptions } from '../../lib/target/emulated-target';
import type { LoadedExtension } from '../../lib/target/load';
import type { TargetStop } from '../../lib/target/target';
import { projectRoot } from './fixtures';

const folder = join(projectRoot, 'test/safety-programs');

export interface SafetySession {
  readonly target: EmulatedTarget;
  readonly extension: LoadedExtension;
  readonly output: string[];
  /** Runs an exported function until it stops. */
  run(name: string, ...values: number[]): Promise<TargetStop>;
  resume(): Promise<TargetStop>;
  /** The line of the C source at an address. */
  lineAt(address: bigint): number | undefined;
}

/** All rules but 'misaligned', which compilers break themselves. */
export const usualRules: readonly SafetyRule[] = safetyRules.filter((rule) => rule !== 'misaligned');

export function safetySession(
  file: string,
  rules: readonly SafetyRule[] = usualRules,
  options: EmulatedTargetOptions = {},
): SafetySession {
  const bytes = new Uint8Array(readFileSync(file.includes('/') ? join(projectRoot, file) : join(folder, file)));
  const output: string[] = [];
  const cpu = cpuOf(bytes);
  const target = EmulatedTarget.create({ cpu, ...options, listener: { output: ({ text }) => output.push(text) } });
  target.setMemorySafety(rules);
  const outcome = target.loadExtension({ name: 'subject', bytes });
  assert.ok(outcome.loaded, outcome.loaded ? '' : outcome.message);
  const program = new LoadedProgram(
    Program.open(outcome.elf),
    outcome.instance,
    new Map(outcome.extension.sections.map(({ index, address }) => [index, address])),
  );
  return {
    target,
    extension: outcome,
    output,
    run: (name, ...values) => {
      const symbol = outcome.extension.expTab.symbols.find((entry) => entry.name === name);
      assert.ok(symbol, name);
      target.prepareCall(symbol.address, values.map(BigInt));
      return target.resume({ kind: 'continue' });
    },
    resume: () => target.resume({ kind: 'continue' }),
    lineAt: (address) => program.sourceAt(address)?.line,
  };
}

export function cpuOf(bytes: Uint8Array): CpuInfo {
  return cpuForElf(ElfFile.parse(bytes));
}
