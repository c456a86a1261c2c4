/**
 * What `llvm-dwarfdump -v --debug-info --debug-types` (14) prints, line by line in the spelling of entry-text.ts.
 * `relocatable`: of an ET_REL it does not relocate the addresses in expressions, so there they say nothing.
 */
import { baseName, isLocation } from './entry-text';
import { At } from '../../lib/dwarf/constants';
import { valueNames } from './dwarf-value-names';

const attributeNumbers: Readonly<Record<string, number>> = At;

export function* dumpedEntryLines(lines: Iterable<string>, relocatable: boolean): Generator<string> {
  let unit = 0;
  let attribute: { name: string; form: string; text: string } | undefined;
  const flush = function* (): Generator<string> {
    if (attribute !== undefined) yield attributeLine(attribute.name, attribute.form, attribute.text, relocatable);
    attribute = undefined;
  };
  for (const line of lines) {
    const entry = /^0x([0-9a-f]+):( +)(\w+)(.*)$/.exec(line);
    if (entry !== null) {
      yield* flush();
      const [, offset, space, tag, rest] = entry;
      if (space === ' ' && /^(Compile|Type) Unit:/.test(tag + rest)) unit = parseInt(offset, 16);
      else if (tag.startsWith('DW_TAG_')) {
        const unknown = /^DW_TAG_unknown_([0-9a-f]+)/.exec(tag + rest);
        const name = unknown === null ? tag : `DW_TAG 0x${unknown[1]}`;
        yield `${parseInt(offset, 16) - unit} ${(space.length - 1) / 2} ${name}`;
      }
      continue;
    }
    const start = /^ +(DW_AT_\w+) \[(DW_FORM_\w+)\]\t\((.*)$/.exec(line);
    if (start !== null) {
      yield* flush();
      attribute = { name: start[1], form: start[2], text: start[3] };
    } else if (attribute !== undefined && /^ +(\[|<)/.test(line)) attribute.text += `\n${line.trim()}`;
  }
  yield* flush();
}

function attributeLine(name: string, form: string, text: string, relocatable: boolean): string {
  // Indirect forms are shown with both names.
  return `  ${name} [${form}] ${canonical(name, form, text.replace(/\)$/, ''), relocatable)}`;
}

function canonical(name: string, form: string, text: string, relocatable: boolean): string {
  if (/^DW_AT_(decl|call)_file$/.test(name)) {
    const path = /^"(.*)"$/.exec(text);
    return path === null ? String(BigInt(text)) : `file ${baseName(path[1])}`;
  }
  if (/^DW_FORM_(string|strp|line_strp|strx\d?|GNU_str_index)$/.test(form)) return JSON.stringify(quoted(text));
  const address = /^DW_FORM_(addr$|addrx|GNU_addr_index)/.test(form)
    ? /(?:address = )?0x([0-9a-f]+)(?: "[^"]*")?$/.exec(text)
    : null;
  if (address !== null) return String(BigInt(`0x${address[1]}`));
  if (form === 'DW_FORM_ref_sig8') return String(BigInt(text));
  if (/^DW_FORM_ref/.test(form)) {
    const target = /^cu \+ 0x([0-9a-f]+)/.exec(text) ?? /^0x([0-9a-f]+)/.exec(text);
    return `{${parseInt(target?.[1] ?? '', 16)}}`;
  }
  if (text.includes('\n')) return listText(text, relocatable) || 'none';
  if (name === 'DW_AT_ranges') return 'none';
  if (form.startsWith('DW_FORM_flag')) return String(text !== '0x00' && text !== 'false');
  const block = /^<0x[0-9a-f]+> ?(.*?) ?$/.exec(text);
  if (block !== null) return block[1];
  if (form === 'DW_FORM_exprloc' || (form.startsWith('DW_FORM_block') && isLocation(attributeNumbers[name]))) {
    return canonicalExpression(text, relocatable);
  }
  return numberText(text);
}

function numberText(text: string): string {
  const named = valueNames.get(text);
  if (named !== undefined) return String(named);
  const number = /^(-?)(0x[0-9a-f]+|\d+)/.exec(text);
  if (number === null) return text;
  const value = BigInt(number[2]);
  return BigInt.asUintN(64, number[1] === '-' ? -value : value).toString();
}

function quoted(text: string): string {
  const start = text.indexOf('"');
  return text.slice(start + 1, text.lastIndexOf('"'));
}

/** `[start, end) ".text": expression` line by line. */
function listText(text: string, relocatable: boolean): string {
  const entries: string[] = [];
  for (const line of text.split('\n').slice(1)) {
    const entry = /\[0x([0-9a-f]+), 0x([0-9a-f]+)\)(?: "[^"]*")?(?:: (.*))?$/.exec(line);
    if (entry === null) {
      entries.push(line);
      continue;
    }
    const range = `[${BigInt(`0x${entry[1]}`)},${BigInt(`0x${entry[2]}`)})`;
    if (entry[3] !== undefined) entries.push(`${range} ${canonicalExpression(entry[3], relocatable)}`);
    // An empty range of code says nothing; it is not kept.
    else if (entry[1] !== entry[2]) entries.push(range);
  }
  return entries.join(' ');
}

export function canonicalExpression(text: string, relocatable: boolean): string {
  const parts: string[] = [];
  let rest = text;
  while (rest !== '') {
    const inner = /^DW_OP_((?:GNU_)?entry_value)\(/.exec(rest);
    if (inner !== null) {
      const end = matching(rest, inner[0].length);
      const within = canonicalExpression(rest.slice(inner[0].length, end), relocatable);
      parts.push(within.endsWith('undecoded') ? within : `${inner[1]}(${within})`);
      if (within.endsWith('undecoded')) return parts.join(' ');
      rest = rest.slice(end + 1).replace(/^, /, '');
      continue;
    }
    if (/^(<decoding error>|DW_OP_(implicit_pointer|const_type|deref_type|GNU_\w+|unknown|call_ref))/.test(rest)) {
      return [...parts, 'undecoded'].join(' ');
    }
    const [, operator, tail] = /^DW_OP_(\w+)(.*?)(?=, DW_OP_|, <dec|$)/.exec(rest) ?? [];
    if (operator === undefined) return [...parts, `?${rest}`].join(' ');
    parts.push([operator, ...operandsOf(operator, tail, relocatable)].join(':'));
    rest = rest.slice(`DW_OP_${operator}${tail}`.length).replace(/^, /, '');
  }
  return parts.join(' ');
}

function operandsOf(operator: string, tail: string, relocatable: boolean): string[] {
  if (/^reg(\d+|x)$/.test(operator)) return [];
  if (operator === 'addr') return relocatable ? [] : [String(BigInt(tail.trim()))];
  // `(0x000004e3 -> 0x0000052f) "int"`: unit-relative first.
  const type = /^(.*?) ?\(0x([0-9a-f]+) -> 0x[0-9a-f]+\)/.exec(tail);
  const numbers = type === null ? tail.replace(/"[^"]*"$/, '') : `${type[1]} 0x${type[2]}`;
  const values = [...numbers.replace(/^ [A-Z]\w*(?=[+-])/, ' ').matchAll(/([+-]?)(0x[0-9a-f]+|\b\d+)/g)];
  return values.map(([, sign, digits]) => (sign === '-' ? `-${BigInt(digits)}` : String(BigInt(digits))));
}

function matching(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return text.length;
}
