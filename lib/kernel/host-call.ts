/**
 * A call from the extension into the base image, as an implementation sees it: its arguments, checked guest memory,
 * and the services of the kernel. Implementations are plain functions in a table keyed by the ids of the export rows;
 * they hold no state of their own. They check every pointer before the first write.
 */
import type { CpuState } from '../emulator/types';
import type { ArgumentSource, ArgumentValue, CallingConvention } from './calling-convention';
import type { Signature } from './c-signature';
import type { GuestMemory } from './guest-memory';
import type { MemoryMap } from './memory-map';
import type { SystemHeap } from './system-heap';
import type { VirtualClock } from './virtual-clock';

/** Which stream text went to; printk writes to the console. */
export type OutputStream = 'console' | 'stdout' | 'stderr';

/** The call ends the program. */
export interface HostAbort {
  readonly kind: 'abort';
  readonly message: string;
}

/** The call is wrong in a way that is not an access: a double free, for instance. */
export interface HostMisuse {
  readonly kind: 'misuse';
  readonly message: string;
  /** What it is about. */
  readonly address?: number;
}

/** undefined: nothing to return, or the implementation set the registers itself. */
export type HostOutcome = ArgumentValue | HostAbort | HostMisuse | undefined;

export type HostImplementation = (call: HostCall) => HostOutcome;

export type ImplementationTable = Readonly<Record<string, HostImplementation>>;

export interface KernelServices {
  readonly convention: CallingConvention;
  readonly clock: VirtualClock;
  readonly heap: SystemHeap;
  print(bytes: Uint8Array, stream: OutputStream): void;
  /** Which libgcc: that of Armv7-M and later saturates a quotient by zero, that of Armv6-M gives 0. */
  readonly saturatingDivide: boolean;
  /** Addresses of errno and of the FILE objects. */
  readonly map: Pick<MemoryMap, 'errno' | 'files'>;
  /** State of rand(), a plain number. */
  random: number;
}

export class HostCall {
  constructor(
    readonly name: string,
    private readonly signature: Signature,
    private readonly values: readonly ArgumentValue[],
    /** The arguments after the fixed ones. */
    readonly rest: ArgumentSource,
    readonly memory: GuestMemory,
    readonly cpu: CpuState,
    readonly kernel: KernelServices,
  ) {}

  /** Parameter name, for messages. */
  parameter(index: number): string {
    return this.signature.parameters[index].name;
  }

  u32(index: number): number {
    // A size of more than 32 bits is as impossible as the largest one of 32.
    const value = Number(this.values[index]);
    return value > 0xffff_ffff ? 0xffff_ffff : value >>> 0;
  }

  i32(index: number): number {
    return Number(this.values[index]) | 0;
  }

  i64(index: number): bigint {
    return BigInt.asIntN(64, BigInt(this.values[index]));
  }

  u64(index: number): bigint {
    return BigInt.asUintN(64, BigInt(this.values[index]));
  }

  float(index: number): number {
    return Number(this.values[index]);
  }

  /** Copy of `length` bytes at pointer argument `index`. */
  bytes(index: number, length: number): Uint8Array {
    return this.memory.bytes(this.u32(index), length, this.parameter(index));
  }

  string(index: number, limit?: number): Uint8Array {
    return this.memory.string(this.u32(index), this.parameter(index), limit);
  }

  /** Copies from one pointer argument to another one. */
  copy(from: number, to: number, length: number): void {
    this.memory.copy(this.u32(from), this.u32(to), length, this.parameter(from), this.parameter(to));
  }

  checkWrite(index: number, length: number): void {
    this.memory.check(this.u32(index), length, 'write', this.parameter(index));
  }

  write(index: number, bytes: Uint8Array, offset = 0): void {
    this.memory.write(this.u32(index) + offset, bytes, this.parameter(index));
  }
}
