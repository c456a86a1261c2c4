/**
 * Memory as a listing of code: runs of one kind between boundaries that do not depend on where a request begins, so
 * that addresses in a disassembly stay the same however a client scrolls. In extensions the boundaries are symbols,
 * mapping symbols (code or literal pool) and sections; elsewhere, functions of the base image and pages.
 */
import { type Inferior, type LoadedModule, loadedSections } from './inferior';

export type RunKind = 'code' | 'data' | 'unmapped';

/** start <= address < end, all of one kind. */
export interface CodeRun {
  readonly start: bigint;
  readonly end: bigint;
  readonly kind: RunKind;
}

const page = 4096n;
const addressSpace = 2n ** 32n;

export async function runAt(inferior: Inferior, address: bigint): Promise<CodeRun | undefined> {
  if (address < 0n || address >= addressSpace) return undefined;
  const { unreadable } = await inferior.target.readMemory(address, 1);
  const start = address - (address % page);
  if (unreadable > 0) return { start, end: start + page, kind: 'unmapped' };
  const extension = inferior.extensionAt(address);
  if (extension !== undefined) return moduleRun(extension, address);
  const image = inferior.base && moduleRun(inferior.base, address);
  if (image !== undefined) return clipToExtensions(inferior, address, image);
  return clipToExtensions(inferior, address, hostRun(inferior, address) ?? { start, end: start + page, kind: 'code' });
}

/** A function of the base image has a slot; its instructions are the host's. */
function hostRun(inferior: Inferior, address: bigint): CodeRun | undefined {
  const host = inferior.target.hostSymbol(address);
  if (host === undefined) return undefined;
  const start = address - BigInt(host.offset);
  let end = address + 2n;
  while (end < start + page && inferior.target.hostSymbol(end)?.name === host.name) end += 2n;
  return { start, end, kind: 'data' };
}

function clipToExtensions(inferior: Inferior, address: bigint, run: CodeRun): CodeRun {
  let { start, end } = run;
  for (const extension of inferior.extensions) {
    for (const section of loadedSections(extension)) {
      const last = section.address + BigInt(section.size);
      if (section.address > address && section.address < end) end = section.address;
      if (last <= address && last > start) start = last;
    }
  }
  return { ...run, start, end };
}

function moduleRun(module: Pick<LoadedModule, 'program'>, address: bigint): CodeRun | undefined {
  const { program } = module;
  const holds = (start: bigint, size: number): boolean => address >= start && address < start + BigInt(size);
  const section = loadedSections(module).find((candidate) => holds(candidate.address, candidate.size));
  if (section === undefined) return undefined;
  let start = section.address;
  let end = section.address + BigInt(section.size);
  for (const symbol of program.program.symbols) {
    const at = symbol.section === section.index ? program.toLoad(symbol.address) : undefined;
    if (at === undefined) continue;
    if (at <= address && at > start) start = at;
    if (at > address && at < end) end = at;
  }
  const kindAt = (at: bigint): RunKind => {
    const kind = program.codeKindAt(at);
    if (kind === undefined) return section.executable ? 'code' : 'data';
    return kind === 'data' ? 'data' : 'code';
  };
  const kind = kindAt(address);
  const even = address & ~1n;
  // Mapping symbols are at even addresses.
  let first = even;
  while (first - 2n >= start && kindAt(first - 2n) === kind) first -= 2n;
  let last = even + 2n;
  while (last < end && kindAt(last) === kind) last += 2n;
  return { start: first < start ? start : first, end: last > end ? end : last, kind };
}
