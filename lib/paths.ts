/**
 * Paths as strings of three kinds: POSIX ('/a/b'), Windows ('C:\a\b') and URI ('vscode-vfs://github/a/b'). The adapter
 * never asks an operating system: a file of one kind can name a source of another (compiled elsewhere, run in a
 * browser), and they are compared by their segments.
 */

const uriPrefix = /^[a-z][a-z0-9+.-]+:(\/\/[^/]*)?/i;

export function isUri(path: string): boolean {
  return uriPrefix.test(path);
}

export function isAbsolutePath(path: string): boolean {
  return isUri(path) || path.startsWith('/') || path.startsWith('\\') || /^[a-z]:[\\/]/i.test(path);
}

/** 'file:///c%3A/x' and 'C:\x' -> ['c:', 'x']; the authority of a URI counts as nothing. */
export function segmentsOf(path: string): string[] {
  const plain = isUri(path) ? decodeSafely(path.replace(uriPrefix, '').replace(/[?#].*$/, '')) : path;
  const segments: string[] = [];
  for (const part of plain.split(/[\\/]+/)) {
    if (part === '' || part === '.') continue;
    if (part === '..' && segments.length > 0 && segments[segments.length - 1] !== '..') segments.pop();
    else segments.push(part);
  }
  if (segments.length > 0 && /^[a-z]:$/i.test(segments[0])) segments[0] = segments[0].toLowerCase();
  return segments;
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function baseName(path: string): string {
  return segmentsOf(path).at(-1) ?? '';
}

/** Without the last segment and its separator; '' for a bare name. */
export function folderOf(path: string): string {
  const match = /^(.*)[\\/][^\\/]*$/.exec(path);
  if (match === null) return '';
  return match[1] === '' ? '/' : match[1];
}

/** `relative` seen from `folder`, with '.' and '..' resolved; an absolute one is returned as it is. */
export function joinPath(folder: string, relative: string): string {
  if (isAbsolutePath(relative) || folder === '') return relative;
  const prefix = uriPrefix.exec(folder)?.[0] ?? '';
  const backslashes = prefix === '' && /^[a-z]:\\|^\\\\/i.test(folder);
  const separator = backslashes ? '\\' : '/';
  const parts = prefix === '' ? relative : relative.split(/[\\/]/).map(encodeURIComponent).join('/');
  const kept: string[] = [];
  const all = `${folder.slice(prefix.length)}${separator}${parts}`;
  for (const part of all.split(/[\\/]/)) {
    if (part === '.' || (part === '' && kept.length > 0)) continue;
    if (part === '..' && kept.length > 1 && kept[kept.length - 1] !== '..') kept.pop();
    else kept.push(part);
  }
  return prefix + kept.join(separator);
}

/** Same file, whatever the spelling: separators, percent-encoding, case of a drive letter (and of all on Windows). */
export function samePath(a: string, b: string): boolean {
  const left = segmentsOf(a);
  const right = segmentsOf(b);
  if (left.length !== right.length) return false;
  const windows = /^[a-z]:$/.test(left[0] ?? '');
  return left.every((part, index) =>
    windows ? part.toLowerCase() === right[index].toLowerCase() : part === right[index],
  );
}

/** How many segments agree, counted from the end. */
export function commonSuffix(a: string, b: string): number {
  const left = segmentsOf(a);
  const right = segmentsOf(b);
  const windows = [...left, ...right].some((part) => /^[a-z]:$/.test(part));
  let count = 0;
  while (count < left.length && count < right.length) {
    const one = left[left.length - 1 - count];
    const other = right[right.length - 1 - count];
    if (windows ? one.toLowerCase() !== other.toLowerCase() : one !== other) break;
    count++;
  }
  return count;
}

/** The path with prefix `from` replaced by `to`; undefined when it does not begin with `from` (whole segments). */
export function replacePrefix(path: string, from: string, to: string): string | undefined {
  const prefix = segmentsOf(from);
  const segments = segmentsOf(path);
  if (prefix.length > segments.length) return undefined;
  if (isAbsolutePath(from) !== isAbsolutePath(path)) return undefined;
  const windows = /^[a-z]:$/.test(prefix[0] ?? '');
  const agrees = prefix.every((part, index) =>
    windows ? part.toLowerCase() === segments[index].toLowerCase() : part === segments[index],
  );
  if (!agrees) return undefined;
  const rest = segments.slice(prefix.length);
  return rest.length === 0 ? to : joinPath(to === '' ? '.' : to, rest.join('/'));
}
