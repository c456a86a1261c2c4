/**
 * The line table of one unit with its files as SourceFile objects, which are one per path for the whole program
 * (FileTable). Joins directory and file name as 6.2.4 says: an absolute name stands alone, a relative one is under its
 * directory, which may itself be relative to the compilation directory (that is left to whoever opens files).
 */
import type { LineHeader } from './line-header';
import type { RawLineRow } from './line';
import type { LineRow, SourceFile } from './model';

export class FileTable {
  private readonly byPath = new Map<string, SourceFile>();

  /** The one object for that path; what is learned first of directory and MD5 stays. */
  intern(path: string, compilationDirectory: string | undefined, md5: string | undefined): SourceFile {
    // The same relative path under two directories is two files.
    const key = isAbsolute(path) ? path : `${compilationDirectory ?? ''}\0${path}`;
    let file = this.byPath.get(key);
    if (file === undefined) {
      file = { path, compilationDirectory, md5 };
      this.byPath.set(key, file);
    }
    return file;
  }

  get all(): readonly SourceFile[] {
    return [...this.byPath.values()];
  }
}

/** Compilers run on Windows too. */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/') || path.startsWith('\\') || /^[A-Za-z]:[\\/]/.test(path);
}

function join(directory: string, name: string): string {
  if (directory === '' || directory === '.' || isAbsolute(name)) return name.replace(/^(\.\/)+/, '');
  return /[\\/]$/.test(directory) ? directory + name : `${directory}/${name}`;
}

/** Files of one line table by number. */
export class UnitFiles {
  private readonly files: (SourceFile | undefined)[] = [];
  private all: ReadonlySet<SourceFile | undefined> | undefined;

  constructor(
    private readonly header: LineHeader,
    private readonly compilationDirectory: string | undefined,
    private readonly table: FileTable,
  ) {}

  get count(): number {
    return this.header.files.length;
  }

  has(file: SourceFile): boolean {
    if (this.all === undefined) {
      for (let number = 0; number < this.count; number++) this.file(number);
      this.all = new Set(this.files);
    }
    return this.all.has(file) || this.files.includes(file);
  }

  /** The table may have it more than once. */
  numbersOf(file: SourceFile): ReadonlySet<number> {
    const numbers = new Set<number>();
    for (let number = 0; number < this.count; number++) if (this.file(number) === file) numbers.add(number);
    return numbers;
  }

  /** undefined: the number is not in the table (0 before DWARF 5 means "none"). */
  file(number: number): SourceFile | undefined {
    const known = this.files[number];
    if (known !== undefined) return known;
    const entry = this.header.files[number];
    if (entry === undefined) return undefined;
    const directory = this.header.directories[entry.directory] ?? '';
    // Directory 0 is the compilation directory itself in DWARF 5; names under it stay as the compiler was given them.
    const path = directory === this.compilationDirectory ? entry.name : join(directory, entry.name);
    const file = this.table.intern(path, this.compilationDirectory, entry.md5);
    this.files[number] = file;
    return file;
  }
}

/** Rows of a table with resolved files; a row whose file number is unknown is left out. */
export function resolveRows(rows: readonly RawLineRow[], files: UnitFiles): LineRow[] {
  const resolved: LineRow[] = [];
  for (const row of rows) {
    const file = files.file(row.file);
    if (file === undefined) continue;
    const { address, line, column, isStatement, prologueEnd, endSequence } = row;
    resolved.push({ address, file, line, column, isStatement, prologueEnd, endSequence });
  }
  return resolved;
}

/** Splits a table at its end_sequence rows. Rows after the last one belong to no sequence and are dropped. */
export function splitSequences<Row extends { readonly endSequence: boolean }>(rows: readonly Row[]): Row[][] {
  const sequences: Row[][] = [];
  let current: Row[] = [];
  for (const row of rows) {
    current.push(row);
    if (!row.endSequence) continue;
    if (current.length > 1) sequences.push(current);
    current = [];
  }
  return sequences;
}
