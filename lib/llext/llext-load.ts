/**
 * do_llext_load of llext_load.c (specification 1.2): the steps of one load in Zephyr's order, with its return codes and
 * messages. On the way out it keeps or frees exactly what Zephyr keeps or frees. File header and section headers are
 * read in llext-header.ts, tables found in llext-tables.ts, regions made in llext-map.ts, copied in llext-mem.ts and (a
 * shared object as one image) llext-dyn.ts, symbols are in llext-symbols.ts, relocation in llext-link.ts.
 */
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext, Subsystem } from './context';
import { sectMapEntrySize } from './layout';
import type { LlextLoader } from './loader';
import { loadElfData } from './llext-header';
import { link } from './llext-link';
import { mapSections } from './llext-map';
import { copyRegions, copyStrings, freeRegions } from './llext-mem';
import { adjustMmuPermissions } from './llext-partitions';
import { allocateSymtab, copySymbols, countExportSyms, exportSymbols } from './llext-symbols';
import { findTables } from './llext-tables';
import { veneerInit } from './llext-veneer';
import { noteProgDataSize } from './prog-data-size';
import type { LoadPhase } from './types';

/** 0 or a negative errno. */
export function doLlextLoad(context: LoadContext): number {
  const { guest, subsystem, ldr, profile } = context;
  guest.clear(context.ext, BigInt(subsystem.layout.sizeof));
  Object.assign(ldr.state, { sect_map: 0n, sect_cnt: 0, sect_hdrs: 0n, sect_hdrs_on_heap: false });
  const ret = runSteps(context);
  X.phase(context, 'finalize');
  finish(context, ret);
  if (profile.loaderPrepare) ldr.finalize?.();
  return ret;
}

interface Step {
  readonly phase?: LoadPhase;
  readonly announcement?: string;
  readonly run: (context: LoadContext) => number;
  readonly failure?: string;
}

const steps: readonly Step[] = [
  { phase: 'prepare', announcement: 'Loading ELF data...', run: prepare, failure: 'Failed to prepare the loader' },
  { phase: 'load_elf_data', run: loadElfData, failure: 'Failed to load basic ELF data' },
  {
    phase: 'find_tables',
    announcement: 'Finding ELF tables...',
    run: findTables,
    failure: 'Failed to find important ELF tables',
  },
  {
    phase: 'copy_strings',
    announcement: 'Allocate and copy strings...',
    run: copyStrings,
    failure: 'Failed to copy ELF string sections',
  },
  // From here on section and symbol names can be read.
  { run: checkSectionNames },
  {
    phase: 'map_sections',
    announcement: 'Mapping ELF sections...',
    run: mapSections,
    failure: 'Failed to map ELF sections',
  },
  { run: noteProgDataSize },
  { run: veneerInit },
  {
    phase: 'copy_regions',
    announcement: 'Allocate and copy regions...',
    run: copyRegions,
    failure: 'Failed to copy regions',
  },
  // From here on every section has its final address.
  {
    phase: 'copy_symbols',
    announcement: 'Counting exported symbols...',
    run: countExportSyms,
    failure: 'Failed to count exported ELF symbols',
  },
  {
    announcement: 'Allocating memory for symbol table...',
    run: allocateSymtab,
    failure: 'Failed to allocate extension symbol table',
  },
  { announcement: 'Copying symbols...', run: copySymbols, failure: 'Failed to copy symbols' },
];

const linking: Step = { phase: 'link', announcement: 'Linking ELF...', run: link, failure: 'Failed to link' };

const lastSteps: readonly Step[] = [
  { phase: 'export_symbols', run: exportSymbols, failure: 'Failed to export' },
  { phase: 'permissions', run: setPermissions },
];

/** The first step that fails ends the load with its code. */
function runSteps(context: LoadContext): number {
  const { subsystem, parm } = context;
  for (const step of [...steps, ...(parm.relocate_local ? [linking] : []), ...lastSteps]) {
    if (step.phase !== undefined) X.phase(context, step.phase);
    if (step.announcement !== undefined) X.log(subsystem, 'dbg', step.announcement);
    const ret = step.run(context);
    if (ret === 0) continue;
    if (step.failure !== undefined) X.log(subsystem, 'err', `${step.failure}, ret ${ret}`);
    return ret;
  }
  return 0;
}

function setPermissions(context: LoadContext): number {
  if (!context.parm.pre_located) adjustMmuPermissions(context);
  return 0;
}

function prepare({ ldr, profile }: LoadContext): number {
  return profile.loaderPrepare ? (ldr.prepare?.() ?? 0) : 0;
}

/** A version between 4.3 and the newest looks at all names at once. */
function checkSectionNames(context: LoadContext): number {
  const { subsystem, profile, ldr, regions } = context;
  if (profile.sectionNameBounds !== 'eager') return 0;
  const { sh_size } = ldr.state.sects[regions.SHSTRTAB];
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    const { sh_name } = X.sectionHeader(context, i);
    if (BigInt(sh_name) < sh_size) continue;
    X.log(subsystem, 'err', `Invalid section name index ${sh_name} in section ${i}`);
    return -Errno.ENOEXEC;
  }
  return 0;
}

/** Frees what only loading needs; after a failure also what the extension would have kept. */
function finish(context: LoadContext, ret: number): void {
  const { subsystem, guest, ldr, profile, parm } = context;
  const { metadata } = subsystem.heaps;
  if (!profile.sectHdrsInExtension) freeSectHdrs();
  if (ret !== 0 || !parm.keep_section_info) freeInspectionData(subsystem, context.ext, ldr);
  const sym_tab = X.field(context, 'sym_tab');
  if (subsystem.config.logLevel < X.LOG_LEVEL_DBG || ret !== 0) freeTable(sym_tab);
  if (ret !== 0) {
    X.log(subsystem, 'dbg', `Failed to load extension: ${ret}`);
    freeRegions(subsystem, context.ext);
    freeTable(X.field(context, 'exp_tab'));
    if (X.sectHdrsOnHeap(context) && profile.failedLoadFreesSectHdrs) freeSectHdrs();
    return;
  }
  const alloc_size = guest.ptr(X.field(context, 'alloc_size'));
  const text = X.pointer(X.mem(context, context.regions.TEXT));
  const rodata = X.pointer(X.mem(context, context.regions.RODATA));
  X.log(subsystem, 'dbg', `Loaded llext: ${alloc_size} bytes in heap, .text at ${text}, .rodata at ${rodata}`);

  function freeTable(table: bigint): void {
    const syms = table + BigInt(guest.pointerSize);
    X.release(metadata, guest.ptr(syms));
    guest.setPtr(table, 0n);
    guest.setPtr(syms, 0n);
  }

  function freeSectHdrs(): void {
    if (X.sectHdrsOnHeap(context)) X.release(metadata, X.sectHdrs(context));
    ldr.state.sect_hdrs_on_heap = false;
  }
}

/** llext_free_inspection_data */
export function freeInspectionData(subsystem: Subsystem, ext: bigint, ldr: LlextLoader): void {
  const { guest } = subsystem;
  if (ldr.state.sect_map === 0n) return;
  const alloc_size = X.field({ subsystem, ext }, 'alloc_size');
  const size = BigInt(ldr.state.sect_cnt * sectMapEntrySize(guest.pointerSize));
  guest.setPtr(alloc_size, guest.ptr(alloc_size) - size);
  X.release(subsystem.heaps.metadata, ldr.state.sect_map);
  ldr.state.sect_map = 0n;
}
