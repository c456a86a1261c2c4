/**
 * A load as people follow it: the steps of do_llext_load in order (specification 1.2), each with what it allocated, placed,
 * relocated and said. Made of the loader's own events.
 */
import type { LlextEvent, LoadPhase } from '../llext/types';

export type TimelineEntry =
  | {
      readonly kind: 'allocation';
      readonly purpose: string;
      readonly address: bigint;
      readonly size: number;
      readonly align: number;
    }
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly region: string;
      readonly address: bigint;
      readonly size: number;
    }
  /** Relocations of one section, together. */
  | { readonly kind: 'relocations'; readonly section: string; count: number; refused: number }
  | { readonly kind: 'out-of-bounds'; readonly access: 'read' | 'write'; readonly what: string }
  | { readonly kind: 'message'; readonly level: 'err' | 'wrn'; readonly text: string };

export interface TimelineStep {
  /** 'start' is what llext_load does before do_llext_load, 'end' what it does after. */
  readonly step: LoadPhase | 'start' | 'end';
  /** In words. */
  readonly what: string;
  readonly entries: TimelineEntry[];
}

const meanings: Readonly<Record<TimelineStep['step'], string>> = {
  start: 'look for the name, allocate struct llext',
  prepare: 'prepare the loader',
  load_elf_data: 'read the ELF header, allocate the section map, find the section headers',
  find_tables: 'find the symbol table and the string tables',
  copy_strings: 'copy the string tables',
  map_sections: 'give each section its region',
  veneer_init: 'count the calls that may need a stub',
  copy_regions: 'allocate the regions and copy them: from here on addresses are final',
  copy_symbols: 'count and copy the global symbols',
  link: 'relocate',
  export_symbols: 'make the table of exports',
  permissions: 'set the permissions of pages',
  finalize: 'free what only loading needs, close the loader',
  end: 'add it to the list of extensions, or free it',
};

export function timelineOf(events: readonly LlextEvent[]): TimelineStep[] {
  const steps: TimelineStep[] = [];
  const begin = (step: TimelineStep['step']): void => void steps.push({ step, what: meanings[step], entries: [] });
  begin('start');
  for (const event of events) {
    if (event.kind === 'phase') begin(event.phase);
    else if (event.kind === 'loaded' || event.kind === 'load-failed') begin('end');
    else add(steps[steps.length - 1].entries, event);
  }
  return steps.filter(({ step, entries }) => entries.length > 0 || (step !== 'start' && step !== 'end'));
}

function add(entries: TimelineEntry[], event: LlextEvent): void {
  switch (event.kind) {
    case 'allocation': {
      const { purpose, address, size, align } = event;
      entries.push({ kind: 'allocation', purpose, address, size, align });
      break;
    }
    case 'section-placed': {
      const { name, region, address, size } = event;
      entries.push({ kind: 'section', name, region, address, size });
      break;
    }
    case 'relocation':
    case 'relocation-refused':
      countRelocation(entries, event.sectionName, event.kind === 'relocation-refused');
      break;
    case 'out-of-bounds':
      entries.push({ kind: 'out-of-bounds', access: event.access, what: event.what });
      break;
    case 'log':
      if (event.level === 'err' || event.level === 'wrn') {
        const text = event.text.replace(/^<\w+> \w+: /, '').trim();
        entries.push({ kind: 'message', level: event.level, text });
      }
      break;
    default:
  }
}

function countRelocation(entries: TimelineEntry[], section: string, refused: boolean): void {
  const last = entries.at(-1);
  if (last?.kind === 'relocations' && last.section === section) {
    last.count++;
    if (refused) last.refused++;
  } else entries.push({ kind: 'relocations', section, count: 1, refused: refused ? 1 : 0 });
}
