/**
 * What has to be loaded before an extension, when F5 has no launch.json to say it: the extensions of the workspace that
 * export what it imports and the base image does not have, and what those need in turn. Providers come first.
 */
import { describeBaseExport } from './base-exports';
import type { ExtensionFile } from './elf-search';
import { describeFile } from './extension-description';
import { parentOf } from './workspace-files';

export function loadOrder(file: ExtensionFile, all: readonly ExtensionFile[]): ExtensionFile[] {
  const order: ExtensionFile[] = [];
  const visited = new Set<string>();
  const visit = (current: ExtensionFile): void => {
    const key = current.loaded.uri.toString();
    if (visited.has(key)) return;
    visited.add(key);
    for (const name of describeFile(current).imports) {
      const provider = describeBaseExport(name) === undefined ? providerOf(name, current, all) : undefined;
      if (provider !== undefined) visit(provider);
    }
    order.push(current);
  };
  visit(file);
  return order;
}

/** The extension that exports the name; one in the same folder wins over others. */
function providerOf(name: string, importer: ExtensionFile, all: readonly ExtensionFile[]): ExtensionFile | undefined {
  const providers = all.filter(
    (file) =>
      file.loaded.uri.toString() !== importer.loaded.uri.toString() &&
      describeFile(file).exports.some((symbol) => symbol.name === name),
  );
  const folder = parentOf(importer.loaded.uri).toString();
  return providers.find(({ loaded }) => parentOf(loaded.uri).toString() === folder) ?? providers.at(0);
}
