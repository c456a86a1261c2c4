/**
 * The way out of an exception handler of a Cortex-M (Armv7-M B1.5.6 to B1.5.8, Armv8-M B3.19 to B3.22): what the handler returns to is no
 * address but EXC_RETURN, which says on which stack the processor has put the registers of what it interrupted, and whether those of
 * the Floating-point Extension are among them. The stack shows it as a frame of its own, as gdb does.
 * Not read: the additional frame of an exception that leaves the Secure state.
 */
import { decodeUnsigned } from '../bytes';
import type { Query } from '../query';
import type { Frame } from './unwind-frame';
import type { Unwound } from './unwind-halves';

/** r0 to r3, r12, lr, the return address and xPSR, from the lowest address on. */
const stacked = [0, 1, 2, 3, 12, 14, 15];
const xpsrOffset = 28n;
const basicSize = 32n;
/** s0 to s15, FPSCR and a reserved word. */
const extendedSize = 104n;
const firstSingle = 64;
const stackedSingles = 16;

/** EXC_RETURN.SPSEL: the frame is on the process stack. */
const SPSEL = 1n << 2n;
/** EXC_RETURN.FType: no floating-point registers. */
const FType = 1n << 4n;
/** xPSR: a word was left out below the stack pointer of before, so that the frame is aligned. */
const stackAlign = 1n << 9n;

/** The frame whose "pc" is EXC_RETURN -> the registers of what was interrupted; undefined: they cannot be read. */
export function* interruptedRegisters(frame: Frame): Query<Map<number, Unwound> | undefined> {
  const { stackPointer, exceptions } = frame.machine.registers;
  const excReturn = frame.pc;
  const top = frame.register((excReturn & SPSEL) === 0n ? stackPointer : (exceptions?.processStackPointer ?? -1));
  if (top === undefined) return undefined;
  const unwound = new Map<number, Unwound>();
  const isExtended = (excReturn & FType) === 0n;
  const singles = Array.from({ length: isExtended ? stackedSingles : 0 }, (_, n) => firstSingle + n);
  for (const [index, register] of [...stacked, undefined, ...singles].entries()) {
    if (register === undefined) continue;
    const address = top + 4n * BigInt(index);
    const bytes = yield { address, length: 4 };
    if (bytes === undefined) return undefined;
    const value = decodeUnsigned(bytes, frame.machine.littleEndian);
    unwound.set(register, { value, savedAt: { kind: 'memory', address } });
  }
  const status = yield { address: top + xpsrOffset, length: 4 };
  if (status === undefined) return undefined;
  const padding = (decodeUnsigned(status, frame.machine.littleEndian) & stackAlign) === 0n ? 0n : 4n;
  const before = top + (isExtended ? extendedSize : basicSize) + padding;
  return unwound.set(stackPointer, { value: before, savedAt: undefined });
}
