/**
 * A target: something with registers and memory that runs until it stops. Asynchronous, so that a remote target
 * (GDB remote protocol) fits; the emulated one answers at once. Addresses are load addresses.
 */
import type { CpuInfo } from '../arch';
import type { DirectAccess } from '../emulator/direct-access';
import type { WatchKind } from '../emulator/watchpoints';
import type { SafetyReport } from './safety-report';
import type { MemoryRequest, MemoryReply, RegisterFile } from '../query';

export interface MemoryRead {
  /** The readable prefix of what was asked for. */
  readonly data: Uint8Array;
  /** How many bytes after it could not be read. */
  readonly unreadable: number;
}

/** Synchronous view of a stopped or running engine, for conditions in hot loops. */
export interface SynchronousView {
  readonly registers: RegisterFile;
  read(request: MemoryRequest): MemoryReply;
  /** The same as plain numbers; absent where the engine has nothing quicker. */
  readonly direct?: DirectAccess | undefined;
}

/** A function of the host or the base image that the extension can call. */
export interface HostFunction {
  readonly name: string;
  readonly address: bigint;
}

export interface FaultReport {
  /** Of a stack overflow: bytes that are used, and that there are. */
  readonly stack?: { readonly used: number; readonly size: number };
  /** 'undefined-instruction', 'unmapped', 'stack-overflow', ... as the engine names them. */
  readonly kind: string;
  /** One line: what, where, whose. */
  readonly message: string;
  /** Of it what was tried, where, and what is there. */
  readonly what: string;
  /** Place of the instruction: 'heap_blocks+0x62 in .text of hello'. */
  readonly who: string;
  readonly pc: bigint;
  readonly address: bigint | undefined;
  readonly access: 'read' | 'write' | 'execute' | undefined;
  /** The memory region that holds or should hold the address: 'flash', 'heap', 'nothing is mapped there'. */
  readonly region: string | undefined;
  readonly encoding: string | undefined;
  /** While memory safety is checked: whose memory it is about. */
  readonly safety?: SafetyReport;
}

/** An access to what is watched. It has been made. */
export interface TargetWatchHit {
  /** Number of the watchpoint. */
  readonly id: number;
  /** The instruction that made it; of the host, the function that was called. */
  readonly pc: bigint;
  /** Who made it, when it was no instruction: 'memcpy', 'the loader'. */
  readonly host: string | undefined;
  readonly access: 'read' | 'write';
  /** The whole access. */
  readonly address: bigint;
  readonly size: number;
  /** The watched bytes of it, from this address on. */
  readonly start: bigint;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export type TargetStop =
  | { readonly reason: 'step' }
  | { readonly reason: 'pause' }
  | { readonly reason: 'breakpoint'; readonly ids: readonly number[] }
  /** After the access; `ids` are the breakpoints at the new pc. */
  | { readonly reason: 'watchpoint'; readonly hits: readonly TargetWatchHit[]; readonly ids: readonly number[] }
  | { readonly reason: 'fault'; readonly fault: FaultReport }
  /** The entry function returned to the host. */
  | { readonly reason: 'exited'; readonly returnValue: bigint }
  /** The host ended the program: k_panic, exit and the like. */
  | { readonly reason: 'aborted'; readonly message: string }
  /** Going backwards came to where the program began, or to the first moment that is still recorded (`lost`). */
  | { readonly reason: 'history-start'; readonly lost: boolean };

export type ResumeMode =
  /** `until`: a moment of the target's time at which it pauses. */
  | { readonly kind: 'continue'; readonly until?: number }
  /** Exactly one instruction; a host call counts as one. */
  | { readonly kind: 'step-instruction' }
  /**
   * Runs instruction by instruction while pc is inside [start, end) of one of the ranges; stops with 'step' at the
   * first pc outside. A breakpoint other than the one at the start stops too.
   */
  | { readonly kind: 'step-range'; readonly ranges: readonly { readonly start: bigint; readonly end: bigint }[] }
  /** Back to the last arrival at a breakpoint whose condition holds, or to the last fault. */
  | { readonly kind: 'reverse-continue' }
  /** Back by exactly one instruction or host call. */
  | { readonly kind: 'reverse-step' }
  /**
   * Back while the pc is inside one of the ranges, to the last moment at which it was outside, or was at one of
   * `stopAt`. Breakpoints in between stop too.
   */
  | {
      readonly kind: 'reverse-step-range';
      readonly ranges: readonly { readonly start: bigint; readonly end: bigint }[];
      readonly stopAt: readonly bigint[];
    };

export interface TargetBreakpoint {
  readonly address: bigint;
  /** Called at each arrival, synchronously; false = run on. May count hits or write a log line. */
  readonly condition?: (view: SynchronousView) => boolean;
  /**
   * `condition` in two halves, for arrivals that are met in another order than they are gone through backwards: what holds
   * there is evaluated now (undefined = nothing to do), counting and logging are done by the call of the result.
   */
  readonly arrive?: (view: SynchronousView) => (() => boolean) | undefined;
  /**
   * No arrival where the instruction is not executed, because the IT instruction before it says so: what a user marks is what is done there.
   * A step's own breakpoints are for places that are come to.
   */
  readonly onlyExecuted?: boolean;
}

export interface TargetWatchpoint {
  readonly address: bigint;
  readonly length: number;
  readonly kind: WatchKind;
  /** Called at each hit, synchronously; false = run on. */
  readonly condition?: (hit: TargetWatchHit, view: SynchronousView) => boolean;
}

export interface Target {
  readonly cpu: CpuInfo;
  /** In the order shown: r0..r12, sp, lr, pc, xpsr, ... */
  readonly registerNames: readonly string[];
  readRegister(name: string): Promise<bigint>;
  writeRegister(name: string, value: bigint): Promise<void>;
  /** The innermost frame's registers by DWARF number. */
  registerFile(): Promise<RegisterFile>;
  readMemory(address: bigint, length: number): Promise<MemoryRead>;
  /** Bytes written: the writable prefix. */
  writeMemory(address: bigint, data: Uint8Array): Promise<number>;
  setBreakpoint(breakpoint: TargetBreakpoint): Promise<number>;
  clearBreakpoint(id: number): Promise<void>;
  /** RangeError when that cannot be watched. */
  setWatchpoint(watchpoint: TargetWatchpoint): Promise<number>;
  clearWatchpoint(id: number): Promise<void>;
  /** Runs until the next stop. One resume at a time. */
  resume(mode: ResumeMode): Promise<TargetStop>;
  /** Makes the resume in progress stop with 'pause'; nothing when the target is stopped. */
  pause(): void;
  /** Why the target cannot run backwards; undefined when it can. */
  readonly historyRefusal: string | undefined;
  /** Name of the host function or base-image object at an address, with the offset into it. */
  hostSymbol(address: bigint): { readonly name: string; readonly offset: number } | undefined;
}
