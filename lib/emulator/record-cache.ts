/**
 * Predecoded instructions: one record of four words for each halfword of a page that has been executed from.
 *
 *   word 0      operation number << 1 | 1 for a 32-bit encoding; or one of `Special`
 *   words 1..3  operands; a 32-bit instruction's further operands are words 1..3 of its second slot, whose word 0 stays 0
 *
 * A page has two slots more than halfwords: they lead to the next page. The cache holds nothing that the guest can see; it
 * follows memory: a write to a decoded halfword drops the page's records. A CPU's own cache decodes and fills the slots.
 */
import { Attribute, pageSize, type GuestMemory } from './memory';
import type { MemoryAccess } from './memory-access';
import { Stop } from './stop';

/** Word 0 of slots that are not an operation. `conditional`: see arm/code-cache.ts; `translated`: an entry of jit/. */
export const Special = {
  undecoded: 0,
  conditional: 2,
  nextPage: 4,
  breakpoint: 6,
  hostCall: 8,
  translated: 10,
} as const;

const slotWords = 4;
export const slots = pageSize / 2 + 2;
const pageWords = slots * slotWords;
/** Beyond this the cache is emptied; 32 MiB of records. */
const maximumPages = 1024;

/** What an operation's record looks like; the operations of a CPU have more. */
export interface RecordForm {
  /** Operand that holds a branch target's address: becomes a record index, with the address in the next one. */
  readonly branch?: number;
}

/** Translations of the instructions, which live no longer than the records of their pages. */
export interface TranslatedCode {
  /** A translated function begins there. */
  has(address: number): boolean;
  /** A translation depends on any of the bytes. */
  covers(address: number, length: number): boolean;
  drop(address: number, length: number): void;
  dropPage(page: number): void;
  dropAll(): void;
  /** A call of the address was decoded: a function begins there. */
  addFunction(address: number): void;
}

export abstract class RecordCache {
  records: Int32Array<ArrayBufferLike> = new Int32Array(8 * pageWords);
  readonly breakpoints = new Set<number>();
  readonly hostCalls = new Set<number>();
  /** The breakpoint at this address is not seen: the one that a run continues from. */
  ignoredBreakpoint = -1;
  translated: TranslatedCode | undefined;
  /** Asked at a breakpoint, from within the interpreter: true = the run goes on through it. */
  passes: ((address: number) => boolean) | undefined;
  /** It was asked about this breakpoint, and then its instruction was not executed after all: it is met again at once. */
  answered = -1;
  /** Told when records are dropped because code has changed. */
  onChange: (() => void) | undefined;
  /** By slot number (record index / 4): word 0 of the instruction in a slot of `Special.translated`, or, once it was gone through, `breakpoint`. */
  hiddenOperation = new Uint16Array(this.records.length / 4);
  /** Page number of each page of records; the first is never used, so that record index 0 means none. */
  private pages: number[] = [-1];
  /** The records of the instruction that a run last continued from, at a breakpoint: it is met again and again in a loop. */
  private continued: { readonly pc: number; readonly words: Int32Array } | undefined;

  constructor(
    protected readonly memory: GuestMemory,
    private readonly access: MemoryAccess,
  ) {
    memory.onCodeWrite = (address, length) => this.written(address, length);
  }

  /** Fills the slot at k with the instruction at pc. False when it cannot be fetched. */
  protected abstract decode(k: number, pc: number): boolean;

  /** Nothing depends on the halfword at k. */
  protected isEmpty(k: number): boolean {
    return this.records[k] === Special.undecoded;
  }

  /** Word 0 of the instruction at k. */
  protected operationAt(k: number): number {
    const word = this.records[k];
    return word === Special.translated || word === Special.breakpoint ? this.hiddenOperation[k >> 2] : word;
  }

  /** The slot's word 0 is all that there is to its instruction. */
  protected abstract isPlain(k: number): boolean;

  /**
   * Word 0 of the instruction at the breakpoint in slot k, when the run goes on through it; otherwise 0, with `stop` set unless
   * a translation begins there. So a condition that does not hold costs no way out of the interpreter.
   */
  goThrough(k: number): number {
    const pc = this.addressOf(k);
    if (this.access.stopsAtTranslated && this.translated?.has(pc)) return 0;
    if (!this.goesThrough(pc, this.isPlain(k))) return 0;
    return this.hiddenOperation[k >> 2] || this.decodeBehind(k, pc);
  }

  /** Asks whether the run goes on through the breakpoint; else `stop` is set. */
  goesThrough(pc: number, canAsk = true): boolean {
    const isAnswered = pc === this.answered;
    this.answered = -1;
    if (canAsk && (isAnswered || this.passes?.(pc) === true)) return true;
    this.access.stop = Stop.breakpoint;
    return false;
  }

  private decodeBehind(k: number, pc: number): number {
    if (!this.decode(k, pc)) return 0;
    const word = this.records[k];
    this.hiddenOperation[k >> 2] = word;
    this.records[k] = Special.breakpoint;
    return word;
  }

  /** What a CPU keeps beside the records is to be forgotten for slots from `first`. */
  protected abstract forgetSlots(first: number, count: number): void;

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
    if (this.breakpoints.has(pc))
      return pc === this.ignoredBreakpoint ? this.decodeIgnored(k, pc) : this.fill(k, Special.breakpoint);
    return this.decodeOnce(k, pc);
  }

  /** The instruction at a breakpoint that is continued from. */
  private decodeIgnored(k: number, pc: number): boolean {
    const { records, continued } = this;
    if (continued?.pc === pc) {
      this.dropWideBefore(k);
      records.set(continued.words, k);
      return true;
    }
    if (!this.decodeOnce(k, pc)) return false;
    const word = records[k];
    // What stands for an instruction has more than its records.
    if (word > Special.translated) {
      this.continued = { pc, words: records.slice(k, k + (word & 1 ? 2 : 1) * slotWords) };
    }
    return true;
  }

  private decodeOnce(k: number, pc: number): boolean {
    if (!this.decode(k, pc)) return false;
    if (this.translated?.has(pc)) this.hide(k);
    return true;
  }

  /** What a slot that holds no operation leads to: the slot to go on at, or -1 with `stop` set. */
  special(k: number): number {
    const word = this.records[k];
    if (word === Special.nextPage) return this.nextPage(k);
    if (word === Special.undecoded) return this.decodeAt(k) ? k : -1;
    this.access.stop = Stop.hostCall;
    return -1;
  }

  /** Instructions that were decoded or translated lie there. */
  isCode(address: number, length: number): boolean {
    if (this.translated?.covers(address, length)) return true;
    // A 32-bit instruction may start in the halfword before.
    for (let at = address - (address & 1) - 2; at < address + length; at += 2) {
      const base = this.memory.codeTable[(at >>> 0) >>> 12];
      if (base !== 0 && !this.isEmpty(base + ((at & 0xffe) << 1))) return true;
    }
    return false;
  }

  /** Drops every record; slots of pages stay where they are only until the next enter(). */
  clear(): void {
    for (const page of this.pages.slice(1)) this.forgetPage(page);
    // Translated code may lie on pages that were never interpreted.
    this.translated?.dropAll();
    this.pages = [-1];
  }

  /** The halfword at `address`, or -1 with the fault of the instruction at `pc`. */
  protected fetch(address: number, pc: number): number {
    const refused = this.access.fetchFault(address, pc, address === pc ? 2 : 4);
    if (refused) {
      this.access.fail(refused);
      return -1;
    }
    const page = address >>> 12;
    if ((this.memory.attributes[page] & Attribute.code) === 0) this.memory.setCode(page, true);
    return this.memory.halfwords[this.memory.hostAddress(address) >>> 1];
  }

  /** Writes operands of an instruction; word 0 is the caller's. */
  protected writeOperands(k: number, pc: number, operands: readonly number[], wide: boolean, form: RecordForm): void {
    const { records } = this;
    this.dropWideBefore(k);
    if (!wide && operands.length > 3) throw new Error('a 16-bit record holds three operands');
    for (let i = 0; i < operands.length; i++) records[k + (i < 3 ? i + 1 : i + 2)] = operands[i];
    if (form.branch !== undefined) this.resolveBranch(k + form.branch, pc);
    if (wide && records[k + slotWords] !== Special.nextPage) records[k + slotWords] = Special.undecoded;
  }

  protected addPage(page: number): number {
    const base = this.pages.length * pageWords;
    if (base + pageWords > this.records.length) this.grow();
    this.pages.push(page);
    this.memory.codeTable[page] = base;
    this.records.fill(0, base, base + pageWords);
    this.forgetSlots(base >> 2, slots);
    this.records[base + (slots - 2) * slotWords] = Special.nextPage;
    this.records[base + (slots - 1) * slotWords] = Special.nextPage;
    return base;
  }

  protected grow(): void {
    const { records } = this;
    this.records = new Int32Array(records.length * 2);
    this.records.set(records);
    const { hiddenOperation } = this;
    this.hiddenOperation = new Uint16Array(hiddenOperation.length * 2);
    this.hiddenOperation.set(hiddenOperation);
  }

  /** Bytes have changed on a page with records. */
  private written(address: number, length: number): void {
    if (this.translated?.covers(address, length)) this.translated.drop(address, length);
    // A 32-bit instruction may start in the halfword before.
    for (let at = address - (address & 1) - 2; at < address + length; at += 2) {
      const base = this.memory.codeTable[(at >>> 0) >>> 12];
      if (base === 0) continue;
      const k = base + ((at & 0xffe) << 1);
      if (this.isEmpty(k)) continue;
      const page = (at >>> 0) >>> 12;
      // IT blocks and 32-bit instructions may lie across a page's border.
      for (const near of [page - 1, page, page + 1]) this.invalidatePage(near);
    }
  }

  private invalidatePage(page: number): void {
    const base = page < 0 ? 0 : this.memory.codeTable[page];
    if (base === 0) return;
    this.translated?.dropPage(page);
    this.continued = undefined;
    this.onChange?.();
    this.records.fill(0, base, base + (slots - 2) * slotWords);
    this.forgetSlots(base >> 2, slots);
    this.memory.setCode(page, false);
  }

  private forgetPage(page: number): void {
    this.invalidatePage(page);
    this.memory.codeTable[page] = 0;
  }

  /** The interpreter stops before the instruction, unless it is told to execute what is hidden. */
  private hide(k: number): void {
    const word = this.records[k];
    if (word <= Special.translated) return;
    this.hiddenOperation[k >> 2] = word;
    this.records[k] = Special.translated;
  }

  private fill(k: number, special: number): boolean {
    this.dropWideBefore(k);
    this.records[k] = special;
    this.hiddenOperation[k >> 2] = 0;
    return true;
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
    if (this.operationAt(before) & 1) this.records[before] = Special.undecoded;
  }
}
