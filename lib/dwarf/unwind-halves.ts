/**
 * Registers that are two others: d8 of Arm is s16 and s17, and call-frame information may say where either is saved (GCC
 * saves the singles' numbers, LLVM the double's). Whichever is asked for, the other one's rule answers.
 */
import type { MachineRegisters } from './regnum';
import type { RegisterFile } from '../query';
import type { SavedRegister } from './unwind-frame';

export interface Unwound {
  readonly value: bigint | undefined;
  readonly savedAt: SavedRegister | undefined;
}

const WORD = 32n;

/** Adds the halves of what was unwound as a whole, and the whole of what was unwound by halves. */
export function completeHalves(unwound: Map<number, Unwound>, { halves }: MachineRegisters, inner: RegisterFile): void {
  for (const [whole, [low, high]] of halves ?? []) {
    const known = unwound.get(whole);
    if (known) {
      unwound.set(low, half(known, 0n));
      unwound.set(high, half(known, 1n));
    } else if (unwound.has(low) || unwound.has(high)) {
      unwound.set(whole, joined(unwound.get(low), unwound.get(high), inner.get(low), inner.get(high)));
    }
  }
}

function half({ value, savedAt }: Unwound, index: bigint): Unwound {
  return {
    value: value === undefined ? undefined : BigInt.asUintN(32, value >> (index * WORD)),
    savedAt: savedAt?.kind === 'memory' ? { kind: 'memory', address: savedAt.address + index * 4n } : savedAt,
  };
}

function joined(
  low: Unwound | undefined,
  high: Unwound | undefined,
  innerLow: bigint | undefined,
  innerHigh: bigint | undefined,
): Unwound {
  const lowValue = low ? low.value : innerLow;
  const highValue = high ? high.value : innerHigh;
  const isKnown = lowValue !== undefined && highValue !== undefined;
  // Both words next to one another in memory: a place that can be written.
  const together = low?.savedAt?.kind === 'memory' && high?.savedAt?.kind === 'memory';
  return {
    value: isKnown ? lowValue | (highValue << WORD) : undefined,
    savedAt: together ? low.savedAt : undefined,
  };
}
