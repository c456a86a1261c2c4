/**
 * Rows for the unwinder where a program has no call-frame information: finds the function that has a pc, by debug information or by
 * symbols, and what relocations make of its branches (RISC-V's assembler leaves them to the linker and writes no distance into them).
 * What the code does is known to thumb-frame.ts and riscv-prologue.ts. Kept for each pc.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import type { CfiRow } from '../dwarf/model';
import type { ElfFile } from '../elf/elf-file';
import {
  R_RISCV_BRANCH,
  R_RISCV_CALL,
  R_RISCV_CALL_PLT,
  R_RISCV_JAL,
  R_RISCV_RVC_BRANCH,
  R_RISCV_RVC_JUMP,
} from '../elf/constants-riscv';
import { EM_ARM, EM_RISCV, ET_REL } from '../elf/constants';
import { FormatError } from '../errors';
import type { ProgramSection } from './link-layout';
import { riscvReturnRow } from './riscv-epilogue';
import { riscvFrameRow } from './riscv-prologue';
import type { ProgramSymbol, SymbolIndex } from './symbols';
import { thumbFrameRow } from './thumb-frame';
import type { ReadHalfword } from './thumb-prologue';

const jumps: ReadonlySet<number> = new Set([
  R_RISCV_BRANCH,
  R_RISCV_JAL,
  R_RISCV_CALL,
  R_RISCV_CALL_PLT,
  R_RISCV_RVC_BRANCH,
  R_RISCV_RVC_JUMP,
]);

/** Labels in a function of assembler that are looked through for its own symbol. */
const mostLabels = 64;

/** What is asked of a program. */
interface CodeOwner {
  readonly elf: ElfFile;
  readonly debug: DebugInfo | undefined;
  readonly symbolIndex: SymbolIndex;
  sectionAt(link: bigint): ProgramSection | undefined;
}

/** A function, as its code is looked through. Link addresses. */
export interface FunctionCode {
  readonly start: bigint;
  readonly read: ReadHalfword;
  /** Where a relocation makes an instruction lead; undefined: where its immediate says. */
  readonly targetAt: (place: bigint) => bigint | undefined;
  /** Whether an address is the function's own: a jump to another place leaves it. */
  readonly isOwn: (address: bigint) => boolean;
  /** By mapping symbols: literals and tables of jumps. */
  readonly isData: (address: bigint) => boolean;
}

type FunctionExtent = Pick<FunctionCode, 'start' | 'isOwn'>;

interface FrameRules {
  /** Where the way to the return is straight. */
  readonly returnRow?: (pc: bigint, read: ReadHalfword) => CfiRow | undefined;
  readonly frameRow: (code: FunctionCode, pc: bigint, isReturnAddress: boolean) => CfiRow | undefined;
}

function frameRulesFor({ header, is64 }: ElfFile): FrameRules {
  if (header.e_machine === EM_ARM) return { frameRow: thumbFrameRow };
  if (header.e_machine !== EM_RISCV) return { frameRow: () => undefined };
  const xlen = is64 ? 64 : 32;
  return {
    returnRow: (pc, read) => riscvReturnRow(pc, xlen, read),
    frameRow: (code, pc, isReturnAddress) => riscvFrameRow({ ...code, xlen }, pc, isReturnAddress),
  };
}

export class CodeFrames {
  private readonly rules: FrameRules;
  private readonly rows = new Map<string, CfiRow | undefined>();
  /** By section: place -> where it leads. */
  private readonly targets = new Map<number, ReadonlyMap<bigint, bigint>>();

  constructor(
    private readonly program: CodeOwner,
    private readonly read: ReadHalfword,
    /** Link address of a section of the loaded ELF. */
    private readonly addressOf: (section: number) => bigint | undefined,
  ) {
    this.rules = frameRulesFor(program.elf);
  }

  rowAt(pc: bigint, isReturnAddress: boolean): CfiRow | undefined {
    const key = `${isReturnAddress ? 'return ' : ''}${pc}`;
    if (!this.rows.has(key)) this.rows.set(key, this.findRow(pc, isReturnAddress));
    return this.rows.get(key);
  }

  private findRow(pc: bigint, isReturnAddress: boolean): CfiRow | undefined {
    const leaving = isReturnAddress ? undefined : this.rules.returnRow?.(pc, this.read);
    if (leaving !== undefined) return leaving;
    const found = this.extentAt(pc);
    if (found === undefined) return undefined;
    const targetAt = (place: bigint): bigint | undefined => this.targetAt(place);
    const section = this.program.sectionAt(pc)?.address ?? 0n;
    const isData = (at: bigint): boolean => this.program.symbolIndex.codeKindAt(at, section) === 'data';
    return this.rules.frameRow({ ...found, read: this.read, targetAt, isData }, pc, isReturnAddress);
  }

  private extentAt(pc: bigint): FunctionExtent | undefined {
    const described = this.program.debug?.functionAt(pc);
    if (described !== undefined) {
      const { ranges, entryPc } = described;
      return { start: entryPc, isOwn: (at) => ranges.some(({ start, end }) => start <= at && at < end) };
    }
    const section = this.program.sectionAt(pc);
    if (section?.executable !== true) return undefined;
    const symbol = this.functionSymbolAt(pc, section.address);
    if (symbol === undefined) return undefined;
    const start = symbol.address;
    const end = symbol.size > 0 ? start + BigInt(symbol.size) : this.nextFunction(start, section);
    return { start, isOwn: (at) => start <= at && at < end };
  }

  /** A label in assembler is not where its function begins. */
  private functionSymbolAt(pc: bigint, sectionStart: bigint): ProgramSymbol | undefined {
    const { symbolIndex } = this.program;
    const nearest = symbolIndex.at(pc, sectionStart)?.symbol;
    let symbol = nearest;
    for (let i = 0; symbol !== undefined && symbol.kind !== 'function' && i < mostLabels; i++) {
      symbol = symbol.address > sectionStart ? symbolIndex.at(symbol.address - 1n, sectionStart)?.symbol : undefined;
    }
    const holdsPc = symbol?.kind === 'function' && (symbol.size === 0 || pc < symbol.address + BigInt(symbol.size));
    return holdsPc ? symbol : nearest;
  }

  /** Where the code of a function without a size ends at the latest. */
  private nextFunction(start: bigint, { address, size }: ProgramSection): bigint {
    const { symbolIndex } = this.program;
    const sectionEnd = address + BigInt(size);
    let at = start;
    for (let i = 0; i < mostLabels; i++) {
      const { after } = symbolIndex.around(at);
      if (after === undefined || after >= sectionEnd) return sectionEnd;
      if (symbolIndex.at(after, address)?.symbol.kind === 'function') return after;
      at = after;
    }
    return at;
  }

  private targetAt(place: bigint): bigint | undefined {
    const { elf } = this.program;
    if (elf.header.e_type !== ET_REL) return undefined;
    const section = this.program.sectionAt(place);
    if (section === undefined) return undefined;
    let targets = this.targets.get(section.index);
    if (targets === undefined) {
      targets = this.readTargets(elf, section.index, section.address);
      this.targets.set(section.index, targets);
    }
    return targets.get(place);
  }

  private readTargets(elf: ElfFile, index: number, base: bigint): ReadonlyMap<bigint, bigint> {
    const targets = new Map<bigint, bigint>();
    try {
      const symbols = elf.symbols();
      for (const { r_offset, type, symbolIndex, addend } of elf.relocationsFor(index)) {
        const symbol = jumps.has(type) ? symbols.at(symbolIndex) : undefined;
        const to = symbol && this.addressOf(symbol.st_shndx);
        if (symbol !== undefined && to !== undefined)
          targets.set(base + r_offset, to + symbol.st_value + (addend ?? 0n));
      }
    } catch (error) {
      // Relocations or symbols of a damaged file: what was read until then.
      if (!(error instanceof FormatError)) throw error;
    }
    return targets;
  }
}
