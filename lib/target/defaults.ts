/**
 * What a launch assumes when it is not told: an extension's name, and which of its exports the host calls. One place,
 * so that F5, the command line and the tests agree.
 */
import { extensionNameOf } from '../check/extension-name';

/** LLEXT_MAX_NAME_LEN without the NUL. */
export const MAX_NAME_LENGTH = 15;

/** Exported functions that are called when none is named, in this order. */
const usualEntries = ['entry', 'main', 'start', 'test_entry'];

/** 'hello_ext_debug.elf' -> 'hello': what llext_load would be asked to call it. `file` is a name without its folder. */
export function extensionName(file: string): string {
  return extensionNameOf(file).slice(0, MAX_NAME_LENGTH);
}

/** The usual entry function, or the only one; undefined when there is a choice to make. */
export function usualEntry(functions: readonly string[]): string | undefined {
  return usualEntries.find((name) => functions.includes(name)) ?? (functions.length === 1 ? functions[0] : undefined);
}

/** MiB that the recording of a session may take. */
export const DEFAULT_HISTORY_MIB = 16;
