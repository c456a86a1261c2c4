/** The tracefile of lcov (geninfo(1), FILES): one record a source file, with its functions and lines. */
import type { FunctionCoverage, LineCoverage } from './coverage';

export interface LcovFile {
  readonly path: string;
  readonly lines: readonly LineCoverage[];
  readonly functions: readonly FunctionCoverage[];
}

export function lcovText(files: readonly LcovFile[], testName = ''): string {
  return files.map((file) => record(file, testName)).join('');
}

function record({ path, lines, functions }: LcovFile, testName: string): string {
  const rows = [
    `TN:${testName}`,
    `SF:${path}`,
    ...functions.map(({ line, name }) => `FN:${line},${name}`),
    ...functions.map(({ count, name }) => `FNDA:${count},${name}`),
    `FNF:${functions.length}`,
    `FNH:${functions.filter(({ count }) => count > 0).length}`,
    ...lines.map(({ line, count }) => `DA:${line},${count}`),
    `LF:${lines.length}`,
    `LH:${lines.filter(({ count }) => count > 0).length}`,
    'end_of_record',
  ];
  return `${rows.join('\n')}\n`;
}
