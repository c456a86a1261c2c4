/** `llext inspect zephyr.elf`: what a base image offers to extensions: export table, configuration, heaps, structures. */
import { hex } from '../lib/bytes';
import type { BaseImageDescription, BaseImageExport } from '../lib/base-image';
import { EXPORT_SECTION, EXPORT_START } from '../lib/base-image/export-table';
import { machineText } from '../lib/base-image/machine';
import { ET_EXEC } from '../lib/elf/constants';
import type { ElfFile } from '../lib/elf/elf-file';
import { findBaseExport } from '../lib/kernel/base-image';
import { needsKernel } from '../lib/kernel/kernel-dependent';
import { table } from './output';

/** A linked image, or a shared object that has an export table: extensions may be shared objects too. */
export function isBaseImage(elf: ElfFile): boolean {
  if (elf.header.e_type === ET_EXEC) return true;
  return elf.section(EXPORT_SECTION) !== undefined || elf.symbols().some(({ name }) => name === EXPORT_START);
}

/** Who executes an export in a session. */
function performedBy({ name, address }: BaseImageExport): 'host' | 'stops' | 'image' | undefined {
  if (address === 0n) return undefined;
  if (name !== undefined && findBaseExport(name)?.kind === 'function') return 'host';
  return name !== undefined && needsKernel(name) ? 'stops' : 'image';
}

export function baseImageJson(base: BaseImageDescription): object {
  const { machine, config, kconfig, heaps, exports } = base;
  const { layout, regions, ...settings } = config;
  return {
    file: base.origin,
    kind: 'base image',
    machine: machine === undefined ? undefined : { ...machine, text: machineText(machine) },
    zephyr: base.zephyrVersion,
    config: settings,
    kconfig: {
      source: kconfig.source,
      values: Object.fromEntries([...kconfig.values].map(([name, value]) => [name, valueOf(value)])),
    },
    exports_by: base.exportsBySlid ? 'slid' : 'name',
    exports_found_by: base.exportsFoundBy,
    exports: exports.map((entry) => ({
      name: entry.name,
      slid: entry.slid === undefined ? undefined : hex(entry.slid, config.pointerSize * 2),
      address: entry.address === undefined ? undefined : hex(entry.address),
      declaration: entry.name === undefined ? undefined : base.declarationOf(entry.name),
      performed_by: performedBy(entry),
    })),
    heaps: heaps.map(({ name, address, bytes, record }) => ({
      name,
      address: hex(address),
      bytes,
      record: record === undefined ? undefined : hex(record),
    })),
    llext_list: base.listAddress === undefined ? undefined : hex(base.listAddress),
    struct_llext: layout,
    llext_mem: regions,
    notes: base.notes,
  };
}

const valueOf = (value: bigint | string): number | string =>
  typeof value === 'string'
    ? value
    : value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : `0x${value.toString(16)}`;

const who = { host: 'the host', stops: 'stops: needs a running kernel', image: 'the image' } as const;

export function describeBaseImage(base: BaseImageDescription): string {
  const { machine, config, kconfig, heaps } = base;
  const kind = machine === undefined ? '' : `, ${machineText(machine)}`;
  const version = base.zephyrVersion === undefined ? 'an unknown version of Zephyr' : `Zephyr ${base.zephyrVersion}`;
  const exports = base.exports.map((entry) => {
    const performer = performedBy(entry);
    const address = entry.address === undefined ? '' : hex(entry.address, config.pointerSize * 2);
    const slid = entry.slid === undefined ? [] : [hex(entry.slid, config.pointerSize * 2)];
    const declaration = entry.name === undefined ? undefined : base.declarationOf(entry.name);
    const said = performer === undefined ? 'not in this build: not found' : who[performer];
    return [entry.name ?? '?', ...slid, address, said, declaration ?? ''];
  });
  const slidHead = base.exportsBySlid ? ['SLID'] : [];
  const settings = [...kconfig.values]
    .filter(([name]) => /LLEXT|MPU|MMU|USERSPACE|HARVARD|BIG_ENDIAN|64BIT|FPU/.test(name))
    .map(([name, value]) => [name, String(value)]);
  const layout = Object.entries(config.layout ?? {}).map(([name, offset]) => [name, String(offset)]);
  return [
    `${base.origin}: base image${kind}, ${version}\n`,
    `exports by ${base.exportsBySlid ? 'SLID' : 'name'}, found by ${base.exportsFoundBy}\n`,
    table([['', ...slidHead, 'address', 'in a session by', ''], ...exports]),
    settings.length === 0 ? '' : `configuration, by ${kconfig.source}\n${table(settings)}`,
    heaps.length === 0
      ? ''
      : `heaps\n${table(
          heaps.map(({ name, address, bytes }) => [name, hex(address), String(bytes)]),
          [2],
        )}`,
    base.listAddress === undefined ? '' : `llext_list at ${hex(base.listAddress)}\n`,
    layout.length === 0 ? '' : `struct llext by the debug information\n${table(layout, [1])}`,
    ...base.notes.map((note) => `  note: ${note}\n`),
  ].join('');
}
