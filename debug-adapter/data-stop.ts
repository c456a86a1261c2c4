/** What a stop at a data breakpoint tells: which object, its value before and after, and who accessed it where. */
import { hex } from '../lib/bytes';
import { formatValue } from '../lib/dwarf/format';
import { type SourcePosition, stripType } from '../lib/dwarf/model';
import { elementValue, isStruct, memberValue, type Value } from '../lib/dwarf/value';
import type { TargetStop, TargetWatchHit } from '../lib/target/target';
import type { UserDataBreakpoint } from './data-breakpoints';
import type { Inferior } from './inferior';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';
import { formatOptions } from './value-text';

export interface DataStopText {
  /** 'counter: 1 -> 2' */
  readonly what: string;
  /** 'written by bump() at hello.c:12' */
  readonly who: string;
  readonly position: SourcePosition | undefined;
}

/** Bytes that are shown of what has no type. */
const mostBytes = 16;

export async function dataStopTexts(
  session: SessionState,
  stop: Extract<TargetStop, { reason: 'watchpoint' }>,
): Promise<DataStopText[]> {
  const inferior = session.requireInferior('data breakpoint');
  const texts: DataStopText[] = [];
  for (const { breakpoint, hit } of session.dataBreakpoints.hitBy(stop)) {
    const { who, position } = await accessor(inferior, hit);
    texts.push({ what: await change(session, inferior, breakpoint, hit), who, position });
  }
  return texts;
}

async function accessor(inferior: Inferior, hit: TargetWatchHit): Promise<Omit<DataStopText, 'what'>> {
  const verb = hit.access === 'write' ? 'written' : 'read';
  if (hit.host === undefined) {
    const position = inferior.programAt(hit.pc)?.sourceAt(hit.pc);
    return { who: `${verb} by ${functionAt(inferior, hit.pc)}${placeText(position)}`, position };
  }
  if (inferior.target.hostSymbol(hit.pc) === undefined) return { who: `${verb} by ${hit.host}`, position: undefined };
  // It has returned: the call is before the pc.
  const call = (await inferior.target.readRegister('pc')) - 1n;
  const position = inferior.programAt(call)?.sourceAt(call);
  const caller = functionAt(inferior, call);
  return { who: `${verb} by ${hit.host}(), called by ${caller}${placeText(position)}`, position };
}

function functionAt(inferior: Inferior, pc: bigint): string {
  const name = inferior.programAt(pc)?.functionAt(pc)?.name;
  return name === undefined ? (inferior.symbolText(pc) ?? hex(pc, 8)) : `${name}()`;
}

function placeText(position: SourcePosition | undefined): string {
  return position === undefined || position.line === 0 ? '' : ` at ${baseName(position.file.path)}:${position.line}`;
}

async function change(
  session: SessionState,
  inferior: Inferior,
  breakpoint: UserDataBreakpoint,
  hit: TargetWatchHit,
): Promise<string> {
  const { place, bound } = breakpoint;
  const known = session.dataBreakpoints.valueOf(breakpoint);
  const text = place?.text ?? '';
  const [before, after, name] =
    known === undefined || bound === undefined || place === undefined
      ? [bytesText(hit.before), bytesText(hit.after), rangeText(text, hit)]
      : await typed(inferior, { value: known, text, address: bound.address, bits: place.bits }, hit);
  if (hit.access === 'read') return `${name}: ${after}`;
  return before === after ? `${name}: ${after} again` : `${name}: ${before} -> ${after}`;
}

function rangeText(text: string, { start, before }: TargetWatchHit): string {
  const size = before.length === 1 ? '1 byte' : `${before.length} bytes`;
  return text === hex(start, 8) ? `${size} at ${text}` : `${size} at ${hex(start, 8)} of ${text}`;
}

function bytesText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, mostBytes)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > mostBytes ? `${shown} ...` : shown;
}

interface Watched {
  readonly value: Value;
  readonly text: string;
  readonly address: bigint;
  readonly bits: { readonly bitOffset: number; readonly bitSize: number } | undefined;
}

/** Values before and after, and the name, of the smallest part that holds what was accessed. */
async function typed(
  inferior: Inferior,
  { value, text, address, bits }: Watched,
  hit: TargetWatchHit,
): Promise<readonly [string, string, string]> {
  const whole: Value = { ...value, location: { kind: 'memory', address }, bitField: bits };
  const part = bits === undefined ? partOf(whole, text, hit) : { value: whole, text, address };
  const size = bits === undefined ? (part.value.type.byteSize ?? 0) : Math.ceil((bits.bitOffset + bits.bitSize) / 8);
  const { data } = await inferior.target.readMemory(part.address, size);
  const before = data.slice();
  const at = Number(hit.start - part.address);
  hit.before.forEach((byte, i) => {
    if (at + i >= 0 && at + i < before.length) before[at + i] = byte;
  });
  const format = (bytes: Uint8Array): Promise<string> =>
    inferior.query(formatValue({ ...part.value, location: { kind: 'bytes', bytes } }, formatOptions(inferior)));
  return [await format(before), await format(data), part.text];
}

function partOf(value: Value, text: string, hit: TargetWatchHit): { value: Value; text: string; address: bigint } {
  const address = value.location.kind === 'memory' ? value.location.address : 0n;
  const first = Number(hit.start - address);
  const end = first + hit.before.length;
  const type = stripType(value.type);
  if (type.kind === 'array') {
    const size = type.element.byteSize ?? 0;
    const index = size === 0 ? -1 : Math.floor(first / size);
    if (index >= 0 && end <= (index + 1) * size) return partOf(elementValue(value, index), `${text}[${index}]`, hit);
  }
  if (isStruct(type)) {
    const holding = type.members.filter(
      ({ byteOffset, type: member, bitSize, baseAddress }) =>
        bitSize === undefined &&
        baseAddress === undefined &&
        first >= byteOffset &&
        end <= byteOffset + (member.byteSize ?? 0),
    );
    // Of a union no member is the one that was meant.
    if (holding.length === 1) {
      const [member] = holding;
      return partOf(memberValue(value, member), member.name === undefined ? text : `${text}.${member.name}`, hit);
    }
  }
  return { value, text, address };
}
