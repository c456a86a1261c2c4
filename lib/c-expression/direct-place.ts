/**
 * Where objects are for direct conditions (direct.ts), as far as that is settled by the pc: statics have addresses, locals a
 * register and an offset from it, by the frame base and the rule of the CFA that hold there.
 */
import { simpleExpression } from '../dwarf/expression-simple';
import { type LocationDescription, stripType, type Type, type VariableInfo } from '../dwarf/model';
import { type Frame, isExpression } from '../dwarf/unwind-frame';
import { notDirect } from './direct-number';

/** What is read of a machine. Loads are little-endian, unsigned; one that is not possible sets `failed`. */
export interface DirectMachine {
  failed: boolean;
  readonly registerCount: number;
  register(number: number): number;
  registerHigh(number: number): number;
  load8(address: number): number;
  load16(address: number): number;
  load32(address: number): number;
}

/** Where an object is. An address is what `base` gives (0 without) and the offset. */
export type Place =
  | {
      readonly kind: 'memory';
      readonly base: (() => number) | undefined;
      readonly offset: number;
      readonly bits?: { readonly offset: number; readonly size: number };
    }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export class DirectPlaces {
  constructor(
    private readonly frame: Frame,
    private readonly machine: DirectMachine,
  ) {}

  variable(variable: VariableInfo, fileScope: Frame | undefined): Place {
    if (isVariableLength(variable.type)) return notDirect();
    if (variable.constValue) return { kind: 'bytes', bytes: variable.constValue };
    if (!variable.location) return notDirect();
    return this.located(variable.location, fileScope);
  }

  private located(description: LocationDescription, fileScope: Frame | undefined): Place {
    const frame = fileScope ?? this.frame;
    const expression = frame.select(description);
    const simple = isExpression(expression) ? simpleExpression(expression) : undefined;
    if (simple?.kind === 'address') return absolute(frame.toLoad(simple.link));
    if (simple === undefined || fileScope !== undefined) return notDirect();
    switch (simple.kind) {
      case 'register':
        return simple.register < this.machine.registerCount
          ? { kind: 'register', register: simple.register }
          : notDirect();
      case 'register-offset':
        return this.relative(simple.register, simple.offset);
      case 'cfa':
        return this.fromCfa(0n);
      case 'frame-base':
        return this.fromFrameBase(simple.offset);
    }
  }

  private fromFrameBase(offset: bigint): Place {
    const { frame } = this;
    const description = frame.function?.frameBase;
    const expression = description && frame.select(description);
    const simple = expression && isExpression(expression) ? simpleExpression(expression) : undefined;
    switch (simple?.kind) {
      case 'cfa':
        return this.fromCfa(offset);
      case 'register':
        return this.relative(simple.register, offset);
      case 'register-offset':
        return this.relative(simple.register, simple.offset + offset);
      default:
        return notDirect();
    }
  }

  private fromCfa(offset: bigint): Place {
    const rule = this.frame.row?.cfa;
    return rule?.kind === 'register' ? this.relative(rule.register, rule.offset + offset) : notDirect();
  }

  private relative(register: number, offset: bigint): Place {
    const { machine } = this;
    const { addressSize } = this.frame.machine;
    if (register >= machine.registerCount) return notDirect();
    const distance = Number(offset);
    if (addressSize === 4)
      return { kind: 'memory', base: () => (machine.register(register) + distance) >>> 0, offset: 0 };
    const base = (): number => {
      if (machine.registerHigh(register) !== 0) machine.failed = true;
      return this.within((machine.register(register) >>> 0) + distance);
    };
    return { kind: 'memory', base, offset: 0 };
  }

  /** Beyond what is mapped 64-bit addresses wrap around elsewhere than numbers do. */
  within(address: number): number {
    if (address < 0 || address > 0xffff_ffff) this.machine.failed = true;
    return address;
  }
}

export function absolute(address: bigint | undefined): Place {
  if (address === undefined || address > 0xffff_ffffn) return notDirect();
  return { kind: 'memory', base: undefined, offset: Number(address) };
}

/** An array whose length is found in the frame, or a pointer to one. */
export function isVariableLength(type: Type): boolean {
  const stripped = stripType(type);
  if (stripped.kind === 'pointer')
    return stripType(stripped.target).kind === 'array' && isVariableLength(stripped.target);
  if (stripped.kind !== 'array') return false;
  return typeof stripped.count === 'object' || isVariableLength(stripped.element);
}
