/**
 * What a command writes to, handed in so that tests can read it, and tables for people.
 * Results go to standard output; refusals, warnings and usage errors to standard error.
 */

export interface CommandOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Columns padded to their widest cell; those named in `right` are flush right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = [], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '),
  );
  return lines.map((line) => `${indent}${line}`.trimEnd() + '\n').join('');
}
