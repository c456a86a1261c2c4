/**
 * arch_elf_relocate of the 4.2 era, as far as it is the same on every CPU (specification 4): looks the symbol up,
 * applies the CPU's row (reloc/) at the place, and tells the listener what that did.
 */
import { STT_FUNC, STT_NOTYPE } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import type { Rela, Shdr, Sym } from './elf-records';
import { addressOfVma, loadBias } from './llext-dyn';
import { RelocationReader } from './llext-link-read';
import { lookupSymbol, readSymbol } from './llext-link-symbol';
import { symbolName } from './llext-symbols';
import { canHaveVeneer, claimVeneer } from './llext-veneer';
import { applyRelocation, findRow, patchSize } from './reloc/apply';
import { relocatorFor } from './reloc/index';
import type { RelocationInput, Relocator } from './reloc/relocator';

/** Where a relocation applies. */
export interface RelocationPlace {
  /** Address in the target. */
  readonly P: bigint;
  /** Index of the section that is patched, and offset in it; section 0 = of a shared object, in no section. */
  readonly section: number;
  readonly offset: bigint;
}

export function archElfRelocate(context: LoadContext, section: Shdr, relocation: Rela, place: RelocationPlace): number {
  const { subsystem } = context;
  const { config } = subsystem;
  const relocator = relocatorFor(config.arch, config.pointerSize);
  // The weak default of arch_elf_relocate.
  if (relocator === undefined) return -Errno.ENOTSUP;
  const symbol = readSymbol(context, relocation.symbolIndex);
  if (typeof symbol === 'number') return symbol;
  const paired = relocator.isPaired?.(relocation.type) === true;
  const S = paired
    ? valueOfPair(context, section, relocator, symbol)
    : lookupSymbol(context, section, relocation, symbol);
  if (typeof S === 'number') {
    X.logLazily(subsystem, 'err', () => `Could not find symbol ${symbolName(context, symbol)}!`, 'elf');
    return S;
  }
  const row = findRow(relocator, relocation.type, context.profile.profileName);
  if (row?.exact?.formula !== 'Loaded(V)') return applyAt(context, { relocation, relocator, symbol, S, place });
  const loaded = loadedAddress(context, place.P);
  return loaded === undefined ? -Errno.ENOEXEC : applyAt(context, { relocation, relocator, symbol, S: loaded, place });
}

/** R_ARM_RELATIVE of the newest version: where the link-time address in the place was loaded; 0 stays 0. */
function loadedAddress(context: LoadContext, P: bigint): bigint | undefined {
  const { subsystem, guest } = context;
  const vma = guest.ptr(P);
  const loaded = vma === 0n ? 0n : addressOfVma(context, vma);
  if (loaded === undefined) X.log(subsystem, 'err', `${X.hashHex(vma)} is in no loaded region`, 'elf');
  return loaded;
}

/**
 * llext_riscv_find_sym_pcrel: the symbol is the place of an AUIPC; the value is that of the relocation there, wherever
 * in the same relocation section it is. A negative errno when there is none.
 */
function valueOfPair(context: LoadContext, section: Shdr, relocator: Relocator, label: Sym): bigint | number {
  const { subsystem, guest } = context;
  const table = new RelocationReader(context, section);
  const count = Number(table.count);
  for (let step = 0; step < count; step++) {
    const j = (context.lastPair + step) % count;
    const candidate = table.read(BigInt(j));
    if (typeof candidate === 'number') return candidate;
    if (candidate.r_offset !== label.st_value || relocator.pairTypes?.includes(candidate.type) !== true) continue;
    context.lastPair = j;
    const symbol = readSymbol(context, candidate.symbolIndex);
    if (typeof symbol === 'number') return symbol;
    const S = lookupSymbol(context, section, candidate, symbol);
    if (typeof S === 'number') return S;
    const P = X.loadedSectPtr(context, section.sh_info) + candidate.r_offset;
    return guest.wrap(S + candidate.r_addend - P);
  }
  X.log(subsystem, 'err', relocator.pairMissing ?? '', 'elf');
  return -Errno.ENOEXEC;
}

export interface Application {
  readonly relocation: Rela;
  readonly relocator: Relocator;
  readonly symbol: Sym;
  readonly S: bigint;
  readonly place: RelocationPlace;
  /** S is a stub already. */
  readonly throughVeneer?: boolean;
}

/** Applies a row at P, once S is known. */
export function applyAt(context: LoadContext, application: Application): number {
  const { relocation, relocator, symbol, place } = application;
  const { P } = place;
  const { subsystem, guest } = context;
  const { mode = 'exact', pointerSize } = subsystem.config;
  const { type } = relocation;
  const profile = context.profile.profileName;
  const row = findRow(relocator, type, profile);
  if (row?.assumed === true) subsystem.assumedRelocations.add(row.name);
  const { S } = application;
  const size = patchSize(relocator, { type, profile, mode });
  const before = guest.bytes(P, size);
  const after = before.slice();
  const input: RelocationInput = {
    mode,
    profile,
    pointerSize,
    place: { view: new DataView(after.buffer), at: 0, littleEndian: guest.littleEndian },
    type,
    S,
    A: relocation.r_addend,
    P,
    B: loadBias(context),
    thumb: isThumb(context, symbol, S),
    symbol: symbolName(context, symbol),
  };
  const { announcement } = relocator;
  if (announcement !== undefined) X.logLazily(subsystem, 'dbg', () => announcement(input), 'elf');
  const result = applyRelocation(relocator, input);
  if (result.ret !== 0 && canHaveVeneer(type) && application.throughVeneer !== true) {
    const veneer = claimVeneer(context, S);
    if (veneer !== undefined) {
      guest.write(P, before);
      return applyAt(context, { ...application, S: veneer, throughVeneer: true });
    }
  }
  const { ret, A, errors = [] } = result;
  guest.write(P, after);
  for (const error of errors) X.log(subsystem, 'err', error, 'elf');
  if (!subsystem.tellsRelocations) return ret;
  subsystem.listener?.({
    kind: ret === 0 ? 'relocation' : 'relocation-refused',
    instance: context.instance,
    section: place.section,
    sectionName: X.sectionName(context, X.sectionHeader(context, place.section)),
    offset: Number(place.offset),
    type,
    typeName: row?.name ?? `type ${type}`,
    symbol: input.symbol,
    S,
    A,
    P,
    B: input.B,
    thumb: input.thumb === true,
    ret,
    before,
    after,
  });
  return ret;
}

/** T of AAELF32. Of an import only the address is known, and bit 0 of the address of data is no T. */
export function isThumb({ subsystem }: LoadContext, symbol: Sym, S: bigint): boolean {
  if (subsystem.config.arch !== 'arm' || (S & 1n) === 0n) return false;
  const kind = symbol.st_info & 0xf;
  return kind === STT_FUNC || kind === STT_NOTYPE;
}
