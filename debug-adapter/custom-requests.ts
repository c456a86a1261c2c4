/** The requests of lib/protocol.ts: what is loaded, for the sidebar, and what a name stands for, for hovers. */
import { hex } from '../lib/bytes';
import type { SourcePosition } from '../lib/dwarf/model';
import { EM_ARM, SHN_UNDEF } from '../lib/elf/constants';
import { baseExports, findBaseExport, type BaseSymbol } from '../lib/kernel/base-image';
import { linkageNameOf } from '../lib/program/function-locations';
import type {
  ExtensionDescription,
  ExtensionsResponse,
  RegionDescription,
  SymbolArguments,
  SymbolDescription,
  SymbolResponse,
} from '../lib/protocol';
import type { SessionBase } from './base-image';
import { errors } from './errors';
import { globalText } from './expression-context';
import type { Inferior, LoadedExtension } from './inferior';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';

export function extensions(session: SessionState): ExtensionsResponse {
  return describeExtensions(session);
}

export function describeExtensions(session: SessionState): ExtensionsResponse {
  const loaded = session.inferior?.extensions ?? [];
  const names = new Map(loaded.map(({ instance }) => [instance.address, instance.name]));
  return {
    extensions: loaded.map((extension) => describeExtension(session, extension, names)),
    baseImage:
      session.base === undefined
        ? { name: 'built-in base image', exports: baseExports.map(describeBuiltIn) }
        : { name: `base image ${baseName(session.base.path)}`, exports: describeExports(session.base) },
  };
}

function describeBuiltIn({ name, kind, address, size, signature }: BaseSymbol): SymbolDescription {
  return { name, kind, address: hex(address, 8), size, section: undefined, type: signature, source: undefined };
}

/** What the image exports; a name that is not in its build has no address. */
function describeExports(base: SessionBase): SymbolDescription[] {
  return base.description.exports.map((entry) => {
    const name = entry.name ?? `SLID ${hex(entry.slid ?? 0n, 8)}`;
    return describeExport(base, name, entry.address ?? 0n);
  });
}

function describeExport({ elf, program, description }: SessionBase, name: string, value: bigint): SymbolDescription {
  const section = program.sectionAt(value & ~1n);
  const isCode = section?.executable === true;
  const address = isCode && elf.header.e_machine === EM_ARM ? value & ~1n : value;
  const symbol = program.symbolAt(address)?.symbol;
  return {
    name,
    kind: value === 0n ? 'notype' : isCode ? 'function' : 'object',
    address: value === 0n ? undefined : hex(address, 8),
    size: symbol?.size,
    section: section?.name,
    type: description.declarationOf(name),
    source: undefined,
  };
}

function describeExtension(
  session: SessionState,
  loaded: LoadedExtension,
  names: ReadonlyMap<bigint, string>,
): ExtensionDescription {
  const { file, instance, handle } = loaded;
  const { program, debugElf } = { ...file.config, debugElf: file.debugPath };
  const extension = handle?.extension;
  return {
    id: loaded.id,
    name: instance.name,
    program,
    debugElf: debugElf === program ? undefined : debugElf,
    address: hex(instance.address, 8),
    useCount: extension?.useCount,
    allocSize: extension === undefined ? undefined : Number(extension.allocSize),
    regions: regionsOf(loaded),
    exports: (extension?.expTab.symbols ?? []).map(({ name, address }) =>
      describeSymbol(session, loaded, name, address),
    ),
    imports: importsOf(loaded),
    dependencies: (extension?.dependency ?? []).map((address) => names.get(address) ?? hex(address, 8)),
    problem: undefined,
  };
}

function regionsOf({ handle }: LoadedExtension): RegionDescription[] {
  if (handle === undefined) return [];
  const { mem, memSize, memOnHeap, sections, regionNames } = handle.extension;
  return regionNames.flatMap((name, index) => {
    if (memSize[index] === 0n) return [];
    const inRegion = sections.filter(({ region }) => region === name);
    return [
      {
        name,
        address: hex(mem[index], 8),
        size: Number(memSize[index]),
        storage: memOnHeap[index] ? ('heap' as const) : ('file' as const),
        sections: inRegion.map((section) => ({
          index: section.index,
          name: section.name,
          address: hex(section.address, 8),
          size: section.size,
        })),
      },
    ];
  });
}

function importsOf({ file }: LoadedExtension): string[] {
  const undefinedSymbols = file.elf.symbols().filter(({ st_shndx, name }) => st_shndx === SHN_UNDEF && name !== '');
  return [...new Set(undefinedSymbols.map(({ name }) => name))].sort();
}

function describeSymbol(
  session: SessionState,
  { file, program }: LoadedExtension,
  name: string,
  address: bigint,
): SymbolDescription {
  const symbols = program.program.symbols.filter((candidate) => candidate.name === name);
  const symbol = symbols.find((candidate) => program.toLoad(candidate.address) === (address & ~1n)) ?? symbols.at(0);
  const section = symbol && file.elf.sections.at(symbol.section);
  const { type, declaration, kind } = declarationOf({ program }, name);
  const path = declaration && session.sourcePaths?.known(declaration.file);
  return {
    name,
    // clang gives statics of a file no type; its debug information knows.
    kind: symbol === undefined || symbol.kind === 'notype' ? kind : symbol.kind,
    address: hex(address & ~1n, 8),
    size: symbol?.size,
    section: section?.name,
    type,
    source: declaration && { path: path ?? declaration.file.path, line: declaration.line },
  };
}

function declarationOf(
  { program }: Pick<LoadedExtension, 'program'>,
  name: string,
): {
  readonly kind: SymbolDescription['kind'];
  readonly type: string | undefined;
  readonly declaration: SourcePosition | undefined;
} {
  const debug = program.program.debug;
  const variable = debug?.globalsNamed(name).at(0);
  if (variable !== undefined) {
    return { kind: 'object', type: variable.type.displayName, declaration: variable.declaration };
  }
  const found = debug?.functionsNamed(name).at(0);
  if (found === undefined) return { kind: 'notype', type: undefined, declaration: undefined };
  const parameters = found.scope.variables.filter(({ isParameter, artificial }) => isParameter && !artificial);
  const list = parameters.map((parameter) => parameter.type.displayName).join(', ');
  return {
    kind: 'function',
    type: `${found.returnType.displayName} (${list || 'void'})`,
    declaration: found.declaration,
  };
}

export async function symbol(session: SessionState, args: SymbolArguments): Promise<SymbolResponse> {
  if (typeof args.name !== 'string') throw errors.badArguments('llext/symbol', 'a name is needed');
  const inferior = session.requireInferior('llext/symbol');
  for (const loaded of inferior.extensions.toReversed()) {
    const name = symbolOf(loaded, args.name);
    const address = name === undefined ? undefined : loaded.program.symbolNamed(name);
    if (name === undefined || address === undefined) continue;
    const description = describeSymbol(session, loaded, name, address);
    const value = description.kind === 'object' ? await globalText(inferior, loaded, name) : undefined;
    return { kind: 'extension', extension: loaded.instance.name, symbol: description, value };
  }
  const base = await baseSymbol(session, inferior, args.name);
  if (base !== undefined) return base;
  const importer = inferior.extensions.find((loaded) => importsOf(loaded).includes(args.name));
  const kind = importer === undefined ? 'unknown' : 'unresolved';
  return { kind, extension: importer?.instance.name, symbol: undefined, value: undefined };
}

/** What the linker calls a name of the source. */
function symbolOf({ program }: LoadedExtension, name: string): string | undefined {
  if (program.symbolNamed(name) !== undefined) return name;
  return linkageNameOf(program.program, name);
}

/** An export of the base image, with its value when it is data of a real one. */
async function baseSymbol(
  { base }: SessionState,
  inferior: Inferior,
  name: string,
): Promise<SymbolResponse | undefined> {
  if (base === undefined) {
    const found = findBaseExport(name);
    return found && { kind: 'base-image', extension: undefined, symbol: describeBuiltIn(found), value: undefined };
  }
  const found = base.description.exports.find((entry) => entry.name === name);
  if (found?.address === undefined || found.address === 0n) return undefined;
  const described = describeExport(base, name, found.address);
  const value = described.kind === 'object' ? await globalText(inferior, base, name) : undefined;
  return { kind: 'base-image', extension: undefined, symbol: described, value };
}
