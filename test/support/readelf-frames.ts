/** Reads the call-frame tables that `readelf --debug-dump=frames-interp` prints. */
import { runTool } from './tools';

export interface InterpretedFde {
  readonly start: number;
  readonly end: number;
  /** 'r13+24 r4=c-24 r14=c-4': registers in order, those without a rule left out; by start address. */
  readonly rows: Map<number, string>;
}

export function interpretedFrames(readelf: string, path: string): InterpretedFde[] {
  const fdes: InterpretedFde[] = [];
  let columns: string[] = [];
  let returnAddress = '';
  let isFde = false;
  let initial = '';
  for (const text of runTool(readelf, ['--debug-dump=frames-interp', path]).split('\n')) {
    const entry = /^[0-9a-f]{8} [0-9a-f]+ [0-9a-f]+ (CIE|FDE)(.*)/.exec(text);
    if (entry !== null) {
      isFde = entry[1] === 'FDE';
      columns = [];
      if (isFde) {
        const [, start, end] = /pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(entry[2]) ?? ['', '', ''];
        // A table without instructions of its own is not printed: its one row is the CIE's.
        const rows = new Map([[parseInt(start, 16), initial]]);
        fdes.push({ start: parseInt(start, 16), end: parseInt(end, 16), rows });
      } else returnAddress = 'r' + (/ ra=(\d+)/.exec(entry[2])?.[1] ?? '');
      continue;
    }
    const words = text.trim().split(/\s+/);
    if (words[0] === 'LOC') columns = words.slice(2).map((name) => (name === 'ra' ? returnAddress : name));
    else if (/^[0-9a-f]{8}$/.test(words[0]) && words.length > 1) {
      const rules = columns.map((name, i) => `${name}=${words[i + 2]}`).filter((rule) => !rule.endsWith('=u'));
      const row = [words[1], ...rules].join(' ');
      if (isFde) fdes.at(-1)?.rows.set(parseInt(words[0], 16), row);
      else initial = row;
    }
  }
  return fdes;
}
