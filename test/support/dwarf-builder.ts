/**
 * Writes DWARF by hand, for forms and opcodes that the compilers of the fixtures do not emit. An entry is described
 * by tag, attributes and children; abbreviations are made as needed; references name entries by label.
 */
import { Form, UnitType } from '../../lib/dwarf/constants';

/** Growing bytes; little endian unless said. */
export class Bytes {
  private readonly data: number[] = [];

  constructor(readonly littleEndian = true) {}

  get length(): number {
    return this.data.length;
  }

  get array(): Uint8Array {
    return Uint8Array.from(this.data);
  }

  int(value: number | bigint, size: number): this {
    const bytes = Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
    this.data.push(...(this.littleEndian ? bytes : bytes.reverse()));
    return this;
  }

  u8(...values: number[]): this {
    this.data.push(...values.map((value) => value & 0xff));
    return this;
  }

  u16(value: number): this {
    return this.int(value, 2);
  }

  u32(value: number | bigint): this {
    return this.int(value, 4);
  }

  u64(value: number | bigint): this {
    return this.int(value, 8);
  }

  uleb(value: number | bigint): this {
    let rest = BigInt(value);
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      this.data.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    return this;
  }

  sleb(value: number | bigint): this {
    let rest = BigInt(value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
      this.data.push(done ? low : low | 0x80);
      if (done) return this;
    }
  }

  text(value: string): this {
    this.data.push(...new TextEncoder().encode(value), 0);
    return this;
  }

  append(bytes: Uint8Array): this {
    this.data.push(...bytes);
    return this;
  }

  /** initial_length and what `body` writes. */
  sized(is64: boolean, body: (bytes: Bytes) => void): this {
    const inner = new Bytes(this.littleEndian);
    body(inner);
    if (is64) this.u32(0xffffffff).u64(inner.length);
    else this.u32(inner.length);
    return this.append(inner.array);
  }

  /** An offset of 32- or 64-bit DWARF. */
  offset(value: number, is64: boolean): this {
    return this.int(value, is64 ? 8 : 4);
  }
}

/** Value: number and bigint by the form; text for string and for references (a label); bytes as they are. */
export type BuiltAttribute = readonly [name: number, form: number, value?: number | bigint | string | Uint8Array];

export interface BuiltDie {
  readonly tag: number;
  readonly attributes: readonly BuiltAttribute[];
  readonly children?: readonly BuiltDie[];
  readonly label?: string;
}

export interface BuiltUnitOptions {
  readonly version?: number;
  readonly is64?: boolean;
  readonly addressSize?: 4 | 8;
  readonly littleEndian?: boolean;
  readonly unitType?: number;
  readonly signature?: bigint;
  /** Label of the entry that a type unit is for. */
  readonly typeLabel?: string;
  /** Where the unit begins in its section. */
  readonly at?: number;
}

/** One unit and its abbreviations (the table is at offset 0). */
export function buildUnit(root: BuiltDie, options: BuiltUnitOptions = {}): { info: Uint8Array; abbrev: Uint8Array } {
  const first = new UnitWriter(options, new Map());
  first.write(root);
  // The second pass knows where each label is.
  const second = new UnitWriter(options, first.labels);
  return { info: second.write(root), abbrev: second.abbrev() };
}

class UnitWriter {
  readonly labels = new Map<string, number>();
  private readonly abbreviations = new Bytes();
  private code = 0;

  constructor(
    private readonly options: BuiltUnitOptions,
    private readonly known: ReadonlyMap<string, number>,
  ) {}

  abbrev(): Uint8Array {
    return new Bytes().append(this.abbreviations.array).u8(0).array;
  }

  write(root: BuiltDie): Uint8Array {
    const { version = 5, is64 = false, addressSize = 4, littleEndian = true } = this.options;
    const { unitType = UnitType.DW_UT_compile, signature, typeLabel } = this.options;
    const out = new Bytes(littleEndian);
    out.sized(is64, (body) => {
      const lengthSize = is64 ? 12 : 4;
      body.u16(version);
      if (version >= 5) body.u8(unitType).u8(addressSize).offset(0, is64);
      else body.offset(0, is64).u8(addressSize);
      if (signature !== undefined) body.u64(signature).offset(this.known.get(typeLabel ?? '') ?? 0, is64);
      this.die(root, body, lengthSize);
    });
    return out.array;
  }

  private die(die: BuiltDie, out: Bytes, lengthSize: number): void {
    if (die.label !== undefined) this.labels.set(die.label, out.length + lengthSize);
    const children = die.children ?? [];
    const code = ++this.code;
    this.abbreviations
      .uleb(code)
      .uleb(die.tag)
      .u8(children.length > 0 ? 1 : 0);
    out.uleb(code);
    for (const [name, form, value] of die.attributes) {
      this.abbreviations.uleb(name).uleb(form);
      if (form === Form.DW_FORM_implicit_const) this.abbreviations.sleb(value as bigint | number);
      else this.value(out, form, value);
    }
    this.abbreviations.u8(0, 0);
    for (const child of children) this.die(child, out, lengthSize);
    if (children.length > 0) out.u8(0);
  }

  private value(out: Bytes, form: number, value: BuiltAttribute[2]): void {
    const { is64 = false, addressSize = 4 } = this.options;
    if (value instanceof Uint8Array) {
      if (form === Form.DW_FORM_exprloc || form === Form.DW_FORM_block) out.uleb(value.length);
      else if (form === Form.DW_FORM_block1) out.u8(value.length);
      out.append(value);
      return;
    }
    if (typeof value === 'string') {
      if (form === Form.DW_FORM_string) out.text(value);
      else out.u32(this.known.get(value) ?? 0);
      return;
    }
    const number = value ?? 0;
    switch (form) {
      case Form.DW_FORM_flag_present:
        break;
      case Form.DW_FORM_addr:
        out.int(number, addressSize);
        break;
      case Form.DW_FORM_data1:
      case Form.DW_FORM_flag:
      case Form.DW_FORM_addrx1:
      case Form.DW_FORM_strx1:
        out.int(number, 1);
        break;
      case Form.DW_FORM_data2:
        out.int(number, 2);
        break;
      case Form.DW_FORM_data4:
      case Form.DW_FORM_ref4:
        out.int(number, 4);
        break;
      case Form.DW_FORM_data8:
      case Form.DW_FORM_ref_sig8:
        out.int(number, 8);
        break;
      case Form.DW_FORM_sdata:
        out.sleb(number);
        break;
      case Form.DW_FORM_sec_offset:
      case Form.DW_FORM_strp:
      case Form.DW_FORM_line_strp:
      case Form.DW_FORM_strp_sup:
      case Form.DW_FORM_ref_addr:
        out.int(number, is64 ? 8 : 4);
        break;
      default:
        out.uleb(number);
    }
  }
}
