/**
 * Link addresses: where debug information thinks that each allocated section is. An ET_REL has none, so its sections
 * get synthetic ones, far enough apart that no address can be taken for one of a neighbour (an end address, a pointer
 * before an array). A debug ELF is bound to the loaded one by section name: same name, same address.
 */
import { ET_REL, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NULL } from '../elf/constants';
import type { ElfFile, SectionHeader } from '../elf/elf-file';

/** An allocated section of the loaded ELF. */
export interface ProgramSection {
  /** In the loaded ELF's section header table. */
  readonly index: number;
  readonly name: string;
  /** Link address. */
  readonly address: bigint;
  readonly size: number;
  readonly executable: boolean;
  readonly writable: boolean;
}

const firstAddress = 0x10000n;
const smallestGap = 0x1000n;
/** How far from a section an address still belongs to no other. */
export const reachBeside = smallestGap / 2n;

/** Hands out addresses for the sections of an ET_REL. */
class Allocator {
  private next = firstAddress;

  place(section: SectionHeader): bigint {
    const align = BigInt(Math.max(section.sh_addralign, 1));
    // Damaged alignments and sizes must not push later sections out of the address space.
    const step =
      align > 0x10000n || (align & (align - 1n)) !== 0n ? smallestGap : align > smallestGap ? align : smallestGap;
    const address = ((this.next + step - 1n) / step) * step;
    this.next = address + BigInt(Math.min(section.sh_size, 0x1000_0000)) + smallestGap;
    return address;
  }
}

export interface LinkLayout {
  readonly sections: readonly ProgramSection[];
  /** Link address of an allocated section of the loaded or of the debug ELF, by its index there. */
  addressIn(elf: ElfFile, index: number): bigint | undefined;
  /** The section of the loaded ELF that a section of the debug ELF is bound to. */
  boundIndex(elf: ElfFile, index: number): number | undefined;
}

export function isAllocated(section: SectionHeader): boolean {
  return (section.sh_flags & SHF_ALLOC) !== 0 && section.sh_type !== SHT_NULL;
}

export function layOut(elf: ElfFile, debugElf: ElfFile | undefined): LinkLayout {
  const allocator = new Allocator();
  const placed = elf.sections.filter(isAllocated).map((section) => ({
    index: section.index,
    name: section.name,
    address: elf.header.e_type === ET_REL ? allocator.place(section) : section.sh_addr,
    size: section.sh_size,
    executable: (section.sh_flags & SHF_EXECINSTR) !== 0,
    writable: (section.sh_flags & SHF_WRITE) !== 0,
  }));
  const own = new Map(placed.map((section) => [section.index, section.address]));
  const bound = new Map<number, number>();
  const foreign = new Map<number, bigint>();
  if (debugElf !== undefined) {
    for (const section of debugElf.sections.filter(isAllocated)) {
      const twin = twinOf(section, debugElf, elf);
      if (twin !== undefined) bound.set(section.index, twin.index);
      const twinAddress = twin && own.get(twin.index);
      const ownAddress = debugElf.header.e_type === ET_REL ? undefined : section.sh_addr;
      // A section that the loaded ELF lacks gets an address of its own, which no load address maps to.
      foreign.set(section.index, ownAddress ?? twinAddress ?? allocator.place(section));
    }
  }
  return {
    sections: placed,
    addressIn: (file, index) => (file === elf ? own : foreign).get(index),
    boundIndex: (file, index) => (file === elf ? (own.has(index) ? index : undefined) : bound.get(index)),
  };
}

/** The n-th section of a name corresponds to the n-th of that name. */
function twinOf(section: SectionHeader, from: ElfFile, to: ElfFile): SectionHeader | undefined {
  const sameName = (candidate: SectionHeader): boolean => candidate.name === section.name && isAllocated(candidate);
  const rank = from.sections.filter(sameName).indexOf(section);
  return to.sections.filter(sameName)[rank];
}
