/** Loaded extensions as modules, and their source files. */
import { LoadedSourceEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import { clientSource } from './client-source';
import { type LoadedExtension, loadedSections } from './inferior';
import type { SessionState } from './session-state';

/** A module; `regions` is the additional column that initialize announces. */
export function describeModule(extension: LoadedExtension): DebugProtocol.Module {
  const { file, instance, program } = extension;
  const { config, debugPath } = file;
  const sections = loadedSections(extension);
  const regions = sections.map(
    ({ name, address, size }) => `${name} ${hex(address, 8)}-${hex(address + BigInt(size), 8)}`,
  );
  const start = sections.at(0)?.address ?? 0n;
  const end = sections.reduce((high, { address, size }) => {
    const last = address + BigInt(size);
    return last > high ? last : high;
  }, 0n);
  const hasDebug = program.program.debug !== undefined;
  const optimized = program.program.debug?.units.some(({ producer }) => /-O[1-3sgz]/.test(producer ?? ''));
  return {
    id: extension.id,
    name: instance.name,
    path: config.program,
    isOptimized: optimized ?? false,
    isUserCode: true,
    symbolStatus: hasDebug ? 'Symbols loaded' : 'No debug information',
    ...(hasDebug && debugPath !== undefined ? { symbolFilePath: debugPath } : {}),
    addressRange: `${hex(start, 8)}-${hex(end, 8)}`,
    ...{ regions: regions.join(', ') },
  };
}

export function modules(
  session: SessionState,
  args: DebugProtocol.ModulesArguments,
): DebugProtocol.ModulesResponse['body'] {
  const all = (session.inferior?.extensions ?? []).map(describeModule);
  const start = args.startModule ?? 0;
  const count = args.moduleCount === undefined || args.moduleCount === 0 ? all.length : args.moduleCount;
  return { modules: all.slice(start, start + count), totalModules: all.length };
}

export async function loadedSources(session: SessionState): Promise<DebugProtocol.LoadedSourcesResponse['body']> {
  const sources = new Map<string, DebugProtocol.Source>();
  const { inferior } = session;
  const extensions = (inferior?.extensions ?? []).map(({ file }) => ({
    debug: file.program.debug,
    folder: file.folder,
  }));
  const base =
    inferior?.base === undefined ? [] : [{ debug: inferior.base.program.debug, folder: inferior.base.folder }];
  for (const { debug, folder } of [...extensions, ...base]) {
    for (const source of debug?.files ?? []) {
      const path = await session.sourcePaths?.resolve(source, folder);
      if (path !== undefined) sources.set(path, clientSource(path, source));
    }
  }
  return { sources: [...sources.values()] };
}

/** Tells the client of the sources with code of an extension that was loaded or is gone. */
export function announceSources(session: SessionState, { file }: LoadedExtension, reason: 'new' | 'removed'): void {
  const others = session.inferior?.extensions.filter((one) => one.file !== file) ?? [];
  const kept = new Set(others.flatMap((one) => knownPaths(session, one)));
  for (const path of knownPaths(session, { file })) {
    if (!kept.has(path)) session.send(new LoadedSourceEvent(reason, clientSource(path)));
  }
}

function knownPaths({ sourcePaths }: SessionState, { file }: Pick<LoadedExtension, 'file'>): string[] {
  return [...new Set((file.program.debug?.files ?? []).flatMap((source) => sourcePaths?.known(source) ?? []))];
}
