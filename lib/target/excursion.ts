/**
 * An excursion: functions of the program are called while it is stopped, and afterwards everything is as it was: memory, registers, the
 * host's state, the moment of the recording. A debugger's expression calls functions this way.
 *
 * Each call runs on the stopped program's stack, below what it uses, and returns into the host. No breakpoint and no watchpoint stops it,
 * nothing of it is recorded. Registers are put back after each call, memory at the end, so that a later call sees what an earlier one did.
 */
import type { Machine, MemoryRegion } from '../emulator/types';
import type { OutputEvent } from '../kernel/console';
import type { Kernel } from '../kernel/kernel';
import type { RegisterFile } from '../query';
import type { FaultReport } from './target';

/** Why a called function has not returned. */
export type CallEnd =
  | { readonly reason: 'returned' }
  | { readonly reason: 'fault'; readonly fault: FaultReport }
  | { readonly reason: 'aborted'; readonly message: string }
  /** It executed as many instructions as it may. */
  | { readonly reason: 'limit' }
  | { readonly reason: 'pause' };

export interface GuestFunctionCall {
  readonly address: bigint;
  readonly stackPointer: bigint;
  /** By the machine's names. */
  readonly registers: ReadonlyMap<string, bigint>;
}

export interface MemoryChange {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export interface Excursion {
  /** Bytes written. */
  writeMemory(address: bigint, bytes: Uint8Array): number;
  /** `returned` is given the registers that the function left; they are put back afterwards. */
  call<T>(call: GuestFunctionCall, returned: (registers: RegisterFile) => Promise<T>): Promise<T | CallEnd>;
  /** What memory holds otherwise than before. */
  changes(): MemoryChange[];
}

/** The state at a function's first instruction, with its arguments there already. */
function beginCall(
  { state, cpu }: Machine,
  call: { readonly address: bigint; readonly stackPointer: bigint; readonly returnAddress: number },
): void {
  state.write('sp', Number(call.stackPointer));
  if (cpu.arch === 'arm') state.write('lr', call.returnAddress | 1);
  else state.write('ra', call.returnAddress);
  state.write('pc', Number(BigInt.asUintN(32, call.address)) & ~1);
}

export interface ExcursionOptions {
  /** Instructions that a call may execute. */
  readonly limit: number;
  /** Told of what the functions print: it is no part of the program's output. */
  readonly output: (event: OutputEvent) => void;
}

/** The parts of the target that an excursion needs. */
export interface ExcursionContext {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly loop: { callAside(limit: number): Promise<CallEnd> };
  setRegister(name: string, value: bigint): void;
  registerFile(): Promise<RegisterFile>;
  /** What is not the machine's becomes what it was at the beginning. */
  restoreHost(): void;
}

export async function runExcursion<T>(
  { machine, kernel, loop, setRegister, registerFile, restoreHost }: ExcursionContext,
  body: (excursion: Excursion) => Promise<T>,
  { limit, output }: ExcursionOptions,
): Promise<T> {
  const saved = new SavedMachine(machine);
  const rules = machine.safety?.rules ?? [];
  // What a debugger's call does is not the extension's doing.
  if (machine.safety !== undefined) machine.safety.rules = [];
  kernel.printAside(output);
  try {
    return await body({
      writeMemory: (address, bytes) => machine.memory.write(Number(address), bytes),
      changes: () => [...saved.changes()],
      call: async ({ address, stackPointer, registers }, returned) => {
        const { returnAddress } = kernel.image.map.callFn;
        for (const [name, value] of registers) setRegister(name, value);
        beginCall(machine, { address, stackPointer, returnAddress });
        const end = await loop.callAside(limit);
        const result = end.reason === 'returned' ? await returned(await registerFile()) : end;
        saved.restoreRegisters();
        return result;
      },
    });
  } finally {
    kernel.printAside(undefined);
    saved.restore();
    restoreHost();
    if (machine.safety !== undefined) machine.safety.rules = rules;
  }
}

interface SavedPage {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const pageSize = 4096;
/** Of the guest's address space. */
const pageCount = 2 ** 20;

/** A copy of all guest memory and of the CPU's state. RangeError for an engine that cannot be set back. */
class SavedMachine {
  private readonly regions: readonly MemoryRegion[];
  private readonly pages: readonly SavedPage[];
  private readonly words: Int32Array;
  private readonly rewind: NonNullable<Machine['rewind']>;

  constructor(machine: Machine) {
    const { rewind } = machine;
    if (rewind === undefined)
      throw new RangeError('this engine cannot be set back, and what a function did must be undone');
    this.rewind = rewind;
    this.words = rewind.stateWords();
    this.regions = machine.memory.regions.slice();
    this.pages = [...rewind.pages()].map((number) => ({ number, bytes: rewind.page(number).slice() }));
  }

  restoreRegisters(): void {
    this.rewind.replaceState(this.words);
  }

  restore(): void {
    this.rewind.replaceRegions(this.regions);
    for (const { number, bytes } of this.pages) {
      if (!isSame(this.rewind.page(number), bytes)) this.rewind.replacePage(number, bytes);
    }
    this.restoreRegisters();
  }

  /** Each run of bytes that differ. Of what has been mapped since, nothing. */
  *changes(): Iterable<MemoryChange> {
    for (const { number, bytes } of this.pages) {
      // What is known of the bytes has pages too.
      if (number >= pageCount) continue;
      const now = this.rewind.page(number);
      for (let at = 0; at < now.length; at++) {
        if (now[at] === bytes[at]) continue;
        const start = at;
        while (at < now.length && now[at] !== bytes[at]) at++;
        yield { address: BigInt(number * pageSize + start), bytes: now.slice(start, at) };
      }
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i === a.length;
}
