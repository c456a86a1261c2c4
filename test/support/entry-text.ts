/**
 * Entries of .debug_info as lines of text that can be compared with what llvm-dwarfdump -v prints: an entry's offset in
 * its unit (COMDAT sections of one name are joined here), depth and tag, then each attribute with its form and its value brought to one spelling. Numbers are decimal, strings
 * quoted, addresses are offsets in their section (llvm-dwarfdump leaves every section of an ET_REL at 0).
 */
import type { RawAttribute } from '../../lib/dwarf/attribute';
import { At, Form, tagName } from '../../lib/dwarf/constants';
import type { DebugInfo } from '../../lib/dwarf/debug-info';
import type { Die } from '../../lib/dwarf/die';
import { locationOf } from '../../lib/dwarf/location-list';
import { rangesOf } from '../../lib/dwarf/ranges';
import type { Unit } from '../../lib/dwarf/unit';
import { expressionText, type OffsetOf } from './expression-text';

const attributeNames = new Map<number, string>(Object.entries(At).map(([name, value]) => [value, name]));
const formNames = new Map<number, string>(Object.entries(Form).map(([name, value]) => [value, name]));

/** `relocatable`: addresses in expressions are left out, see dumped-entries.ts. */
export function* entryLines(debug: DebugInfo, offsetOf: OffsetOf, relocatable: boolean): Generator<string> {
  const text = new EntryText(debug, offsetOf, relocatable ? undefined : offsetOf);
  for (const unit of debug.units as readonly Unit[]) {
    const pending: (readonly [Die, number])[] = [[unit.root, 0]];
    // The root has its children only once the tree is read.
    void unit.dies.size;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [die, depth] = next;
      yield `${die.offset - unit.header.offset} ${depth} ${tagName(die.tag)}`;
      for (const attribute of die.attributes) {
        const name = attributeNames.get(attribute.name) ?? `DW_AT_unknown_${attribute.name.toString(16)}`;
        const form = formNames.get(attribute.form) ?? '';
        yield `  ${name} [${form}] ${text.value(die, attribute)}`;
      }
      for (let i = die.children.length - 1; i >= 0; i--) pending.push([die.children[i], depth + 1]);
    }
  }
}

class EntryText {
  constructor(
    private readonly debug: DebugInfo,
    private readonly offsetOf: OffsetOf,
    private readonly addressInExpression: OffsetOf | undefined,
  ) {}

  value(die: Die, attribute: RawAttribute): string {
    const { unit } = die;
    const { name, value, form } = attribute;
    if (name === At.DW_AT_decl_file || name === At.DW_AT_call_file) {
      const path = this.debug.linesOf(unit)?.files.file(Number(value))?.path;
      return path === undefined ? String(value) : `file ${baseName(path)}`;
    }
    if (isString(form)) return JSON.stringify(unit.stringOf(attribute));
    if (isAddress(form)) return String(this.offsetOf(unit.addressOf(attribute)));
    if (isReference(form)) {
      const target = unit.referenceOf(attribute, die.offset);
      return `{${target.offset - (form === Form.DW_FORM_ref_addr ? 0 : unit.header.offset)}}`;
    }
    if (value instanceof Uint8Array) return this.block(die, attribute, value);
    if (name === At.DW_AT_ranges) {
      const ranges = rangesOf(die).map(({ start, end }) => this.range(start, end));
      // Of an empty list llvm-dwarfdump shows only where it is.
      return ranges.length > 0 ? ranges.join(' ') : 'none';
    }
    if (isLocation(name) && name !== At.DW_AT_upper_bound && locationOf(die, name) !== undefined) {
      return this.list(die, name) || String(value);
    }
    return typeof value === 'bigint' ? BigInt.asUintN(64, value).toString() : String(value);
  }

  private range(start: bigint, end: bigint): string {
    const last = start === end ? this.offsetOf(start) : this.offsetOf(end - 1n) + 1n;
    return `[${this.offsetOf(start)},${last})`;
  }

  private list(die: Die, name: number): string {
    const location = locationOf(die, name);
    if (location?.kind !== 'list') return '';
    // Unrelocated, an empty range at the start of a section is the end of a list of .debug_loc.
    const isEnd = ({ range: { start, end } }: (typeof location.entries)[number]): boolean =>
      this.addressInExpression === undefined && die.unit.version < 5 && start === end && this.offsetOf(start) === 0n;
    const shown = location.entries.findIndex(isEnd);
    const entries = location.entries
      .slice(0, shown < 0 ? undefined : shown)
      .map(
        ({ range: { start, end }, expression }) =>
          `${this.range(start, end)} ${this.expression(expression.bytes, die)}`,
      );
    return entries.join(' ');
  }

  private expression(bytes: Uint8Array, { unit }: Die): string {
    return expressionText(bytes, unit, this.addressInExpression);
  }

  private block(die: Die, { name, form }: RawAttribute, value: Uint8Array): string {
    const isExpression = form === Form.DW_FORM_exprloc || (form !== Form.DW_FORM_data16 && isLocation(name));
    if (isExpression) return this.expression(value, die);
    return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  }
}

const locationAttributes: ReadonlySet<number> = new Set([
  At.DW_AT_location,
  At.DW_AT_frame_base,
  At.DW_AT_data_member_location,
  At.DW_AT_vtable_elem_location,
  At.DW_AT_string_length,
  At.DW_AT_return_addr,
  At.DW_AT_static_link,
  At.DW_AT_use_location,
  At.DW_AT_upper_bound,
  At.DW_AT_count,
  At.DW_AT_GNU_call_site_value,
  At.DW_AT_GNU_call_site_data_value,
  At.DW_AT_GNU_call_site_target,
]);

export function isLocation(name: number): boolean {
  return locationAttributes.has(name);
}

function isString(form: number): boolean {
  return (
    form === Form.DW_FORM_string ||
    form === Form.DW_FORM_strp ||
    form === Form.DW_FORM_line_strp ||
    form === Form.DW_FORM_GNU_str_index ||
    (form >= Form.DW_FORM_strx1 && form <= Form.DW_FORM_strx4) ||
    form === Form.DW_FORM_strx
  );
}

function isAddress(form: number): boolean {
  return (
    form === Form.DW_FORM_addr ||
    form === Form.DW_FORM_addrx ||
    form === Form.DW_FORM_GNU_addr_index ||
    (form >= Form.DW_FORM_addrx1 && form <= Form.DW_FORM_addrx4)
  );
}

function isReference(form: number): boolean {
  return form === Form.DW_FORM_ref_addr || (form >= Form.DW_FORM_ref1 && form <= Form.DW_FORM_ref_udata);
}

export function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '');
}
