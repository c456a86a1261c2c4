/**
 * A machine that Unicorn executes: the launch attribute `engine: "unicorn"`. It exists to compare with: the same session on another
 * implementation of the architecture. The core is Unicorn's default one of the M profile, whatever `cpu` says.
 *
 * What it cannot do: it does not fault for an unaligned LDRD or STRD, counts no instructions of a run that ends early (instructionCount then grows by one, so virtual time
 * is too slow), has no limit for the stack but guard pages, and an instruction that faults in the middle of several
 * accesses may have done some of them. A budget that would end inside of an IT block ends behind it. Hooks are set where something stops only: one over everything costs most of its speed.
 */
import type { ArmCpu } from '../../arch';
import type { Fault, FaultKind, Machine, MemoryRegion, RunStop } from '../types';
import { UnicornArmRegisters, armConstants } from './arm-registers';
import { errorCode, findUnicornProblem, UcError } from './unicorn-api';
import type { UnicornEngine, UnicornHook, UnicornModule } from './unicorn-api';
import { UnicornMemory } from './unicorn-memory';

/** Nothing is ever executed there: EXC_RETURN values are near. */
const nowhere = 0xffff_fffe;

const faultKinds: Readonly<Record<number, { kind: FaultKind; access: Fault['access'] }>> = {
  [UcError.READ_UNMAPPED]: { kind: 'unmapped', access: 'read' },
  [UcError.WRITE_UNMAPPED]: { kind: 'unmapped', access: 'write' },
  [UcError.FETCH_UNMAPPED]: { kind: 'unmapped', access: 'execute' },
  [UcError.READ_PROT]: { kind: 'forbidden', access: 'read' },
  [UcError.WRITE_PROT]: { kind: 'forbidden', access: 'write' },
  [UcError.FETCH_PROT]: { kind: 'forbidden', access: 'execute' },
  [UcError.READ_UNALIGNED]: { kind: 'unaligned', access: 'read' },
  [UcError.WRITE_UNALIGNED]: { kind: 'unaligned', access: 'write' },
  [UcError.FETCH_UNALIGNED]: { kind: 'invalid-state', access: 'execute' },
  [UcError.INSN_INVALID]: { kind: 'undefined-instruction', access: undefined },
  [UcError.EXCEPTION]: { kind: 'unhandled-exception', access: undefined },
};

/** RangeError when the module is not unicorn.js, or was built without this architecture. */
export function createUnicornMachine(module: unknown, cpu: ArmCpu, regions: readonly MemoryRegion[]): Machine {
  const problem = findUnicornProblem(module, armConstants);
  if (problem !== undefined) throw new RangeError(problem);
  return new UnicornMachine(module as UnicornModule, cpu, regions);
}

class UnicornMachine implements Machine {
  readonly memory: UnicornMemory;
  readonly state: UnicornArmRegisters;
  private readonly engine: UnicornEngine;
  private readonly breakpoints = new Set<number>();
  private readonly hostCalls = new Set<number>();
  /** IT instructions, and what is conditional behind them, that are executed one by one. */
  private readonly itStops = new Set<number>();
  /** undefined: breakpoints or host calls have changed since they were set. */
  private hooks: UnicornHook[] | undefined = [];
  private counted = 0;
  private hit: number | undefined;
  /** Where the run started, and whether no hook has fired in it. */
  private start = 0;
  private isFirst = false;

  constructor(
    private readonly module: UnicornModule,
    readonly cpu: ArmCpu,
    regions: readonly MemoryRegion[],
  ) {
    const mode = Number(module['MODE_THUMB']) | Number(module['MODE_MCLASS']);
    this.engine = new module.Unicorn(Number(module['ARCH_ARM']), mode);
    this.memory = new UnicornMemory(this.engine, regions);
    this.state = new UnicornArmRegisters(module, this.engine);
    this.state.load();
  }

  get instructionCount(): number {
    return this.counted;
  }

  run(budget: number, skipBreakpoint = false): RunStop {
    if (budget <= 0) return { reason: 'budget' };
    const start = this.state.pc;
    if (this.hostCalls.has(start)) return { reason: 'host-call', address: start };
    if (this.breakpoints.has(start) && !skipBreakpoint) return { reason: 'breakpoint', address: start };
    const trap = this.trapAt(start);
    if (trap !== undefined) return trap;
    this.hooks ??= this.setHooks();
    // What an early end leaves of the budget is not known: it counts as one.
    for (let left = budget; left > 0; left--) {
      const pc = this.state.pc;
      const inIt = this.isInIt(pc) && (left === 1 || this.itStops.has(pc));
      const stop = inIt ? this.stepInIt(pc) : this.runFrom(pc, left);
      if (stop !== undefined) return stop;
      if (left > 1) {
        const arrived = this.arrivedStop(this.state.pc);
        if (arrived !== undefined) return arrived;
      }
    }
    return { reason: 'budget' };
  }

  /** undefined: it came to an IT block that has to be executed step by step. */
  private runFrom(start: number, budget: number): RunStop | undefined {
    this.hit = undefined;
    this.start = start;
    this.isFirst = true;
    const failure = this.runOn(start, budget);
    if (failure !== undefined) return this.describeFailure(failure);
    this.counted += this.hit === undefined ? budget : 1;
    if (this.hit !== undefined) return this.arrivedStop(this.hit);
    return this.isBehindWait() ? { reason: 'wait' } : { reason: 'budget' };
  }

  private arrivedStop(address: number): RunStop | undefined {
    if (this.hostCalls.has(address)) return { reason: 'host-call', address };
    return this.breakpoints.has(address) ? { reason: 'breakpoint', address } : undefined;
  }

  setBreakpoint(address: number): void {
    this.breakpoints.add(address >>> 0);
    this.dropHooks();
  }

  clearBreakpoint(address: number): void {
    this.breakpoints.delete(address >>> 0);
    this.dropHooks();
  }

  setHostCall(address: number): void {
    this.hostCalls.add(address >>> 0);
    this.dropHooks();
  }

  clearHostCall(address: number): void {
    this.hostCalls.delete(address >>> 0);
    this.dropHooks();
  }

  setStackLimit(): void {
    // Unicorn has no such check; the guard pages below the stack are there.
  }

  private runOn(start: number, budget: number): number | undefined {
    this.state.store();
    const failure = this.execute(start, budget);
    this.state.load();
    return failure;
  }

  /** uc_err, or undefined. */
  private execute(start: number, budget: number): number | undefined {
    try {
      this.engine.emu_start((start | 1) >>> 0, nowhere, 0, budget);
      return undefined;
    } catch (thrown) {
      const code = errorCode(thrown);
      if (code === undefined) throw thrown;
      return code;
    }
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
    this.hit = undefined;
    this.start = start;
    this.isFirst = true;
    this.state.write('xpsr', withIt(xpsr, (it & 0xf0) | lastOfBlock));
    const failure = this.runOn(start, 1);
    if (failure !== undefined) {
      this.state.write('xpsr', withIt(this.state.read('xpsr'), it));
      return this.describeFailure(failure);
    }
    this.state.write('xpsr', withIt(this.state.read('xpsr'), advanceIt(it)));
    if (advanceIt(it) !== 0) this.itStops.add(this.state.pc);
    return undefined;
  }

  private leave(start: number, length: number, xpsr: number): void {
    this.state.r[15] = start + length;
    this.state.write('xpsr', xpsr);
    if (itOf(xpsr) !== 0) this.itStops.add(start + length);
  }

  /** An IT instruction, or one that an IT before it makes conditional. */
  private isInIt(pc: number): boolean {
    const [low, high] = this.memory.read(pc, 2);
    return (high === 0xbf && (low & 15) !== 0) || itOf(this.state.read('xpsr')) !== 0;
  }

  private dropHooks(): void {
    for (const hook of this.hooks ?? []) this.engine.hook_del(hook);
    this.hooks = undefined;
    this.itStops.clear();
  }

  /** One for neighbours together: a build of unicorn.js has room for few callbacks. */
  private setHooks(): UnicornHook[] {
    const type = Number(this.module['HOOK_CODE']);
    const callback = (_engine: unknown, address: unknown): void => this.arrived(Number(address) >>> 0);
    for (const address of this.breakpoints) this.findItBefore(address);
    const addresses = [...this.breakpoints, ...this.hostCalls, ...this.itStops].sort((a, b) => a - b);
    return clusters(addresses).map(({ begin, end }) => this.engine.hook_add(type, callback, {}, begin, end));
  }

  /** Unicorn cannot stop inside of an IT block: one that may reach a breakpoint is entered step by step. */
  private findItBefore(address: number): void {
    for (let at = address - 2; at >= address - 16; at -= 2) {
      const [low, high] = this.memory.read(at, 2);
      if (high === 0xbf && (low & 15) !== 0) this.itStops.add(at);
    }
  }

  /** Before each instruction of a hooked range; only the arrival is a stop, not the first instruction of a run. */
  private arrived(address: number): void {
    const isFirst = this.isFirst;
    this.isFirst = false;
    if (isFirst && address === this.start) return;
    if (!this.breakpoints.has(address) && !this.hostCalls.has(address) && !this.itStops.has(address)) return;
    this.hit = address;
    this.engine.emu_stop();
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
    const { kind, access } = faultKinds[code] ?? { kind: 'unhandled-exception', access: undefined };
    const bytes = access === 'execute' ? new Uint8Array() : this.memory.read(pc, 4);
    const first = bytes.length >= 2 ? bytes[0] | (bytes[1] << 8) : undefined;
    const wide = first !== undefined && first >>> 11 >= 0x1d && bytes.length === 4;
    const second = bytes[2] | (bytes[3] << 8);
    const fault: Fault = {
      kind,
      pc,
      access,
      address: access === 'execute' ? pc : undefined,
      size: undefined,
      encoding: wide ? ((first << 16) | second) >>> 0 : first,
      encodingLength: first === undefined ? undefined : wide ? 4 : 2,
      message: `Unicorn stopped with error ${code}; it does not tell the address`,
    };
    return { reason: 'fault', fault };
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

const largestGap = 64;

/** Ranges of addresses that lie near each other; both ends belong to them. */
function clusters(sorted: readonly number[]): { begin: number; end: number }[] {
  const ranges: { begin: number; end: number }[] = [];
  for (const address of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && address - last.end <= largestGap) last.end = address;
    else ranges.push({ begin: address, end: address });
  }
  return ranges;
}
