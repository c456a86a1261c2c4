/**
 * restartFrame: a function that is on the stack is called again, with the arguments that it was called with where the
 * compiler kept them, else with what its parameters hold now. Everything that it called is dropped. Memory stays as it is.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { decodeUnsigned } from '../lib/bytes';
import type { FunctionInfo } from '../lib/dwarf/model';
import type { FrameInfo } from '../lib/dwarf/unwind';
import type { Frame } from '../lib/dwarf/unwind-frame';
import { valueBytes, variableValue } from '../lib/dwarf/value';
import { argumentPlaces } from '../lib/program/argument-registers';
import { callAbiOf } from '../lib/program/return-value';
import { errors } from './errors';
import type { Inferior } from './inferior';
import type { SessionState } from './session-state';
import { requireFrame, restartable } from './stack-trace';
import type { Stop } from './stop';

export async function restartFrame(
  session: SessionState,
  args: DebugProtocol.RestartFrameArguments,
  after: (action: () => void) => void,
): Promise<void> {
  const { stop, level, frame } = await requireFrame(session, args.frameId);
  const { inferior } = stop;
  const called = restartable(frame);
  if (typeof called === 'string') throw errors.noRestart(frame.name ?? 'this frame', called);
  const program = inferior.programAt(frame.lookupPc);
  const entry = program?.toLoad(called.entryPc);
  const caller = await callerOf(stop, level, frame.frame);
  if (program === undefined || entry === undefined || caller === undefined) {
    throw errors.noRestart(called.name, 'what called it is not known');
  }
  const values = await argumentValues(inferior, frame, called);
  if (typeof values === 'string') throw errors.noRestart(called.name, values);
  for (const [register, value] of [...callState(frame.frame, caller, inferior), ...values]) {
    await writeRegister(inferior, register, value);
  }
  await inferior.target.writeRegister('pc', entry);
  after(() => session.execution.run((stepper) => stepper.runToEntry(entry), 'restart'));
}

/** The next frame outwards that the machine has. */
async function callerOf(stop: Stop, level: number, inner: Frame): Promise<Frame | undefined> {
  for (let outer = level + 1; ; outer++) {
    const frame = (await stop.frame(outer))?.frame;
    if (frame === undefined || (frame !== inner && !frame.tailCall)) return frame;
  }
}

/** Registers as they were when the call was made. */
function callState(frame: Frame, caller: Frame, { target }: Inferior): [number, bigint][] {
  const { calleeSaved, stackPointer, returnAddress } = frame.machine.registers;
  const saved = calleeSaved.flatMap((register): [number, bigint][] => {
    const value = caller.registers.get(register);
    return value === undefined ? [] : [[register, value]];
  });
  const sp = frame.canonicalFrameAddress ?? caller.registers.get(stackPointer);
  const thumb = target.cpu.arch === 'arm' ? 1n : 0n;
  return [
    ...saved,
    ...(sp === undefined ? [] : [[stackPointer, sp] as [number, bigint]]),
    [returnAddress, caller.pc | thumb],
  ];
}

/** Values of the argument registers, or which parameter is lost. */
async function argumentValues(
  inferior: Inferior,
  { frame, scopes }: FrameInfo,
  { returnType }: FunctionInfo,
): Promise<[number, bigint][] | string> {
  const parameters = scopes.at(-1)?.variables.filter(({ isParameter }) => isParameter) ?? [];
  const program = inferior.programAt(frame.lookupPc);
  if (program === undefined) return 'there is no debug information for it';
  const abi = callAbiOf(program.program.elf);
  const types = parameters.map(({ type }) => type);
  const places = argumentPlaces(types, returnType, abi);
  if (typeof places === 'string') return places;
  const values: [number, bigint][] = [];
  for (const [index, { registers }] of places.entries()) {
    const atCall = await valuesAtCall(inferior, frame, registers);
    if (atCall !== undefined) {
      values.push(...atCall);
      continue;
    }
    if (registers.length === 0) continue;
    const bytes = await inferior.query(valueBytes(await inferior.query(variableValue(parameters[index], frame))));
    if (!(bytes instanceof Uint8Array)) return `its argument ${parameters[index].name} is lost (${bytes.reason})`;
    const number = decodeUnsigned(bytes, frame.machine.littleEndian);
    registers.forEach((register, word) => values.push([register, wordOf(number, word, abi.xlen)]));
  }
  return values;
}

async function valuesAtCall(
  inferior: Inferior,
  frame: Frame,
  registers: readonly number[],
): Promise<[number, bigint][] | undefined> {
  const values: [number, bigint][] = [];
  for (const register of registers) {
    const value = await inferior.query(frame.entryRegister(register));
    if (typeof value !== 'bigint') return undefined;
    values.push([register, value]);
  }
  return values;
}

function wordOf(value: bigint, word: number, size: number): bigint {
  return BigInt.asUintN(size * 8, value >> BigInt(word * size * 8));
}

async function writeRegister({ target, unwindOptions }: Inferior, register: number, value: bigint): Promise<void> {
  const name = unwindOptions.machine.registers.names.get(register);
  if (name !== undefined && target.registerNames.includes(name)) await target.writeRegister(name, value);
}
