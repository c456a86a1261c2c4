/** Setting a variable, a register or what an expression names: an assignment of C, so C's conversions hold. */
import { stripType } from '../lib/dwarf/model';
import { isStruct, readScalar, type Value, valueBytes, writeValue } from '../lib/dwarf/value';
import { isUnavailable, type TargetWrite } from '../lib/dwarf/value-bits';
import { doubleToBits, floatToBits } from '../lib/kernel/calling-convention';
import { asRegister, asTyped } from './assigned-text';
import { errors } from './errors';
import { compileListIn, evaluateCompiled, evaluateText, performWrites, scopeIn } from './expression-context';
import { isFloatRegister } from './registers';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';

type After = (action: () => void) => void;

/** Assigns the value of `text` to what `expression` names, and gives its new value. */
export async function assignText(
  session: SessionState,
  reference: FrameReference,
  expression: string,
  text: string,
  after: After,
): Promise<Value> {
  if (text.trim() === '') throw errors.notAssignable(expression, 'there is no value');
  const register = /^\$(\w+)$/.exec(expression)?.[1].toLowerCase();
  if (register !== undefined && reference.level === 0) await setRegister(session, reference, register, text, after);
  else {
    const { value: target } = await evaluateText(reference, expression, 'forbid');
    const typed = asTyped(
      text,
      target.type,
      (name) => scopeIn(reference.stop.inferior, reference.frame).lookup(name, undefined) !== undefined,
    );
    const writes =
      (await textIntoArray(reference, expression, target, typed)) ??
      (await listInto(reference, expression, target, typed)) ??
      (await evaluateText(reference, `${expression} = (${typed})`)).writes;
    await performWrites(session, reference, writes, after);
  }
  const frame = await reference.stop.frame(reference.level);
  return (await evaluateText(frame === undefined ? reference : { ...reference, frame }, expression, 'forbid')).value;
}

/** A string into an array of characters, as an initializer does it (C11, 6.7.9.14); undefined: that is not what is assigned. */
async function textIntoArray(
  reference: FrameReference,
  expression: string,
  target: Value,
  text: string,
): Promise<readonly TargetWrite[] | undefined> {
  if (!/^\s*(u8|u|U|L)?"/.test(text)) return undefined;
  const array = stripType(target.type);
  if (array.kind !== 'array') return undefined;
  const { inferior } = reference.stop;
  const { value: source } = await evaluateText(reference, text, 'forbid');
  const characters = await inferior.query(valueBytes(source));
  const string = stripType(source.type);
  const size = array.byteSize ?? 0;
  if (!(characters instanceof Uint8Array) || string.kind !== 'array') return undefined;
  const [wide, own] = [string.element.byteSize ?? 1, stripType(array.element).byteSize ?? 0];
  if (wide !== own)
    throw errors.notAssignable(expression, `its elements have ${own} bytes, those of the string ${wide}`);
  // The final null character may have no room.
  if (characters.length - wide > size)
    throw errors.notAssignable(
      expression,
      `it has room for ${size / own} characters, and the string has ${characters.length / wide - 1}`,
    );
  const bytes = new Uint8Array(size);
  bytes.set(characters.subarray(0, size));
  const writes = await inferior.query(writeValue(target, bytes));
  if (isUnavailable(writes)) throw errors.notAssignable(expression, writes.reason);
  return writes;
}

/** An initializer in braces into an array or a structure: a compound literal of its type is copied there (C11, 6.5.2.5). */
async function listInto(
  reference: FrameReference,
  expression: string,
  target: Value,
  text: string,
): Promise<readonly TargetWrite[] | undefined> {
  const { kind } = stripType(target.type);
  if (!/^\s*\{/.test(text) || (kind !== 'array' && !isStruct(stripType(target.type)))) return undefined;
  const { inferior } = reference.stop;
  const literal = compileListIn(reference, text, target.type);
  const { value } = await evaluateCompiled(reference, literal);
  const bytes = await inferior.query(valueBytes(value));
  if (!(bytes instanceof Uint8Array)) throw errors.notAssignable(expression, bytes.reason);
  const writes = await inferior.query(writeValue(target, bytes));
  if (isUnavailable(writes)) throw errors.notAssignable(expression, writes.reason);
  return writes;
}

/** Also those registers that an expression can only read. */
async function setRegister(
  session: SessionState,
  reference: FrameReference,
  name: string,
  text: string,
  after: After,
): Promise<void> {
  const { inferior } = reference.stop;
  const { registers } = inferior.unwindOptions.machine;
  const known = inferior.target.registerNames.find((candidate) => candidate === name);
  if (known === undefined) throw errors.notAssignable(`$${name}`, 'this CPU has no such register');
  const { value } = await evaluateText(reference, asRegister(text), 'forbid');
  const number = await inferior.query(readScalar(value));
  const width = inferior.target.registerWidth(known);
  const isFloat = isFloatRegister(inferior.target.cpu.arch, known);
  if (typeof number === 'object' || (typeof number === 'number' && !isFloat)) {
    throw errors.notAssignable(`$${name}`, `${stripType(value.type).displayName} is no integer`);
  }
  // An integer is the register's bits, as they are shown before its number.
  const bits = typeof number === 'bigint' ? number : floatBits(number, stripType(value.type).byteSize ?? 8, width);
  const word = BigInt.asUintN(width, bits);
  const dwarf = [...registers.names].find(([, candidate]) => candidate === known)?.[0];
  const isCode = dwarf === registers.programCounter;
  const write = { kind: 'register', register: known, value: isCode ? registers.codeAddress(word) : word } as const;
  await performWrites(session, reference, [write], after);
}

/** A single in a wider register has all bits above it set (RISC-V unprivileged specification, "NaN Boxing"). */
function floatBits(number: number, size: number, width: 32 | 64): bigint {
  if (width === 32) return BigInt(floatToBits(number));
  return size === 4 ? 0xffff_ffff_0000_0000n | BigInt(floatToBits(number)) : doubleToBits(number);
}
