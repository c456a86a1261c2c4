/**
 * Which functions a step in goes over (launch attribute stepFilter): all that are not of an extension, those of some
 * files, those of some names. Like gdb's skip, it only decides about calls; where one stops by itself, it stops.
 */
import type { SourceFile } from '../lib/dwarf/model';
import { baseName, segmentsOf } from '../lib/paths';

export interface StepFilterConfig {
  readonly onlyExtensions: boolean;
  readonly files: readonly string[];
  readonly functions: readonly string[];
}

/** What a step in is about to enter. */
export interface StepCandidate {
  readonly isExtension: boolean;
  readonly name: string | undefined;
  /** The source file that declares it. */
  readonly file: SourceFile | undefined;
}

/** True: it is stepped over. */
export type StepFilter = (candidate: StepCandidate) => boolean;

export const noStepFilter: StepFilterConfig = { onlyExtensions: false, files: [], functions: [] };

/** `pathOf`: the client's path of a file when it is known, else the compiler's. */
export function stepFilterOf(
  { onlyExtensions, files, functions }: StepFilterConfig,
  pathOf: (file: SourceFile) => string,
): StepFilter {
  const functionTests = functions.map(patternOf);
  const fileTests = files.map(filePattern);
  return ({ isExtension, name, file }) =>
    (onlyExtensions && !isExtension) ||
    (name !== undefined && functionTests.some((pattern) => pattern.test(name))) ||
    (file !== undefined && fileTests.some((matches) => matches(pathOf(file))));
}

/** `/regular expression/` or a name with * and ?; the caller has checked that it is one. */
export function patternOf(text: string): RegExp {
  const expression = /^\/(.+)\/(i?)$/.exec(text);
  return expression === null ? globPattern(text) : new RegExp(expression[1], expression[2]);
}

/** A bare name means files of that name; with folders, the end of the path. */
function filePattern(text: string): (path: string) => boolean {
  if (/^\/.+\/i?$/.test(text)) {
    const pattern = patternOf(text);
    return (path) => pattern.test(path);
  }
  const wanted = segmentsOf(text).join('/');
  if (!wanted.includes('/')) {
    const pattern = globPattern(wanted);
    return (path) => pattern.test(baseName(path));
  }
  const pattern = globPattern(`**/${wanted}`);
  return (path) => pattern.test(`/${segmentsOf(path).join('/')}`);
}

/** * and ? within a segment, ** over segments. */
function globPattern(text: string): RegExp {
  const source = text.replace(/\*\*\/?|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part.startsWith('**')) return '.*';
    return part === '*' ? '[^/]*' : part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}
