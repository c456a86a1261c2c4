/**
 * The call stack (DWARF 5, 6.4.4, and 3.3.8, 3.4 for what has no frame of its own): physical frames by call-frame
 * information, with inlined calls and reconstructed tail calls shown as frames between them, through any number of
 * modules, up to the host that called the extension.
 * A stack always ends: at an undefined return address, outside of every module, at the limit, or where the stack
 * does not lead outwards any more (then `problem` says so).
 */
import { decodeUnsigned, hex } from '../bytes';
import type { Query, RegisterFile } from '../query';
import { interruptedRegisters } from './exception-frame';
import { completeHalves, type Unwound } from './unwind-halves';
import { evaluateNumber } from './expression';
import { type Location, optimizedOut } from './location';
import type { CallSite, CfiRow, FunctionInfo, RegisterRule, Scope, SourcePosition } from './model';
import { callTarget, canTailCallItself, tailCallChain } from './tail-call';
import {
  type CodeModule,
  type EntryValues,
  Frame,
  type FrameRegisters,
  type ModuleDebugInfo,
  registerSize,
  type SavedRegister,
  type UnwindMachine,
} from './unwind-frame';

export interface UnwindOptions {
  readonly machine: UnwindMachine;
  /** The loaded module that holds a load address. */
  readonly moduleAt: (pc: bigint) => CodeModule | undefined;
  /** Names what lies at an address outside of every module: the host's call into the extension. */
  readonly host?: (pc: bigint) => { readonly name: string } | undefined;
  /** Frames to return at most, inlined ones included. */
  readonly limit?: number;
  /** How many inlined calls that begin at the innermost pc are not shown as entered yet (source stepping). */
  readonly hiddenInlines?: number;
}

/** A frame as the user sees it. */
export interface FrameInfo {
  readonly kind: '' | 'inline' | 'tailcall' | 'host' | 'exception';
  /** The function's name; undefined without debug information (the caller may have a symbol). */
  readonly name: string | undefined;
  readonly linkageName?: string | undefined;
  readonly pc: bigint;
  readonly lookupPc: bigint;
  /** Where the frame is: the line table's for the innermost, the call's for the others. */
  readonly position: SourcePosition | undefined;
  readonly function: FunctionInfo | undefined;
  /** Innermost first: blocks up to and including this frame's function or inlined call. */
  readonly scopes: readonly Scope[];
  /** Registers, CFA and module; shared by the inlined frames of one physical frame. */
  readonly frame: Frame;
}

export interface Stack {
  readonly frames: readonly FrameInfo[];
  /** Why the stack ends before its outermost frame. */
  readonly problem: string | undefined;
}

const defaultLimit = 2000;

/** The stack from a stop's registers outwards. */
export function* unwindStack(start: RegisterFile, options: UnwindOptions): Query<Stack> {
  const unwinder = new StackUnwinder(start, options);
  const limit = options.limit ?? defaultLimit;
  const frames: FrameInfo[] = [];
  let hidden = options.hiddenInlines ?? 0;
  for (let frame: Frame | undefined = unwinder.innermost; frame; frame = yield* unwinder.callerOf(frame)) {
    for (const shown of expandInlines(frame, hidden, options)) {
      if (frames.length >= limit) return { frames, problem: `more than ${limit} frames` };
      frames.push(shown);
    }
    hidden = 0;
  }
  return { frames, problem: unwinder.problem };
}

/** Walks outwards frame by frame; frames are found once and kept. */
export class StackUnwinder implements EntryValues {
  readonly innermost: Frame;
  problem: string | undefined;
  private readonly callers = new Map<Frame, Frame | undefined>();

  constructor(
    start: RegisterFile,
    private readonly options: UnwindOptions,
  ) {
    const pc = start.get(options.machine.registers.programCounter) ?? 0n;
    const registers = new UnwoundRegisters(start, new Map());
    this.innermost = this.frameAt(pc, pc, registers, 0, false);
  }

  /** The next frame outwards, reconstructed tail calls included; undefined at the end of the stack. */
  *callerOf(frame: Frame): Query<Frame | undefined> {
    if (this.callers.has(frame)) return this.callers.get(frame);
    // While it is being computed an entry value that asks for this very caller must not start over.
    this.callers.set(frame, undefined);
    const caller = yield* this.findCaller(frame);
    this.linkWithTailCalls(frame, caller);
    return this.callers.get(frame);
  }

  private frameAt(pc: bigint, lookupPc: bigint, registers: FrameRegisters, level: number, tailCall: boolean): Frame {
    const module = this.options.moduleAt(lookupPc);
    return new Frame(module, pc, lookupPc, registers, this.options.machine, this, level, tailCall);
  }

  private *findCaller(frame: Frame): Query<Frame | undefined> {
    const { registers } = this.options.machine;
    if (isExceptionEntry(frame)) return yield* this.interruptedBy(frame);
    const unwound = new Map<number, Unwound>();
    if (frame.row?.cfa) {
      const cfa = yield* this.computeCfa(frame, frame.row);
      if (cfa === undefined) return this.end(`the frame at ${hex(frame.pc)} has no computable frame address`);
      frame.canonicalFrameAddress = cfa;
      unwound.set(registers.stackPointer, { value: cfa, savedAt: undefined });
      for (const [register, rule] of frame.row.registers) {
        unwound.set(register, yield* this.applyRule(rule, register, frame, cfa));
      }
      completeHalves(unwound, registers, frame.registers);
    } else if (frame.level > 0) {
      return frame.module ? this.end(`no call-frame information at ${hex(frame.pc)}`) : undefined;
    }
    const returnRegister = frame.row?.returnAddressRegister ?? registers.returnAddress;
    const saved = unwound.get(returnRegister);
    const returnAddress = saved ? saved.value : frame.register(returnRegister);
    if (returnAddress === undefined) return undefined;
    const pc = registers.codeAddress(returnAddress);
    if (pc === 0n) return undefined;
    unwound.set(registers.programCounter, {
      value: pc,
      savedAt: saved?.savedAt ?? frame.registers.savedAt(returnRegister),
    });
    const caller = this.frameAt(pc, pc - 1n, new UnwoundRegisters(frame.registers, unwound), frame.level + 1, false);
    return (yield* this.leadsOutwards(frame, caller)) ? caller : undefined;
  }

  /** What an exception interrupted has not called anything: its pc is that of its next instruction. */
  private *interruptedBy(frame: Frame): Query<Frame | undefined> {
    const { programCounter, codeAddress } = this.options.machine.registers;
    const unwound = yield* interruptedRegisters(frame);
    const pc = unwound?.get(programCounter)?.value;
    if (unwound === undefined || pc === undefined) {
      return this.end('what the exception interrupted is not known: its registers on the stack cannot be read');
    }
    completeHalves(unwound, this.options.machine.registers, frame.registers);
    const registers = new UnwoundRegisters(frame.registers, unwound);
    const caller = this.frameAt(codeAddress(pc), codeAddress(pc), registers, frame.level + 1, false);
    if (caller.row?.cfa) caller.canonicalFrameAddress = yield* this.computeCfa(caller, caller.row);
    return caller;
  }

  private end(problem: string): undefined {
    this.problem ??= problem;
    return undefined;
  }

  /** A caller's frame lies at a higher address; a frame without stack of its own may share it, at another pc. */
  private *leadsOutwards(frame: Frame, caller: Frame): Query<boolean> {
    if (caller.row?.cfa) caller.canonicalFrameAddress = yield* this.computeCfa(caller, caller.row);
    const [inner, outer] = [frame.canonicalFrameAddress, caller.canonicalFrameAddress];
    if (inner === undefined || outer === undefined) return true;
    if (outer > inner || (outer === inner && caller.pc !== frame.pc)) return true;
    this.end(`the stack is damaged: the caller of ${hex(frame.pc)} lies inside of it`);
    return false;
  }

  private *computeCfa(frame: Frame, row: CfiRow): Query<bigint | undefined> {
    if (row.cfa?.kind === 'register') {
      const base = frame.register(row.cfa.register);
      return base === undefined ? undefined : this.wrap(base + row.cfa.offset);
    }
    if (!row.cfa) return undefined;
    const value = yield* evaluateNumber(row.cfa.expression, frame);
    return typeof value === 'bigint' ? value : undefined;
  }

  private *applyRule(rule: RegisterRule, register: number, frame: Frame, cfa: bigint): Query<Unwound> {
    switch (rule.kind) {
      case 'undefined':
        return { value: undefined, savedAt: undefined };
      case 'same-value':
        return { value: frame.register(register), savedAt: frame.registers.savedAt(register) };
      case 'offset':
        return yield* this.readSaved(this.wrap(cfa + rule.offset), register);
      case 'val-offset':
        return { value: this.wrap(cfa + rule.offset), savedAt: undefined };
      case 'register':
        return { value: frame.register(rule.register), savedAt: frame.registers.savedAt(rule.register) };
      case 'expression': {
        const address = yield* evaluateNumber(rule.expression, frame, [cfa]);
        return typeof address === 'bigint'
          ? yield* this.readSaved(address, register)
          : { value: undefined, savedAt: undefined };
      }
      case 'val-expression': {
        const value = yield* evaluateNumber(rule.expression, frame, [cfa]);
        return { value: typeof value === 'bigint' ? value : undefined, savedAt: undefined };
      }
    }
  }

  private *readSaved(address: bigint, register: number): Query<Unwound> {
    const { littleEndian } = this.options.machine;
    const bytes = yield { address, length: registerSize(register, this.options.machine) };
    return { value: bytes && decodeUnsigned(bytes, littleEndian), savedAt: { kind: 'memory', address } };
  }

  private wrap(value: bigint): bigint {
    return BigInt.asUintN(this.options.machine.addressSize * 8, value);
  }

  // ---- tail calls ----

  private linkWithTailCalls(frame: Frame, caller: Frame | undefined): void {
    let inner = frame;
    for (const site of caller ? this.tailCallsBetween(frame, caller) : []) {
      const pc = caller?.module?.toLoad(site.returnPc ?? 0n);
      if (pc === undefined || !caller) break;
      const pcOverride = new Map([[this.options.machine.registers.programCounter, { value: pc, savedAt: undefined }]]);
      const registers = new UnwoundRegisters(caller.registers, pcOverride);
      const pretended = this.frameAt(pc, pc - 1n, registers, caller.level, true);
      pretended.canonicalFrameAddress = frame.canonicalFrameAddress;
      this.callers.set(inner, pretended);
      inner = pretended;
    }
    this.callers.set(inner, caller);
  }

  private tailCallsBetween(frame: Frame, caller: Frame): readonly CallSite[] {
    const debug = caller.module?.debug;
    if (!frame.function || !debug || frame.module !== caller.module) return [];
    const site = callSiteOf(caller);
    return site ? tailCallChain(site, frame.function, callGraph(debug)) : [];
  }

  // ---- entry values ----

  *register(frame: Frame, register: number): Query<bigint | Location> {
    return yield* this.atCall(frame, (parameter) => isRegisterLocation(parameter.location?.bytes, register));
  }

  *parameter(frame: Frame, unitOffset: number): Query<bigint | Location> {
    return yield* this.atCall(frame, (parameter) => parameter.parameterOffset === unitOffset);
  }

  withRegisters(registers: RegisterFile): EntryValues {
    return new LaterEntryValues(registers, this.options);
  }

  private *atCall(
    frame: Frame,
    wanted: (parameter: CallSite['parameters'][number]) => boolean,
  ): Query<bigint | Location> {
    const caller = yield* this.callerOf(frame);
    const debug = caller?.module?.debug;
    if (!caller || !debug || !frame.function) return optimizedOut('the caller is not known here');
    const site = callSiteOf(caller);
    if (!site) return optimizedOut('the caller has no record of this call');
    const graph = callGraph(debug);
    if (!(yield* this.callsFunction(site, caller, frame.function, debug))) {
      return optimizedOut('the call led here by way of another function');
    }
    if (canTailCallItself(frame.function, graph))
      return optimizedOut('the function can re-enter itself by a tail call');
    const parameter = site.parameters.find(wanted);
    if (!parameter) return optimizedOut('the caller did not record this argument');
    return yield* evaluateNumber(parameter.value, caller);
  }

  private *callsFunction(site: CallSite, caller: Frame, callee: FunctionInfo, debug: ModuleDebugInfo): Query<boolean> {
    const target = callTarget(site, callGraph(debug));
    if (target) return target.entryPc === callee.entryPc;
    if (!site.targetExpression) return false;
    const address = yield* evaluateNumber(site.targetExpression, caller);
    if (typeof address !== 'bigint') return false;
    const link = caller.module?.toLink(this.options.machine.registers.codeAddress(address));
    return link === callee.entryPc;
  }
}

/** Unwinds only when a value at entry is asked for; of the innermost frame. */
class LaterEntryValues implements EntryValues {
  private unwinder: StackUnwinder | undefined;

  constructor(
    private readonly registers: RegisterFile,
    private readonly options: UnwindOptions,
  ) {}

  *register(_frame: Frame, register: number): Query<bigint | Location> {
    const unwinder = this.start();
    return yield* unwinder.register(unwinder.innermost, register);
  }

  *parameter(_frame: Frame, unitOffset: number): Query<bigint | Location> {
    const unwinder = this.start();
    return yield* unwinder.parameter(unwinder.innermost, unitOffset);
  }

  withRegisters(registers: RegisterFile): EntryValues {
    return new LaterEntryValues(registers, this.options);
  }

  private start(): StackUnwinder {
    this.unwinder ??= new StackUnwinder(this.registers, this.options);
    return this.unwinder;
  }
}

function callSiteOf(caller: Frame): CallSite | undefined {
  // The call returns to pc; lookupPc is inside of the call, so it is translated when pc is past the section's end.
  const link = caller.linkPc === undefined ? undefined : caller.linkPc + (caller.pc - caller.lookupPc);
  return caller.function?.callSites.find((site) => site.returnPc === link);
}

const graphs = new WeakMap<ModuleDebugInfo, { functionNamed(name: string): FunctionInfo | undefined }>();

function callGraph(debug: ModuleDebugInfo): { functionNamed(name: string): FunctionInfo | undefined } {
  let graph = graphs.get(debug);
  if (!graph) {
    const byName = new Map<string, FunctionInfo | undefined>();
    graph = {
      functionNamed(name) {
        if (!byName.has(name)) byName.set(name, debug.functionsNamed(name).at(-1));
        return byName.get(name);
      },
    };
    graphs.set(debug, graph);
  }
  return graph;
}

function isRegisterLocation(bytes: Uint8Array | undefined, register: number): boolean {
  const DW_OP_reg0 = 0x50;
  const DW_OP_regx = 0x90;
  if (!bytes) return false;
  if (bytes.length === 1) return bytes[0] === DW_OP_reg0 + register && register < 32;
  return bytes.length === 2 && bytes[0] === DW_OP_regx && bytes[1] === register && register < 128;
}

/** Registers of a frame, as far as they differ from those of the frame inside of it. */
class UnwoundRegisters implements FrameRegisters {
  private readonly own: ReadonlyMap<number, Unwound>;
  private readonly base: RegisterFile;

  constructor(inner: RegisterFile, changes: ReadonlyMap<number, Unwound>) {
    // Flattened, so that a deep stack does not make a deep chain of look-ups.
    if (inner instanceof UnwoundRegisters) {
      this.base = inner.base;
      this.own = new Map([...inner.own, ...changes]);
    } else {
      this.base = inner;
      this.own = changes;
    }
  }

  get(register: number): bigint | undefined {
    const own = this.own.get(register);
    return own ? own.value : this.base.get(register);
  }

  savedAt(register: number): SavedRegister | undefined {
    const own = this.own.get(register);
    return own ? own.savedAt : { kind: 'register', register };
  }
}

function isExceptionEntry({ module, level, pc, machine }: Frame): boolean {
  return module === undefined && level > 0 && machine.registers.exceptions?.isReturn(pc) === true;
}

// ---- what is shown ----

/** The frames shown for one physical frame: the inlined calls at its pc, innermost first, then its function. */
function expandInlines(frame: Frame, hidden: number, options: UnwindOptions): FrameInfo[] {
  const host = frame.module ? undefined : options.host?.(frame.pc);
  if (host) return [shownFrame(frame, 'host', host, undefined, [])];
  if (isExceptionEntry(frame)) return [shownFrame(frame, 'exception', { name: 'exception entry' }, undefined, [])];
  const outermostKind = frame.tailCall ? 'tailcall' : '';
  let position = sourcePosition(frame);
  const shown: FrameInfo[] = [];
  let scopes: Scope[] = [];
  let toHide = hidden;
  for (const scope of frame.scopes()) {
    scopes.push(scope);
    if (scope.kind === 'block' || !scope.inline) continue;
    if (toHide > 0) toHide--;
    else shown.push(shownFrame(frame, 'inline', scope.inline, position, scopes));
    position = scope.inline.call ?? position;
    scopes = [];
  }
  shown.push(shownFrame(frame, outermostKind, frame.function, position, scopes));
  return shown;
}

/** A stepper looks at where statements begin; in a caller the column is that of the call, which need not begin one. */
function sourcePosition({ module, linkPc, lookupPc, pc }: Frame): SourcePosition | undefined {
  const seen = module?.sourceAt?.(lookupPc);
  if (module?.sourceAt && (pc === lookupPc || seen === undefined)) return seen;
  const row = linkPc === undefined ? undefined : module?.debug?.rowAt(linkPc);
  if (seen !== undefined) {
    const isSame = row !== undefined && row.file === seen.file && row.line === seen.line;
    return isSame ? { ...seen, column: row.column } : seen;
  }
  return row && { file: row.file, line: row.line, column: row.column };
}

function shownFrame(
  frame: Frame,
  kind: FrameInfo['kind'],
  named: { readonly name: string; readonly linkageName?: string | undefined } | undefined,
  position: SourcePosition | undefined,
  scopes: readonly Scope[],
): FrameInfo {
  const { name, linkageName } = named ?? {};
  return {
    kind,
    name,
    linkageName,
    pc: frame.pc,
    lookupPc: frame.lookupPc,
    position,
    function: frame.function,
    scopes,
    frame,
  };
}

/**
 * How many inlined calls begin exactly at a link pc: a source stepper shows the stop first in the function that
 * makes the outermost of them, and enters them one by one without running. An inlined call begins where its first
 * range begins, or where the address before belongs to none of its scopes.
 */
export function inlineFramesStartingAt(debug: ModuleDebugInfo, linkPc: bigint): number {
  const before = debug.scopesAt(linkPc - 1n);
  let count = 0;
  for (const scope of debug.scopesAt(linkPc)) {
    if (!scope.inline) continue;
    const begins = scope.ranges.some((range, i) => i === 0 && range.start === linkPc) || !before.includes(scope);
    if (!begins) break;
    count++;
  }
  return count;
}
