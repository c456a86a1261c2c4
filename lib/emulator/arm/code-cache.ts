/**
 * Predecoded instructions: one record of four words for each halfword of a page that has been executed from.
 *
 *   word 0      operation number << 1 | 1 for a 32-bit encoding; or one of `Special`
 *   words 1..3  operands; a 32-bit instruction's further operands are words 1..3 of its second slot, whose word 0 stays 0
 *
 * A page has two slots more than halfwords: they lead to the next page. The cache holds nothing that the guest can see; it
 * follows memory: a write to a decoded halfword drops the page's records. IT conditions are resolved when the IT
 * instruction is decoded: `itState` of the slots in the block is ITSTATE as the manual has it (A7.3.3), which is right
 * for every way of arriving but a jump into the block (UNPREDICTABLE) or a debugger's write of pc; see machine.ts.
 */
import type { CpuInfo } from '../../arch';
import { Attribute, pageSize, type GuestMemory } from '../memory';
import type { Core } from './core';
import { Decoder, type Decoded } from './decoder';
import { operationNumber, operations, type Operation } from './operations';

/** Word 0 of slots that are not an operation. */
export const Special = { undecoded: 0, conditional: 2, nextPage: 4, breakpoint: 6, hostCall: 8 } as const;

const slotWords = 4;
const slots = pageSize / 2 + 2;
const pageWords = slots * slotWords;
/** Beyond this the cache is emptied; 32 MiB of records. */
const maximumPages = 1024;

/** ITAdvance() of A7.3.3. */
export function advanceIt(it: number): number {
  return (it & 7) === 0 ? 0 : (it & 0xe0) | ((it << 1) & 0x1f);
}

const isWide = (halfword: number) => halfword >>> 11 >= 0x1d;

export class CodeCache {
  records: Int32Array<ArrayBufferLike> = new Int32Array(8 * pageWords);
  /** By slot number (record index / 4). */
  itState = new Uint8Array(8 * slots);
  /** Word 0 of the instruction that a `Special.conditional` slot holds. */
  conditionalOperation = new Uint16Array(8 * slots);
  readonly breakpoints = new Set<number>();
  readonly hostCalls = new Set<number>();
  /** The breakpoint at this address is not seen: the one that a run continues from. */
  ignoredBreakpoint = -1;
  readonly decoder: Decoder;
  /** Page number of each page of records; the first is never used, so that record index 0 means none. */
  private pages: number[] = [-1];

  constructor(
    cpu: CpuInfo,
    private readonly memory: GuestMemory,
    private readonly core: Core,
  ) {
    this.decoder = new Decoder(cpu.isa);
    memory.onCodeWrite = (address, length) => this.written(address, length);
  }

  /** Record index of an address; makes a page of records when there is none. */
  enter(address: number): number {
    const page = address >>> 12;
    const known = this.memory.codeTable[page];
    if (known === 0 && this.pages.length >= maximumPages) this.clear();
    const base = known !== 0 ? known : this.addPage(page);
    return base + ((address & 0xffe) << 1);
  }

  nextPage(k: number): number {
    return this.enter(this.addressOf(k));
  }

  addressOf(k: number): number {
    const index = Math.floor(k / pageWords);
    return (this.pages[index] * pageSize + ((k - index * pageWords) >> 1)) % 2 ** 32;
  }

  /** Forgets the record at an address: it is decoded anew when it is executed next. */
  drop(address: number): void {
    const base = this.memory.codeTable[address >>> 12];
    if (base !== 0) this.records[base + ((address & 0xffe) << 1)] = Special.undecoded;
  }

  /** Fills the slot at k. False when the instruction cannot be fetched: the core has the fault. */
  decodeAt(k: number): boolean {
    const pc = this.addressOf(k);
    if (this.hostCalls.has(pc)) return this.fill(k, Special.hostCall);
    if (this.breakpoints.has(pc) && pc !== this.ignoredBreakpoint) return this.fill(k, Special.breakpoint);
    const first = this.fetch(pc, pc);
    if (first < 0) return false;
    const wide = isWide(first);
    const second = wide ? this.fetch((pc + 2) >>> 0, pc) : 0;
    if (second < 0) return false;
    const it = this.itState[k >> 2];
    const decoded = this.decoder.decode(first, second, pc, it);
    this.write(k, pc, decoded, wide, it);
    if (decoded.itBlock !== 0) this.markItBlock((pc + 2) >>> 0, decoded.itBlock);
    return true;
  }

  /** Drops every record; slots of pages stay where they are only until the next enter(). */
  clear(): void {
    for (const page of this.pages.slice(1)) this.forgetPage(page);
    this.pages = [-1];
  }

  /** Bytes have changed on a page with records. */
  private written(address: number, length: number): void {
    // A 32-bit instruction may start in the halfword before.
    for (let at = (address & ~1) - 2; at < address + length; at += 2) {
      const base = this.memory.codeTable[(at >>> 0) >>> 12];
      if (base === 0) continue;
      const k = base + ((at & 0xffe) << 1);
      if (this.records[k] === Special.undecoded && this.itState[k >> 2] === 0) continue;
      const page = (at >>> 0) >>> 12;
      // IT blocks and 32-bit instructions may lie across a page's border.
      for (const near of [page - 1, page, page + 1]) this.invalidatePage(near);
    }
  }

  private invalidatePage(page: number): void {
    const base = page < 0 ? 0 : this.memory.codeTable[page];
    if (base === 0) return;
    this.records.fill(0, base, base + (slots - 2) * slotWords);
    this.itState.fill(0, base >> 2, (base >> 2) + slots);
    this.memory.setCode(page, false);
  }

  private forgetPage(page: number): void {
    this.invalidatePage(page);
    this.memory.codeTable[page] = 0;
  }

  private addPage(page: number): number {
    const base = this.pages.length * pageWords;
    if (base + pageWords > this.records.length) this.grow();
    this.pages.push(page);
    this.memory.codeTable[page] = base;
    this.records.fill(0, base, base + pageWords);
    this.itState.fill(0, base >> 2, (base >> 2) + slots);
    this.records[base + (slots - 2) * slotWords] = Special.nextPage;
    this.records[base + (slots - 1) * slotWords] = Special.nextPage;
    return base;
  }

  private grow(): void {
    const { records, itState, conditionalOperation } = this;
    this.records = new Int32Array(records.length * 2);
    this.itState = new Uint8Array(itState.length * 2);
    this.conditionalOperation = new Uint16Array(conditionalOperation.length * 2);
    this.records.set(records);
    this.itState.set(itState);
    this.conditionalOperation.set(conditionalOperation);
  }

  private fill(k: number, special: number): boolean {
    this.dropWideBefore(k);
    this.records[k] = special;
    return true;
  }

  /** The halfword at `address`, or -1 with the fault of the instruction at `pc`. */
  private fetch(address: number, pc: number): number {
    const page = address >>> 12;
    const attributes = this.memory.attributes[page];
    if ((attributes & Attribute.execute) === 0) {
      this.core.fail(this.core.accessFault(address, pc, address === pc ? 2 : 4, 'execute'));
      return -1;
    }
    if ((attributes & Attribute.code) === 0) this.memory.setCode(page, true);
    return this.memory.halfwords[this.memory.hostAddress(address) >>> 1];
  }

  private write(k: number, pc: number, decoded: Decoded, wide: boolean, it: number): void {
    const { records } = this;
    this.dropWideBefore(k);
    const operation: Operation = operations[decoded.operation];
    const operands = decoded.operands;
    if (!wide && operands.length > 3) throw new Error(`${decoded.operation}: a 16-bit record holds three operands`);
    for (let i = 0; i < operands.length; i++) records[k + (i < 3 ? i + 1 : i + 2)] = operands[i];
    if (operation.branch !== undefined) this.resolveBranch(k + operation.branch, pc);
    if (wide && records[k + slotWords] !== Special.nextPage) records[k + slotWords] = Special.undecoded;
    const word = (operationNumber(decoded.operation) << 1) | (wide ? 1 : 0);
    if (it !== 0 && it >> 4 < 14 && !decoded.unconditional) {
      records[k] = Special.conditional;
      this.conditionalOperation[k >> 2] = word;
    } else {
      records[k] = word;
    }
  }

  /** The operand at index `at` is the target's address: it moves one on, and the record index takes its place. */
  private resolveBranch(at: number, pc: number): void {
    const target = this.records[at];
    const samePage = target >>> 12 === pc >>> 12;
    this.records[at + 1] = target;
    this.records[at] = samePage ? this.memory.codeTable[pc >>> 12] + ((target & 0xffe) << 1) : 0;
  }

  /** A 32-bit instruction in the slot before keeps operands in this one: it has to be decoded again. */
  private dropWideBefore(k: number): void {
    const before = k - slotWords;
    const word = this.records[before];
    const operation = word === Special.conditional ? this.conditionalOperation[before >> 2] : word;
    if (operation & 1) this.records[before] = Special.undecoded;
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
