/**
 * Accounts of translated code (../accounts.ts): a variant of the translation, made while accounts are kept.
 *
 * Each block adds 1 to a counter behind its charge; what is left in the middle of a block adds 1 to a counter of its own, which says
 * what was not executed after all. A call leaves target, return address and stack pointer in the record of its depth: nothing is to be
 * done when it returns. Who leaves translated code says at what depth, so that the calls that are still open are known then. Where
 * the stack pointer is lowered it is compared with the lowest one.
 */
import type { Accounts, MadeCall } from '../accounts';
import { counterCount, countersOffset, type GuestMemory } from '../memory';
import { Callee, Param, type Emitter } from './emitter';
import { CALLS, callBytes, LEFT_DEPTH, LOWEST, maximumDepth } from './layout';
import { Op } from './wasm';

interface Counter {
  readonly addresses: readonly number[];
  readonly sign: 1 | -1;
}

export class TranslatedAccounts {
  private counters: Counter[] = [];

  constructor(
    private readonly memory: GuestMemory,
    readonly accounts: Accounts,
  ) {
    accounts.beforeRead = () => this.settle();
  }

  /** Room for counters of so many instructions. */
  hasRoom(instructions: number): boolean {
    return this.counters.length + 2 * instructions <= counterCount;
  }

  /** Nothing that was translated may run any more. */
  reset(): void {
    this.settle();
    this.counters = [];
  }

  /** Offset of a counter of executions of all the instructions. */
  take(addresses: readonly number[], sign: 1 | -1): number {
    if (this.counters.length >= counterCount) throw new Error('more counters than there is room for');
    this.counters.push({ addresses, sign });
    return countersOffset + 8 * (this.counters.length - 1);
  }

  /** What was charged to translated code and not executed. */
  refuse(pc: number): void {
    this.accounts.add(pc, -1);
  }

  private settle(): void {
    const { words } = this.memory;
    const first = countersOffset >>> 2;
    this.counters.forEach(({ addresses, sign }, i) => {
      const at = first + 2 * i;
      const count = (words[at] >>> 0) + (words[at + 1] >>> 0) * 2 ** 32;
      if (count === 0) return;
      words.fill(0, at, at + 2);
      for (const address of addresses) this.accounts.add(address, sign * count);
    });
  }

  enter(): void {
    const { words } = this.memory;
    words[LOWEST >>> 2] = this.accounts.translated?.lowest ?? 0;
    words[LEFT_DEPTH >>> 2] = maximumDepth;
  }

  /** Translated code was left to `pc`. */
  leave(pc: number): void {
    this.accounts.translated?.left(this.openCalls(this.memory.words[LEFT_DEPTH >>> 2]), pc);
  }

  /** The instruction at pc, in a function at this depth, has made sp lower than it ever was. */
  lowered(pc: number, sp: number, depth: number): void {
    this.memory.words[LOWEST >>> 2] = sp;
    this.accounts.translated?.lowered(sp >>> 0, pc >>> 0, this.openCalls(depth));
  }

  /** The interpreter has executed an instruction from within translated code. */
  executed(pc: number, sp: number): void {
    const { words } = this.memory;
    if (sp < words[LOWEST >>> 2] >>> 0) this.lowered(pc, sp, words[LEFT_DEPTH >>> 2]);
  }

  private openCalls(depth: number): MadeCall[] {
    const { words } = this.memory;
    const calls: MadeCall[] = [];
    for (let at = maximumDepth; at > depth; at--) {
      const [entry, returnAddress, sp] = words.subarray((CALLS + callBytes * at) >>> 2);
      // A jump into another function is no call.
      if (returnAddress !== 0) calls.push({ entry: entry >>> 0, returnAddress: returnAddress >>> 0, sp: sp >>> 0 });
    }
    return calls;
  }
}

// --- What is emitted ---------------------------------------------------------------------------------------------------

export function emitCount(e: Emitter, counter: number): void {
  e.const(0);
  e.const(0);
  e.memory(Op.i64_load, counter);
  e.const64(1n);
  e.op(Op.i64_add);
  e.memory(Op.i64_store, counter);
}

/** Before a call, with the state stored: its target is in the local `pc`. `returnAddress`: 0 = it is a jump. */
export function emitCallRecord(e: Emitter, returnAddress: number, stackWord: number): void {
  const record = e.local('record');
  e.get_local(Param.depth);
  e.opConst(Op.i32_mul, callBytes);
  e.tee_local(record);
  e.const(returnAddress);
  e.memory(Op.i32_store, CALLS + 4);
  if (returnAddress === 0) return;
  e.get_local(record);
  e.get_local(Param.pc);
  e.memory(Op.i32_store, CALLS);
  e.get_local(record);
  e.const(0);
  e.memory(Op.i32_load, e.offsetOfWord(stackWord));
  e.memory(Op.i32_store, CALLS + 8);
}

/** Translated code is left from within a call that was made by this function. */
export function emitEntered(e: Emitter): void {
  e.get_local(Param.depth);
  e.opConst(Op.i32_sub, 1);
  e.set_local(Param.depth);
}

export function emitDepth(e: Emitter): void {
  e.const(0);
  e.get_local(Param.depth);
  e.memory(Op.i32_store, LEFT_DEPTH);
}

/** Behind an instruction that may have lowered sp, which is in its local. */
export function emitLowest(e: Emitter, pc: number, stackWord: number): void {
  e.getLowOf(stackWord);
  e.const(0);
  e.memory(Op.i32_load, LOWEST);
  e.op(Op.i32_lt_u);
  e.open(Op.if);
  e.const(pc);
  e.getLowOf(stackWord);
  e.get_local(Param.depth);
  e.call(Callee.lowered);
  e.op(Op.drop);
  e.close();
}
