/**
 * The table for GDB's add-symbol-file that the loader prints at debug level once every section has its address
 * (specification 6.3): its lines, and a parser that finds the tables in a log of any of Zephyr's backends. A record
 * there begins with a prefix ('D: ', or time, level, module and function), so only what follows the marker counts.
 */
import type { PlacedSection } from './types';

export const gdbTableMarker = 'gdb add-symbol-file flags:';

/** What the newest loader prints for a section whose name lies outside of .shstrtab. */
const outOfBounds = '(out of bounds section name string table index)';

export function gdbTableLine(name: string, address: bigint): string {
  return `-s ${name} 0x${address.toString(16)}`;
}

/** Sections of program memory, as GDB wants them; the export table and the arrays are not listed. */
export function gdbFlags(sections: readonly PlacedSection[]): string[] {
  return sections.filter(({ region }) => !unlisted.has(region)).map(({ name, address }) => gdbTableLine(name, address));
}

const unlisted = new Set<string>(['EXPORT', 'SYMTAB', 'STRTAB', 'SHSTRTAB', 'PREINIT', 'INIT', 'FINI']);

export interface GdbTableRow {
  /** undefined = the loader could not read the name. */
  readonly section: string | undefined;
  readonly address: bigint;
}

/** Every table in a log, each up to the first record that is no row of it. */
export function parseGdbTables(log: string): GdbTableRow[][] {
  const tables: GdbTableRow[][] = [];
  let current: GdbTableRow[] | undefined;
  for (const line of log.split(/\r?\n/)) {
    if (line.includes(gdbTableMarker)) {
      current = [];
      tables.push(current);
      continue;
    }
    if (current === undefined || line.trim() === '') continue;
    const row = parseRow(line);
    if (row === undefined) current = undefined;
    else current.push(row);
  }
  return tables;
}

function parseRow(line: string): GdbTableRow | undefined {
  const match = /-s\s+(\S+|\(out of bounds[^)]*\))\s+(0x[0-9a-f]+)\b/.exec(line);
  if (match === null) return undefined;
  const [, name, address] = match;
  return { section: name === outOfBounds ? undefined : name, address: BigInt(address) };
}
