/** The setting llext.base -> a path or URI: VS Code substitutes variables in launch.json, but not in settings. */

export interface NamedFolder {
  readonly name: string;
  /** Path on disk, or URI. */
  readonly path: string;
}

const isAbsolute = (path: string): boolean => /^([A-Za-z][A-Za-z0-9+.-]+:|[\\/]|[A-Za-z]:[\\/])/.test(path);

/** undefined: the setting is empty. Throws RangeError with what is wrong for a variable that means nothing here. */
export function resolveBaseSetting(setting: string, folders: readonly NamedFolder[]): string | undefined {
  const text = setting.trim();
  if (text === '') return undefined;
  const substituted = text.replace(/\$\{([^}]*)\}/g, (variable: string, name: string) => {
    const folder = folderOf(name, folders);
    if (folder === undefined) {
      throw new RangeError(
        `llext.base: ${variable} means nothing here; use \${workspaceFolder} or \${workspaceFolder:NAME}`,
      );
    }
    return folder.path;
  });
  const [first] = folders;
  if (isAbsolute(substituted) || first === undefined) return substituted;
  return `${first.path.replace(/[\\/]$/, '')}/${substituted}`;
}

function folderOf(variable: string, folders: readonly NamedFolder[]): NamedFolder | undefined {
  if (variable === 'workspaceFolder') return folders.at(0);
  const name = /^workspaceFolder:(.+)$/.exec(variable)?.[1];
  return folders.find((folder) => folder.name === name);
}
