/** How values are written: with the names of the symbols that addresses belong to. */
import { type FormatOptions, symbolAnnotation } from '../lib/dwarf/format';
import { demangle } from '../lib/program/demangle';
import type { Inferior } from './inferior';

export function formatOptions(inferior: Inferior): FormatOptions {
  return {
    linkageText: demangle,
    symbolText: symbolAnnotation((address) => {
      const found = inferior.programAt(address)?.labelAt(address);
      if (found !== undefined) {
        const { name, kind } = found.symbol;
        return { symbol: { name: demangle(name), kind }, offset: Number(found.offset) };
      }
      const host = inferior.target.hostSymbol(address & ~1n);
      return host && { symbol: { name: host.name, kind: 'function' }, offset: host.offset };
    }),
  };
}
