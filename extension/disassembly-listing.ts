/**
 * A section's listing as text: labels, source lines, instructions with their bytes, data between the code, and what
 * the relocations patch. Layout after objdump's, because people read that; the grammar in syntaxes/ colours it.
 * Code and data are told apart by the mapping symbols $t and $d (ELF for the Arm Architecture, 5.5.5).
 */
import { demangle } from '../lib/program/demangle';
import type { Disassembler, Instruction } from '../lib/disassembler';

export interface ListingLabel {
  readonly offset: number;
  readonly name: string;
}

export interface ListingLine {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
  /** The source line itself, when its file is there. */
  readonly text: string | undefined;
}

export interface ListingRelocation {
  readonly offset: number;
  readonly type: string;
  readonly symbol: string;
}

export interface ListingSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Address that is shown for offset 0. */
  readonly base: bigint;
  /** Part of the section to list. */
  readonly start: number;
  readonly end: number;
  readonly labels: readonly ListingLabel[];
  readonly lines: readonly ListingLine[];
  readonly relocations: readonly ListingRelocation[];
  /** Offsets where data or code begins, in order; code before the first. */
  readonly kinds: readonly { readonly offset: number; readonly data: boolean }[];
  /** Names an address that an instruction mentions. */
  readonly symbolAt: (address: bigint) => string | undefined;
}

export interface ListingRow {
  readonly text: string;
  /** Of the instruction or label in this row, for finding it again. */
  readonly offset: number | undefined;
}

export function listSection(section: ListingSection, disassembler: Disassembler): ListingRow[] {
  const rows: ListingRow[] = [];
  for (let offset = section.start; offset < section.end;) {
    const end = nextBorder(section, offset);
    pushHeads(section, offset, rows);
    const rest = section.bytes.subarray(offset, end);
    const address = section.base + BigInt(offset);
    const part = isData(section, offset)
      ? dataRows(section, rest, address)
      : codeRows(section, disassembler, rest, address);
    rows.push(...part);
    offset = end;
  }
  return rows;
}

/** Where the next label, source line or change between code and data is. */
function nextBorder(section: ListingSection, offset: number): number {
  const borders = [...section.labels, ...section.lines, ...section.kinds].map((item) => item.offset);
  return Math.min(section.end, ...borders.filter((border) => border > offset));
}

function isData(section: ListingSection, offset: number): boolean {
  return section.kinds.filter((kind) => kind.offset <= offset).at(-1)?.data ?? false;
}

function pushHeads(section: ListingSection, offset: number, rows: ListingRow[]): void {
  for (const label of section.labels.filter((candidate) => candidate.offset === offset)) {
    if (rows.length > 0) rows.push({ text: '', offset: undefined });
    const address = (section.base + BigInt(offset)).toString(16).padStart(8, '0');
    rows.push({ text: `${address} <${demangle(label.name)}>:`, offset });
  }
  for (const { file, line, text } of section.lines.filter((candidate) => candidate.offset === offset)) {
    rows.push({ text: `  ${file}:${line} |${text === undefined ? '' : ` ${text.trimEnd()}`}`, offset: undefined });
  }
}

function codeRows(
  section: ListingSection,
  disassembler: Disassembler,
  bytes: Uint8Array,
  address: bigint,
): ListingRow[] {
  const instructions = disassembler.disassemble(bytes, address);
  const rows = instructions.map((instruction) => {
    const encoding = halfwords(instruction.bytes).padEnd(10);
    const text = `${instruction.mnemonic.padEnd(8)} ${instruction.operands}`.trimEnd();
    const offset = Number(instruction.address - section.base);
    return {
      text: `${column(instruction.address)}  ${encoding} ${text}${remark(section, instruction, offset)}`,
      offset,
    };
  });
  const done = instructions.reduce((sum, instruction) => sum + instruction.bytes.length, 0);
  return [...rows, ...dataRows(section, bytes.subarray(done), address + BigInt(done))];
}

function dataRows(section: ListingSection, bytes: Uint8Array, address: bigint): ListingRow[] {
  const rows: ListingRow[] = [];
  for (let at = 0; at < bytes.length;) {
    const here = address + BigInt(at);
    const size = here % 4n === 0n && bytes.length - at >= 4 ? 4 : here % 2n === 0n && bytes.length - at >= 2 ? 2 : 1;
    const value = littleEndian(bytes.subarray(at, at + size))
      .toString(16)
      .padStart(size * 2, '0');
    const offset = Number(here - section.base);
    const directive = { 1: '.byte', 2: '.short', 4: '.word' }[size] ?? '.byte';
    const notes = [relocated(section, offset, size), section.symbolAt(BigInt('0x' + value))];
    const note = notes[0] ?? (size === 4 && notes[1] !== undefined ? `<${notes[1]}>` : undefined);
    rows.push({
      text: `${column(here)}  ${value.padEnd(10)} ${directive.padEnd(8)} 0x${value}${note === undefined ? '' : `  ; ${note}`}`,
      offset,
    });
    at += size;
  }
  return rows;
}

/** What the loader patches into this instruction, or else the name of the address that it mentions. */
function remark(section: ListingSection, instruction: Instruction, offset: number): string {
  const patch = relocated(section, offset, instruction.bytes.length);
  if (patch !== undefined) return `  ; ${patch}`;
  const literal = literalOffset(instruction, offset);
  if (literal !== undefined) return literalRemark(section, literal);
  const target = /#(0x[0-9a-f]{5,})$/.exec(instruction.operands)?.[1] ?? branchTarget(instruction);
  const name = target === undefined ? undefined : section.symbolAt(BigInt(target));
  return name === undefined ? '' : `  ; <${name}>`;
}

/** `ldr rt, [pc, #imm]`: where its word is in the section (Align(PC, 4) + imm). */
function literalOffset({ mnemonic, operands, address }: Instruction, offset: number): number | undefined {
  const imm = /^ldr(\.w)?$/.test(mnemonic) ? /\[pc, #(-?(?:0x)?[0-9a-f]+)\]$/.exec(operands)?.[1] : undefined;
  if (imm === undefined) return undefined;
  const sign = imm.startsWith('-') ? -1 : 1;
  return offset + 4 - Number((address + 4n) % 4n) + sign * Number(imm.replace('-', ''));
}

function literalRemark(section: ListingSection, at: number): string {
  if (at < 0 || at + 4 > section.bytes.length) return '';
  const patch = relocated(section, at, 4);
  const value = littleEndian(section.bytes.subarray(at, at + 4));
  const name = section.symbolAt(BigInt(value));
  const named = name === undefined ? '' : ` <${name}>`;
  return `  ; ${patch ?? `0x${value.toString(16)}${named}`}`;
}

/** Capstone writes small numbers in decimal or short hexadecimal. */
function branchTarget({ mnemonic, operands }: Instruction): string | undefined {
  if (!/^(b|bl|cbn?z)(eq|ne|[cv][cs]|h[is]|l[ost]|mi|pl|g[et]|le|al)?(\.[nw])?$/.test(mnemonic)) return undefined;
  return /#(0x[0-9a-f]+|\d+)$/.exec(operands)?.[1];
}

function relocated(section: ListingSection, offset: number, size: number): string | undefined {
  const found = section.relocations.filter((patch) => patch.offset >= offset && patch.offset < offset + size);
  return found.length === 0 ? undefined : found.map(({ type, symbol }) => `${type} ${demangle(symbol)}`).join(', ');
}

function column(address: bigint): string {
  return `${address.toString(16)}:`.padStart(11);
}

function halfwords(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2)
    parts.push(
      littleEndian(bytes.subarray(i, i + 2))
        .toString(16)
        .padStart(4, '0'),
    );
  return parts.join(' ');
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
