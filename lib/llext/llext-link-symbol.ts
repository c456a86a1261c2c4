/**
 * The symbol of a relocation (specification 3.4): read from the file by index, and its address. Looked up in the base
 * image, then in the loaded extensions; an address of 0 counts as not found. Weak is not special, unless the mode is
 * abi-correct, where what stays undefined has the address 0.
 */
import { SHF_TLS, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, STB_WEAK } from '../elf/constants';
import { Errno } from '../errors';
import { findBaseExport, slidHint } from './base-exports';
import * as X from './context';
import type { LoadContext } from './context';
import type { Rela, Shdr, Sym } from './elf-records';
import { readSym } from './elf-records';
import { displayName } from './guest';
import { isSharedObject } from './llext-dyn';
import { addDependency, findExtensionSym } from './llext-list';
import { symbolNameAddress } from './llext-symbols';
import { readInto } from './loader';

const SHN_HIRESERVE = 0xffff;

/** llext_read_symbol, or the loader's errno. */
export function readSymbol(context: LoadContext, index: number): Sym | number {
  const { subsystem, guest, ldr, regions } = context;
  const bytes = new Uint8Array(subsystem.sizes.sym);
  const position = BigInt(index) * BigInt(bytes.length);
  const { sh_size } = ldr.state.sects[regions.SYMTAB];
  if (position >= sh_size) {
    X.outOfBounds(context, 'read', () => `symbol ${index}: there are ${sh_size / BigInt(bytes.length)} symbols`);
  }
  const seek = ldr.seek(guest.wrap(ldr.state.sects[regions.SYMTAB].sh_offset + position));
  if (seek !== 0) return seek;
  const read = readInto(ldr, bytes);
  return read === 0 ? readSym(bytes, guest.pointerSize, guest.littleEndian) : read;
}

/** llext_lookup_symbol: S, or a negative errno. */
export function lookupSymbol(context: LoadContext, section: Shdr, relocation: Rela, symbol: Sym): bigint | number {
  const { subsystem, guest, ldr, profile } = context;
  const { config } = subsystem;
  if (relocation.symbolIndex === 0) return 0n;
  if (symbol.st_shndx === SHN_UNDEF) {
    const bytes = guest.cstring(symbolNameAddress(context, symbol));
    const name = displayName(bytes);
    let address = findBaseExport(subsystem.exports, bytes, symbol.st_value);
    if (address === 0n && profile.interExtension) {
      const found = findExtensionSym(subsystem, bytes);
      address = found.address;
      if (address !== 0n) addDependency(subsystem, context.ext, found.ext);
    }
    const mayBeMissing = subsystem.config.mode === 'abi-correct' && symbol.st_info >> 4 === STB_WEAK;
    if (address === 0n && mayBeMissing) return 0n;
    if (address === 0n) {
      const place = `offset ${relocation.r_offset}, link section ${section.sh_link}`;
      X.log(subsystem, 'err', `Undefined symbol with no entry in symbol table ${name}, ${place}`);
      const hint = slidHint(subsystem.config, name, symbol.st_value);
      if (hint !== undefined) X.log(subsystem, 'wrn', hint);
      if (name.startsWith('__device_') && config.exportDevices !== true && profile.deviceExportWarning) {
        X.log(
          subsystem,
          'wrn',
          `(Device objects are not available for import because CONFIG_LLEXT_EXPORT_DEVICES is not enabled)`,
        );
      }
      return -Errno.ENODATA;
    }
    X.log(subsystem, 'inf', `found symbol ${name} at ${X.hashHex(address)}`);
    return address;
  }
  if (symbol.st_shndx === SHN_ABS) return symbol.st_value;
  const reserved = symbol.st_shndx >= SHN_LORESERVE && symbol.st_shndx <= SHN_HIRESERVE;
  if (symbol.st_shndx < (ldr.state.hdr?.e_shnum ?? 0) && !reserved) {
    return definedSymbol(context, symbol);
  }
  const index = `${symbol.st_shndx} (${X.hashHex(BigInt(symbol.st_shndx))})`;
  X.log(subsystem, 'err', `cannot apply relocation: target symbol has unexpected section index ${index}`);
  return -Errno.ENOEXEC;
}

/** A symbol of the file itself. Up to 4.4 one in no region counts from address 0. */
function definedSymbol(context: LoadContext, { st_shndx, st_value }: Sym): bigint | number {
  const { subsystem, guest, regions, profile } = context;
  const loaded = X.loadedSectPtr(context, st_shndx);
  if (loaded === 0n && X.sectMemIdx(context, st_shndx) === regions.COUNT) {
    const { sh_flags } = X.sectionHeader(context, st_shndx);
    if ((sh_flags & BigInt(SHF_TLS)) !== 0n && profile.tlsSections) return st_value;
    if (profile.symbolSectionMustBeLoaded) {
      X.log(subsystem, 'err', `cannot apply relocation: section ${st_shndx} of the target symbol is not loaded`);
      return -Errno.ENOEXEC;
    }
  }
  const linkAddress = isSharedObject(context) && profile.dynImage ? X.sectionHeader(context, st_shndx).sh_addr : 0n;
  return guest.wrap(loaded + st_value - linkAddress);
}
