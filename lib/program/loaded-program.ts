/**
 * A program as one loaded instance has it: llext places every section by itself, so link and load addresses are
 * translated section by section. Several instances of one Program may be loaded; each has its own object.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import type { CfiRow, FunctionInfo, SourceFile, SourcePosition } from '../dwarf/model';
import { demangle } from './demangle';
import { findLocations, functionBreak, lineExtent, type LineExtent } from './breakpoint-locations';
import { type CodeRun, codeRunAt } from './code-runs';
import { findFunctionPlaces, type FunctionPlace, type NameTest } from './function-locations';
import { type ProgramSection, reachBeside } from './link-layout';
import { bodyStart } from './prologue';
import type { Program } from './program';
import type { LineBlock, SourceLines } from './source-lines';
import type { CodeKind, ProgramSymbol } from './symbols';

/** A place for a breakpoint, at a load address. */
export interface BreakpointLocation {
  readonly address: bigint;
  readonly file: SourceFile;
  readonly line: number;
  /** 1-based; 0 = unknown. */
  readonly column: number;
  readonly function: FunctionInfo | undefined;
}

/** Code of one line around a pc, at load addresses: what a step runs through. */
export type StepRange = LineBlock;

interface Placement {
  readonly section: ProgramSection;
  readonly load: bigint;
}

export class LoadedProgram {
  /** Sections that have memory of their own in this instance. */
  readonly placements: readonly Placement[];

  constructor(
    readonly program: Program,
    readonly instance: { readonly id: number; readonly name: string },
    /** Load address by section index of the loaded ELF. */
    placements: ReadonlyMap<number, bigint>,
  ) {
    this.placements = program.sections.flatMap((section) => {
      const load = placements.get(section.index);
      return load === undefined ? [] : [{ section, load }];
    });
  }

  get debug(): DebugInfo | undefined {
    return this.program.debug;
  }

  frameRowAt(link: bigint, isReturnAddress: boolean): CfiRow | undefined {
    return this.program.frameRowAt(link, isReturnAddress);
  }

  /** undefined: the address is in no section of this instance. */
  toLink(load: bigint): bigint | undefined {
    const found = this.placementAt(load);
    return found && load - found.load + found.section.address;
  }

  /** Also for the address right after a section, where the end of a range may be. */
  toLoad(link: bigint): bigint | undefined {
    const within = (at: bigint, size: bigint, last: bigint): boolean => at >= 0n && (at < size || at === last);
    const find = (last: (size: bigint) => bigint): Placement | undefined =>
      this.placements.find(({ section }) => {
        const size = BigInt(section.size);
        return within(link - section.address, size, last(size));
      });
    const found = find(() => -1n) ?? find((size) => size);
    return found && link - found.section.address + found.load;
  }

  /** Compilers write `&array[i]` as "register + address", and the address may be outside of the array's section. */
  termToLoad(link: bigint): bigint | undefined {
    const found = this.placements.find(({ section: { address, size } }) => {
      return link > address - reachBeside && link < address + BigInt(size) + reachBeside;
    });
    return found && link - found.section.address + found.load;
  }

  sectionAt(load: bigint): ProgramSection | undefined {
    return this.placementAt(load)?.section;
  }

  symbolAt(load: bigint): { readonly symbol: ProgramSymbol; readonly offset: bigint } | undefined {
    const found = this.placementAt(load);
    if (found === undefined) return undefined;
    return this.program.symbolIndex.at(load - found.load + found.section.address, found.section.address);
  }

  /** The symbol at an address as gdb names it in values: a copy of a function by the function's name (f, not f.isra.0). */
  labelAt(
    load: bigint,
  ): { readonly symbol: Pick<ProgramSymbol, 'name' | 'kind'>; readonly offset: bigint } | undefined {
    const found = this.symbolAt(load);
    const name = found?.symbol.name.replace(/\.(isra|constprop|part)\..*$/, '');
    if (found === undefined || name === undefined || name === found.symbol.name) return found;
    const isDescribed = this.program.debug?.functionAt(found.symbol.address)?.entryPc === found.symbol.address;
    return isDescribed ? { symbol: { name, kind: found.symbol.kind }, offset: found.offset } : found;
  }

  /** The class whose table of virtual functions is there, by the table's symbol (Itanium C++ ABI 5.1.4.1). */
  classOfTable(load: bigint): string | undefined {
    const name = demangle(this.symbolAt(load)?.symbol.name ?? '');
    // A namespace without a name is none in a program.
    return /^vtable for (.*)$/.exec(name)?.[1].replaceAll('(anonymous namespace)::', '');
  }

  /** Load address of a symbol; bit 0 of a Thumb function is clear. */
  symbolNamed(name: string): bigint | undefined {
    const symbol = this.program.symbolIndex.named(name);
    return symbol && this.toLoad(symbol.address);
  }

  codeKindAt(load: bigint): CodeKind | undefined {
    const found = this.placementAt(load);
    if (found === undefined) return undefined;
    return this.program.symbolIndex.codeKindAt(load - found.load + found.section.address, found.section.address);
  }

  /** The run of code or data around an address, at load addresses. */
  codeRunAt(load: bigint): CodeRun | undefined {
    const found = this.placementAt(load);
    if (found === undefined) return undefined;
    const distance = found.load - found.section.address;
    const { start, end, kind } = codeRunAt(this.program.symbolIndex, found.section, load - distance);
    return { start: start + distance, end: end + distance, kind };
  }

  /** The source line of an instruction. */
  sourceAt(load: bigint): SourcePosition | undefined {
    const link = this.toLink(load);
    const block = link === undefined ? undefined : this.program.lines?.blockAt(link);
    return block && { file: block.file, line: block.line, column: block.column };
  }

  /** gdb's find_pc_line: the block of the line table around pc. */
  stepRangeAt(load: bigint): StepRange | undefined {
    const link = this.toLink(load);
    const block = link === undefined ? undefined : this.program.lines?.blockAt(link);
    if (block === undefined || link === undefined) return undefined;
    return { ...block, start: block.start - link + load, end: block.end - link + load };
  }

  /** Where breakpoints on a line of a file (or of several that are the same file) go; empty: no code there or after. */
  breakpointLocations(
    file: SourceFile | readonly SourceFile[],
    line: number,
    column?: number,
  ): readonly BreakpointLocation[] {
    const { debug, lines } = this.program;
    if (debug === undefined || lines === undefined) return [];
    const files = 'path' in file ? [file] : file;
    return findLocations(debug, lines, files, line, column).flatMap((location) => {
      const address = this.toLoad(location.address);
      return address === undefined ? [] : [{ ...location, address }];
    });
  }

  /** Where breakpoints on the functions of a name go, inlined copies included; at load addresses. */
  functionPlaces(wanted: NameTest): readonly FunctionPlace[] {
    const { debug, lines, symbolIndex } = this.program;
    return findFunctionPlaces(debug, lines, symbolIndex, wanted).flatMap((place) => {
      const address = this.toLoad(place.address);
      return address === undefined ? [] : [{ ...place, address }];
    });
  }

  /** The addresses of a line's first block of code, or (no end) where the next line's code begins: gdb's `info line`. */
  lineExtent(file: SourceFile | readonly SourceFile[], line: number): LineExtent | undefined {
    const { lines } = this.program;
    const extent = lines && lineExtent(lines, 'path' in file ? [file] : file, line);
    const start = extent && this.toLoad(extent.start);
    if (extent === undefined || start === undefined) return undefined;
    return { start, end: extent.end && start + (extent.end - extent.start) };
  }

  /** The function with debug information that has an instruction. */
  functionAt(load: bigint): FunctionInfo | undefined {
    const link = this.toLink(load);
    return link === undefined ? undefined : this.program.debug?.functionAt(link);
  }

  /** The same of a function's symbol: before its code there may be room for patches (-fpatchable-function-entry), which is not its own. */
  functionEnteredAt(load: bigint): FunctionInfo | undefined {
    const found = this.functionAt(load);
    const symbol = found === undefined ? this.symbolAt(load)?.symbol : undefined;
    const link = this.toLink(load);
    if (symbol === undefined || symbol.address !== link) return found;
    const end = link + BigInt(symbol.size);
    return this.program.debug?.functionsNamed(symbol.name).find(({ entryPc }) => entryPc > link && entryPc < end);
  }

  /** Where a step into the function at `entry` (a load address in it) stops: after its prologue. */
  bodyStart(entry: bigint): bigint | undefined {
    return this.placeInFunction(entry, bodyStart);
  }

  /** Where a breakpoint on the function at `entry` stops: optimized code of GCC needs no prologue skipped. */
  functionBreak(entry: bigint): bigint | undefined {
    return this.placeInFunction(entry, functionBreak);
  }

  private placeInFunction(
    entry: bigint,
    rule: (debug: DebugInfo, lines: SourceLines, found: FunctionInfo) => bigint,
  ): bigint | undefined {
    const { debug, lines } = this.program;
    const found = this.functionEnteredAt(entry);
    if (debug === undefined || lines === undefined || found === undefined) return undefined;
    return this.toLoad(rule(debug, lines, found));
  }

  private placementAt(load: bigint): Placement | undefined {
    return this.placements.find(({ section, load: start }) => start <= load && load < start + BigInt(section.size));
  }
}
