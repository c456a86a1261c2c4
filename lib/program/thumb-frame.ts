/**
 * The frame of a Thumb function for which there is no call-frame information: its code is followed from its beginning to a pc. Where
 * it goes on behind a return or a jump, the state is that of the branch that leads there, and without one the deepest so far.
 */
import type { CfiRow, RegisterRule } from '../dwarf/model';
import type { FunctionCode } from './code-frames';
import { thumbFrameRule } from './thumb-frame-rules';
import { LR, SP, State } from './thumb-frame-state';

/** No function is longer; what has no symbols may seem to be. */
const longestWalk = 1 << 16;
/** Where compilers keep a copy of the stack pointer: r7, r11 and what an assembler's author likes. */
const frameRegisters = [SP, 7, 11, 4, 5, 6, 8, 9, 10, 12];
/** r0 to r3 and r12 may hold the return address for a BX at the end. */
const returnRegisters = [LR, 3, 2, 1, 0, 12];

/** undefined: the code cannot be read, or does not tell. */
export function thumbFrameRow(code: FunctionCode, pc: bigint, isReturnAddress: boolean): CfiRow | undefined {
  const state = stateAt(code, Number(pc));
  if (state === undefined) return undefined;
  const register = frameRegisters.find((candidate) => state.stackOffset(candidate) !== undefined);
  const offset = register === undefined ? undefined : state.stackOffset(register);
  if (register === undefined || offset === undefined) return undefined;
  const registers = new Map<number, RegisterRule>(
    [...state.slots].map(([slot, saved]) => [saved, { kind: 'offset', offset: BigInt(slot) }]),
  );
  if (!registers.has(LR)) {
    // The call has taken it.
    if (isReturnAddress) return undefined;
    const holder = returnRegisters.find((candidate) => state.isEntryValue(candidate, LR));
    if (holder !== LR)
      registers.set(LR, holder === undefined ? { kind: 'undefined' } : { kind: 'register', register: holder });
  }
  return {
    range: { start: pc, end: pc + 1n },
    functionRange: { start: code.start, end: pc + 1n },
    cfa: { kind: 'register', register, offset: BigInt(-offset) },
    registers,
    returnAddressRegister: LR,
    signalFrame: false,
  };
}

function stateAt(code: FunctionCode, pc: number): State | undefined {
  const reached = new Map<number, State>();
  // What a jump back leads to is known only behind it.
  if (pc - Number(code.start) > longestWalk) return undefined;
  walk(code, Number(code.start) + longestWalk, reached);
  return walk(code, pc, reached);
}

/** Notes the states at what is branched to; undefined: the code ends before the limit. */
function walk(
  { start, read, isOwn, isData }: FunctionCode,
  limit: number,
  reached: Map<number, State>,
): State | undefined {
  const halfword = (address: number): number | undefined => read(BigInt(address));
  const word = (address: number): number | undefined => {
    const [low, high] = [halfword(address), halfword(address + 2)];
    return low === undefined || high === undefined ? undefined : low | (high << 16);
  };
  let state = State.entry();
  let deepest = state;
  let conditional = 0;
  for (let address = Number(start); address < limit;) {
    const first = isOwn(BigInt(address)) ? halfword(address) : undefined;
    if (first === undefined) return undefined;
    if (isData(BigInt(address))) {
      address += 2;
      state = reached.get(address) ?? state;
      continue;
    }
    const isLong = first >>> 11 >= 0b11101;
    const code = isLong ? ((first << 16) | (halfword(address + 2) ?? 0)) >>> 0 : first;
    const before = state;
    state = state.copy();
    const flow = thumbFrameRule(code, isLong)?.apply(code, { state, address, word });
    address += isLong ? 4 : 2;
    if (conditional > 0) {
      conditional--;
      // It may not have been executed: the stack is as it was.
      if (flow !== undefined || state.stackOffset() !== before.stackOffset()) state = before;
      continue;
    }
    if (!isLong) conditional = conditionalAfter(code);
    if (flow?.kind === 'branch' && !reached.has(flow.target)) reached.set(flow.target, state);
    if ((state.stackOffset() ?? -Infinity) <= (deepest.stackOffset() ?? -Infinity)) deepest = state;
    const goesOn = flow === undefined || (flow.kind === 'branch' && flow.conditional);
    if (!goesOn) state = reached.get(address) ?? deepest;
  }
  return state;
}

/** IT makes so many instructions conditional. */
function conditionalAfter(code: number): number {
  const mask = (code & 0xff00) === 0xbf00 ? code & 0xf : 0;
  return mask === 0 ? 0 : 4 - Math.log2(mask & -mask);
}
