/**
 * One row of the engine's benchmark: a kernel and its ISA and optimization on this project's engine, its interpreter, QEMU and Unicorn.
 * A time is processor time of n rounds on a fresh emulator. Of QEMU's process that of one round is taken off, so that starting
 * up is out of it; the others run in this process, and their machines are made before. What an engine translates meanwhile is in
 * it. The engine and QEMU get many instructions, the two slower ones few. The checksum of every run is compared with the others'
 * for as many rounds.
 */
import { kernelMachine, kernelNames } from './kernel-program';
import type { Isa, KernelProgram, Level } from './kernel-program';
import type { Peer, RunKernel, TimedRun } from './peers';
import { ownMilliseconds } from './processor-time';

export interface KernelRow {
  readonly kind: 'kernel';
  readonly kernel: string;
  readonly isa: Isa;
  readonly level: Level;
  /** Of the short measurement's rounds, which all have in common. */
  readonly checksum: string;
  readonly instructionsPerRound: number;
  /** What the engine's column is; where nothing was translated it is the interpreter. */
  readonly engine: 'webassembly' | 'interpreter';
  /** Of the engine's instructions, how many WebAssembly executed: 0 to 1. */
  readonly webAssemblyShare: number;
  /** Millions of guest instructions a second, medians; null where there is no such peer. */
  readonly engineMips: number | null;
  readonly interpreterMips: number | null;
  readonly qemuMips: number | null;
  readonly unicornMips: number | null;
  /** Medians of each repetition's ratio; above 1 = the first is faster. */
  readonly vsQemu: number | null;
  readonly vsUnicorn: number | null;
  readonly interpreterVsQemu: number | null;
}

export interface KernelBench {
  readonly program: KernelProgram;
  readonly kernel: number;
  readonly qemu: Peer;
  readonly unicorn: Peer;
  readonly repetitions: number;
  /** Instructions of a long and a short measurement. */
  readonly many: number;
  readonly few: number;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const hex = (value: number): string => value.toString(16).padStart(8, '0');

interface EngineRun extends TimedRun {
  readonly instructions: number;
  readonly share: number | undefined;
}

function onEngine(program: KernelProgram, kernel: number, rounds: number, translate: boolean): EngineRun {
  const { machine, start, finish } = kernelMachine(program, translate ? {} : undefined);
  start(kernel, rounds);
  const begin = ownMilliseconds();
  const checksum = finish();
  const milliseconds = ownMilliseconds() - begin;
  const { translated = 0, interpreted = 0 } = machine.translation ?? {};
  const share = machine.translation === undefined ? undefined : translated / (translated + interpreted);
  return { milliseconds, checksum, instructions: machine.instructionCount, share };
}

const interpreted: RunKernel = (program, kernel, rounds) => onEngine(program, kernel, rounds, false);
const runOf = (peer: Peer): RunKernel | undefined => ('run' in peer ? peer.run : undefined);

/** The runs of a row. Every one of them, timed or not, has to give the checksum that the others give for as many rounds. */
class CheckedRuns {
  private readonly sums = new Map<number, { readonly name: string; readonly checksum: number }>();

  constructor(
    private readonly program: KernelProgram,
    private readonly kernel: number,
  ) {}

  milliseconds(name: string, rounds: number, run: RunKernel): number {
    const { milliseconds, checksum } = run(this.program, this.kernel, rounds);
    const known = this.sums.get(rounds);
    if (known === undefined) this.sums.set(rounds, { name, checksum });
    else if (known.checksum !== checksum) {
      const what = `${kernelNames[this.kernel]} ${this.program.isa}-${this.program.level}, ${rounds} rounds`;
      throw new Error(`${what}: ${known.name} gives ${hex(known.checksum)}, ${name} ${hex(checksum)}`);
    }
    return milliseconds;
  }

  /** Milliseconds of one round; undefined when there is nobody. */
  perRound(name: string, rounds: number, run: RunKernel | undefined): number | undefined {
    return run === undefined ? undefined : this.milliseconds(name, rounds, run) / rounds;
  }

  /** Without starting up; undefined too when the measurement drowned in that noise. */
  perRoundOfProcess(name: string, rounds: number, run: RunKernel | undefined): number | undefined {
    if (run === undefined) return undefined;
    const first = this.milliseconds(name, 1, run);
    const milliseconds = (this.milliseconds(name, rounds, run) - first) / (rounds - 1);
    return milliseconds > 0 ? milliseconds : undefined;
  }

  checksum(rounds: number): string {
    return hex(this.sums.get(rounds)?.checksum ?? 0);
  }
}

interface Repetition {
  readonly engine: number | undefined;
  readonly interpreter: number | undefined;
  readonly qemu: number | undefined;
  readonly unicorn: number | undefined;
}

function medianOf(repetitions: readonly Repetition[], value: (one: Repetition) => number | undefined): number | null {
  const values = repetitions.map(value).filter((one) => one !== undefined);
  return values.length === 0 ? null : median(values);
}

const over = (slow: number | undefined, fast: number | undefined): number | undefined =>
  slow === undefined || fast === undefined ? undefined : slow / fast;

export function measureKernel(bench: KernelBench): KernelRow {
  const { program, kernel } = bench;
  const [one, three] = [1, 3].map((rounds) => onEngine(program, kernel, rounds, false).instructions);
  const instructions = (three - one) / 2;
  const few = Math.max(2, Math.ceil(bench.few / instructions));
  const many = Math.max(few, Math.ceil(bench.many / instructions));
  const [qemu, unicorn] = [runOf(bench.qemu), runOf(bench.unicorn)];
  const runs = new CheckedRuns(program, kernel);
  let share: number | undefined;
  const translated: RunKernel = (...args) => {
    const run = onEngine(...args, true);
    ({ share } = run);
    return run;
  };
  // The timed runs of the engine and QEMU are longer than those of the other two: here all four meet. V8 compiles what is new to it.
  runs.milliseconds('the interpreter', few, interpreted);
  runs.milliseconds('the engine', few, translated);
  if (qemu !== undefined) runs.milliseconds('QEMU', few, qemu);
  const engine = share === undefined ? 'interpreter' : 'webassembly';
  const repetitions = Array.from({ length: bench.repetitions }, (): Repetition => {
    const interpreter = runs.perRound('the interpreter', few, interpreted);
    return {
      engine: engine === 'webassembly' ? runs.perRound('the engine', many, translated) : interpreter,
      interpreter,
      qemu: runs.perRoundOfProcess('QEMU', many, qemu),
      unicorn: runs.perRound('Unicorn', few, unicorn),
    };
  });
  const mips = (value: (one: Repetition) => number | undefined): number | null =>
    medianOf(repetitions, (one) => over(instructions / 1000, value(one)));
  return {
    kind: 'kernel',
    kernel: kernelNames[kernel],
    isa: program.isa,
    level: program.level,
    checksum: runs.checksum(few),
    instructionsPerRound: instructions,
    engine,
    webAssemblyShare: share ?? 0,
    engineMips: mips((one) => one.engine),
    interpreterMips: mips((one) => one.interpreter),
    qemuMips: mips((one) => one.qemu),
    unicornMips: mips((one) => one.unicorn),
    vsQemu: medianOf(repetitions, (one) => over(one.qemu, one.engine)),
    vsUnicorn: medianOf(repetitions, (one) => over(one.unicorn, one.engine)),
    interpreterVsQemu: medianOf(repetitions, (one) => over(one.qemu, one.interpreter)),
  };
}
