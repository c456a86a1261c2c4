/**
 * The dispatcher: runs translated functions where there are any and the interpreter elsewhere, finds out what is hot, and has it
 * translated. The interpreter is sampled every few thousand instructions; a guest function that is met often is translated
 * from its head, from the head of the loop it was met in, and together with the functions that it calls.
 *
 * Everything a translation relies on has a way back: code bytes, breakpoints and host calls drop the translations that cover
 * them, changed permissions of the window drop all.
 */
import { readTableOffset, writeTableOffset, type GuestMemory } from '../memory';
import type { Accounts } from '../accounts';
import type { MemoryAccess } from '../memory-access';
import type { RecordCache, TranslatedCode } from '../record-cache';
import { Stop } from '../stop';
import type { TranslationStatistics } from '../types';
import { clearTargets, CodeStore, type Body, type Compile, type Entry } from './code-store';
import type { EmitterOptions } from './emitter';
import type { Lifter } from './guest';
import { ANSWERED, LEFT, LIMIT, maximumDepth, REFUSED, UNCHECKED, UNWIND } from './layout';
import { blockOf, calleesOf, findRegion, innermostLoop, Untranslatable, type Region } from './region';
import { SlowAccess } from './slow-access';
import { translate, type AccessMode, type Callable, type RegionEmitter, type Surroundings } from './translate';
import { TranslatedAccounts } from './translated-accounts';
import { TranslationBudget } from './translation-budget';
import { findWindow, type Window } from './window';

/** What a CPU's machine gives the dispatcher. */
export interface JitHost {
  readonly memory: GuestMemory;
  readonly code: RecordCache;
  readonly access: MemoryAccess;
  /** Numbers of the state words of pc, of the stack pointer (`stack`: as the emitter numbers it), and of the mode that is 0 at every entry. */
  readonly words: { readonly pc: number; readonly sp: number; readonly stack: number; readonly mode: number };
  /** Limit of the stack pointer now. */
  limit(): number;
  strictAlignment(): boolean;
  /** Executes at most `budget` instructions from pc by the interpreter; with `untilTranslated` it ends before an entry. */
  interpret(budget: number, untilTranslated: boolean): number;
  /** The same for one instruction, which accounts know of already. */
  interpretOne(): number;
  /** While they are kept. */
  accounts(): Accounts | undefined;
  /** Adds to the machine's instruction count. */
  count(instructions: number): void;
  /** Emitter and lifter of one function. */
  frontEnd(options: EmitterOptions): { readonly emitter: RegionEmitter; readonly lifter: Lifter };
}

export interface JitOptions {
  /** WebAssembly's compiler by default; where it throws, the interpreter serves. */
  readonly compile?: Compile;
  /** Samples of a function before it is translated; 0 translates what is met first, however little has run. */
  readonly threshold?: number;
}

/** Instructions of the interpreter between two samples. */
const samplePeriod = 1024;
const defaultThreshold = 6;
/** A place that the dispatcher comes to so often, without being sampled, is hot too. */
const arrivalFactor = 8;
/** Within so many instructions: a slice ends anywhere, so in a long time the dispatcher comes to every place. */
const arrivalPeriod = 4_000_000;
/** An access that regions were left for so often is checked alone, or then by the slow functions. */
const uncheckedShared = 4;
const uncheckedAlone = 8;
/** As long as so much of what is executed is translated, what is met in the interpreter is not worth translating. */
const translatedEnough = 1000;
/** Registers that are so far above sp at most are taken for pointers into the stack. */
const maximumFrame = 1024;
const maximumEntriesOfFunction = 8;
/** Functions and instructions that are translated at once. */
const maximumFunctions = 24;
const maximumInstructions = 3000;
/** What is translated at once has at most so many instructions: the last function goes beyond the limit. */
const mostCounted = 2 * maximumInstructions + 4000;
/** Less than that is not worth the way into translated code. */
export const minimumBudget = 64;
/** A function that was found and not translated yet. */
interface Prepared {
  readonly pc: number;
  readonly emitter: RegionEmitter;
  readonly region: Region;
}

const defaultCompile: Compile = (bytes) => new WebAssembly.Module(bytes);

export class Jit implements TranslatedCode {
  /** Made when there is something to put into it. */
  private store: CodeStore | undefined;
  private refusal: string | undefined;
  private readonly starts = new Set<number>();
  private sortedStarts: number[] | undefined;
  private readonly heat = new Map<number, number>();
  private readonly arrivals = new Map<number, number>();
  private readonly entriesOf = new Map<number, number>();
  private readonly refused = new Set<number>();
  /** How often a region was left for the access of an instruction, by its address. */
  private readonly unchecked = new Map<number, number>();
  private window: Window | undefined;
  private windowKnown = false;
  private strict = false;
  private sinceSample = 0;
  private translatedAtSample = 0;
  private arrivalsSince = 0;
  private translatedCount = 0;
  /** The budget of the translated function that runs, and how much of it is in the machine's count already. */
  private budget = 0;
  private counted = 0;
  private interpretedCount = 0;
  private readonly threshold: number;
  private readonly compile: Compile;
  private readonly allowance: TranslationBudget;
  private accounts: TranslatedAccounts | undefined;

  constructor(
    private readonly host: JitHost,
    options: JitOptions = {},
  ) {
    this.threshold = options.threshold ?? defaultThreshold;
    this.compile = options.compile ?? defaultCompile;
    this.allowance = new TranslationBudget(this.threshold === 0);
    host.code.translated = this;
    host.memory.onPermissions = (page) => this.permissionsChanged(page);
  }

  /** Compiles the first module, which is where compilation is found to be refused. */
  private openStore(): CodeStore | undefined {
    if (this.store !== undefined || this.refusal !== undefined) return this.store;
    const { host } = this;
    const slow = new SlowAccess(host.memory, host.access, host.code);
    const helpers = {
      loadSlow: (address: number, code: number) => slow.load(address, code),
      storeSlow: (address: number, value: number, size: number) => slow.store(address, value, size),
      probeWrite: (address: number, bytes: number) => slow.probeWrite(address >>> 0, bytes),
      interpret: (pc: number, left: number) => this.interpretOne(pc, left),
      ask: (pc: number) => (host.code.goesThrough(pc >>> 0) ? 0 : 1),
      lowered: (pc: number, sp: number, depth: number) => {
        this.accounts?.lowered(pc, sp, depth);
        return 0;
      },
    };
    try {
      this.store = new CodeStore(host.memory, helpers, this.compile, (pc) => host.code.drop(pc));
      clearTargets(host.memory.words);
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
    }
    return this.store;
  }

  get statistics(): TranslationStatistics {
    return {
      translated: this.translatedCount,
      interpreted: this.interpretedCount,
      modules: this.store?.modules ?? 0,
      functions: this.store?.entries.size ?? 0,
      refusal: this.refusal,
    };
  }

  addFunctions(addresses: Iterable<number>): void {
    for (const address of addresses) this.addFunction(address);
  }

  addFunction(address: number): void {
    if (this.starts.has(address)) return;
    this.starts.add(address);
    this.sortedStarts = undefined;
  }

  // --- TranslatedCode: what the record cache asks and tells ----------------------------------------------------------

  has(pc: number): boolean {
    return this.store?.entries.has(pc) ?? false;
  }

  covers(address: number, length: number): boolean {
    return this.store?.covers(address, length) ?? false;
  }

  dropPage(page: number): void {
    this.store?.dropPage(page);
  }

  /** The bytes, or what is to happen there, have changed: what is translated of them is translated anew when it is met again. */
  drop(address: number, length: number): void {
    for (const pc of this.unchecked.keys()) {
      if (pc >= address && pc < address + length) this.unchecked.delete(pc);
    }
    this.forget(address, length);
  }

  private forget(address: number, length: number): void {
    for (const pc of this.store?.drop(address, length) ?? []) {
      this.heat.set(this.startOf(pc) ?? pc, this.threshold);
      this.arrivals.set(pc, this.threshold * arrivalFactor);
    }
    this.refused.clear();
    this.entriesOf.clear();
  }

  dropAll(): void {
    this.store?.clear();
    this.entriesOf.clear();
    this.refused.clear();
  }

  private permissionsChanged(page: number): void {
    this.windowKnown = false;
    // Translations may hold what they would read there as constants.
    this.store?.dropPage(page);
    const { window } = this;
    const address = page * 4096;
    if (window !== undefined && address >= window.start && address < window.end) this.dropAll();
  }

  // --- Running -----------------------------------------------------------------------------------------------------------

  /** Executes at most `budget` instructions, at least one unless the machine stops. */
  advance(budget: number): number {
    const { host } = this;
    const pc = host.memory.state[host.words.pc] >>> 0;
    if (this.refusal !== undefined) return this.interpret(budget, false);
    // In an IT block: nothing begins there.
    if (host.memory.state[host.words.mode] !== 0) return this.interpret(1, false);
    const { safety } = host.access;
    const entry = safety?.isUndefined() === true ? undefined : this.store?.entries.get(pc);
    if (entry === undefined && safety?.isUndefined() === true) return this.interpretHot(budget);
    if (entry === undefined) {
      if (this.arrive(pc)) return 0;
      return this.interpretHot(budget);
    }
    if (host.strictAlignment() !== this.strict) {
      this.strict = !this.strict;
      this.dropAll();
      return 0;
    }
    const executed = this.enter(entry, budget);
    const unchecked = host.memory.words[UNCHECKED >>> 2] >>> 0;
    if (unchecked !== 0 && executed < budget) return executed + this.accessUnchecked(unchecked);
    if (executed > 0 || host.access.stop !== Stop.none) return executed;
    return this.interpret(Math.min(budget, 1), false);
  }

  /** A region was left before the instruction at pc because no check let its access through. */
  private accessUnchecked(pc: number): number {
    const { memory, words, access } = this.host;
    const dirty = memory.dirtyCount;
    // In an IT block the machine has to look at it first.
    const executed = memory.state[words.mode] === 0 ? this.interpret(1, false) : 0;
    // The first write to a page since it became clean is the last one of its kind.
    if (memory.dirtyCount !== dirty || access.stop !== Stop.none) return executed;
    const count = (this.unchecked.get(pc) ?? 0) + 1;
    this.unchecked.set(pc, count);
    if (count === uncheckedShared || count === uncheckedAlone) this.forget(pc, 2);
    return executed;
  }

  private enter(entry: Entry, budget: number): number {
    const { memory, words } = this.host;
    memory.words[LIMIT >>> 2] = this.host.limit();
    memory.words[REFUSED >>> 2] = 0;
    memory.words[UNCHECKED >>> 2] = 0;
    memory.words[ANSWERED >>> 2] = 0;
    if (this.starts.has(entry.pc)) this.store?.showTarget(entry.pc);
    this.budget = budget;
    this.counted = 0;
    const { safety } = this.host.access;
    safety?.followStack();
    this.accounts?.enter();
    const next = entry.call(entry.pc, budget, maximumDepth);
    safety?.adoptStack();
    if (next !== UNWIND) memory.state[words.pc] = next;
    this.accounts?.leave(memory.state[words.pc] >>> 0);
    if (memory.words[ANSWERED >>> 2] !== 0) this.host.code.answered = memory.words[ANSWERED >>> 2] >>> 0;
    const executed = budget - memory.words[LEFT >>> 2];
    this.countTranslated(executed);
    return executed;
  }

  /** Brings the machine's count up to date: so many of the budget are executed. */
  private countTranslated(executed: number): void {
    const own = executed - this.counted;
    this.translatedCount += own;
    this.allowance.earnTranslated(own);
    this.counted = executed;
    this.host.count(own);
  }

  private interpret(budget: number, untilTranslated: boolean): number {
    const executed = this.host.interpret(budget, untilTranslated);
    this.interpretedCount += executed;
    this.allowance.earnInterpreted(executed);
    return executed;
  }

  /** By the interpreter, with samples, as far as an entry. */
  private interpretHot(budget: number): number {
    const { memory, words, access } = this.host;
    let done = 0;
    while (done < budget && access.stop === Stop.none) {
      const executed = this.interpret(Math.min(budget - done, samplePeriod - this.sinceSample), true);
      done += executed;
      this.sinceSample += executed;
      const pc = memory.state[words.pc] >>> 0;
      if (this.sinceSample >= samplePeriod) {
        this.sinceSample = 0;
        if (access.stop === Stop.none) this.sample(pc);
      }
      if (executed === 0 || this.has(pc) || memory.state[words.mode] !== 0) break;
    }
    return done;
  }

  /** For translated code, which goes on at the address that this returns. */
  private interpretOne(pc: number, left: number): number {
    const { memory, words, access } = this.host;
    const generation = this.store?.generation;
    memory.state[words.pc] = pc;
    access.safety?.adoptStack();
    // The instruction itself is charged; it may read the count.
    this.countTranslated(this.budget - left - 1);
    const executed = this.host.interpretOne();
    this.interpretedCount += executed;
    this.allowance.earnInterpreted(executed);
    if (executed === 0) this.accounts?.refuse(pc >>> 0);
    else this.accounts?.executed(pc, memory.state[words.sp] >>> 0);
    this.counted += executed;
    memory.words[LEFT >>> 2] = left + 1 - executed;
    memory.words[LIMIT >>> 2] = this.host.limit();
    const isPlain = memory.state[words.mode] === 0 && access.safety?.isUndefined() !== true;
    const goesOn = executed === 1 && access.stop === Stop.none && isPlain;
    return goesOn && generation === this.store?.generation ? memory.state[words.pc] : UNWIND;
  }

  // --- What is hot -------------------------------------------------------------------------------------------------------

  /** The function that an address is in, as far as is known. */
  private startOf(pc: number): number | undefined {
    const sorted = (this.sortedStarts ??= [...this.starts].sort((a, b) => a - b));
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] <= pc) low = middle + 1;
      else high = middle;
    }
    return sorted[low - 1];
  }

  private sample(pc: number): void {
    const translated = this.translatedCount - this.translatedAtSample;
    this.translatedAtSample = this.translatedCount;
    if (translated > samplePeriod * translatedEnough) return;
    const key = this.startOf(pc) ?? pc;
    const heat = (this.heat.get(key) ?? 0) + 1;
    this.heat.set(key, heat);
    if (heat < this.threshold || this.allowance.available <= 0) return;
    this.heat.set(key, 0);
    this.promote(pc);
  }

  /** The dispatcher has come to an address without an entry; true when it has one now. */
  private arrive(pc: number): boolean {
    const now = this.translatedCount + this.interpretedCount;
    if (now - this.arrivalsSince > arrivalPeriod) {
      this.arrivalsSince = now;
      this.arrivals.clear();
    }
    const count = (this.arrivals.get(pc) ?? 0) + 1;
    this.arrivals.set(pc, count);
    if (count < this.threshold * arrivalFactor || this.allowance.available <= 0) return false;
    this.arrivals.set(pc, 0);
    // Behind what is known of the function before it: called through a pointer, it is one itself.
    const start = this.startOf(pc);
    const known = start === undefined || start === pc ? undefined : this.prepare(start);
    if (known !== undefined && blockOf(known.region, pc) < 0) this.addFunction(pc);
    return this.translateAll([pc]);
  }

  /** Translates the function at `pc` from its head and from where it will be entered again soon. */
  private promote(pc: number): void {
    const start = this.startOf(pc);
    const prepared = start === undefined ? undefined : this.prepare(start);
    const region = prepared?.region;
    const block = region === undefined ? -1 : blockOf(region, pc);
    if (region === undefined || start === undefined || block < 0) {
      if (this.host.memory.state[this.host.words.mode] === 0) this.translateAll([pc]);
      return;
    }
    const loop = innermostLoop(region, block);
    const wanted = [start, ...(loop === undefined ? [] : [loop])].filter((entry) => !this.has(entry));
    // What is sampled although both are there is entered from elsewhere.
    const here = region.blocks[block];
    this.translateAll(wanted.length > 0 || here.mode !== 0 ? wanted : [here.start], prepared);
  }

  // --- Translating ---------------------------------------------------------------------------------------------------

  private options(): EmitterOptions {
    if (!this.windowKnown) {
      const { memory, words } = this.host;
      this.window = findWindow(memory.readTable, memory.state[words.sp] >>> 12);
      this.windowKnown = true;
    }
    return {
      readTable: readTableOffset,
      writeTable: writeTableOffset,
      window: this.window,
      strictAlignment: this.strict,
      shadow: this.host.access.safety?.plan(),
    };
  }

  /** Translates the entries and what they call, as one module; whether the first of them has a translation now. */
  private translateAll(entries: readonly number[], prepared?: Prepared): boolean {
    const store = this.openStore();
    if (this.accounts?.hasRoom(mostCounted) === false) {
      this.dropAll();
      this.accounts.reset();
    }
    const limit = Math.min(maximumInstructions, this.allowance.available);
    // A function that begins with its loop has one entry for both.
    const wanted = [...new Set(entries)].filter((entry) => this.takesEntry(entry));
    const bodies: Prepared[] = [];
    const seen = new Set(wanted);
    const work = [...wanted];
    let instructions = 0;
    for (let pc = work.shift(); pc !== undefined; pc = work.shift()) {
      if (bodies.length >= maximumFunctions || instructions > limit) break;
      const found = prepared?.pc === pc ? prepared : this.prepare(pc);
      if (found === undefined) continue;
      bodies.push(found);
      instructions += found.region.instructions;
      for (const callee of calleesOf(found.region)) {
        this.addFunction(callee);
        if (seen.has(callee) || this.has(callee)) continue;
        seen.add(callee);
        work.push(callee);
      }
    }
    if (store === undefined || bodies.length === 0) return false;
    this.allowance.spend(instructions);
    const index = new Map(bodies.map(({ pc }, i) => [pc, i]));
    const callable = (address: number): Callable => {
      const own = index.get(address);
      if (own !== undefined) return { index: own };
      if (!this.starts.has(address) || this.host.code.hostCalls.has(address)) return undefined;
      const slot = store.slotOf(address);
      return slot === undefined ? undefined : { slot };
    };
    const surroundings: Surroundings = {
      callable,
      accessMode: (pc) => this.accessMode(pc),
      isBreakpoint: (pc) => this.host.code.breakpoints.has(pc),
      stackPointers: 1 << this.host.words.sp,
      accounts: this.accounts,
      stackWord: this.host.words.stack,
    };
    const here = { ...surroundings, stackPointers: this.stackPointers() };
    const made = bodies.map(({ pc, emitter, region }): Body => {
      // What registers are now tells about the entries that are wanted now.
      const around = wanted.includes(pc) ? here : surroundings;
      return { pc, body: translate(emitter, region, around), ranges: region.ranges };
    });
    store.add(made);
    return this.has(entries[0]);
  }

  private accessMode(pc: number): AccessMode {
    const count = this.unchecked.get(pc) ?? 0;
    return count < uncheckedShared ? 'shared' : count < uncheckedAlone ? 'alone' : 'slow';
  }

  /** sp, and registers that look like frame pointers. */
  private stackPointers(): number {
    const { memory, words } = this.host;
    const sp = memory.state[words.sp];
    let pointers = 1 << words.sp;
    for (let word = 0; word < 32; word++) {
      const distance = (memory.state[word] - sp) >>> 0;
      if (word < words.pc && distance < maximumFrame) pointers |= 1 << word;
    }
    return pointers;
  }

  private prepare(pc: number): Prepared | undefined {
    if (this.refused.has(pc)) return undefined;
    const options = this.options();
    if (!this.isTranslatable(pc, options)) return undefined;
    const { emitter, lifter } = this.host.frontEnd(options);
    try {
      const region = findRegion(pc, lifter, (address) => address !== pc && this.starts.has(address));
      const [first] = region.blocks;
      if (first.guests.length > 0 && first.guests[0].flow !== 'stop') return { pc, emitter, region };
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error;
    }
    this.refused.add(pc);
    return undefined;
  }

  /** While memory safety is checked, only the extension's code, and with the stack in the window. */
  private isTranslatable(pc: number, { shadow, window }: EmitterOptions): boolean {
    if (shadow === undefined) return true;
    const stack = window?.stack;
    if (stack === undefined || shadow.stackStart < stack.start || shadow.stackEnd > stack.end) return false;
    return this.host.access.safety?.isHostCode(pc) !== true;
  }

  /** Accounts are kept from now on, or no longer. */
  accountsChanged(): void {
    this.dropAll();
    const accounts = this.host.accounts();
    this.accounts = accounts && new TranslatedAccounts(this.host.memory, accounts);
  }

  /** Memory safety is checked from now on, or no longer. */
  safetyChanged(): void {
    this.dropAll();
    this.unchecked.clear();
  }

  /** So many entries of one function, so that odd places to come back to do not multiply it. */
  private takesEntry(pc: number): boolean {
    if (this.has(pc) || this.refused.has(pc)) return false;
    const start = this.startOf(pc) ?? pc;
    const count = this.entriesOf.get(start) ?? 0;
    if (count >= maximumEntriesOfFunction) return false;
    this.entriesOf.set(start, count + 1);
    return true;
  }
}
