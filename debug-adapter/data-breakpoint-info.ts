/**
 * dataBreakpointInfo: what of the program a variable, an expression or an address means, and whether it can be watched. Only memory
 * can: what the compiler keeps in a register changes without an access.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { Value } from '../lib/dwarf/value';
import { AdapterError, errors } from './errors';
import { evaluateAtFileScope, evaluateText } from './expression-context';
import type { Inferior, LoadedExtension } from './inferior';
import type { SessionState } from './session-state';
import { requireFrame } from './stack-trace';
import { childOf } from './variables';
import { dataIdOf, type DataPlace, longestWatch } from './watched-data';
import type { WatchedFrame } from './watched-frames';

type Info = DebugProtocol.DataBreakpointInfoResponse['body'];

/** Bytes that an address without a length means. */
const wordSize = 4;

export async function dataBreakpointInfo(
  session: SessionState,
  args: DebugProtocol.DataBreakpointInfoArguments,
): Promise<Info> {
  const bytes = args.bytes;
  if (bytes !== undefined && (bytes < 1 || bytes > longestWatch)) {
    return refused(`${bytes} bytes cannot be watched: from 1 to ${longestWatch} can`);
  }
  if (args.asAddress === true) return ofAddress(session, args.name, bytes ?? wordSize);
  try {
    const { value, text } = await namedValue(session, args);
    return await ofValue(session, value, text, bytes);
  } catch (error) {
    // An expression that means nothing here is an answer, not a failure.
    if (error instanceof AdapterError && error.id === errors.badExpression('').id) return refused(error.message);
    throw error;
  }
}

function refused(description: string): Info {
  return { dataId: null, description };
}

async function namedValue(
  session: SessionState,
  { variablesReference, name, frameId }: DebugProtocol.DataBreakpointInfoArguments,
): Promise<{ value: Value; text: string }> {
  if (variablesReference !== undefined && variablesReference !== 0) {
    const child = await childOf(session, variablesReference, name);
    return { value: child.value, text: child.evaluateName ?? name };
  }
  if (frameId !== undefined) {
    const { value } = await evaluateText(await requireFrame(session, frameId), name, 'forbid');
    return { value, text: name };
  }
  return { value: await evaluateAtFileScope(session.requireInferior('dataBreakpointInfo'), name), text: name };
}

function ofAddress(session: SessionState, name: string, length: number): Info {
  if (!/^\s*(0x[0-9a-f]+|[0-9]+)\s*$/i.test(name)) {
    return refused(`'${name}' is not an address: write a decimal number, or 0x and a hexadecimal one`);
  }
  const address = BigInt(name.trim());
  if (address + BigInt(length) > 1n << 32n) return refused(`${hex(address)} is outside of the 4 GiB address space`);
  const text = hex(address, 8);
  return offered(session, { kind: 'address', text, address: text, length }, undefined);
}

async function ofValue(session: SessionState, value: Value, text: string, bytes: number | undefined): Promise<Info> {
  const { location, bitField, type } = value;
  if (location.kind !== 'memory') return refused(`'${text}' cannot be watched: ${whyNot(location)}`);
  const size =
    bytes ?? (bitField === undefined ? type.byteSize : bitEnd(bitField) - Math.floor(bitField.bitOffset / 8));
  if (size === undefined || size === 0) return refused(`'${text}' cannot be watched: its size is not known`);
  if (size > longestWatch) return refused(`'${text}' has ${size} bytes; at most ${longestWatch} can be watched`);
  const inferior = session.requireInferior('dataBreakpointInfo');
  const skipped = bitField === undefined || bytes !== undefined ? 0 : Math.floor(bitField.bitOffset / 8);
  const address = location.address + BigInt(skipped);
  const bits =
    bitField === undefined || bytes !== undefined
      ? {}
      : { bits: { bitOffset: bitField.bitOffset - 8 * skipped, bitSize: bitField.bitSize } };
  const what = { text, length: size, ...bits };
  const extension = inferior.extensionAt(address);
  const base = inferior.base?.program.toLink(address) === undefined ? undefined : inferior.base;
  const owner = extension ?? base;
  // What was asked for in bytes is no object of that type.
  const shown = bytes === undefined ? value : undefined;
  if (owner !== undefined) {
    return offered(session, await staticPlace(inferior, extension, owner.program, address, what), shown);
  }
  const frame = await session.dataBreakpoints.frames.ofAddress(address);
  const place: DataPlace =
    frame === undefined
      ? { kind: 'address', ...what, address: hex(address, 8) }
      : { kind: 'frame', ...what, address: hex(address, 8), frame: frame.number };
  return offered(session, place, shown, frame);
}

const bitEnd = ({ bitOffset, bitSize }: { bitOffset: number; bitSize: number }): number =>
  Math.ceil((bitOffset + bitSize) / 8);

/** An object with a symbol, or that an expression means anywhere in its file. */
async function staticPlace(
  inferior: Inferior,
  extension: LoadedExtension | undefined,
  program: LoadedExtension['program'],
  address: bigint,
  what: Pick<DataPlace, 'text' | 'length' | 'bits'>,
): Promise<DataPlace> {
  const found = program.symbolAt(address);
  return {
    kind: 'static',
    ...what,
    module: extension?.instance.name ?? '',
    isExpression: (await objectAtFileScope(inferior, program, what.text))?.address === address,
    ...(found === undefined ? {} : { symbol: found.symbol.name, offset: Number(found.offset) }),
    link: hex(program.toLink(address) ?? 0n),
  };
}

/** The object that an expression means at file scope: undefined when it has no meaning there. */
export async function objectAtFileScope(
  inferior: Inferior,
  program: LoadedExtension['program'],
  text: string,
): Promise<{ readonly address: bigint; readonly value: Value } | undefined> {
  try {
    const value = await evaluateAtFileScope(inferior, text, { program });
    const { location, bitField } = value;
    if (location.kind !== 'memory') return undefined;
    const skipped = bitField === undefined ? 0 : Math.floor(bitField.bitOffset / 8);
    return { address: location.address + BigInt(skipped), value };
  } catch (error) {
    if (error instanceof AdapterError) return undefined;
    throw error;
  }
}

function whyNot(location: Value['location']): string {
  switch (location.kind) {
    case 'register':
      return 'the compiler keeps it in a register here, and only memory can be watched';
    case 'pieces':
      return 'the compiler keeps it in several places here, and only memory can be watched';
    case 'unavailable':
      return location.optimizedOut ? 'it has been optimized out here' : location.reason;
    default:
      return 'it is a value without a place in memory';
  }
}

function offered(session: SessionState, place: DataPlace, value: Value | undefined, frame?: WatchedFrame): Info {
  const problem = session.dataBreakpoints.problemOfEngine();
  if (problem !== undefined) return refused(problem);
  const dataId = dataIdOf(place);
  if (value !== undefined) session.dataBreakpoints.remember(dataId, value);
  return {
    dataId,
    description: descriptionOf(place, frame),
    accessTypes: ['read', 'write', 'readWrite'],
    canPersist: place.kind === 'static',
  };
}

function descriptionOf(place: DataPlace, frame: WatchedFrame | undefined): string {
  const { text, length } = place;
  const size = length === 1 ? '1 byte' : `${length} bytes`;
  switch (place.kind) {
    case 'static':
      return `${text} (${size} in ${place.module === '' ? 'the base image' : `llext ${place.module}`})`;
    case 'frame':
      return `${text} (${size} in the frame of ${frame?.name ?? 'a function'})`;
    case 'address':
      return text === place.address ? `${text} (${size})` : `${text} (${size} at ${place.address})`;
  }
}
