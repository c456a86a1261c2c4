/**
 * llext.c of the 4.2 era: loading, unloading and finding extensions (specification 1.1, 1.12, 3.4). One object is one
 * target's llext subsystem. All of its guest-visible state is in guest memory; the rest is `state`, plain data, so that
 * memory and state together are a snapshot. A bad file never throws: its load returns Zephyr's errno, or a fault where
 * the machine itself would have failed.
 */
import { LlextError, Errno } from '../errors';
import type { Subsystem, LoadContext } from './context';
import { allocate, field, log, release } from './context';
import { elfSizes, emptyShdr } from './elf-records';
import type { Shdr } from './elf-records';
import { LlextExtension } from './extension';
import type { ExtensionRecord } from './extension';
import { Guest, byteString, displayName } from './guest';
import { LLEXT_MAX_NAME_LEN, llextLayout } from './layout';
import type { LayoutOptions } from './layout';
import * as list from './llext-list';
import { doLlextLoad, freeInspectionData } from './llext-load';
import { getFnTable, logFnCall } from './llext-handlers';
import type { FunctionTable } from './llext-handlers';
import { freeRegions } from './llext-mem';
import { defaultLoadParam } from './loader';
import type { LlextLoadParam, LlextLoader } from './loader';
import { assumedRules, profileFor } from './profile';
import type { AssumedRule, Profile, RuleName } from './profile';
import { regionsFor } from './regions';
import type { RegionName, Regions } from './regions';
import type { BaseExport, LlextConfig, LlextHeaps, LlextListener, LlextMemory } from './types';

export interface LlextOptions {
  readonly memory: LlextMemory;
  readonly heaps: LlextHeaps;
  readonly config: LlextConfig;
  /** The base image's export table, in its order. */
  readonly exports: readonly BaseExport[];
  /** Guest address of llext_list (two pointers), which the target's start-up code has zeroed. */
  readonly listAddress: bigint;
  readonly listener?: LlextListener;
}

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
    const { config } = options;
    const exports = new Map<string, bigint>();
    for (const { name, address } of options.exports) {
      const key = byteString(name);
      if (!exports.has(key)) exports.set(key, address);
    }
    const usedRules = new Set<RuleName>();
    const profile = profileFor(config.profile ?? 'V41', usedRules);
    const regions = regionsFor(profile, config);
    this.subsystem = {
      guest: new Guest(options.memory, config.pointerSize, config.bigEndian !== true),
      heaps: options.heaps,
      config,
      profile,
      usedRules,
      regions,
      layout: config.layout ?? llextLayout(config.pointerSize, layoutOptions(config, profile, regions)),
      sizes: elfSizes(config.pointerSize),
      exports,
      listAddress: options.listAddress,
      listener: options.listener,
    };
    this.shapeRules = [...usedRules];
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
    const { usedRules, profile, regions } = this.subsystem;
    usedRules.clear();
    for (const name of this.shapeRules) usedRules.add(name);
    if (loader.state.sects.length !== regions.COUNT) loader.state.sects = regions.names.map(emptyShdr);
    const outcome = this.loadOrFault(loader, byteString(name), parm);
    const assumed = assumedRules(profile.profileName, usedRules);
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
    const shared = { subsystem, guest, profile, regions };
    const context: LoadContext = { ...shared, ldr: loader, ext, parm, instance, placed: [], work: 0, lastPair: 0 };
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
    const record: ExtensionRecord = { id: instance.id, name: instance.name, address: ext, sections: context.placed };
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

  /** llext_free_inspection_data, after a load with keep_section_info. */
  freeInspectionData(loader: LlextLoader, extension: LlextExtension): number {
    const { subsystem } = this;
    freeInspectionData(subsystem, extension.address, loader);
    return 0;
  }

  /** llext_by_name: compares 15 characters. */
  byName(name: string): LlextExtension | undefined {
    const ext = list.extensionByName(this.subsystem, byteString(name));
    return ext === 0n ? undefined : this.viewOf(ext);
  }

  /** The loaded extensions in list order. */
  extensions(): LlextExtension[] {
    return list.loadedExtensions(this.subsystem).map((ext) => this.viewOf(ext));
  }

  /** llext_find_sym in the base image's table (no extension given) or in an extension's exp_tab. */
  findSym(name: string, extension?: LlextExtension): bigint | undefined {
    const { subsystem } = this;
    const key = byteString(name);
    const address =
      extension === undefined
        ? subsystem.exports.get(key)
        : list.findInTable(subsystem, extension.address + BigInt(subsystem.layout.exp_tab), key);
    return address === undefined || address === 0n ? undefined : address;
  }

  /** llext_find_extension_sym: the first loaded extension that exports the name. */
  findExtensionSym(name: string): { address: bigint; extension: LlextExtension } | undefined {
    const found = list.findExtensionSym(this.subsystem, byteString(name));
    return found.address === 0n ? undefined : { address: found.address, extension: this.viewOf(found.ext) };
  }

  /** llext_get_fn_table: what llext_bringup (isInit) or llext_teardown calls, in order. */
  getFnTable(extension: LlextExtension, isInit: boolean): FunctionTable {
    return getFnTable(this.subsystem, extension, isInit);
  }

  /** The message that Zephyr logs before it calls one of them. */
  logFnCall(isInit: boolean, address: bigint): void {
    logFnCall(this.subsystem, isInit, address);
  }

  private viewOf(ext: bigint): LlextExtension {
    const record = this.records.find(({ address }) => address === ext);
    // A struct that this object did not load (found in the memory of a target): no sections are known.
    const name = displayName(list.extensionName(this.subsystem, ext));
    return new LlextExtension(this.subsystem, record ?? { id: 0, name, address: ext, sections: [] });
  }
}

function layoutOptions(config: LlextConfig, profile: Profile, regions: Regions): LayoutOptions {
  const { userspace, userspaceSizes, memblkBlockSize } = config;
  return {
    structLayout: profile.structLayout,
    regionCount: regions.COUNT,
    partitions: regions.PARTITIONS,
    userspace: userspace === true ? userspaceSizes : undefined,
    memAllocMap: memblkBlockSize !== undefined && profile.memAllocMap,
  };
}
