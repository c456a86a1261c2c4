/**
 * What translated code and the dispatcher share in the machine's memory, between the CPU state's page and the page tables.
 */

/** Instructions that may still be executed: stored whenever a translated function returns. */
export const LEFT = 0x1000;
/** Set when a slow access was refused: the region is left, the interpreter meets the reason. */
export const REFUSED = 0x1004;
/** pc where the region was left because of an access that no check let through; 0 = it was not. */
export const UNCHECKED = 0x100c;
/** The breakpoint that was asked about before the region was left at its instruction; 0 = none. */
export const ANSWERED = 0x1010;
/** While accounts are kept: the lowest stack pointer, the depth that translated code was left at, a record of each depth's call. */
export const LOWEST = 0x1014;
export const LEFT_DEPTH = 0x1018;
export const CALLS = 0x2000;
export const callBytes = 16;
/** The limit that the stack pointer must not fall below; 0 = none. */
export const LIMIT = 0x1008;

/** Where the slot of an indirect call's target is found: pairs of address and slot, by bits of the address. */
export const TARGETS = 0x8000;
export const targetEntries = 4096;
export const targetOffset = (address: number): number => ((address >>> 1) & (targetEntries - 1)) * 8;

/** Slots of the table of translated functions; slot 0 goes back to the dispatcher. */
export const tableSize = 1024;

/** Odd, so that no caller takes it for its return address: the dispatcher finds pc in the state. */
export const UNWIND = 1;

/** Translated functions may call each other so deep; then all return to the dispatcher, which calls again. */
export const maximumDepth = 200;
