/**
 * Core registers as variables, with the program status register taken apart (Armv7-M architecture reference manual,
 * B1.4.2). In outer frames only what the call-frame information recovers is known.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import { bitsToDouble, bitsToFloat } from '../lib/kernel/calling-convention';
import type { FrameReference } from './stack-trace';

const notRecovered = '<not saved>';

/** By name; undefined where the frame does not know it. */
export async function registerValue({ stop, level, frame }: FrameReference, name: string): Promise<bigint | undefined> {
  const { target } = stop.inferior;
  const number = dwarfNumber(frame, name);
  if (number !== undefined) return frame.frame.registers.get(number);
  return level === 0 && target.registerNames.includes(name) ? target.readRegister(name) : undefined;
}

function dwarfNumber(frame: FrameReference['frame'], name: string): number | undefined {
  for (const [number, known] of frame.frame.machine.registers.names) if (known === name) return number;
  return undefined;
}

export async function describeRegisters(
  reference: FrameReference,
  flagsReference: (value: bigint) => number,
  floatsReference: () => number,
): Promise<DebugProtocol.Variable[]> {
  const result: DebugProtocol.Variable[] = [];
  const { registerNames: names, cpu } = reference.stop.inferior.target;
  const isFloat = (name: string): boolean => isFloatGroup(cpu.arch, name);
  for (const name of names.filter((one) => !isFloat(one))) {
    const value = await registerValue(reference, name);
    result.push(describeRegister(reference, name, value, flagsReference));
  }
  if (names.some(isFloat)) {
    const status = statusOf(cpu.arch);
    const bits = await registerValue(reference, status);
    const text = bits === undefined ? '' : `${status} ${hex(bits, 8)}`;
    result.push({ name: 'floating point', value: text, variablesReference: floatsReference() });
  }
  return result;
}

/** s0 to s31, d0 to d15 and fpscr of Arm, ft0 to ft11 and fcsr of RISC-V are a group of their own. */
const isStatusRegister = (name: string): boolean => /^(fpscr|fcsr|fflags|frm)$/.test(name);
export const isFloatRegister = (arch: string, name: string): boolean =>
  arch === 'arm' ? /^[sd]\d+$/.test(name) : /^f[ast]\d+$/.test(name);
const isFloatGroup = (arch: string, name: string): boolean => isStatusRegister(name) || isFloatRegister(arch, name);
const statusOf = (arch: string) => (arch === 'arm' ? 'fpscr' : 'fcsr');

export async function describeFloats(reference: FrameReference): Promise<DebugProtocol.Variable[]> {
  const result: DebugProtocol.Variable[] = [];
  const { target } = reference.stop.inferior;
  for (const name of target.registerNames.filter((one) => isFloatGroup(target.cpu.arch, one))) {
    const bits = await registerValue(reference, name);
    if (bits === undefined) result.push(unknownRegister(name));
    else result.push(describeFloat(name, bits, reference.level, target.registerWidth(name)));
  }
  return result;
}

function describeFloat(name: string, bits: bigint, level: number, width: 32 | 64): DebugProtocol.Variable {
  const isDouble = width === 64;
  const isStatus = isStatusRegister(name);
  const text = hex(bits, isDouble ? 16 : 8);
  // RISC-V holds a single in a wider register with all bits above it set (unprivileged specification, "NaN Boxing").
  const isBoxed = isDouble && bits >> 32n === 0xffff_ffffn;
  const single = bitsToFloat(Number(BigInt.asUintN(32, bits)));
  const number = isBoxed ? `${single} (single)` : isDouble ? bitsToDouble(bits) : single;
  return {
    name,
    value: isStatus ? text : `${text} ${number}`,
    type: isStatus ? `uint${width}_t` : isDouble ? 'double' : 'float',
    evaluateName: `$${name}`,
    variablesReference: 0,
    ...(level === 0 ? {} : { presentationHint: { attributes: ['readOnly'] } }),
  };
}

function unknownRegister(name: string): DebugProtocol.Variable {
  return { name, value: notRecovered, variablesReference: 0, presentationHint: { attributes: ['readOnly'] } };
}

function describeRegister(
  { stop, level }: FrameReference,
  name: string,
  value: bigint | undefined,
  flagsReference: (value: bigint) => number,
): DebugProtocol.Variable {
  if (value === undefined) {
    return unknownRegister(name);
  }
  const width = stop.inferior.target.registerWidth(name);
  const word = BigInt.asUintN(width, value);
  const digits = width / 4;
  const isStatus = name === 'xpsr';
  const symbol = ['pc', 'lr', 'ra', 'sp'].includes(name) ? stop.inferior.symbolText(word & ~1n) : undefined;
  const note = isStatus ? flagsText(word) : symbol && `<${symbol}>`;
  return {
    name,
    value: note === undefined ? hex(word, digits) : `${hex(word, digits)} ${note}`,
    type: `uint${width}_t`,
    evaluateName: `$${name}`,
    variablesReference: isStatus ? flagsReference(word) : 0,
    memoryReference: hex(word, 8),
    ...(level === 0 ? {} : { presentationHint: { attributes: ['readOnly'] } }),
  };
}

interface Field {
  readonly name: string;
  readonly value: string;
}

const exceptionNames = [
  'Thread mode',
  'Reset is reserved',
  'NMI',
  'HardFault',
  'MemManage',
  'BusFault',
  'UsageFault',
  'SecureFault',
  'reserved',
  'reserved',
  'reserved',
  'SVCall',
  'DebugMonitor',
  'reserved',
  'PendSV',
  'SysTick',
];

/** Fields of xPSR = APSR | IPSR | EPSR. */
export function statusFields(xpsr: bigint): Field[] {
  const word = Number(BigInt.asUintN(32, xpsr));
  const bit = (position: number): string => String((word >>> position) & 1);
  const exception = word & 0x1ff;
  const it = (((word >>> 10) & 0x3f) << 2) | ((word >>> 25) & 3);
  return [
    { name: 'N', value: bit(31) },
    { name: 'Z', value: bit(30) },
    { name: 'C', value: bit(29) },
    { name: 'V', value: bit(28) },
    { name: 'Q', value: bit(27) },
    { name: 'GE', value: String((word >>> 16) & 0xf) },
    { name: 'T', value: bit(24) },
    { name: 'IT', value: `0x${it.toString(16).padStart(2, '0')}` },
    { name: 'exception', value: `${exception} (${exceptionNames[exception] ?? `IRQ ${exception - 16}`})` },
  ];
}

/** '[nZCv T]': a set flag is upper case. */
function flagsText(xpsr: bigint): string {
  const fields = new Map(statusFields(xpsr).map(({ name, value }) => [name, value]));
  const flags = ['N', 'Z', 'C', 'V', 'Q'].map((flag) => (fields.get(flag) === '1' ? flag : flag.toLowerCase()));
  const thumb = fields.get('T') === '1' ? ' T' : ' t';
  const it = fields.get('IT') === '0x00' ? '' : ` IT=${fields.get('IT')}`;
  const mode = Number(xpsr & 0x1ffn) === 0 ? '' : ` exception ${fields.get('exception')}`;
  return `[${flags.join('')}${thumb}${it}${mode}]`;
}
