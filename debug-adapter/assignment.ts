/** Setting a variable, a register or what an expression names: an assignment of C, so C's conversions hold. */
import { stripType } from '../lib/dwarf/model';
import { readScalar, type Value } from '../lib/dwarf/value';
import { errors } from './errors';
import { evaluateText, performWrites } from './expression-context';
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
    const { writes } = await evaluateText(reference, `${expression} = (${text})`);
    await performWrites(session, reference, writes, after);
  }
  const frame = await reference.stop.frame(reference.level);
  return (await evaluateText(frame === undefined ? reference : { ...reference, frame }, expression, 'forbid')).value;
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
  const { value } = await evaluateText(reference, text, 'forbid');
  const number = await inferior.query(readScalar(value));
  if (typeof number !== 'bigint') {
    throw errors.notAssignable(`$${name}`, `${stripType(value.type).displayName} is no integer`);
  }
  const word = BigInt.asUintN(inferior.target.registerWidth(known), number);
  const dwarf = [...registers.names].find(([, candidate]) => candidate === known)?.[0];
  const isCode = dwarf === registers.programCounter;
  const write = { kind: 'register', register: known, value: isCode ? registers.codeAddress(word) : word } as const;
  await performWrites(session, reference, [write], after);
}
