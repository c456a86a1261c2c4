/** The machine's registers and memory as a debugger names them, at once: by the names of the ABI or the numbers of DWARF. */
import type { CpuInfo } from '../arch';
import type { Machine } from '../emulator/types';
import type { MemoryReply, MemoryRequest, RegisterFile } from '../query';
import { dwarfRegisterNames } from './dwarf-registers';
import {
  floatRegister,
  floatRegisterFile,
  floatRegisterNames,
  readNamedRegister,
  writeNamedRegister,
} from './float-registers';
import type { MemoryRead, SynchronousView } from './target';

export class MachineFace {
  private readonly dwarfNames: readonly (string | undefined)[];
  /** The registers and memory of whatever machine there is now. */
  readonly view: SynchronousView;

  constructor(
    private readonly cpu: CpuInfo,
    /** A reset makes a new one. */
    private readonly current: () => Machine,
    /** What pc is shown as. */
    private readonly shownPc: () => number,
  ) {
    this.dwarfNames = dwarfRegisterNames(cpu);
    this.view = {
      registers: { get: (register) => this.dwarfRegister(register) },
      read: (request) => this.readExactly(request),
      get direct() {
        return current().direct;
      },
    };
  }

  get registerNames(): readonly string[] {
    return floatRegisterNames(this.current().state);
  }

  /** Bits of a register. */
  widthOf(name: string): 32 | 64 {
    // The doubles of the Arm Floating-point Extension are pairs of the machine's registers.
    return this.cpu.arch === 'arm' && /^d\d/.test(name) ? 64 : this.current().state.widthOf(name);
  }

  readRegister(name: string): bigint {
    if (name === 'pc') return BigInt(this.shownPc());
    const { state } = this.current();
    return this.cpu.arch === 'arm' ? readNamedRegister(state, name) : state.readWide(name);
  }

  writeRegister(name: string, value: bigint): void {
    const { state, safety } = this.current();
    // What a debugger writes is written.
    safety?.defineRegisters();
    if (this.cpu.arch === 'arm') writeNamedRegister(state, name, value);
    else state.writeWide(name, value);
  }

  /** A copy: it stays as it is when the target runs on. */
  registerFile(): RegisterFile {
    const values = this.dwarfNames.map((name) => (name === undefined ? undefined : this.readRegister(name)));
    const floats = floatRegisterFile(this.current().state);
    return { get: (register) => values[register] ?? floats.get(register) };
  }

  readMemory(address: bigint, length: number): MemoryRead {
    const isThere = address >= 0n && address <= 0xffff_ffffn;
    const data = isThere ? this.current().memory.peek(Number(address), length) : new Uint8Array();
    return { data, unreadable: length - data.length };
  }

  private dwarfRegister(register: number): bigint | undefined {
    const name = this.dwarfNames[register];
    return name === undefined ? floatRegister(this.current().state, register) : this.readRegister(name);
  }

  private readExactly({ address, length }: MemoryRequest): MemoryReply {
    const { data, unreadable } = this.readMemory(address, length);
    return unreadable === 0 ? data : undefined;
  }
}
