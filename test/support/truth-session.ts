/**
 * Drives the emulated target through a reference session of test/gdb-truth, from one recorded pc to the next, and
 * says what this project shows there in the session's own spelling. Independent of the source stepper.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findCpu } from '../../lib/arch';
import { compileExpression, evaluateExpression, ExpressionError, FrameScope } from '../../lib/c-expression';
import { formatValue, symbolAnnotation } from '../../lib/dwarf/format';
import type { VariableInfo } from '../../lib/dwarf/model';
import { variableValue } from '../../lib/dwarf/value';
import { type FrameInfo, inlineFramesStartingAt, unwindStack } from '../../lib/dwarf/unwind';
import type { UnwindMachine } from '../../lib/dwarf/unwind-frame';
import { LoadedProgram } from '../../lib/program/loaded-program';
import { Program } from '../../lib/program/program';
import { type Query, runQuery } from '../../lib/query';
import { EmulatedTarget } from '../../lib/target/emulated-target';
import { truthElf, type TruthCase } from './gdb-truth';

/** [function, file, line, kind] */
export type TruthFrame = readonly [string, string, number, string];
/** [name, declaration line, type, value] */
export type TruthVariable = readonly [string, number, string, string];

export interface TruthStop {
  readonly pc: string;
  readonly stack: number;
  readonly args: readonly number[];
  readonly locals: readonly number[];
}

export interface TruthSession {
  readonly argument: number;
  readonly result: number;
  readonly watches: readonly string[];
  readonly pool: {
    readonly frames: readonly TruthFrame[];
    readonly stacks: readonly (readonly number[])[];
    readonly variables: readonly TruthVariable[];
  };
  readonly step: {
    readonly stops: readonly TruthStop[];
    readonly caller_variables?: readonly {
      readonly stop: number;
      readonly frames: readonly { readonly args: readonly number[]; readonly locals: readonly number[] }[];
    }[];
    readonly watches?: readonly {
      readonly stop: number;
      readonly values: readonly (readonly [string | null, string])[];
    }[];
  };
}

export function truthSession({ name, folder }: TruthCase): TruthSession {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as TruthSession;
}

/** The core that a variant was compiled for. */
function cpuOf(name: string): string {
  if (name.includes('.rv32')) return 'rv32imac';
  if (name.includes('.rv64')) return 'rv64imac';
  if (name.includes('.m0p')) return 'cortex-m0plus';
  return name.includes('.m4f') ? 'cortex-m4' : 'cortex-m3';
}

export class TruthRun {
  readonly target: EmulatedTarget;
  readonly program: LoadedProgram;
  readonly machine: UnwindMachine;
  private stackTop = 0n;

  private constructor(testCase: TruthCase) {
    const elf = truthElf(testCase);
    this.target = EmulatedTarget.create({ cpu: findCpu(cpuOf(testCase.name)) });
    const outcome = this.target.loadExtension({ name: 'truth', bytes: elf.bytes });
    if (!outcome.loaded) throw new Error(outcome.message);
    const placements = new Map(outcome.extension.sections.map(({ index, address }) => [index, BigInt(address)]));
    this.program = new LoadedProgram(Program.open(elf), { id: 1, name: 'truth' }, placements);
    const { debug } = this.program;
    if (!debug) throw new Error('no debug information');
    this.machine = { addressSize: elf.is64 ? 8 : 4, littleEndian: true, registers: debug.registers };
  }

  /** Loaded, and stopped at the first instruction of `entry`. */
  static async start(testCase: TruthCase, argument: number): Promise<TruthRun> {
    const run = new TruthRun(testCase);
    const entry = run.program.symbolNamed('entry');
    if (entry === undefined) throw new Error('there is no entry');
    run.target.prepareCall(entry | 1n, [BigInt(argument)]);
    await run.runTo(entry);
    run.stackTop = run.target.readRegisterNow('sp');
    return run;
  }

  get pc(): bigint {
    return this.target.readRegisterNow('pc');
  }

  /** Load address of 'section+0xoffset'. */
  addressOf(place: string): bigint {
    const [section, offset] = place.split('+');
    const placement = this.program.placements.find((candidate) => candidate.section.name === section);
    if (!placement) throw new Error(`no section ${section}`);
    return placement.load + BigInt(offset);
  }

  /** Runs to the next arrival at an address; false when the program ended before. */
  async runTo(address: bigint): Promise<boolean> {
    const id = this.target.addBreakpoint({ address });
    const stop = await this.target.resume({ kind: 'continue' });
    this.target.removeBreakpoint(id);
    if (stop.reason === 'fault') throw new Error(stop.fault.message);
    return stop.reason === 'breakpoint';
  }

  query<T>(query: Query<T>): T {
    return runQuery(query, (request) => this.target.view.read(request));
  }

  /** Frames up to and including `entry`; `hidden` inlined calls at the pc are not entered yet. */
  frames(hidden = 0): FrameInfo[] {
    const options = {
      machine: this.machine,
      moduleAt: (pc: bigint) => (this.program.toLink(pc) === undefined ? undefined : this.program),
      host: (pc: bigint) => this.target.hostSymbol(pc),
      hiddenInlines: hidden,
    };
    const { frames, problem } = this.query(unwindStack(this.target.view.registers, options));
    if (problem !== undefined) throw new Error(problem);
    const last = frames[frames.length - 1];
    if (last.kind !== 'host') throw new Error(`the stack ends at ${last.name} and not in the host`);
    return frames.slice(0, -1);
  }

  /** How many inlined calls may not be entered yet at this pc. */
  startingInlines(): number {
    const link = this.program.toLink(this.pc);
    return link === undefined || !this.program.debug ? 0 : inlineFramesStartingAt(this.program.debug, link);
  }

  describeFrame({ name, position, kind }: FrameInfo): TruthFrame {
    return [name ?? '?', basename(position?.file.path ?? '?'), position?.line ?? 0, kind];
  }

  args(frame: FrameInfo): TruthVariable[] {
    const variables = frame.scopes[frame.scopes.length - 1]?.variables ?? [];
    return variables.filter((variable) => variable.isParameter).map((variable) => this.describe(variable, frame));
  }

  locals(frame: FrameInfo): TruthVariable[] {
    const variables = frame.scopes.flatMap((scope) => scope.variables).filter((variable) => isListedByGdb(variable));
    return variables.map((variable) => this.describe(variable, frame));
  }

  evaluate(text: string, frame: FrameInfo): [string | null, string] {
    const scope = new FrameScope({ machine: this.machine, modules: [this.program], frame });
    try {
      const compiled = compileExpression(text, scope, { sideEffects: 'forbid' });
      const { value } = this.query(evaluateExpression(compiled, { frame: frame.frame }));
      return [value.type.displayName, this.format(formatValue(value, this.formatOptions()))];
    } catch (error) {
      if (error instanceof ExpressionError) return [null, error.message];
      throw error;
    }
  }

  private describe(variable: VariableInfo, frame: FrameInfo): TruthVariable {
    const value = this.query(variableValue(variable, frame.frame));
    const text = this.format(formatValue(value, this.formatOptions()));
    return [variable.name, variable.declaration?.line ?? 0, value.type.displayName, text];
  }

  private format(query: Query<string>): string {
    return this.query(query);
  }

  private formatOptions(): Parameters<typeof formatValue>[1] {
    return {
      symbolText: symbolAnnotation((address) => this.program.labelAt(address)),
      addressText: (address) => this.place(address),
    };
  }

  /** An address in the sessions' spelling. */
  private place(address: bigint): string {
    const found = this.program.placements.find(
      ({ section, load }) => load <= address && address < load + BigInt(section.size),
    );
    if (found) return `{${found.section.name}+0x${(address - found.load).toString(16)}}`;
    if (address <= this.stackTop && address > this.stackTop - 0x2000n) {
      return `{stack-0x${(this.stackTop - address).toString(16)}}`;
    }
    return `0x${address.toString(16)}`;
  }
}

/** gdb 13 loses local variables that have a constant value (DW_AT_const_value); their value is in the debug information. */
function isListedByGdb({ isParameter, constValue }: VariableInfo): boolean {
  return !isParameter && constValue === undefined;
}
