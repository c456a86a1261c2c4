/**
 * What the base image of this window exports: hovers, the LLEXT view and F5 without launch.json ask here which import it
 * satisfies. One a window: the built-in image, until workspace-base.ts has read the one of the setting llext.base.
 */
import { hex } from '../lib/bytes';
import { SHF_EXECINSTR } from '../lib/elf/constants';
import type { BaseImageDescription } from '../lib/base-image/description';
import { findBaseExport } from '../lib/kernel/base-image';

export interface BaseExportFact {
  readonly name: string;
  /** C declaration; the name alone when the image does not tell. */
  readonly signature: string;
  readonly doc: string;
  readonly address: string | undefined;
}

let current: BaseImageDescription | undefined;

/** undefined: the built-in one. */
export function useBaseImage(base: BaseImageDescription | undefined): void {
  current = base;
}

export function describeBaseExport(name: string): BaseExportFact | undefined {
  return current === undefined ? builtInExport(name) : exportOf(current, name);
}

/** A name that the table has without an address is not in the build: the loader does not find it. */
function exportOf(base: BaseImageDescription, name: string): BaseExportFact | undefined {
  const found = base.exports.find((entry) => entry.name === name);
  if (found === undefined || found.address === 0n) return undefined;
  const digits = base.config.pointerSize * 2;
  return {
    name,
    signature: base.declarationOf(name) ?? findBaseExport(name)?.signature ?? name,
    doc: findBaseExport(name)?.doc ?? '',
    address: found.address === undefined ? undefined : hex(withoutThumbBit(base, found.address), digits),
  };
}

/** A function's address is that of its first instruction. */
function withoutThumbBit({ elf, machine }: BaseImageDescription, address: bigint): bigint {
  const isCode = elf?.sections.some(
    ({ sh_flags, sh_addr, sh_size }) =>
      (sh_flags & SHF_EXECINSTR) !== 0 && address >= sh_addr && address < sh_addr + BigInt(sh_size),
  );
  return machine?.arch === 'arm' && isCode === true ? address & ~1n : address;
}

function builtInExport(name: string): BaseExportFact | undefined {
  const found = findBaseExport(name);
  if (found === undefined) return undefined;
  return { name, signature: found.signature, doc: found.doc, address: hex(found.address, 8) };
}
