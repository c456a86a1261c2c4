/**
 * Exact accounts of a run: how often each instruction was executed, and every step from one block of straight code to the next.
 * While they are kept, the interpreter executes block by block: a block that ends as foreseen counts once, one that is left before counts
 * what was executed. Translated code counts by itself (jit/translated-accounts.ts), where nobody listens to every block. Nothing of this is looked at when they are off.
 */

import { Stop } from './stop';

/**
 * Straight code: only its last instruction may go elsewhere, move the stack pointer, or make code that was written visible (ISB, FENCE.I:
 * without, what a block that writes to itself executes is not defined by the architectures).
 */
export interface Block {
  /** Of its instructions, in order. */
  readonly addresses: readonly number[];
  /** Where its last instruction, a call, returns to. */
  readonly returnAddress: number | undefined;
}

/** Told after each block, executed completely or not: the last instruction executed, and the next one. */
export type BlockListener = (from: number, to: number, returnAddress: number | undefined) => void;

/** A call that has not returned; `sp` is the stack pointer when it was made. */
export interface MadeCall {
  readonly entry: number;
  readonly returnAddress: number;
  readonly sp: number;
}

/** Told by translated code, which does not tell of blocks: who listens to it has the machine translate while accounts are kept. */
export interface TranslatedListener {
  /** The lowest stack pointer until now. */
  readonly lowest: number;
  /** The instruction at pc has made it lower; `calls` were made by translated code and have not returned, outermost first. */
  lowered(sp: number, pc: number, calls: readonly MadeCall[]): void;
  /** From here on the interpreter executes; `calls` as above. */
  left(calls: readonly MadeCall[], pc: number): void;
}

/** What a machine does for its accounts. */
export interface AccountedMachine {
  readonly pc: number;
  /** The block at pc. */
  readBlock(): Block;
  /** At most so many instructions, which are in that block; returns how many. */
  execute(budget: number): number;
}

/** Executions by the address of the instruction. */
export type ExecutionCounts = ReadonlyMap<number, number>;

/** Longer ones are cut. */
export const longestBlock = 64;

interface CountedBlock extends Block {
  runs: number;
  /** How often it ended after so many instructions only. */
  readonly partial: Map<number, number>;
}

export class Accounts {
  private readonly blocks = new Map<number, CountedBlock>();
  /** Of blocks that are no more. */
  private settled = new Map<number, number>();
  /** Adds what was counted elsewhere. */
  beforeRead: () => void = () => undefined;

  constructor(
    private readonly listener: BlockListener,
    readonly translated: TranslatedListener | undefined,
  ) {}

  /** So many executions more, or fewer. */
  add(address: number, executions: number): void {
    this.settled.set(address, (this.settled.get(address) ?? 0) + executions);
  }

  /** Executes at most `budget` instructions from the machine's pc. */
  private advance(budget: number, machine: AccountedMachine): number {
    const { pc } = machine;
    let block = this.blocks.get(pc);
    if (block === undefined) this.blocks.set(pc, (block = { ...machine.readBlock(), runs: 0, partial: new Map() }));
    const { addresses, returnAddress } = block;
    const executed = machine.execute(Math.min(budget, addresses.length));
    if (executed === 0) return 0;
    const isWhole = executed === addresses.length;
    if (isWhole) block.runs++;
    else block.partial.set(executed, (block.partial.get(executed) ?? 0) + 1);
    // The block has changed itself: it is counted as what it was.
    if (this.blocks.get(pc) !== block) this.settle(block);
    const next = machine.pc;
    // A conditional call that was not made goes on where it would have returned to.
    const isCall = isWhole && returnAddress !== undefined && next !== returnAddress;
    this.listener(addresses[executed - 1], next, isCall ? returnAddress : undefined);
    return executed;
  }

  /** Executes block by block, to a block that `endsAt` wants to begin otherwise. */
  run(
    budget: number,
    machine: AccountedMachine,
    core: { readonly stop: number },
    endsAt: (pc: number) => boolean,
  ): number {
    let done = 0;
    for (let executed = -1; done < budget && executed !== 0 && core.stop === Stop.none; done += executed) {
      if (done > 0 && endsAt(machine.pc)) break;
      executed = this.advance(budget - done, machine);
    }
    return done;
  }

  /** An instruction that was executed alone. */
  single(pc: number, next: number): void {
    this.add(pc, 1);
    this.listener(pc, next, undefined);
  }

  /** Code has changed: blocks are read anew, counts stay. */
  forgetBlocks(): void {
    for (const block of this.blocks.values()) this.settle(block);
    this.blocks.clear();
  }

  /** As they are now. */
  get counts(): ExecutionCounts {
    for (const block of this.blocks.values()) this.settle(block);
    this.beforeRead();
    // What was refused is known after it was charged.
    for (const [address, count] of this.settled) if (count === 0) this.settled.delete(address);
    return this.settled;
  }

  /** They become what they were. */
  replaceCounts(counts: ExecutionCounts): void {
    this.settled = new Map(counts);
  }

  private settle(block: CountedBlock): void {
    const { addresses, partial } = block;
    // From the end: what ended later has executed all that comes before.
    let count = block.runs;
    for (let i = addresses.length - 1; i >= 0; i--) {
      count += partial.get(i + 1) ?? 0;
      if (count > 0) this.add(addresses[i], count);
    }
    block.runs = 0;
    partial.clear();
  }
}
