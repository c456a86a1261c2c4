/**
 * The DWARF expression machine (DWARF 5, 2.5 and 2.6): all operators of DWARF 2 to 5 and GCC's extensions, as a
 * query. It never throws and always ends: a broken expression, unreadable memory or a register that this frame
 * does not have give an `Unavailable` location with the reason.
 * Entries of the stack have a type (2.5.1): undefined is the generic type, an integer as wide as an address whose
 * signedness is the operator's choice. Arithmetic is in expression-stack.ts.
 */
import { ByteReader, decodeUnsigned, hex } from '../bytes';
import { FormatError } from '../errors';
import type { Query } from '../query';
import { DW_OP, operatorName } from './expression-opcodes';
import { applyStackOperator, ExpressionFault, ExpressionStack, isFloatType, type StackEntry } from './expression-stack';
import { simpleExpression, type SimpleExpression } from './expression-simple';
import { type Location, type Piece, optimizedOut, unavailable } from './location';
import type { BaseType, ExpressionBytes, LocationDescription, Type } from './model';

/** What an expression may ask of the frame and the module it is evaluated in. */
export interface ExpressionContext {
  /** Registers of the frame, by DWARF number. */
  register(register: number): bigint | undefined;
  /** Link address -> load address of the module. */
  toLoad(link: bigint): bigint | undefined;
  /** DW_AT_frame_base of the function, evaluated; undefined where there is none. */
  frameBase(): Query<bigint | undefined>;
  /** DW_OP_call_frame_cfa. */
  cfa(): bigint | undefined;
  /** What a register held when the function was entered (DW_OP_entry_value), or why that is not known. */
  entryRegister(register: number): Query<bigint | Location>;
  /** What the caller passed for a parameter DIE (DW_OP_GNU_parameter_ref). */
  entryParameter(unitOffset: number): Query<bigint | Location>;
  /** Picks the expression of a location description for this frame's pc. */
  select(description: LocationDescription): ExpressionBytes | Location;
  /** DW_OP_push_object_address. */
  readonly objectAddress?: bigint;
}

/** Operators that one evaluation may execute, calls included. */
const stepLimit = 20_000;
const callDepthLimit = 16;

/** Evaluates a location description's expression: where the object is. */
export function* evaluateLocation(
  expression: ExpressionBytes,
  context: ExpressionContext,
  initial: readonly bigint[] = [],
): Query<Location> {
  const simple = initial.length === 0 ? simpleExpression(expression) : undefined;
  if (simple?.kind === 'register') return { kind: 'register', register: simple.register, byteOffset: 0 };
  if (simple) {
    const address = yield* simpleAddress(simple, context, expression.unit.addressSize);
    if (address !== undefined) return { kind: 'memory', address };
  }
  const machine = new ExpressionMachine(context, expression.unit.addressSize);
  try {
    for (const value of initial) machine.stack.pushGeneric(value);
    yield* machine.run(expression);
    return machine.location();
  } catch (error) {
    return faultLocation(error);
  }
}

/**
 * Evaluates an expression for a number: frame bases, rules of call-frame information, values at call sites, counts
 * of variable-length arrays. A register location stands for the register's contents. Not a number: why.
 */
export function* evaluateNumber(
  expression: ExpressionBytes,
  context: ExpressionContext,
  initial: readonly bigint[] = [],
): Query<bigint | Location> {
  const simple = initial.length === 0 ? simpleExpression(expression) : undefined;
  if (simple) {
    const number = yield* simpleAddress(simple, context, expression.unit.addressSize);
    if (number !== undefined) return number;
  }
  const machine = new ExpressionMachine(context, expression.unit.addressSize);
  try {
    for (const value of initial) machine.stack.pushGeneric(value);
    yield* machine.run(expression);
    const floating = machine.floatingBits();
    if (floating !== undefined) return floating;
    const location = machine.location();
    switch (location.kind) {
      case 'memory':
        return location.address;
      case 'value':
        return location.value;
      case 'register':
        return context.register(location.register) ?? optimizedOut(`register ${location.register} is not known here`);
      case 'bytes':
        return decodeUnsigned(location.bytes, expression.unit.littleEndian);
      case 'implicit-pointer':
      case 'pieces':
        return unavailable('the expression gives no number');
      case 'unavailable':
        return location;
    }
  } catch (error) {
    return faultLocation(error);
  }
}

/** undefined: something is missing, which the machine words. */
function* simpleAddress(
  simple: SimpleExpression,
  context: ExpressionContext,
  addressSize: 4 | 8,
): Query<bigint | undefined> {
  switch (simple.kind) {
    case 'frame-base': {
      const base = yield* context.frameBase();
      return base === undefined ? undefined : BigInt.asUintN(addressSize * 8, base + simple.offset);
    }
    case 'register':
      return context.register(simple.register);
    case 'register-offset': {
      const base = context.register(simple.register);
      return base === undefined ? undefined : BigInt.asUintN(addressSize * 8, base + simple.offset);
    }
    case 'address':
      return context.toLoad(simple.link);
    case 'cfa':
      return context.cfa();
  }
}

function faultLocation(error: unknown): Location {
  if (error instanceof ExpressionFault) return error.location;
  if (error instanceof FormatError) return unavailable(`the location expression is damaged: ${error.message}`);
  throw error;
}

class ExpressionMachine {
  readonly stack: ExpressionStack;
  private steps = 0;
  private depth = 0;
  /** Inside DW_OP_entry_value: registers are those at the function's entry. */
  private atEntry = false;
  /** What a register, implicit or stack-value operator has described and no piece has taken yet. */
  private described: Location | undefined;
  private readonly pieces: Piece[] = [];

  constructor(
    private readonly context: ExpressionContext,
    private readonly addressSize: 4 | 8,
  ) {
    this.stack = new ExpressionStack(addressSize);
  }

  location(): Location {
    if (this.pieces.length > 0) return { kind: 'pieces', pieces: this.pieces };
    return this.described ?? this.memoryLocation() ?? optimizedOut('the location is empty');
  }

  /** Where the result is a floating-point number: its bits, as the register has them that a call site describes. */
  floatingBits(): bigint | undefined {
    if (this.pieces.length > 0 || this.described !== undefined || this.stack.isEmpty) return undefined;
    const top = this.stack.peek(0);
    return typeof top.value === 'number' ? this.stack.bits(top) : undefined;
  }

  *run(expression: ExpressionBytes): Query<void> {
    const reader = new ByteReader(expression.bytes, expression.unit.littleEndian, 'DWARF expression');
    while (!reader.atEnd) {
      if (++this.steps > stepLimit) throw new ExpressionFault('the location expression does not end');
      const opcode = reader.u8();
      if (opcode >= DW_OP.lit0 && opcode <= DW_OP.lit31) this.stack.pushGeneric(BigInt(opcode - DW_OP.lit0));
      else if (opcode >= DW_OP.reg0 && opcode <= DW_OP.reg31) this.describeRegister(opcode - DW_OP.reg0);
      else if (opcode >= DW_OP.breg0 && opcode <= DW_OP.breg31) {
        yield* this.pushRegister(opcode - DW_OP.breg0, reader.sleb());
      } else if (opcode === DW_OP.fbreg) yield* this.pushFrameBase(reader.sleb());
      else if (this.constantOperator(opcode, reader, expression)) continue;
      else if (applyStackOperator(opcode, reader, this.stack)) continue;
      else if (this.typedOperator(opcode, reader, expression)) continue;
      else if (this.descriptionOperator(opcode, reader, expression)) continue;
      else yield* this.targetOperator(opcode, reader, expression);
    }
  }

  /** 2.5.1.1 and DW_OP_addr: operands that are the value. */
  private constantOperator(opcode: number, reader: ByteReader, { unit }: ExpressionBytes): boolean {
    switch (opcode) {
      case DW_OP.addr:
        this.stack.pushGeneric(this.loadAddress(reader.unsigned(unit.addressSize)));
        return true;
      case DW_OP.addrx:
      case DW_OP.GNU_addr_index:
        this.stack.pushGeneric(this.loadAddress(unit.addressAt(reader.ulebNumber())));
        return true;
      case DW_OP.constx:
      case DW_OP.GNU_const_index:
        this.stack.pushGeneric(unit.addressAt(reader.ulebNumber()));
        return true;
      case DW_OP.const1u:
      case DW_OP.const2u:
      case DW_OP.const4u:
      case DW_OP.const8u:
        this.stack.pushGeneric(reader.unsigned(1 << ((opcode - DW_OP.const1u) >> 1)));
        return true;
      case DW_OP.const1s:
      case DW_OP.const2s:
      case DW_OP.const4s:
      case DW_OP.const8s: {
        const size = 1 << ((opcode - DW_OP.const1s) >> 1);
        this.stack.pushGeneric(BigInt.asIntN(size * 8, reader.unsigned(size)));
        return true;
      }
      case DW_OP.constu:
        this.stack.pushGeneric(reader.uleb());
        return true;
      case DW_OP.consts:
        this.stack.pushGeneric(reader.sleb());
        return true;
      default:
        return false;
    }
  }

  /** 2.5.1.6 and DW_OP_const_type: operators that give a value a type. */
  private typedOperator(opcode: number, reader: ByteReader, { unit }: ExpressionBytes): boolean {
    switch (opcode) {
      case DW_OP.const_type:
      case DW_OP.GNU_const_type: {
        const type = baseType(unit.typeAt(reader.ulebNumber()));
        this.stack.push(this.stack.decode(reader.take8(reader.u8()), type, unit.littleEndian));
        return true;
      }
      case DW_OP.convert:
      case DW_OP.GNU_convert:
      case DW_OP.reinterpret:
      case DW_OP.GNU_reinterpret: {
        const offset = reader.ulebNumber();
        const type = offset === 0 ? undefined : baseType(unit.typeAt(offset));
        const entry = this.stack.pop();
        const reinterpret = opcode === DW_OP.reinterpret || opcode === DW_OP.GNU_reinterpret;
        this.stack.push(reinterpret ? this.stack.reinterpret(entry, type) : this.stack.convert(entry, type));
        return true;
      }
      default:
        return false;
    }
  }

  /** 2.6.1: operators that describe a location instead of computing an address. */
  private descriptionOperator(opcode: number, reader: ByteReader, { unit }: ExpressionBytes): boolean {
    switch (opcode) {
      case DW_OP.regx:
        this.describeRegister(reader.ulebNumber());
        return true;
      case DW_OP.piece:
        this.takePiece(reader.ulebNumber() * 8, 0);
        return true;
      case DW_OP.bit_piece:
        this.takePiece(reader.ulebNumber(), reader.ulebNumber());
        return true;
      case DW_OP.implicit_value:
        this.described = { kind: 'bytes', bytes: reader.take8(reader.ulebNumber()) };
        return true;
      case DW_OP.stack_value:
        this.described = this.stackValue(this.stack.pop());
        return true;
      case DW_OP.implicit_pointer:
      case DW_OP.GNU_implicit_pointer: {
        // DWARF 2 wrote the reference in the size of an address, later versions in that of an offset.
        const size = unit.version === 2 ? unit.addressSize : 4;
        const infoOffset = Number(reader.unsigned(size));
        this.described = { kind: 'implicit-pointer', infoOffset, byteOffset: reader.sleb(), unit };
        return true;
      }
      case DW_OP.nop:
      case DW_OP.GNU_uninit:
        return true;
      default:
        return false;
    }
  }

  /** Operators that ask the target, the frame, or other parts of the debug information. */
  private *targetOperator(opcode: number, reader: ByteReader, expression: ExpressionBytes): Query<void> {
    const { unit } = expression;
    switch (opcode) {
      case DW_OP.deref:
        return yield* this.dereference(unit.addressSize, undefined, unit.littleEndian);
      case DW_OP.deref_size:
        return yield* this.dereference(reader.u8(), undefined, unit.littleEndian);
      case DW_OP.deref_type:
      case DW_OP.GNU_deref_type: {
        const size = reader.u8();
        return yield* this.dereference(size, baseType(unit.typeAt(reader.ulebNumber())), unit.littleEndian);
      }
      case DW_OP.bregx:
        return yield* this.pushRegister(reader.ulebNumber(), reader.sleb());
      case DW_OP.regval_type:
      case DW_OP.GNU_regval_type: {
        const value = yield* this.register(reader.ulebNumber());
        this.stack.push(this.stack.reinterpret({ type: undefined, value }, baseType(unit.typeAt(reader.ulebNumber()))));
        return;
      }
      case DW_OP.call_frame_cfa:
        return this.stack.pushGeneric(this.context.cfa() ?? missing('the frame has no call-frame information'));
      case DW_OP.push_object_address:
        return this.stack.pushGeneric(this.context.objectAddress ?? missing('there is no object address here'));
      case DW_OP.entry_value:
      case DW_OP.GNU_entry_value:
        return yield* this.entryValue({ bytes: reader.take8(reader.ulebNumber()), unit });
      case DW_OP.GNU_parameter_ref:
        return this.stack.pushGeneric(numberOrFault(yield* this.context.entryParameter(reader.u32())));
      case DW_OP.call2:
        return yield* this.call(reader.u16(), expression);
      case DW_OP.call4:
      case DW_OP.call_ref:
        return yield* this.call(reader.u32(), expression);
      case DW_OP.form_tls_address:
      case DW_OP.GNU_push_tls_address:
        throw new ExpressionFault('thread-local variables have no address on this target');
      case DW_OP.xderef:
      case DW_OP.xderef_size:
      case DW_OP.xderef_type:
        throw new ExpressionFault('this target has one address space');
      default:
        throw new ExpressionFault(`${operatorName(opcode)} is not known`);
    }
  }

  private *register(register: number): Query<bigint> {
    if (this.atEntry) return numberOrFault(yield* this.context.entryRegister(register));
    const value = this.context.register(register);
    if (value === undefined) throw new ExpressionFault(`register ${register} is not known in this frame`, true);
    return value;
  }

  private *pushRegister(register: number, offset: bigint): Query<void> {
    this.stack.pushGeneric((yield* this.register(register)) + offset);
  }

  private *pushFrameBase(offset: bigint): Query<void> {
    const base = yield* this.context.frameBase();
    if (base === undefined) throw new ExpressionFault('the frame base is not known', true);
    this.stack.pushGeneric(base + offset);
  }

  private describeRegister(register: number): void {
    this.described = { kind: 'register', register, byteOffset: 0 };
  }

  private stackValue(entry: StackEntry): Location {
    const byteSize = entry.type?.byteSize ?? this.addressSize;
    return { kind: 'value', value: this.stack.bits(entry), byteSize };
  }

  private memoryLocation(): Location | undefined {
    const entry = this.stack.popIfAny();
    return entry && { kind: 'memory', address: this.stack.unsigned(entry) };
  }

  private takePiece(bitSize: number, bitOffset: number): void {
    const location =
      this.described ?? this.memoryLocation() ?? optimizedOut('the compiler kept no place for this part');
    this.described = undefined;
    this.pieces.push({ location, bitOffset, bitSize });
  }

  private *dereference(size: number, type: BaseType | undefined, littleEndian: boolean): Query<void> {
    const address = this.stack.unsigned(this.stack.pop());
    if (size < 1 || size > 16) throw new ExpressionFault(`a value of ${size} bytes is read from memory`);
    const bytes = yield { address, length: size };
    if (!bytes) throw new ExpressionFault(`memory at ${hex(address)} cannot be read`);
    if (type) this.stack.push(this.stack.decode(bytes, type, littleEndian));
    else this.stack.pushGeneric(decodeUnsigned(bytes, littleEndian));
  }

  /** 2.5.1.7: the value that the expression had when the function was entered. Evaluated on a stack of its own. */
  private *entryValue(expression: ExpressionBytes): Query<void> {
    const inner = new ExpressionMachine(this.context, this.addressSize);
    inner.atEntry = true;
    inner.steps = this.steps;
    yield* inner.run(expression);
    const { described } = inner;
    if (described === undefined) this.stack.push(inner.stack.pop());
    else if (described.kind === 'register') this.stack.pushGeneric(yield* inner.register(described.register));
    else if (described.kind === 'value') this.stack.pushGeneric(described.value);
    else throw new ExpressionFault('the value at entry is not a number', true);
  }

  /** 2.5.1.5: runs the DIE's location expression on this stack; nothing where the DIE has none. */
  private *call(infoOffset: number, { unit }: ExpressionBytes): Query<void> {
    if (++this.depth > callDepthLimit) throw new ExpressionFault('location expressions call each other in a circle');
    const description = unit.locationOf(infoOffset);
    if (description) {
      const selected = this.context.select(description);
      if ('bytes' in selected && 'unit' in selected) yield* this.run(selected);
    }
    this.depth--;
  }

  private loadAddress(link: bigint): bigint {
    const load = this.context.toLoad(link);
    if (load === undefined) throw new ExpressionFault(`link address ${hex(link)} is in no loaded section`);
    return load;
  }
}

function missing(reason: string): never {
  throw new ExpressionFault(reason, true);
}

function numberOrFault(value: bigint | Location): bigint {
  if (typeof value === 'bigint') return value;
  const known = value.kind === 'unavailable' ? value : unavailable('not a number');
  throw new ExpressionFault(known.reason, known.optimizedOut);
}

function baseType(type: Type): BaseType {
  if (type.kind !== 'base' || type.byteSize === undefined || type.byteSize > 16) {
    throw new ExpressionFault('a typed operator refers to no base type');
  }
  if (isFloatType(type) && type.byteSize !== 4 && type.byteSize !== 8) {
    throw new ExpressionFault(`floating-point numbers of ${type.byteSize} bytes are not computed`);
  }
  return type;
}
