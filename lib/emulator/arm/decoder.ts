/**
 * Finds the row of an instruction and what it does. Rows are bucketed by their top bits; of several that match the
 * one with the most fixed bits is taken.
 */
import type { ArmIsa } from '../../arch';
import { fieldsOf, parseDiagram, type Diagram } from '../bit-diagram';
import { coprocessorRows } from './coprocessor';
import { unpredictable, type Meaning, type Profile, type Row, type Site } from './rows';
import { thumb16 } from './thumb16';
import { branches } from './thumb32-branch';
import { dataProcessing } from './thumb32-data-processing';
import { loadStore } from './thumb32-load-store';
import { blockAndExclusive } from './thumb32-block';
import { mveRows } from './mve';
import { multiplyRows } from './thumb32-multiply';
import { dspRows } from './dsp';
import { fpRows } from './fp';
import type { OperationName } from './operations';

/** Every row of every architecture. */
export const rows: readonly Row[] = [
  ...thumb16,
  ...branches,
  ...dataProcessing,
  ...loadStore,
  ...blockAndExclusive,
  ...multiplyRows,
  ...dspRows,
  ...fpRows,
  ...coprocessorRows,
  ...mveRows,
];

interface Entry {
  readonly row: Row;
  readonly diagram: Diagram;
}

export interface Decoded {
  readonly row: Row | undefined;
  readonly operation: OperationName;
  readonly operands: readonly number[];
  /** ITSTATE of the next instruction when this is IT, else 0. */
  readonly itBlock: number;
  /** Executes whatever the IT condition is. */
  readonly unconditional: boolean;
}

const nothing: readonly [] = [];

export function profileOf(isa: ArmIsa): Profile {
  if (isa.v8mMain) return 'v8m-main';
  if (isa.v8mBase) return 'v8m-base';
  return isa.v7m ? 'v7m' : 'v6m';
}

function hasExtension(row: Row, isa: ArmIsa): boolean {
  if (row.extension === 'dsp') return isa.dsp;
  if (row.extension === 'fp' || row.extension === 'fp-space') return isa.fp !== 'none';
  if (row.extension === 'fpv5') return isa.fp !== 'none' && isa.fpVersion === 5;
  if (row.extension === 'fp64') return isa.fp === 'double';
  return true;
}

/** `first` rows, then those with more fixed bits. */
const rank = ({ row, diagram }: Entry) => (row.first ? 100 : 0) + diagram.fixedBits;

export class Decoder {
  readonly profile: Profile;
  /** Indexed by the first halfword's top 9 bits; filled on first use. */
  private readonly buckets: (readonly Entry[] | undefined)[] = [];
  private readonly entries: readonly Entry[];

  constructor(isa: ArmIsa) {
    this.profile = profileOf(isa);
    this.entries = rows
      .filter((row) => row.in.includes(this.profile) && hasExtension(row, isa))
      .map((row) => ({ row, diagram: parseDiagram(row.bits) }))
      .sort((a, b) => rank(b) - rank(a));
  }

  /** The rows of this core, the most specific first. */
  get rows(): readonly Row[] {
    return this.entries.map(({ row }) => row);
  }

  /** `second` is 0 for a 16-bit instruction. */
  decode(first: number, second: number, pc: number, it: number): Decoded {
    const wide = first >>> 11 >= 0x1d;
    const word = wide ? ((first << 16) | second) >>> 0 : first;
    const entry = this.find(first, word, wide);
    if (!entry) return { row: undefined, operation: 'undefined', operands: [0], itBlock: 0, unconditional: false };
    const site: Site = { pc, it, profile: this.profile };
    const shouldBe = (word & entry.diagram.shouldBeMask) >>> 0 === entry.diagram.shouldBe;
    const meaning = shouldBe ? entry.row.exec(fieldsOf(entry.diagram, word), site) : unpredictable;
    const [operation, ...operands] = meaning;
    return {
      row: entry.row,
      operation,
      operands: operands.length === 0 ? nothing : operands,
      itBlock: operation === 'it' ? operands[0] : 0,
      unconditional: operation === 'bkpt',
    };
  }

  private find(first: number, word: number, wide: boolean): Entry | undefined {
    const key = first >>> 7;
    const bucket = (this.buckets[key] ??= this.fillBucket(key, wide));
    return bucket.find(({ diagram }) => (word & diagram.mask) >>> 0 === diagram.value);
  }

  private fillBucket(key: number, wide: boolean): Entry[] {
    return this.entries.filter(({ diagram }) => {
      if ((diagram.length === 32) !== wide) return false;
      const scale = wide ? 2 ** 23 : 2 ** 7;
      const mask = Math.floor(diagram.mask / scale);
      return (key & mask) === Math.floor(diagram.value / scale);
    });
  }
}

export type { Meaning };
