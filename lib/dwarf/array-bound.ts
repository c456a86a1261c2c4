/**
 * How many elements an array has, from one DW_TAG_subrange_type (5.13). Constant for most; for a variable-length array
 * an expression, which is rewritten here so that its value is the element count: producers give the upper bound or the
 * count, as an expression or as a reference to an artificial variable that holds it.
 */
import { encodeInteger } from '../bytes';
import { At, Tag } from './constants';
import type { Die } from './die';
import { DW_OP } from './expression-opcodes';
import { locationOf } from './location-list';
import type { ExpressionBytes, LocationDescription } from './model';

export type ElementCount = number | LocationDescription | undefined;

/** A larger bound than this is the -1 of `int a[0]`, that old producers write without sign. */
const largestBound = 0x7fffffffn;

/** `user`: the variable whose type it is. */
export function elementCount(subrange: Die, user?: Die): ElementCount {
  if (subrange.has(At.DW_AT_count)) {
    const count = subrange.constant(At.DW_AT_count);
    if (count === undefined) return variableCount(subrange, At.DW_AT_count, 0, user);
    return count <= largestBound ? Number(count) : 0;
  }
  if (!subrange.has(At.DW_AT_upper_bound)) return undefined;
  const lower = Number(subrange.signedConstant(At.DW_AT_lower_bound) ?? 0n);
  const upper = subrange.constant(At.DW_AT_upper_bound);
  if (upper === undefined) return variableCount(subrange, At.DW_AT_upper_bound, 1 - lower, user);
  if (upper > largestBound) return 0;
  return Math.max(Number(upper) + 1 - lower, 0);
}

function variableCount(subrange: Die, name: number, add: number, user: Die | undefined): ElementCount {
  if (subrange.bytes(name) !== undefined || subrange.sectionOffset(name) !== undefined) {
    const location = locationOf(subrange, name);
    return location && mapExpressions(location, (bytes) => plus(bytes, add, subrange.unit.littleEndian));
  }
  const named = subrange.reference(name);
  if (named === undefined) return undefined;
  const holder = isPlaced(named) || user === undefined ? named : (instanceFor(user, named) ?? named);
  const known = holder.constant(At.DW_AT_const_value);
  if (known !== undefined) return known <= largestBound ? Number(known) + add : 0;
  const location = locationOf(holder, At.DW_AT_location);
  const size =
    holder.holderOf(At.DW_AT_type)?.reference(At.DW_AT_type)?.number(At.DW_AT_byte_size) ?? subrange.unit.addressSize;
  return location && mapExpressions(location, (bytes) => plus(contents(bytes, size), add, subrange.unit.littleEndian));
}

function isPlaced(die: Die): boolean {
  return die.has(At.DW_AT_location) || die.has(At.DW_AT_const_value);
}

/**
 * Of an array in a function that is inlined the length is named by its abstract instance, which has no place (clang): the one that is
 * meant is in the same copy of the function as the array.
 */
function instanceFor(user: Die, origin: Die): Die | undefined {
  let copy = user.parent;
  while (copy?.tag === Tag.DW_TAG_lexical_block) copy = copy.parent;
  const find = (scope: Die): Die | undefined => {
    for (const child of scope.children) {
      const found = child.tag === Tag.DW_TAG_lexical_block ? find(child) : undefined;
      if (found !== undefined) return found;
      if (child.tag === Tag.DW_TAG_variable && child.reference(At.DW_AT_abstract_origin) === origin) return child;
    }
    return undefined;
  };
  return copy && find(copy);
}

function mapExpressions(location: LocationDescription, map: (bytes: Uint8Array) => Uint8Array): LocationDescription {
  const apply = ({ bytes, unit }: ExpressionBytes): ExpressionBytes => ({ bytes: map(bytes), unit });
  if (location.kind === 'expression') return { kind: 'expression', expression: apply(location.expression) };
  return {
    kind: 'list',
    entries: location.entries.map(({ range, expression }) => ({ range, expression: apply(expression) })),
    default: location.default && apply(location.default),
  };
}

/** From "where the variable is" to "its value". */
function contents(location: Uint8Array, size: number): Uint8Array {
  const first = location[0];
  if (location.length === 1 && first >= DW_OP.reg0 && first <= DW_OP.reg0 + 31) {
    return Uint8Array.of(DW_OP.breg0 + (first - DW_OP.reg0), 0);
  }
  if (location[location.length - 1] === DW_OP.stack_value) return location.subarray(0, -1);
  return Uint8Array.of(...location, DW_OP.deref_size, size);
}

function plus(expression: Uint8Array, add: number, littleEndian: boolean): Uint8Array {
  if (add === 0) return expression;
  // A DW_OP_stack_value may end the expression; what is added must come before it.
  const isValue = expression[expression.length - 1] === DW_OP.stack_value;
  const body = isValue ? expression.subarray(0, -1) : expression;
  if (add > 0 && add < 0x80) return Uint8Array.of(...body, DW_OP.plus_uconst, add);
  const amount = encodeInteger(BigInt(add), 4, littleEndian);
  return Uint8Array.of(...body, DW_OP.const4s, ...amount, DW_OP.plus);
}
