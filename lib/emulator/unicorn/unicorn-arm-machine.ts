/**
 * A Cortex-M in Unicorn. Beside what unicorn-machine.ts says of both architectures: it does not fault for an unaligned LDRD or STRD, and an
 * instruction that faults in the middle of several accesses may have done some of them. A budget that would end inside of an IT block
 * ends behind it.
 */
import type { ArmCpu } from '../../arch';
import type { Machine, MemoryRegion, RunStop } from '../types';
import { UnicornArmRegisters } from './arm-registers';
import { UcError } from './unicorn-api';
import type { UnicornEngine, UnicornModule } from './unicorn-api';
import { unicornFault, type Encoding } from './unicorn-fault';
import { UnicornMemory } from './unicorn-memory';
import { UnicornStops, type UnicornRun } from './unicorn-stops';

export class UnicornArmMachine implements Machine {
  readonly memory: UnicornMemory;
  readonly state: UnicornArmRegisters;
  private readonly engine: UnicornEngine;
  /** Its own stops are IT instructions, and what is conditional behind them, that are executed one by one. */
  private readonly stops: UnicornStops;
  private counted = 0;

  constructor(
    module: UnicornModule,
    readonly cpu: ArmCpu,
    regions: readonly MemoryRegion[],
  ) {
    const mode = Number(module['MODE_THUMB']) | Number(module['MODE_MCLASS']);
    this.engine = new module.Unicorn(Number(module['ARCH_ARM']), mode);
    this.memory = new UnicornMemory(this.engine, regions);
    this.stops = new UnicornStops(module, this.engine, () => this.findItBlocks());
    this.state = new UnicornArmRegisters(module, this.engine);
    this.state.load();
  }

  get instructionCount(): number {
    return this.counted;
  }

  run(budget: number, skipBreakpoint = false): RunStop {
    if (budget <= 0) return { reason: 'budget' };
    const start = this.state.pc;
    const first = this.stops.before(start, skipBreakpoint) ?? this.trapAt(start);
    if (first !== undefined) return first;
    this.stops.setUp();
    // What an early end leaves of the budget is not known: it counts as one.
    for (let left = budget; left > 0; left--) {
      const pc = this.state.pc;
      const inIt = this.isInIt(pc) && (left === 1 || this.stops.own.has(pc));
      const stop = inIt ? this.stepInIt(pc) : this.runFrom(pc, left);
      if (stop !== undefined) return stop;
      if (left > 1) {
        const arrived = this.stops.at(this.state.pc);
        if (arrived !== undefined) return arrived;
      }
    }
    return { reason: 'budget' };
  }

  /** undefined: it came to an IT block that has to be executed step by step. */
  private runFrom(start: number, budget: number): RunStop | undefined {
    const { failure, hit } = this.runOn(start, budget);
    if (failure !== undefined) return this.describeFailure(failure);
    this.counted += hit === undefined ? budget : 1;
    if (hit !== undefined) return this.stops.at(hit);
    return this.isBehindWait() ? { reason: 'wait' } : { reason: 'budget' };
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

  private runOn(start: number, budget: number): UnicornRun {
    this.state.store();
    const result = this.stops.run(start, (start | 1) >>> 0, budget);
    this.state.load();
    return result;
  }

  /** Unicorn executes an IT block as a whole: here its instructions are given to it as blocks of one. */
  private stepInIt(start: number): RunStop | undefined {
    const xpsr = this.state.read('xpsr');
    const it = itOf(xpsr);
    this.counted++;
    if (it === 0) {
      this.leave(start, 2, withIt(xpsr, this.memory.read(start, 1)[0]));
      return undefined;
    }
    if (!conditionHolds(it >> 4, xpsr)) {
      const isWide = this.memory.read(start + 1, 1)[0] >>> 3 >= 0x1d;
      this.leave(start, isWide ? 4 : 2, withIt(xpsr, advanceIt(it)));
      return undefined;
    }
    this.state.write('xpsr', withIt(xpsr, (it & 0xf0) | lastOfBlock));
    const { failure } = this.runOn(start, 1);
    if (failure !== undefined) {
      this.state.write('xpsr', withIt(this.state.read('xpsr'), it));
      return this.describeFailure(failure);
    }
    this.state.write('xpsr', withIt(this.state.read('xpsr'), advanceIt(it)));
    if (advanceIt(it) !== 0) this.stops.own.add(this.state.pc);
    return undefined;
  }

  private leave(start: number, length: number, xpsr: number): void {
    this.state.r[15] = start + length;
    this.state.write('xpsr', xpsr);
    if (itOf(xpsr) !== 0) this.stops.own.add(start + length);
  }

  /** An IT instruction, or one that an IT before it makes conditional. */
  private isInIt(pc: number): boolean {
    const [low, high] = this.memory.read(pc, 2);
    return (high === 0xbf && (low & 15) !== 0) || itOf(this.state.read('xpsr')) !== 0;
  }

  /** Unicorn cannot stop inside of an IT block: one that may reach a breakpoint is entered step by step. */
  private findItBlocks(): void {
    for (const address of this.stops.breakpoints) {
      for (let at = address - 2; at >= address - 16; at -= 2) {
        const [low, high] = this.memory.read(at, 2);
        if (high === 0xbf && (low & 15) !== 0) this.stops.own.add(at);
      }
    }
  }

  /** BKPT and SVC are not given to Unicorn: it would enter an exception of a core that has no vectors. */
  private trapAt(pc: number): RunStop | undefined {
    const [immediate, operation] = this.memory.read(pc, 2);
    if (operation === 0xbe) return { reason: 'bkpt', immediate, address: pc };
    if (operation === 0xdf) return { reason: 'svc', immediate, address: pc };
    return undefined;
  }

  /** WFI or WFE was the last instruction. */
  private isBehindWait(): boolean {
    const [low, high] = this.memory.read(this.state.pc - 2, 2);
    return high === 0xbf && (low === 0x30 || low === 0x20);
  }

  private describeFailure(code: number): RunStop {
    this.counted++;
    const pc = this.state.pc;
    if (code === UcError.EXCEPTION) {
      const trap = this.trapAt(pc) ?? this.trapAt(pc - 2);
      if (trap !== undefined && trap.reason !== 'budget') {
        if ('address' in trap) this.state.write('pc', trap.address);
        return trap;
      }
    }
    return { reason: 'fault', fault: unicornFault(code, pc, (address) => this.encodingAt(address)) };
  }

  private encodingAt(pc: number): Encoding | undefined {
    const bytes = this.memory.read(pc, 4);
    if (bytes.length < 2) return undefined;
    const first = bytes[0] | (bytes[1] << 8);
    if (first >>> 11 < 0x1d || bytes.length < 4) return { word: first, length: 2 };
    return { word: ((first << 16) | bytes[2] | (bytes[3] << 8)) >>> 0, length: 4 };
  }
}

/** ITSTATE: base condition, then the mask whose lowest bit ends the block (Armv7-M ARM A7.3.3). */
const lastOfBlock = 8;

function itOf(xpsr: number): number {
  return ((xpsr >>> 25) & 3) | ((xpsr >>> 8) & 0xfc);
}

function withIt(xpsr: number, it: number): number {
  return (xpsr & ~0x0600fc00) | ((it & 3) << 25) | ((it & 0xfc) << 8);
}

function advanceIt(it: number): number {
  return (it & 7) === 0 ? 0 : (it & 0xe0) | ((it << 1) & 0x1f);
}

/** ConditionPassed (Armv7-M ARM A7.3.1). */
function conditionHolds(condition: number, xpsr: number): boolean {
  const n = xpsr >>> 31 !== 0;
  const z = (xpsr & (1 << 30)) !== 0;
  const c = (xpsr & (1 << 29)) !== 0;
  const v = (xpsr & (1 << 28)) !== 0;
  const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][condition >> 1];
  return (condition & 1) !== 0 && condition !== 15 ? !base : base;
}
