/**
 * Where a breakpoint on a function goes, by gdb 13's rules (find_function_start_sal): behind its prologue, but at its
 * first instruction in optimized code of GCC and where nothing but a symbol is known; in each inlined copy too, at the
 * first instruction of the copy.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import { templateName } from '../dwarf/name-index';
import type { FunctionInfo, Scope, SourcePosition } from '../dwarf/model';
import { behindPrologue, functionBreak } from './breakpoint-locations';
import type { SymbolIndex } from './symbols';
import type { SourceLines } from './source-lines';

/** Decides by a function's name, and in C++ by the types of its parameters: `int, const Point &`. */
export interface NameTest {
  (name: string): boolean;
  readonly parameters?: string;
  /** The only name that passes: then only what has it is looked through. */
  readonly exact?: string;
}

/** A place in a function, at a link address. Without debug information nothing but the address is known. */
export interface FunctionPlace {
  readonly name: string;
  readonly address: bigint;
  readonly position: SourcePosition | undefined;
}

export function findFunctionPlaces(
  debug: DebugInfo | undefined,
  lines: SourceLines | undefined,
  symbols: SymbolIndex,
  wanted: NameTest,
): readonly FunctionPlace[] {
  const places: FunctionPlace[] = [];
  const known = new Set<bigint>();
  for (const found of debug?.functionsNear(wanted) ?? []) {
    known.add(found.entryPc);
    if (debug === undefined || lines === undefined) continue;
    if (isNamed(found, wanted) && hasParameters(found, wanted)) places.push(startOf(debug, lines, found));
    for (const { name, address } of inlinedCopies(found.scope, wanted)) {
      if (address !== undefined) places.push({ name, address, position: lines.blockAt(address) });
    }
  }
  for (const { name, address, size } of symbols.functions(wanted)) {
    // Behind the instructions of -fpatchable-function-entry, which are the symbol's but not the function's. gdb stops at both.
    const end = address + BigInt(size);
    const isKnown = [...known].some((entry) => entry >= address && (entry === address || entry < end));
    if (!isKnown) places.push({ name, address, position: lines?.blockAt(address) });
  }
  const seen = new Set<bigint>();
  return places
    .filter(({ address }) => !seen.has(address) && seen.add(address))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** The symbol of the one function of C++ that is meant by a name of its source; undefined where it has overloads. */
export function linkageNameOf(
  { debug, symbolIndex }: { readonly debug: DebugInfo | undefined; readonly symbolIndex: SymbolIndex },
  name: string,
): string | undefined {
  const found = debug?.functionsNamed(name) ?? [];
  // Compilers leave it out where the linker does not need it.
  const names = new Set(found.map((one) => one.linkageName ?? symbolIndex.at(one.entryPc, one.entryPc)?.symbol.name));
  return names.size === 1 ? [...names][0] : undefined;
}

/** A C++ function by its whole name, with or without its parameters, or by its own name alone. */
function isNamed({ name, shortName, linkageName }: FunctionInfo, wanted: NameTest): boolean {
  return (
    wanted(name) ||
    wanted(shortName) ||
    wanted(templateName(shortName)) ||
    (linkageName !== undefined && wanted(linkageName))
  );
}

function hasParameters({ scope }: FunctionInfo, { parameters }: NameTest): boolean {
  if (parameters === undefined) return true;
  const own = scope.variables.filter(({ isParameter, artificial }) => isParameter && !artificial);
  const compact = (text: string): string => text.replace(/\s+/g, '');
  return (
    compact(own.map(({ type }) => type.displayName).join(',')) === compact(parameters === 'void' ? '' : parameters)
  );
}

function startOf(debug: DebugInfo, lines: SourceLines, found: FunctionInfo): FunctionPlace {
  const { name, entryPc } = found;
  const address = functionBreak(debug, lines, found);
  // Nothing was skipped: the line table's own word counts.
  const position = address === entryPc ? lines.blockAt(address) : behindPrologue(debug, lines, address);
  return { name, address, position };
}

function* inlinedCopies(scope: Scope, wanted: NameTest): Generator<{ name: string; address: bigint | undefined }> {
  for (const child of scope.children) {
    if (child.inline !== undefined && wanted(child.inline.name)) {
      yield { name: child.inline.name, address: firstAddress(child) };
    }
    yield* inlinedCopies(child, wanted);
  }
}

/** gdb 13 goes by the ranges alone (BLOCK_ENTRY_PC), whatever DW_AT_entry_pc says. */
function firstAddress({ ranges }: Scope): bigint | undefined {
  return ranges.at(0)?.start;
}
