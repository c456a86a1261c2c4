/** readMemory and writeMemory. What cannot be read is counted, not an error: memory views ask for more than there is. */
import { InvalidatedEvent, MemoryEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import { errors } from './errors';
import type { SessionState } from './session-state';

const addressSpace = 2n ** 32n;

/** The address that a memory reference names; some clients send decimal numbers. */
export function parseMemoryReference(reference: string): bigint {
  const address = addressIn(reference);
  if (address === undefined) throw errors.badMemoryReference(reference);
  return address;
}

export function addressIn(reference: string): bigint | undefined {
  return /^\s*(0x[0-9a-f]+|[0-9]+)\s*$/i.test(reference) ? BigInt(reference.trim()) : undefined;
}

export async function readMemory(
  session: SessionState,
  args: DebugProtocol.ReadMemoryArguments,
): Promise<DebugProtocol.ReadMemoryResponse['body']> {
  const { target } = session.requireInferior('readMemory');
  const address = parseMemoryReference(args.memoryReference) + BigInt(args.offset ?? 0);
  if (args.count < 0) throw errors.badArguments('readMemory', `count is ${args.count}`);
  if (address < 0n || address >= addressSpace) return { address: hex(clamp(address), 8), unreadableBytes: args.count };
  const inside = Math.min(args.count, Number(addressSpace - address));
  const { data } = await target.readMemory(address, inside);
  const unreadable = args.count - data.length;
  return {
    address: hex(address, 8),
    ...(unreadable > 0 ? { unreadableBytes: unreadable } : {}),
    ...(data.length > 0 ? { data: toBase64(data) } : {}),
  };
}

function clamp(address: bigint): bigint {
  return address < 0n ? 0n : address;
}

export async function writeMemory(
  session: SessionState,
  args: DebugProtocol.WriteMemoryArguments,
  after: (action: () => void) => void,
): Promise<DebugProtocol.WriteMemoryResponse['body']> {
  const { target } = session.requireInferior('writeMemory');
  const address = parseMemoryReference(args.memoryReference) + BigInt(args.offset ?? 0);
  const data = fromBase64(args.data);
  const inRange = address >= 0n && address < addressSpace;
  if (!inRange) throw errors.memoryNotWritable(hex(clamp(address), 8));
  if (args.allowPartial !== true) {
    const { unreadable } = await target.readMemory(address, data.length);
    if (unreadable > 0) throw errors.memoryNotWritable(hex(address + BigInt(data.length - unreadable), 8));
  }
  const bytesWritten = await target.writeMemory(address, data);
  if (bytesWritten === 0 && data.length > 0) throw errors.memoryNotWritable(hex(address, 8));
  after(() => memoryChanged(session, address, bytesWritten));
  return { offset: 0, bytesWritten };
}

/** Tells the client that values that it shows may be old. */
export function memoryChanged(session: SessionState, address: bigint, count: number): void {
  session.execution.stop?.forgetFrames();
  if (session.client.supportsMemoryEvent) session.send(new MemoryEvent(hex(address, 8), 0, count));
  valuesChanged(session);
}

export function valuesChanged(session: SessionState): void {
  session.execution.stop?.forgetFrames();
  if (session.client.supportsInvalidatedEvent) session.send(new InvalidatedEvent(['variables', 'stacks']));
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw errors.badData();
  }
}
