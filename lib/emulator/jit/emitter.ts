/**
 * Emits one WebAssembly function. CPU registers and flags ("words" of the state page, numbered as there, below 32) live in locals:
 * loaded where they are used first, stored where the region is left if they may have changed.
 *
 * Every instruction is emitted twice. The first time is a rehearsal that finds out which words it uses and
 * changes and whether the region may be left at it; liveness and dirty words are computed from that.
 * All that can refuse an instruction comes before its first change, so leaving means the state before it.
 */
import type { PlannedAccess } from './access-plan';
import { ANSWERED, LEFT, REFUSED } from './layout';
import type { ShadowPlan } from './shadow-ops';
import { ByteWriter, Op, Type } from './wasm';
import type { Window } from './window';

/** Parameters of a translated function. */
export const Param = { pc: 0, left: 1, depth: 2 } as const;
const firstLocal = 3;

/** What one instruction does to the state words, as bit sets. */
export interface Effects {
  uses: number;
  defs: number;
  /** The region may be left before it. */
  leaves: boolean;
  /** Loads and stores at a constant distance from a word. */
  accesses?: Access[];
  derivations?: Derivation[];
}

export interface Access {
  readonly base: number;
  readonly offset: number;
  readonly bytes: number;
  /** The address has to be a multiple of 4. */
  readonly aligned: boolean;
  readonly store: boolean;
}

/** Afterwards `word` is `from`, as it was before, plus `offset`. */
export interface Derivation {
  readonly word: number;
  readonly from: number;
  readonly offset: number;
}

/** Functions that every module has, by the numbers that a call takes. */
export const Callee = {
  loadSlow: 0,
  storeSlow: 1,
  probeWrite: 2,
  interpret: 3,
  ask: 4,
  lowered: 5,
  firstOwn: 6,
} as const;

export interface EmitterOptions {
  readonly readTable: number;
  readonly writeTable: number;
  readonly window: Window | undefined;
  /** Unaligned loads and stores of one register are refused too. */
  readonly strictAlignment: boolean;
  /** Memory safety is checked. The stack is in the window then. */
  readonly shadow?: ShadowPlan;
}

export interface Leaving {
  /** Plain, and because of an access. */
  readonly label: number;
  readonly unchecked: number;
  readonly pc: number;
  /** Instructions charged and not executed. */
  readonly refund: number;
  readonly mode: number;
  /** The debugger has been asked about the breakpoint there. */
  readonly isAnswered?: boolean;
  /** Emits what counts that the rest of the block is not executed. */
  readonly uncount?: () => void;
}

export class Emitter {
  code = new ByteWriter();
  /** Of the instruction being rehearsed; undefined while emitting. */
  protected effects: Effects | undefined;
  /** Words that are needed behind the instruction being emitted. */
  live = -1;
  /** How many WebAssembly blocks are open. */
  depth = 0;
  /** Leaving before the instruction being emitted. */
  leaving: Leaving = { label: 0, unchecked: 0, pc: 0, refund: 0, mode: 0 };
  /** Of the instruction being emitted: how its accesses are checked, in their order. */
  planned: readonly (PlannedAccess | undefined)[] = [];
  /** Accesses of the instruction are often not let through: they are done without leaving the region. */
  isSlow = false;
  private readonly localOf = new Map<number, number>();
  private readonly types: number[] = [];
  private readonly named = new Map<string, number>();
  private temporaries = 0;
  private accesses = 0;

  constructor(
    readonly options: EmitterOptions,
    /** Offset of the word that `mode` is stored in. */
    private readonly modeWord: number,
    /** What a numbered word of the state is: of 64-bit registers it has 8 bytes. */
    private readonly wordType: number = Type.i32,
  ) {}

  // --- Rehearsal -------------------------------------------------------------------------------------------------

  rehearse(emit: () => void): Effects {
    const effects: Effects = { uses: 0, defs: 0, leaves: false };
    this.effects = effects;
    const { length } = this.code;
    this.temporaries = 0;
    emit();
    this.code.length = length;
    this.effects = undefined;
    return effects;
  }

  get rehearsing(): boolean {
    return this.effects !== undefined;
  }

  /** Temporaries of the instruction before are free. */
  startInstruction(): void {
    this.temporaries = 0;
    this.accesses = 0;
  }

  /** Notes the access while rehearsing; else how it is planned. `isNoted`: nothing is to be emitted. */
  nextAccess(access: Access): { readonly isNoted: boolean; readonly plan?: PlannedAccess } {
    this.use(access.base);
    const { effects } = this;
    if (effects === undefined) return { isNoted: false, plan: this.planned[this.accesses++] };
    if (effects.defs !== 0) throw new Error('an instruction accesses memory after it has changed the state');
    (effects.accesses ??= []).push(access);
    // Flags are looked at by each access.
    if (this.options.shadow !== undefined) effects.leaves = true;
    return { isNoted: true };
  }

  /** Told, after set(), of a word that has become another one, as it was before the instruction, plus a constant. */
  derive(word: number, from: number, offset: number): void {
    if (this.effects) (this.effects.derivations ??= []).push({ word, from, offset });
  }

  // --- Locals ----------------------------------------------------------------------------------------------------

  private newLocal(type: number): number {
    this.types.push(type);
    return firstLocal + this.types.length - 1;
  }

  localOfWord(word: number): number {
    let local = this.localOf.get(word);
    if (local === undefined) this.localOf.set(word, (local = this.newLocal(this.wordType)));
    return local;
  }

  /** A local that keeps its value from one instruction to the next. */
  local(name: string, type: number = Type.i32): number {
    let local = this.named.get(name);
    if (local === undefined) this.named.set(name, (local = this.newLocal(type)));
    return local;
  }

  /** A local that nothing else uses. */
  ownLocal(): number {
    return this.newLocal(Type.i32);
  }

  /** A local for this instruction. */
  temporary(type: number = Type.i32): number {
    return this.local(`${type} ${this.temporaries++}`, type);
  }

  /** The function's body: locals, then what was emitted. */
  finish(): ByteWriter {
    const body = new ByteWriter();
    body.u32(this.types.length);
    for (const type of this.types) {
      body.u32(1);
      body.byte(type);
    }
    body.append(this.code);
    return body;
  }

  // --- State words -----------------------------------------------------------------------------------------------

  /** Told of a word whose local is read without get(). */
  use(word: number): void {
    if (this.effects) this.effects.uses |= (1 << word) & ~this.effects.defs;
  }

  get(word: number): void {
    this.use(word);
    this.get_local(this.localOfWord(word));
  }

  /** Takes the value from the stack. */
  set(word: number): void {
    const { effects } = this;
    if (effects) {
      effects.defs |= 1 << word;
      effects.derivations = effects.derivations?.filter((derivation) => derivation.word !== word);
    }
    this.set_local(this.localOfWord(word));
  }

  /** Whether a word's value matters behind this instruction. */
  wants(word: number): boolean {
    return this.effects !== undefined || ((this.live >>> word) & 1) !== 0;
  }

  /** The low 32 bits of a word that is in its local. */
  getLowOf(word: number): void {
    this.get_local(this.localOfWord(word));
    if (this.wordType === Type.i64) this.op(Op.i32_wrap_i64);
  }

  offsetOfWord(word: number): number {
    return word * (this.wordType === Type.i64 ? 8 : 4);
  }

  loadWords(mask: number): void {
    const wide = this.wordType === Type.i64;
    for (let word = 0; word < 32; word++) {
      if (((mask >>> word) & 1) === 0) continue;
      this.const(0);
      this.memory(wide ? Op.i64_load : Op.i32_load, (wide ? 8 : 4) * word);
      this.set_local(this.localOfWord(word));
    }
  }

  storeWords(mask: number): void {
    const wide = this.wordType === Type.i64;
    for (let word = 0; word < 32; word++) {
      if (((mask >>> word) & 1) === 0) continue;
      this.const(0);
      this.get_local(this.localOfWord(word));
      this.memory(wide ? Op.i64_store : Op.i32_store, (wide ? 8 : 4) * word);
    }
  }

  storeLeft(): void {
    this.const(0);
    this.get_local(Param.left);
    this.memory(Op.i32_store, LEFT);
  }

  // --- Instructions of WebAssembly ---------------------------------------------------------------------------------

  op(opcode: number): void {
    this.code.byte(opcode);
  }

  const(value: number): void {
    this.code.byte(Op.i32_const);
    this.code.s32(value);
  }

  const64(value: bigint): void {
    this.code.byte(Op.i64_const);
    this.code.s64(value);
  }

  /** Constant and operation: `x op value` of the x on the stack. */
  opConst(opcode: number, value: number): void {
    this.const(value);
    this.op(opcode);
  }

  get_local(local: number): void {
    this.code.byte(Op.local_get);
    this.code.u32(local);
  }

  set_local(local: number): void {
    this.code.byte(Op.local_set);
    this.code.u32(local);
  }

  tee_local(local: number): void {
    this.code.byte(Op.local_tee);
    this.code.u32(local);
  }

  /** A load or store; always told as of alignment 1, because guest addresses may be anything. */
  memory(opcode: number, offset: number): void {
    this.code.byte(opcode);
    this.code.byte(0);
    this.code.u32(offset);
  }

  call(callee: number): void {
    this.code.byte(Op.call);
    this.code.u32(callee);
  }

  /** Type 0 of the module is that of translated functions; the slot is on the stack. */
  callSlot(): void {
    this.code.byte(Op.call_indirect);
    this.code.u32(0);
    this.code.u32(0);
  }

  /** Opens a block, loop or if; the label to branch to it by. */
  open(opcode: number, type: number = Type.none): number {
    this.code.byte(opcode);
    this.code.byte(type);
    return ++this.depth;
  }

  else(): void {
    this.op(Op.else);
  }

  close(): void {
    this.op(Op.end);
    this.depth--;
  }

  branch(opcode: number, label: number): void {
    this.code.byte(opcode);
    this.code.u32(this.depth - label);
  }

  /** br_table: the last label is the default. */
  branchTable(labels: readonly number[]): void {
    this.code.byte(Op.br_table);
    this.code.u32(labels.length - 1);
    for (const label of labels) this.code.u32(this.depth - label);
  }

  // --- Leaving -----------------------------------------------------------------------------------------------------

  /** Takes a condition from the stack: when it is not 0, the region is left with the state before this instruction. */
  leaveIf(label = this.leaving.label): void {
    if (this.effects) {
      if (this.effects.defs !== 0) throw new Error('an instruction is refused after it has changed the state');
      this.effects.leaves = true;
    }
    this.open(Op.if);
    this.leaveHere(label);
    this.close();
  }

  /** The same because of an access: the dispatcher is told. */
  leaveIfUnchecked(): void {
    this.leaveIf(this.leaving.unchecked);
  }

  leaveHere(label = this.leaving.label): void {
    if (this.effects) this.effects.leaves = true;
    const { pc, refund, mode, isAnswered, uncount } = this.leaving;
    if (refund !== 0) {
      this.get_local(Param.left);
      this.opConst(Op.i32_add, refund);
      this.set_local(Param.left);
    }
    this.const(pc);
    this.set_local(Param.pc);
    this.storeMode(mode);
    if (!this.effects) uncount?.();
    if (isAnswered) {
      this.const(0);
      this.const(pc);
      this.memory(Op.i32_store, ANSWERED);
    }
    if (this.effects) this.op(Op.return);
    else this.branch(Op.br, label);
  }

  storeMode(mode: number): void {
    if (mode === 0) return;
    this.const(0);
    this.const(mode);
    this.memory(Op.i32_store, 4 * this.modeWord);
  }

  /** After a slow access: leave when it was refused. */
  leaveIfRefused(): void {
    this.const(0);
    this.memory(Op.i32_load, REFUSED);
    this.leaveIf();
  }
}
