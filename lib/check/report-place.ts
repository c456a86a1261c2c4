/** Source places as paths: what a compiler wrote, joined with its folder; relative ones count from the ELF's folder. */
import type { SourceFile } from '../dwarf/model';

const absolute = /^(?:[\\/]|[A-Za-z]:[\\/])/;

/** Absolute, or relative to the ELF's folder. */
export function sourcePath({ path, compilationDirectory }: SourceFile): string {
  if (absolute.test(path) || compilationDirectory === undefined) return path;
  return `${compilationDirectory}/${path}`.replace(/^(\.\/)+/, '');
}

/** Absolute, or relative to where `elf` is. */
export function sourcePathFrom(elf: string, file: SourceFile): string {
  const path = sourcePath(file);
  const folder = /^.*[\\/]/.exec(elf)?.[0] ?? '';
  return absolute.test(path) ? path : normalized(folder + path);
}

function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split(/[\\/]/)) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/');
}
