/**
 * A section as a listing sees it: runs of code or data between symbols and changes of what the mapping symbols say, so that a listing
 * is the same wherever it begins.
 */
import type { ProgramSection } from './link-layout';
import type { SymbolIndex } from './symbols';

export type RunKind = 'code' | 'data';

/** start <= address < end, all of one kind. */
export interface CodeRun {
  readonly start: bigint;
  readonly end: bigint;
  readonly kind: RunKind;
}

/** The run around a link address of a section. */
export function codeRunAt(symbols: SymbolIndex, section: ProgramSection, address: bigint): CodeRun {
  const sectionEnd = section.address + BigInt(section.size);
  const kindAt = (at: bigint): RunKind => {
    const kind = symbols.codeKindAt(at, section.address) ?? (section.executable ? 'code' : 'data');
    return kind === 'data' ? 'data' : 'code';
  };
  const kind = kindAt(address);
  const { before, after } = symbols.around(address);
  const first = before !== undefined && before > section.address ? before : section.address;
  const last = after !== undefined && after < sectionEnd ? after : sectionEnd;
  let { before: start, after: end } = symbols.mappingsAround(address);
  while (start !== undefined && start > first && kindAt(start - 1n) === kind)
    start = symbols.mappingsAround(start - 1n).before;
  while (end !== undefined && end < last && kindAt(end) === kind) end = symbols.mappingsAround(end).after;
  return {
    start: start !== undefined && start > first ? start : first,
    end: end !== undefined && end < last ? end : last,
    kind,
  };
}
