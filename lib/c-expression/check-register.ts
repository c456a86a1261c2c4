/** `$name`: the types that gdb gives to registers. */
import { type Member, stripType, type Type } from '../dwarf/model';
import { registerSize } from '../dwarf/unwind-frame';
import { type BasicTypes, functionType, isScalar, pointerTo, voidType } from '../dwarf/value-types';
import { fail, type Span, spanOf } from './errors';
import type { ExpressionScope } from './scope';
import type { TypedNode } from './typed';

interface RegisterChecker {
  readonly scope: ExpressionScope;
  readonly types: BasicTypes;
}

interface PartChecker {
  memberOf(base: TypedNode, path: readonly Member[], span: Span): TypedNode;
}

/** Signed words; sp and pc as the pointers they are, so that they show what they point to; floating point as numbers. */
export function checkRegister(name: string, span: Span, { scope, types }: RegisterChecker): TypedNode {
  const register = scope.register(name);
  if (register === undefined) return fail(`there is no register $${name}`, span);
  const { addressSize, registers } = scope.machine;
  const node = (type: Type): TypedNode => ({ kind: 'register', type, register, ...span });
  if (register === registers.stackPointer) return node(pointerTo(voidType, addressSize));
  if (register === registers.programCounter) return node(pointerTo(functionType(voidType, [], true), addressSize));
  if (typeof register === 'number' && isFloat(register, scope)) return node(floatType(register, { scope, types }));
  return node(addressSize === 4 ? types.int : types.long);
}

/** A number is assigned to a register that may hold either as a double, as gdb does it. */
export function assignedPart(target: TypedNode, value: TypedNode, checker: PartChecker): TypedNode {
  const type = stripType(target.type);
  if (target.kind !== 'register' || type.kind !== 'union' || !isScalar(value.type)) return target;
  return checker.memberOf(target, type.members.slice(1), spanOf(target));
}

function isFloat(register: number, { machine }: ExpressionScope): boolean {
  const { isFloat: isFloatNumber, halves, names } = machine.registers;
  return isFloatNumber?.(register) ?? (halves?.has(register) === true || /^s\d+$/.test(names.get(register) ?? ''));
}

/** A RISC-V register of 64 bits holds a single or a double, and does not know which: gdb's riscv_double. */
function floatType(register: number, { scope, types }: RegisterChecker): Type {
  const { machine } = scope;
  if (registerSize(register, machine) === 4) return types.float;
  if (machine.registers.isFloat === undefined) return types.double;
  const member = (type: Type): Member => ({
    name: type.displayName,
    type,
    byteOffset: 0,
    bitSize: undefined,
    bitOffset: undefined,
    declaration: undefined,
  });
  return {
    kind: 'union',
    name: 'riscv_double',
    displayName: 'riscv_double',
    byteSize: 8,
    declaration: undefined,
    members: [member(types.float), member(types.double)],
    staticMembers: [],
    virtualMethods: [],
    incomplete: false,
    passedByReference: false,
  };
}
