/** The end of a session in words. */
import { hex } from '../lib/bytes';
import { stripType, type Type } from '../lib/dwarf/model';
import type { TargetStop } from '../lib/target/target';
import type { SessionState } from './session-state';

type End = Extract<TargetStop, { reason: 'exited' | 'aborted' }>;

/** "entry 'entry' of llext 'hello' returned 0 (0x00000000) after 1234 instructions" and the exit code. */
export function endOfCall(session: SessionState, stop: End): { text: string; exitCode: number } {
  const { entry, inferior } = session;
  const who = entry === undefined ? 'the program' : `entry '${entry.name}' of llext '${entry.extension.instance.name}'`;
  const count = `after ${inferior?.target.machine.instructionCount ?? 0} instructions`;
  if (stop.reason === 'aborted') return { text: `${who} ended: ${stop.message} (${count})`, exitCode: 1 };
  const type = entry === undefined ? undefined : returnType(session);
  if (type?.kind === 'void') return { text: `${who} returned (no value) ${count}`, exitCode: 0 };
  const raw = BigInt.asUintN(32, stop.returnValue);
  const signed = BigInt.asIntN(32, stop.returnValue);
  const value = type !== undefined && isUnsigned(type) ? raw : signed;
  return { text: `${who} returned ${value} (${hex(raw, 8)}) ${count}`, exitCode: Number(signed) };
}

function returnType({ entry }: SessionState): Type | undefined {
  if (entry === undefined) return undefined;
  const found = entry.extension.program.functionEnteredAt(entry.address);
  return found && stripType(found.returnType);
}

function isUnsigned(type: Type): boolean {
  const unsigned = new Set([0x02, 0x07, 0x08, 0x10]); // DW_ATE_boolean, _unsigned, _unsigned_char, _UTF
  return type.kind === 'pointer' || (type.kind === 'base' && unsigned.has(type.encoding));
}
