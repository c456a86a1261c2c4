/** The requests of lib/protocol.ts: what is loaded, for the sidebar, and what a name stands for, for hovers. */
import { hex } from '../lib/bytes';
import type { SourcePosition } from '../lib/dwarf/model';
import { SHN_UNDEF } from '../lib/elf/constants';
import { baseExports, findBaseExport } from '../lib/kernel/base-image';
import type {
  ExtensionDescription,
  ExtensionsResponse,
  RegionDescription,
  SymbolArguments,
  SymbolDescription,
  SymbolResponse,
} from '../lib/protocol';
import { errors } from './errors';
import { globalText } from './expression-context';
import type { LoadedExtension } from './inferior';
import type { SessionState } from './session-state';

export function extensions(session: SessionState): ExtensionsResponse {
  return describeExtensions(session);
}

export function describeExtensions(session: SessionState): ExtensionsResponse {
  const loaded = session.inferior?.extensions ?? [];
  const names = new Map(loaded.map(({ instance }) => [instance.address, instance.name]));
  return {
    extensions: loaded.map((extension) => describeExtension(session, extension, names)),
    baseImage: {
      name: 'built-in base image',
      exports: baseExports.map(({ name, kind, address, size, signature }) => ({
        name,
        kind,
        address: hex(address, 8),
        size,
        section: undefined,
        type: signature,
        source: undefined,
      })),
    },
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
  const variable = debug?.globals().find((candidate) => candidate.name === name);
  if (variable !== undefined) {
    return { kind: 'object', type: variable.type.displayName, declaration: variable.declaration };
  }
  const found = debug?.functions().find((candidate) => candidate.name === name);
  if (found === undefined) return { kind: 'notype', type: undefined, declaration: undefined };
  const parameters = found.scope.variables.filter(({ isParameter }) => isParameter);
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
    const address = loaded.program.symbolNamed(args.name);
    if (address === undefined) continue;
    const description = describeSymbol(session, loaded, args.name, address);
    const value = description.kind === 'object' ? await globalText(inferior, loaded, args.name) : undefined;
    return { kind: 'extension', extension: loaded.instance.name, symbol: description, value };
  }
  const base = findBaseExport(args.name);
  if (base !== undefined) {
    const { name, kind, address, size, signature } = base;
    const described = {
      name,
      kind,
      address: hex(address, 8),
      size,
      section: undefined,
      type: signature,
      source: undefined,
    };
    return { kind: 'base-image', extension: undefined, symbol: described, value: undefined };
  }
  const importer = inferior.extensions.find((loaded) => importsOf(loaded).includes(args.name));
  const kind = importer === undefined ? 'unknown' : 'unresolved';
  return { kind, extension: importer?.instance.name, symbol: undefined, value: undefined };
}
