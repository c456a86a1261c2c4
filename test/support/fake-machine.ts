/** A Machine without an engine: real guest memory, registers as plain numbers. For functions of the host alone. */
import { cpus } from '../../lib/arch';
import { GuestMemory } from '../../lib/emulator/memory';
import type { CpuState, Machine, MemoryRegion } from '../../lib/emulator/types';

class PlainState implements CpuState {
  readonly registerNames = [...Array.from({ length: 13 }, (_, i) => `r${i}`), 'sp', 'lr', 'pc', 'xpsr'];
  readonly r = new Int32Array(16);
  private xpsr = 0x0100_0000;

  read(name: string): number {
    if (name === 'xpsr') return this.xpsr >>> 0;
    return this.r[this.indexOf(name)] >>> 0;
  }

  write(name: string, value: number): void {
    if (name === 'xpsr') this.xpsr = value >>> 0;
    else this.r[this.indexOf(name)] = value;
  }

  get pc(): number {
    return this.r[15] >>> 0;
  }

  readWide(name: string): bigint {
    return BigInt(this.read(name));
  }

  writeWide(name: string, value: bigint): void {
    this.write(name, Number(BigInt.asIntN(32, value)));
  }

  widthOf(): 32 {
    return 32;
  }

  private indexOf(name: string): number {
    const index = this.registerNames.indexOf(name);
    if (index < 0 || index > 15) throw new RangeError(name);
    return index;
  }
}

export function fakeMachine(regions: readonly MemoryRegion[]): Machine {
  const ignore = (): void => undefined;
  return {
    cpu: cpus[0],
    memory: new GuestMemory(regions),
    state: new PlainState(),
    instructionCount: 0,
    run: () => ({ reason: 'budget' }),
    setBreakpoint: ignore,
    clearBreakpoint: ignore,
    setHostCall: ignore,
    clearHostCall: ignore,
    setStackLimit: ignore,
  };
}
