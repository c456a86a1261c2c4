/**
 * From syntax to the typed tree (C11 6.3, 6.5): looks up names, finds the type of every node and writes out the
 * implicit conversions. Lenient where a debugger should be: const objects may be changed, integers and pointers mix.
 * Operators on arithmetic types are in check-operators.ts.
 */
import { type BaseType, type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { findMember, isStruct } from '../dwarf/value';
import {
  type BasicTypes,
  isBoolean,
  isComplex,
  isFloating,
  isInteger,
  isPointer,
  isScalar,
  pointerTo,
  voidType,
} from '../dwarf/value-types';
import { alignmentOf } from '../dwarf/alignment';
import { isArithmetic } from './arithmetic';
import { characterConstant, imaginaryConstant, integerConstant, stringLiteral } from './check-constants';
import { checkLiteral } from './check-initializer';
import { complexPart, toComplex, toReal } from './check-complex';
import { checkCast } from './check-casts';
import { checkCall, methodWithoutCode } from './check-calls';
import { checkBinary, checkConditional, checkUnaryArithmetic, compoundArithmetic, pointerAdd } from './check-operators';
import { classConversion, classOperator, hasOperator } from './class-operators';
import { pointerOf, toBase } from './class-pointers';
import { assignedPart, checkRegister } from './check-register';
import { isCompatible, sameType } from './compatible-types';
import { constantValue } from './constant-expression';
import { fail, type Span, spanOf } from './errors';
import { isMemberPointer, isNull, isNullConstant, memberAddress, nullMember } from './member-pointers';
import { ownMember, ownPointer } from './own-object';
import type { ExpressionScope } from './scope';
import type { Expression, TypeName } from './syntax';
import { type ExpressionTyper, resolveTypeName } from './type-resolver';
import { oneInstance } from './template-functions';
import { isPlace, type TypedNode } from './typed';
import { checkedCount, hasVariableSize } from './variable-arrays';

export interface CheckOptions {
  /** 'forbid': assignments, ++ and -- are errors (hovers, conditions that must not change anything). */
  readonly sideEffects: 'forbid' | 'allow';
  /** Functions are called; by default that is refused. */
  readonly calls?: 'allow';
  /** An expression that is a reference is shown as one, with its type and address; by default it is what it refers to. */
  readonly references?: 'shown';
}

const callsRefusedHere = 'functions are called in the Debug Console only: nothing may change the program here';

const constantWords: ReadonlySet<string> = new Set(['true', 'false', 'nullptr']);

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

export class Checker implements ExpressionTyper {
  readonly types: BasicTypes;
  hasSideEffects = false;
  hasCalls = false;

  constructor(
    readonly scope: ExpressionScope,
    private readonly options: CheckOptions,
  ) {
    this.types = scope.types;
  }

  /** The typed node of any expression; a reference is what it refers to (C++ 8.2.2). */
  check(expression: Expression): TypedNode {
    return this.referred(this.production(expression));
  }

  private referred(node: TypedNode): TypedNode {
    const type = stripType(node.type);
    if (type.kind !== 'reference' && type.kind !== 'rvalue-reference') return node;
    return { kind: 'dereference', type: type.target, pointer: node, offset: node.offset, length: node.length };
  }

  classOperator(operator: string, operands: readonly TypedNode[], span: Span): TypedNode | undefined {
    return classOperator(operator, operands, span, this);
  }

  /** Dispatches by production; what names a reference is the reference. */
  production(expression: Expression): TypedNode {
    const span = { offset: expression.offset, length: expression.length };
    switch (expression.kind) {
      case 'integer':
        return integerConstant(expression.literal, span, this.types);
      case 'float':
        return {
          kind: 'constant',
          type: this.types[expression.literal.type],
          value: expression.literal.value,
          ...span,
        };
      case 'character':
        return characterConstant(expression.literal, span, this.scope);
      case 'string':
        return stringLiteral(expression.literal, span, this.scope);
      case 'name':
        return this.checkName(expression, span);
      case 'register':
        return checkRegister(expression.name, span, this);
      case 'unary':
        return this.checkUnary(expression, span);
      case 'postfix':
        return this.checkIncrement(expression.operand, expression.operator, true, span);
      case 'binary':
        return checkBinary(expression, span, this);
      case 'assignment':
        return this.checkAssignment(expression, span);
      case 'conditional':
        return checkConditional(expression, span, this);
      case 'index':
        return this.checkIndex(expression, span);
      case 'member':
        return this.checkMember(expression, span);
      case 'call':
        return checkCall(expression, span, this);
      case 'cast':
        return checkCast(expression, span, this);
      case 'sizeof':
        return this.checkSizeof(this.check(expression.operand), span);
      case 'sizeof-type':
        return this.size(this.resolve(expression.type), span);
      case 'alignof':
        return this.checkAlignof(expression, span);
      case 'imaginary':
        return imaginaryConstant(expression.literal, span, this.types);
      case 'compound-literal':
        return this.checkCompoundLiteral(expression, span);
      case 'generic':
        return this.checkGeneric(expression, span);
    }
  }

  get truthType(): BaseType {
    return this.scope.isCPlusPlus ? this.types._Bool : this.types.int;
  }

  get callsRefused(): string | undefined {
    return this.options.calls === 'allow' ? undefined : callsRefusedHere;
  }

  resolve(name: TypeName): Type {
    return resolveTypeName(name, this.scope, this.types, this);
  }

  typeOf(expression: Expression): Type {
    return this.check(expression).type;
  }

  constantOf(expression: Expression): bigint {
    const value = constantValue(this.check(expression), this.scope.frame);
    return typeof value === 'bigint' ? value : fail('an array index must be a constant here', expression);
  }

  /** 6.7.6.2 */
  lengthOf(expression: Expression): number | TypedNode {
    const { hasSideEffects, hasCalls } = this;
    const node = this.scalar(this.check(expression));
    if (!isInteger(node.type)) return fail('an array size must be an integer', expression);
    const value = constantValue(node, this.scope.frame);
    if (value !== undefined) return checkedCount(Number(value), node);
    if (hasSideEffects === this.hasSideEffects && hasCalls === this.hasCalls) return node;
    return fail('what changes something or is called is no array size here', expression);
  }

  // ---- constants and names ----

  /** 6.5.2.5 */
  private checkCompoundLiteral({ type, initializer }: Of<'compound-literal'>, span: Span): TypedNode {
    const resolved = this.resolve(type);
    if (hasVariableSize(resolved)) return fail('an array of variable length has no initializer', type);
    return checkLiteral(resolved, initializer, span, this);
  }

  /** 6.5.1.1: what is not chosen has no meaning here, only a syntax. */
  private checkGeneric({ controlling, associations }: Of<'generic'>, span: Span): TypedNode {
    const type = this.constantType(this.decay(this.check(controlling)));
    const chosen = associations.filter((one) => one.type !== undefined && isCompatible(this.resolve(one.type), type));
    if (chosen.length > 1) return fail(`two associations fit ${type.displayName}`, span);
    const found = chosen.at(0) ?? associations.find((one) => one.type === undefined);
    if (found === undefined)
      return fail(`no association fits ${type.displayName}, and there is no default`, controlling);
    return { ...this.check(found.result), ...span };
  }

  /** 6.5.1. An enumerator keeps its enumeration type, so that it is shown by name; arithmetic promotes it. */
  private checkName({ name, qualifier }: Of<'name'>, span: Span): TypedNode {
    const entity = this.scope.lookup(name, qualifier);
    switch (entity?.kind) {
      case 'variable':
        return { kind: 'variable', type: entity.variable.type, entity, ...span };
      case 'function':
        return { kind: 'symbol', type: entity.type, entity: oneInstance(entity, span), ...span };
      case 'own-member':
        return ownMember(entity, span, this);
      case 'own-object':
        return ownPointer(span, this) ?? fail('there is no object here', span);
      case 'uncaptured':
        return fail(entity.reason, span);
      case 'enumerator':
        return { kind: 'constant', type: entity.type, value: entity.value, ...span };
      case 'symbol': {
        const reason = `'${name}' has unknown type; cast it to its declared type`;
        const byteSize = entity.isFunction ? undefined : 4;
        const type: Type = {
          kind: 'unknown',
          reason,
          displayName: entity.isFunction ? '<text variable, no debug info>' : '<unknown type>',
          name: undefined,
          byteSize,
          declaration: undefined,
        };
        return { kind: 'symbol', type, entity, ...span };
      }
      case undefined:
        if (qualifier === undefined && constantWords.has(name)) return this.constantWord(name, span);
        if (this.scope.isTypeName(name)) return fail(`'${name}' is a type, not a value`, span);
        return fail(`No symbol "${name}" in current context.${this.hintFor(name)}`, span);
    }
  }

  private hintFor(name: string): string {
    const reason = this.scope.whyUnknown?.(name);
    return reason === undefined ? '' : ` ${reason}`;
  }

  memberOf(base: TypedNode, path: readonly Member[], span: Span): TypedNode {
    const member = path[path.length - 1];
    const bitSize = member.bitSize === undefined ? {} : { bitSize: member.bitSize };
    return { kind: 'member', type: member.type, base, path, ...bitSize, ...span };
  }

  /** true, false and nullptr, where nothing of the program has that name. */
  private constantWord(name: string, span: Span): TypedNode {
    const { addressSize } = this.scope.machine;
    if (name === 'nullptr') return { kind: 'constant', type: pointerTo(voidType, addressSize), value: 0n, ...span };
    return { kind: 'constant', type: this.types._Bool, value: name === 'true' ? 1n : 0n, ...span };
  }

  // ---- conversions ----

  /** 6.3.2.1: arrays and functions become pointers; other objects stay what they are. */
  decay(node: TypedNode): TypedNode {
    const type = stripType(node.type);
    const span = { offset: node.offset, length: node.length };
    const { addressSize } = this.scope.machine;
    if (type.kind === 'array')
      return { kind: 'address', type: pointerTo(type.element, addressSize), operand: node, ...span };
    if (type.kind === 'function')
      return { kind: 'address', type: pointerTo(node.type, addressSize), operand: node, ...span };
    return node;
  }

  /** An operand whose value is a number. */
  scalar(node: TypedNode): TypedNode {
    const value = this.decay(node);
    if (isScalar(value.type)) return value;
    if (value.type.kind === 'unknown') return fail(value.type.reason, node);
    if (isComplex(value.type)) return fail('a complex number is no real one: take __real__ or __imag__ of it', node);
    return fail(`a value of type ${node.type.displayName} is no number`, node);
  }

  /** What arithmetic takes: a number, complex ones included. */
  operand(node: TypedNode): TypedNode {
    return isComplex(node.type) ? node : this.scalar(node);
  }

  /** What a condition tests (6.8.4.1). */
  truth(node: TypedNode): TypedNode {
    if (isMemberPointer(node)) {
      return { kind: 'not', type: this.truthType, operand: isNull(node, spanOf(node), this), ...spanOf(node) };
    }
    const tested = classConversion(node, this.types._Bool, spanOf(node), this) ?? node;
    return isComplex(tested.type) ? toReal(tested, this.types._Bool, this) : this.scalar(tested);
  }

  /** As if by assignment (6.5.16.1): structures of the same type, numbers of any. */
  assigned(value: TypedNode, type: Type, span: Span): TypedNode {
    if (isComplex(type)) return toComplex(value, type, this);
    const stripped = stripType(type);
    if (isStruct(stripped) || stripped.kind === 'member-pointer') {
      if (sameType(type, value.type)) return value;
      if (!isStruct(stripped) && isNullConstant(value)) return nullMember(type, span, this);
      return fail(`${value.type.displayName} cannot be assigned to ${type.displayName}`, span);
    }
    if (isComplex(value.type)) return toReal(value, type, this);
    return this.convert(toBase(this.scalar(value), type, this), type);
  }

  /** 6.3.1, written out. A place is always converted: its number is read by the conversion. */
  convert(node: TypedNode, type: Type): TypedNode {
    if (node.type === type && !isPlace(node)) return node;
    return { kind: 'convert', type, operand: node, offset: node.offset, length: node.length };
  }

  // ---- operators ----

  private checkUnary({ operator, operand }: Of<'unary'>, span: Span): TypedNode {
    switch (operator) {
      case '&':
        return memberAddress(operand, span, this) ?? this.checkAddress(this.check(operand), span);
      case '++':
      case '--':
        return this.checkIncrement(operand, operator, false, span);
      case '__real__':
      case '__imag__':
        return complexPart(this.check(operand), operator === '__real__' ? 0 : 1, span, this);
      default:
    }
    const node = this.check(operand);
    const hasOwn = operator !== '!' || hasOperator(node, operator, this);
    const overloaded = hasOwn ? this.classOperator(operator, [node], span) : undefined;
    if (overloaded !== undefined) return overloaded;
    if (operator === '*') return this.dereference(node, span);
    if (operator === '!') return { kind: 'not', type: this.truthType, operand: this.truth(node), ...span };
    return checkUnaryArithmetic(operator, this.operand(node), span, this);
  }

  /** 6.5.3.2 */
  private checkAddress(operand: TypedNode, span: Span): TypedNode {
    if (!isPlace(operand)) return fail('only an object has an address', operand);
    if (operand.kind === 'register') return fail('a register has no address', operand);
    if (operand.bitSize !== undefined) return fail('a bit-field has no address', operand);
    if (operand.kind === 'dereference') return { ...pointerOf(operand, this), ...span };
    const target = operand.type.kind === 'unknown' ? voidType : operand.type;
    return { kind: 'address', type: pointerTo(target, this.scope.machine.addressSize), operand, ...span };
  }

  /** 6.5.3.2 paragraph 4. */
  dereference(operand: TypedNode, span: Span): TypedNode {
    const array = stripType(operand.type);
    if (array.kind === 'array' && (operand.kind === 'bytes' || operand.kind === 'literal')) {
      const index: TypedNode = { kind: 'constant', type: this.types.int, value: 0n, ...span };
      return { kind: 'element', type: array.element, base: operand, index, ...span };
    }
    const pointer = this.scalar(operand);
    const type = stripType(pointer.type);
    // C has no meaning for an integer here; gdb reads it as the address of an int.
    if (type.kind === 'base' && isInteger(type) && !isBoolean(type)) {
      const address = this.convert(pointer, pointerTo(this.types.int, this.scope.machine.addressSize));
      return { kind: 'dereference', type: this.types.int, pointer: address, ...span };
    }
    if (type.kind !== 'pointer') {
      return fail(`only a pointer can be dereferenced, not ${operand.type.displayName}`, operand);
    }
    // A function's name is its address and itself again.
    if (pointer.kind === 'address' && pointer.operand.kind === 'symbol') return { ...pointer.operand, ...span };
    return { kind: 'dereference', type: type.target, pointer, ...span };
  }

  /** 6.5.2.1; an array is indexed in place, so that one without address works too. */
  private checkIndex({ base, index }: Of<'index'>, span: Span): TypedNode {
    const [left, right] = [this.check(base), this.check(index)];
    const overloaded = isStruct(stripType(left.type)) ? this.classOperator('[]', [left, right], span) : undefined;
    if (overloaded !== undefined) return overloaded;
    const swapped = isPointerLike(right.type) && !isPointerLike(left.type);
    const [array, position] = swapped ? [right, left] : [left, right];
    const type = stripType(array.type);
    const number = this.scalar(position);
    if (!isArithmetic(number.type) || isFloating(number.type)) return fail('an index must be an integer', position);
    if (type.kind === 'array' && isPlace(array)) {
      return { kind: 'element', type: type.element, base: array, index: number, ...span };
    }
    if (!isPointer(array.type)) return fail(`${array.type.displayName} cannot be indexed`, array);
    return this.dereference(pointerAdd(array, number, '+', span, this), span);
  }

  /** What stands before `.` or `->`; like in gdb, `.` goes through a pointer, and `->` works on a structure. */
  object(base: Expression, arrow: boolean): TypedNode {
    let object = this.check(base);
    // What operator-> gives is asked again, until it is a pointer (C++ 12.4.6).
    for (let steps = 0; arrow && steps < 10 && hasOperator(object, '->', this); steps++) {
      object = this.referred(this.classOperator('->', [object], spanOf(object)) ?? object);
    }
    if (!isPointerLike(object.type)) return object;
    return this.dereference(object, { offset: object.offset, length: object.length });
  }

  /** 6.5.2.3 */
  private checkMember({ base, name, arrow }: Of<'member'>, span: Span): TypedNode {
    const object = this.object(base, arrow);
    const type = stripType(object.type);
    if (!isStruct(type)) return fail(`${object.type.displayName} has no members`, object);
    const path = findMember(type, name);
    if (!path) {
      const member = this.classMember(type, name, span);
      if (member !== undefined) return member;
      const reason = type.incomplete
        ? `${type.displayName} is only declared here`
        : (methodWithoutCode(type, name, this.scope) ?? `There is no member named ${name}.`);
      return fail(reason, { offset: span.offset + span.length - name.length, length: name.length });
    }
    return this.memberOf(object, path, span);
  }

  /** What a class has once for all objects: static members and methods, those of its bases too. */
  private classMember(type: StructType, name: string, span: Span): TypedNode | undefined {
    if (type.name === undefined) return undefined;
    const entity = this.scope.lookup(name, { file: undefined, within: type.name, global: false });
    if (entity?.kind === 'variable') return { kind: 'variable', type: entity.variable.type, entity, ...span };
    if (entity?.kind === 'function') return { kind: 'symbol', type: entity.type, entity, ...span };
    for (const base of type.members.filter(({ isBase }) => isBase === true)) {
      const baseType = stripType(base.type);
      const found = isStruct(baseType) ? this.classMember(baseType, name, span) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // ---- sizes ----

  private checkSizeof(operand: TypedNode, span: Span): TypedNode {
    const type = stripType(operand.type);
    if (type.kind === 'array' && type.byteSize === undefined && isPlace(operand)) {
      return { kind: 'size', type: this.sizeType(), operand, ...span };
    }
    if (operand.bitSize !== undefined) return fail('a bit-field has no size in bytes', operand);
    return this.size(this.constantType(operand), span);
  }

  /** An enumerator is an int in C (6.4.4.3), though it is shown by its enumeration. */
  private constantType({ kind, type }: TypedNode): Type {
    const isEnumerator = kind === 'constant' && stripType(type).kind === 'enum' && !this.scope.isCPlusPlus;
    return isEnumerator && type.byteSize !== undefined && type.byteSize <= 4 ? this.types.int : type;
  }

  /** 6.5.3.4 for a type whose size is known now. */
  private size(type: Type, span: Span): TypedNode {
    if (hasVariableSize(type)) {
      const nowhere: TypedNode = {
        kind: 'constant',
        type: pointerTo(type, this.scope.machine.addressSize),
        value: 0n,
        ...span,
      };
      const operand: TypedNode = { kind: 'dereference', type, pointer: nowhere, ...span };
      return { kind: 'size', type: this.sizeType(), operand, ...span };
    }
    const { kind } = stripType(type);
    // GNU C: void and functions have size 1.
    const size = kind === 'void' || kind === 'function' ? 1 : type.byteSize;
    if (size === undefined) return fail(`the size of ${type.displayName} is not known`, span);
    return { kind: 'constant', type: this.sizeType(), value: BigInt(size), ...span };
  }

  /** size_t of the target's ABI. */
  sizeType(): Type {
    return this.scope.machine.addressSize === 4 ? this.types['unsigned int'] : this.types['unsigned long'];
  }

  private checkAlignof({ type: operand }: Of<'alignof'>, span: Span): TypedNode {
    const type = operand.kind === 'type-name' ? this.resolve(operand) : this.check(operand).type;
    const value = alignmentOf(type);
    if (value === undefined) return fail(`the alignment of ${type.displayName} is not known`, span);
    return { kind: 'constant', type: this.sizeType(), value: BigInt(value), ...span };
  }

  // ---- side effects ----

  /** What may be on the left of an assignment: a modifiable lvalue, but const does not protect from a debugger. */
  private checkTarget(expression: Expression, span: Span): TypedNode {
    if (this.options.sideEffects === 'forbid') return fail('nothing may be changed here', span);
    this.hasSideEffects = true;
    const target = this.check(expression);
    if (!isPlace(target) || target.kind === 'bytes' || target.kind === 'literal' || target.kind === 'repeat') {
      return fail('this is no object that could be changed', expression);
    }
    const type = stripType(target.type);
    if (type.kind === 'array' || type.kind === 'function' || type.kind === 'unknown') {
      return fail(`an object of type ${target.type.displayName} cannot be assigned to`, expression);
    }
    return target;
  }

  /** 6.5.16 */
  private checkAssignment({ operator, target: left, value: right }: Of<'assignment'>, span: Span): TypedNode {
    const value = this.check(right);
    const target = assignedPart(this.checkTarget(left, span), value, this);
    const overloaded = this.assignedByClass(operator, target, value, span);
    if (overloaded !== undefined) return overloaded;
    const assign = { kind: 'assign', type: target.type, target, returnsOld: false, ...span } as const;
    const computed = operator ? this.compound(target, value, operator, span) : value;
    return { ...assign, value: this.assigned(computed, target.type, right) };
  }

  /** Objects of one class are copied as they are: that stays, where a call would be undone. */
  private assignedByClass(
    operator: Of<'assignment'>['operator'],
    target: TypedNode,
    value: TypedNode,
    span: Span,
  ): TypedNode | undefined {
    if (!isStruct(stripType(target.type)) || (operator === undefined && sameType(target.type, value.type)))
      return undefined;
    if (operator === undefined && !hasOperator(target, '=', this)) return undefined;
    return this.classOperator(`${operator ?? ''}=`, [target, value], span);
  }

  /** The arithmetic of `a op= b`: on what the target held, read once (6.5.16.2 paragraph 3). */
  private compound(target: TypedNode, value: TypedNode, operator: Of<'assignment'>['operator'], span: Span): TypedNode {
    const bitSize = target.bitSize === undefined ? {} : { bitSize: target.bitSize };
    const current: TypedNode = {
      kind: 'current',
      type: target.type,
      ...bitSize,
      offset: target.offset,
      length: target.length,
    };
    return compoundArithmetic(operator ?? '+', this.operand(current), this.operand(value), span, this);
  }

  /** 6.5.2.4, 6.5.3.1: an assignment of one more or less. */
  private checkIncrement(operand: Expression, operator: '++' | '--', returnsOld: boolean, span: Span): TypedNode {
    const target = this.checkTarget(operand, span);
    const one: TypedNode = { kind: 'constant', type: this.types.int, value: 1n, ...span };
    // The one behind the object has an int, which is 0 (C++ 12.4.7).
    const zero: TypedNode = { ...one, value: 0n };
    const overloaded = this.classOperator(operator, returnsOld ? [target, zero] : [target], span);
    if (overloaded !== undefined) return overloaded;
    const value = this.compound(target, one, operator === '++' ? '+' : '-', span);
    return {
      kind: 'assign',
      type: target.type,
      target,
      value: this.assigned(value, target.type, span),
      returnsOld,
      ...span,
    };
  }

  unsupported(type: Type, reason: string, span: Span): TypedNode {
    return { kind: 'unsupported', type, reason, ...span };
  }
}

function isPointerLike(type: Type): boolean {
  const { kind } = stripType(type);
  return kind === 'pointer' || kind === 'array';
}
