/**
 * Exact accounts of a run: how often each instruction was executed, and every step from one block of straight code to the next.
 * While they are kept, the machine executes block by block in the interpreter, also where it would translate: a block that ends as
 * foreseen counts once, one that is left before counts what was executed. Nothing of this is looked at when they are off.
 */

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
  private readonly settled = new Map<number, number>();

  constructor(private readonly listener: BlockListener) {}

  /** Executes at most `budget` instructions from the machine's pc. */
  advance(budget: number, machine: AccountedMachine): number {
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

  /** An instruction that was executed alone. */
  single(pc: number, next: number): void {
    this.settled.set(pc, (this.settled.get(pc) ?? 0) + 1);
    this.listener(pc, next, undefined);
  }

  /** Code has changed: blocks are read anew, counts stay. */
  forgetBlocks(): void {
    for (const block of this.blocks.values()) this.settle(block);
    this.blocks.clear();
  }

  get counts(): ExecutionCounts {
    for (const block of this.blocks.values()) this.settle(block);
    return this.settled;
  }

  private settle(block: CountedBlock): void {
    const { addresses, partial } = block;
    // From the end: what ended later has executed all that comes before.
    let count = block.runs;
    for (let i = addresses.length - 1; i >= 0; i--) {
      count += partial.get(i + 1) ?? 0;
      if (count > 0) this.settled.set(addresses[i], (this.settled.get(addresses[i]) ?? 0) + count);
    }
    block.runs = 0;
    partial.clear();
  }
}
