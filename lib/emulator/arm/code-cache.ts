/**
 * The Cortex-M's predecoded instructions; the records are those of ../record-cache.ts. IT conditions are resolved when
 * the IT instruction is decoded: `itState` of the slots in the block is ITSTATE as the manual has it (A7.3.3), which is right
 * for every way of arriving but a jump into the block (UNPREDICTABLE) or a debugger's write of pc; see arm-machine.ts.
 */
import type { ArmCpu } from '../../arch';
import { Attribute, type GuestMemory } from '../memory';
import type { MemoryAccess } from '../memory-access';
import { RecordCache, Special } from '../record-cache';
import { Decoder, type Decoded } from './decoder';
import { operationNumber, operations, type Operation } from './operations';

/** ITAdvance() of A7.3.3. */
export function advanceIt(it: number): number {
  return (it & 7) === 0 ? 0 : (it & 0xe0) | ((it << 1) & 0x1f);
}

const isWide = (halfword: number) => halfword >>> 11 >= 0x1d;

export class CodeCache extends RecordCache {
  /** By slot number (record index / 4). */
  itState = new Uint8Array(this.records.length / 4);
  /** Word 0 of the instruction that a `Special.conditional` slot holds. */
  conditionalOperation = new Uint16Array(this.records.length / 4);
  readonly decoder: Decoder;

  constructor(cpu: ArmCpu, memory: GuestMemory, access: MemoryAccess) {
    super(memory, access);
    this.decoder = new Decoder(cpu.isa);
  }

  protected override isEmpty(k: number): boolean {
    return super.isEmpty(k) && this.itState[k >> 2] === 0;
  }

  protected override operationAt(k: number): number {
    const word = super.operationAt(k);
    return word === Special.conditional ? this.conditionalOperation[k >> 2] : word;
  }

  /** In an IT block the condition belongs to it. */
  protected override isPlain(k: number): boolean {
    return this.itState[k >> 2] === 0;
  }

  protected override forgetSlots(first: number, count: number): void {
    this.itState.fill(0, first, first + count);
  }

  protected override grow(): void {
    super.grow();
    const { itState, conditionalOperation } = this;
    this.itState = new Uint8Array(itState.length * 2);
    this.conditionalOperation = new Uint16Array(conditionalOperation.length * 2);
    this.itState.set(itState);
    this.conditionalOperation.set(conditionalOperation);
  }

  /** Asked for addresses from 0xFF000000 on: EXC_RETURN values in Handler mode. */
  returnsFromException: () => boolean = () => false;

  protected override decode(k: number, pc: number): boolean {
    if (pc >>> 24 === 0xff && this.returnsFromException()) return false;
    const first = this.fetch(pc, pc);
    if (first < 0) return false;
    const wide = isWide(first);
    const second = wide ? this.fetch((pc + 2) >>> 0, pc) : 0;
    if (second < 0) return false;
    const it = this.itState[k >> 2];
    const decoded = this.decoder.decode(first, second, pc, it);
    this.write(k, pc, decoded, wide, it);
    if (decoded.operation === 'bl') this.translated?.addFunction(decoded.operands[0] >>> 0);
    if (decoded.itBlock !== 0) this.markItBlock((pc + 2) >>> 0, decoded.itBlock);
    return true;
  }

  private write(k: number, pc: number, decoded: Decoded, wide: boolean, it: number): void {
    const operation: Operation = operations[decoded.operation];
    this.writeOperands(k, pc, decoded.operands, wide, operation);
    const word = (operationNumber(decoded.operation) << 1) | (wide ? 1 : 0);
    if (it !== 0 && it >> 4 < 14 && !decoded.unconditional) {
      this.records[k] = Special.conditional;
      this.conditionalOperation[k >> 2] = word;
    } else {
      this.records[k] = word;
    }
  }

  /** Gives the instructions after an IT their ITSTATE. */
  private markItBlock(start: number, itBlock: number): void {
    let address = start;
    for (let it = itBlock; it !== 0; it = advanceIt(it)) {
      const page = address >>> 12;
      if ((this.memory.attributes[page] & Attribute.execute) === 0) return;
      if ((this.memory.attributes[page] & Attribute.code) === 0) this.memory.setCode(page, true);
      // Not by enter(): that may empty the cache while a record of it is being filled.
      const k = (this.memory.codeTable[page] || this.addPage(page)) + ((address & 0xffe) << 1);
      if (this.itState[k >> 2] !== it) {
        this.itState[k >> 2] = it;
        this.records[k] = Special.undecoded;
      }
      const halfword = this.memory.halfwords[this.memory.hostAddress(address) >>> 1];
      address = (address + (isWide(halfword) ? 4 : 2)) >>> 0;
    }
  }
}
