/**
 * From F5 to a complete launch configuration. Without launch.json the file in front decides: an extension ELF is the
 * program, a debug ELF stands for the one that it belongs to, and for a C file it is the ELF whose line table names it.
 * With launch.json the missing attributes are filled in and paths made absolute, so that the adapter needs no workspace.
 */
import * as vscode from 'vscode';
import { cpus, findCpu } from '../lib/arch';
import { isBroken, type ElfCache } from './elf-cache';
import { extensionsOfSource, findExtensions, loadedFileOf, type ExtensionFile } from './elf-search';
import { loadOrder } from './load-order';
import { displayFolder, displayPath } from './source-locator';
import type { WorkspaceBase } from './workspace-base';
import { baseName, exists, fromUri, parentOf, resolvePath } from './workspace-files';

export const debugType = 'llext';
const elfName = /\.(llext|elf|o|obj)$/i;
const buildAdvice =
  'Build one with add_llext_target() in Zephyr, or with arm-none-eabi-gcc -g -c -mcpu=cortex-m3 -mthumb -mlong-calls.';

/** A mistake in the configuration or the workspace, told to the user in place of a session. */
class ConfigurationError extends Error {
  constructor(
    message: string,
    /** True when launch.json is where it is mended. */
    readonly inLaunchJson: boolean,
  ) {
    super(message);
  }
}

interface ExtensionEntry {
  program: string;
  debugElf?: string;
  name?: string;
}

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  constructor(
    private readonly cache: ElfCache,
    private readonly workspaceBase: WorkspaceBase,
  ) {}

  /** An empty configuration is F5 without launch.json. */
  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined | null> {
    const empty = !configuration.type && !configuration.request && !configuration.name;
    if (!empty) return withDefaults(configuration);
    return reportErrors(undefined, async () => {
      const file = activeFile();
      if (file === undefined) return this.chooseProgram(folder);
      return this.configurationFor(file);
    });
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined | null> {
    return reportErrors(folder, () => this.checked(folder?.uri, configuration));
  }

  /** The list behind "Select and Start Debugging" > LLEXT: one for each extension of the workspace. */
  async provideDebugConfigurations(): Promise<vscode.DebugConfiguration[]> {
    const { files } = await findExtensions(this.cache);
    return files.map((file) => configurationOf(file, files));
  }

  /** What F5 does with this file in front; undefined when a pick was cancelled. */
  async configurationFor(file: vscode.Uri): Promise<vscode.DebugConfiguration | undefined> {
    if (elfName.test(file.path)) return this.configurationForElf(file);
    const found = await extensionsOfSource(this.cache, file);
    if (found.length === 0) throw await this.nothingNames(file);
    const chosen = found.length === 1 ? found[0] : await pickExtension(found, `${baseName(file)} is part of several`);
    return chosen && this.withProviders(chosen);
  }

  /** The same for commands: what is wrong is shown. */
  configurationOrMessage(file: vscode.Uri): Promise<vscode.DebugConfiguration | undefined | null> {
    return reportErrors(undefined, () => this.configurationFor(file));
  }

  private async configurationForElf(file: vscode.Uri): Promise<vscode.DebugConfiguration> {
    const loaded = await loadedFileOf(file);
    const entry = await this.cache.get(loaded ?? file);
    if (isBroken(entry)) throw new ConfigurationError(`${baseName(entry.uri)} cannot be read: ${entry.problem}`, false);
    if (loaded === undefined) return this.withProviders({ loaded: entry, debug: undefined });
    const debug = await this.cache.get(file);
    return this.withProviders({ loaded: entry, debug: isBroken(debug) ? undefined : debug });
  }

  private async nothingNames(file: vscode.Uri): Promise<ConfigurationError> {
    const { files } = await findExtensions(this.cache);
    if (files.length === 0) {
      return new ConfigurationError(`There is no extension ELF in this workspace. ${buildAdvice}`, false);
    }
    const names = files.map(({ loaded }) => baseName(loaded.uri)).join(', ');
    return new ConfigurationError(
      `No extension ELF of this workspace was compiled from ${baseName(file)} with debug information ` +
        `(looked at ${names}). ${buildAdvice}`,
      false,
    );
  }

  private async chooseProgram(
    folder: vscode.WorkspaceFolder | undefined,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const { files } = await findExtensions(this.cache);
    const inFolder = files.filter(({ loaded }) => folder === undefined || loaded.uri.path.startsWith(folder.uri.path));
    if (inFolder.length === 0) {
      throw new ConfigurationError(`There is no extension ELF in this workspace. ${buildAdvice}`, false);
    }
    const chosen = inFolder.length === 1 ? inFolder[0] : await pickExtension(inFolder, 'Extension to debug');
    return chosen && configurationOf(chosen, files);
  }

  private async withProviders(file: ExtensionFile): Promise<vscode.DebugConfiguration> {
    const { files } = await findExtensions(this.cache);
    return configurationOf(file, files);
  }

  private async checked(
    folder: vscode.Uri | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration> {
    if (configuration.request === 'attach') return attachable(configuration);
    const { program, extensions, cpu } = configuration;
    if (cpu !== undefined && findCpu(String(cpu)) === undefined) {
      const names = cpus.map(({ name }) => name).join(', ');
      throw new ConfigurationError(`"cpu": ${JSON.stringify(cpu)} is not one of ${names}.`, true);
    }
    const resolved = {
      ...configuration,
      ...unicornPathOf(configuration),
      ...(await this.checkedBase(folder, configuration.base)),
      workspaceFolders: workspaceFolders(),
    };
    if (typeof configuration.replay === 'string') {
      return { ...resolved, replay: fromUri(resolvePath(configuration.replay, folder)) };
    }
    if (program !== undefined) {
      const entry = await this.checkedEntry(folder, { program, debugElf: configuration.debugElf }, 'program');
      return { ...resolved, ...entry };
    }
    if (!Array.isArray(extensions) || extensions.length === 0) {
      throw new ConfigurationError('Say what to debug: "program", or "extensions" for several files.', true);
    }
    const entries = extensions.map((entry: unknown, i) =>
      this.checkedEntry(folder, asEntry(entry, i), `extensions[${i}]`),
    );
    return { ...resolved, extensions: await Promise.all(entries) };
  }

  /** Absolute paths of files that exist and are ELF files. */
  private async checkedEntry(folder: vscode.Uri | undefined, entry: ExtensionEntry, where: string) {
    if (typeof entry.program !== 'string' || entry.program.trim() === '') {
      throw new ConfigurationError(`"${where}" must be the path of an extension's ELF file.`, true);
    }
    const program = await this.checkedElf(resolvePath(entry.program, folder), where);
    if (entry.debugElf === undefined || entry.debugElf === '') return { ...entry, program };
    return { ...entry, program, debugElf: await this.checkedElf(resolvePath(entry.debugElf, folder), 'debugElf') };
  }

  /** The configuration's base image, else that of the setting llext.base. */
  private async checkedBase(folder: vscode.Uri | undefined, base: unknown): Promise<{ base?: string }> {
    if (base === undefined || base === '') {
      const path = await this.workspaceBase.sessionBase();
      return path === undefined ? {} : { base: path };
    }
    if (typeof base !== 'string') throw new ConfigurationError('"base" must be the path of a zephyr.elf.', true);
    const uri = resolvePath(base, folder);
    if (!(await exists(uri))) {
      throw new ConfigurationError(
        `"base": ${displayPath(uri)} does not exist. Build the firmware, or remove "base" to use the built-in base image.`,
        true,
      );
    }
    return { base: fromUri(uri) };
  }

  private async checkedElf(uri: vscode.Uri, where: string): Promise<string> {
    if (!(await exists(uri))) {
      const near = await namesBeside(uri);
      const hint = near.length > 0 ? ` Beside it are ${near.join(', ')}.` : '';
      throw new ConfigurationError(`"${where}": ${displayPath(uri)} does not exist.${hint}`, true);
    }
    const entry = await this.cache.get(uri);
    if (isBroken(entry)) throw new ConfigurationError(`"${where}": ${displayPath(uri)}: ${entry.problem}`, true);
    return fromUri(uri);
  }
}

/** `F5` and the run button see the text editor; a binary file has only a tab. */
export function activeFile(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const tab = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
  const file = vscode.window.activeTextEditor?.document.uri ?? tab;
  if (file === undefined) return undefined;
  return elfName.test(file.path) || /\.(c|cc|cpp|cxx|h|hpp|s|S)$/.test(file.path) ? file : undefined;
}

export async function pickExtension(
  files: readonly ExtensionFile[],
  title: string,
): Promise<ExtensionFile | undefined> {
  const items = files.map((file) => ({
    label: baseName(file.loaded.uri),
    description: displayFolder(file.loaded.uri),
    file,
  }));
  return (await vscode.window.showQuickPick(items, { title, placeHolder: 'Extension ELF', matchOnDescription: true }))
    ?.file;
}

/** `all`: the extensions of the workspace, among which are those that this one imports from. */
function configurationOf(file: ExtensionFile, all: readonly ExtensionFile[]): vscode.DebugConfiguration {
  const order = loadOrder(file, all).map(({ loaded, debug }): ExtensionEntry => ({
    program: fromUri(loaded.uri),
    ...(debug === undefined ? {} : { debugElf: fromUri(debug.uri) }),
  }));
  return withDefaults({
    type: debugType,
    request: 'launch',
    name: `Debug ${baseName(file.loaded.uri)}`,
    ...(order.length === 1 ? order[0] : { extensions: order }),
  });
}

function withDefaults(configuration: vscode.DebugConfiguration): vscode.DebugConfiguration {
  return {
    ...configuration,
    name: configuration.name || 'Debug LLEXT',
    stopOnEntry: configuration.stopOnEntry ?? false,
    internalConsoleOptions: configuration.internalConsoleOptions ?? 'openOnSessionStart',
  };
}

/** VS Code connects to the server itself; the adapter says whether the target is there. */
function attachable(configuration: vscode.DebugConfiguration): vscode.DebugConfiguration {
  if (typeof configuration.debugServer === 'number') return configuration;
  throw new ConfigurationError(
    'Say where the target was left: "debugServer" is the port that `llext dap --port` listens on.',
    true,
  );
}

function workspaceFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).map((folder) => fromUri(folder.uri));
}

function asEntry(entry: unknown, index: number): ExtensionEntry {
  if (typeof entry === 'string') return { program: entry };
  if (typeof entry === 'object' && entry !== null && 'program' in entry) return entry as ExtensionEntry;
  throw new ConfigurationError(`"extensions[${index}]" must be a path, or an object with "program".`, true);
}

/** ELF files in the same folder, for a misspelled name. */
async function namesBeside(uri: vscode.Uri): Promise<string[]> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(parentOf(uri));
    return entries.map(([name]) => name).filter((name) => elfName.test(name));
  } catch {
    return [];
  }
}

async function reportErrors(
  folder: vscode.WorkspaceFolder | undefined,
  resolve: () => Promise<vscode.DebugConfiguration | undefined>,
): Promise<vscode.DebugConfiguration | undefined | null> {
  try {
    return await resolve();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const open = 'Open launch.json';
    const actions = error.inLaunchJson && folder !== undefined ? [open] : [];
    const message = error.message;
    // Not awaited: a session that does not start must not wait until the message is closed.
    void vscode.window.showErrorMessage(message, ...actions).then(async (action) => {
      if (action === open && folder !== undefined) await openLaunchJson(folder);
    });
    return undefined;
  }
}

async function openLaunchJson(folder: vscode.WorkspaceFolder): Promise<void> {
  const uri = vscode.Uri.joinPath(folder.uri, '.vscode', 'launch.json');
  if (await exists(uri)) await vscode.window.showTextDocument(uri);
}

/** For the command behind ${command:pickProgram} and the palette. */
export async function pickProgram(cache: ElfCache): Promise<string | undefined> {
  const { files } = await findExtensions(cache);
  if (files.length === 0) {
    void vscode.window.showErrorMessage(`There is no extension ELF in this workspace. ${buildAdvice}`);
    return undefined;
  }
  const chosen = await pickExtension(files, 'Extension to debug');
  return chosen && fromUri(chosen.loaded.uri);
}

/** The setting, where the configuration wants Unicorn and does not say which. */
function unicornPathOf({ engine, unicornPath }: vscode.DebugConfiguration): { unicornPath?: string } {
  const setting = vscode.workspace.getConfiguration('llext').get<string>('unicornPath', '').trim();
  return engine === 'unicorn' && unicornPath === undefined && setting !== '' ? { unicornPath: setting } : {};
}
