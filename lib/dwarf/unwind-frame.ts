/**
 * One frame of the call stack as the machine has it: registers, canonical frame address, function; and the
 * evaluation of location descriptions in it. Inlined calls are no frames here: unwind.ts shows them as such.
 * `lookupPc` is what debug information is asked about: pc for the innermost frame, the byte before the return
 * address for the callers (a call may be the last instruction of a block or function).
 */
import type { Query, RegisterFile } from '../query';
import { type ExpressionContext, evaluateLocation, evaluateNumber } from './expression';
import { type Location, optimizedOut, unavailable } from './location';
import type {
  CfiRow,
  ExpressionBytes,
  FunctionInfo,
  LineRow,
  LocationDescription,
  Scope,
  SourcePosition,
} from './model';
import type { MachineRegisters } from './regnum';

/** What the unwinder, values and C expressions ask of debug information. Link addresses. */
export interface ModuleDebugInfo {
  functionAt(pc: bigint): FunctionInfo | undefined;
  /** By name or linkage name. */
  functionsNamed(name: string): readonly FunctionInfo[];
  scopesAt(pc: bigint): readonly Scope[];
  rowAt(pc: bigint): LineRow | undefined;
  cfiAt(pc: bigint): CfiRow | undefined;
}

/** A loaded instance of a program. */
export interface CodeModule<Debug extends ModuleDebugInfo = ModuleDebugInfo> {
  readonly debug: Debug | undefined;
  toLink(load: bigint): bigint | undefined;
  toLoad(link: bigint): bigint | undefined;
  /** The same for a term of a sum, which may lie before or behind the section that it is counted from. */
  termToLoad?(link: bigint): bigint | undefined;
  /** The source line of an instruction, as a stepper sees the line table; without it debug.rowAt is asked. */
  sourceAt?(load: bigint): SourcePosition | undefined;
  /** What the code itself tells of a frame, asked where there is no call-frame information. */
  frameRowAt?(link: bigint, isReturnAddress: boolean): CfiRow | undefined;
}

/** The machine whose stack is unwound. */
export interface UnwindMachine {
  readonly addressSize: 4 | 8;
  readonly littleEndian: boolean;
  readonly registers: MachineRegisters;
  /** Bytes of a floating-point register where that is not addressSize: the hart has D on RV32. */
  readonly floatSize?: 4 | 8;
}

/** Bytes of a register, which are also those that a prologue saves of it. */
export function registerSize(register: number, { addressSize, registers, floatSize }: UnwindMachine): number {
  if (registers.halves?.has(register)) return 2 * addressSize;
  return registers.isFloat?.(register) ? (floatSize ?? addressSize) : addressSize;
}

export type SavedRegister =
  { readonly kind: 'memory'; readonly address: bigint } | { readonly kind: 'register'; readonly register: number };

/** Registers of a frame; knows where a caller's register was saved, so that it can be written. */
export interface FrameRegisters extends RegisterFile {
  savedAt(register: number): SavedRegister | undefined;
}

/** Asks for what a function's parameters held when it was entered; implemented by the stack unwinder. */
export interface EntryValues {
  register(frame: Frame, register: number): Query<bigint | Location>;
  parameter(frame: Frame, unitOffset: number): Query<bigint | Location>;
  /** The same for another arrival at the same place, found only when it is asked for. */
  withRegisters(registers: RegisterFile): EntryValues;
}

export class Frame implements ExpressionContext {
  /** Link address of lookupPc; undefined outside of every module. */
  readonly linkPc: bigint | undefined;
  readonly function: FunctionInfo | undefined;
  /** The call-frame row that holds here, by call-frame information or by the code. */
  readonly row: CfiRow | undefined;
  /** Set by the unwinder; frame 0 without a row has none. */
  canonicalFrameAddress: bigint | undefined;
  private frameBaseValue: { readonly value: bigint | undefined } | undefined;

  constructor(
    readonly module: CodeModule | undefined,
    readonly pc: bigint,
    readonly lookupPc: bigint,
    readonly registers: FrameRegisters,
    readonly machine: UnwindMachine,
    readonly entryValues: EntryValues | undefined,
    /** 0 = innermost; frames of reconstructed tail calls share the level of the frame that they lead to. */
    readonly level: number,
    readonly tailCall: boolean,
    /** Another frame at the same pc, whose static facts are taken over. */
    samePc?: Frame,
  ) {
    this.linkPc = samePc ? samePc.linkPc : module?.toLink(lookupPc);
    const debug = samePc || this.linkPc === undefined ? undefined : module?.debug;
    this.function = samePc ? samePc.function : debug?.functionAt(this.linkPc ?? 0n);
    this.row = samePc ? samePc.row : this.findRow();
  }

  private findRow(): CfiRow | undefined {
    if (this.linkPc === undefined) return undefined;
    const { module, linkPc, pc, lookupPc } = this;
    return module?.debug?.cfiAt(linkPc) ?? module?.frameRowAt?.(linkPc, pc !== lookupPc);
  }

  /**
   * The innermost frame at this frame's pc with other registers: what a condition needs at each arrival, without a
   * look-up.
   */
  withRegisters(registers: RegisterFile): Frame {
    const own: FrameRegisters = {
      get: (register) => registers.get(register),
      savedAt: (register) => ({ kind: 'register', register }),
    };
    const entryValues = this.entryValues?.withRegisters(registers);
    return new Frame(this.module, this.pc, this.lookupPc, own, this.machine, entryValues, 0, false, this);
  }

  /** Lexical scopes that hold the pc, innermost first, up to and including the function. */
  scopes(): readonly Scope[] {
    return this.linkPc === undefined ? [] : (this.module?.debug?.scopesAt(this.linkPc) ?? []);
  }

  register(register: number): bigint | undefined {
    return this.registers.get(register);
  }

  toLoad(link: bigint): bigint | undefined {
    return this.module?.toLoad(link) ?? this.module?.termToLoad?.(link);
  }

  cfa(): bigint | undefined {
    const rule = this.row?.cfa;
    if (this.canonicalFrameAddress === undefined && rule?.kind === 'register') {
      const base = this.registers.get(rule.register);
      if (base === undefined) return undefined;
      this.canonicalFrameAddress = BigInt.asUintN(this.machine.addressSize * 8, base + rule.offset);
    }
    return this.canonicalFrameAddress;
  }

  *frameBase(): Query<bigint | undefined> {
    if (this.frameBaseValue) return this.frameBaseValue.value;
    const description = this.function?.frameBase;
    let value: bigint | undefined;
    if (description) {
      const expression = this.select(description);
      const result = isExpression(expression) ? yield* evaluateNumber(expression, this) : undefined;
      if (typeof result === 'bigint') value = result;
    }
    this.frameBaseValue = { value };
    return value;
  }

  *entryRegister(register: number): Query<bigint | Location> {
    if (!this.entryValues) return optimizedOut('the caller is not known here');
    return yield* this.entryValues.register(this, register);
  }

  *entryParameter(unitOffset: number): Query<bigint | Location> {
    if (!this.entryValues) return optimizedOut('the caller is not known here');
    return yield* this.entryValues.parameter(this, unitOffset);
  }

  select(description: LocationDescription): ExpressionBytes | Location {
    return selectExpression(description, this.linkPc, this.function);
  }

  /** Where the object that a description describes is, in this frame. */
  *locate(description: LocationDescription): Query<Location> {
    const expression = this.select(description);
    return isExpression(expression) ? yield* evaluateLocation(expression, this) : expression;
  }
}

export function isExpression(value: ExpressionBytes | Location): value is ExpressionBytes {
  return !('kind' in value);
}

/**
 * The expression that holds at a pc (2.6.2). An empty range at the function's first instruction counts there: GCC
 * writes one for a parameter that is overwritten at once.
 */
export function selectExpression(
  description: LocationDescription,
  linkPc: bigint | undefined,
  within: FunctionInfo | undefined,
): ExpressionBytes | Location {
  if (description.kind === 'expression') return description.expression;
  if (linkPc === undefined) return unavailable('the location depends on the pc, and there is no frame');
  for (const { range, expression } of description.entries) {
    if (linkPc >= range.start && linkPc < range.end) return expression;
    if (range.start === range.end && linkPc === range.start && linkPc === within?.entryPc) return expression;
  }
  return description.default ?? optimizedOut('the compiler kept no location for this pc');
}

const noRegisters: FrameRegisters = { get: () => undefined, savedAt: () => undefined };

/** A place to evaluate file-scope variables and constants: a module without a frame. */
export function moduleFrame(module: CodeModule | undefined, machine: UnwindMachine): Frame {
  return new Frame(module, -1n, -1n, noRegisters, machine, undefined, 0, false);
}
