/**
 * Every relocation at the predicted addresses, by the rows that the loader itself applies (specification 4): what does
 * not reach its target or nearly does not, and where Zephyr's result is not the ABI's. Unlike the loader it goes on.
 * Entries of a section are applied one after another, on a copy for either mode, because some add to what is there.
 */
import { EM_ARM, SHN_ABS, SHN_UNDEF, STT_FUNC, STT_NOTYPE } from '../elf/constants';
import * as R from '../elf/constants-arm';
import { relocationName } from '../elf/relocation-names';
import type { ElfRelocation, ElfSymbol, SectionHeader } from '../elf/elf-file';
import { LlextError } from '../errors';
import { applyRelocation, findRow, patchSize, ruleOf } from '../llext/reloc/apply';
import { relocatorFor } from '../llext/reloc/index';
import type { RelocationInput, RelocationResult, Relocator, Rule } from '../llext/reloc/relocator';
import { baseLookup } from './base';
import { hex } from './check-headers';
import { appliedTables, loaderSymbols } from './check-imports';
import type { FileCheck } from './file-check';
import { reachAdvice } from './relocation-advice';

/** What is left of the range, as a part of it, for a warning. */
const narrow = 8n;

interface Site {
  readonly target: SectionHeader;
  readonly relocation: ElfRelocation;
  readonly name: string;
  readonly symbol: ElfSymbol | undefined;
  readonly input: Omit<RelocationInput, 'mode' | 'place'>;
}

export function checkReach(check: FileCheck): void {
  const { elf, base } = check;
  const { arch, pointerSize } = base.config;
  const relocator = relocatorFor(arch, pointerSize);
  if (relocator === undefined || check.has('wrong-machine')) return;
  const differences = new Map<string, { site: Site; count: number; text: string }>();
  for (const { table, target } of appliedTables(elf, check.profile)) {
    if (!check.has('rela-on-arm')) checkTable(check, relocator, { table, target }, differences);
  }
  for (const { site, count, text } of differences.values()) {
    const many = count === 1 ? '' : ` (${count} places)`;
    const v4bx = elf.header.e_machine === EM_ARM && site.relocation.type === R.R_ARM_V4BX;
    check.add(v4bx ? 'v4bx-rewritten' : 'relocation-differs-from-abi', `${text}${many}`, whereOf(site));
  }
}

function checkTable(
  check: FileCheck,
  relocator: Relocator,
  { table, target }: { readonly table: SectionHeader; readonly target: SectionHeader },
  differences: Map<string, { site: Site; count: number; text: string }>,
): void {
  const placed = check.placed(target.index);
  const memory = placed === undefined ? undefined : sectionMemory(check, placed.address, placed.size);
  if (placed === undefined || memory === undefined) return;
  const exactBytes = memory.slice();
  const abiBytes = memory;
  const resolver = new Resolver(check, relocator, table, placed.address);
  for (const relocation of check.elf.relocationsOf(table)) {
    const site = resolver.site(target, relocation);
    if (site === undefined || !fits(relocator, site, memory.length)) continue;
    const exact = apply(check, relocator, site, exactBytes, 'exact');
    const abi = apply(check, relocator, site, abiBytes, 'abi-correct');
    const isDistanceKnown = check.base.addressesKnown || site.symbol?.st_shndx !== SHN_UNDEF;
    if (exact.ret !== 0) {
      if (isDistanceKnown) reportRange(check, relocator, site, exact);
      continue;
    }
    const text = difference(relocator, site, { exact, abi }, { exactBytes, abiBytes });
    if (text !== undefined) {
      const key = `${site.name} ${target.index}`;
      const known = differences.get(key);
      if (known === undefined) differences.set(key, { site, count: 1, text });
      else known.count++;
    }
    if (isDistanceKnown) warnOfLimit(check, relocator, site, exact);
  }
}

function sectionMemory(check: FileCheck, address: bigint, size: number): Uint8Array | undefined {
  try {
    return check.layout.target.memory.read(address, size).slice();
  } catch (error) {
    if (error instanceof LlextError) return undefined;
    throw error;
  }
}

/** Patches outside of their section are a finding of their own. */
function fits(relocator: Relocator, { input, relocation }: Site, length: number): boolean {
  const { type, profile } = input;
  const size = Math.max(
    patchSize(relocator, { type, profile, mode: 'exact' }),
    patchSize(relocator, { type, profile, mode: 'abi-correct' }),
  );
  return relocation.r_offset + BigInt(size) <= BigInt(length) && findRow(relocator, type, profile) !== undefined;
}

function apply(
  check: FileCheck,
  relocator: Relocator,
  { input, relocation }: Site,
  bytes: Uint8Array,
  mode: RelocationInput['mode'],
): RelocationResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = { view, at: Number(relocation.r_offset), littleEndian: check.elf.littleEndian };
  return applyRelocation(relocator, { ...input, mode, place });
}

/** S, A and P of each entry, as llext_link finds them. */
class Resolver {
  private readonly symbols: readonly ElfSymbol[];
  private readonly lookup: (symbol: ElfSymbol) => bigint | undefined;
  private readonly bias: bigint;
  private pairs: Map<bigint, ElfRelocation> | undefined;

  constructor(
    private readonly check: FileCheck,
    private readonly relocator: Relocator,
    private readonly table: SectionHeader,
    private readonly sectionAddress: bigint,
  ) {
    this.symbols = loaderSymbols(check.elf);
    this.lookup = baseLookup(check.base);
    this.bias = check.layout.trial.extension?.mem[check.regions.TEXT] ?? 0n;
  }

  /** undefined: nothing provides the symbol, or it is a finding of its own. */
  site(target: SectionHeader, relocation: ElfRelocation): Site | undefined {
    const { check, relocator, symbols } = this;
    const symbol = symbols.at(relocation.symbolIndex);
    const isPaired = relocator.isPaired?.(relocation.type) === true;
    const S = isPaired ? this.valueOfPair(target, relocation, symbol) : this.addressOf(relocation.symbolIndex);
    if (S === undefined) return undefined;
    const name = relocationName(check.elf.header.e_machine, relocation.type);
    const kind = symbol?.type;
    const input = {
      profile: check.profile,
      pointerSize: check.base.config.pointerSize,
      type: relocation.type,
      S,
      A: relocation.addend ?? 0n,
      P: this.wrap(this.sectionAddress + relocation.r_offset),
      B: this.bias,
      thumb: check.base.config.arch === 'arm' && (S & 1n) !== 0n && (kind === STT_FUNC || kind === STT_NOTYPE),
      symbol: symbol?.name ?? '',
    };
    return { target, relocation, name, symbol, input };
  }

  private wrap(value: bigint): bigint {
    return BigInt.asUintN(this.check.base.config.pointerSize * 8, value);
  }

  private addressOf(symbolIndex: number): bigint | undefined {
    const { check, symbols } = this;
    const symbol = symbols.at(symbolIndex);
    if (symbolIndex === 0 || symbol === undefined) return symbolIndex === 0 ? 0n : undefined;
    if (symbol.st_shndx === SHN_ABS) return symbol.st_value;
    if (symbol.st_shndx !== SHN_UNDEF) {
      const placed = check.placed(symbol.st_shndx);
      return placed === undefined ? undefined : this.wrap(placed.address + symbol.st_value);
    }
    const ofBase = this.lookup(symbol);
    if (ofBase !== undefined && ofBase !== 0n) return ofBase;
    return check.provided.find(({ name, order }) => name === symbol.name && order < check.order)?.address;
  }

  /** R_RISCV_PCREL_LO12: the value of the AUIPC's relocation where the symbol points. */
  private valueOfPair(
    target: SectionHeader,
    relocation: ElfRelocation,
    label: ElfSymbol | undefined,
  ): bigint | undefined {
    this.pairs ??= new Map(
      this.check.elf
        .relocationsOf(this.table)
        .filter(({ type }) => this.relocator.pairTypes?.includes(type))
        .map((entry) => [entry.r_offset, entry]),
    );
    const pair = label === undefined ? undefined : this.pairs.get(label.st_value);
    if (pair === undefined) {
      const where = label === undefined ? 'no symbol' : `'${label.name}', ${target.name}+${hex(label.st_value)}`;
      const message = `no R_RISCV_PCREL_HI20 at ${where}, for the one at ${target.name}+${hex(relocation.r_offset)}`;
      this.check.add('unpaired-lo12', message, { section: target, offset: Number(relocation.r_offset) });
      return undefined;
    }
    const S = this.addressOf(pair.symbolIndex);
    return S === undefined ? undefined : this.wrap(S + (pair.addend ?? 0n) - this.sectionAddress - pair.r_offset);
  }
}

function whereOf({ target, relocation, symbol }: Site) {
  return {
    section: target,
    offset: Number(relocation.r_offset),
    symbol: symbol?.name === '' ? undefined : symbol?.name,
  };
}

function exactRule(relocator: Relocator, { input }: Site): Rule | undefined {
  return ruleOf(findRow(relocator, input.type, input.profile), 'exact');
}

function describe({ name, symbol, input }: Site): string {
  const what = symbol === undefined || symbol.name === '' ? hex(input.S) : `'${symbol.name}' at ${hex(input.S)}`;
  return `${name} from ${hex(input.P)} to ${what}`;
}

function reportRange(check: FileCheck, relocator: Relocator, site: Site, { X, errors = [] }: RelocationResult): void {
  const { min, max } = exactRule(relocator, site)?.range ?? {};
  // A type that is refused whatever its value is a finding of its own.
  if (X === undefined) return;
  const over = max !== undefined && X > BigInt(max) ? X - BigInt(max) : min === undefined ? 0n : BigInt(min) - X;
  const limits = min === undefined && max === undefined ? '' : `, limits ${min ?? '-'} and ${max ?? '-'}`;
  const excess = over > 0n ? `: ${over} bytes too far` : '';
  const reason = errors.length === 0 || over > 0n ? '' : ` (${errors.join(' ').trim()})`;
  const message = `${describe(site)} is a distance of ${X}${limits}${excess}${reason}`;
  check.add('relocation-out-of-range', message, { ...whereOf(site), fix: reachAdvice(site.name) });
}

/** Only what moves with heap and base image: a distance inside of the file stays. */
function warnOfLimit(check: FileCheck, relocator: Relocator, site: Site, { X }: RelocationResult): void {
  const rule = exactRule(relocator, site);
  const { min, max } = rule?.range ?? {};
  if (X === undefined || min === undefined || max === undefined || site.symbol?.st_shndx !== SHN_UNDEF) return;
  if (rule?.formula.includes('P') !== true) return;
  const left = BigInt(max) - X < X - BigInt(min) ? BigInt(max) - X : X - BigInt(min);
  if (left * narrow > BigInt(max)) return;
  const message = `${describe(site)} is a distance of ${X}: ${left} bytes are left of ${max}`;
  check.add('relocation-near-limit', message, { ...whereOf(site), fix: reachAdvice(site.name) });
}

function difference(
  relocator: Relocator,
  site: Site,
  { exact, abi }: { readonly exact: RelocationResult; readonly abi: RelocationResult },
  { exactBytes, abiBytes }: { readonly exactBytes: Uint8Array; readonly abiBytes: Uint8Array },
): string | undefined {
  const { type, profile } = site.input;
  const quirk = findRow(relocator, type, profile)?.quirk;
  const reason = quirk === undefined ? '' : ` (${quirk})`;
  if (abi.ret !== 0) {
    return `${describe(site)}: Zephyr accepts the value ${exact.X ?? ''}, which does not fit${reason}`;
  }
  const at = Number(site.relocation.r_offset);
  const size = patchSize(relocator, { type, profile, mode: 'exact' });
  const [ours, theirs] = [exactBytes, abiBytes].map((bytes) => bytesText(bytes.subarray(at, at + size)));
  return ours === theirs ? undefined : `${describe(site)}: Zephyr writes ${ours}, the ABI wants ${theirs}${reason}`;
}

function bytesText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
