/**
 * The engine's public face: guest memory, CPU registers, and run(budget) with its stop reasons.
 * Inside emulator and kernel, addresses are numbers (0 .. 2^32-1).
 */
import type { CpuInfo } from '../arch';
import type { Accounts, BlockListener, TranslatedListener } from './accounts';
import type { DirectAccess } from './direct-access';
import type { MemorySafety } from './safety/memory-safety';
import type { WatchHit, Watchpoints } from './watchpoints';

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** A named range of guest address space. */
export interface MemoryRegion {
  /** Shown to users: 'flash', 'RAM', 'stack', 'stack guard'. */
  readonly name: string;
  /** Multiple of 4096. */
  readonly base: number;
  /** In bytes, a multiple of 4096. */
  readonly size: number;
  readonly permissions: Permissions;
  /** A guard below a stack: an access to it is a 'stack-overflow' fault. */
  readonly stackGuard?: boolean;
}

/** Guest memory as the kernel and the debugger see it. */
export interface MachineMemory {
  readonly regions: readonly MemoryRegion[];
  /** Pages that are mapped already keep their bytes and get the new region's name and permissions. */
  map(region: MemoryRegion): void;
  regionAt(address: number): MemoryRegion | undefined;
  /** The debugger's and the kernel's access: permissions are not checked. A copy of the mapped prefix, at most `length` bytes. */
  read(address: number, length: number): Uint8Array;
  /** The same, never noticed by a watchpoint: for who reads more than the function that it stands for. */
  peek(address: number, length: number): Uint8Array;
  /** The host has read so many of the bytes that it peeked at. Absent where the engine cannot watch. */
  noteRead?(address: number, length: number): void;
  /** Writes the mapped prefix and returns its length; predecoded instructions there are dropped. */
  write(address: number, bytes: Uint8Array): number;
  /** Numbers of the 4 KiB pages (address >>> 12) written since the last call of clearDirty. */
  dirtyPages(): readonly number[];
  clearDirty(): void;
}

/** Core registers. Names as the Arm manuals spell them, lower case: r0..r12, sp, lr, pc, xpsr, msp, psp, primask, basepri,
 * faultmask, control (msplim, psplim on Armv8-M); or as the RISC-V ABI and privileged specification do: zero, ra, sp, gp, tp,
 * t0..t6, s0..s11, a0..a7, ft0.., fs0.., fa0.., the CSRs. pc is the address of the next instruction, bit 0 clear. */
export interface CpuState {
  readonly registerNames: readonly string[];
  /** Throws RangeError for a name that is not in registerNames. */
  read(name: string): number;
  write(name: string, value: number): void;
  /** As read('pc'), without a look-up. */
  readonly pc: number;
  /** All bits of registers that are wider than 32, as unsigned numbers; read() gives the low 32. */
  readWide(name: string): bigint;
  writeWide(name: string, value: bigint): void;
  /** Bits of a register: 32 or 64. */
  widthOf(name: string): 32 | 64;
  /**
   * R0..R15 or x0..x31 by number, without a look-up; two words each (low, high) on RV64. Write pc by write('pc', ...): that
   * leaves an IT block too.
   */
  readonly r: Int32Array;
}

export type FaultKind =
  /** UsageFault UNDEFINSTR: the encoding is UNDEFINED in this architecture. RISC-V: illegal instruction. */
  | 'undefined-instruction'
  /** Defined by the architecture, not by this version of the engine: says so, with its encoding. */
  | 'not-implemented'
  /** UsageFault UNALIGNED (or any unaligned access on Armv6-M). */
  | 'unaligned'
  /** UsageFault INVSTATE: branch to an address with bit 0 clear. */
  | 'invalid-state'
  /** UsageFault DIVBYZERO, when CCR.DIV_0_TRP is set. */
  | 'divide-by-zero'
  /** No memory there. */
  | 'unmapped'
  /** The region does not allow this access. */
  | 'forbidden'
  /** Access to the guard below the stack, or sp below the stack limit. */
  | 'stack-overflow'
  /** A rule of the memory safety of extensions is broken; `safety` says which. */
  | 'memory-safety'
  /** BKPT without a debugger request, SVC without a handler and the like. */
  | 'unhandled-exception';

export const safetyRules = [
  'outside',
  'other-extension',
  'read-only',
  'execute',
  'uninitialised',
  'misaligned',
] as const;
/**
 * What an extension does that its memory does not allow, although the machine would:
 *   outside        an access of memory that is not the extension's (host memory, freed or unloaded memory, below the stack pointer)
 *   read-only      a write to TEXT or RODATA
 *   execute        a jump to what is no code
 *   uninitialised  the use of a value that was never written, to decide something: reading and copying are none
 *   misaligned     an access that is not at a multiple of its size, where the core tolerates it
 */
export type SafetyRule = (typeof safetyRules)[number];

/** What an uninitialised value was about to decide. */
export type SafetyUse = 'branch' | 'address' | 'target' | 'stack pointer' | 'argument' | 'memory';

export interface SafetyFinding {
  readonly rule: SafetyRule;
  readonly use?: SafetyUse;
  /** Where the last value with unwritten bytes was read. */
  readonly origin?: number;
  /** The parameter of the host's function that it is about. */
  readonly argument?: string;
}

/** Why an instruction did not execute. Nothing of its effects has happened; pc is that instruction. */
export interface Fault {
  readonly kind: FaultKind;
  readonly pc: number;
  readonly access: 'read' | 'write' | 'execute' | undefined;
  /** The address accessed, and bytes. Beyond 53 bits `wideAddress` is exact. */
  readonly address: number | undefined;
  readonly wideAddress?: bigint;
  readonly size: number | undefined;
  /** The instruction: a halfword, or first halfword << 16 | second; of RISC-V the word as it is in memory. */
  readonly encoding: number | undefined;
  readonly encodingLength: 2 | 4 | undefined;
  /** One sentence in the manual's words. */
  readonly message: string;
  readonly safety?: SafetyFinding;
}

export type RunStop =
  | { readonly reason: 'budget' }
  | { readonly reason: 'breakpoint'; readonly address: number }
  /** pc is an address that the kernel serves; nothing executed there. */
  | { readonly reason: 'host-call'; readonly address: number }
  /** Not executed: pc is the BKPT or SVC. */
  | { readonly reason: 'bkpt' | 'svc'; readonly immediate: number; readonly address: number }
  /** Not executed: pc is the EBREAK or ECALL. */
  | { readonly reason: 'ebreak' | 'ecall'; readonly address: number }
  /** WFI or WFE executed: pc is after it. */
  | { readonly reason: 'wait' }
  /** The instruction has executed; pc is the next one. */
  | { readonly reason: 'watchpoint'; readonly hits: readonly WatchHit[] }
  | { readonly reason: 'fault'; readonly fault: Fault };

/** How much ran as WebAssembly. */
export interface TranslationStatistics {
  /** Instructions executed by translated code, and by the interpreter. */
  readonly translated: number;
  readonly interpreted: number;
  readonly modules: number;
  readonly functions: number;
  /** Why nothing is translated: compilation is refused here. */
  readonly refusal: string | undefined;
}

/** What a snapshot of a machine is made of, beside its memory's dirty pages. */
export interface MachineRewind {
  /** A copy of the CPU's state: registers, instruction count, protection. */
  stateWords(): Int32Array;
  /** Pages and regions are replaced before. */
  replaceState(words: Int32Array): void;
  /** Numbers of all pages. Shadows of memory safety are pages too, with numbers of their own. */
  pages(): Iterable<number>;
  /** Those that may have changed since the memory's clearDirty(). */
  changedPages(): readonly number[];
  /** The bytes of a mapped page; good until the machine runs or maps. */
  page(number: number): Uint8Array;
  /** All zeros when there are no bytes. What was predecoded of a page that changes is dropped. */
  replacePage(number: number, bytes: Uint8Array | undefined): void;
  /** Takes back what was mapped and is not in the list, and maps what is missing. Pages that were not mapped are zero. */
  replaceRegions(regions: readonly MemoryRegion[]): void;
}

export interface Machine {
  readonly cpu: CpuInfo;
  readonly memory: MachineMemory;
  readonly state: CpuState;
  /** Instructions executed since the machine was made; exact. */
  readonly instructionCount: number;
  /**
   * Executes at most `budget` instructions. `skipBreakpoint`: a breakpoint at the very first pc is ignored
   * (continuing from it). A host-call address is never skipped. The budget is looked at first: run(0) and a run
   * whose last instruction leads to a breakpoint or host call return 'budget', the next run() that stop.
   */
  run(budget: number, skipBreakpoint?: boolean): RunStop;
  setBreakpoint(address: number): void;
  clearBreakpoint(address: number): void;
  /**
   * From now on asked at each breakpoint before the run stops there, with the state of that moment (the instruction count aside), which must
   * not be changed meanwhile: true = the run goes on. Absent where the engine cannot ask; undefined = every breakpoint stops.
   */
  onBreakpoint?(passes: ((address: number) => boolean) | undefined): void;
  /**
   * Whether the instruction at pc will not be executed, because the condition of the IT instruction before it does not hold. Not to be asked
   * from onBreakpoint's function, which is never called in an IT block. Absent: all are executed.
   */
  readonly passesOver?: boolean;
  setHostCall(address: number): void;
  clearHostCall(address: number): void;
  /** Below `limit`, sp and stack accesses are a 'stack-overflow' fault; undefined = no check. */
  setStackLimit(limit: number | undefined): void;
  /** Registers and memory for conditions in hot loops; absent where the engine has nothing quicker than `state` and `memory`. */
  readonly direct?: DirectAccess;
  /** Absent where the engine cannot watch. */
  readonly watchpoints?: Watchpoints;
  /**
   * From now on accounts are kept (accounts.ts), or with no listener no more. With `translated` code is translated all the same, and
   * the listener is told of the interpreter's blocks only. Absent where the engine has none.
   */
  keepAccounts?(listener: BlockListener | undefined, translated?: TranslatedListener): Accounts | undefined;
  /** Absent where the engine cannot be set back. */
  readonly rewind?: MachineRewind;
  /** Begins to check the memory safety of what is executed, or changes the rules; absent where the engine cannot. undefined = ends it. */
  setSafety?(rules: readonly SafetyRule[] | undefined): void;
  /** While it is checked. */
  readonly safety?: MemorySafety;
  /** Absent when nothing is translated. */
  readonly translation?: TranslationStatistics;
  /** Where functions begin: what is translated as one piece. Calls show most of them; symbols show all. */
  addFunctions?(addresses: Iterable<number>): void;
}
