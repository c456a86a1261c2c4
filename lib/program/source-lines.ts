/**
 * The line tables as gdb 13 uses them to stop at lines and to step, which is not how the standard lists them.
 * Every file of a unit has a table of its own, sorted by address; an entry of line 0 ends what comes before it, also
 * where code of another file begins (gdb's record_line). A line's block of code goes from its entry to the next entry
 * of any file. Of several entries at one address the last counts, but one that begins a statement before one that
 * does not (gdb's find_pc_sect_line).
 */
import type { DebugInfo, UnitLines } from '../dwarf/debug-info';
import type { LineRegisters } from '../dwarf/line';
import type { SequenceExtent } from '../dwarf/line-search';
import type { SourceFile, UnitInfo } from '../dwarf/model';
import { rangesHull } from './code-blocks';
import { type LineEntries, LineEntriesBuilder, type LineEntry, PROLOGUE_END, STATEMENT } from './line-entries';
import type { AddressedSymbol } from './stack-protector';
import type { ReadHalfword } from './thumb-prologue';

/** A block of the line table: code that belongs to one line. */
export interface LineBlock {
  readonly start: bigint;
  readonly end: bigint;
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
}

export interface FileLines {
  readonly unit: UnitInfo;
  readonly file: SourceFile;
  readonly entries: LineEntries;
}

/** Whoever asks for more lines of a unit is given its whole table, which then stays. */
const mostSearches = 4;

export class SourceLines {
  private readonly byUnit = new Map<UnitInfo, readonly FileLines[]>();
  /** How often units were searched for a line. */
  private readonly searches = new Map<UnitInfo, number>();
  private lazyAll: readonly FileLines[] | undefined;
  /** Used for one unit after the other. */
  private readonly builders: LineEntriesBuilder[] = [];

  /**
   * `readThumb`: the code, where it is Thumb: the line table alone does not always tell the end of a prologue. `symbolOf`: what an
   * address in it means.
   */
  constructor(
    private readonly debug: DebugInfo,
    readonly readThumb?: ReadHalfword,
    readonly symbolOf: AddressedSymbol = () => undefined,
  ) {}

  /** The table of each file in each unit. */
  get all(): readonly FileLines[] {
    this.lazyAll ??= this.debug.units.flatMap((unit) => this.ofUnit(unit));
    return this.lazyAll;
  }

  ofFile(file: SourceFile): readonly FileLines[] {
    return this.debug.unitsOfFile(file).flatMap((unit) => this.ofUnit(unit).filter((lines) => lines.file === file));
  }

  /** Entries that begin a statement of a line. Of a unit's line program only the sequences are run that have the line. */
  statementsOf(file: SourceFile, line: number): readonly LineEntry[] {
    return this.debug.unitsOfFile(file).flatMap((unit) => this.statementsIn(unit, file, line));
  }

  private statementsIn(unit: UnitInfo, file: SourceFile, line: number): readonly LineEntry[] {
    const asked = this.searches.get(unit) ?? 0;
    const own = this.byUnit.has(unit) || asked >= mostSearches ? undefined : this.linesOf(unit);
    const parts = own?.table.partsWithLine(own.files.numbersOf(file), line);
    if (own === undefined || parts === undefined) {
      const tables = this.ofUnit(unit).filter((lines) => lines.file === file);
      return tables.flatMap(({ entries }) => entries.statementsOf(line));
    }
    this.searches.set(unit, asked + 1);
    if (parts.length === 0) return [];
    const tables = buildTables(own, this.builders, parts).filter((lines) => lines.file === file);
    return tables.flatMap(({ entries }) => entries.statementsOf(line));
  }

  /** A table that several units share counts for the one that has the code, which is the first. */
  private linesOf(unit: UnitInfo): UnitLines | undefined {
    const lines = this.debug.linesOf(unit);
    return lines?.unit === unit ? lines : undefined;
  }

  /** All code that is of a file, in the order of its addresses. */
  blocksOf(file: SourceFile): LineBlock[] {
    const addresses = new Set<bigint>();
    for (const { entries } of this.ofFile(file))
      for (let i = 0; i < entries.count; i++) addresses.add(entries.address(i));
    const blocks = [...addresses].flatMap((address) => this.blockAt(address) ?? []);
    return blocks.filter((block) => block.file === file).sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  ofUnit(unit: UnitInfo): readonly FileLines[] {
    let tables = this.byUnit.get(unit);
    if (tables === undefined) {
      const lines = this.linesOf(unit);
      tables = lines === undefined ? [] : buildTables(lines, this.builders);
      this.byUnit.set(unit, tables);
    }
    return tables;
  }

  /** The block of code around pc; undefined where no line is known. */
  blockAt(pc: bigint): LineBlock | undefined {
    const unit = this.debug.unitAt(pc);
    if (unit === undefined) return undefined;
    let best: { entry: LineEntry; lines: FileLines } | undefined;
    let bestEnd: bigint | undefined;
    let firstOfOthers: bigint | undefined;
    for (const lines of this.ofUnit(unit)) {
      const { entries } = lines;
      if (entries.count === 0) continue;
      const first = entries.address(0);
      if (first > pc && (firstOfOthers === undefined || first < firstOfOthers)) firstOfOthers = first;
      const next = entries.after(pc);
      const before = next > 0 && entries.line(next - 1) !== 0 ? entries.address(next - 1) : undefined;
      if (before !== undefined && (best === undefined || before > best.entry.address)) {
        best = { entry: statementAt(entries, next - 1), lines };
        if (bestEnd !== undefined && bestEnd <= best.entry.address) bestEnd = undefined;
      }
      if (best === undefined || next === entries.count) continue;
      const end = entries.address(next);
      if (end > best.entry.address && (bestEnd === undefined || end < bestEnd)) bestEnd = end;
    }
    if (best === undefined) return undefined;
    const end = smallest(bestEnd, firstOfOthers) ?? rangesHull(this.debug, unit)?.end ?? pc + 1n;
    const { address: start, line, column, isStatement } = best.entry;
    return { start, end, file: best.lines.file, line, column, isStatement };
  }
}

function smallest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** The entry at `index`, or one before it at the same address that begins a statement when that one does not. */
function statementAt(entries: LineEntries, index: number): LineEntry {
  let at = index;
  while (!entries.isStatement(at) && at > 0) {
    if (entries.address(at - 1) !== entries.address(at) || entries.line(at - 1) === 0) break;
    at--;
  }
  return entries.at(entries.isStatement(at) ? at : index);
}

/** Follows one line program and files its rows under their files. */
class TableBuilder {
  readonly tables = new Map<SourceFile, LineEntriesBuilder>();
  private lastFile: SourceFile | undefined;
  private lastTable: LineEntriesBuilder | undefined;
  private rowFile: SourceFile | undefined;
  private rowTable: LineEntriesBuilder | undefined;
  private lastLine = 0;
  /** -1: none since the sequence began. */
  private lastLow = -1;
  private lastHigh = -1;
  private statementAtAddress = false;
  private discriminated = false;
  /** Of the row before, in the program's own numbers. */
  private previousFile = -1;
  private previousLine = -1;

  constructor(private readonly builders: LineEntriesBuilder[]) {}

  add(row: LineRegisters, file: SourceFile): void {
    const { addressLow, addressHigh } = row;
    const isSameLine = this.previousLine === row.line && this.previousFile === row.file;
    this.discriminated = row.discriminator !== 0 || (isSameLine && this.discriminated);
    this.previousLine = row.line;
    this.previousFile = row.file;
    const table = this.tableOf(file);
    // Switching files counts, whether or not the row before was noted (gdb's handle_set_file).
    if (this.rowFile !== undefined && this.rowFile !== file) {
      this.lastFile = this.rowFile;
      this.lastTable = this.rowTable;
    }
    this.rowFile = file;
    this.rowTable = table;
    this.record(row, file, table);
    if (this.lastLow !== addressLow || this.lastHigh !== addressHigh) {
      this.statementAtAddress = false;
      this.lastLow = addressLow;
      this.lastHigh = addressHigh;
    }
    this.statementAtAddress ||= row.isStatement;
    if (row.endSequence) this.reset();
  }

  private tableOf(file: SourceFile): LineEntriesBuilder {
    if (this.lastFile === file && this.lastTable !== undefined) return this.lastTable;
    let table = this.tables.get(file);
    if (table === undefined) {
      const number = this.tables.size;
      table = (this.builders[number] ??= new LineEntriesBuilder()).clear();
      this.tables.set(file, table);
    }
    return table;
  }

  private reset(): void {
    this.lastFile = undefined;
    this.lastTable = undefined;
    this.rowFile = undefined;
    this.rowTable = undefined;
    this.lastLine = 0;
    this.lastLow = -1;
    this.lastHigh = -1;
    this.statementAtAddress = false;
    this.discriminated = false;
    this.previousFile = -1;
    this.previousLine = -1;
  }

  private record(row: LineRegisters, file: SourceFile, table: LineEntriesBuilder): void {
    const { addressLow, addressHigh, line, column, isStatement, prologueEnd, endSequence } = row;
    const fileChanged = this.lastFile !== file;
    const isSameAddress = this.lastLow === addressLow && this.lastHigh === addressHigh;
    // Code of another file that only continues a statement at this address would end the statement's own entry.
    const hidesStatement = fileChanged && isSameAddress && !isStatement && this.statementAtAddress;
    const ignored = !endSequence && (hidesStatement || line === 0);
    if ((fileChanged && !ignored) || endSequence) endCode(this.lastTable ?? table, addressLow, addressHigh);
    if (endSequence || ignored) return;
    // Blocks of one line that differ only in the discriminator are one block.
    if (fileChanged || line !== this.lastLine || !this.discriminated) {
      const flags = (isStatement ? STATEMENT : 0) | (prologueEnd ? PROLOGUE_END : 0);
      table.push(addressLow, addressHigh, line, column, flags);
    }
    this.lastFile = file;
    this.lastTable = table;
    this.lastLine = line;
  }
}

/** Entries at the end's own address have no code; an end of nothing is not noted. */
function endCode(entries: LineEntriesBuilder, low: number, high: number): void {
  if (entries.length === 0) return;
  let lastLine = entries.lastLine;
  while (entries.length > 0) {
    lastLine = entries.lastLine;
    if (!entries.isLastAt(low, high)) break;
    entries.pop();
  }
  if (lastLine !== 0) entries.push(low, high, 0, 0, STATEMENT);
}

function buildTables(
  { unit, table, files }: UnitLines,
  builders: LineEntriesBuilder[],
  parts?: readonly SequenceExtent[],
): readonly FileLines[] {
  const builder = new TableBuilder(builders);
  const add = (row: LineRegisters): void => {
    const file = files.file(row.file);
    if (file !== undefined) builder.add(row, file);
  };
  if (parts === undefined) table.walk(add);
  else for (const part of parts) table.walk(add, part);
  return [...builder.tables].map(([file, entries]) => ({ unit, file, entries: entries.finish() }));
}
