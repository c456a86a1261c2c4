/**
 * Rows of the engine's benchmark about memory safety: the speed with all checks on as a part of the plain speed, both of translated code, run
 * one after the other in this process on processor time. Code is read-only and executable, data are the program's, the stack is
 * the last 8 KiB of them. The checksums of both have to agree.
 */
import { safetyRules } from '../../lib/emulator/types';
import { kernelMachine, kernelNames, kernelProgram, layouts, memorySize, type Isa, type Level } from './kernel-program';
import { median } from './kernel-rows';
import { ownMilliseconds } from './processor-time';
import type { SessionRow } from './session-rows';

const stackSize = 0x2000;

interface Timed {
  readonly milliseconds: number;
  readonly checksum: number;
}

function timed(isa: Isa, level: Level, kernel: number, rounds: number, isChecked: boolean): Timed {
  const program = kernelProgram(isa, level);
  const { machine, start, finish } = kernelMachine(program, {});
  if (isChecked) machine.setSafety?.(safetyRules.filter((rule) => rule !== 'misaligned'));
  machine.safety?.ownReadOnly(layouts[isa].code, memorySize, true);
  machine.safety?.own(layouts[isa].data, memorySize, true);
  start(kernel, rounds);
  machine.safety?.beginCall(program.stackTop - stackSize, program.stackTop);
  const begin = ownMilliseconds();
  const checksum = finish();
  return { milliseconds: ownMilliseconds() - begin, checksum };
}

/** Instructions of a round. */
function roundLength(isa: Isa, level: Level, kernel: number): number {
  const { machine, start, finish } = kernelMachine(kernelProgram(isa, level), {});
  start(kernel, 3);
  finish();
  return machine.instructionCount / 3;
}

export function safetyRows(quick: boolean): SessionRow[] {
  const instructions = quick ? 50e6 : 300e6;
  const repetitions = quick ? 1 : 3;
  return (['thumb', 'rv32'] as const).flatMap((isa) =>
    (['O2', 'O0'] as const).flatMap((level) => {
      const ratios = kernelNames.map((_, kernel) => {
        const rounds = Math.max(2, Math.ceil(instructions / roundLength(isa, level, kernel)));
        const each = Array.from({ length: repetitions }, () => {
          const plain = timed(isa, level, kernel, rounds, false);
          const checked = timed(isa, level, kernel, rounds, true);
          if (plain.checksum !== checked.checksum)
            throw new Error(`${kernelNames[kernel]}: other results when checked`);
          return plain.milliseconds / checked.milliseconds;
        });
        return median(each);
      });
      const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
      const row = (name: string, value: number): SessionRow => ({
        kind: 'session',
        name: `memory safety ${isa}-${level} ${name}`,
        value,
        unit: 'of plain',
        measurements: repetitions,
      });
      return [...ratios.map((ratio, kernel) => row(kernelNames[kernel], ratio)), row('geomean', mean)];
    }),
  );
}
