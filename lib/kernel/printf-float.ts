/**
 * The floating conversions of printf, exact as C asks (7.21.6.1): every digit of the binary value is available, ties
 * round to even. All arithmetic is on big integers: value = mantissa * 2^exponent.
 * The result is the unsigned text; sign, width and padding are the caller's.
 */

interface Binary64 {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** A double has at most 1074 fractional digits: what is asked beyond is zeros. */
const MAX_EXACT_DIGITS = 1100;

function decompose(value: number): Binary64 {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** numerator / denominator, ties to even. */
function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice > denominator || (twice === denominator && (quotient & 1n) === 1n)) return quotient + 1n;
  return quotient;
}

/** value * 10^power as an integer, rounded. */
function scaled(value: Binary64, power: number): bigint {
  let numerator = value.mantissa;
  let denominator = 1n;
  if (value.exponent >= 0) numerator <<= BigInt(value.exponent);
  else denominator <<= BigInt(-value.exponent);
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  return divideRounded(numerator, denominator);
}

function fixed(value: Binary64, precision: number, keepPoint: boolean): string {
  const exact = Math.min(precision, MAX_EXACT_DIGITS);
  const digits = scaled(value, exact)
    .toString()
    .padStart(exact + 1, '0');
  const whole = digits.slice(0, digits.length - exact);
  const fraction = digits.slice(digits.length - exact) + '0'.repeat(precision - exact);
  return precision > 0 || keepPoint ? `${whole}.${fraction}` : whole;
}

/** The `count` leading significant digits, rounded, and the decimal exponent of the first. */
function significant(value: Binary64, count: number): { digits: string; exponent: number } {
  if (value.mantissa === 0n) return { digits: '0'.repeat(count), exponent: 0 };
  const bits = value.mantissa.toString(2).length + value.exponent;
  let exponent = Math.floor((bits - 1) * Math.LOG10E * Math.LN2);
  for (;;) {
    const digits = scaled(value, count - 1 - exponent).toString();
    // The estimate can be one too small; rounding up 9.99 gives one digit more as well.
    if (digits.length === count) return { digits, exponent };
    exponent += digits.length > count ? 1 : -1;
  }
}

function exponential(value: Binary64, precision: number, keepPoint: boolean): string {
  const exact = Math.min(precision, MAX_EXACT_DIGITS);
  const { digits, exponent } = significant(value, exact + 1);
  const fraction = digits.slice(1) + '0'.repeat(precision - exact);
  const point = precision > 0 || keepPoint ? '.' : '';
  return `${digits[0]}${point}${fraction}${exponentText('e', exponent, 2)}`;
}

function exponentText(letter: string, exponent: number, minimumDigits: number): string {
  return letter + (exponent < 0 ? '-' : '+') + String(Math.abs(exponent)).padStart(minimumDigits, '0');
}

/** %g: the shorter of both forms by C's rule on the exponent; trailing zeros go unless '#' keeps them. */
function general(value: Binary64, precision: number, alternate: boolean): string {
  const P = precision === 0 ? 1 : precision;
  const X = significant(value, Math.min(P, MAX_EXACT_DIGITS)).exponent;
  const useFixed = P > X && X >= -4;
  const text = useFixed ? fixed(value, P - 1 - X, alternate) : exponential(value, P - 1, alternate);
  if (alternate || !text.includes('.')) return text;
  const [number, power] = text.split('e');
  const stripped = number.replace(/\.?0+$/, '');
  return power === undefined ? stripped : `${stripped}e${power}`;
}

const HEX_DIGITS = 13;

/** %a: normalised so that the first digit is 1 (0 for zero and subnormals, whose exponent is -1022). */
function hexadecimal(value: number, precision: number | undefined, alternate: boolean): string {
  const { mantissa, exponent } = decompose(value);
  const zero = mantissa === 0n;
  const power = zero ? 0 : exponent + 52;
  let whole = mantissa;
  let shown = HEX_DIGITS;
  if (precision !== undefined && precision < HEX_DIGITS) {
    whole = divideRounded(mantissa, 1n << BigInt(4 * (HEX_DIGITS - precision)));
    shown = precision;
  }
  const lead = whole >> BigInt(4 * shown);
  let fraction = (whole & ((1n << BigInt(4 * shown)) - 1n)).toString(16).padStart(shown, '0');
  if (shown === 0) fraction = '';
  if (precision === undefined) fraction = fraction.replace(/0+$/, '');
  else fraction = fraction.padEnd(precision, '0');
  const point = fraction !== '' || alternate ? '.' : '';
  return `0x${lead.toString(16)}${point}${fraction}${exponentText('p', power, 1)}`;
}

/**
 * Text of |value| for one of e f g a (lower case). `precision` undefined = the conversion's default.
 * Infinities and NaN are 'inf' and 'nan'.
 */
export function formatFloat(
  value: number,
  conversion: 'e' | 'f' | 'g' | 'a',
  precision: number | undefined,
  alternate: boolean,
): string {
  if (Number.isNaN(value)) return 'nan';
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return 'inf';
  if (conversion === 'a') return hexadecimal(magnitude, precision, alternate);
  const binary = decompose(magnitude);
  const digits = precision ?? 6;
  if (conversion === 'f') return fixed(binary, digits, alternate);
  if (conversion === 'e') return exponential(binary, digits, alternate);
  return general(binary, digits, alternate);
}
