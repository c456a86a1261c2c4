/**
 * One extension's files without a load: the ELF that is loaded, and the debug information that belongs to it, from the
 * same file or from a debug ELF beside it (Zephyr ships stripped .llext files). Everything here is at link addresses;
 * loaded-program.ts translates to where an instance really is.
 */
import { type ByteSource, Pieces } from '../byte-source';
import type { DebugInfo } from '../dwarf/debug-info';
import type { CfiRow } from '../dwarf/model';
import { FormatError } from '../errors';
import type { ElfFile, SectionHeader } from '../elf/elf-file';
import { EM_ARM, ET_REL, SHT_NOBITS } from '../elf/constants';
import { CodeFrames } from './code-frames';
import { openDebugInfo } from './debug-companions';
import { hasDebugSections } from './debug-sections';
import { isAllocated, layOut, type LinkLayout, type ProgramSection } from './link-layout';
import { SourceLines } from './source-lines';
import { SymbolIndex, type ProgramSymbol } from './symbols';

export type { ProgramSection } from './link-layout';
export type { CodeKind, ProgramSymbol, SymbolKind } from './symbols';

const codePiece = 4096;

export class Program {
  /** Allocated sections of the loaded ELF at their link addresses. */
  readonly sections: readonly ProgramSection[];
  /** undefined: neither file has debug information. */
  readonly debug: DebugInfo | undefined;
  /** gdb's view of the line tables; undefined without debug information. */
  readonly lines: SourceLines | undefined;
  /** What a user should know: the debug ELF is of another build, sections that cannot be read. */
  readonly warnings: readonly string[];
  readonly symbolIndex: SymbolIndex;
  private readonly frames: CodeFrames;
  private readonly code = new Map<number, ByteSource>();

  private constructor(
    readonly elf: ElfFile,
    readonly debugElf: ElfFile | undefined,
    known: DebugInfo | undefined,
    companions: readonly ElfFile[] = [],
  ) {
    const warnings: string[] = [];
    const layout = layOut(elf, debugElf);
    this.sections = layout.sections;
    const withDebug = [debugElf, elf].find((file) => file !== undefined && hasDebugSections(file));
    if (withDebug !== undefined) {
      this.debug = known ?? debugInfoOf(withDebug, layout, companions, warnings);
      this.lines = new SourceLines(
        this.debug,
        elf.header.e_machine === EM_ARM ? (link) => this.halfwordAt(link) : undefined,
        (place, value) => this.symbolAddressedAt(place, value),
      );
    }
    if (debugElf !== undefined) warnings.push(...mismatches(elf, debugElf));
    this.symbolIndex = this.readSymbols(layout, warnings);
    this.frames = new CodeFrames(
      this,
      (link) => this.halfwordAt(link),
      (index) => layout.addressIn(elf, index),
    );
    this.warnings = warnings;
  }

  /**
   * `debugElf`: where the debug information is when `elf` is stripped; `companions`: the files that it needs (debug-companions.ts).
   * Throws FormatError only for unreadable headers.
   */
  static open(elf: ElfFile, debugElf?: ElfFile, companions: readonly ElfFile[] = []): Program {
    return new Program(elf, debugElf === elf ? undefined : debugElf, undefined, companions);
  }

  /** A linked image, whose debug information somebody has opened already. */
  static ofImage(elf: ElfFile, debug: DebugInfo | undefined): Program {
    return new Program(elf, undefined, debug);
  }

  /** All named symbols of allocated sections, by link address. */
  get symbols(): readonly ProgramSymbol[] {
    return this.symbolIndex.symbols;
  }

  sectionAt(link: bigint): ProgramSection | undefined {
    return this.sections.find(({ address, size }) => address <= link && link < address + BigInt(size));
  }

  /** What the code itself tells of a frame, for where there is no call-frame information. */
  frameRowAt(link: bigint, isReturnAddress: boolean): CfiRow | undefined {
    return this.frames.rowAt(link, isReturnAddress);
  }

  /** Of the code as the file has it, before relocation. */
  private halfwordAt(link: bigint): number | undefined {
    const found = this.sectionAt(link);
    if (found?.executable !== true) return undefined;
    const section = this.elf.sections[found.index];
    const offset = Number(link - found.address);
    if (section.sh_type === SHT_NOBITS || offset + 2 > found.size) return undefined;
    try {
      const { start, bytes } = this.codeOf(section).window(offset, offset + 2);
      return bytes[offset - start] | (bytes[offset - start + 1] << 8);
    } catch (error) {
      // A section that does not lie within a damaged file.
      if (!(error instanceof FormatError)) throw error;
      return undefined;
    }
  }

  /** In pieces: of a large image's code a breakpoint needs a few instructions. */
  private codeOf(section: SectionHeader): ByteSource {
    let source = this.code.get(section.index);
    if (source === undefined)
      this.code.set(section.index, (source = new Pieces(this.elf.sectionSource(section), codePiece)));
    return source;
  }

  /** By the relocation there; in a linked file by the value. */
  private symbolAddressedAt(place: bigint, value: bigint): string | undefined {
    const section = this.sectionAt(place);
    if (section === undefined) return undefined;
    if (this.elf.header.e_type !== ET_REL) return this.symbolIndex.at(value, value)?.symbol.name;
    const offset = place - section.address;
    try {
      const found = this.elf.relocationsFor(section.index).find(({ r_offset }) => r_offset === offset);
      return found && this.elf.symbols().at(found.symbolIndex)?.name;
    } catch (error) {
      // Relocations or symbols of a damaged file.
      if (!(error instanceof FormatError)) throw error;
      return undefined;
    }
  }

  private readSymbols(layout: LinkLayout, warnings: string[]): SymbolIndex {
    const read = (file: ElfFile | undefined): SymbolIndex => {
      try {
        return new SymbolIndex(file, layout);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        warnings.push(error.message);
        return new SymbolIndex(undefined, layout);
      }
    };
    // The debug ELF of a stripped file has the local names too.
    const ofDebugElf = read(this.debugElf);
    return ofDebugElf.isEmpty ? read(this.elf) : ofDebugElf;
  }
}

function debugInfoOf(elf: ElfFile, layout: LinkLayout, companions: readonly ElfFile[], warnings: string[]): DebugInfo {
  return openDebugInfo(
    elf,
    (index) => layout.addressIn(elf, index),
    companions,
    (problem) => warnings.push(problem),
  );
}

/** Signs that the debug ELF is not of the loaded file's build. */
function mismatches(elf: ElfFile, debugElf: ElfFile): string[] {
  const found: string[] = [];
  for (const section of elf.sections.filter(isAllocated)) {
    const twin = debugElf.sections.find((candidate) => candidate.name === section.name && isAllocated(candidate));
    if (twin === undefined) {
      if (section.sh_size > 0) found.push(`the debug ELF has no section ${section.name}`);
    } else if (twin.sh_size !== section.sh_size) {
      found.push(
        `the debug ELF is of another build: ${section.name} has ${twin.sh_size} bytes there, ${section.sh_size} in the loaded file`,
      );
    } else if (contentsDiffer(elf, section, debugElf, twin)) {
      found.push(`the debug ELF is of another build: the contents of ${section.name} differ`);
    }
  }
  return found;
}

/** Data may be prelinked in one of them; instructions before relocation are the same in both. */
function contentsDiffer(elf: ElfFile, section: SectionHeader, debugElf: ElfFile, twin: SectionHeader): boolean {
  if (section.sh_type === SHT_NOBITS || twin.sh_type === SHT_NOBITS) return false;
  if (elf.header.e_type !== debugElf.header.e_type || !section.name.startsWith('.text')) return false;
  try {
    const ours = elf.sectionBytes(section);
    const theirs = debugElf.sectionBytes(twin);
    return ours.some((byte, i) => byte !== theirs[i]);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return false;
  }
}
