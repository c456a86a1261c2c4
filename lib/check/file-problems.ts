/** What is wrong with one file whatever base image loads it: for its overview, for `inspect`, and for a refused launch. */
import type { ElfFile } from '../elf/elf-file';
import { checkFiles } from './check';
import type { Finding } from './finding';
import type { FindingCode } from './rules';

export function fileProblems(elf: ElfFile): readonly Finding<FindingCode>[] {
  const [{ findings }] = checkFiles([{ file: '', bytes: elf.bytes, name: 'file' }]).files;
  return findings.filter(({ severity }) => severity !== 'note');
}

/** 'what is wrong: what to do' */
export function problemText({ message, fix }: Finding): string {
  return `${message}: ${fix}`;
}
