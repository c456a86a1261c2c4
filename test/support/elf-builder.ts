/**
 * Makes small 32-bit little-endian relocatable ELF files for tests of single rules: sections, symbols and relocations
 * by name. Everything can be wrong on purpose.
 */
import * as C from '../../lib/elf/constants';

export interface BuiltSection {
  readonly name: string;
  readonly type?: number;
  readonly flags?: number;
  readonly bytes?: readonly number[] | Uint8Array;
  /** For SHT_NOBITS. */
  readonly size?: number;
  readonly align?: number;
  readonly entsize?: number;
  readonly addr?: number;
  readonly link?: number;
  readonly info?: number;
}

export interface BuiltSymbol {
  readonly name: string;
  readonly value?: number;
  /** Name of a section, or a number such as SHN_COMMON; undefined = SHN_UNDEF. */
  readonly section?: string | number;
  readonly type?: number;
  readonly binding?: number;
}

export interface BuiltRelocation {
  /** Name of the section that is patched. */
  readonly target: string;
  readonly offset: number;
  readonly type: number;
  /** Name of a symbol; undefined = symbol 0. */
  readonly symbol?: string;
}

export interface ElfPlan {
  readonly type?: number;
  readonly machine?: number;
  /** e_flags; EABI version 5 when absent. */
  readonly flags?: number;
  readonly sections: readonly BuiltSection[];
  readonly symbols?: readonly BuiltSymbol[];
  readonly relocations?: readonly BuiltRelocation[];
  readonly omit?: readonly ('.symtab' | '.strtab' | '.shstrtab')[];
  /** The table of section names also serves for symbols, as Clang writes it. */
  readonly sharedStrings?: boolean;
}

export const text = (bytes: readonly number[] = [0x70, 0x47, 0, 0], name = '.text'): BuiltSection => ({
  name,
  flags: C.SHF_ALLOC | C.SHF_EXECINSTR,
  bytes,
  align: 4,
});

export const data = (bytes: readonly number[], name = '.data'): BuiltSection => ({
  name,
  flags: C.SHF_ALLOC | C.SHF_WRITE,
  bytes,
  align: 4,
});

export const bss = (size: number, name = '.bss'): BuiltSection => ({
  name,
  type: C.SHT_NOBITS,
  flags: C.SHF_ALLOC | C.SHF_WRITE,
  size,
  align: 4,
});

export const func = (name: string, value = 1, section: string | number = '.text'): BuiltSymbol => ({
  name,
  value,
  section,
  type: C.STT_FUNC,
  binding: C.STB_GLOBAL,
});

export const undefinedSymbol = (name: string, binding: number = C.STB_GLOBAL): BuiltSymbol => ({ name, binding });

class Strings {
  private readonly bytes: number[] = [0];

  add(textToAdd: string): number {
    if (textToAdd === '') return 0;
    const offset = this.bytes.length;
    this.bytes.push(...new TextEncoder().encode(textToAdd), 0);
    return offset;
  }

  get contents(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

interface RawSection extends BuiltSection {
  nameOffset: number;
  offset: number;
  length: number;
}

export function buildElf(plan: ElfPlan): Uint8Array {
  const shstrtab = new Strings();
  const strtab = plan.sharedStrings === true ? shstrtab : new Strings();
  const symbols = plan.symbols ?? [];
  const userSections = plan.sections;
  const indexOf = (name: string): number => 1 + userSections.findIndex((section) => section.name === name);
  const relocatedNames = [...new Set((plan.relocations ?? []).map(({ target }) => target))];
  const symtabIndex = 1 + userSections.length + relocatedNames.length;

  const symtab = [new Uint8Array(16)];
  for (const symbol of symbols) {
    const section = symbol.section ?? C.SHN_UNDEF;
    const entry = new DataView(new ArrayBuffer(16));
    entry.setUint32(0, strtab.add(symbol.name), true);
    entry.setUint32(4, symbol.value ?? 0, true);
    entry.setUint8(12, ((symbol.binding ?? C.STB_GLOBAL) << 4) | (symbol.type ?? C.STT_NOTYPE));
    entry.setUint16(14, typeof section === 'number' ? section : indexOf(section), true);
    symtab.push(new Uint8Array(entry.buffer));
  }
  const relocationSections = relocatedNames.map((target): BuiltSection => {
    const entries = (plan.relocations ?? []).filter((relocation) => relocation.target === target);
    const table = new DataView(new ArrayBuffer(entries.length * 8));
    entries.forEach(({ offset, type, symbol }, i) => {
      const index = symbol === undefined ? 0 : 1 + symbols.findIndex(({ name }) => name === symbol);
      table.setUint32(i * 8, offset, true);
      table.setUint32(i * 8 + 4, ((index << 8) | type) >>> 0, true);
    });
    const info = indexOf(target);
    const bytes = new Uint8Array(table.buffer);
    return { name: `.rel${target}`, type: C.SHT_REL, bytes, entsize: 8, link: symtabIndex, info, align: 4 };
  });
  const tables: BuiltSection[] = [
    { name: '.symtab', type: C.SHT_SYMTAB, bytes: join(symtab), entsize: 16, align: 4, link: symtabIndex + 1, info: 1 },
    { name: '.strtab', type: C.SHT_STRTAB, bytes: strtab.contents },
    { name: '.shstrtab', type: C.SHT_STRTAB },
  ];
  const omitted = new Set<string>(plan.omit ?? []);
  const all = [...userSections, ...relocationSections, ...tables.filter(({ name }) => !omitted.has(name))];
  const named = all.map((section) => ({ section, nameOffset: shstrtab.add(section.name) }));
  return layOut(plan, named, shstrtab.contents, strtab);
}

function layOut(
  plan: ElfPlan,
  named: readonly { section: BuiltSection; nameOffset: number }[],
  names: Uint8Array,
  strtab: Strings,
): Uint8Array {
  let offset = 52;
  const chunks: { offset: number; bytes: Uint8Array }[] = [];
  const raw: RawSection[] = named.map(({ section, nameOffset }) => {
    let bytes = Uint8Array.from(section.bytes ?? []);
    if (section.name === '.shstrtab') bytes = Uint8Array.from(names);
    if (section.name === '.strtab' && section.type === C.SHT_STRTAB) bytes = Uint8Array.from(strtab.contents);
    const align = section.align ?? 1;
    offset = Math.ceil(offset / Math.max(align, 1)) * Math.max(align, 1);
    const result = { ...section, nameOffset, offset, length: section.size ?? bytes.length };
    if (section.type !== C.SHT_NOBITS) {
      chunks.push({ offset, bytes });
      offset += bytes.length;
    }
    return result;
  });
  const e_shoff = Math.ceil(offset / 4) * 4;
  const file = new Uint8Array(e_shoff + (raw.length + 1) * 40);
  for (const chunk of chunks) file.set(chunk.bytes, chunk.offset);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, C.ELFCLASS32, C.ELFDATA2LSB, 1]);
  view.setUint16(16, plan.type ?? C.ET_REL, true);
  view.setUint16(18, plan.machine ?? C.EM_ARM, true);
  view.setUint32(20, 1, true);
  view.setUint32(32, e_shoff, true);
  view.setUint32(36, plan.flags ?? 0x0500_0000, true);
  view.setUint16(40, 52, true);
  view.setUint16(46, 40, true);
  view.setUint16(48, raw.length + 1, true);
  view.setUint16(50, 1 + raw.findIndex(({ name }) => name === '.shstrtab'), true);
  const fields = (section: RawSection): number[] => [
    section.nameOffset,
    section.type ?? C.SHT_PROGBITS,
    section.flags ?? 0,
    section.addr ?? 0,
    section.offset,
    section.length,
    plan.sharedStrings === true && section.type === C.SHT_SYMTAB ? raw.length : (section.link ?? 0),
    section.info ?? 0,
    section.align ?? 1,
    section.entsize ?? 0,
  ];
  raw.forEach((section, i) => {
    fields(section).forEach((value, j) => view.setUint32(e_shoff + (i + 1) * 40 + j * 4, value, true));
  });
  return file;
}

/** Overwrites a field of the section header of that name; the offset is the field's in Elf32_Shdr. */
export function patchHeader(file: Uint8Array, sectionIndex: number, fieldOffset: number, value: number): Uint8Array {
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(view.getUint32(32, true) + sectionIndex * 40 + fieldOffset, value, true);
  return copy;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
