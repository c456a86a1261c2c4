/** The options of `llext run` that say how memory safety is checked: --check-memory, --check-owners, --shared-memory. */
import { safetyRules, type SafetyRule } from '../lib/emulator/types';
import { EmulatedTarget, type EmulatedTargetOptions } from '../lib/target/emulated-target';
import { SharedMemoryError, type SharedMemoryWish } from '../lib/target/shared-memory';
import { UsageError } from './usage-error';

/** Compilers misalign accesses on purpose; extensions may hand each other pointers on purpose. */
export function checkedRules({ checkOwners }: { readonly checkOwners: boolean }): SafetyRule[] {
  return safetyRules.filter((rule) => rule !== 'misaligned' && (rule !== 'other-extension' || checkOwners));
}

/** 'NAME', 'ADDRESS:SIZE' or 'ADDRESS:SIZE:ro'. */
export function parseSharedMemory(text: string): SharedMemoryWish {
  if (!text.includes(':')) return text;
  const number = '0x[0-9a-f]+|[0-9]+';
  const found = new RegExp(`^(${number}):(${number})(:ro)?$`, 'i').exec(text);
  if (found === null) {
    throw new UsageError(`--shared-memory: '${text}' is no name, no ADDRESS:SIZE and no ADDRESS:SIZE:ro`);
  }
  return { address: Number(found[1]), size: Number(found[2]), writable: found.at(3) === undefined };
}

export function createTarget(
  { sharedMemory }: { readonly sharedMemory: readonly string[] },
  options: EmulatedTargetOptions,
): EmulatedTarget {
  try {
    return EmulatedTarget.create(options);
  } catch (error) {
    if (!(error instanceof SharedMemoryError)) throw error;
    throw new UsageError(`--shared-memory ${sharedMemory[error.index]}: ${error.message}`);
  }
}
