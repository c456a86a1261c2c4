/**
 * A debugging information entry (2.1): tag, attributes, place in the tree. The accessors give an attribute's meaning
 * by the class of its form; an attribute that is absent is undefined, one of a wrong class is a FormatError.
 */
import { encodeInteger } from '../bytes';
import { FormatError } from '../errors';
import { fixedConstantBits, isConstantForm, type RawAttribute } from './attribute';
import { At, Form } from './constants';
import { toSafeNumber } from './sections';
import type { Unit } from './unit';

/** DW_AT_abstract_origin and DW_AT_specification lead at most: inlined copy, abstract instance, declaration. */
const longestOriginChain = 8;

export class Die {
  readonly children: Die[] = [];

  constructor(
    readonly unit: Unit,
    /** From the start of the unit's section. */
    readonly offset: number,
    readonly tag: number,
    readonly attributes: readonly RawAttribute[],
    readonly parent: Die | undefined,
  ) {}

  attribute(name: number): RawAttribute | undefined {
    return this.attributes.find((attribute) => attribute.name === name);
  }

  has(name: number): boolean {
    return this.attribute(name) !== undefined;
  }

  get name(): string | undefined {
    return this.string(At.DW_AT_name);
  }

  string(name: number): string | undefined {
    const attribute = this.attribute(name);
    return attribute && this.unit.stringOf(attribute);
  }

  flag(name: number): boolean {
    const attribute = this.attribute(name);
    if (attribute === undefined) return false;
    if (typeof attribute.value === 'boolean') return attribute.value;
    if (typeof attribute.value === 'bigint') return attribute.value !== 0n;
    throw this.badForm(attribute);
  }

  address(name: number): bigint | undefined {
    const attribute = this.attribute(name);
    return attribute && this.unit.addressOf(attribute);
  }

  /** A constant; fixed-size forms have no sign of their own and are read as unsigned. */
  constant(name: number): bigint | undefined {
    const attribute = this.attribute(name);
    if (attribute === undefined) return undefined;
    if (typeof attribute.value !== 'bigint' || !isConstantForm(attribute.form)) return undefined;
    return attribute.value;
  }

  /** A constant with fixed-size forms sign-extended. */
  signedConstant(name: number): bigint | undefined {
    const value = this.constant(name);
    const bits = fixedConstantBits(this.attribute(name)?.form ?? 0);
    return value === undefined || bits === undefined ? value : BigInt.asIntN(bits, value);
  }

  /** A constant that must fit a number: sizes, lines, indices. */
  number(name: number): number | undefined {
    const value = this.constant(name);
    if (value === undefined) return undefined;
    return toSafeNumber(value, this.unit.section, this.offset);
  }

  /** A block or an expression. */
  bytes(name: number): Uint8Array | undefined {
    const value = this.attribute(name)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  /** An offset into another section (classes lineptr, loclist, rnglist ...; data4 and data8 before DWARF 4). */
  sectionOffset(name: number): number | undefined {
    const attribute = this.attribute(name);
    if (attribute === undefined) return undefined;
    if (attribute.form === Form.DW_FORM_sec_offset && typeof attribute.value === 'number') return attribute.value;
    const isOld = attribute.form === Form.DW_FORM_data4 || attribute.form === Form.DW_FORM_data8;
    if (isOld && this.unit.version < 4 && typeof attribute.value === 'bigint') {
      return toSafeNumber(attribute.value, this.unit.section, this.offset);
    }
    return undefined;
  }

  reference(name: number): Die | undefined {
    const attribute = this.attribute(name);
    return attribute && this.unit.referenceOf(attribute, this.offset);
  }

  /** This entry, then those that it completes: DW_AT_abstract_origin before DW_AT_specification (2.13.2, 3.3.8). */
  origins(): readonly Die[] {
    const chain: Die[] = [this];
    for (let next = this.completed; next !== undefined; next = next.completed) {
      if (chain.includes(next) || chain.length === longestOriginChain) {
        throw new FormatError('too-deep', this.unit.section, this.offset);
      }
      chain.push(next);
    }
    return chain;
  }

  private get completed(): Die | undefined {
    return this.reference(At.DW_AT_abstract_origin) ?? this.reference(At.DW_AT_specification);
  }

  /** The nearest of origins() that has the attribute. */
  holderOf(name: number): Die | undefined {
    if (this.has(name)) return this;
    return this.origins().find((die) => die.has(name));
  }

  /** The bytes of DW_AT_const_value in target order, `size` of them for a constant form. */
  constantBytes(name: number, size: number): Uint8Array | undefined {
    const attribute = this.attribute(name);
    if (attribute === undefined) return undefined;
    const { value } = attribute;
    if (value instanceof Uint8Array) return value;
    if (typeof value === 'string') return new TextEncoder().encode(value + '\0');
    const integer = typeof value === 'bigint' ? this.signedConstant(name) : undefined;
    if (integer === undefined) throw this.badForm(attribute);
    return encodeInteger(integer, Math.max(size, 1), this.unit.littleEndian);
  }

  private badForm(attribute: RawAttribute): FormatError {
    const detail = `DW_FORM 0x${attribute.form.toString(16)} is not allowed for DW_AT 0x${attribute.name.toString(16)}`;
    return new FormatError('bad-form', this.unit.section, this.offset, detail);
  }
}
