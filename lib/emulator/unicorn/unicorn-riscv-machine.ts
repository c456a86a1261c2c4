/**
 * A RISC-V hart in Unicorn. Beside what unicorn-machine.ts says of both architectures: Unicorn's hart has I M A F D C and nothing of
 * Zba, Zbb, Zbc, Zbs; its CSRs beyond those shown are not named here; its cycle and time counters are the host's; and results of single precision
 * are not NaN-boxed in 64-bit registers.
 *
 * ECALL and EBREAK stop before their effect, as on the built-in engine: one at the pc is not given to Unicorn, and behind one in the
 * middle of a run Unicorn stands at the next word, as it does behind an instruction that it does not know.
 */
import type { RiscvCpu } from '../../arch';
import { Mstatus } from '../riscv/state';
import type { Machine, MemoryRegion, RunStop } from '../types';
import { UcError } from './unicorn-api';
import type { UnicornEngine, UnicornModule } from './unicorn-api';
import { unicornFault, type Encoding } from './unicorn-fault';
import { UnicornMemory } from './unicorn-memory';
import { UnicornRiscvRegisters } from './riscv-registers';
import { UnicornStops } from './unicorn-stops';

const ECALL = 0x0000_0073;
const EBREAK = 0x0010_0073;
const C_EBREAK = 0x9002;
const WFI = 0x1050_0073;

/** Unicorn says "exception" of what the hart does not know, with the pc this far behind it. */
const exceptionSkip = 4;

export class UnicornRiscvMachine implements Machine {
  readonly memory: UnicornMemory;
  readonly state: UnicornRiscvRegisters;
  private readonly engine: UnicornEngine;
  private readonly stops: UnicornStops;
  private counted = 0;

  constructor(
    module: UnicornModule,
    readonly cpu: RiscvCpu,
    regions: readonly MemoryRegion[],
  ) {
    this.engine = new module.Unicorn(Number(module['ARCH_RISCV']), Number(module[`MODE_RISCV${cpu.isa.xlen}`]));
    this.memory = new UnicornMemory(this.engine, regions);
    this.stops = new UnicornStops(module, this.engine);
    this.state = new UnicornRiscvRegisters(module, this.engine, cpu);
    this.state.load();
    // Extensions do not switch the floating-point unit on: the kernel has. Without F the hart refuses its instructions.
    if (cpu.isa.f) this.state.writeWide('mstatus', BigInt(Mstatus.FS & ~(1 << 14)));
  }

  get instructionCount(): number {
    return this.counted;
  }

  run(budget: number, skipBreakpoint = false): RunStop {
    if (budget <= 0) return { reason: 'budget' };
    const { pc } = this.state;
    const stop = this.stops.before(pc, skipBreakpoint) ?? this.trapAt(pc);
    if (stop !== undefined) return stop;
    this.state.store();
    const { failure, hit } = this.stops.run(pc, pc, budget);
    this.state.load();
    // What an early end leaves of the budget is not known: it counts as one.
    this.counted += failure === undefined && hit === undefined ? budget : 1;
    if (failure !== undefined) return this.describeFailure(failure);
    const arrived = hit === undefined ? undefined : this.stops.at(hit);
    return arrived ?? { reason: this.isBehindWait() ? 'wait' : 'budget' };
  }

  setBreakpoint(address: number): void {
    this.stops.change('breakpoints', 'add', address);
  }

  clearBreakpoint(address: number): void {
    this.stops.change('breakpoints', 'delete', address);
  }

  setHostCall(address: number): void {
    this.stops.change('hostCalls', 'add', address);
  }

  clearHostCall(address: number): void {
    this.stops.change('hostCalls', 'delete', address);
  }

  setStackLimit(): void {
    // Unicorn has no such check; the guard pages below the stack are there.
  }

  private encodingAt(pc: number): Encoding | undefined {
    const bytes = this.memory.read(pc, 4);
    if (bytes.length < 2) return undefined;
    const low = bytes[0] | (bytes[1] << 8);
    if ((low & 3) !== 3 || bytes.length < 4) return { word: low, length: 2 };
    return { word: (low | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0, length: 4 };
  }

  private trapAt(address: number): RunStop | undefined {
    const word = this.encodingAt(address)?.word;
    if (word === EBREAK || word === C_EBREAK) return { reason: 'ebreak', address };
    return word === ECALL ? { reason: 'ecall', address } : undefined;
  }

  private isBehindWait(): boolean {
    return this.encodingAt(this.state.pc - 4)?.word === WFI;
  }

  private describeFailure(code: number): RunStop {
    if (code === UcError.EXCEPTION) this.state.write('pc', this.state.pc - exceptionSkip);
    const { pc } = this.state;
    const trap = code === UcError.EXCEPTION || code === UcError.INSN_INVALID ? this.trapAt(pc) : undefined;
    if (trap !== undefined) return trap;
    const fault = unicornFault(code, pc, (address) => this.encodingAt(address), {
      [UcError.EXCEPTION]: { kind: 'undefined-instruction', access: undefined },
    });
    return { reason: 'fault', fault };
  }
}
