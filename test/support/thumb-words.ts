/** Random instruction words that a decoder row describes. */
import { Decoder } from '../../lib/emulator/arm/decoder';
import { fieldsOf, parseDiagram } from '../../lib/emulator/bit-diagram';
import type { Row, Site } from '../../lib/emulator/arm/rows';
import type { Random } from './random';

export interface Word {
  readonly halfwords: readonly number[];
  readonly row: Row;
  readonly operation: string;
}

const diagrams = new Map<Row, ReturnType<typeof parseDiagram>>();

export function diagramOf(row: Row) {
  let diagram = diagrams.get(row);
  if (!diagram) diagrams.set(row, (diagram = parseDiagram(row.bits)));
  return diagram;
}

/** A word of this row that is defined and implemented here; undefined when none turns up. */
export function randomWord(
  row: Row,
  decoder: Decoder,
  random: Random,
  site: Pick<Site, 'pc' | 'it'>,
): Word | undefined {
  const diagram = diagramOf(row);
  const fixed = (diagram.mask | diagram.shouldBeMask) >>> 0;
  for (let attempt = 0; attempt < 40; attempt++) {
    const word = ((random.next() & ~fixed) | diagram.value | diagram.shouldBe) >>> 0;
    const halfwords = diagram.length === 16 ? [word & 0xffff] : [word >>> 16, word & 0xffff];
    const decoded = decoder.decode(halfwords[0], halfwords[1] ?? 0, site.pc, site.it);
    if (decoded.row !== row || decoded.operation === 'undefined' || decoded.operation === 'not_implemented') continue;
    return { halfwords, row, operation: decoded.operation };
  }
  return undefined;
}

export { fieldsOf };
