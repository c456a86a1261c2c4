/**
 * A fault of the engine or of a host function in words: what was tried, at which address, what is there, and which
 * instruction of whom did it. The message is one line.
 */
import { hex } from '../bytes';
import type { Fault } from '../emulator/types';
import type { MemoryOwners } from '../kernel/memory-owners';
import { safetyReport, type SafetyReport } from './safety-report';
import type { AddressNames } from './address-names';
import type { FaultReport } from './target';

const PAGE = 4096;

function encodingText(fault: Fault): string | undefined {
  if (fault.encoding === undefined) return undefined;
  const digits = (value: number): string => (value >>> 0).toString(16).padStart(4, '0');
  if (fault.encodingLength !== 4) return digits(fault.encoding & 0xffff);
  return `${digits(fault.encoding >>> 16)} ${digits(fault.encoding & 0xffff)}`;
}

/** What is at the address, when anything is: the engine's sentence has the address itself. */
function placeText(fault: Fault, names: AddressNames): string {
  if (fault.address === undefined || fault.address === fault.pc) return '';
  if (fault.address < PAGE) return ' (a NULL pointer)';
  if (fault.kind === 'unmapped') return '';
  return ` (${names.describe(fault.address) ?? names.region(fault.address)})`;
}

/** Code of a real base image reaches for what only its board has. */
function deviceText({ kind, access, address, pc }: Fault, names: AddressNames): string {
  const isDevice = kind === 'unmapped' && access !== 'execute' && address !== undefined && address >= PAGE;
  return isDevice && names.baseSymbolAt(pc) !== undefined ? ' (a session has no devices of the board)' : '';
}

const sitesText = (safety: SafetyReport | undefined): string =>
  (safety?.sites ?? []).map(({ what, pc, place }) => `, ${what} at ${hex(Number(pc), 8)} ${place}`).join('');

/** `owners`: while memory safety is checked. */
export function faultReport(
  fault: Fault,
  names: AddressNames,
  owners?: MemoryOwners,
  stack?: FaultReport['stack'],
): FaultReport {
  const safety = owners && safetyReport(fault, owners, names);
  const encoding = encodingText(fault);
  const code = encoding === undefined ? '' : ` (encoding ${encoding})`;
  const who = names.describe(fault.pc) ?? names.region(fault.pc);
  const sentence = fault.message.replace(/\.$/, '') + deviceText(fault, names);
  const place = safety?.whose === undefined ? placeText(fault, names) : ` (${safety.whose})`;
  const depth = stack === undefined ? '' : `, with ${stack.used} of the stack's ${stack.size} bytes used`;
  const what = `${sentence}${place}${depth}`;
  return {
    kind: fault.kind,
    message: `${what}${sitesText(safety)}; at ${hex(fault.pc, 8)} ${who}${code}`,
    what,
    who,
    pc: BigInt(fault.pc),
    address: fault.address === undefined ? undefined : BigInt(fault.address),
    access: fault.access,
    region: fault.address === undefined ? undefined : names.region(fault.address),
    encoding,
    ...(safety && { safety }),
    ...(stack && { stack }),
  };
}
