/**
 * Memory as a listing of code: runs of one kind between boundaries that do not depend on where a request begins, so
 * that addresses in a disassembly stay the same however a client scrolls. In extensions the boundaries are symbols,
 * mapping symbols (code or literal pool) and sections; elsewhere, functions of the base image and pages.
 */
import type { RunKind } from '../lib/program/code-runs';
import { type Inferior, loadedSections } from './inferior';

/** start <= address < end, all of one kind. */
export interface CodeRun {
  readonly start: bigint;
  readonly end: bigint;
  readonly kind: RunKind | 'unmapped';
}

const page = 4096n;
const addressSpace = 2n ** 32n;

export async function runAt(inferior: Inferior, address: bigint): Promise<CodeRun | undefined> {
  if (address < 0n || address >= addressSpace) return undefined;
  const { unreadable } = await inferior.target.readMemory(address, 1);
  const start = address - (address % page);
  if (unreadable > 0) return { start, end: start + page, kind: 'unmapped' };
  const extension = inferior.extensionAt(address);
  if (extension !== undefined) return extension.program.codeRunAt(address);
  const image = inferior.base?.program.codeRunAt(address);
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
