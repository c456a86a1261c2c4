/**
 * A region becomes a WebAssembly function (pc, left, depth) -> pc. Its control flow is structured as in Ramsey, "Beyond
 * Relooper" (2022): a loop header opens a loop, a block where several edges meet is behind a block that they branch out of,
 * everything else is nested where its only edge is. Each block first takes its instructions from the budget
 * `left`, or leaves when there are too few.
 *
 * A guest call is a call of the translated function; when what that returns is not the return address, the caller returns it
 * too, and so on down to the dispatcher: a fault, a stop or a longjmp needs nothing else.
 */
import { planAccesses, stackWordsOf, type AccessPlan } from './access-plan';
import { Callee, Param, type Effects, type Emitter } from './emitter';
import type { Guest } from './guest';
import { LEFT, TARGETS, targetEntries, UNCHECKED } from './layout';
import { computeFlows, isCall, liveBefore, liveOut, type Flows } from './liveness';
import type { Block, Region } from './region';
import {
  emitCallRecord,
  emitCount,
  emitDepth,
  emitEntered,
  emitLowest,
  type TranslatedAccounts,
} from './translated-accounts';
import { ByteWriter, Op } from './wasm';

/** How a call reaches the function at an address. */
export type Callable = { readonly slot: number } | { readonly index: number } | undefined;

/** What a CPU's emitter has besides: what it knows of the flags from one block to the only one behind it. */
export interface RegionEmitter extends Emitter {
  enterBlock(index: number, only: number | undefined): void;
  endBlock(index: number): void;
}

export interface Surroundings {
  /** What to call for a guest function's address. */
  callable(address: number): Callable;
  /** How the accesses of the instruction there are checked. */
  accessMode(pc: number): AccessMode;
  /** The debugger is asked before the instruction there whether the run goes on through it. */
  isBreakpoint(pc: number): boolean;
  /** Executions and calls are counted. */
  readonly accounts?: TranslatedAccounts;
  /** Word of the stack pointer, as the emitter numbers it. */
  readonly stackWord: number;
  /** Words that point into the stack at the entry, as a bit set. */
  readonly stackPointers: number;
}

/** `shared` with others' accesses, `alone`, or not checked but done by the slow functions. */
export type AccessMode = 'shared' | 'alone' | 'slow';

/** Emits the body of the function of a region. */
export function translate(e: RegionEmitter, region: Region, surroundings: Surroundings): ByteWriter {
  return new Translation(e, region, surroundings).body();
}

const isConditional = (guest: Guest | undefined): boolean => guest?.test !== undefined;

/** Labels: plain, and because of an access. */
interface Exit {
  readonly label: number;
  readonly unchecked: number;
}

class Translation {
  private readonly flows: Flows;
  private readonly isMerge: readonly boolean[];
  private readonly isLoop: readonly boolean[];
  /** Blocks by immediate dominator, in reverse postorder. */
  private readonly children: number[][];
  /** Label of what follows the block, or of the loop. */
  private readonly labelOf = new Map<number, number>();
  /** Label by set of stored words. */
  private readonly exits = new Map<number, Exit>();
  private readonly plans: readonly AccessPlan[];
  /** Sets of words that are stored right now where the block that is being emitted leaves. */
  private dirty = 0;

  constructor(
    private readonly e: RegionEmitter,
    private readonly region: Region,
    private readonly surroundings: Surroundings,
  ) {
    const { blocks, dominator } = region;
    const effects = blocks.map(({ guests }) => guests.map((guest) => this.effectsOf(guest)));
    const stackWords = stackWordsOf(region, effects, surroundings.stackPointers);
    const isAlone = (pc: number): boolean => surroundings.accessMode(pc) !== 'shared';
    this.plans = blocks.map(({ guests }, index) => planAccesses(guests, effects[index], stackWords, isAlone));
    this.flows = computeFlows(region, effects);
    const chosen = new Set(
      blocks.filter(({ guests }) => guests.at(-1)?.flow === 'choose').flatMap((b) => b.successors),
    );
    this.isMerge = blocks.map(
      ({ predecessors }, index) => chosen.has(index) || predecessors.filter((p) => p < index).length > 1,
    );
    this.isLoop = blocks.map(({ predecessors }, index) => predecessors.some((p) => p >= index));
    this.children = blocks.map(() => []);
    dominator.forEach((parent, index) => index !== 0 && this.children[parent].push(index));
  }

  body(): ByteWriter {
    const { e, flows } = this;
    // Too deep: back to the dispatcher, which begins anew here.
    e.get_local(Param.depth);
    e.op(Op.i32_eqz);
    e.open(Op.if);
    this.returnPc();
    e.close();
    e.loadWords(flows.liveIn[0]);
    for (const set of flows.storedSets) {
      this.exits.set(set, { label: e.open(Op.block), unchecked: e.open(Op.block) });
    }
    this.emitTree(0);
    for (const set of [...flows.storedSets].reverse()) {
      e.close();
      e.const(0);
      e.get_local(Param.pc);
      e.memory(Op.i32_store, UNCHECKED);
      e.close();
      e.storeWords(set);
      this.returnPc();
    }
    e.const(0);
    e.op(Op.end);
    return e.finish();
  }

  private effectsOf(guest: Guest): Effects {
    const { e } = this;
    const effects = e.rehearse(() => {
      guest.test?.();
      guest.emit?.();
    });
    // What is not changed in one case is needed in the other.
    if (isConditional(guest)) effects.uses |= effects.defs;
    if (guest.flow === 'choose' || this.asks(guest)) effects.leaves = true;
    return effects;
  }

  /** What the interpreter executes it asks about itself. */
  private asks({ pc, flow }: Guest): boolean {
    return flow !== 'interpret' && flow !== 'stop' && this.surroundings.isBreakpoint(pc);
  }

  /** With the state stored, of which conditions are made. */
  private emitAsk({ pc }: Guest): void {
    const { e } = this;
    e.storeWords(this.dirty);
    e.const(pc);
    e.const(0);
    e.call(Callee.ask);
    e.leaveIf();
    e.leaving = { ...e.leaving, isAnswered: true };
  }

  private returnPc(): void {
    this.e.storeLeft();
    if (this.surroundings.accounts) emitDepth(this.e);
    this.e.get_local(Param.pc);
    this.e.op(Op.return);
  }

  // --- Structure -----------------------------------------------------------------------------------------------------

  private emitTree(index: number): void {
    const { e } = this;
    const followers = this.children[index].filter((child) => this.isMerge[child]);
    if (this.isLoop[index]) this.labelOf.set(-1 - index, e.open(Op.loop));
    // The last in reverse postorder is the outermost.
    for (const follower of followers.slice().reverse()) this.labelOf.set(follower, e.open(Op.block));
    this.emitBlock(index);
    for (const follower of followers) {
      e.close();
      this.emitTree(follower);
    }
    if (this.isLoop[index]) e.close();
  }

  /** Goes from the block that was emitted to another one. */
  private goTo(from: number, to: number): void {
    if (this.hasLabel(from, to)) this.e.branch(Op.br, this.label(from, to));
    else this.emitTree(to);
  }

  private hasLabel(from: number, to: number): boolean {
    return to <= from || this.isMerge[to];
  }

  private label(from: number, to: number): number {
    const label = this.labelOf.get(to <= from ? -1 - to : to);
    if (label === undefined) throw new Error('a branch to a block that is not open');
    return label;
  }

  private exit(dirty: number): number {
    return this.exitOf(dirty).label;
  }

  private exitOf(dirty: number): Exit {
    return this.exits.get(this.flows.stored(dirty)) ?? { label: 0, unchecked: 0 };
  }

  // --- Blocks --------------------------------------------------------------------------------------------------------

  private emitBlock(index: number): void {
    const { e, flows } = this;
    const block = this.region.blocks[index];
    this.dirty = flows.dirtyIn[index];
    if (block.guests.length === 0) return this.emitOutside(block);
    const charged = block.guests.at(-1)?.flow === 'stop' ? block.guests.length - 1 : block.guests.length;
    if (charged > 0) this.charge(block, charged);
    const uncounts = this.count(block.guests.slice(0, charged));
    const [only, ...more] = block.predecessors;
    const known = only !== undefined && more.length === 0 && !isCall(this.region.blocks[only]);
    e.enterBlock(index, known ? only : undefined);
    const live = liveBefore(block, flows.effects[index], this.dirty, liveOut(block, flows.liveIn), flows.stored);
    block.guests.forEach((guest, i) => {
      e.startInstruction();
      e.live = live[i + 1];
      e.leaving = { ...this.exitOf(this.dirty), pc: guest.pc, refund: charged - i, mode: guest.mode };
      if (uncounts) e.leaving = { ...e.leaving, uncount: () => uncounts(i) };
      e.planned = this.plans[index][i];
      e.isSlow = this.surroundings.accessMode(guest.pc) === 'slow';
      if (this.asks(guest)) this.emitAsk(guest);
      if (i < block.guests.length - 1 || guest.flow === 'next') this.emitPlain(guest);
      this.followStack(guest, flows.effects[index][i]);
      const before = this.dirty;
      this.dirty |= flows.effects[index][i].defs;
      if (i === block.guests.length - 1) this.emitEnd(index, guest, before);
    });
  }

  private charge({ start, mode }: Block, count: number): void {
    const { e } = this;
    e.const(start);
    e.set_local(Param.pc);
    e.get_local(Param.left);
    e.opConst(Op.i32_lt_s, count);
    if (mode === 0) {
      e.branch(Op.br_if, this.exit(this.dirty));
    } else {
      e.open(Op.if);
      e.storeMode(mode);
      e.branch(Op.br, this.exit(this.dirty));
      e.close();
    }
    e.get_local(Param.left);
    e.opConst(Op.i32_sub, count);
    e.set_local(Param.left);
  }

  /** Counts the instructions; what is returned emits that those from the i-th on were not executed. */
  private count(guests: readonly Guest[]): ((i: number) => void) | undefined {
    const { e } = this;
    const { accounts } = this.surroundings;
    if (accounts === undefined || guests.length === 0) return undefined;
    const addresses = guests.map(({ pc }) => pc);
    const counterOf = new Map<number, number>();
    emitCount(e, accounts.take(addresses, 1));
    return (i) => {
      if (i >= addresses.length) return;
      let counter = counterOf.get(i);
      if (counter === undefined) counterOf.set(i, (counter = accounts.take(addresses.slice(i), -1)));
      emitCount(e, counter);
    };
  }

  private followStack({ pc, flow }: Guest, { defs }: Effects): void {
    const { accounts, stackWord } = this.surroundings;
    if (accounts === undefined || flow !== 'next' || ((defs >>> stackWord) & 1) === 0) return;
    emitLowest(this.e, pc, stackWord);
  }

  private emitPlain(guest: Guest): void {
    const { e } = this;
    if (guest.emit === undefined) return;
    guest.test?.();
    if (guest.test) e.open(Op.if);
    guest.emit();
    if (guest.test) e.close();
  }

  /** What the last instruction of a block does with control. */
  private emitEnd(index: number, guest: Guest, before: number): void {
    const { e } = this;
    const { successors } = this.region.blocks[index];
    if (guest.flow === 'next') {
      e.endBlock(index);
      return this.goTo(index, successors[0]);
    }
    if (guest.test === undefined) {
      guest.emit?.();
      e.endBlock(index);
      return this.emitFlow(index, guest, before);
    }
    const other = successors[successors.length - 1];
    if (guest.flow === 'jump' && guest.emit === undefined) {
      guest.test();
      e.endBlock(index);
      return this.emitBranch(index, successors[0], other);
    }
    guest.test();
    e.open(Op.if);
    guest.emit?.();
    e.endBlock(index);
    this.emitFlow(index, guest, before);
    e.close();
    this.goTo(index, other);
  }

  /** By the condition on the stack. */
  private emitBranch(index: number, target: number, other: number): void {
    const { e } = this;
    if (this.hasLabel(index, target)) {
      e.branch(Op.br_if, this.label(index, target));
      return this.goTo(index, other);
    }
    if (this.hasLabel(index, other)) {
      e.op(Op.i32_eqz);
      e.branch(Op.br_if, this.label(index, other));
      return this.goTo(index, target);
    }
    e.open(Op.if);
    this.goTo(index, target);
    e.else();
    this.goTo(index, other);
    e.close();
    e.op(Op.unreachable);
  }

  private emitFlow(index: number, guest: Guest, before: number): void {
    const { e } = this;
    const { successors } = this.region.blocks[index];
    switch (guest.flow) {
      case 'next':
        return undefined;
      case 'jump':
        return this.goTo(index, successors[0]);
      case 'call':
        e.const(guest.target ?? 0);
        e.set_local(Param.pc);
        return this.emitCall(index, guest, this.surroundings.callable(guest.target ?? 0));
      case 'callTo':
        return this.emitCallTo(index, guest);
      case 'interpret':
        e.storeWords(this.dirty);
        if (this.surroundings.accounts) emitDepth(e);
        e.const(guest.pc);
        e.get_local(Param.left);
        e.const(0);
        e.call(Callee.interpret);
        return this.comeBack(index, guest);
      case 'leave':
        return e.branch(Op.br, this.exit(this.dirty));
      case 'choose':
        return this.emitChoice(index, guest);
      case 'stop':
        // The instruction itself is not charged.
        e.leaving = { ...this.exitOf(before), pc: guest.pc, refund: 0, mode: guest.mode };
        return e.leaveHere();
    }
  }

  /** The target's address is in the local `pc`. */
  private emitCall(index: number, guest: Guest, callee: Callable): void {
    const { e } = this;
    const { accounts, stackWord } = this.surroundings;
    if (callee === undefined && accounts === undefined) return e.branch(Op.br, this.exit(this.dirty));
    e.storeWords(this.dirty);
    if (accounts) emitCallRecord(e, guest.next, stackWord);
    if (callee === undefined) {
      emitEntered(e);
      return e.branch(Op.br, this.exit(this.dirty));
    }
    this.callWith(callee);
    this.comeBack(index, guest);
  }

  private callWith(callee: { readonly slot: number } | { readonly index: number }): void {
    const { e } = this;
    e.get_local(Param.pc);
    e.get_local(Param.left);
    e.get_local(Param.depth);
    e.opConst(Op.i32_sub, 1);
    if ('index' in callee) {
      e.call(Callee.firstOwn + callee.index);
    } else {
      e.const(callee.slot);
      e.callSlot();
    }
  }

  /** The slot is looked up by the address in the local `pc`. */
  private emitCallTo(index: number, guest: Guest): void {
    const { e } = this;
    const { accounts, stackWord } = this.surroundings;
    const entry = e.local('entry');
    e.get_local(Param.pc);
    e.opConst(Op.i32_shl, 2);
    e.opConst(Op.i32_and, (targetEntries - 1) * 8);
    e.tee_local(entry);
    e.memory(Op.i32_load, TARGETS);
    e.get_local(Param.pc);
    e.op(Op.i32_ne);
    if (accounts) {
      const isUnknown = e.local('unknown');
      e.set_local(isUnknown);
      e.storeWords(this.dirty);
      emitCallRecord(e, guest.next, stackWord);
      e.get_local(isUnknown);
      e.open(Op.if);
      emitEntered(e);
      e.branch(Op.br, this.exit(this.dirty));
      e.close();
    } else {
      e.branch(Op.br_if, this.exit(this.dirty));
      e.storeWords(this.dirty);
    }
    e.get_local(Param.pc);
    e.get_local(Param.left);
    e.get_local(Param.depth);
    e.opConst(Op.i32_sub, 1);
    e.get_local(entry);
    e.memory(Op.i32_load, TARGETS + 4);
    e.callSlot();
    this.comeBack(index, guest);
  }

  /** The called function's next pc is on the stack. */
  private comeBack(index: number, guest: Guest): void {
    const { e } = this;
    e.tee_local(Param.pc);
    e.opConst(Op.i32_ne, guest.next);
    e.open(Op.if);
    e.get_local(Param.pc);
    e.op(Op.return);
    e.close();
    e.const(0);
    e.memory(Op.i32_load, LEFT);
    e.set_local(Param.left);
    const { successors } = this.region.blocks[index];
    const next = successors[successors.length - 1];
    e.loadWords(this.flows.liveIn[next]);
    if (guest.test !== undefined) return;
    this.dirty = 0;
    this.goTo(index, next);
  }

  private emitChoice(index: number, guest: Guest): void {
    const { e } = this;
    const choice = e.local('choice');
    e.set_local(choice);
    const out = e.open(Op.block);
    // Successors are as the targets, without what follows.
    const chosen = this.region.blocks[index].successors.slice(0, guest.targets?.length);
    e.get_local(choice);
    e.branchTable([...chosen.map((successor) => this.label(index, successor)), out]);
    e.close();
    e.leaveHere();
  }

  private emitOutside({ start, mode }: Block): void {
    const { e } = this;
    e.const(start);
    e.set_local(Param.pc);
    e.storeMode(mode);
    const callee = mode === 0 ? this.surroundings.callable(start) : undefined;
    if (callee === undefined) return e.branch(Op.br, this.exit(this.dirty));
    e.storeWords(this.dirty);
    if (this.surroundings.accounts) emitCallRecord(e, 0, this.surroundings.stackWord);
    this.callWith(callee);
    e.op(Op.return);
  }
}
