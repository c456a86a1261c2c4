/**
 * RISC-V instructions as the translator wants them, from the interpreter's own decoder. What has no emitter (CSRs, floating-point
 * arithmetic) is executed by the interpreter from within the region.
 *
 * Two idioms are seen through, each with a check in the code that it is what it looks like: AUIPC or LUI before JALR, which is a
 * call or jump to a known address; and a jump through a table of addresses.
 */
import type { CodeCache } from '../../riscv/code-cache';
import type { Core } from '../../riscv/core';
import { mergedTable } from '../../merged-table';
import type { Meaning } from '../../riscv/rows';
import { State } from '../../riscv/state';
import type { OperationName } from '../../riscv/operations';
import { Attribute } from '../../memory';
import type { Guest, Lifter } from '../guest';
import { Op } from '../wasm';
import { integerEmitters } from './emit-integer';
import { bitEmitters } from './emit-bits';
import { condition, expectConstant, jal, jalr, jalrRa, jalRa, jr } from './emit-control';
import type { Emit, EmitTable } from './emit-forms';
import { memoryEmitters } from './emit-memory';
import type { RiscvEmitter } from './riscv-emitter';

export const riscvEmitters: EmitTable = mergedTable(integerEmitters, bitEmitters, memoryEmitters);

/** Conditions and jumps, whose emitters are in control(). */
export const translatedControl: ReadonlySet<OperationName> = new Set([
  ...(['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu', 'beqz', 'bnez'] as const),
  ...(['j', 'jal', 'jal_ra', 'jr', 'jalr', 'jalr_ra'] as const),
]);

/** Operations that stop the run or change how the hart works: the region ends before them. */
const stopping = new Set<OperationName>(['ecall', 'ebreak', 'illegal', 'mret', 'wfi']);

type Place = Pick<Guest, 'pc' | 'next' | 'mode'>;

/** A register that holds a constant, or the sum that a table is read at, or what was read there. */
interface Note {
  readonly register: number;
  readonly value?: number;
  readonly bases?: readonly number[];
  readonly isEntry?: true;
}

/** Entries of a table that are looked at, and how far from the jump they may lead. */
const maximumTable = 256;
const maximumDistance = 0x2000;

export class RiscvLifter implements Lifter {
  /** Ranges of data that translated code has as constants. */
  readonly constants: (readonly [number, number])[] = [];
  /** By the address of the instruction that it holds for. */
  private readonly notes = new Map<number, Note>();
  /** By register: the constant that it was given last, and all that were made of two parts. */
  private readonly latest = new Map<number, number>();
  private readonly bases = new Map<number, Set<number>>();

  /** Physical memory protection may refuse what the page allows. */
  private readonly isGuarded: boolean;

  constructor(
    private readonly core: Core,
    private readonly code: CodeCache,
    private readonly e: RiscvEmitter,
  ) {
    this.isGuarded = core.pmp.guards(core.privilege);
  }

  modeAfter(): number {
    return 0;
  }

  lift(pc: number): Guest {
    const stop: Guest = { pc, next: (pc + 2) >>> 0, flow: 'stop', mode: 0 };
    if (this.code.hostCalls.has(pc)) return stop;
    const word = this.fetch(pc);
    if (word === undefined) return stop;
    const next = (pc + ((word & 3) === 3 ? 4 : 2)) >>> 0;
    const meaning = this.code.decoder.decode(word, pc, this.core.csr.floatIsOff);
    this.take(meaning, pc, next);
    const [operation, ...operands] = meaning;
    if (stopping.has(operation)) return { ...stop, next };
    const place: Place = { pc, next, mode: 0 };
    const emit = this.isCareful(operation, operands) ? undefined : riscvEmitters[operation];
    return this.control(place, operation, operands) ?? this.plain(place, emit, operands);
  }

  /** While memory safety is checked: atomics, and what sets the stack pointer in other ways than by arithmetic. */
  private isCareful(operation: OperationName, [d]: readonly number[]): boolean {
    if (this.e.options.shadow === undefined) return false;
    return /^(amo|lr_|sc_)/.test(operation) || (d === this.e.stackPointer && !/_sp$|^f?s[bhwd]$/.test(operation));
  }

  private plain(place: Place, emit: Emit | undefined, operands: readonly number[]): Guest {
    const { e } = this;
    if (emit === undefined) return { ...place, flow: 'interpret' };
    if (!this.notes.get(place.next)?.isEntry) return { ...place, flow: 'next', emit: () => emit(e, operands) };
    const keepAddress = () => {
      e.getLow(operands[1]);
      e.set_local(e.local('table'));
      emit(e, operands);
    };
    return { ...place, flow: 'next', emit: keepAddress };
  }

  private control(place: Place, operation: OperationName, operands: readonly number[]): Guest | undefined {
    const { e } = this;
    const test = condition(operation);
    if (test !== undefined) {
      return { ...place, flow: 'jump', target: operands[1] >>> 0, test: () => test(e, operands) };
    }
    const target = operands[0] >>> 0;
    switch (operation) {
      case 'j':
        return { ...place, flow: 'jump', target };
      case 'jal':
        return { ...place, flow: 'call', target, emit: () => jal(e, operands) };
      case 'jal_ra':
        return { ...place, flow: 'call', target, emit: () => jalRa(e, operands) };
      case 'jr':
        return this.indirect(place, jr, operands) ?? this.tableJump(place, operands);
      case 'jalr':
        return this.indirect(place, jalr, operands);
      case 'jalr_ra':
        return this.indirect(place, jalrRa, operands);
      default:
        return undefined;
    }
  }

  /** JALR: to the address that the instruction before has made, or to any. */
  private indirect(place: Place, emit: Emit, operands: readonly number[]): Guest | undefined {
    const { e } = this;
    const [s1, offset] = operands;
    const note = this.notes.get(place.pc);
    const isJump = emit === jr;
    if (note?.register !== s1 || note.value === undefined) {
      if (isJump) return undefined;
      return { ...place, flow: 'callTo', emit: () => emit(e, operands) };
    }
    const { value } = note;
    const target = ((value + (emit === jalrRa ? 0 : offset)) & ~1) >>> 0;
    if (e.xlen === 64 && (value < 0 || value + offset > 0xffff_ffff)) return undefined;
    const check = () => expectConstant(e, s1, value);
    if (isJump) return { ...place, flow: 'jump', target, emit: check };
    const call = () => {
      check();
      emit(e, operands);
    };
    return { ...place, flow: 'call', target, emit: call };
  }

  /** JR behind the load of a table's entry. */
  private tableJump(place: Place, operands: readonly number[]): Guest {
    const { e } = this;
    const [s1, offset] = operands;
    const leave: Guest = { ...place, flow: 'leave', emit: () => jr(e, operands) };
    const note = this.notes.get(place.pc);
    if (note?.register !== s1 || note.bases === undefined || offset !== 0) return leave;
    for (const base of note.bases) {
      const targets = this.readTable(base, place.pc);
      if (targets.length > 0) return { ...place, flow: 'choose', targets, emit: () => this.choose(s1, base, targets) };
    }
    return leave;
  }

  /** The number of the entry that was read; refused when the register does not hold what is there. */
  private choose(s1: number, base: number, targets: readonly number[]): void {
    const { e } = this;
    const index = e.temporary();
    e.get_local(e.local('table'));
    e.opConst(Op.i32_sub, base | 0);
    e.opConst(Op.i32_shr_u, this.logWord);
    e.tee_local(index);
    e.opConst(Op.i32_ge_u, targets.length);
    e.leaveIf();
    e.get(s1);
    e.get_local(index);
    e.opConst(Op.i32_shl, this.logWord);
    e.memory(e.xlen === 32 ? Op.i32_load : Op.i64_load, this.core.memory.hostAddress(base));
    e.x(Op.i32_ne);
    e.leaveIf();
    e.get_local(index);
  }

  private get logWord(): number {
    return this.e.xlen === 32 ? 2 : 3;
  }

  /** Addresses near the jump, on a page where stores are noticed and not usual. */
  private readTable(base: number, pc: number): number[] {
    const { memory } = this.core;
    const size = 1 << this.logWord;
    const attributes = memory.attributes[base >>> 12];
    const isConstant = (attributes & Attribute.execute) !== 0 || (attributes & Attribute.write) === 0;
    if (base % size !== 0 || (attributes & Attribute.read) === 0 || !isConstant) return [];
    const bytes = memory.read(base, Math.min(maximumTable * size, 0x1000 - (base & 0xfff)));
    const view = new DataView(bytes.buffer);
    const targets: number[] = [];
    for (let at = 0; at + size <= bytes.length; at += size) {
      const target = view.getUint32(at, true);
      const upper = size === 8 ? view.getUint32(at + 4, true) : 0;
      if (upper !== 0 || (target & 1) !== 0 || Math.abs(target - pc) > maximumDistance) break;
      targets.push(target);
    }
    if (targets.length > 0) this.constants.push([base, base + targets.length * size]);
    return targets;
  }

  // --- What is known of registers ----------------------------------------------------------------------------------

  private take([operation, ...operands]: Meaning, pc: number, next: number): void {
    const [d, s1, s2] = operands;
    switch (operation) {
      case 'li': {
        const value = this.e.xlen === 32 ? s1 : s2 * 2 ** 32 + (s1 >>> 0);
        this.latest.set(d, value);
        this.note(next, { register: d, value });
        return;
      }
      case 'addi': {
        const upper = this.latest.get(s1);
        if (upper === undefined) return;
        this.latest.set(d, upper + s2);
        const address = (upper + s2) >>> 0;
        const known = this.bases.get(d);
        if (known) known.add(address);
        else this.bases.set(d, new Set([address]));
        return;
      }
      case 'add':
      case 'sh2add':
      case 'sh3add': {
        const bases = [s1, s2].flatMap((register) => [...(this.bases.get(register) ?? [])]);
        if (bases.length > 0) this.note(next, { register: d, bases });
        return;
      }
      case 'lw':
      case 'ld': {
        const sum = this.notes.get(pc);
        if (sum?.bases === undefined || sum.register !== s1 || sum.isEntry || s2 !== 0) return;
        this.note(next, { register: d, bases: sum.bases, isEntry: true });
        return;
      }
      default:
    }
  }

  private note(pc: number, note: Note): void {
    if (note.register !== State.sink) this.notes.set(pc, note);
  }

  /** The instruction's word; undefined when it cannot be fetched. */
  private fetch(pc: number): number | undefined {
    const first = this.halfword(pc, pc);
    if (first === undefined || (first & 3) !== 3) return first;
    const second = this.halfword((pc + 2) >>> 0, pc);
    return second === undefined ? undefined : ((second << 16) | first) >>> 0;
  }

  private halfword(address: number, pc: number): number | undefined {
    const { memory } = this.core;
    if ((memory.attributes[address >>> 12] & Attribute.execute) === 0) return undefined;
    if (this.isGuarded && this.core.fetchFault(address, pc, 2) !== undefined) return undefined;
    return memory.halfwords[memory.hostAddress(address) >>> 1];
  }
}
