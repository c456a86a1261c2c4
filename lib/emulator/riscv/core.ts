/**
 * What the generated interpreter works on: the machine's memory and state, the predecoded instructions, and the slow
 * halves of its operations. A method that cannot do its access sets `stop` and has changed nothing.
 *
 * Unprivileged specification 20191213: atomics chapter 8; privileged specification: traps 3.1, 3.3, PMP 3.7.
 */
import type { RiscvCpu } from '../../arch';
import { Attribute, type GuestMemory } from '../memory';
import { MemoryAccess } from '../memory-access';
import { Stop, type PendingFault } from '../stop';
import { CodeCache } from './code-cache';
import { CsrFile } from './csr';
import { Float } from './float';
import { Pmp, pmpEntries, type PmpAccess } from './pmp';
import { Mstatus, Privilege, State } from './state';

/** What a hart leaves to its environment. */
export interface HartOptions {
  /** Misaligned loads and stores are performed (true) or trap. */
  readonly misaligned: boolean;
  readonly hartId: number;
}

export class Core extends MemoryAccess {
  readonly code: CodeCache;
  readonly csr: CsrFile;
  readonly pmp: Pmp;
  readonly float: Float;
  /** Record index at which the interpreter starts and where it has stopped. */
  position = 0;
  /** sp must not fall below it. */
  limit = 0;
  /** Instructions that the running slice was given; with `left`, what it has executed. */
  sliceBudget = 0;
  /** Where a run goes on after Stop.again; -1 = at the next instruction. */
  target = -1;
  /** Permissions to execute have changed: records are dropped when the slice ends. */
  recordsAreStale = false;
  /** High word of the last load64(). */
  upper = 0;
  private registers: BigInt64Array<ArrayBufferLike> = new BigInt64Array(0);

  constructor(
    readonly cpu: RiscvCpu,
    memory: GuestMemory,
    readonly options: HartOptions,
  ) {
    super(memory);
    this.pmp = new Pmp(memory);
    this.csr = new CsrFile(this);
    this.float = new Float(this);
    this.code = new CodeCache(cpu, memory, this);
  }

  /** x0 to x31 of RV64. */
  get wide(): BigInt64Array {
    // Growing the memory detaches its views.
    const { buffer } = this.memory.state;
    if (this.registers.buffer !== buffer) this.registers = new BigInt64Array(buffer, 0, State.sink / 2 + 1);
    return this.registers;
  }

  /** Instructions that were executed before the one in progress. */
  get executed(): bigint {
    const state = this.memory.state;
    const before = (BigInt(state[State.countHigh] >>> 0) << 32n) | BigInt(state[State.countLow] >>> 0);
    return before + BigInt(Math.max(0, this.sliceBudget - this.left - 1));
  }

  get privilege(): number {
    return this.memory.state[State.privilege];
  }

  /** An integer register (a word of the state) becomes a signed 32-bit value, extended. */
  setInteger(word: number, value: number): void {
    const state = this.memory.state;
    state[word] = value;
    if (this.cpu.isa.xlen === 64) state[word + 1] = value >> 31;
  }

  /** A converted value; true when there is none because the rounding mode is reserved. Results of 32 bits are sign-extended. */
  setConverted(word: number, value: bigint | undefined, bits: 32 | 64): boolean {
    if (value === undefined) return true;
    if (bits === 32) this.setInteger(word, Number(BigInt.asIntN(32, value)));
    else this.wide[word >> 1] = value;
    return false;
  }

  updateLimit(): void {
    this.limit = this.memory.state[State.stackLimit] >>> 0;
  }

  illegal(): void {
    this.fail({ kind: 'undefined-instruction', message: 'illegal instruction (reserved, or not of this hart)' });
  }

  failStack(value: number): void {
    const text = `sp would become 0x${(value >>> 0).toString(16)}, below the stack limit 0x${this.limit.toString(16)}`;
    this.fail({ kind: 'stack-overflow', message: text, access: 'write', address: value >>> 0 });
  }

  // --- Memory ----------------------------------------------------------------------------------------------------

  load64(address: number): number {
    if (this.reach(address, 8, 'read', false) < 0) return 0;
    const word = (at: number) =>
      this.byteAt(at) | (this.byteAt(at + 1) << 8) | (this.byteAt(at + 2) << 16) | (this.byteAt(at + 3) << 24);
    this.upper = word(address + 4);
    return word(address);
  }

  store64(address: number, low: number, high: number): void {
    if (this.reach(address, 8, 'write', false) < 0) return;
    this.storeBytes(address, low, 4);
    this.storeBytes(address + 4, high, 4);
  }

  /** RV64: true, with the fault set, when register + offset is an address of more than 32 bits. */
  isOutside(register: number, offset: number, size: number, access: 'read' | 'write' | 'execute'): boolean {
    const address = BigInt.asUintN(64, this.wide[register >> 1] + BigInt(offset));
    if (address <= 0xffff_ffffn) return false;
    const verb = access === 'execute' ? 'jump to' : `${access} of ${size} byte${size === 1 ? '' : 's'} at`;
    const message = `${verb} 0x${address.toString(16)}, where no memory is (the engine maps the low 4 GiB)`;
    this.fail({ kind: 'unmapped', message, access, address: Number(address), wideAddress: address, size });
    return true;
  }

  // --- Atomics: always aligned; the whole access is checked for writing before it is read -----------------------

  private reachAtomic(address: number, size: number): boolean {
    return this.reach(address, size, 'write', true) >= 0 && !this.isWatched(address, size, 'read');
  }

  loadAtomic32(address: number): number {
    return this.reachAtomic(address, 4) ? this.word(address) : 0;
  }

  storeAtomic32(address: number, value: number): void {
    this.storeBytes(address, value, 4);
  }

  loadAtomic64(address: number): bigint {
    return this.reachAtomic(address, 8) ? this.doubleWord(address) : 0n;
  }

  storeAtomic64(address: number, value: bigint): void {
    this.storeBytes(address, Number(BigInt.asIntN(32, value)), 4);
    this.storeBytes(address + 4, Number(BigInt.asIntN(32, value >> 32n)), 4);
  }

  loadReserved32(address: number): number {
    if (this.reach(address, 4, 'read', true) < 0) return 0;
    const value = this.word(address);
    this.reserve(address, 4, BigInt(value));
    return value;
  }

  loadReserved64(address: number): bigint {
    if (this.reach(address, 8, 'read', true) < 0) return 0n;
    const value = this.doubleWord(address);
    this.reserve(address, 8, value);
    return value;
  }

  /** SC: 0 = stored, 1 = not. The reservation is gone in any case. */
  storeConditional32(address: number, value: number): number {
    const kept = this.isReserved(address, 4) && this.memory.state[State.reservedValue] === this.peek(address);
    return this.conditional(address, 4, kept, () => this.storeBytes(address, value, 4));
  }

  storeConditional64(address: number, value: bigint): number {
    const [low, high] = [this.memory.state[State.reservedValue], this.memory.state[State.reservedValue + 1]];
    const kept = this.isReserved(address, 8) && low === this.peek(address) && high === this.peek(address + 4);
    return this.conditional(address, 8, kept, () => this.storeAtomic64(address, value));
  }

  private conditional(address: number, size: number, kept: boolean, store: () => void): number {
    if (this.reach(address, size, 'write', true) < 0) return 1;
    if (kept) store();
    this.memory.state[State.reservedSize] = 0;
    return kept ? 0 : 1;
  }

  private reserve(address: number, size: number, value: bigint): void {
    const state = this.memory.state;
    state[State.reservedSize] = size;
    state[State.reservedAddress] = address;
    state[State.reservedValue] = Number(BigInt.asIntN(32, value));
    state[State.reservedValue + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** What was read must still be there: a store to it between LR and SC lets SC fail. */
  private isReserved(address: number, size: number): boolean {
    const state = this.memory.state;
    return state[State.reservedSize] >= size && state[State.reservedAddress] === (address | 0);
  }

  private word(address: number): number {
    return this.memory.words[this.memory.hostAddress(address) >>> 2];
  }

  /** A word for comparison, whether it may be read or not. */
  private peek(address: number): number | undefined {
    const host = (address & 3) === 0 ? this.memory.hostAddress(address) : -1;
    return host < 0 ? undefined : this.memory.words[host >>> 2];
  }

  private doubleWord(address: number): bigint {
    return (BigInt(this.word(address + 4)) << 32n) | BigInt(this.word(address) >>> 0);
  }

  override alwaysAligned(): boolean {
    return !this.options.misaligned;
  }

  protected override reach(address: number, size: number, access: 'read' | 'write', aligned: boolean): number {
    if ((address & (size - 1)) !== 0 && (aligned || this.alwaysAligned())) {
      this.failUnaligned(address, size, access);
      return -1;
    }
    const refused = this.pmp.refuses(address >>> 0, size, access, this.dataPrivilege());
    if (refused && this.memory.regionAt(address >>> 0)) {
      this.fail(pmpFault(address >>> 0, size, access));
      return -1;
    }
    return super.reach(address, size, access, aligned);
  }

  override fetchFault(address: number, pc: number, size: number): PendingFault | undefined {
    const fault = super.fetchFault(address, pc, size);
    if (fault || !this.pmp.refuses(address, 2, 'execute', this.privilege)) return fault;
    return pmpFault(address, 2, 'execute');
  }

  // --- Privilege ---------------------------------------------------------------------------------------------------

  /** Loads and stores of machine mode with MPRV are those of MPP. */
  dataPrivilege(): number {
    const mstatus = this.memory.state[State.mstatus];
    const modified = this.privilege === Privilege.machine && (mstatus & Mstatus.MPRV) !== 0;
    return modified ? (mstatus & Mstatus.MPP) >>> 11 : this.privilege;
  }

  /** To be called when the privilege, MPRV or a PMP register has changed. */
  protectionChanged(): void {
    const privilege = this.dataPrivilege();
    const guards = this.pmp.guards(privilege);
    const readable = Attribute.read;
    const writable = Attribute.write;
    this.memory.setGuard(
      guards
        ? (page) =>
            (this.pmp.refusesSomeOf(page, 'read', privilege) ? 0 : readable) |
            (this.pmp.refusesSomeOf(page, 'write', privilege) ? 0 : writable)
        : undefined,
    );
    if (this.code.checkedPrivilege !== this.privilege || this.pmp.changed) {
      this.recordsAreStale = true;
      this.stop = Stop.again;
    }
    this.pmp.changed = false;
  }

  /** What was put off while the interpreter ran: records that were decoded for other permissions are dropped. */
  settle(): void {
    if (this.stop === Stop.again) this.stop = Stop.none;
    if (!this.recordsAreStale) return;
    this.recordsAreStale = false;
    this.code.clear();
    this.code.checkedPrivilege = this.privilege;
  }

  /** The machine was set back: protection, and what is decoded otherwise without floating point, follow the state. */
  stateReplaced(before: Int32Array): void {
    const { state } = this.memory;
    const pmpEnd = State.pmpaddr + 2 * pmpEntries;
    let pmpDiffers = false;
    for (let word = State.pmpcfg; word < pmpEnd; word++) pmpDiffers ||= state[word] !== before[word];
    if (pmpDiffers) this.pmp.replaced();
    const changed = state[State.mstatus] ^ before[State.mstatus];
    const floatIsOff = (mstatus: number) => (mstatus & Mstatus.FS) === 0;
    if (floatIsOff(state[State.mstatus]) !== floatIsOff(before[State.mstatus])) this.recordsAreStale = true;
    const privilegeDiffers = state[State.privilege] !== before[State.privilege];
    if (pmpDiffers || privilegeDiffers || (changed & (Mstatus.MPRV | Mstatus.MPP)) !== 0) this.protectionChanged();
    this.settle();
  }

  refusesWait(): boolean {
    const timed = this.privilege === Privilege.user && (this.memory.state[State.mstatus] & Mstatus.TW) !== 0;
    if (timed) this.illegal();
    return timed;
  }

  /** MRET, 3.3.2. True when it is illegal here. */
  returnFromTrap(): boolean {
    if (this.privilege !== Privilege.machine) {
      this.illegal();
      return true;
    }
    const state = this.memory.state;
    const { MIE, MPIE, MPP, MPRV } = Mstatus;
    const before = state[State.mstatus];
    const privilege = (before & MPP) >>> 11;
    let after = (before & ~(MIE | MPP)) | (before & MPIE ? MIE : 0) | MPIE;
    if (privilege !== Privilege.machine) after &= ~MPRV;
    state[State.mstatus] = after;
    state[State.privilege] = privilege;
    this.target = this.csr.exceptionPc;
    this.protectionChanged();
    this.stop = Stop.again;
    return false;
  }

  // --- Bit manipulation --------------------------------------------------------------------------------------------

  countBits(x: number): number {
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }

  reverseBytes(x: number): number {
    return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
  }

  orCombineBytes(x: bigint): bigint {
    let result = 0n;
    for (let byte = 0xffn; byte <= 0xff00_0000_0000_0000n; byte <<= 8n) if ((x & byte) !== 0n) result |= byte;
    return result;
  }

  /** The product of polynomials over GF(2), all of its bits. */
  carryless(a: bigint, b: bigint): bigint {
    const left = BigInt.asUintN(64, a);
    let result = 0n;
    for (let rest = BigInt.asUintN(64, b), shift = 0n; rest !== 0n; rest >>= 1n, shift++) {
      if (rest & 1n) result ^= left << shift;
    }
    return result;
  }

  carrylessLow32(a: number, b: number): number {
    let result = 0;
    for (let shift = 0; shift < 32; shift++) if ((b >>> shift) & 1) result ^= a << shift;
    return result;
  }

  /** The product from bit 32 (clmulh) or 31 (clmulr) on. */
  carrylessHigh32(a: number, b: number, from: 31 | 32): number {
    let result = 0;
    for (let bit = from - 31; bit < 32; bit++) if ((b >>> bit) & 1) result ^= a >>> (from - bit);
    return result;
  }

  private failUnaligned(address: number, size: number, access: 'read' | 'write'): void {
    const text = `misaligned ${access} of ${size} bytes at 0x${(address >>> 0).toString(16).padStart(8, '0')}`;
    this.fail({ kind: 'unaligned', message: text, access, address: address >>> 0, size });
  }
}

function pmpFault(address: number, size: number, access: PmpAccess): PendingFault {
  const verb = access === 'execute' ? 'instruction fetch' : `${access} of ${size} byte${size === 1 ? '' : 's'}`;
  const message = `${verb} at 0x${address.toString(16).padStart(8, '0')} is not allowed by physical memory protection`;
  return { kind: 'forbidden', message, access, address, size };
}
