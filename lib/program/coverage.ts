/**
 * What executions of instructions mean for lines and functions. A line was executed as often as the most executed of its instructions, in
 * each function and each inlined copy of one, added up; its instructions are all that were executed of it. Lines are
 * those of gdb's view of the line table (source-lines.ts).
 */
import type { FunctionInfo, Scope, SourceFile } from '../dwarf/model';
import type { LoadedProgram } from './loaded-program';

export interface LineCoverage {
  readonly line: number;
  readonly count: number;
  /** Executed instructions. */
  readonly instructions: number;
}

export interface FunctionCoverage {
  readonly name: string;
  readonly line: number;
  /** Executions of its first instruction. */
  readonly count: number;
  /** Executed instructions, those of calls that were inlined included. */
  readonly instructions: number;
}

export interface FileCoverage {
  readonly file: SourceFile;
  readonly lines: readonly LineCoverage[];
  readonly functions: readonly FunctionCoverage[];
}

/** A line in one function or one inlined copy. */
interface LinePart {
  most: number;
  sum: number;
}

interface FileParts {
  readonly lines: Map<number, Map<Scope | FunctionInfo, LinePart>>;
  readonly functions: FunctionCoverage[];
}

/** `counts`: executions by load address. Files without code in the program are not listed. */
export function coverageOf(loaded: LoadedProgram, counts: ReadonlyMap<number, number>): FileCoverage[] {
  const { debug } = loaded;
  if (debug === undefined) return [];
  const files = new Map<SourceFile, FileParts>();
  const partsOf = (file: SourceFile): FileParts => {
    let parts = files.get(file);
    if (parts === undefined) files.set(file, (parts = { lines: new Map(), functions: [] }));
    return parts;
  };
  const executed = executedByLink(loaded, counts);
  for (const found of debug.functions()) {
    const isPlaced = loaded.toLoad(found.entryPc) !== undefined;
    if (!isPlaced) continue;
    let instructions = 0;
    for (const { start, end } of found.ranges) {
      addLines(loaded, found, start, end, executed, (file, line, scope, part) => {
        const lines = partsOf(file).lines;
        const scopes = lines.get(line) ?? new Map<Scope | FunctionInfo, LinePart>();
        lines.set(line, scopes);
        const known = scopes.get(scope) ?? { most: 0, sum: 0 };
        scopes.set(scope, { most: Math.max(known.most, part.most), sum: known.sum + part.sum });
        instructions += part.sum;
      });
    }
    const { declaration, name } = found;
    if (declaration === undefined) continue;
    const count = counts.get(Number(loaded.toLoad(found.entryPc) ?? 0n)) ?? 0;
    partsOf(declaration.file).functions.push({ name, line: declaration.line, count, instructions });
  }
  return [...files].map(([file, { lines, functions }]) => ({
    file,
    lines: [...lines].map(([line, scopes]) => summed(line, scopes)).sort((a, b) => a.line - b.line),
    functions: functions.sort((a, b) => a.line - b.line),
  }));
}

function summed(line: number, scopes: ReadonlyMap<unknown, LinePart>): LineCoverage {
  let [count, instructions] = [0, 0];
  for (const { most, sum } of scopes.values()) {
    count += most;
    instructions += sum;
  }
  return { line, count, instructions };
}

interface Executed {
  readonly link: bigint;
  readonly count: number;
}

/** By link address, ascending. */
function executedByLink(loaded: LoadedProgram, counts: ReadonlyMap<number, number>): Executed[] {
  const found: Executed[] = [];
  for (const [address, count] of counts) {
    const link = loaded.toLink(BigInt(address));
    if (link !== undefined) found.push({ link, count });
  }
  return found.sort((a, b) => (a.link < b.link ? -1 : 1));
}

/** Walks the blocks of the line table in a range of a function. */
function addLines(
  { program }: LoadedProgram,
  found: FunctionInfo,
  start: bigint,
  end: bigint,
  executed: readonly Executed[],
  add: (file: SourceFile, line: number, scope: Scope | FunctionInfo, part: LinePart) => void,
): void {
  const { lines, debug } = program;
  let next = lowerBound(executed, start);
  for (let at = start; at < end;) {
    const block = lines?.blockAt(at);
    const stop = block === undefined || block.end <= at ? at + 1n : block.end < end ? block.end : end;
    const scope = debug?.scopesAt(at).find(({ inline }) => inline !== undefined) ?? found;
    const part = { most: 0, sum: 0 };
    for (; next < executed.length && executed[next].link < stop; next++) {
      part.most = Math.max(part.most, executed[next].count);
      part.sum += executed[next].count;
    }
    if (block !== undefined && block.line !== 0) add(block.file, block.line, scope, part);
    at = stop;
  }
}

function lowerBound(executed: readonly Executed[], link: bigint): number {
  let [low, high] = [0, executed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (executed[middle].link < link) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds up what several programs, or several instances of one, have executed of the same lines of one file. */
export function mergeLines(parts: readonly (readonly LineCoverage[])[]): LineCoverage[] {
  const byLine = new Map<number, LineCoverage>();
  for (const { line, count, instructions } of parts.flat()) {
    const known = byLine.get(line) ?? { line, count: 0, instructions: 0 };
    byLine.set(line, { line, count: known.count + count, instructions: known.instructions + instructions });
  }
  return [...byLine.values()].sort((a, b) => a.line - b.line);
}
