/**
 * Steps an extension instruction by instruction and keeps an account of its calls: what sp, the return address and the registers
 * that a function must keep held when each function that is active was entered. That is what an unwinder must find
 * again, whatever it goes by.
 */
import { findCpu } from '../../lib/arch';
import { armRegisters } from '../../lib/dwarf/regnum/arm';
import { riscvRegisters } from '../../lib/dwarf/regnum/riscv';
import type { UnwindMachine } from '../../lib/dwarf/unwind-frame';
import { StackUnwinder } from '../../lib/dwarf/unwind';
import { ElfFile } from '../../lib/elf/elf-file';
import { LoadedProgram } from '../../lib/program/loaded-program';
import { Program } from '../../lib/program/program';
import { runQuery } from '../../lib/query';
import { EmulatedTarget } from '../../lib/target/emulated-target';

/** Registers by their DWARF numbers: RISC-V psABI, AAPCS32. */
interface Convention {
  readonly returnAddress: number;
  readonly stackPointer: number;
  /** What a function must keep. */
  readonly kept: readonly number[];
  readonly machine: UnwindMachine;
}

const riscvKept = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

function conventionOf(cpu: string): Convention {
  if (cpu.startsWith('cortex'))
    return {
      returnAddress: 14,
      stackPointer: 13,
      kept: [4, 5, 6, 7, 8, 9, 10, 11],
      machine: { addressSize: 4, littleEndian: true, registers: armRegisters },
    };
  const hasDoubles = cpu.includes('d');
  return {
    returnAddress: 1,
    stackPointer: 2,
    kept: hasDoubles ? [...riscvKept, ...riscvKept.map((register) => 32 + register)] : riscvKept,
    machine: {
      addressSize: cpu.startsWith('rv64') ? 8 : 4,
      littleEndian: true,
      registers: riscvRegisters,
      ...(hasDoubles ? { floatSize: 8 } : {}),
    },
  };
}

interface Activation {
  readonly returnPc: bigint;
  readonly sp: bigint;
  readonly kept: readonly (bigint | undefined)[];
}

export class CallRecord {
  readonly activations: Activation[] = [];
  private readonly placements: ReadonlyMap<number, bigint>;
  private readonly convention: Convention;

  private constructor(
    readonly target: EmulatedTarget,
    private readonly bytes: Uint8Array,
    cpu: string,
  ) {
    const outcome = target.loadExtension({ name: 'recorded', bytes });
    if (!outcome.loaded) throw new Error(outcome.message);
    this.placements = new Map(outcome.extension.sections.map(({ index, address }) => [index, BigInt(address)]));
    this.convention = conventionOf(cpu);
  }

  /** At the first instruction of `entry`. */
  static async start(bytes: Uint8Array, cpu: string, argument: bigint): Promise<CallRecord> {
    const record = new CallRecord(EmulatedTarget.create({ cpu: findCpu(cpu) }), bytes, cpu);
    const entry = record.programWithout(undefined).symbolNamed('entry');
    if (entry === undefined) throw new Error('there is no entry');
    const { target } = record;
    target.prepareCall(entry, [argument]);
    const breakpoint = target.addBreakpoint({ address: entry });
    await target.resume({ kind: 'continue' });
    target.removeBreakpoint(breakpoint);
    record.enter();
    return record;
  }

  /** The loaded program as a file tells of it whose sections of this prefix have other names. */
  programWithout(sections: string | undefined): LoadedProgram {
    const bytes = Buffer.from(this.bytes);
    for (let at = 0; sections !== undefined && (at = bytes.indexOf(sections, at)) >= 0; at++) bytes[at] = 0x5f;
    const program = Program.open(ElfFile.parse(new Uint8Array(bytes)));
    return new LoadedProgram(program, { id: 1, name: 'recorded' }, this.placements);
  }

  get pc(): bigint {
    return this.target.readRegisterNow('pc');
  }

  /** One instruction; false when the call has returned to the host. */
  async step(): Promise<boolean> {
    const { pc } = this;
    await this.target.resume({ kind: 'step-instruction' });
    const { returnPc } = this;
    const isCall = (returnPc === pc + 2n || returnPc === pc + 4n) && this.pc !== returnPc;
    if (isCall) this.enter();
    const last = this.activations.at(-1);
    if (last?.returnPc === this.pc && last.sp === this.stackPointer) this.activations.pop();
    return this.activations.length > 0;
  }

  /** What the unwinder makes of a program, innermost first, to the host. */
  unwind(program: LoadedProgram): readonly string[] {
    const moduleAt = (pc: bigint): LoadedProgram | undefined =>
      program.toLink(pc) === undefined ? undefined : program;
    const { machine, stackPointer } = this.convention;
    const unwinder = new StackUnwinder(this.target.view.registers, { machine, moduleAt });
    const lines: string[] = [];
    for (let frame = unwinder.innermost; lines.length <= this.activations.length;) {
      const caller = runQuery(unwinder.callerOf(frame), (request) => this.target.view.read(request));
      if (caller === undefined) break;
      if (!caller.tailCall) {
        const kept = this.convention.kept.map((register) => caller.register(register));
        lines.push(spell({ returnPc: caller.pc, sp: caller.register(stackPointer) ?? -1n, kept }));
      }
      frame = caller;
      if (program.toLink(frame.pc) === undefined) break;
    }
    return unwinder.problem === undefined ? lines : [...lines, unwinder.problem];
  }

  /** The same by the account. */
  expected(): readonly string[] {
    return [...this.activations].reverse().map(spell);
  }

  private enter(): void {
    const kept = this.convention.kept.map((register) => this.register(register));
    this.activations.push({ returnPc: this.returnPc, sp: this.stackPointer, kept });
  }

  private get returnPc(): bigint {
    const { machine, returnAddress } = this.convention;
    return machine.registers.codeAddress(this.register(returnAddress) ?? 0n);
  }

  private get stackPointer(): bigint {
    return this.register(this.convention.stackPointer) ?? 0n;
  }

  private register(number: number): bigint | undefined {
    return this.target.view.registers.get(number);
  }
}

function spell({ returnPc, sp, kept }: Activation): string {
  return `${returnPc.toString(16)} sp ${sp.toString(16)} kept ${kept.map((value) => value?.toString(16)).join(' ')}`;
}
