/**
 * The formatter behind printk and the printf family. Integers, strings and padding follow Zephyr's cbprintf (complete
 * variant, long long enabled), which differs from ISO C on purpose in these points:
 *   - a value of 0 with precision 0 still prints '0';
 *   - '#' adds its prefix to 0 too ('0x0', '00'), and for 'o' on top of the precision's zeros;
 *   - '0' pads %s and %c with zeros; %p prints '(nil)' for NULL;
 *   - a specification that is invalid or not supported (%ls, %Lf, ...) is printed as it stands.
 * Floating conversions are exact as C asks, where cbprintf stops after 16 digits.
 * Nothing is written to the target: %n gives a store for the caller to carry out, after everything was checked.
 */
import { bitsToDouble, type ArgumentSource } from './calling-convention';
import { concatenate } from './guest-memory';
import { formatFloat } from './printf-float';

/** A %n that was met: `value` goes to `address` as an integer of `size` bytes. */
export interface CountStore {
  readonly address: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly value: number;
}

export interface Formatted {
  readonly bytes: Uint8Array;
  readonly stores: readonly CountStore[];
}

/** Reads a guest string for %s: up to NUL, at most `limit` bytes. `conversion` names the argument in a fault. */
export type StringReader = (address: number, limit: number, conversion: string) => Uint8Array;

/** One call that would print more than this is refused: a wild width is a bug of the extension. */
export const MAX_OUTPUT = 1 << 20;

type LengthModifier = '' | 'hh' | 'h' | 'l' | 'll' | 'j' | 'z' | 't' | 'L';

interface Conversion {
  readonly text: string;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly alternate: boolean;
  readonly zero: boolean;
  readonly width: string | undefined;
  readonly precision: string | undefined;
  readonly length: LengthModifier;
  readonly specifier: string;
}

/** Text, which argument it is for, and what stands before it. */
interface Pieces {
  readonly sign: string;
  readonly prefix: string;
  readonly body: Uint8Array;
  readonly zeroPadding: boolean;
}

const specification = /^%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?(hh|h|ll|l|j|z|t|L)?([^])?/;
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

function parseConversion(format: string, at: number): Conversion {
  const match = specification.exec(format.slice(at, at + 64));
  const [text, flags = '', width, precision, length = '', specifier = ''] = match ?? ['%'];
  const minus = flags.includes('-');
  return {
    text,
    minus,
    plus: flags.includes('+'),
    space: flags.includes(' '),
    alternate: flags.includes('#'),
    zero: flags.includes('0') && !minus,
    width,
    precision,
    length: length as LengthModifier,
    specifier,
  };
}

/** Bytes of an integer argument with a length modifier, where that of `long` is known. */
function sizeOf(length: LengthModifier, longSize: 4 | 8): 1 | 2 | 4 | 8 {
  switch (length) {
    case 'hh':
      return 1;
    case 'h':
      return 2;
    case 'll':
    case 'j':
      return 8;
    case 'l':
    case 'z':
    case 't':
      return longSize;
    default:
      return 4;
  }
}

function supported(conversion: Conversion): boolean {
  const { specifier, length } = conversion;
  if ('diouxX'.includes(specifier)) return specifier !== '' && length !== 'L';
  if ('eEfFgGaA'.includes(specifier)) return length === '' || length === 'l';
  if (specifier === 'n') return length !== 'L';
  return 'csp'.includes(specifier) && length === '';
}

/** One run over a format string; the position in the arguments and the count so far are its state. */
class Formatter {
  private readonly parts: Uint8Array[] = [];
  private readonly stores: CountStore[] = [];
  private count = 0;

  constructor(
    private readonly source: ArgumentSource,
    private readonly readString: StringReader,
    private readonly longSize: 4 | 8,
  ) {}

  run(format: Uint8Array): Formatted {
    const text = Array.from(format, (byte) => String.fromCharCode(byte)).join('');
    for (let at = 0; at < text.length;) {
      const percent = text.indexOf('%', at);
      const end = percent < 0 ? text.length : percent;
      if (end > at) this.emit(format.subarray(at, end));
      if (percent < 0) break;
      const conversion = text[percent + 1] === '%' ? undefined : parseConversion(text, percent);
      if (conversion === undefined) this.emit(ascii('%'));
      else this.convert(conversion);
      at = percent + (conversion?.text.length ?? 2);
    }
    return { bytes: concatenate(this.parts), stores: this.stores };
  }

  private emit(bytes: Uint8Array): void {
    this.count += bytes.length;
    if (this.count > MAX_OUTPUT) throw new RangeError(`one call would print more than ${MAX_OUTPUT} bytes`);
    this.parts.push(bytes);
  }

  private convert(conversion: Conversion): void {
    let { minus } = conversion;
    let width = conversion.width === undefined ? 0 : Number(conversion.width);
    if (conversion.width === '*') {
      width = this.source.word() | 0;
      if (width < 0) minus = true;
      width = Math.abs(width);
    }
    let precision = conversion.precision === undefined ? undefined : Number(conversion.precision);
    if (conversion.precision === '*') {
      const value = this.source.word() | 0;
      precision = value < 0 ? undefined : value;
    }
    if (width > MAX_OUTPUT || (precision ?? 0) > MAX_OUTPUT) {
      // Precision of %s only limits; everywhere else it asks for that many characters.
      if (width > MAX_OUTPUT || conversion.specifier !== 's') {
        throw new RangeError(`${conversion.text} asks for more than ${MAX_OUTPUT} characters`);
      }
    }
    if (!supported(conversion)) {
      this.skipArgument(conversion);
      this.emit(ascii(conversion.text));
      return;
    }
    const pieces = this.pieces(conversion, precision);
    if (pieces !== undefined) this.justify(pieces, width, minus);
  }

  /** What an unsupported conversion would have consumed, so that the next one finds its argument. */
  private skipArgument({ specifier }: Conversion): void {
    if (specifier === '') return;
    if ('eEfFgGaA'.includes(specifier)) this.source.doubleWord();
    else if ('diouxXcspn'.includes(specifier)) this.source.long();
  }

  private pieces(conversion: Conversion, precision: number | undefined): Pieces | undefined {
    switch (conversion.specifier) {
      case 'd':
      case 'i':
        return this.signedInteger(conversion, precision);
      case 'o':
      case 'u':
      case 'x':
      case 'X':
        return unsignedInteger(this.unsigned(conversion.length), conversion, precision);
      case 'p':
        return pointer(this.source.long(), conversion, precision);
      case 'c':
        return plain(Uint8Array.of(this.source.word() & 0xff), conversion.zero);
      case 's':
        return plain(
          this.readString(this.address(), precision ?? Number.MAX_SAFE_INTEGER, conversion.text),
          conversion.zero,
        );
      case 'n':
        this.storeCount(conversion.length);
        return undefined;
      default:
        return this.float(conversion, precision);
    }
  }

  /** A pointer; one beyond 32 bits is as wild as the last address. */
  private address(): number {
    return Math.min(Number(this.source.long()), 0xffff_ffff);
  }

  private unsigned(length: LengthModifier): bigint {
    const size = sizeOf(length, this.longSize);
    if (size === 8) return this.source.doubleWord();
    return BigInt.asUintN(8 * size, BigInt(this.source.word() >>> 0));
  }

  private signedInteger(conversion: Conversion, precision: number | undefined): Pieces {
    const bits = 8 * sizeOf(conversion.length, this.longSize);
    const value = BigInt.asIntN(bits, this.unsigned(conversion.length));
    const digits = (value < 0n ? -value : value).toString().padStart(precision ?? 0, '0');
    return {
      sign: value < 0n ? '-' : positiveSign(conversion),
      prefix: '',
      body: ascii(digits),
      zeroPadding: conversion.zero && precision === undefined,
    };
  }

  private float(conversion: Conversion, precision: number | undefined): Pieces {
    const bits = this.source.doubleWord();
    const value = bitsToDouble(bits);
    const lower = conversion.specifier.toLowerCase() as 'e' | 'f' | 'g' | 'a';
    const upper = lower !== conversion.specifier;
    let text = formatFloat(value, lower, precision, conversion.alternate);
    if (upper) text = text.toUpperCase();
    const hexPrefix = lower === 'a' && Number.isFinite(value) ? text.slice(0, 2) : '';
    return {
      sign: bits >> 63n === 1n ? '-' : positiveSign(conversion),
      prefix: hexPrefix,
      body: ascii(text.slice(hexPrefix.length)),
      zeroPadding: conversion.zero && Number.isFinite(value),
    };
  }

  private storeCount(length: LengthModifier): void {
    this.stores.push({ address: this.address(), size: sizeOf(length, this.longSize), value: this.count });
  }

  private justify({ sign, prefix, body, zeroPadding }: Pieces, width: number, minus: boolean): void {
    const head = sign + prefix;
    const padding = Math.max(0, width - head.length - body.length);
    if (!minus && !zeroPadding) this.emit(ascii(' '.repeat(padding)));
    this.emit(ascii(head));
    if (!minus && zeroPadding) this.emit(ascii('0'.repeat(padding)));
    this.emit(body);
    if (minus) this.emit(ascii(' '.repeat(padding)));
  }
}

function positiveSign(conversion: Conversion): string {
  if (conversion.plus) return '+';
  return conversion.space ? ' ' : '';
}

function plain(body: Uint8Array, zeroPadding: boolean): Pieces {
  return { sign: '', prefix: '', body, zeroPadding };
}

function unsignedInteger(value: bigint, conversion: Conversion, precision: number | undefined): Pieces {
  const { specifier, alternate } = conversion;
  const radix = specifier === 'o' ? 8 : specifier === 'u' ? 10 : 16;
  let digits = value.toString(radix);
  if (specifier === 'X') digits = digits.toUpperCase();
  const prefixes: Record<number, string> = { 8: '0', 16: '0' + specifier };
  return {
    sign: '',
    prefix: alternate ? (prefixes[radix] ?? '') : '',
    body: ascii(digits.padStart(precision ?? 0, '0')),
    zeroPadding: conversion.zero && precision === undefined,
  };
}

function pointer(value: bigint, conversion: Conversion, precision: number | undefined): Pieces {
  if (value === 0n) return plain(ascii('(nil)'), conversion.zero);
  return unsignedInteger(value, { ...conversion, specifier: 'x', alternate: true }, precision);
}

/** `longSize`: bytes of `long`. */
export function formatPrintf(
  format: Uint8Array,
  source: ArgumentSource,
  readString: StringReader,
  longSize: 4 | 8 = 4,
): Formatted {
  return new Formatter(source, readString, longSize).run(format);
}
