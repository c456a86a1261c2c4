/**
 * What a file alone says about an extension, in the same form as a session's report (lib/protocol.ts): regions as the
 * loader would make them, exported symbols, imports and what would satisfy them. Addresses are those of loaded code,
 * so there are none; a symbol's place is its section and the offset into it.
 */
import { hex } from '../lib/bytes';
import { spellType } from '../lib/dwarf/type-name';
import { fileProblems, problemText } from '../lib/check/file-problems';
import type { ElfFile } from '../lib/elf/elf-file';
import { inspectRegions, type Inspection } from '../lib/llext/inspect';
import type { ExtensionDescription, RegionDescription, SymbolDescription } from '../lib/protocol';
import { linkageNameOf } from '../lib/program/function-locations';
import type { Program } from '../lib/program/program';
import { describeBaseExport } from './base-exports';
import { programOf, type ElfEntry } from './elf-cache';
import type { ExtensionFile } from './elf-search';
import { ElfSymbols, type PlacedSymbol } from './elf-symbols';
import { messageOf } from './log';
import { writtenPath } from './source-locator';
import type { ImportResolution } from './tree-node';
import { baseName, fromUri } from './workspace-files';

const described = new WeakMap<ElfEntry, { debug: ElfEntry | undefined; description: ExtensionDescription }>();

export function describeFile(file: ExtensionFile): ExtensionDescription {
  const known = described.get(file.loaded);
  if (known !== undefined && known.debug === file.debug) return known.description;
  const description = describe(file);
  described.set(file.loaded, { debug: file.debug, description });
  return description;
}

function describe(file: ExtensionFile): ExtensionDescription {
  const { uri, elf } = file.loaded;
  const nothing = { regions: [], exports: [], imports: [], dependencies: [] };
  const head = {
    id: 0,
    name: baseName(uri).replace(/\.[^.]*$/, ''),
    program: fromUri(uri),
    debugElf: file.debug === undefined ? undefined : fromUri(file.debug.uri),
    address: undefined,
    useCount: undefined,
    allocSize: undefined,
  };
  try {
    const inspected = inspectRegions(elf);
    const regions = inspected.regions.map(({ name, size, sections }): RegionDescription => ({
      name,
      address: undefined,
      size,
      storage: undefined,
      sections: sections.map((section) => ({ ...section, address: undefined })),
    }));
    const names = new Set(inspected.exports.map(({ name }) => name));
    const exports = [...names].map((name) => describeSymbol(file, name) ?? undescribed(name));
    return {
      ...head,
      ...nothing,
      regions,
      exports,
      imports: [...inspected.imports].sort(),
      problem: refusal(elf, inspected),
    };
  } catch (error) {
    return { ...head, ...nothing, problem: messageOf(error) };
  }
}

/** Why llext_load refuses the file, with all that is wrong and not only what it meets first. */
function refusal(elf: ElfFile, { problem }: Inspection): string | undefined {
  if (problem === undefined) return undefined;
  const errors = fileProblems(elf).filter(
    ({ severity, message }) => severity === 'error' && !message.includes(problem),
  );
  return [problem, ...errors.map(problemText)].join('; ');
}

/** An export whose definition has no symbol table entry. */
function undescribed(name: string): SymbolDescription {
  return {
    name,
    kind: 'notype',
    address: undefined,
    size: undefined,
    section: undefined,
    type: undefined,
    source: undefined,
  };
}

/**
 * A function or variable that the file defines, local ones included. Its source is as the compiler wrote it. A name of C++
 * source stands for the one symbol that is made of it; of overloads none is chosen.
 */
export function describeSymbol(file: ExtensionFile, written: string): SymbolDescription | undefined {
  const { loaded, debug } = file;
  const program = programOf(loaded, debug);
  const found = symbolOf(file, written) ?? symbolOf(file, linkageNameOf(program, written));
  if (found === undefined) return undefined;
  const { name } = found;
  const section = (debug ?? loaded).elf.sections[found.section]?.name;
  return {
    name,
    kind: kindOf(program, found),
    address: undefined,
    size: found.size,
    section: section === undefined ? undefined : `${section}+${hex(found.offset)}`,
    type: declarationOf(program, name),
    source: sourceOf(program, name),
  };
}

function symbolOf({ loaded, debug }: ExtensionFile, name: string | undefined): PlacedSymbol | undefined {
  return name === undefined ? undefined : (findSymbol(debug ?? loaded, name) ?? findSymbol(loaded, name));
}

/** Compilers leave some symbols of static variables without a type; the debug information knows. */
function kindOf(program: Program, { name, kind }: PlacedSymbol): PlacedSymbol['kind'] {
  if (kind !== 'notype') return kind;
  if (program.debug !== undefined && program.debug.functionsNamed(name).length > 0) return 'function';
  return program.debug !== undefined && program.debug.globalsNamed(name).length > 0 ? 'object' : 'notype';
}

function findSymbol(entry: ElfEntry, name: string): PlacedSymbol | undefined {
  const symbols = new ElfSymbols(entry.elf);
  for (const { index } of entry.elf.sections) {
    const found = symbols.inSection(index).find((symbol) => symbol.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function declarationOf(program: Program, name: string): string | undefined {
  const fn = program.debug?.functionsNamed(name).at(0);
  if (fn !== undefined) {
    const parameters = fn.scope.variables.filter(({ isParameter, artificial }) => isParameter && !artificial);
    const list = parameters.map((parameter) => spellType(parameter.type, parameter.name)).join(', ');
    const linkage = fn.external ? '' : 'static ';
    return `${linkage}${spellType(fn.returnType, `${fn.name}(${list === '' ? 'void' : list})`)}`;
  }
  const variable = program.debug?.globalsNamed(name).at(0);
  if (variable === undefined) return undefined;
  return `${variable.external ? '' : 'static '}${spellType(variable.type, name)}`;
}

function sourceOf(program: Program, name: string): SymbolDescription['source'] {
  const found =
    program.debug?.functionsNamed(name).at(0)?.declaration ?? program.debug?.globalsNamed(name).at(0)?.declaration;
  return found === undefined ? undefined : { path: writtenPath(found.file), line: found.line };
}

/** Region that holds a section: '.data+0x4' -> 'DATA'. */
export function regionOf(description: ExtensionDescription, place: string | undefined): string | undefined {
  const section = place?.replace(/\+0x[0-9a-f]+$/, '');
  return description.regions.find(({ sections }) => sections.some(({ name }) => name === section))?.name;
}

/** What satisfies each import: the base image first, as the loader looks it up, then the other extensions. */
export function resolveImports(
  description: ExtensionDescription,
  others: readonly { readonly live: boolean; readonly description: ExtensionDescription }[],
): ImportResolution[] {
  return description.imports.map((name) => {
    const base = describeBaseExport(name);
    if (base !== undefined) return { ...base, by: 'base-image', extension: undefined };
    const provider = others.find(
      (other) => other.description !== description && other.description.exports.some((symbol) => symbol.name === name),
    );
    const symbol = provider?.description.exports.find((candidate) => candidate.name === name);
    return {
      name,
      by: provider === undefined ? 'nothing' : 'extension',
      extension: provider?.description.name,
      signature: symbol?.type,
      doc: undefined,
      address: symbol?.address,
    };
  });
}
