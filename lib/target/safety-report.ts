/**
 * What a fault is about in memory that somebody owned: for a broken rule of memory safety and for a wrong free. Whose it is,
 * who allocated and freed it, and where; a debugger adds the C lines.
 */
import { hex } from '../bytes';
import type { Fault, SafetyRule, SafetyUse } from '../emulator/types';
import type { MemoryOwners, Ownership } from '../kernel/memory-owners';
import type { AddressNames } from './address-names';

/** Where something happened to the memory that a fault is about. */
export interface SafetySite {
  /** 'allocated by k_malloc' */
  readonly what: string;
  /** The instruction that called it. */
  readonly pc: bigint;
  /** 'make_buffer+0x12 in .text of hello' */
  readonly place: string;
}

export interface SafetyReport {
  /** Absent for a wrong free, which is no access. */
  readonly rule: SafetyRule | undefined;
  readonly use: SafetyUse | undefined;
  /** Whose memory it is, or where an undefined value was read. */
  readonly whose: string | undefined;
  readonly sites: readonly SafetySite[];
}

export function safetyReport(fault: Fault, owners: MemoryOwners, names: AddressNames): SafetyReport | undefined {
  const { safety, address } = fault;
  if (safety === undefined && (fault.kind !== 'unhandled-exception' || address === undefined)) return undefined;
  const { text, events } = ownership(fault, owners);
  const at = safety?.origin ?? address;
  const known = text ?? (at === undefined ? undefined : (names.describe(at) ?? names.region(at)));
  const read = safety?.origin === undefined ? '' : `the value was read at ${hex(safety.origin, 8)}: `;
  const whose = privateText(fault, names) ?? (read === '' ? known : `${read}${known}`);
  const sites = events.map(({ what, by, pc }) => ({
    what: `${what} by ${by}`,
    pc: BigInt(pc),
    place: names.describe(pc) ?? names.region(pc),
  }));
  return { rule: safety?.rule, use: safety?.use, whose, sites };
}

/** Which object of another extension it is. */
function privateText({ safety, address }: Fault, names: AddressNames): string | undefined {
  if (safety?.rule !== 'other-extension' || address === undefined) return undefined;
  const named = names.describe(address);
  return named && `${named}, which does not export it`;
}

function ownership({ safety, address }: Fault, owners: MemoryOwners): Ownership {
  if (safety?.origin !== undefined) return owners.describeOrigin(safety.origin);
  return address === undefined ? { text: undefined, events: [] } : owners.describe(address);
}
