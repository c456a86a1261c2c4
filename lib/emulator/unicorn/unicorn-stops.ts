/**
 * Where Unicorn has to stop, and a run until there: breakpoints and host calls as code hooks of single addresses, because one over
 * everything costs most of Unicorn's speed and ends one kernel of ours in "memory access out of bounds".
 */
import type { RunStop } from '../types';
import { errorCode, type UnicornEngine, type UnicornHook, type UnicornModule } from './unicorn-api';

/** Nothing is ever executed there: EXC_RETURN values of an Arm core are near. */
const nowhere = 0xffff_fffe;

export interface UnicornRun {
  /** uc_err. */
  readonly failure?: number;
  /** The address that it has arrived at. */
  readonly hit?: number;
}

export class UnicornStops {
  readonly breakpoints = new Set<number>();
  private readonly hostCalls = new Set<number>();
  /** Where a run ends though nobody has asked for it: what a machine has to execute in another way. */
  readonly own = new Set<number>();
  /** undefined: the addresses have changed since they were set. */
  private hooks: UnicornHook[] | undefined = [];
  private hit: number | undefined;
  /** Where the run started, and whether no hook has fired in it. */
  private start = 0;
  private isFirst = false;

  /** `prepare` is called before hooks are set and may add to `own`. */
  constructor(
    private readonly module: UnicornModule,
    private readonly engine: UnicornEngine,
    private readonly prepare: () => void = () => undefined,
  ) {}

  change(kind: 'breakpoints' | 'hostCalls', act: 'add' | 'delete', address: number): void {
    this[kind][act](address >>> 0);
    for (const hook of this.hooks ?? []) this.engine.hook_del(hook);
    this.hooks = undefined;
    this.own.clear();
  }

  /** The stop that arriving at an address is. */
  at(address: number): RunStop | undefined {
    if (this.hostCalls.has(address)) return { reason: 'host-call', address };
    return this.breakpoints.has(address) ? { reason: 'breakpoint', address } : undefined;
  }

  /** The stop that a run from an address is before anything is executed. */
  before(address: number, skipBreakpoint: boolean): RunStop | undefined {
    const stop = this.at(address);
    return stop?.reason === 'breakpoint' && skipBreakpoint ? undefined : stop;
  }

  /** Sets the hooks; from here on `own` has what `prepare` adds. */
  setUp(): void {
    this.hooks ??= this.setHooks();
  }

  /** Executes from `begin` (the pc, with an instruction set's bit); what is set at the first instruction does not stop it. */
  run(pc: number, begin: number, budget: number): UnicornRun {
    this.setUp();
    this.hit = undefined;
    this.start = pc;
    this.isFirst = true;
    try {
      this.engine.emu_start(begin, nowhere, 0, budget);
    } catch (thrown) {
      const failure = errorCode(thrown);
      if (failure === undefined) throw thrown;
      return { failure };
    }
    return this.hit === undefined ? {} : { hit: this.hit };
  }

  /** One for neighbours together: a build of unicorn.js has room for few callbacks. */
  private setHooks(): UnicornHook[] {
    const type = Number(this.module['HOOK_CODE']);
    const callback = (_engine: unknown, address: unknown): void => this.arrived(Number(address) >>> 0);
    this.prepare();
    const addresses = [...this.breakpoints, ...this.hostCalls, ...this.own].sort((a, b) => a - b);
    return clusters(addresses).map(({ begin, end }) => this.engine.hook_add(type, callback, {}, begin, end));
  }

  /** Before each instruction of a hooked range; only the arrival is a stop, not the first instruction of a run. */
  private arrived(address: number): void {
    const isFirst = this.isFirst;
    this.isFirst = false;
    if (isFirst && address === this.start) return;
    if (!this.breakpoints.has(address) && !this.hostCalls.has(address) && !this.own.has(address)) return;
    this.hit = address;
    this.engine.emu_stop();
  }
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
