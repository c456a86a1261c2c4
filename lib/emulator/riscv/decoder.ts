/**
 * Finds the row of an instruction and what it does. Rows are bucketed by their opcode and funct3 bits; of several that
 * match the one with the most fixed bits is taken.
 */
import type { RiscvIsa } from '../../arch';
import { fieldsOf } from '../bit-diagram';
import { illegal, Site, type Extension, type Meaning, type Row } from './rows';
import { baseRows } from './rows-base';
import { bitmanipRows } from './rows-bitmanip';
import { compressedRows } from './rows-compressed';
import { floatRows } from './rows-float';

/** Every row of RV32 and RV64. */
export const rows: readonly Row[] = [...baseRows, ...bitmanipRows, ...floatRows, ...compressedRows];

function has(isa: RiscvIsa, extension: Extension): boolean {
  switch (extension) {
    case 'M':
      return isa.m;
    case 'A':
      return isa.a;
    case 'F':
      return isa.f;
    case 'D':
      return isa.d;
    case 'Zba':
      return isa.zba;
    case 'Zbb':
      return isa.zbb;
    case 'Zbc':
      return isa.zbc;
    case 'Zbs':
      return isa.zbs;
    default:
      return true;
  }
}

const isFloat = (row: Row) => [row.extension, row.also].some((name) => name === 'F' || name === 'D');

export class Decoder {
  readonly rows: readonly Row[];
  private readonly buckets: (readonly Row[] | undefined)[] = [];

  constructor(private readonly isa: RiscvIsa) {
    this.rows = rows
      .filter(({ extension, also, xlen }) => {
        return has(isa, extension) && (!also || has(isa, also)) && (xlen === undefined || xlen === isa.xlen);
      })
      .sort((a, b) => b.diagram.fixedBits - a.diagram.fixedBits);
  }

  /** The row of an instruction; the upper half of a compressed one does not matter. */
  find(word: number): Row | undefined {
    const wide = (word & 3) === 3;
    const value = wide ? word : word & 0xffff;
    // funct3 and opcode: bits 14:12 and 6:0, or 15:13 and 1:0.
    const key = wide ? ((word >>> 5) & 0x380) | (word & 0x7f) : 0x400 | ((word >>> 11) & 0x1c) | (word & 3);
    const bucket = (this.buckets[key] ??= this.fillBucket(value, wide));
    return bucket.find(({ diagram }) => (value & diagram.mask) >>> 0 === diagram.value);
  }

  decode(word: number, pc: number, floatIsOff: boolean): Meaning {
    const row = this.find(word);
    if (!row || (floatIsOff && isFloat(row))) return illegal;
    return row.exec(fieldsOf(row.diagram, word), new Site(pc, this.isa.xlen));
  }

  private fillBucket(value: number, wide: boolean): Row[] {
    const key = wide ? 0x707f : 0xe003;
    return this.rows.filter(({ diagram }) => {
      const common = diagram.mask & key;
      return (diagram.length === 32) === wide && (value & common) === (diagram.value & common);
    });
  }
}
