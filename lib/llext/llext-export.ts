/**
 * The base image's export table as symbol.h makes it (specification 3.1): EXPORT_SYMBOL and EXPORT_GROUP_SYMBOL put an
 * entry {name, address} into a section that the linker sorts by the variable's name, `__llext_sym_<name>`. Each symbol
 * is of a group, and a group is in the image when its CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_<GROUP> is set.
 * In an extension all of these macros are LL_EXTENSION_SYMBOL, which fills .exported_sym (exported-symbols.ts).
 */
import type { Subsystem } from './context';
import { log } from './context';
import { exportGroups } from './types';
import type { BaseExport, ExportGroup, LlextConfig } from './types';

export interface ExportGroupConfig {
  /** CONFIG_LLEXT_EXPORT_DEFAULT_GROUPS: all but DEVICE; on when absent. */
  readonly defaultGroups?: boolean;
  /** CONFIG_LLEXT_EXPORT_DEVICES */
  readonly devices?: boolean;
  /** CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_*, where one is set by itself. */
  readonly groups?: Partial<Readonly<Record<ExportGroup, boolean>>>;
}

export function isGroupExported(group: ExportGroup, config: ExportGroupConfig): boolean {
  const byDefault = group === 'DEVICE' ? config.devices === true : config.defaultGroups !== false;
  return config.groups?.[group] ?? byDefault;
}

/** The groups of a configuration, for LlextConfig.exportGroups. */
export function exportedGroups(config: ExportGroupConfig): ExportGroup[] {
  return exportGroups.filter((group) => isGroupExported(group, config));
}

/** Name of the variable that EXPORT_SYMBOL defines, without its length's limits. */
export function exportVariable(name: string): string {
  return `__llext_sym_${name}`;
}

/**
 * The rows that the build takes, in the order of the linked table: by variable name, or by SLID where the names were
 * replaced. Rows without a group were read from a linked table and stay.
 */
export function constSymbolTable(exports: readonly BaseExport[], config: LlextConfig): BaseExport[] {
  const kept = exports.filter((row) => isExported(row, config));
  if (config.exportBySlid === true) return kept.sort((a, b) => compare(a.slid ?? 0n, b.slid ?? 0n));
  return kept.sort((a, b) => compare(exportVariable(a.name), exportVariable(b.name)));
}

export function isExported({ group }: BaseExport, { exportGroups: wanted }: LlextConfig): boolean {
  return group === undefined || wanted === undefined || wanted.includes(group);
}

function compare<Key extends string | bigint>(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A device of the devicetree that nobody exports has its own hint beside the error. */
export function warnOfDevice(subsystem: Subsystem, name: string): void {
  const { profile, config } = subsystem;
  if (!name.startsWith('__device_') || config.exportDevices === true || !profile.deviceExportWarning) return;
  log(
    subsystem,
    'wrn',
    '(Device objects are not available for import because CONFIG_LLEXT_EXPORT_DEVICES is not enabled)',
  );
}
