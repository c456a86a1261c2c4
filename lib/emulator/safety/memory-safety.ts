/**
 * Checks the memory safety of an extension while it runs: whose memory an access touches, by the shadow of the guest bytes, and
 * whether values were ever written, by "V bits" of registers and memory (safety/bits.ts). Reading and copying undefined
 * values is allowed; a branch, an address or a jump that depends on one stops before the instruction.
 *
 * The V bits of the state's words lie in the upper half of the state's page, and the stack pointer as the shadow knows it in its last word:
 * with the planes of shadow.ts and SafetyState that is all state there is, whatever the rules are: a snapshot has all of it. The base
 * image's own code may access everything.
 */
import { hex } from '../../bytes';
import type { ShadowPlan } from '../jit/shadow-ops';
import type { MemoryAccess } from '../memory-access';
import type { RecordCache } from '../record-cache';
import type { PendingFault } from '../stop';
import type { SafetyRule, SafetyUse } from '../types';
import { Shadow, ShadowMemory, undefinedFlags } from './shadow';

/** From a state word to its V bits, and the words that have any. */
export const bitsOffset = 512;
export const trackedWords = 140;
const knownSpWord = 1023;

const useTexts: Readonly<Record<SafetyUse, string>> = {
  branch: 'a branch depends on a value that was never written',
  address: 'the address of an access depends on a value that was never written',
  target: 'the target of a jump depends on a value that was never written',
  'stack pointer': 'the stack pointer depends on a value that was never written',
  argument: 'an argument was never written',
  memory: 'bytes were never written',
};

type AccessRule = Exclude<SafetyRule, 'execute' | 'uninitialised'>;

/** A core, as far as it is looked at. */
export interface CheckedCore extends MemoryAccess {
  readonly code: RecordCache;
}

/** What is neither in memory nor in the CPU's state. */
export interface SafetyState {
  readonly origin: number | undefined;
  readonly stackBase: number;
  readonly stackEnd: number;
}

export class MemorySafety {
  readonly shadow: ShadowMemory;
  /** V bits of the words on their way from or to memory, of the high word of a load of 64 bits, of a shift's carry. */
  readonly transfer = new Int32Array(32);
  upper = 0;
  carry = 0;
  /** V bits of what has none. */
  nothing = 0;
  /** Record index of the instruction in progress; -1 = it is translated code. */
  position = -1;
  /** Nothing stops the instruction in progress: its user has seen why it would. */
  ignoring = false;
  /** Where the last value with unwritten bytes was read. */
  origin: number | undefined;
  /** Whether the code at pc accesses data that are private to another extension. */
  isOthers: (address: number, pc: number) => boolean = () => false;
  private maybeUndefined = false;
  private stackBase = 0;
  private stackEnd = 0;
  private enabled: ReadonlySet<SafetyRule>;

  constructor(
    private readonly core: CheckedCore,
    /** The state word of the stack pointer. */
    private readonly spWord: number,
    rules: readonly SafetyRule[],
  ) {
    this.enabled = new Set(rules);
    const { memory } = core;
    this.shadow = new ShadowMemory(memory);
    memory.shadow = {
      mapped: (page) => this.shadow.setAll(page * 4096, 4096, Shadow.foreign),
      written: (address, length) => this.shadow.change(address, length, undefinedFlags, 0),
    };
    this.bits.fill(0);
    this.knownSp = memory.state[spWord];
  }

  close(): void {
    this.core.memory.shadow = undefined;
  }

  get rules(): readonly SafetyRule[] {
    return [...this.enabled];
  }

  set rules(rules: readonly SafetyRule[]) {
    this.enabled = new Set(rules);
  }

  has(rule: SafetyRule): boolean {
    return this.enabled.has(rule);
  }

  get state(): SafetyState {
    const { origin, stackBase, stackEnd } = this;
    return { origin, stackBase, stackEnd };
  }

  /** As it was; memory and registers are restored too. */
  set state({ origin, stackBase, stackEnd }: SafetyState) {
    this.origin = origin;
    this.stackBase = stackBase;
    this.stackEnd = stackEnd;
    this.maybeUndefined = true;
    this.core.memory.shadowStack = { base: stackBase, size: stackEnd - stackBase };
  }

  /** V bits of the state words. */
  get bits(): Int32Array {
    return this.core.memory.state.subarray(bitsOffset, bitsOffset + trackedWords);
  }

  // --- Whose memory is what: told by who knows ---------------------------------------------------------------------------

  /** The extension may access it, and finds it written or not. */
  own(address: number, length: number, isWritten: boolean): void {
    this.shadow.setAll(address, length, isWritten ? 0 : Shadow.unwritten);
  }

  /** RODATA, or TEXT. */
  ownReadOnly(address: number, length: number, isExecutable: boolean): void {
    this.shadow.setAll(address, length, Shadow.readOnly | (isExecutable ? Shadow.executable : 0));
    if (isExecutable) this.dropCode(address, length);
  }

  /** It is no longer the extension's, or never was. */
  disown(address: number, length: number): void {
    const { shadow } = this;
    const wasCode = shadow.find(address, length, Shadow.executable) >= 0;
    shadow.setAll(address, length, Shadow.foreign);
    if (wasCode) this.dropCode(address, length);
  }

  /** The base image's own: its code may be executed, and may access everything. */
  addHost(address: number, length: number, isExecutable: boolean): void {
    this.shadow.setAll(address, length, Shadow.foreign | Shadow.host | (isExecutable ? Shadow.executable : 0));
  }

  /** An object of the base image that extensions may import. */
  lend(address: number, length: number, isWritable: boolean): void {
    this.shadow.change(address, length, Shadow.foreign, isWritable ? 0 : Shadow.readOnly);
  }

  /** A call begins on the stack [base, end), on which the host has put what lies above the stack pointer. All registers are defined. */
  beginCall(base: number, end: number): void {
    this.stackBase = base;
    this.stackEnd = end;
    this.core.memory.shadowStack = { base, size: end - base };
    this.bits.fill(0);
    const sp = this.core.memory.state[this.spWord] >>> 0;
    this.shadow.setAll(base, sp - base, Shadow.foreign | Shadow.unwritten);
    this.shadow.setAll(sp, end - sp, 0);
    this.knownSp = sp;
  }

  /** A call is in progress: what lies above the stack pointer is taken as written. */
  adoptCall({ base, size }: { readonly base: number; readonly size: number }): void {
    this.beginCall(base, base + size);
  }

  private dropCode(address: number, length: number): void {
    for (let at = address; at < address + length; at += 4096 - (at & 0xfff)) {
      this.core.memory.onCodeWrite(at, Math.min(4096 - (at & 0xfff), address + length - at));
    }
  }

  // --- Accesses ----------------------------------------------------------------------------------------------------------

  /** True, with the fault set, when the access breaks a rule. */
  refuses(address: number, size: number, access: 'read' | 'write'): boolean {
    const { shadow } = this;
    const finding = this.ruleBroken(shadow.flagsOf(address, size), address, size, access);
    if (finding === undefined || this.ignoring || !this.has(finding) || this.isHostCode()) return false;
    const wrong = finding === 'read-only' ? Shadow.readOnly : Shadow.foreign;
    const isWhole = finding === 'misaligned' || finding === 'other-extension';
    const at = isWhole ? address : shadow.find(address, size, wrong);
    const where = hex(at, 8);
    const what = `${access} of ${size} byte${size === 1 ? '' : 's'}`;
    const wrongs: Readonly<Record<typeof finding, string>> = {
      outside: "not the extension's",
      'other-extension': 'private to another extension',
      'read-only': 'read-only',
      misaligned: `not a multiple of ${size}`,
    };
    const message = `${what} at ${where}, which is ${wrongs[finding]}`;
    this.core.fail({ kind: 'memory-safety', message, access, address: at, size, safety: { rule: finding } });
    return true;
  }

  private ruleBroken(flags: number, address: number, size: number, access: 'read' | 'write'): AccessRule | undefined {
    if (flags & Shadow.foreign) return 'outside';
    if (access === 'write' && flags & Shadow.readOnly) return 'read-only';
    if (flags & Shadow.private && this.isOthersNow(address)) return 'other-extension';
    return size <= 4 && (address & (size - 1)) !== 0 ? 'misaligned' : undefined;
  }

  /** Translated code cannot tell: the interpreter looks at each. */
  private isOthersNow(address: number): boolean {
    return this.position < 0 || this.isOthers(address, this.core.code.addressOf(this.position));
  }

  /** Whether instructions there are the base image's; by default that of the instruction in progress. */
  isHostCode(address?: number): boolean {
    if (address !== undefined) return (this.shadow.flagsAt(address) & Shadow.host) !== 0;
    return this.position >= 0 && this.isHostCode(this.core.code.addressOf(this.position));
  }

  /** What translated code needs to know. */
  plan(): ShadowPlan {
    const others = this.has('other-extension') ? Shadow.private : 0;
    return { distance: this.shadow.distance, stackStart: this.stackBase, stackEnd: this.stackEnd, others };
  }

  /** True, with the fault set, when a jump goes where no code is. What Arm's exceptions return to is no address: its fetch decides. */
  refusesTarget(target: number): boolean {
    const address = (target & ~1) >>> 0;
    const isMapped = this.core.memory.hostAddress(address) >= 0;
    const fault = this.fetchFault(address);
    if (fault === undefined || (!isMapped && address >>> 24 === 0xff)) return false;
    const message = isMapped ? fault.message : `execution at ${hex(address, 8)}, where no memory is`;
    this.core.fail({ ...fault, message });
    return true;
  }

  fetchFault(address: number): PendingFault | undefined {
    if (!this.has('execute') || this.ignoring) return undefined;
    if (this.shadow.flagsAt(address) & Shadow.executable || this.core.code.hostCalls.has(address)) return undefined;
    return {
      kind: 'memory-safety',
      message: `execution of what lies at ${hex(address, 8)}, which is no code`,
      access: 'execute',
      address,
      size: 2,
      safety: { rule: 'execute' },
    };
  }

  // --- Undefined values ----------------------------------------------------------------------------------------------------

  /** Something is decided by undefined bits. True, with the fault set, when that stops. */
  uses(use: SafetyUse): boolean {
    if (this.ignoring || !this.has('uninitialised')) return false;
    const safety = { rule: 'uninitialised', use, origin: this.origin } as const;
    this.core.fail({ kind: 'memory-safety', message: useTexts[use], safety });
    return true;
  }

  /** Whether a register may be undefined: translated code must not run then. */
  isUndefined(): boolean {
    if (!this.maybeUndefined) return false;
    this.maybeUndefined = this.bits.some((each) => each !== 0);
    return this.maybeUndefined;
  }

  /** Everything in registers is taken as written. */
  defineRegisters(): void {
    this.bits.fill(0);
    this.maybeUndefined = false;
  }

  /** The host has written the result of a call, which begins in a state word. */
  defineResult(word: number): void {
    this.bits.fill(0, word, word + 4);
  }

  /** V bits of a value in memory, of at most 32 bits; of more, whether there are any. */
  loaded(address: number, size: number): number {
    const { shadow } = this;
    if ((shadow.flagsOf(address, size) & undefinedFlags) === 0) return 0;
    let bits = 0;
    for (let i = 0; i < size; i++) {
      const each = shadow.undefinedAt(address + i);
      bits = size > 4 ? bits | (each === 0 ? 0 : -1) : bits | (each << (8 * i));
    }
    this.maybeUndefined = true;
    this.origin = address >>> 0;
    return bits;
  }

  /** V bits of a load that extends a smaller value. */
  extended(bits: number, size: number, signed: number): number {
    return signed === 0 || size === 4 ? bits : (bits << (32 - 8 * size)) >> (32 - 8 * size);
  }

  /** A value with these V bits was stored. */
  stored(address: number, size: number, bits: number): void {
    const { shadow } = this;
    if (bits === 0 && (shadow.flagsOf(address, size) & undefinedFlags) === 0) return;
    for (let i = 0; i < size; i++) {
      shadow.setUndefinedAt(address + i, size > 4 ? (bits === 0 ? 0 : 0xff) : (bits >>> (8 * i)) & 0xff);
    }
  }

  loadedMultiple(address: number, count: number): void {
    for (let i = 0; i < count; i++) this.transfer[i] = this.loaded(address + 4 * i, 4);
  }

  storedMultiple(address: number, count: number): void {
    for (let i = 0; i < count; i++) this.stored(address + 4 * i, 4, this.transfer[i]);
  }

  /** Two words of the state, as one: -1 when any bit is undefined. */
  pair(word: number): number {
    const { bits } = this;
    return (bits[word] | bits[word + 1]) === 0 ? 0 : -1;
  }

  setPair(word: number, bits: number): void {
    this.bits[word] = this.bits[word + 1] = bits === 0 ? 0 : -1;
  }

  /** Shift_C() of the Arm manual; types as in arm/immediates.ts. */
  shift(bits: number, type: number, amount: number, carry: number): number {
    this.carry = carry;
    if (bits === 0 && carry === 0) return 0;
    if (amount !== 0) this.carry = bits === 0 ? 0 : 1;
    if (type === 4) return (bits >>> 1) | (carry << 31);
    if (amount === 0) return bits;
    if (type === 0) return bits << amount;
    if (type === 1) return amount === 32 ? 0 : bits >>> amount;
    return type === 2 ? bits >> Math.min(amount, 31) : (bits >>> amount) | (bits << (32 - amount));
  }

  // --- The stack ---------------------------------------------------------------------------------------------------------

  private get knownSp(): number {
    return this.core.memory.state[knownSpWord] >>> 0;
  }

  private set knownSp(value: number) {
    this.core.memory.state[knownSpWord] = value;
  }

  /** The stack pointer is about to become `value`: what comes to be above it was never written. */
  lowerStack(value: number): void {
    const to = value >>> 0;
    const known = this.knownSp;
    if (to >= known) return;
    if (to >= this.stackBase && known <= this.stackEnd) this.own(to, known - to, false);
    this.knownSp = to;
  }

  /** The stack pointer has become another one: what is below it now is nobody's. */
  followStack(): void {
    const sp = this.core.memory.state[this.spWord] >>> 0;
    const known = this.knownSp;
    if (sp === known) return;
    if (sp < known) return this.lowerStack(sp);
    const isInside = known >= this.stackBase && sp <= this.stackEnd;
    if (isInside) this.shadow.setAll(known, sp - known, Shadow.foreign | Shadow.unwritten);
    this.knownSp = sp;
  }

  /** The shadow follows already: translated code has done it. */
  adoptStack(): void {
    this.knownSp = this.core.memory.state[this.spWord];
  }
}
