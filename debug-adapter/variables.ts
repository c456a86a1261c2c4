/** The variables request: lists of a scope, members, elements (paged), what pointers point to, registers, flags. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import { formatValue, type FormatOptions } from '../lib/dwarf/format';
import { capturedValue } from '../lib/dwarf/lambda';
import { type SourcePosition, stripType } from '../lib/dwarf/model';
import {
  childrenOf,
  elementCount,
  hasChildren,
  isStruct,
  type NamedValue,
  readScalar,
  type Value,
  variableValue,
} from '../lib/dwarf/value';
import { isReference } from '../lib/dwarf/value-types';
import { assignText } from './assignment';
import type { Cancellation } from './cancellation';
import { displayOptions } from './display-format';
import { errors } from './errors';
import type { Inferior } from './inferior';
import { macrosOf, macroValue, macroVariables } from './macro-variables';
import { describeFloats, describeRegisters, statusFields } from './registers';
import type { ListedVariable } from './frame-variables';
import type { SessionState } from './session-state';
import type { Stop } from './stop';
import { formatOptions } from './value-text';
import { nodesOf, nodesSummary, withSummary } from './zephyr-values';

/** What a variablesReference stands for. `key` makes the number the same at the next stop. */
export type VariableContainer = { readonly key: string; readonly stop: Stop; readonly level: number } & (
  | { readonly kind: 'variables'; readonly variables: readonly ListedVariable[] }
  | { readonly kind: 'value'; readonly value: Value; readonly evaluateName: string | undefined }
  /** Below a list of Zephyr's: its nodes. */
  | { readonly kind: 'nodes'; readonly value: Value }
  | { readonly kind: 'returned'; readonly value: NamedValue }
  | { readonly kind: 'macros' }
  | { readonly kind: 'macro'; readonly name: string }
  | { readonly kind: 'registers' }
  | { readonly kind: 'float-registers' }
  | { readonly kind: 'flags'; readonly xpsr: bigint }
);

export interface Child {
  readonly name: string;
  readonly value: Value;
  readonly evaluateName: string | undefined;
  readonly declaration?: SourcePosition | undefined;
  /** Of a class, not of the object that it is shown in. */
  readonly isStatic?: boolean;
}

export async function variables(
  session: SessionState,
  args: DebugProtocol.VariablesArguments,
  _after: unknown,
  cancellation: Cancellation,
): Promise<DebugProtocol.VariablesResponse['body']> {
  const container = session.containers.get(args.variablesReference);
  if (container === undefined) throw errors.unknownReference(args.variablesReference);
  const start = args.start ?? 0;
  const count = args.count === undefined || args.count === 0 ? Number.MAX_SAFE_INTEGER : args.count;
  if (container.kind === 'registers' || container.kind === 'float-registers') {
    return { variables: (await registersIn(session, container)).slice(start, start + count) };
  }
  if (container.kind === 'flags') {
    const fields = statusFields(container.xpsr).map((field) => ({ ...field, variablesReference: 0 }));
    return { variables: fields.slice(start, start + count) };
  }
  if (container.kind === 'macros') {
    const reference = await referenceOf(container);
    return { variables: macroVariables(session, reference, macrosOf(reference).slice(start, start + count)) };
  }
  if (container.kind === 'macro') {
    const place = { ...container, key: `${container.key}/value` };
    const describe = (value: Value) => describeValue(session, place, value, container.name);
    return { variables: [await macroValue(await referenceOf(container), container.name, describe)] };
  }
  const isArray = container.kind === 'value' && stripType(container.value.type).kind === 'array';
  // All children of an array are indexed, those of everything else named.
  if (args.filter !== undefined && (args.filter === 'indexed') !== isArray) return { variables: [] };
  const children = await childrenIn(container, start, count);
  const described: DebugProtocol.Variable[] = [];
  for (const child of children) {
    await cancellation.turn();
    described.push(await describeChild(session, container, child, args.format?.hex === true ? { hex: true } : {}));
  }
  // Behind the last member, so that the numbers of the members stay.
  if (container.kind === 'value' && children.length < count) described.push(...(await nodesLine(session, container)));
  return { variables: described };
}

async function registersIn(
  session: SessionState,
  container: Extract<VariableContainer, { kind: 'registers' | 'float-registers' }>,
): Promise<DebugProtocol.Variable[]> {
  const reference = await referenceOf(container);
  if (container.kind === 'float-registers') return describeFloats(reference);
  const within = (name: string) => ({ ...container, key: `${container.key}/${name}` });
  const flags = (xpsr: bigint): number => {
    const fields = { ...within('flags'), kind: 'flags', xpsr } as const;
    return session.containers.set(fields.key, fields);
  };
  const floats = (): number => {
    const group = { ...within('floating point'), kind: 'float-registers' } as const;
    return session.containers.set(group.key, group);
  };
  return describeRegisters(reference, flags, floats);
}

/** The line of a list's nodes, which are only looked for when it is unfolded. */
async function nodesLine(
  session: SessionState,
  container: Extract<VariableContainer, { kind: 'value' }>,
): Promise<DebugProtocol.Variable[]> {
  const { stop, level, value } = container;
  const summary = await nodesSummary(stop.inferior, value);
  if (summary === undefined) return [];
  const key = `${container.key}/nodes of the list`;
  const variablesReference = session.containers.set(key, { kind: 'nodes', key, stop, level, value });
  const presentationHint = { kind: 'virtual', attributes: ['readOnly'] };
  return [{ name: '<nodes>', value: summary, variablesReference, presentationHint }];
}

async function childrenIn(
  container: Extract<VariableContainer, { kind: 'variables' | 'value' | 'nodes' | 'returned' }>,
  start: number,
  count: number,
): Promise<Child[]> {
  const { inferior } = container.stop;
  if (container.kind === 'returned') {
    const { name = '', value } = container.value;
    return start === 0 && count > 0 ? [{ name, value, evaluateName: undefined }] : [];
  }
  if (container.kind === 'variables') {
    const { frame } = await referenceOf(container);
    const children: Child[] = [];
    for (const { name, variable, captured, evaluateName } of container.variables.slice(start, start + count)) {
      const value = await inferior.query(
        captured === undefined ? variableValue(variable, frame.frame) : capturedValue(variable, captured, frame.frame),
      );
      children.push({ name, value, evaluateName, declaration: (captured ?? variable).declaration });
    }
    return children;
  }
  if (container.kind === 'nodes') {
    const nodes = await nodesOf(inferior, container.value, start, count);
    return nodes.map(({ name = '', value, evaluateName }) => ({ name, value, evaluateName }));
  }
  const { value, evaluateName } = container;
  const found = await inferior.query(childrenOf(value, start, count));
  return found.map((child) => ({
    name: child.name ?? (child.isBase === true ? `<${child.value.type.displayName}>` : anonymousName(child.value)),
    value: child.value,
    evaluateName: evaluateName && childExpression(value, evaluateName, child.name),
    isStatic: child.isStatic === true,
  }));
}

/** The child of a name; what is no object of the program has none. */
export async function childOf(session: SessionState, variablesReference: number, name: string): Promise<Child> {
  const container = session.containers.get(variablesReference);
  if (container === undefined) throw errors.unknownReference(variablesReference);
  if (container.kind === 'registers' || container.kind === 'float-registers' || container.kind === 'flags') {
    throw errors.badExpression(`'${name}' is a register, and only memory can be watched`);
  }
  if (container.kind === 'macros' || container.kind === 'macro')
    throw errors.badExpression(`'${name}' is a macro, and only memory can be watched`);
  // Long arrays are only had part by part.
  const index = /^\[(\d+)\]$/.exec(name)?.[1];
  const children = await childrenIn(container, Number(index ?? 0), index === undefined ? Number.MAX_SAFE_INTEGER : 1);
  const child = children.find((one) => one.name === name);
  if (child === undefined) throw errors.unknownVariable(name);
  return child;
}

/** gdb's notation for an anonymous member. */
function anonymousName(value: Value): string {
  return stripType(value.type).kind === 'union' ? anonymous.union : anonymous.struct;
}

const anonymous = { union: '<anonymous union>', struct: '<anonymous struct>' } as const;

function isAnonymous(name: string): boolean {
  return name === anonymous.union || name === anonymous.struct;
}

/** Expressions that members and subscripts can be appended to as they are. */
const postfix = /^(\(\*[\w$.[\]>-]+\)|[\w$:.'[\]]+)((->|\.)[\w$]+|\[\d+\])*$/;

function childExpression(parent: Value, expression: string, name: string | undefined): string | undefined {
  const throughPointer = stripType(parent.type).kind === 'pointer';
  const whole = postfix.test(expression) ? expression : `(${expression})`;
  // Members of an anonymous member are its parent's: what stands for it is the parent itself.
  if (name === undefined) return throughPointer ? `(*${whole})` : expression;
  if (name === '*') return `*${whole}`;
  if (name.startsWith('[')) return `${whole}${name}`;
  // The pointer to a vtable has a name that no expression can have.
  if (!/^[\w$]+$/.test(name)) return undefined;
  return `${whole}${throughPointer ? '->' : '.'}${name}`;
}

async function referenceOf({ stop, level }: VariableContainer): Promise<{
  stop: Stop;
  level: number;
  frame: NonNullable<Awaited<ReturnType<Stop['frame']>>>;
}> {
  const frame = await stop.frame(level);
  if (frame === undefined) throw errors.unknownFrame(level);
  return { stop, level, frame };
}

function declared(reference: number | undefined): Pick<DebugProtocol.Variable, 'declarationLocationReference'> {
  return reference === undefined ? {} : { declarationLocationReference: reference };
}

/** Where the function is that a pointer points to. */
async function calledFrom(session: SessionState, inferior: Inferior, value: Value): Promise<number | undefined> {
  const type = stripType(value.type);
  if (type.kind !== 'pointer' || stripType(type.target).kind !== 'function') return undefined;
  const address = await inferior.query(readScalar(value));
  if (typeof address !== 'bigint') return undefined;
  const code = inferior.unwindOptions.machine.registers.codeAddress(address);
  const called = inferior.programAt(code)?.functionAt(code);
  return session.locations.of(called?.declaration);
}

async function describeChild(
  session: SessionState,
  container: VariableContainer,
  child: Child,
  options: FormatOptions,
): Promise<DebugProtocol.Variable> {
  const key = `${container.key}/${child.name}`;
  const described = await describeValue(session, { ...container, key }, child.value, child.evaluateName, options);
  return {
    name: child.name,
    ...described,
    ...(child.evaluateName === undefined ? {} : { evaluateName: child.evaluateName }),
    ...declared(session.locations.of(child.declaration)),
    ...(container.kind === 'returned' ? readOnly : hintOf(child.value, child.isStatic)),
  };
}

/** The properties that variables and evaluate results share. */
export async function describeValue(
  session: SessionState,
  place: { readonly stop: Stop; readonly level: number; readonly key: string },
  value: Value,
  evaluateName: string | undefined,
  options: FormatOptions = {},
): Promise<Omit<DebugProtocol.Variable, 'name'>> {
  const { inferior } = place.stop;
  const shown = { ...formatOptions(inferior), ...displayOptions(session, options) };
  const text = await withSummary(inferior, value, await inferior.query(formatValue(value, shown)));
  const { stop, level, key } = place;
  const variablesReference = hasChildren(value)
    ? session.containers.set(key, { kind: 'value', stop, level, key, value, evaluateName })
    : 0;
  const count = elementCount(value.type);
  const memoryReference = await memoryReferenceOf(inferior, value);
  const valueLocationReference = await calledFrom(session, inferior, value);
  return {
    value: text,
    type: value.type.displayName,
    variablesReference,
    ...(variablesReference !== 0 && count !== undefined ? { indexedVariables: count } : {}),
    ...(memoryReference === undefined ? {} : { memoryReference }),
    ...(valueLocationReference === undefined ? {} : { valueLocationReference }),
  };
}

/** Where a pointer or a reference leads to; where anything else is. */
async function memoryReferenceOf(inferior: Inferior, value: Value): Promise<string | undefined> {
  if (stripType(value.type).kind === 'pointer' || isReference(value.type)) {
    const address = await inferior.query(readScalar(value));
    if (typeof address === 'bigint') return hex(BigInt.asUintN(64, address), 8);
  }
  return value.location.kind === 'memory' ? hex(value.location.address, 8) : undefined;
}

const readOnly = { presentationHint: { kind: 'data', attributes: ['readOnly'] } };

function hintOf(value: Value, isStatic = false): Pick<DebugProtocol.Variable, 'presentationHint'> {
  const { kind } = value.location;
  const isWritable = kind === 'memory' || kind === 'register' || kind === 'pieces';
  if (isStatic) {
    return { presentationHint: { kind: 'data', attributes: isWritable ? ['static'] : ['static', 'readOnly'] } };
  }
  if (!isWritable) return readOnly;
  return isStruct(stripType(value.type)) ? {} : { presentationHint: { kind: 'data' } };
}

export async function setVariable(
  session: SessionState,
  args: DebugProtocol.SetVariableArguments,
  after: (action: () => void) => void,
): Promise<DebugProtocol.SetVariableResponse['body']> {
  session.requireStop('setVariable');
  const container = session.containers.get(args.variablesReference);
  if (container === undefined) throw errors.unknownReference(args.variablesReference);
  if (container.kind === 'flags') throw errors.notAssignable(args.name, 'set $xpsr as a whole');
  if (container.kind === 'macros' || container.kind === 'macro')
    throw errors.notAssignable(args.name, 'a macro is a text of the source');
  if (container.kind === 'returned') throw errors.notAssignable(args.name, 'set the registers that it is in');
  const reference = await referenceOf(container);
  if (container.kind === 'registers' || container.kind === 'float-registers') {
    const value = await assignText(session, reference, `$${args.name}`, args.value, after);
    const described = await describeValue(
      session,
      { ...container, key: `${container.key}/${args.name}` },
      value,
      undefined,
    );
    // As the list shows it.
    const listed = [...(await registersIn(session, container)), ...(await describeFloats(reference))];
    const shown = listed.find(({ name }) => name === args.name);
    return { ...described, value: shown?.value ?? described.value, variablesReference: shown?.variablesReference ?? 0 };
  }
  const child = await childOf(session, args.variablesReference, args.name);
  if (isAnonymous(child.name)) throw errors.notAssignable(args.name, 'it has no name: set its members');
  if (child.evaluateName === undefined) {
    throw errors.notAssignable(
      args.name,
      'another variable of its name hides it here; select the frame or block that it is of',
    );
  }
  const value = await assignText(session, reference, child.evaluateName, args.value, after);
  return describeValue(session, { ...container, key: `${container.key}/${args.name}` }, value, child.evaluateName);
}
