/**
 * Puts together what the parts of one llext subsystem share: the rules and the structures of the configured version, the
 * base image's export table, and the target's memory and heaps.
 */
import { baseExportsOf } from './base-exports';
import type { Subsystem } from './context';
import { LOG_LEVEL_INF, log } from './context';
import { elfSizes } from './elf-records';
import { Guest } from './guest';
import { llextLayout } from './layout';
import type { LayoutOptions, LlextLayout } from './layout';
import { isExported } from './llext-export';
import { profileFor } from './profile';
import type { Profile, RuleName } from './profile';
import { regionsFor } from './regions';
import type { Regions } from './regions';
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
  /** false: nobody wants to hear of single relocations, and sections are linked in one go. */
  readonly relocationEvents?: boolean;
}

export function createSubsystem(options: LlextOptions): Subsystem {
  const { config, heaps, listener, listAddress } = options;
  const usedRules = new Set<RuleName>();
  const profile = profileFor(config.profile ?? 'V41', usedRules);
  const regions = regionsFor(profile, config);
  // Before there were groups, every EXPORT_SYMBOL was in the table.
  const table = profile.exportGroups ? options.exports.filter((row) => isExported(row, config)) : options.exports;
  const subsystem: Subsystem = {
    guest: new Guest(options.memory, config.pointerSize, config.bigEndian !== true),
    heaps,
    config,
    profile,
    usedRules,
    assumedRelocations: new Set(),
    regions,
    layout: layoutFor(config, profile, regions),
    sizes: elfSizes(config.pointerSize),
    exports: baseExportsOf(config, table),
    listAddress,
    listener,
    tellsRelocations:
      listener !== undefined && (options.relocationEvents !== false || config.logLevel >= LOG_LEVEL_INF),
  };
  heaps.setReport?.((message) => log(subsystem, 'err', message));
  return subsystem;
}

/** Where a target has struct llext's fields: by the base image's debug information, else by its version. */
export function configuredLayout(config: LlextConfig): { readonly layout: LlextLayout; readonly regions: Regions } {
  const profile = profileFor(config.profile ?? 'V41');
  const regions = regionsFor(profile, config);
  return { layout: layoutFor(config, profile, regions), regions };
}

function layoutFor(config: LlextConfig, profile: Profile, regions: Regions): LlextLayout {
  return config.layout ?? llextLayout(config.pointerSize, layoutOptions(config, profile, regions));
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
