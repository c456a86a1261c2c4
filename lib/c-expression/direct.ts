/**
 * Conditions of breakpoints in hot loops: a checked expression becomes closures that read registers and memory as plain numbers.
 * Everything that is the same at each arrival at one pc (addresses of statics, frame offsets, the rule of the CFA, types) is
 * settled once. What is not simple enough for that (location lists of several operators, pieces, vectors, assignments, calls) is
 * left to the evaluator, and so is an evaluation that fails: it gives the same value, or says why there is none.
 */
import { decodeScalar } from '../dwarf/value';
import { stripType, type Type } from '../dwarf/model';
import type { Frame } from '../dwarf/unwind-frame';
import type { CompiledExpression } from './compile';
import {
  compared,
  type Computation,
  computed,
  constantOf,
  converted,
  formOf,
  isWide,
  narrow,
  notDirect,
  NotDirect,
  truth,
} from './direct-number';
import { absolute, type DirectMachine, DirectPlaces, isVariableLength, type Place } from './direct-place';
import { isPlace, type TypedNode } from './typed';

/** Whether it holds; undefined = that has to be evaluated. */
export type DirectCondition = () => boolean | undefined;

type Node<K extends TypedNode['kind']> = Extract<TypedNode, { kind: K }>;

const largestElement = 1 << 20;

/** `frame`: the innermost one at the pc where the condition is asked. undefined = it is not that simple. */
export function directCondition(
  { node, hasSideEffects }: CompiledExpression,
  frame: Frame,
  machine: DirectMachine,
): DirectCondition | undefined {
  if (hasSideEffects || !frame.machine.littleEndian) return undefined;
  try {
    const holds = new DirectCompiler(frame, machine).truth(node);
    return () => {
      machine.failed = false;
      const result = holds();
      return machine.failed ? undefined : result;
    };
  } catch (error) {
    if (error instanceof NotDirect) return undefined;
    throw error;
  }
}

class DirectCompiler {
  private readonly addressSize: number;
  private readonly places: DirectPlaces;

  constructor(
    frame: Frame,
    private readonly machine: DirectMachine,
  ) {
    this.addressSize = frame.machine.addressSize;
    this.places = new DirectPlaces(frame, machine);
  }

  truth(node: TypedNode): () => boolean {
    switch (node.kind) {
      case 'compare':
        return compared(node.operator, this.number(node.left), this.number(node.right));
      case 'and':
      case 'or': {
        const [left, right] = [this.truth(node.left), this.truth(node.right)];
        return node.kind === 'and' ? () => left() && right() : () => left() || right();
      }
      case 'not': {
        const operand = this.truth(node.operand);
        return () => !operand();
      }
      default:
        return truth(this.number(node));
    }
  }

  private number(node: TypedNode): Computation {
    if (isPlace(node)) return this.read(this.place(node), node.type);
    switch (node.kind) {
      case 'constant':
        return constantOf(node.value, node.type);
      case 'convert':
        return converted(this.number(node.operand), node.operand.type, node.type);
      case 'compare':
      case 'and':
      case 'or':
      case 'not': {
        const holds = this.truth(node);
        return { wide: false, run: () => (holds() ? 1 : 0) };
      }
      case 'arithmetic': {
        const fail = (): void => void (this.machine.failed = true);
        return computed(node.operator, this.number(node.left), this.number(node.right), node.computed, fail);
      }
      case 'negate':
      case 'complement':
        return this.unary(node);
      case 'address':
        return this.addressNumber(this.place(node.operand), node.operand.type);
      case 'pointer-add':
        return this.pointerAdd(node);
      case 'pointer-difference':
        return this.pointerDifference(node);
      case 'conditional':
        return this.conditional(node);
      default:
        return notDirect();
    }
  }

  private unary({ kind, operand, type }: Node<'negate' | 'complement' | 'not'>): Computation {
    const value = this.number(operand);
    const form = formOf(type);
    if (value.wide !== isWide(form)) return notDirect();
    if (value.wide) {
      const { run } = value;
      const fit = (x: bigint): bigint => (form.signed ? BigInt.asIntN(64, x) : BigInt.asUintN(64, x));
      return { wide: true, run: kind === 'negate' ? () => fit(-run()) : () => fit(~run()) };
    }
    const { run } = value;
    if (form.kind === 'float')
      return form.size === 8 && kind === 'negate' ? { wide: false, run: () => -run() } : notDirect();
    const cut = narrow(form);
    return { wide: false, run: kind === 'negate' ? () => cut(0 - run()) : () => cut(~run()) };
  }

  private conditional({ condition, then, otherwise }: Node<'conditional'>): Computation {
    if (then === undefined) return notDirect();
    const [test, yes, no] = [this.truth(condition), this.number(then), this.number(otherwise)];
    if (yes.wide && no.wide) return { wide: true, run: () => (test() ? yes.run() : no.run()) };
    if (yes.wide || no.wide) return notDirect();
    return { wide: false, run: () => (test() ? yes.run() : no.run()) };
  }

  // ---- pointers ----

  private pointerAdd({ pointer, index, scale, subtract }: Node<'pointer-add'>): Computation {
    if (scale === undefined || scale > largestElement) return notDirect();
    const [from, count] = [this.number(pointer), this.number(index)];
    if (count.wide) return notDirect();
    const factor = subtract ? -Number(scale) : Number(scale);
    const { run } = count;
    if (!from.wide) return { wide: false, run: () => (from.run() + run() * factor) >>> 0 };
    return { wide: true, run: () => BigInt.asUintN(64, from.run() + BigInt(run() * factor)) };
  }

  private pointerDifference({ left, right, scale }: Node<'pointer-difference'>): Computation {
    if (scale === undefined || scale === 0n) return notDirect();
    const [a, b] = [this.number(left), this.number(right)];
    if (a.wide && b.wide) return { wide: true, run: () => BigInt.asIntN(64, a.run() - b.run()) / scale };
    if (a.wide || b.wide) return notDirect();
    const size = Number(scale);
    return { wide: false, run: () => (((a.run() - b.run()) | 0) / size) | 0 };
  }

  private addressNumber(place: Place, type: Type): Computation {
    if (place.kind !== 'memory' || place.bits || stripType(type).kind === 'function') return notDirect();
    const address = this.addressOf(place);
    if (this.addressSize === 8) return { wide: true, run: () => BigInt(address()) };
    return { wide: false, run: address };
  }

  /** Below 4 GiB, as all memory of the machine is; anything else is the evaluator's. */
  private pointerTo(pointer: Computation): () => number {
    if (!pointer.wide) return pointer.run;
    const { machine } = this;
    return () => {
      const address = pointer.run();
      if (address <= 0xffff_ffffn) return Number(address);
      machine.failed = true;
      return 0;
    };
  }

  private addressOf({ base, offset }: Extract<Place, { kind: 'memory' }>): () => number {
    if (base === undefined) return () => offset;
    return offset === 0 ? base : () => base() + offset;
  }

  // ---- places ----

  private place(node: TypedNode): Place {
    switch (node.kind) {
      case 'variable':
        return this.places.variable(node.entity.variable, node.entity.frame);
      case 'symbol':
        return absolute(node.entity.address);
      case 'register': {
        const { register } = node;
        return typeof register === 'number' && register < this.machine.registerCount
          ? { kind: 'register', register }
          : notDirect();
      }
      case 'dereference': {
        if (isVariableLength(node.type) || stripType(node.type).kind === 'function') return notDirect();
        return { kind: 'memory', base: this.pointerTo(this.number(node.pointer)), offset: 0 };
      }
      case 'member':
        return this.member(node);
      case 'element':
        return this.element(node);
      default:
        return notDirect();
    }
  }

  private member({ base, path }: Node<'member'>): Place {
    let place = this.place(base);
    for (const { bitSize, bitOffset, byteOffset, baseAddress } of path) {
      if (place.kind !== 'memory' || place.bits || baseAddress !== undefined) return notDirect();
      place =
        bitSize !== undefined && bitOffset !== undefined
          ? { ...place, bits: { offset: bitOffset, size: bitSize } }
          : { ...place, offset: place.offset + byteOffset };
    }
    return place;
  }

  private element({ base, index }: Node<'element'>): Place {
    const type = stripType(base.type);
    const size = type.kind === 'array' ? type.element.byteSize : undefined;
    const place = this.place(base);
    const at = this.number(index);
    if (size === undefined || size > largestElement || place.kind !== 'memory' || place.bits || at.wide)
      return notDirect();
    const start = this.addressOf(place);
    const { run } = at;
    const first =
      this.addressSize === 4 ? () => (start() + run() * size) >>> 0 : () => this.places.within(start() + run() * size);
    return { kind: 'memory', base: first, offset: 0 };
  }

  // ---- reading ----

  private read(place: Place, type: Type): Computation {
    const form = formOf(type);
    if (place.kind === 'bytes') {
      return place.bytes.length < form.size
        ? notDirect()
        : constantOf(decodeScalar(place.bytes.subarray(0, form.size), type, true), type);
    }
    if (place.kind === 'register') return this.readRegister(place.register, type);
    if (place.bits) return this.readBits(this.addressOf(place), place.bits, type);
    const address = this.addressOf(place);
    const { machine } = this;
    if (form.kind === 'float') return { wide: false, run: floatReader(machine, address, form.size) };
    if (form.size === 8) {
      const fit = form.signed ? BigInt.asIntN : BigInt.asUintN;
      const run = (): bigint => {
        const at = address();
        return fit(64, BigInt(machine.load32(at)) | (BigInt(machine.load32(at + 4)) << 32n));
      };
      return { wide: true, run };
    }
    const cut = narrow(form);
    if (form.size === 1) return { wide: false, run: () => cut(machine.load8(address())) };
    if (form.size === 2) return { wide: false, run: () => cut(machine.load16(address())) };
    return { wide: false, run: form.signed ? () => machine.load32(address()) | 0 : () => machine.load32(address()) };
  }

  private readRegister(register: number, type: Type): Computation {
    const form = formOf(type);
    if (form.kind === 'float' || form.size > this.addressSize) return notDirect();
    const { machine } = this;
    if (form.size === 8) {
      const fit = form.signed ? BigInt.asIntN : BigInt.asUintN;
      const run = (): bigint =>
        fit(64, (BigInt(machine.registerHigh(register)) << 32n) | BigInt(machine.register(register) >>> 0));
      return { wide: true, run };
    }
    const cut = narrow(form);
    return { wide: false, run: () => cut(machine.register(register)) };
  }

  /** A bit-field of at most 32 bits that lies in four bytes. */
  private readBits(address: () => number, { offset, size }: { offset: number; size: number }, type: Type): Computation {
    const form = formOf(type);
    const shift = offset % 8;
    if (isWide(form) || shift + size > 32) return notDirect();
    const first = Math.floor(offset / 8);
    const count = Math.ceil((shift + size) / 8);
    const { machine } = this;
    const [left, right] = [32 - size - shift, 32 - size];
    const run = (): number => {
      const at = address() + first;
      let word = 0;
      for (let i = 0; i < count; i++) word |= machine.load8(at + i) << (8 * i);
      return form.signed ? (word << left) >> right : (word << left) >>> right;
    };
    return { wide: false, run };
  }
}

function floatReader(machine: DirectMachine, address: () => number, size: number): () => number {
  const scratch = new DataView(new ArrayBuffer(8));
  return () => {
    const at = address();
    scratch.setUint32(0, machine.load32(at), true);
    if (size === 4) return scratch.getFloat32(0, true);
    scratch.setUint32(4, machine.load32(at + 4), true);
    return scratch.getFloat64(0, true);
  };
}
