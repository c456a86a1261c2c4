/**
 * The .debug_* sections that one program's debug information consists of, by name, as bytes that are already
 * inflated and relocated to link addresses. Every reader of lib/dwarf gets its bytes here, so that an absent section
 * reads as an empty one and an error names the section.
 */
import { ByteReader, stringAt } from '../bytes';
import { FormatError } from '../errors';
import { machineRegisters, type MachineRegisters } from './regnum';

export interface DwarfOptions {
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
  /** e_machine of the ELF file. */
  readonly machine: number;
  /** Link address of .eh_frame, to which its pointers are relative. */
  readonly ehFrameAddress?: bigint;
}

const nothing = new Uint8Array(0);

export class DwarfSections {
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
  readonly registers: MachineRegisters;
  /** What could not be read, in order of discovery, without repetition. */
  readonly problems: string[] = [];
  /** A linker makes one text of all that are equal: they are decoded once. */
  private readonly strings = new Map<string, Map<number, string>>();

  constructor(
    private readonly byName: ReadonlyMap<string, Uint8Array>,
    options: DwarfOptions,
  ) {
    this.littleEndian = options.littleEndian;
    this.addressSize = options.addressSize;
    this.registers = machineRegisters(options.machine);
  }

  bytes(name: string): Uint8Array {
    return this.byName.get(name) ?? nothing;
  }

  has(name: string): boolean {
    return this.bytes(name).length > 0;
  }

  /** A reader of one section at `offset`, which must be inside of it. */
  reader(name: string, offset = 0): ByteReader {
    const bytes = this.bytes(name);
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > bytes.length) {
      throw new FormatError('bad-offset', name, Number.isFinite(offset) ? offset : 0);
    }
    return new ByteReader(bytes, this.littleEndian, name, offset);
  }

  /** The string at `offset` of .debug_str or .debug_line_str. */
  string(name: string, offset: number): string {
    let known = this.strings.get(name);
    if (known === undefined) this.strings.set(name, (known = new Map()));
    let text = known.get(offset);
    if (text === undefined) {
      text = stringAt(this.bytes(name), offset);
      if (text === undefined) throw new FormatError('bad-string', name, offset);
      known.set(offset, text);
    }
    return text;
  }

  /** Whether a text occurs anywhere in a section. */
  contains(name: string, text: string): boolean {
    const bytes = this.bytes(name);
    const wanted = new TextEncoder().encode(text);
    if (wanted.length === 0) return true;
    for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
      let length = 1;
      while (length < wanted.length && bytes[at + length] === wanted[length]) length++;
      if (length === wanted.length) return true;
    }
    return false;
  }

  /** Runs `read`; a FormatError becomes a problem and `fallback`. Anything else is a defect of ours and passes. */
  guard<T>(what: string, read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report(`${what}: ${error.message}`);
      return fallback;
    }
  }

  /** At most 200 are kept: a damaged file would fill the memory with the consequences of one byte. */
  report(problem: string): void {
    if (this.problems.length < 200 && !this.problems.includes(problem)) this.problems.push(problem);
  }
}

/** initial_length (7.4): 32-bit DWARF, or 0xffffffff and 64 bits. `offset` ends after it. */
export function readInitialLength(reader: ByteReader): { length: number; is64: boolean } {
  const start = reader.offset;
  const first = reader.u32();
  if (first < 0xfffffff0) return { length: first, is64: false };
  if (first !== 0xffffffff) throw new FormatError('bad-size', reader.section, start);
  return { length: toSafeNumber(reader.u64(), reader.section, start), is64: true };
}

/** An offset into another section: 4 bytes in 32-bit DWARF, 8 in 64-bit. */
export function readOffset(reader: ByteReader, is64: boolean): number {
  const start = reader.offset;
  return is64 ? toSafeNumber(reader.u64(), reader.section, start) : reader.u32();
}

export function toSafeNumber(value: bigint, section: string, offset: number): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < 0n) throw new FormatError('bad-size', section, offset);
  return Number(value);
}

/** A string offset table, address table or list table indexes fixed-size entries after a base. */
export function readTableEntry(
  sections: DwarfSections,
  section: string,
  base: number,
  index: number,
  size: number,
): bigint {
  const offset = base + index * size;
  if (!Number.isSafeInteger(offset) || offset + size > sections.bytes(section).length) {
    throw new FormatError('bad-index', section, base);
  }
  return sections.reader(section, offset).unsigned(size);
}
