/**
 * Where a breakpoint on a source line goes, by gdb 13's rules (create_sals_line, skip_prologue_sal): the entries of the
 * line that begin a statement, or those of the next line that has any; of several in one block only the first; an
 * entry in a function's prologue moves behind it. Optimized code of GCC describes variables everywhere, so there the
 * prologue is not skipped.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import type { FunctionInfo, Scope, SourceFile, SourcePosition } from '../dwarf/model';
import { blocksAt } from './code-blocks';
import { bodyBreak } from './prologue';
import type { LineEntry } from './line-entries';
import type { SourceLines } from './source-lines';

/** A place for a breakpoint, at link addresses. */
export interface LinkLocation {
  readonly address: bigint;
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
  /** The function that has the code; for an inlined copy the one that it was inlined into. */
  readonly function: FunctionInfo | undefined;
}

interface Candidate {
  readonly file: SourceFile;
  readonly entry: LineEntry;
}

export function findLocations(
  debug: DebugInfo,
  lines: SourceLines,
  files: readonly SourceFile[],
  line: number,
  column?: number,
): readonly LinkLocation[] {
  let candidates = entriesOfLine(lines, files, line);
  if (candidates.length === 0) {
    const next = nextLine(lines, files, line);
    if (next === undefined) return [];
    candidates = entriesOfLine(lines, files, next);
  } else if (column !== undefined) candidates = atColumn(candidates, column);
  const locations = firstOfEachBlock(debug, candidates).map((candidate) => placeOf(debug, lines, candidate));
  const seen = new Set<bigint>();
  return locations.filter(({ address }) => !seen.has(address) && seen.add(address)).sort(byAddress);
}

function byAddress(a: LinkLocation, b: LinkLocation): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}

function entriesOfLine(lines: SourceLines, files: readonly SourceFile[], line: number): Candidate[] {
  return files.flatMap((file) => lines.statementsOf(file, line).map((entry) => ({ file, entry })));
}

/** Of the statements of a line those that begin at the column or next behind it; behind the last one, the last. */
function atColumn(candidates: readonly Candidate[], column: number): Candidate[] {
  const columns = candidates.map(({ entry }) => entry.column);
  const behind = columns.filter((one) => one >= column);
  const chosen = behind.length > 0 ? Math.min(...behind) : Math.max(...columns);
  return candidates.filter(({ entry }) => entry.column === chosen);
}

/** Lines and columns at which a statement of a range of lines begins, in order of the source; column 0: not known. */
export function statementColumns(
  lines: SourceLines,
  files: readonly SourceFile[],
  first: number,
  last: number,
): readonly { readonly line: number; readonly column: number }[] {
  const found = new Map<string, { line: number; column: number }>();
  for (const { entries } of files.flatMap((file) => lines.ofFile(file))) {
    for (let at = 0; at < entries.count; at++) {
      if (!entries.isStatement(at) || entries.line(at) < first || entries.line(at) > last) continue;
      const { line, column } = entries.at(at);
      found.set(`${line}:${column}`, { line, column });
    }
  }
  return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function nextLine(lines: SourceLines, files: readonly SourceFile[], line: number): number | undefined {
  const tables = files.flatMap((file) => lines.ofFile(file));
  const next = Math.min(...tables.map(({ entries }) => entries.lineBehind(line) ?? Infinity));
  return next === Infinity ? undefined : next;
}

/** The compiler scatters a line over disjoint ranges; of those in one block, one is enough. */
function firstOfEachBlock(debug: DebugInfo, candidates: readonly Candidate[]): readonly Candidate[] {
  const blocks = candidates.map(({ entry }): Scope | undefined => blocksAt(debug, entry.address)[0]);
  return candidates.filter((_, i) => blocks[i] === undefined || !blocks.slice(0, i).includes(blocks[i]));
}

function placeOf(debug: DebugInfo, lines: SourceLines, { file, entry }: Candidate): LinkLocation {
  const found = debug.functionAt(entry.address);
  const here = { address: entry.address, file, line: entry.line, column: entry.column, function: found };
  if (found === undefined) return here;
  const address = functionBreak(debug, lines, found);
  if (entry.address >= address || lines.blockAt(address) === undefined) return here;
  return { ...here, ...behindPrologue(debug, lines, address), address };
}

/** The line of a place behind a prologue: right at an inlined call the user is still at the line of the call. */
export function behindPrologue(debug: DebugInfo, lines: SourceLines, address: bigint): SourcePosition | undefined {
  const call = blocksAt(debug, address).findLast((scope) => scope.kind === 'inlined')?.inline?.call;
  return call ?? lines.blockAt(address);
}

/** Where `break function` stops; a step into the function goes to bodyStart() in any case, as gdb's does. */
export function functionBreak(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): bigint {
  return describesVariablesEverywhere(debug, found) ? found.entryPc : bodyBreak(debug, lines, found);
}

/** GCC 4.5 and later with location lists: the prologue hides nothing. */
function describesVariablesEverywhere(debug: DebugInfo, found: FunctionInfo): boolean {
  const gcc = /^GNU .*? (\d+)\.(\d+)/.exec(found.unit.producer ?? '');
  if (gcc === null) return false;
  const [major, minor] = [Number(gcc[1]), Number(gcc[2])];
  if (major < 4 || (major === 4 && minor < 5)) return false;
  return debug.hasLocationLists(found.unit);
}

/** What `info line` says: the first code of a line, or (no end) where code of the next line begins. */
export interface LineExtent {
  readonly start: bigint;
  readonly end: bigint | undefined;
}

export function lineExtent(lines: SourceLines, files: readonly SourceFile[], line: number): LineExtent | undefined {
  let candidates = entriesOfLine(lines, files, line);
  if (candidates.length === 0) {
    const next = nextLine(lines, files, line);
    candidates = next === undefined ? [] : entriesOfLine(lines, files, next);
  }
  const address = candidates.at(0)?.entry.address;
  const block = address === undefined ? undefined : lines.blockAt(address);
  // An entry that another one at its address supersedes has no bytes of its own.
  return block && { start: block.start, end: block.line === line ? block.end : undefined };
}
