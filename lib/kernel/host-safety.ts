/**
 * Memory safety at the border to the host: what an extension hands to a function of the base image must be its own, and written
 * where the function uses it. Made anew when the checks are turned on.
 */
import { hex } from '../bytes';
import type { MemorySafety } from '../emulator/safety/memory-safety';
import { Shadow, undefinedFlags } from '../emulator/safety/shadow';
import type { SafetyFinding } from '../emulator/types';

/** An argument breaks a rule. */
export class UnsafeArgument extends Error {
  constructor(
    readonly finding: SafetyFinding,
    readonly text: string,
    readonly address: number | undefined,
    readonly size: number | undefined,
    readonly access: 'read' | 'write' | undefined,
    readonly argument: string,
  ) {
    super(text);
    this.name = 'UnsafeArgument';
  }
}

export class HostSafety {
  /** The parameter whose value is being taken. */
  private parameter = 'an argument';

  /** `caller`: the call in progress, where it can be told. */
  constructor(
    private readonly safety: MemorySafety,
    private readonly caller: () => number | undefined,
  ) {}

  takes(parameter: string): void {
    this.parameter = parameter;
  }

  /** The host's function reads or writes memory of its caller. `uses`: what it reads decides something. */
  check(address: number, length: number, access: 'read' | 'write', argument: string, uses = true): void {
    const { safety } = this;
    if (safety.ignoring) return;
    const { shadow } = safety;
    const what = `${access} ${length === 1 ? 'a byte' : `${length} bytes`} at ${hex(address, 8)}`;
    const foreign = safety.has('outside') ? shadow.find(address, length, Shadow.foreign) : -1;
    if (foreign >= 0) {
      const text = `${argument}: it would ${what}, of which ${hex(foreign, 8)} is not the extension's`;
      throw new UnsafeArgument({ rule: 'outside', argument }, text, foreign, length, access, argument);
    }
    const constant = access === 'write' && safety.has('read-only') ? shadow.find(address, length, Shadow.readOnly) : -1;
    if (constant >= 0) {
      const text = `${argument}: it would ${what}, of which ${hex(constant, 8)} is read-only`;
      throw new UnsafeArgument({ rule: 'read-only', argument }, text, constant, length, access, argument);
    }
    this.checkOwner(address, length, access, argument, what);
    if (access === 'read' && uses && safety.has('uninitialised')) this.checkWritten(address, length, argument);
  }

  private checkOwner(address: number, length: number, access: 'read' | 'write', argument: string, what: string): void {
    const { safety } = this;
    const first = safety.has('other-extension') ? safety.shadow.find(address, length, Shadow.private) : -1;
    const pc = first < 0 ? undefined : this.caller();
    if (pc === undefined || !safety.isOthers(first, pc)) return;
    const text = `${argument}: it would ${what}, of which ${hex(first, 8)} is private to another extension`;
    throw new UnsafeArgument({ rule: 'other-extension', argument }, text, first, length, access, argument);
  }

  private checkWritten(address: number, length: number, argument: string): void {
    const at = this.safety.shadow.find(address, length, undefinedFlags);
    if (at < 0) return;
    const isValue = argument === 'the stack' || argument === 'args';
    const name = isValue ? this.parameter : argument;
    const text = isValue
      ? `${name} was never written (it is passed at ${hex(at, 8)})`
      : `${name}: the byte at ${hex(at, 8)}, which it uses, was never written`;
    const finding: SafetyFinding = {
      rule: 'uninitialised',
      use: isValue ? 'argument' : 'memory',
      origin: at,
      argument: name,
    };
    throw new UnsafeArgument(finding, text, isValue ? undefined : at, length, 'read', name);
  }

  /** An argument is taken from a state word. */
  checkWord(word: number): void {
    const { safety } = this;
    if (safety.ignoring || !safety.has('uninitialised') || safety.bits[word] === 0) return;
    const text = `${this.parameter} was never written`;
    const finding: SafetyFinding = {
      rule: 'uninitialised',
      use: 'argument',
      origin: safety.origin,
      argument: this.parameter,
    };
    throw new UnsafeArgument(finding, text, undefined, undefined, undefined, this.parameter);
  }

  copied(to: number, undefinedBits: Uint8Array): void {
    undefinedBits.forEach((bits, i) => this.safety.shadow.setUndefinedAt(to + i, bits));
  }

  undefinedBits(address: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.safety.shadow.undefinedAt(address + i));
  }
}
