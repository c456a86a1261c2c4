/** Reads what llvm-dwarfdump 14 prints. */
import { spawnSync } from 'node:child_process';

export interface DumpedRow {
  readonly address: number;
  readonly line: number;
  readonly column: number;
  readonly file: number;
  readonly discriminator: number;
  readonly isStatement: boolean;
  readonly prologueEnd: boolean;
  readonly endSequence: boolean;
}

/** It prints all that it can and then fails when, as in `ld -r` output, one offset has several R_ARM_NONE relocations. */
export function runDwarfdump(dwarfdump: string, args: readonly string[]): string {
  const { stdout, error } = spawnSync(dwarfdump, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (error !== undefined) throw error;
  return stdout;
}

/** The rows of each line table, in the order of .debug_line. */
export function dumpedLines(dwarfdump: string, path: string): DumpedRow[][] {
  const tables: DumpedRow[][] = [];
  for (const text of runDwarfdump(dwarfdump, ['--debug-line', path]).split('\n')) {
    if (text.startsWith('debug_line[')) tables.push([]);
    const row = /^0x([0-9a-f]{16})\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s+(\d+)\s?(.*)$/.exec(text);
    if (row === null) continue;
    const flags = row[6].trim().split(/\s+/);
    tables.at(-1)?.push({
      address: parseInt(row[1], 16),
      line: Number(row[2]),
      column: Number(row[3]),
      file: Number(row[4]),
      discriminator: Number(row[5]),
      isStatement: flags.includes('is_stmt'),
      prologueEnd: flags.includes('prologue_end'),
      endSequence: flags.includes('end_sequence'),
    });
  }
  return tables;
}
