/**
 * The symbol tables of llext_load.c (specification 3.2, 3.3): sym_tab holds the file's global functions and objects,
 * exp_tab what other extensions may link to. Counting also counts undefined ones, copying skips them, as Zephyr does.
 */
import { ET_REL, SHN_UNDEF, STB_GLOBAL, STT_FUNC, STT_OBJECT, STT_SECTION } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import type { Sym } from './elf-records';
import { SymCursor } from './elf-records';
import { displayName } from './guest';
import { symbolEntrySize } from './layout';
import { llextPeek, readInto } from './loader';

/** llext_symbol_name: where the name lies; section symbols have their section's. */
export function symbolNameAddress(context: LoadContext, symbol: Sym): bigint {
  if ((symbol.st_info & 0xf) === STT_SECTION) {
    return X.sectionNameAddress(context, X.sectionHeader(context, symbol.st_shndx));
  }
  return X.stringAddress(context, context.regions.STRTAB, symbol.st_name);
}

/** The name as a log message shows it. */
export function symbolName(context: LoadContext, symbol: Sym): string {
  return displayName(context.guest.shownString(symbolNameAddress(context, symbol)));
}

/**
 * Visits the file's symbols from index 1 on; a negative result of `visit` or of the loader ends it. The symbol is only
 * valid during the visit.
 */
function forEachSymbol(context: LoadContext, visit: (index: number, symbol: Sym) => number): number {
  const { guest, subsystem, ldr } = context;
  const table = ldr.state.sects[context.regions.SYMTAB];
  const count = table.sh_size / BigInt(subsystem.sizes.sym);
  const whole = ldr.slice?.(table.sh_offset, table.sh_size);
  if (whole === undefined) return forEachSymbolRead(context, count, visit);
  const symbol = new SymCursor(whole, guest.pointerSize, guest.littleEndian);
  for (let i = 1; i < Number(count); i++) {
    symbol.index = i;
    const ret = visit(i, symbol);
    if (ret !== 0) return ret;
  }
  return 0;
}

/** By the loader's own calls, for a file that ends within the table and for loaders that may fail. */
function forEachSymbolRead(context: LoadContext, count: bigint, visit: (index: number, symbol: Sym) => number): number {
  const { guest, subsystem, ldr } = context;
  const table = ldr.state.sects[context.regions.SYMTAB];
  // One local variable in Zephyr: where the file ends, it keeps the previous symbol.
  const bytes = new Uint8Array(subsystem.sizes.sym);
  const symbol = new SymCursor(bytes, guest.pointerSize, guest.littleEndian);
  let position = table.sh_offset;
  for (let i = 1; BigInt(i) < count; i++) {
    X.spend(context);
    position = guest.wrap(position + table.sh_entsize);
    const seek = ldr.seek(position);
    if (seek !== 0) return seek;
    const read = readInto(ldr, bytes);
    if (read !== 0) return read;
    const ret = visit(i, symbol);
    if (ret !== 0) return ret;
  }
  return 0;
}

function isExported(symbol: Sym): boolean {
  const type = symbol.st_info & 0xf;
  return (type === STT_FUNC || type === STT_OBJECT) && symbol.st_info >> 4 === STB_GLOBAL;
}

export function countExportSyms(context: LoadContext): number {
  const { subsystem, guest, ldr, profile } = context;
  const table = ldr.state.sects[context.regions.SYMTAB];
  X.log(subsystem, 'dbg', `symbol count ${table.sh_size / BigInt(subsystem.sizes.sym)}`);
  const strings = Number(ldr.state.sects[context.regions.STRTAB].sh_size);
  let count = 0n;
  const ret = forEachSymbol(context, (i, symbol) => {
    if (symbol.st_name >= strings && profile.symbolNameBounds) {
      X.log(subsystem, 'err', `Invalid symbol name index ${symbol.st_name} in symbol ${i}`);
      return -Errno.ENOEXEC;
    }
    const exported = isExported(symbol);
    if (exported) count++;
    X.logLazily(subsystem, 'dbg', () => {
      const tags = `type tag ${symbol.st_info & 0xf}, bind ${symbol.st_info >> 4}, sect ${symbol.st_shndx}`;
      return `${exported ? 'function' : 'unhandled'} symbol ${i}, name ${symbolName(context, symbol)}, ${tags}`;
    });
    return 0;
  });
  if (ret !== 0) return ret;
  guest.setPtr(X.field(context, 'sym_tab'), count);
  return 0;
}

/** Without a single global symbol the size is 0, and k_heap refuses that. */
export function allocateSymtab(context: LoadContext): number {
  const { guest } = context;
  const sym_tab = X.field(context, 'sym_tab');
  const size = guest.ptr(sym_tab) * BigInt(symbolEntrySize(guest.pointerSize));
  const syms = X.allocateMetadata(context, size, 'sym_tab');
  guest.setPtr(sym_tab + BigInt(guest.pointerSize), syms);
  if (syms === 0n) return -Errno.ENOMEM;
  guest.clear(syms, size);
  X.addToAllocSize(context, size);
  return 0;
}

export function copySymbols(context: LoadContext): number {
  const { subsystem, guest, profile } = context;
  const syms = guest.ptr(X.field(context, 'sym_tab') + BigInt(guest.pointerSize));
  const sections = X.sectCnt(context);
  const table = new SymbolWriter(context, syms);
  const bases = new Map<number, bigint>();
  const strings = X.mem(context, context.regions.STRTAB);
  let j = 0;
  const ret = forEachSymbol(context, (i, symbol) => {
    if (!isExported(symbol) || symbol.st_shndx === SHN_UNDEF) return 0;
    if (symbol.st_shndx >= sections && profile.symbolSectionChecked) {
      X.log(subsystem, 'err', `Invalid section index ${symbol.st_shndx} in symbol ${i}`);
      return -Errno.ENOEXEC;
    }
    // What lies behind the section map may be this very table.
    if (symbol.st_shndx >= sections) table.flush();
    const nameAddress = guest.wrap(strings + BigInt(symbol.st_name));
    const address = symbolAddress(context, symbol, bases);
    if (typeof address === 'number') return address;
    table.add(nameAddress, address);
    X.logLazily(subsystem, 'dbg', () => {
      const name = displayName(guest.shownString(nameAddress));
      return `function symbol ${j} name ${name} addr ${X.pointer(address)}`;
    });
    j++;
    return 0;
  });
  table.flush();
  if (ret === 0 && profile.sortedSymbolTables) sortTable(context, syms, j);
  return ret;
}

/** Writes entries of a symbol table in blocks: single writes to guest memory are what costs most with many symbols. */
class SymbolWriter {
  private static readonly block = 512;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private used = 0;

  constructor(
    private readonly context: LoadContext,
    private at: bigint,
  ) {
    this.bytes = new Uint8Array(SymbolWriter.block * symbolEntrySize(context.guest.pointerSize));
    this.view = new DataView(this.bytes.buffer);
  }

  add(name: bigint, address: bigint): void {
    this.put(name);
    this.put(address);
    if (this.used === this.bytes.length) this.flush();
  }

  flush(): void {
    this.context.guest.write(this.at, this.bytes.subarray(0, this.used));
    this.at += BigInt(this.used);
    this.used = 0;
  }

  private put(value: bigint): void {
    const { pointerSize, littleEndian } = this.context.guest;
    if (pointerSize === 8) this.view.setBigUint64(this.used, value, littleEndian);
    else this.view.setUint32(this.used, Number(BigInt.asUintN(32, value)), littleEndian);
    this.used += pointerSize;
  }
}

/** By strcmp, where Zephyr uses a heapsort: the order of equal names is not defined there. */
function sortTable({ guest }: LoadContext, syms: bigint, count: number): void {
  const word = BigInt(guest.pointerSize);
  const entrySize = symbolEntrySize(guest.pointerSize);
  const entries = Array.from({ length: count }, (_, i) => {
    const name = guest.ptr(syms + BigInt(i * entrySize));
    return { name, text: guest.shownString(name), address: guest.ptr(syms + BigInt(i * entrySize) + word) };
  });
  entries.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)));
  entries.forEach(({ name, address }, i) => {
    guest.setPtr(syms + BigInt(i * entrySize), name);
    guest.setPtr(syms + BigInt(i * entrySize) + word, address);
  });
}

/** The address for sym_tab, or an errno. `bases`: what to add to the values of a section's symbols, once known. st_shndx is not checked: SHN_COMMON reads outside of the tables. */
function symbolAddress(context: LoadContext, symbol: Sym, bases: Map<number, bigint>): bigint | number {
  const known = bases.get(symbol.st_shndx);
  if (known !== undefined) return context.guest.wrap(known + symbol.st_value);
  const { subsystem, guest, ldr, parm } = context;
  const { st_shndx } = symbol;
  const sections = X.sectCnt(context);
  if (st_shndx >= sections) {
    X.outOfBounds(context, 'read', () => {
      const name = guest.shownString(X.stringAddress(context, context.regions.STRTAB, symbol.st_name));
      return `st_shndx ${st_shndx} of '${displayName(name)}': there are ${sections} sections`;
    });
  }
  const section = X.sectionHeader(context, symbol.st_shndx);
  const relocatable = ldr.state.hdr?.e_type === ET_REL;
  const detached = (): boolean =>
    parm.section_detached?.({ ...section, name: X.sectionName(context, section) }) === true;
  if (parm.pre_located && !detached()) {
    return guest.wrap(symbol.st_value + (relocatable ? section.sh_addr : 0n));
  }
  let base = X.loadedSectPtr(context, st_shndx);
  if (base === 0n) {
    base = llextPeek(ldr, section.sh_offset);
    if (base === 0n) {
      X.log(subsystem, 'err', `No data for section ${st_shndx}`);
      return -Errno.ENOTSUP;
    }
    X.log(subsystem, 'dbg', `section ${st_shndx} peeked at ${X.pointer(base)}`);
    return guest.wrap(base + symbol.st_value - (relocatable ? 0n : section.sh_addr));
  }
  const bias = guest.wrap(base - (relocatable ? 0n : section.sh_addr));
  if (st_shndx < sections) bases.set(st_shndx, bias);
  return guest.wrap(bias + symbol.st_value);
}

/** exp_tab: the entries of .exported_sym as relocation left them, or all of sym_tab with IMPORT_ALL_GLOBALS. */
export function exportSymbols(context: LoadContext): number {
  const { subsystem, guest, ldr } = context;
  const word = BigInt(guest.pointerSize);
  const entrySize = BigInt(symbolEntrySize(guest.pointerSize));
  const exp_tab = X.field(context, 'exp_tab');
  const sym_tab = X.field(context, 'sym_tab');
  const all = subsystem.config.importAllGlobals;
  const count = all ? guest.ptr(sym_tab) : ldr.state.sects[context.regions.EXPORT].sh_size / entrySize;
  const source = all ? guest.ptr(sym_tab + word) : X.mem(context, context.regions.EXPORT);
  guest.setPtr(exp_tab, count);
  if (count === 0n) return 0;
  const syms = X.allocateMetadata(context, count * entrySize, 'exp_tab');
  guest.setPtr(exp_tab + word, syms);
  if (syms === 0n) return -Errno.ENOMEM;
  const table = new SymbolWriter(context, syms);
  for (let i = 0; BigInt(i) < count; i++) {
    X.spend(context);
    const entry = source + BigInt(i) * entrySize;
    const name = guest.ptr(entry);
    const address = guest.ptr(entry + word);
    table.add(exportedName(context, name), address);
    // A size that is wrong leads the reads into this very table.
    if (!all) table.flush();
    X.logLazily(subsystem, 'dbg', () => `sym ${X.pointer(address)} name ${displayName(guest.shownString(name))}`);
  }
  table.flush();
  if (context.profile.sortedSymbolTables) sortTable(context, syms, Number(count));
  return 0;
}

/** In a pre-located file the name pointer is an address at link time; the name itself is read from the file image. */
function exportedName(context: LoadContext, name: bigint): bigint {
  if (!context.parm.pre_located) return name;
  const { ldr, guest } = context;
  const region = ldr.state.sects.find(
    ({ sh_addr, sh_size }) => sh_addr <= name && guest.wrap(sh_addr + sh_size) > name,
  );
  if (region === undefined) return name;
  const offset = guest.wrap(name - region.sh_addr + region.sh_offset);
  // The offset is a signed value in Zephyr: 0 and "negative" ones are not used.
  if (BigInt.asIntN(guest.pointerSize * 8, offset) <= 0n) return name;
  const peeked = llextPeek(ldr, offset);
  return peeked === 0n ? name : peeked;
}
