/**
 * Accounts of a run, per extension: executions of each instruction, calls across the border between host and extensions, how deep the
 * stack was, and what was taken of the system heap. Exact in every engine that keeps accounts. Calls across the border are told by the
 * interpreter only: for them nothing is translated.
 */
import type { Accounts, ExecutionCounts, MadeCall, TranslatedListener } from '../emulator/accounts';
import type { Machine } from '../emulator/types';
import { conventionOf } from '../kernel/convention-of';
import type { HostCallRecord } from '../kernel/host-calls';
import type { HeapEvent } from '../kernel/observed-heap';

/** What is called across the border, and by whom. */
export interface BorderEvent {
  /** 'jump': a tail call, which does not come back here. */
  readonly kind: 'call' | 'return' | 'jump' | 'host-call';
  /** Calls across the border around it. */
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  /** The first four argument registers of a call, the result of a return; of a host call its own arguments. */
  readonly values: readonly (number | bigint)[];
  /** Of a host call that returned a value. */
  readonly result: number | bigint | undefined;
  readonly instructionCount: number;
}

export interface StackAccount {
  /** From the stack's end to the lowest stack pointer. */
  readonly bytes: number;
  readonly pc: number;
  /** Functions that were entered by calls then, outermost first. */
  readonly calls: readonly number[];
}

export interface HeapAccount {
  /** Bytes of the blocks that live, as large as the heap made them. */
  current: number;
  peak: number;
  allocations: number;
  frees: number;
}

/** Whose an address is: an extension's name, or '' for the host. */
export type Owner = (address: number) => string;

interface OpenCall extends MadeCall {
  readonly crosses: boolean;
}

interface Saved {
  readonly counts: ExecutionCounts;
  readonly calls: readonly OpenCall[];
  readonly depth: number;
}

/** More are counted, not kept. */
const mostEvents = 100_000;

export class RunAccounts {
  readonly events: BorderEvent[] = [];
  droppedEvents = 0;
  readonly heaps = new Map<string, HeapAccount>();
  private readonly accounts: Accounts;
  private readonly blocks = new Map<number, { readonly bytes: number; readonly owner: string }>();
  private readonly calls: OpenCall[] = [];
  private depth = 0;
  /** When what runs began to be no part of the run. */
  private saved: Saved | undefined;
  private deepest: StackAccount | undefined;
  private lowest: number;
  private readonly spWord: number;
  /** The range of the last owner asked for. */
  private lastOwner: { readonly page: number; readonly owner: string } | undefined;

  /** RangeError when the engine keeps no accounts. */
  constructor(
    private readonly machine: Machine,
    private readonly stackEnd: number,
    private readonly isServed: (address: number) => boolean,
    private readonly ownerOf: Owner,
    /** Events are kept. */
    private readonly tracesCalls: boolean,
  ) {
    const block = (from: number, to: number, returnAddress: number | undefined): void =>
      this.block(from, to, returnAddress);
    const accounts = machine.keepAccounts?.(block, tracesCalls ? undefined : this.translated());
    if (accounts === undefined) throw new RangeError('this engine keeps no accounts');
    this.accounts = accounts;
    this.lowest = stackEnd;
    this.spWord = machine.cpu.arch === 'arm' ? 13 : machine.cpu.pointerSize / 2;
  }

  private translated(): TranslatedListener {
    const lowest = (): number => this.lowest;
    return {
      get lowest() {
        return lowest();
      },
      lowered: (sp, pc, calls) => this.lower(sp, pc, calls),
      left: (calls, pc) => {
        for (const call of calls) this.calls.push({ ...call, crosses: false });
        this.close(pc);
      },
    };
  }

  get counts(): ExecutionCounts {
    return this.saved?.counts ?? this.accounts.counts;
  }

  get stack(): StackAccount | undefined {
    return this.deepest;
  }

  /** The host calls into an extension. */
  hostBegins(address: number, returnAddress: number): void {
    this.calls.length = 0;
    this.depth = 0;
    this.event('call', 0, address, this.argumentRegisters());
    this.open(address, returnAddress, true);
  }

  /** A function of the host has returned; pc is where. */
  hostCall(record: HostCallRecord, address: number): void {
    this.close(this.machine.state.pc);
    this.event('host-call', record.returnAddress, address, record.arguments, record.result);
  }

  /**
   * What runs is no part of the program's run: a debugger's call, which is undone, or what has run before and is run through again. When
   * that ends, everything is as it was when it began.
   */
  setAside(isAside: boolean): void {
    const { saved } = this;
    if (isAside === (saved !== undefined)) return;
    if (saved === undefined) {
      this.saved = { counts: new Map(this.accounts.counts), calls: this.calls.slice(), depth: this.depth };
      return;
    }
    // What was counted meanwhile is settled, and then forgotten.
    void this.accounts.counts;
    this.accounts.replaceCounts(saved.counts);
    this.calls.splice(0, Infinity, ...saved.calls);
    this.depth = saved.depth;
    this.saved = undefined;
  }

  async aside<T>(run: () => Promise<T>): Promise<T> {
    const { isAside } = this;
    this.setAside(true);
    try {
      return await run();
    } finally {
      this.setAside(isAside);
    }
  }

  private get isAside(): boolean {
    return this.saved !== undefined;
  }

  heap({ kind, address, bytes }: HeapEvent): void {
    if (this.isAside) return;
    const owner = kind === 'free' ? this.blocks.get(address)?.owner : this.ownerOf(this.caller());
    if (owner === undefined) return;
    let heap = this.heaps.get(owner);
    if (heap === undefined) this.heaps.set(owner, (heap = { current: 0, peak: 0, allocations: 0, frees: 0 }));
    if (kind === 'alloc') {
      this.blocks.set(address, { bytes, owner });
      heap.allocations++;
      heap.current += bytes;
      heap.peak = Math.max(heap.peak, heap.current);
    } else {
      heap.frees++;
      heap.current -= this.blocks.get(address)?.bytes ?? 0;
      this.blocks.delete(address);
    }
  }

  private caller(): number {
    return conventionOf(this.machine.cpu).returnAddress(this.machine.state) - 1;
  }

  private block(from: number, to: number, returnAddress: number | undefined): void {
    const sp = this.machine.state.r[this.spWord] >>> 0;
    if (sp < this.lowest) this.lower(sp, from, []);
    if (returnAddress !== undefined) {
      const crosses = this.isBorder(from, to);
      if (crosses && !this.isServed(to)) this.event('call', from, to, this.argumentRegisters());
      this.open(to, returnAddress, crosses);
      return;
    }
    // Straight on is the rule; everything else may be a return.
    if (this.calls.at(-1)?.returnAddress !== to && to > from && to - from <= 4) return;
    if (this.close(to, from)) return;
    if (!this.isServed(to) && this.isBorder(from, to)) this.event('jump', from, to, this.argumentRegisters());
  }

  private lower(sp: number, pc: number, more: readonly MadeCall[]): void {
    if (this.isAside) return;
    this.lowest = sp;
    this.deepest = { bytes: this.stackEnd - sp, pc, calls: [...this.calls, ...more].map(({ entry }) => entry) };
  }

  private open(entry: number, returnAddress: number, crosses: boolean): void {
    this.calls.push({ entry, returnAddress, sp: this.machine.state.r[this.spWord] >>> 0, crosses });
    if (crosses) this.depth++;
  }

  /** Ends the calls that return to `to`, and those that they made; whether there were any. */
  private close(to: number, from?: number): boolean {
    const sp = this.machine.state.r[this.spWord] >>> 0;
    let index = this.calls.length - 1;
    // What is further out has a higher stack pointer.
    while (index >= 0 && this.calls[index].sp <= sp && this.calls[index].returnAddress !== to) index--;
    if (index < 0 || this.calls[index].sp > sp) return false;
    for (const call of this.calls.splice(index).reverse()) {
      if (!call.crosses) continue;
      this.depth--;
      if (from !== undefined) this.event('return', from, to, [this.result()]);
    }
    return true;
  }

  private result(): bigint {
    return conventionOf(this.machine.cpu).result(this.machine.state);
  }

  private argumentRegisters(): number[] {
    const { state, cpu } = this.machine;
    const first = conventionOf(cpu).firstArgumentWord;
    const step = cpu.pointerSize / 4;
    return [0, 1, 2, 3].map((i) => state.r[first + i * step]);
  }

  private isBorder(from: number, to: number): boolean {
    if (from >>> 8 === to >>> 8) return false;
    return this.owner(from) !== this.ownerOf(to);
  }

  private owner(address: number): string {
    const page = address >>> 8;
    if (this.lastOwner?.page !== page) this.lastOwner = { page, owner: this.ownerOf(address) };
    return this.lastOwner.owner;
  }

  private event(
    kind: BorderEvent['kind'],
    from: number,
    to: number,
    values: BorderEvent['values'],
    result?: number | bigint,
  ): void {
    if (!this.tracesCalls || this.isAside) return;
    if (this.events.length >= mostEvents) {
      this.droppedEvents++;
      return;
    }
    const { instructionCount } = this.machine;
    this.events.push({ kind, depth: this.depth, from, to, values, result, instructionCount });
  }
}
