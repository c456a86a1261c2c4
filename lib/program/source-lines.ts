/**
 * The line tables as gdb 13 uses them to stop at lines and to step, which is not how the standard lists them.
 * Every file of a unit has a table of its own, sorted by address; an entry of line 0 ends what comes before it, also
 * where code of another file begins (gdb's record_line). A line's block of code goes from its entry to the next entry
 * of any file. Of several entries at one address the last counts, but one that begins a statement before one that
 * does not (gdb's find_pc_sect_line).
 */
import type { DebugInfo, UnitLines } from '../dwarf/debug-info';
import type { RawLineRow } from '../dwarf/line';
import type { SourceFile, UnitInfo } from '../dwarf/model';
import { rangesHull } from './code-blocks';

export interface LineEntry {
  readonly address: bigint;
  /** 0 ends the code of this file. */
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
}

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
  readonly entries: readonly LineEntry[];
}

export class SourceLines {
  private readonly byUnit = new Map<UnitInfo, readonly FileLines[]>();
  private lazyAll: readonly FileLines[] | undefined;

  constructor(private readonly debug: DebugInfo) {}

  /** The table of each file in each unit. */
  get all(): readonly FileLines[] {
    this.lazyAll ??= this.debug.units.flatMap((unit) => this.ofUnit(unit));
    return this.lazyAll;
  }

  ofFile(file: SourceFile): readonly FileLines[] {
    return this.debug.units
      .filter((unit) => this.debug.linesOf(unit)?.files.has(file) === true)
      .flatMap((unit) => this.ofUnit(unit))
      .filter((lines) => lines.file === file);
  }

  ofUnit(unit: UnitInfo): readonly FileLines[] {
    let tables = this.byUnit.get(unit);
    if (tables === undefined) {
      const lines = this.debug.linesOf(unit);
      // A table that several units share counts for the one that has the code, which is the first.
      tables = lines === undefined || lines.unit !== unit ? [] : buildTables(lines);
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
      if (entries.length === 0) continue;
      const first = entries[0].address;
      if (first > pc && (firstOfOthers === undefined || first < firstOfOthers)) firstOfOthers = first;
      const next = upperBound(entries, pc);
      const before = next > 0 && entries[next - 1].line !== 0 ? entries[next - 1] : undefined;
      if (before !== undefined && (best === undefined || before.address > best.entry.address)) {
        best = { entry: statementAt(entries, next - 1), lines };
        if (bestEnd !== undefined && bestEnd <= best.entry.address) bestEnd = undefined;
      }
      if (best === undefined || next === entries.length) continue;
      const end = entries[next].address;
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

/** Index of the first entry after pc. */
function upperBound(entries: readonly LineEntry[], pc: bigint): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].address <= pc) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The entry at `index`, or one before it at the same address that begins a statement when that one does not. */
function statementAt(entries: readonly LineEntry[], index: number): LineEntry {
  let at = index;
  while (!entries[at].isStatement && at > 0) {
    const before = entries[at - 1];
    if (before.address !== entries[at].address || before.line === 0) break;
    at--;
  }
  return entries[at].isStatement ? entries[at] : entries[index];
}

/** Follows one line program and files its rows under their files. */
class TableBuilder {
  readonly tables = new Map<SourceFile, LineEntry[]>();
  private lastFile: SourceFile | undefined;
  private lastLine = 0;
  private lastAddress: bigint | undefined;
  private statementAtAddress = false;
  private discriminated = false;
  private previous: RawLineRow | undefined;

  add(row: RawLineRow, file: SourceFile | undefined): void {
    if (file === undefined) return;
    const isSameLine = this.previous?.line === row.line && this.previous.file === row.file;
    this.discriminated = row.discriminator !== 0 || (isSameLine && this.discriminated);
    this.previous = row;
    if (!this.tables.has(file)) this.tables.set(file, []);
    this.record(row, file);
    if (this.lastAddress !== row.address) {
      this.statementAtAddress = false;
      this.lastAddress = row.address;
    }
    this.statementAtAddress ||= row.isStatement;
    if (row.endSequence) this.reset();
  }

  private reset(): void {
    this.lastFile = undefined;
    this.lastLine = 0;
    this.lastAddress = undefined;
    this.statementAtAddress = false;
    this.discriminated = false;
    this.previous = undefined;
  }

  private record(row: RawLineRow, file: SourceFile): void {
    const fileChanged = this.lastFile !== file;
    // Code of another file that only continues a statement at this address would end the statement's own entry.
    const hidesStatement =
      fileChanged && this.lastAddress === row.address && !row.isStatement && this.statementAtAddress;
    const ignored = !row.endSequence && (hidesStatement || row.line === 0);
    if ((fileChanged && !ignored) || row.endSequence) this.endCode(this.lastFile ?? file, row.address);
    if (row.endSequence || ignored) return;
    // Blocks of one line that differ only in the discriminator are one block.
    if (fileChanged || row.line !== this.lastLine || !this.discriminated) {
      const { address, line, column, isStatement } = row;
      this.tables.get(file)?.push({ address, line, column, isStatement });
    }
    this.lastFile = file;
    this.lastLine = row.line;
  }

  /** Entries at the end's own address have no code; an end of nothing is not noted. */
  private endCode(file: SourceFile, address: bigint): void {
    const entries = this.tables.get(file);
    if (entries === undefined) return;
    let last = entries[entries.length - 1];
    const hadEntries = entries.length > 0;
    while (entries.length > 0) {
      last = entries[entries.length - 1];
      if (last.address !== address) break;
      entries.pop();
    }
    if (!hadEntries || last.line === 0) return;
    entries.push({ address, line: 0, column: 0, isStatement: true });
  }
}

function buildTables({ unit, table, files }: UnitLines): readonly FileLines[] {
  const builder = new TableBuilder();
  for (const row of table.rows) builder.add(row, files.file(row.file));
  return [...builder.tables].map(([file, entries]) => ({ unit, file, entries: sorted(entries) }));
}

/** By address; at one address the end of what came before stands first, the rest keeps its order. */
function sorted(entries: readonly LineEntry[]): readonly LineEntry[] {
  return [...entries].sort((a, b) => {
    if (a.address !== b.address) return a.address < b.address ? -1 : 1;
    return (a.line === 0 ? 0 : 1) - (b.line === 0 ? 0 : 1);
  });
}
