/**
 * Which source line a place of a section belongs to, by DWARF. A literal pool has no line of its own: what counts is the
 * Thumb instruction that loads the word (LDR Rt, [PC, #imm], Armv7-M ARM A7.7.44). Data belongs to the declaration of
 * the variable that it is part of.
 */
import { EM_ARM } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { FormatError } from '../errors';
import { Program } from '../program/program';
import type { ProgramSection } from '../program/program';
import type { CheckInput } from './file-check';
import type { SourcePlace } from './finding';

export class SourcePlaces {
  private readonly program: Program | undefined;

  constructor(
    private readonly elf: ElfFile,
    { debugElf, companions }: Pick<CheckInput, 'debugElf' | 'companions'>,
  ) {
    this.program = attempt(() => Program.open(elf, debugElf, companions));
  }

  /** Of a byte of a section; undefined without debug information. */
  of(sectionIndex: number, offset: number): SourcePlace | undefined {
    const section = this.program?.sections.find(({ index }) => index === sectionIndex);
    if (section === undefined || this.program?.debug === undefined) return undefined;
    return attempt(() => (section.executable ? this.ofCode(section, offset) : this.ofData(section, offset)));
  }

  /** Where a symbol of the file is declared. */
  ofSymbol(name: string): SourcePlace | undefined {
    const debug = this.program?.debug;
    if (debug === undefined) return undefined;
    return attempt(() => {
      return debug.functionsNamed(name).at(0)?.declaration ?? debug.globalsNamed(name).at(0)?.declaration;
    });
  }

  /** The function or variable that a place is part of. */
  symbolAt(sectionIndex: number, offset: number): string | undefined {
    const section = this.program?.sections.find(({ index }) => index === sectionIndex);
    if (section === undefined) return undefined;
    return this.program?.symbolIndex.at(section.address + BigInt(offset), section.address)?.symbol.name;
  }

  private ofCode(section: ProgramSection, offset: number): SourcePlace | undefined {
    const user = this.literalUser(section, offset) ?? offset;
    const block = this.program?.lines?.blockAt(section.address + BigInt(user));
    if (block === undefined || block.line === 0) return undefined;
    return { file: block.file, line: block.line, column: block.column };
  }

  private ofData(section: ProgramSection, offset: number): SourcePlace | undefined {
    const name = this.symbolAt(section.index, offset);
    return name === undefined ? undefined : this.ofSymbol(name);
  }

  /** Offset of the first instruction that loads the word at `offset`, where that is a literal. */
  private literalUser(section: ProgramSection, offset: number): number | undefined {
    if (this.elf.header.e_machine !== EM_ARM || !this.elf.littleEndian) return undefined;
    const kind = this.program?.symbolIndex.codeKindAt(section.address + BigInt(offset), section.address);
    if (kind !== undefined && kind !== 'data') return undefined;
    const bytes = this.elf.sectionBytes(this.elf.sections[section.index]);
    const halfword = (at: number): number => bytes[at] | (bytes[at + 1] << 8);
    // LDR (literal) reaches 4095 bytes.
    for (let at = Math.max(0, (offset & ~1) - 4096); at < offset; at += 2) {
      const pc = (at + 4) & ~3;
      const first = halfword(at);
      if ((first & 0xf800) === 0x4800 && pc + (first & 0xff) * 4 === offset) return at;
      if (first === 0xf8df && pc + (halfword(at + 2) & 0xfff) === offset) return at;
    }
    return undefined;
  }
}

/** Damaged debug information has no lines; the check goes on. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
