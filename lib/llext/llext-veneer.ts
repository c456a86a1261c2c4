/**
 * arch_elf_veneer_init and the stubs of arch/arm (specification 4.2.3, CONFIG_LLEXT_VENEERS): one jump through a literal
 * for each imported function that a Thumb BL or B.W cannot reach. The region has room for as many stubs as there are such
 * relocations; a stub is claimed when the first of them is out of range, and reused by all others with the same target.
 */
import {
  R_ARM_THM_CALL,
  R_ARM_THM_JUMP24,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHN_UNDEF,
  SHT_NOBITS,
  SHT_REL,
} from '../elf/constants';
import * as X from './context';
import type { LoadContext } from './context';
import { emptyShdr, readSym } from './elf-records';
import type { Rela, Shdr } from './elf-records';
import { RelocationReader } from './llext-link-read';
import { readInto } from './loader';
import type { LlextConfig } from './types';

/** Halfwords in front of the word that holds the target. */
const stubs = {
  /** LDR.W PC, [PC, #0] */
  mainline: [0xf8df, 0xf000],
  /** PUSH {R4}; LDR R4, [PC, #8]; MOV IP, R4; POP {R4}; BX IP; NOP */
  baseline: [0xb410, 0x4c02, 0x46a4, 0xbc10, 0x4760, 0xbf00],
} as const;

const targetSize = 4;

function stubOf({ veneerStub = 'mainline' }: LlextConfig): readonly number[] {
  return stubs[veneerStub];
}

export function veneerSize(config: LlextConfig): number {
  return stubOf(config).length * 2 + targetSize;
}

/** Relocation types that a stub can bridge. */
export function canHaveVeneer(type: number): boolean {
  return type === R_ARM_THM_CALL || type === R_ARM_THM_JUMP24;
}

/** Describes the region VENEER; its memory comes with that of the other regions. */
export function veneerInit(context: LoadContext): number {
  const { subsystem, ldr, regions } = context;
  const { VENEER } = regions;
  if (VENEER === undefined || subsystem.config.arch !== 'arm' || !context.profile.veneers) return 0;
  X.phase(context, 'veneer_init');
  let needed = 0;
  const sections = X.sectCnt(context);
  for (let i = 0; i < sections; i++) {
    const section = X.sectionHeader(context, i);
    if (section.sh_type !== SHT_REL || section.sh_info >= sections) continue;
    const target = X.sectionHeader(context, section.sh_info);
    if ((target.sh_flags & BigInt(SHF_ALLOC)) === 0n) continue;
    const count = countImportedBranches(context, section);
    if (count < 0) return count;
    needed += count;
  }
  if (needed === 0) return 0;
  ldr.state.sects[VENEER] = {
    ...emptyShdr(),
    sh_type: SHT_NOBITS,
    sh_flags: BigInt(SHF_ALLOC | SHF_EXECINSTR),
    sh_size: BigInt(needed * veneerSize(subsystem.config)),
    sh_addralign: 4n,
  };
  return 0;
}

/** Or a negative errno. */
function countImportedBranches(context: LoadContext, section: Shdr): number {
  // Linking will refuse other sizes.
  if (section.sh_entsize !== BigInt(context.subsystem.sizes.rel)) return 0;
  const table = new RelocationReader(context, section);
  let count = 0;
  for (let j = 0n; j < table.count; j++) {
    const relocation = table.read(j);
    if (typeof relocation === 'number') return relocation;
    if (!canHaveVeneer(relocation.type)) continue;
    const imported = isImport(context, relocation);
    if (typeof imported === 'number') return imported;
    if (imported) count++;
  }
  return count;
}

function isImport(context: LoadContext, { symbolIndex }: Rela): boolean | number {
  const { subsystem, guest, ldr, regions } = context;
  const bytes = new Uint8Array(subsystem.sizes.sym);
  const position = BigInt(symbolIndex) * BigInt(bytes.length);
  const seek = ldr.seek(guest.wrap(ldr.state.sects[regions.SYMTAB].sh_offset + position));
  if (seek !== 0) return seek;
  const read = readInto(ldr, bytes);
  if (read !== 0) return read;
  return readSym(bytes, guest.pointerSize, guest.littleEndian).st_shndx === SHN_UNDEF;
}

/** Address of a stub for S with the Thumb bit, written if it is a new one; undefined = there is none left. */
export function claimVeneer(context: LoadContext, S: bigint): bigint | undefined {
  const { subsystem, guest, regions } = context;
  if (regions.VENEER === undefined) return undefined;
  const size = veneerSize(subsystem.config);
  const base = X.mem(context, regions.VENEER);
  const total = guest.ptr(X.field(context, 'mem_size') + BigInt(regions.VENEER * guest.pointerSize));
  if (base === 0n) return undefined;
  for (let entry = base; entry < base + total; entry += BigInt(size)) {
    const targetAddress = entry + BigInt(size - targetSize);
    const target = BigInt(guest.u32(targetAddress));
    if (target !== S && target !== 0n) continue;
    if (target === 0n) {
      const halfwords = stubOf(subsystem.config).flatMap((halfword) => [halfword & 0xff, halfword >> 8]);
      guest.write(entry, Uint8Array.from(halfwords));
      guest.setU32(targetAddress, Number(S));
    }
    return entry | 1n;
  }
  return undefined;
}
