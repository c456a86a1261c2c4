/**
 * Frames of RISC-V functions that have no call-frame information: what the code from the function's start to pc has
 * done to sp, s0 and the registers that a function must keep, as a row of a call-frame table. gdb goes through the prologue
 * in a straight line (riscv_scan_prologue) and is wrong behind it where a function returns in the middle, or makes its
 * frame after a test. Here every way to pc is followed, so that epilogues are right as well; what only an indirect jump
 * leads to has the frame that the jump has. Registers: RISC-V psABI, "Integer Register Convention".
 */
import type { CfiRow, RegisterRule } from '../dwarf/model';
import type { FunctionCode } from './code-frames';
import { type RiscvEffect, riscvInstruction } from './riscv-code';
import { compute, FLOAT, initialState, isEntryValue, kept, RA, S0, set, SP, type State, ZERO } from './riscv-values';

/** A function's code, at link addresses. */
export interface RiscvFunction extends FunctionCode {
  readonly xlen: 32 | 64;
}

const T0 = 5;

const temporary = [5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];
const floatTemporary = [...Array(8).keys(), 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];
const lostInCall = [RA, ...temporary, ...floatTemporary.map((register) => FLOAT + register)];

/** A function of more instructions than this is looked through no further. */
const mostInstructions = 50_000;

/**
 * The row at `pc`; `isReturnAddress`: a call is under way at pc, so that the function must have kept its own return address.
 * undefined: the code does not tell.
 */
export function riscvFrameRow(code: RiscvFunction, pc: bigint, isReturnAddress: boolean): CfiRow | undefined {
  const state = new Walk(code, pc).stateAtPc();
  const cfa = state && frameAddress(state);
  if (state === undefined || cfa === undefined) return undefined;
  const registers = new Map<number, RegisterRule>();
  for (const register of kept) {
    const rule = ruleOf(state, register);
    if (rule !== undefined) registers.set(register, rule);
  }
  if (isReturnAddress && !registers.has(RA)) return undefined;
  return {
    range: { start: pc, end: pc + 1n },
    functionRange: { start: code.start, end: pc + 1n },
    cfa,
    registers,
    returnAddressRegister: RA,
    signalFrame: false,
  };
}

function frameAddress({ registers }: State): CfiRow['cfa'] {
  for (const register of [SP, S0]) {
    const value = registers[register];
    if (value?.register === SP) return { kind: 'register', register, offset: BigInt(-value.offset) };
  }
  return undefined;
}

/** undefined: the register holds what it held at entry. */
function ruleOf({ registers, slots }: State, register: number): RegisterRule | undefined {
  const sp = registers[SP];
  const top = sp?.register === SP ? sp.offset : -Infinity;
  for (const [offset, slot] of slots) {
    // Below sp everything may be overwritten by an interrupt.
    if (slot.register === register && offset >= top) return { kind: 'offset', offset: BigInt(offset) };
  }
  if (isEntryValue(registers[register], register)) return undefined;
  const copy = registers.findIndex((value) => isEntryValue(value, register));
  return copy < 0 ? { kind: 'undefined' } : { kind: 'register', register: copy };
}

function copyOf({ registers, slots }: State): State {
  return { registers: [...registers], slots: new Map(slots) };
}

/** A place to go on at, with what holds there. */
type Way = readonly [address: bigint, state: State];

class Walk {
  private readonly sizes = new Map<bigint, bigint>();
  private readonly ways: Way[] = [];
  /** Behind calls, which may be of functions that never return. */
  private readonly waysBehindCalls: Way[] = [];
  /** What holds at the first indirect jump: also wherever it leads. */
  private stateAtJump: State | undefined;
  /** All of the function before it has been reached. */
  private reached: bigint;

  constructor(
    private readonly code: RiscvFunction,
    private readonly pc: bigint,
  ) {
    this.reached = code.start;
  }

  /** What holds before the instruction at pc is executed. */
  stateAtPc(): State | undefined {
    this.ways.push([this.code.start, initialState()]);
    for (let way = this.nextWay(); way; way = this.nextWay()) {
      const found = this.follow(...way);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private nextWay(): Way | undefined {
    const way = this.ways.pop() ?? this.waysBehindCalls.shift();
    if (way !== undefined) return way;
    if (this.stateAtJump === undefined || this.sizes.size >= mostInstructions) return undefined;
    // An indirect jump leads to what was not reached, from its first place on.
    for (let size = this.sizes.get(this.reached); size !== undefined; size = this.sizes.get(this.reached)) {
      this.reached += size;
    }
    return this.code.isOwn(this.reached) ? [this.reached, copyOf(this.stateAtJump)] : undefined;
  }

  private follow(from: bigint, state: State): State | undefined {
    let at: bigint | undefined = from;
    while (at !== undefined && !this.sizes.has(at) && this.sizes.size < mostInstructions) {
      const first = this.code.read(at);
      if (first === undefined) break;
      const { size, effect } = riscvInstruction(first, this.code.read(at + 2n) ?? 0, this.code.xlen);
      const next: bigint = at + BigInt(size);
      if (at <= this.pc && this.pc < next) return state;
      this.sizes.set(at, BigInt(size));
      // One that is not known here, of vectors or of a vendor, is taken for one that leaves the frame alone.
      at = effect === undefined ? next : this.execute(effect, at, next, state);
    }
    // So that the search for unreached code gets past what cannot be followed.
    if (at !== undefined && !this.sizes.has(at)) this.sizes.set(at, 2n);
    return undefined;
  }

  /** Where it goes on; undefined: nowhere. */
  private execute(effect: RiscvEffect, at: bigint, next: bigint, state: State): bigint | undefined {
    switch (effect.kind) {
      case 'branch':
        this.ways.push([this.code.targetAt(at) ?? at + BigInt(effect.imm), copyOf(state)]);
        return next;
      case 'jal':
        return this.jump(effect.rd, this.code.targetAt(at) ?? at + BigInt(effect.imm), next, state);
      case 'jalr': {
        const base = state.registers[effect.rs1];
        const target = base?.register === ZERO ? BigInt(base.offset + effect.imm) : undefined;
        if (target === undefined && effect.rd === ZERO && !isEntryValue(base, RA)) {
          this.stateAtJump ??= copyOf(state);
        }
        return this.jump(effect.rd, target, next, state);
      }
      case 'leave':
        return undefined;
      case 'pc-relative':
        set(state, effect.rd, { register: ZERO, offset: Number(this.code.targetAt(at) ?? at + BigInt(effect.imm)) });
        return next;
      default:
        compute(effect, state, this.code.xlen / 8);
        return next;
    }
  }

  private jump(rd: number, target: bigint | undefined, next: bigint, state: State): bigint | undefined {
    if (rd === T0 && target !== undefined) {
      // A routine that saves registers for its caller (-msave-restore) returns by t0.
      set(state, T0, { register: ZERO, offset: Number(next) });
      return target;
    }
    if (rd === ZERO) {
      const link = state.registers[T0];
      const isInRoutine = link?.register === ZERO && this.code.isOwn(BigInt(link.offset));
      return target !== undefined && (isInRoutine || this.code.isOwn(target)) ? target : undefined;
    }
    for (const register of lostInCall) state.registers[register] = undefined;
    this.waysBehindCalls.push([next, state]);
    return undefined;
  }
}
