/**
 * Values as text on one line, the way gdb's `print` shows them: `{x = 1, y = -2}`, `0x2000711c <counter>`, `"text"`,
 * `BLUE`, `65 'A'`, `<optimized out>`. Repeats are not folded. An aggregate of which the compiler kept only a part
 * shows that part; memory that can't be read shows the error in its place.
 */
import { decodeUnsigned, hex } from '../bytes';
import { isUnavailable } from './value-bits';
import type { Query } from '../query';
import { characterText, enumText, floatText, quotedText } from './format-number';
import { type WidePrefix, wideText, widePrefix, wideUnits } from './format-wide';
import { addressOf, beyondPieces, type Unavailable } from './location';
import { type MemberPointerType, stripType, type StructType, type Type } from './model';
import {
  decodeScalar,
  dereference,
  elementCount,
  elementValue,
  isOpaque,
  isStruct,
  membersOf,
  type Value,
  valueAt,
  valueBytes,
} from './value';
import type { Frame } from './unwind-frame';
import { decodeFloat } from './value-float';
import { isBoolean, isCharacter, isComplex, isFloating, isReference } from './value-types';

export interface FormatOptions {
  /** `counter` or `counter+4` for an address that belongs to a symbol. */
  readonly symbolText?: (address: bigint) => string | undefined;
  /** A linkage name as the source has it. */
  readonly linkageText?: (name: string) => string;
  /** How an address is written; hexadecimal by default. */
  readonly addressText?: (address: bigint) => string;
  /** Integers in hexadecimal. */
  readonly hex?: boolean;
  /** Integers otherwise than their type says: gdb's print /d, /t, /o and /c. Hexadecimal comes first. */
  readonly base?: 'decimal' | 'binary' | 'octal' | 'character';
  /** Elements of an array and characters of a text that are shown before `...`. */
  readonly maxElements?: number;
  /** Nesting beyond this is shown as `{...}`. */
  readonly maxDepth?: number;
}

const defaultMaxElements = 100;
const defaultMaxDepth = 20;

/** What an address belongs to, for `symbolText`: as LoadedProgram.symbolAt answers. */
export interface SymbolPosition {
  readonly symbol: { readonly name: string; readonly kind?: string };
  readonly offset: bigint | number;
}

/** Makes `symbolText` of a symbol look-up. Of a function's address, bit 0 (Thumb) is no offset. */
export function symbolAnnotation(
  symbolAt: (address: bigint) => SymbolPosition | undefined,
): (address: bigint) => string | undefined {
  return (address) => {
    const found = symbolAt(address);
    if (!found) return undefined;
    const offset = BigInt(found.offset) & (found.symbol.kind === 'function' ? ~1n : ~0n);
    const name = sourceName(found.symbol);
    return offset === 0n ? name : `${name}+${offset}`;
  };
}

/** GCC numbers the symbols of static local variables: `calls.0`; clang those of texts, `.L.str.1`, which stay. */
function sourceName({ name, kind }: SymbolPosition['symbol']): string {
  return kind !== 'function' && !name.startsWith('.') ? name.replace(/\.\d+$/, '') : name;
}

export function* formatValue(value: Value, options: FormatOptions = {}): Query<string> {
  return yield* new Formatter(options).format(value, 0);
}

export function unavailableText({ optimizedOut, reason }: Unavailable): string {
  return optimizedOut ? '<optimized out>' : `<error: ${reason}>`;
}

/** What is shown once in an object. */
interface Shown {
  /** Virtual bases. */
  readonly bases: Set<Type>;
  /** Addresses of static members that are objects of a class, or arrays. */
  readonly statics: Set<bigint>;
}

class Formatter {
  private readonly maxElements: number;

  constructor(private readonly options: FormatOptions) {
    this.maxElements = options.maxElements ?? defaultMaxElements;
  }

  /** `statics`: classes' static members that are being shown, by their addresses: they may have themselves as a member. */
  *format(value: Value, depth: number, statics: ReadonlySet<bigint> = new Set()): Query<string> {
    const type = stripType(value.type);
    if (value.location.kind === 'implicit-pointer') return yield* this.formatSynthetic(value, depth);
    switch (type.kind) {
      case 'struct':
      case 'union':
      case 'class':
        return yield* this.formatStruct(value, type, depth, { bases: new Set(), statics: new Set(statics) });
      case 'array':
        return yield* this.formatArray(value, depth, statics);
      case 'function':
        return this.formatFunction(value);
      case 'unknown':
        // What only the symbol table knows has a place, and no size.
        if (type.byteSize === undefined && value.location.kind === 'memory') return this.formatFunction(value);
        return yield* this.formatScalar(value, type, depth);
      case 'void':
        // nullptr_t has no other value, and producers give it no size.
        return type.name?.includes('nullptr') === true ? 'nullptr' : 'void';
      default:
        return yield* this.formatScalar(value, type, depth);
    }
  }

  /** The compiler kept what a reference refers to, but no address of it. */
  private *formatSynthetic(value: Value, depth: number): Query<string> {
    const type = stripType(value.type);
    if (depth > 0 || !isReference(type) || !('target' in type)) return '<synthetic pointer>';
    const target = yield* dereference(value);
    const object = isUnavailable(target) ? valueAt(type.target, target, value.frame) : target;
    return `<synthetic pointer>: ${yield* this.format(object, 1)}`;
  }

  // ---- aggregates ----

  private *formatStruct(value: Value, type: StructType, depth: number, shown: Shown): Query<string> {
    if (type.incomplete || type.byteSize === undefined) return '<incomplete type>';
    if (depth > (this.options.maxDepth ?? defaultMaxDepth)) return '{...}';
    const whole = yield* this.fetched(value);
    if ('kind' in whole) return unavailableText(whole);
    const parts: string[] = [];
    for (const part of yield* membersOf(whole)) {
      const { name, value: member } = part;
      if (part.isStatic === true) parts.push(`static ${name} = ${yield* this.formatStatic(member, depth + 1, shown)}`);
      else if (part.isBase !== true) {
        const text = yield* this.format(member, depth + 1, shown.statics);
        parts.push(name === undefined ? text : `${name} = ${text}`);
      } else {
        const base = stripType(member.type);
        if (part.isVirtual === true && shown.bases.has(base)) continue;
        if (part.isVirtual === true) shown.bases.add(base);
        const text = isStruct(base) ? yield* this.formatStruct(member, base, depth + 1, shown) : '<incomplete type>';
        parts.push(`<${member.type.displayName}> = ${text}`);
      }
    }
    const hasOwn = type.staticMembers.length > 0 || type.members.some(({ isBase }) => isBase !== true);
    if (!hasOwn) parts.push('<No data fields>');
    return `{${parts.join(', ')}}`;
  }

  private *formatStatic(value: Value, depth: number, shown: Shown): Query<string> {
    if (value.location.kind === 'unavailable') return unavailableText(value.location);
    const type = stripType(value.type);
    const address = addressOf(value.location);
    if ((isStruct(type) || type.kind === 'array') && address !== undefined) {
      if (shown.statics.has(address)) return '<same as static member of an already seen type>';
      shown.statics.add(address);
    }
    if (!isStruct(type)) return yield* this.format(value, depth, shown.statics);
    return yield* this.formatStruct(value, type, depth, { bases: new Set(), statics: shown.statics });
  }

  private *formatArray(value: Value, depth: number, statics: ReadonlySet<bigint>): Query<string> {
    const count = elementCount(value.type);
    const array = stripType(value.type);
    if (array.kind !== 'array') return '';
    if (!count || (value.location.kind === 'unavailable' && array.element.byteSize === undefined)) {
      // A flexible array has no contents that its structure knows of, but an address.
      const address = addressOf(value.location);
      if (address !== undefined) return yield* this.pointerText(address, array.element, value.frame);
      return value.location.kind === 'unavailable' ? unavailableText(value.location) : '{}';
    }
    if (depth > (this.options.maxDepth ?? defaultMaxDepth)) return '{...}';
    const shown = Math.min(count, this.maxElements);
    const elementSize = array.element.byteSize ?? 0;
    // Only what is shown is read.
    const part: Value = { ...value, type: { ...array, count: shown, byteSize: shown * elementSize } };
    const whole = yield* this.fetched(part);
    if ('kind' in whole) return unavailableText(whole);
    if (isCharacter(array.element) && whole.location.kind === 'bytes' && this.isPlain) {
      return arrayText(whole.location.bytes, count > shown);
    }
    const prefix = this.isPlain ? widePrefix(array.element) : undefined;
    if (prefix !== undefined && whole.location.kind === 'bytes') {
      const units = wideUnits(whole.location.bytes, elementSize, value.frame.machine.littleEndian);
      const isEnded = count <= shown && units.at(-1) === 0;
      return `${wideText(isEnded ? units.slice(0, -1) : units, prefix, '"')}${count > shown ? '...' : ''}`;
    }
    const parts: string[] = [];
    for (let i = 0; i < shown; i++) parts.push(yield* this.format(elementValue(whole, i), depth + 1, statics));
    return `{${parts.join(', ')}${count > shown ? '...' : ''}}`;
  }

  /**
   * The value with its bytes read in one request, so that its parts ask for nothing more. Where the compiler kept
   * only parts, the value as it is: each part then speaks for itself.
   */
  private *fetched(value: Value): Query<Value | Unavailable> {
    if (value.location.kind === 'bytes') return value;
    const bytes = yield* valueBytes(value);
    if (bytes instanceof Uint8Array) {
      const address = addressOf(value.location);
      return valueAt(value.type, { kind: 'bytes', bytes, ...(address === undefined ? {} : { address }) }, value.frame);
    }
    const isDamaged = value.location.kind === 'unavailable' && !value.location.optimizedOut;
    return value.location.kind === 'memory' || isDamaged ? bytes : value;
  }

  // ---- scalars ----

  private *formatScalar(value: Value, type: Exclude<Type, StructType>, depth: number): Query<string> {
    const bytes = yield* valueBytes(value);
    // gdb takes what it knows nothing of for a pointer without a value.
    if (bytes === beyondPieces) return '<synthetic pointer>';
    if (!(bytes instanceof Uint8Array)) return unavailableText(bytes);
    const { littleEndian } = value.frame.machine;
    if (isComplex(value.type)) {
      const half = bytes.length / 2;
      return `${this.float(bytes.subarray(0, half), littleEndian)} + ${this.float(bytes.subarray(half), littleEndian)}i`;
    }
    if (isFloating(value.type)) return this.float(bytes, littleEndian);
    if (isOpaque(value.type)) return bytesText(bytes, value.type);
    const number = BigInt(decodeScalar(bytes, value.type, littleEndian));
    if (type.kind === 'pointer') return yield* this.formatPointer(number, type.target, value);
    if (type.kind === 'reference' || type.kind === 'rvalue-reference') {
      // What a member refers to is not shown with it, as in gdb.
      if (depth > 0) return `@${this.address(number)}`;
      const target = yield* dereference(value);
      return `@${this.address(number)}: ${isUnavailable(target) ? unavailableText(target) : yield* this.format(target, 1)}`;
    }
    if (type.kind === 'member-pointer') return this.memberPointerText(type, bytes, value.frame);
    if (type.kind === 'enum' && this.options.base === undefined) return enumText(type, number);
    if (isBoolean(type) && (number === 0n || number === 1n)) return number === 1n ? 'true' : 'false';
    const bits = value.bitField?.bitSize ?? bytes.length * 8;
    if (this.options.hex) return hex(BigInt.asUintN(bits, number));
    if (this.options.base !== undefined) return inBase(this.options.base, number, bits);
    if (isCharacter(type)) return `${number} '${characterText(Number(BigInt.asUintN(8, number)), "'")}'`;
    const prefix = widePrefix(value.type);
    if (prefix === undefined) return number.toString();
    return `${number} ${wideText([Number(BigInt.asUintN(bits, number))], prefix, "'")}`;
  }

  /** Characters are shown as such. */
  private get isPlain(): boolean {
    return this.options.hex !== true && this.options.base === undefined;
  }

  /** Itanium C++ ABI 2.3: the offset of a member, -1 for none. */
  private memberPointerText(type: MemberPointerType, bytes: Uint8Array, { machine }: Frame): string {
    if (stripType(type.target).kind === 'function') return this.methodPointerText(type, bytes, machine);
    const containing = stripType(type.containing);
    const offset = Number(BigInt.asIntN(bytes.length * 8, decodeUnsigned(bytes, machine.littleEndian)));
    if (offset === -1) return 'NULL';
    const name = isStruct(containing) ? nameAt(containing, offset) : undefined;
    return name === undefined ? `${offset}` : `&${type.containing.displayName}::${name}`;
  }

  /**
   * A function, or an offset in the table of virtual ones, and what is added to the object. Which of them it is bit 0 says: of the first word,
   * on Arm, where functions use that, of the second (C++ ABI for the Arm Architecture, 3.2.1).
   */
  private methodPointerText(type: MemberPointerType, bytes: Uint8Array, machine: Frame['machine']): string {
    const { addressSize, littleEndian, registers } = machine;
    const usesBit0 = registers.codePointerBit !== undefined;
    const word = decodeUnsigned(bytes.subarray(0, addressSize), littleEndian);
    const second = BigInt.asIntN(8 * addressSize, decodeUnsigned(bytes.subarray(addressSize), littleEndian));
    const isVirtual = ((usesBit0 ? second : word) & 1n) === 1n;
    const adjustment = usesBit0 ? second >> 1n : second;
    if (word === 0n && !isVirtual) return 'NULL';
    const note = adjustment === 0n ? '' : `, this adjustment ${adjustment}`;
    if (!isVirtual) return `(${type.displayName}) ${this.annotated(word, registers.codeAddress(word))}${note}`;
    const offset = usesBit0 ? word : word - 1n;
    const name = virtualMethod(type.containing, Number(offset) / addressSize, Number(adjustment));
    if (name === undefined) return `&virtual table offset ${offset}${note}`;
    return `&virtual ${this.options.linkageText?.(name) ?? name}`;
  }

  private float(bytes: Uint8Array, littleEndian: boolean): string {
    return floatText(bytes, decodeFloat(bytes, littleEndian), littleEndian);
  }

  private *formatPointer(address: bigint, target: Type, value: Value): Query<string> {
    if (stripType(target).kind !== 'function') return yield* this.pointerText(address, target, value.frame);
    return this.annotated(address, value.frame.machine.registers.codeAddress(address));
  }

  private formatFunction(value: Value): string {
    if (value.location.kind !== 'memory') return unavailableText(noAddress);
    const { address } = value.location;
    const code = value.frame.machine.registers.codeAddress(address);
    return `{${value.type.displayName}} ${this.annotated(address, code)}`;
  }

  /** An address with the symbol it belongs to, and the text that it points to. */
  private *pointerText(address: bigint, target: Type, frame: Frame): Query<string> {
    const text = this.annotated(address, address);
    const prefix = widePrefix(target);
    if (address === 0n || (prefix === undefined && !isCharacter(target))) return text;
    return `${text} ${yield* prefix === undefined ? this.textAt(address) : this.wideTextAt(address, target, prefix, frame)}`;
  }

  private *wideTextAt(address: bigint, target: Type, prefix: WidePrefix, frame: Frame): Query<string> {
    const size = target.byteSize ?? 4;
    const units: number[] = [];
    while (units.length < this.maxElements) {
      const at = address + BigInt(units.length * size);
      const bytes = yield { address: at, length: size };
      if (!bytes) {
        const error = `<error: Cannot access memory at address ${hex(at)}>`;
        return units.length === 0 ? error : wideText(units, prefix, '"') + error;
      }
      const [unit] = wideUnits(bytes, size, frame.machine.littleEndian);
      if (unit === 0) return wideText(units, prefix, '"');
      units.push(unit);
    }
    return `${wideText(units, prefix, '"')}...`;
  }

  private annotated(address: bigint, symbolAddress: bigint): string {
    const symbol = symbolAddress === 0n ? undefined : this.options.symbolText?.(symbolAddress);
    return symbol === undefined ? this.address(address) : `${this.address(address)} <${symbol}>`;
  }

  private address(address: bigint): string {
    return this.options.addressText?.(address) ?? hex(address);
  }

  /** The NUL-terminated text at an address, as far as it is readable and short enough. */
  private *textAt(address: bigint): Query<string> {
    const characters: number[] = [];
    let chunk = 16;
    while (characters.length < this.maxElements) {
      const start = address + BigInt(characters.length);
      const wanted: number = Math.min(chunk, this.maxElements - characters.length);
      const bytes: Uint8Array | undefined = yield { address: start, length: wanted };
      if (!bytes && wanted > 1) {
        // Near the end of a region only part of the chunk is there.
        chunk = Math.floor(wanted / 2);
        continue;
      }
      if (!bytes) {
        const error = `<error: Cannot access memory at address ${hex(start)}>`;
        return characters.length === 0 ? error : quotedText(Uint8Array.from(characters)) + error;
      }
      const nul = bytes.indexOf(0);
      characters.push(...(nul < 0 ? bytes : bytes.subarray(0, nul)));
      if (nul >= 0) return quotedText(Uint8Array.from(characters));
    }
    return `${quotedText(Uint8Array.from(characters))}...`;
  }
}

/** The member at an offset, also of an anonymous one. */
function nameAt({ members }: StructType, offset: number): string | undefined {
  for (const { name, type, byteOffset, isBase } of members) {
    const inner = stripType(type);
    if (isBase === true) continue;
    if (name !== undefined && byteOffset === offset) return name;
    const found = name === undefined && isStruct(inner) ? nameAt(inner, offset - byteOffset) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The method at an index of the table that the object has at an offset. */
function virtualMethod(containing: Type, index: number, offset: number): string | undefined {
  const type = stripType(containing);
  if (!isStruct(type)) return undefined;
  const own = offset === 0 ? type.virtualMethods.find((method) => method.index === index) : undefined;
  if (own !== undefined) return own.name;
  for (const { type: base, byteOffset, isBase } of type.members) {
    const isThere = isBase === true && offset >= byteOffset && offset < byteOffset + (base.byteSize ?? 0);
    const found = isThere ? virtualMethod(base, index, offset - byteOffset) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function inBase(base: NonNullable<FormatOptions['base']>, number: bigint, bits: number): string {
  const unsigned = BigInt.asUintN(bits, number);
  switch (base) {
    case 'decimal':
      return number.toString();
    case 'binary':
      return `0b${unsigned.toString(2)}`;
    case 'octal':
      return unsigned === 0n ? '0' : `0${unsigned.toString(8)}`;
    case 'character':
      return `${BigInt.asIntN(8, number)} '${characterText(Number(BigInt.asUintN(8, number)), "'")}'`;
  }
}

const noAddress: Unavailable = { kind: 'unavailable', optimizedOut: true, reason: 'the function has no address' };

/** A character array; one NUL at its end is C's terminator and not shown. */
function arrayText(bytes: Uint8Array, truncated: boolean): string {
  if (truncated) return `${quotedText(bytes)}...`;
  return quotedText(bytes[bytes.length - 1] === 0 ? bytes.subarray(0, -1) : bytes);
}

function bytesText(bytes: Uint8Array, type: Type): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const stripped = stripType(type);
  return stripped.kind === 'unknown' ? `<${stripped.reason}: ${digits}>` : `<bytes ${digits}>`;
}
