/**
 * The imports of an ELF that nothing provides, each with the nearest names that are known. Zephyr's loader stops at
 * the first; here the user sees all of them at once. Weak undefined symbols count: the loader refuses them too.
 */
import type { ElfFile } from '../elf/elf-file';
import { importedNames } from '../llext/inspect';
import type { LlextSubsystem } from '../llext/llext';

export interface MissingImport {
  readonly name: string;
  /** Known names that differ least, best first; none when all differ much. */
  readonly nearest: readonly string[];
}

const MAX_SUGGESTIONS = 3;

/** Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, beforeLast[j - 2] + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

export function nearestNames(name: string, known: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate);
}

export function missingImports(elf: ElfFile, llext: LlextSubsystem, knownNames: readonly string[]): MissingImport[] {
  const names = importedNames(elf).filter((name) => name !== '' && !llext.canImport(name));
  const exported = llext.extensions().flatMap(({ expTab }) => expTab.symbols.map(({ name }) => name));
  const known = [...new Set([...knownNames, ...exported])];
  return names.sort().map((name) => ({ name, nearest: nearestNames(name, known) }));
}
