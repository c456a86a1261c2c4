/**
 * Evaluation of calls: arguments in the order in which they are written, then the function, then the request to call it. A virtual method
 * is found in the object's table, a method through a pointer as the C++ ABI of the CPU has it.
 */
import { decodeUnsigned } from '../bytes';
import { stripType } from '../dwarf/model';
import { isScalar } from '../dwarf/value-types';
import { encodeScalar } from '../dwarf/value';
import { fail } from './errors';
import type { Evaluation } from './evaluate';
import type { CallRequest, ExpressionQuery } from './requests';
import type { TypedNode } from './typed';

type CallNode = Extract<TypedNode, { kind: 'call' }>;

/** The result as it lies in memory. */
export function* evaluateCall(node: CallNode, evaluation: Evaluation): ExpressionQuery<Uint8Array> {
  const list: CallRequest['arguments'][number][] = [];
  for (const argument of node.arguments) {
    const { type } = argument;
    const bytes = isScalar(type)
      ? encodeScalar(yield* evaluation.number(argument), type, evaluation.littleEndian)
      : yield* evaluation.bytesOf(argument);
    list.push({ type, bytes });
  }
  const { address, self } = yield* calledFunction(node, list, evaluation);
  if (self !== undefined) list[0] = { ...list[0], bytes: self };
  const reply = yield {
    kind: 'call',
    name: node.name,
    address,
    type: node.function,
    arguments: list,
    named: node.named,
    writes: evaluation.takeWrites(),
    span: { offset: node.offset, length: node.length },
  };
  return reply ?? new Uint8Array();
}

function* calledFunction(
  node: CallNode,
  list: CallRequest['arguments'],
  evaluation: Evaluation,
): ExpressionQuery<{ readonly address: bigint; readonly self?: Uint8Array }> {
  const { machine } = evaluation.context.frame;
  const object = (): bigint => decodeUnsigned(list[0].bytes, machine.littleEndian);
  if (stripType(node.callee.type).kind === 'member-pointer') return yield* pointedMethod(node, object(), evaluation);
  const pointer =
    node.vtableIndex === undefined
      ? BigInt(yield* evaluation.number(node.callee))
      : yield* virtualMethod(object(), BigInt(node.vtableIndex * machine.addressSize), node, evaluation);
  return { address: machine.registers.codeAddress(pointer) };
}

/** The object begins with the address of its table. */
function* virtualMethod(
  object: bigint,
  offset: bigint,
  node: CallNode,
  evaluation: Evaluation,
): ExpressionQuery<bigint> {
  const table = yield* word(object, node, evaluation);
  return yield* word(table + offset, node, evaluation);
}

function* word(address: bigint, node: CallNode, evaluation: Evaluation): ExpressionQuery<bigint> {
  const { addressSize, littleEndian } = evaluation.context.frame.machine;
  const bytes = yield { address, length: addressSize };
  if (bytes === undefined)
    return fail(`the table of virtual methods cannot be read at 0x${address.toString(16)}`, node);
  return decodeUnsigned(bytes, littleEndian);
}

/**
 * A pointer to a method is a function and what is added to the object (Itanium C++ ABI 2.3); for a virtual one the function is one more
 * than the offset in the table. Arm, whose functions use bit 0, has that bit in the other word (C++ ABI for the Arm Architecture 3.2.1).
 */
function* pointedMethod(
  node: CallNode,
  object: bigint,
  evaluation: Evaluation,
): ExpressionQuery<{ readonly address: bigint; readonly self: Uint8Array }> {
  const { machine } = evaluation.context.frame;
  const { addressSize, littleEndian, registers } = machine;
  const bytes = yield* evaluation.bytesOf(node.callee);
  const pointer = decodeUnsigned(bytes.subarray(0, addressSize), littleEndian);
  const difference = decodeUnsigned(bytes.subarray(addressSize, 2 * addressSize), littleEndian);
  const usesBit0 = registers.codePointerBit !== undefined;
  if (pointer === 0n && (!usesBit0 || (difference & 1n) === 0n))
    return fail('the pointer to a method is null', node.callee);
  const isVirtual = ((usesBit0 ? difference : pointer) & 1n) === 1n;
  const adjusted = object + (BigInt.asIntN(addressSize * 8, difference) >> (usesBit0 ? 1n : 0n));
  const offset = usesBit0 ? pointer : pointer - 1n;
  const address = isVirtual ? yield* virtualMethod(adjusted, offset, node, evaluation) : pointer;
  const self = encodeScalar(adjusted, node.arguments[0].type, littleEndian);
  return { address: registers.codeAddress(address), self };
}
