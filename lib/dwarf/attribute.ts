/**
 * Attribute values in their encoded forms (7.5.5, 7.5.6). Reading yields the raw operand only; what it means (a string
 * in which section, an address by which index) depends on the unit's bases, which the unit's first entry may give
 * after the attribute itself. unit.ts turns raw values into meanings.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { AttributeSpec } from './abbrev';
import { Form } from './constants';
import { readOffset } from './sections';

/** bigint: constants and addresses; number: offsets, indices and references; string and bytes in place. */
export type RawValue = bigint | number | string | boolean | Uint8Array;

export interface RawAttribute {
  readonly name: number;
  /** The form after DW_FORM_indirect. */
  readonly form: number;
  readonly value: RawValue;
}

/** What the sizes of some forms depend on (7.5.1). */
export interface FormContext {
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: 4 | 8;
}

export function readAttribute(reader: ByteReader, spec: AttributeSpec, context: FormContext): RawAttribute {
  let { form } = spec;
  let implicitConst = spec.implicitConst;
  if (form === Form.DW_FORM_indirect) {
    form = reader.ulebNumber();
    if (form === Form.DW_FORM_indirect) throw new FormatError('bad-form', reader.section, reader.offset);
    if (form === Form.DW_FORM_implicit_const) implicitConst = reader.sleb();
  }
  if (form === Form.DW_FORM_implicit_const) return { name: spec.name, form, value: implicitConst };
  return { name: spec.name, form, value: readForm(reader, form, context) };
}

/** The operand of a form; also used by the entry formats of line tables. */
export function readForm(reader: ByteReader, form: number, context: FormContext): RawValue {
  switch (form) {
    case Form.DW_FORM_addr:
      return reader.unsigned(context.addressSize);
    case Form.DW_FORM_data1:
      return BigInt(reader.u8());
    case Form.DW_FORM_data2:
      return BigInt(reader.u16());
    case Form.DW_FORM_data4:
      return BigInt(reader.u32());
    case Form.DW_FORM_data8:
      return reader.u64();
    case Form.DW_FORM_sdata:
      return reader.sleb();
    case Form.DW_FORM_udata:
      return reader.uleb();
    case Form.DW_FORM_data16:
      return reader.take8(16);
    case Form.DW_FORM_string:
      return reader.cstring();
    case Form.DW_FORM_flag:
      return reader.u8() !== 0;
    case Form.DW_FORM_flag_present:
      return true;
    default:
      return readBlockForm(reader, form) ?? readOffsetForm(reader, form, context);
  }
}

/** Bytes with their length before them. */
function readBlockForm(reader: ByteReader, form: number): Uint8Array | undefined {
  switch (form) {
    case Form.DW_FORM_block1:
      return reader.take8(reader.u8());
    case Form.DW_FORM_block2:
      return reader.take8(reader.u16());
    case Form.DW_FORM_block4:
      return reader.take8(reader.u32());
    case Form.DW_FORM_block:
    case Form.DW_FORM_exprloc:
      return reader.take8(reader.ulebNumber());
    default:
      return undefined;
  }
}

/** Offsets, indices and references: plain numbers, whose target the form names. */
function readOffsetForm(reader: ByteReader, form: number, context: FormContext): number | bigint {
  switch (form) {
    case Form.DW_FORM_ref1:
    case Form.DW_FORM_strx1:
    case Form.DW_FORM_addrx1:
      return reader.u8();
    case Form.DW_FORM_ref2:
    case Form.DW_FORM_strx2:
    case Form.DW_FORM_addrx2:
      return reader.u16();
    case Form.DW_FORM_strx3:
    case Form.DW_FORM_addrx3:
      return Number(reader.unsigned(3));
    case Form.DW_FORM_ref4:
    case Form.DW_FORM_strx4:
    case Form.DW_FORM_addrx4:
    case Form.DW_FORM_ref_sup4:
      return reader.u32();
    case Form.DW_FORM_ref8:
    case Form.DW_FORM_ref_sup8:
      return readOffset(reader, true);
    case Form.DW_FORM_ref_sig8:
      return reader.u64();
    case Form.DW_FORM_ref_udata:
    case Form.DW_FORM_strx:
    case Form.DW_FORM_addrx:
    case Form.DW_FORM_loclistx:
    case Form.DW_FORM_rnglistx:
    case Form.DW_FORM_GNU_addr_index:
    case Form.DW_FORM_GNU_str_index:
      return reader.ulebNumber();
    case Form.DW_FORM_ref_addr:
      // In DWARF 2 the size of an address, since then of an offset.
      return readOffset(reader, context.version <= 2 ? context.addressSize === 8 : context.is64);
    case Form.DW_FORM_strp:
    case Form.DW_FORM_line_strp:
    case Form.DW_FORM_sec_offset:
    case Form.DW_FORM_strp_sup:
    case Form.DW_FORM_GNU_ref_alt:
    case Form.DW_FORM_GNU_strp_alt:
      return readOffset(reader, context.is64);
    default:
      throw new FormatError('bad-form', reader.section, reader.offset, `DW_FORM 0x${form.toString(16)} is not known`);
  }
}

const constantForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_data1,
  Form.DW_FORM_data2,
  Form.DW_FORM_data4,
  Form.DW_FORM_data8,
  Form.DW_FORM_sdata,
  Form.DW_FORM_udata,
  Form.DW_FORM_implicit_const,
]);

export function isConstantForm(form: number): boolean {
  return constantForms.has(form);
}

/** Bits of a fixed-size constant, whose sign is the attribute's or the type's business; undefined for LEB128. */
export function fixedConstantBits(form: number): number | undefined {
  switch (form) {
    case Form.DW_FORM_data1:
      return 8;
    case Form.DW_FORM_data2:
      return 16;
    case Form.DW_FORM_data4:
      return 32;
    case Form.DW_FORM_data8:
      return 64;
    default:
      return undefined;
  }
}
