/**
 * The part of unicorn.js 2.1 that the Unicorn engine uses. The user brings the library (it is GPL-2.0 and not part of this product); what
 * is loaded is checked by findUnicornProblem before anything of it is called.
 *
 * The module has the constants of Unicorn's headers without the prefix UC_. Functions throw a text or an Error that ends in
 * "failed with code N" (uc_err).
 */

/** Opaque: what hook_add returns and hook_del takes. */
export type UnicornHook = unknown;

export interface UnicornEngine {
  reg_read_i32(register: number): number;
  reg_write_i32(register: number, value: number): void;
  reg_read(register: number, size: number): Uint8Array | readonly number[];
  reg_write(register: number, bytes: readonly number[]): void;
  mem_map(address: number, size: number, permissions: number): void;
  mem_protect(address: number, size: number, permissions: number): void;
  mem_read(address: number, size: number): Uint8Array;
  mem_write(address: number, bytes: Uint8Array | readonly number[]): void;
  /** `begin` to `end` inclusive. Versions differ in the callback's arguments; the second is the address, or its low word. */
  hook_add(
    type: number,
    callback: (...args: unknown[]) => unknown,
    data: unknown,
    begin: number,
    end: number,
  ): UnicornHook;
  hook_del(hook: UnicornHook): void;
  emu_start(begin: number, until: number, timeout: number, count: number): void;
  emu_stop(): void;
  close(): void;
}

export interface UnicornModule {
  readonly Unicorn: new (arch: number, mode: number) => UnicornEngine;
  /** ARCH_ARM, MODE_THUMB, ARM_REG_R0, ... */
  readonly [constant: string]: unknown;
}

/** uc_err (unicorn.h) */
export const UcError = {
  OK: 0,
  READ_UNMAPPED: 6,
  WRITE_UNMAPPED: 7,
  FETCH_UNMAPPED: 8,
  INSN_INVALID: 10,
  WRITE_PROT: 12,
  READ_PROT: 13,
  FETCH_PROT: 14,
  READ_UNALIGNED: 18,
  WRITE_UNALIGNED: 19,
  FETCH_UNALIGNED: 20,
  EXCEPTION: 21,
} as const;

/** What the value lacks to be that module; undefined when it has all. `constants`: those that the caller will use. */
export function findUnicornProblem(value: unknown, constants: readonly string[]): string | undefined {
  if (typeof value !== 'object' && typeof value !== 'function') return 'it is not a module';
  const module = value as Record<string, unknown> | null;
  if (module === null || typeof module['Unicorn'] !== 'function') return "it has no class 'Unicorn'";
  const missing = constants.filter((name) => typeof module[name] !== 'number');
  return missing.length === 0 ? undefined : `it lacks the constants ${missing.slice(0, 3).join(', ')}`;
}

/** uc_err of what one of its functions threw; undefined when it is no such text. */
export function errorCode(thrown: unknown): number | undefined {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const match = /failed with code (\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}
