/**
 * The imports of an ELF that nothing provides, each with the nearest names that are known. Zephyr's loader stops at
 * the first; here the user sees all of them at once. Weak undefined symbols count: the loader refuses them too.
 */
import { nearestNames } from '../check/nearest-names';
import type { ElfFile } from '../elf/elf-file';
import { importedNames } from '../llext/inspect';
import type { LlextSubsystem } from '../llext/llext';

export interface MissingImport {
  readonly name: string;
  /** Known names that differ least, best first; none when all differ much. */
  readonly nearest: readonly string[];
}

export function missingImports(elf: ElfFile, llext: LlextSubsystem, knownNames: readonly string[]): MissingImport[] {
  const names = importedNames(elf).filter((name) => name !== '' && !llext.canImport(name));
  const exported = llext.extensions().flatMap(({ expTab }) => expTab.symbols.map(({ name }) => name));
  const known = [...new Set([...knownNames, ...exported])];
  return names.sort().map((name) => ({ name, nearest: nearestNames(name, known) }));
}
