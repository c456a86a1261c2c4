/** A hart's predecoded instructions; the records are those of ../record-cache.ts. */
import type { RiscvCpu } from '../../arch';
import type { GuestMemory } from '../memory';
import { RecordCache } from '../record-cache';
import type { Core } from './core';
import { Decoder } from './decoder';
import { operationNumber, operations32, operations64, type Operation, type OperationName } from './operations';
import { Privilege } from './state';

export class CodeCache extends RecordCache {
  readonly decoder: Decoder;
  /** Privilege that the records' permissions were checked for. */
  checkedPrivilege: number = Privilege.machine;
  private readonly operations: Readonly<Record<OperationName, Operation>>;

  constructor(
    cpu: RiscvCpu,
    memory: GuestMemory,
    private readonly core: Core,
  ) {
    super(memory, core);
    this.decoder = new Decoder(cpu.isa);
    this.operations = cpu.isa.xlen === 32 ? operations32 : operations64;
  }

  protected override isPlain(): boolean {
    return true;
  }

  protected override forgetSlots(): void {
    // Nothing is kept beside the records.
  }

  protected override decode(k: number, pc: number): boolean {
    const first = this.fetch(pc, pc);
    if (first < 0) return false;
    const wide = (first & 3) === 3;
    const second = wide ? this.fetch((pc + 2) >>> 0, pc) : 0;
    if (second < 0) return false;
    const word = ((second << 16) | first) >>> 0;
    const [name, ...operands] = this.decoder.decode(word, pc, this.core.csr.floatIsOff);
    this.writeOperands(k, pc, operands, wide, this.operations[name]);
    this.records[k] = (operationNumber(name) << 1) | (wide ? 1 : 0);
    return true;
  }
}
