/**
 * llext.c of the 4.2 era: loading, unloading and finding extensions (specification 1.1, 1.12, 3.4). One object is one
 * target's llext subsystem. All of its guest-visible state is in guest memory; the rest is `state`, plain data, so that
 * memory and state together are a snapshot. A bad file never throws: its load returns Zephyr's errno, or a fault where
 * the machine itself would have failed.
 */
import { LlextError, Errno } from '../errors';
import { findBuiltin } from './base-exports';
import type { Subsystem, LoadContext } from './context';
import { allocate, field, log, release } from './context';
import { emptyShdr } from './elf-records';
import type { Shdr } from './elf-records';
import { LlextExtension } from './extension';
import type { ExtensionRecord } from './extension';
import { byteString, displayName } from './guest';
import { LLEXT_MAX_NAME_LEN } from './layout';
import { hasApi, requireApi } from './llext-api';
import type { ApiName } from './llext-api';
import * as experimental from './llext-experimental';
import * as handlers from './llext-handlers';
import type { GuestCalls } from './llext-handlers';
import * as heap from './llext-heap';
import * as inspect from './llext-inspect';
import * as list from './llext-list';
import { doLlextLoad, freeInspectionData } from './llext-load';
import { freeRegions } from './llext-mem';
import { addDomain } from './llext-partitions';
import type { MemDomain, MemPartition } from './llext-partitions';
import { defaultLoadParam } from './loader';
import type { LlextLoadParam, LlextLoader } from './loader';
import { assumedRules } from './profile';
import type { AssumedRule, Profile, RuleName } from './profile';
import type { RegionName, Regions } from './regions';
import { slidOf } from './slid';
import { createSubsystem } from './subsystem';
import type { LlextOptions } from './subsystem';
import type { HeapRange, LlextConfig } from './types';

export type { LlextOptions };

export interface LlextLoadResult {
  /** llext_load's return value: 0, the use count that the name already had, or a negative errno. */
  readonly ret: number;
  readonly extension?: LlextExtension;
  /** Region descriptors (ldr->sects) as the load left them; all empty when nothing was read. */
  readonly sects: readonly Readonly<Shdr>[];
  /** Names of the regions, in the order of `sects`. */
  readonly regionNames: readonly RegionName[];
  /** What the result rests on without having been checked against Zephyr. */
  readonly assumed: readonly AssumedRule[];
  /** The machine failed inside of the load (ret is then -EFAULT); nothing is cleaned up, as on the target. */
  readonly fault?: LlextError;
}

type Outcome = Pick<LlextLoadResult, 'ret' | 'extension' | 'fault'>;

/** What the host side must keep beside guest memory. */
export interface SubsystemState {
  readonly nextId: number;
  readonly records: readonly ExtensionRecord[];
}

export class LlextSubsystem {
  private readonly subsystem: Subsystem;
  /** Rules that made the enum and the struct: every load rests on them. */
  private readonly shapeRules: readonly RuleName[];
  private nextId = 1;
  private records: readonly ExtensionRecord[] = [];

  constructor(options: LlextOptions) {
    this.subsystem = createSubsystem(options);
    this.shapeRules = [...this.subsystem.usedRules];
  }

  /** enum llext_mem of this build. */
  get regions(): Regions {
    return this.subsystem.regions;
  }

  /** For snapshots, together with guest memory. */
  get state(): SubsystemState {
    return { nextId: this.nextId, records: this.records };
  }

  set state({ nextId, records }: SubsystemState) {
    this.nextId = nextId;
    this.records = records;
  }

  /** llext_load */
  load(loader: LlextLoader, name: string, parm: LlextLoadParam = defaultLoadParam): LlextLoadResult {
    const { usedRules, assumedRelocations, profile, regions, config } = this.subsystem;
    usedRules.clear();
    assumedRelocations.clear();
    for (const name of this.shapeRules) usedRules.add(name);
    if (loader.state.sects.length !== regions.COUNT) loader.state.sects = regions.names.map(emptyShdr);
    const outcome = this.loadOrFault(loader, byteString(name), knownParameters(profile, parm));
    const types = [...assumedRelocations].map((rule) => ({ rule, section: relocationSections[config.arch] }));
    const assumed = [...assumedRules(profile.profileName, usedRules), ...types];
    return { ...outcome, sects: loader.state.sects, regionNames: regions.names, assumed };
  }

  private loadOrFault(loader: LlextLoader, name: string, parm: LlextLoadParam): Outcome {
    try {
      return this.loadNamed(loader, name, parm);
    } catch (error) {
      if (!(error instanceof LlextError)) throw error;
      return { ret: -Errno.EFAULT, fault: error };
    }
  }

  private loadNamed(loader: LlextLoader, name: string, parm: LlextLoadParam): Outcome {
    const { subsystem } = this;
    const loaded = list.extensionByName(subsystem, name);
    if (loaded !== 0n) {
      const ret = list.addUse(subsystem, loaded, 1) - 1;
      return { ret, extension: this.viewOf(loaded) };
    }
    const { metadata } = subsystem.heaps;
    const ext = allocate(subsystem, metadata, 0n, BigInt(subsystem.layout.sizeof), 'struct llext', undefined);
    if (ext === 0n) {
      log(subsystem, 'err', 'Not enough memory for extension metadata');
      return { ret: -Errno.ENOMEM };
    }
    const cutName = name.slice(0, LLEXT_MAX_NAME_LEN);
    const instance = { id: this.nextId++, name: displayName(cutName), address: ext };
    const { guest, profile, regions } = subsystem;
    const partitions = new Map<number, MemPartition>();
    const shared = { subsystem, guest, profile, regions };
    const context: LoadContext = {
      ...shared,
      ldr: loader,
      ext,
      parm,
      instance,
      placed: [],
      partitions,
      work: 0,
      lastPair: 0,
    };
    const ret = doLlextLoad(context);
    if (ret < 0) {
      release(metadata, ext);
      subsystem.listener?.({ kind: 'load-failed', instance, errno: -ret });
      return { ret };
    }
    const nameBytes = new Uint8Array(LLEXT_MAX_NAME_LEN + 1);
    nameBytes.set(Uint8Array.from(cutName, (c) => c.charCodeAt(0)));
    guest.write(field(context, 'name'), nameBytes);
    list.addUse(subsystem, ext, 1);
    list.appendExtension(subsystem, ext);
    log(subsystem, 'inf', `Loaded extension ${instance.name}`);
    const { id, name: shortName } = instance;
    const record: ExtensionRecord = { id, name: shortName, address: ext, sections: context.placed, partitions };
    this.records = [...this.records, record];
    subsystem.listener?.({ kind: 'loaded', instance });
    return { ret, extension: new LlextExtension(subsystem, record) };
  }

  /** llext_unload: the remaining use count; 0 = gone. */
  unload(extension: LlextExtension): number {
    const { subsystem } = this;
    const { guest, layout, heaps } = subsystem;
    const ext = extension.address;
    const left = list.addUse(subsystem, ext, -1);
    if (left !== 0) return left;
    const instance = extension.instance;
    list.removeExtension(subsystem, ext);
    list.removeDependencies(subsystem, ext);
    if (extension.sectHdrsOnHeap) release(heaps.metadata, extension.sectHdrs);
    freeRegions(subsystem, ext);
    const word = BigInt(guest.pointerSize);
    release(heaps.metadata, guest.ptr(ext + BigInt(layout.sym_tab) + word));
    release(heaps.metadata, guest.ptr(ext + BigInt(layout.exp_tab) + word));
    release(heaps.metadata, ext);
    this.records = this.records.filter(({ id }) => id !== extension.id);
    subsystem.listener?.({ kind: 'unloaded', instance });
    return 0;
  }

  // --- Finding (llext-list.ts) -------------------------------------------------------------------------------------

  /** llext_by_name: compares 15 characters. */
  byName(name: string): LlextExtension | undefined {
    const ext = list.extensionByName(this.subsystem, byteString(name));
    return ext === 0n ? undefined : this.viewOf(ext);
  }

  /** The loaded extensions in list order. */
  extensions(): LlextExtension[] {
    return list.loadedExtensions(this.subsystem).map((ext) => this.viewOf(ext));
  }

  /** llext_iterate: in list order, to the first value that is not 0, which is the result. */
  iterate(fn: (extension: LlextExtension) => number): number {
    for (const extension of this.extensions()) {
      const ret = fn(extension);
      if (ret !== 0) return ret;
    }
    return 0;
  }

  /**
   * llext_find_sym in the base image's table (no extension given) or in an extension's exp_tab. With
   * CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID the base image's table has only SLIDs, and a name is not found there.
   */
  findSym(name: string | bigint, extension?: LlextExtension): bigint | undefined {
    const { subsystem } = this;
    const key = typeof name === 'string' ? byteString(name) : name;
    let address = 0n;
    if (extension === undefined) address = findBuiltin(subsystem.exports, key);
    else if (typeof key === 'string') {
      address = list.findInTable(subsystem, extension.address + BigInt(subsystem.layout.exp_tab), key);
    }
    return address === 0n ? undefined : address;
  }

  /** Whether something provides an import of that name: the base image, by name or by its SLID, or an extension. */
  canImport(name: string): boolean {
    const { config, profile } = this.subsystem;
    const key = config.exportBySlid === true ? slidOf(name, config.pointerSize) : name;
    return this.findSym(key) !== undefined || (profile.interExtension && this.findExtensionSym(name) !== undefined);
  }

  /** llext_find_extension_sym: the first loaded extension that exports the name. */
  findExtensionSym(name: string): { address: bigint; extension: LlextExtension } | undefined {
    const found = list.findExtensionSym(this.subsystem, byteString(name));
    return found.address === 0n ? undefined : { address: found.address, extension: this.viewOf(found.ext) };
  }

  // --- What is known of a loaded file (llext-inspect.ts) ----------------------------------------------------------

  /** llext_find_section: the section's offset in the file, or a negative errno. */
  findSection(loader: LlextLoader, name: string): bigint {
    return inspect.findSection(this.provided('llext_find_section'), loader, name);
  }

  /** llext_get_section_header */
  getSectionHeader(extension: LlextExtension, name: string): { readonly ret: number; readonly shdr?: Shdr } {
    return inspect.getSectionHeader(this.provided('llext_get_section_header'), extension, name);
  }

  /** llext_section_shndx: the index, or a negative errno. */
  sectionShndx(extension: LlextExtension, name: string): number {
    return inspect.sectionShndx(this.provided('llext_section_shndx'), extension, name);
  }

  /** llext_get_section_info, after a load with keep_section_info. */
  getSectionInfo(loader: LlextLoader, extension: LlextExtension, shndx: number): inspect.SectionInfo {
    return inspect.getSectionInfo(this.provided('llext_get_section_info'), loader, extension, shndx);
  }

  /** llext_get_region_info; `region` is an enumerator of enum llext_mem. */
  getRegionInfo(loader: LlextLoader, extension: LlextExtension, region: number): inspect.RegionInfo {
    return inspect.getRegionInfo(this.provided('llext_get_region_info'), loader, extension, region);
  }

  /** llext_section_headers: the address of the table. */
  sectionHeaders(extension: LlextExtension): bigint {
    this.provided('llext_section_headers');
    return extension.sectHdrs;
  }

  /** llext_section_count */
  sectionCount(extension: LlextExtension): number {
    this.provided('llext_section_count');
    return extension.sectCnt;
  }

  /** llext_free_inspection_data, after a load with keep_section_info. */
  freeInspectionData(loader: LlextLoader, extension: LlextExtension): number {
    freeInspectionData(this.provided('llext_free_inspection_data'), extension.address, loader);
    return 0;
  }

  // --- Calls of an extension's functions (llext-handlers.ts) -------------------------------------------------------

  /** llext_call_fn: 0, -ENOENT (-EINVAL in the oldest version). */
  callFn(extension: LlextExtension, name: string): GuestCalls {
    return handlers.callFn(this.provided('llext_call_fn'), extension, name);
  }

  /** llext_get_fn_table; without a buffer's size only the table's. */
  getFnTable(extension: LlextExtension | undefined, isInit: boolean, bufferSize?: number): handlers.FunctionTable {
    return handlers.getFnTable(this.provided('llext_get_fn_table'), extension, isInit, bufferSize);
  }

  /** llext_get_fn_table_entry; without an index the table's size. */
  getFnTableEntry(extension: LlextExtension | undefined, isInit: boolean, index?: number): handlers.FunctionTableEntry {
    return handlers.getFnTableEntry(this.provided('llext_get_fn_table_entry'), extension, isInit, index);
  }

  /** llext_bringup: the init functions; 0 or -EFAULT. */
  bringup(extension: LlextExtension | undefined): GuestCalls {
    return handlers.callFnTable(this.provided('llext_bringup'), extension, true);
  }

  /** llext_teardown: the fini functions. */
  teardown(extension: LlextExtension | undefined): GuestCalls {
    return handlers.callFnTable(this.provided('llext_teardown'), extension, false);
  }

  /** llext_bootstrap: init functions, entry(userData), fini functions. */
  bootstrap(extension: LlextExtension, entry: bigint, userData: bigint): GuestCalls<void> {
    return handlers.bootstrap(this.provided('llext_bootstrap'), extension, entry, userData);
  }

  // --- Memory (llext-partitions.ts, llext-heap.ts) -----------------------------------------------------------------

  /** llext_add_domain */
  addDomain(extension: LlextExtension, domain: MemDomain): number {
    return addDomain(this.provided('llext_add_domain'), extension, domain);
  }

  /** llext_heap_init */
  heapInit(range: HeapRange): number {
    return heap.heapInit(this.provided('llext_heap_init'), range);
  }

  /** llext_heap_init_harvard */
  heapInitHarvard(instruction: HeapRange, data: HeapRange): number {
    return heap.heapInitHarvard(this.provided('llext_heap_init_harvard'), instruction, data);
  }

  /** llext_heap_uninit */
  heapUninit(): number {
    return heap.heapUninit(this.provided('llext_heap_uninit'));
  }

  // --- Suspend and resume (llext-experimental.ts) ------------------------------------------------------------------

  /** llext_relink_dependency of `count` copies of struct llext that lie behind each other. */
  relinkDependency(copies: bigint, count: number): number {
    return experimental.relinkDependency(this.provided('llext_relink_dependency'), copies, count);
  }

  /** llext_restore. The host keeps what it knows of their sections from the loads under the same names. */
  restore(copies: readonly bigint[], loaders: readonly LlextLoader[]): experimental.RestoreResult {
    const { subsystem } = this;
    const result = experimental.restore(this.provided('llext_restore'), copies, loaders);
    const records = result.extensions.flatMap((address): ExtensionRecord[] => {
      if (address === 0n || result.ret !== 0) return [];
      const name = this.nameOfStruct(address);
      const known = this.records.find((record) => record.name === name);
      const none = { sections: [], partitions: new Map() };
      return [{ ...none, ...known, id: this.nextId++, name, address }];
    });
    const replaced = new Set(records.map(({ name }) => name));
    this.records = [...this.records.filter(({ name }) => !replaced.has(name)), ...records];
    for (const { id, name, address } of records) {
      subsystem.listener?.({ kind: 'loaded', instance: { id, name, address } });
    }
    return result;
  }

  /** The name in a struct llext; '' where there is no memory. */
  nameOfStruct(ext: bigint): string {
    return displayName(list.extensionName(this.subsystem, ext));
  }

  /** Whether the shell's load_hex refuses what is too long for its buffer. */
  get limitsHex(): boolean {
    return this.subsystem.profile.shellLimitsHex;
  }

  /** Whether the configured version has a function of the API; the others throw LlextError ENOSYS. */
  provides(name: ApiName): boolean {
    return hasApi(this.subsystem.profile.profileName, name);
  }

  /** Every function of the API that the configured version has goes through here. */
  private provided(name: ApiName): Subsystem {
    requireApi(this.subsystem.profile.profileName, name);
    return this.subsystem;
  }

  private viewOf(ext: bigint): LlextExtension {
    const record = this.records.find(({ address }) => address === ext);
    // A struct that this object did not load (found in the memory of a target): no sections are known.
    const unknown = { id: 0, name: this.nameOfStruct(ext), address: ext, sections: [], partitions: new Map() };
    return new LlextExtension(this.subsystem, record ?? unknown);
  }
}

/** Of the specification, by CPU. */
const relocationSections: Readonly<Record<LlextConfig['arch'], string>> = {
  arm: '4.2',
  arm64: '4.3',
  riscv: '4.4',
  x86: '4.5',
  arc: '4.6',
  xtensa: '4.7',
  openrisc: '4.8',
  rx: '4.8',
};

/** The oldest llext_load_param has one field. */
function knownParameters(profile: Profile, parm: LlextLoadParam): LlextLoadParam {
  return profile.loadParameters === 'all' ? parm : { ...defaultLoadParam, relocate_local: parm.relocate_local };
}
