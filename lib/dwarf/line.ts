/**
 * Line number programs (6.2): a byte code whose state machine appends the rows of the line table.
 * A row's fields are the machine's registers (6.2.2); rows are in the program's order, and a sequence ends with
 * the row of DW_LNE_end_sequence, whose address is one past its last instruction. A large program has millions of rows:
 * who goes over them gets the registers themselves, row after row, and no object of each.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { Line } from './constants';
import { readFileEntry2, readLineHeader, type LineHeader } from './line-header';
import { type SequenceExtent, sequencesWithLine } from './line-search';
import type { RawCursor } from './raw-cursor';
import type { DwarfSections } from './sections';

/** The registers as a row has them. The address is in two halves: numbers are exact and, unlike bigint, cost nothing. */
export interface LineRegisters {
  readonly addressLow: number;
  readonly addressHigh: number;
  /** The table's number of it. */
  readonly file: number;
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
  readonly prologueEnd: boolean;
  readonly endSequence: boolean;
  readonly discriminator: number;
}

/** A row as an object. */
export interface RawLineRow extends Omit<LineRegisters, 'addressLow' | 'addressHigh'> {
  readonly address: bigint;
}

export interface RawLineTable {
  readonly header: LineHeader;
  readonly rows: readonly RawLineRow[];
  /** Runs the program; the registers change with every row. A program that breaks yields the rows until there. */
  walk(visit: (row: LineRegisters) => void, part?: SequenceExtent): void;
  /** Parts with statements of a line of one of the files; undefined: to be found by walking all of it. */
  partsWithLine(files: ReadonlySet<number>, line: number): readonly SequenceExtent[] | undefined;
}

/** Throws FormatError when the header cannot be read; the program runs when its rows are asked for. */
export function readLineTable(sections: DwarfSections, offset: number): RawLineTable {
  const header = readLineHeader(sections, offset);
  const declaredFiles = header.files.length;
  let rows: readonly RawLineRow[] | undefined;
  const walk: RawLineTable['walk'] = (visit, part = { start: header.program, end: header.end }) => {
    const run = (): void => new LineMachine(sections, header, part, declaredFiles, visit).run();
    sections.guard(`line table at 0x${header.offset.toString(16)}`, run, undefined);
  };
  return {
    header,
    walk,
    partsWithLine: (files, line) => sequencesWithLine(sections, header, files, line),
    get rows(): readonly RawLineRow[] {
      if (rows === undefined) {
        const all: RawLineRow[] = [];
        walk((row) => void all.push(rowOf(row)));
        rows = all;
      }
      return rows;
    },
  };
}

function rowOf(registers: LineRegisters): RawLineRow {
  const { addressLow, addressHigh, file, line, column, isStatement, prologueEnd, endSequence, discriminator } =
    registers;
  const address = addressOf(addressLow, addressHigh);
  return { address, file, line, column, isStatement, prologueEnd, endSequence, discriminator };
}

export function addressOf(low: number, high: number): bigint {
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

const half = 2 ** 32;

/** The state machine of 6.2.2; its registers start anew with every sequence. */
class LineMachine implements LineRegisters {
  addressLow = 0;
  addressHigh = 0;
  file = 1;
  line = 1;
  column = 0;
  isStatement: boolean;
  prologueEnd = false;
  endSequence = false;
  discriminator = 0;
  private readonly cursor: RawCursor;
  private readonly is64: boolean;
  private readonly hasThumbBit: boolean;
  private operation = 0;

  constructor(
    sections: DwarfSections,
    private readonly header: LineHeader,
    part: SequenceExtent,
    /** Number of the first file that the program itself defines. */
    private nextFile: number,
    private readonly visit: (row: LineRegisters) => void,
  ) {
    this.cursor = sections.cursor('.debug_line', part.start, part.end);
    this.is64 = header.addressSize === 8;
    this.hasThumbBit = sections.registers.codeAddress(1n) === 0n;
    this.isStatement = header.defaultIsStatement;
  }

  run(): void {
    const { cursor, header } = this;
    while (!cursor.atEnd) {
      const opcode = cursor.u8();
      if (opcode >= header.opcodeBase) this.special(opcode);
      else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
  }

  private reset(): void {
    this.addressLow = 0;
    this.addressHigh = 0;
    this.operation = 0;
    this.file = 1;
    this.line = 1;
    this.column = 0;
    this.isStatement = this.header.defaultIsStatement;
    this.prologueEnd = false;
    this.discriminator = 0;
  }

  /** Bit 0 of a Thumb function's address is not part of it; the program goes on from where it was. */
  private append(endSequence: boolean): void {
    const low = this.addressLow;
    if (this.hasThumbBit && low % 2 === 1) this.addressLow = low - 1;
    this.endSequence = endSequence;
    this.visit(this);
    this.addressLow = low;
    this.prologueEnd = false;
    this.discriminator = 0;
  }

  /** "operation advance" of 6.2.5.1: for VLIW, several operations share an instruction address. */
  private advance(operations: number): void {
    const { minimumInstructionLength, maximumOperations } = this.header;
    if (maximumOperations === 1) {
      this.step(minimumInstructionLength * operations);
      return;
    }
    const sum = this.operation + operations;
    this.step(minimumInstructionLength * Math.floor(sum / maximumOperations));
    this.operation = sum % maximumOperations;
  }

  private step(bytes: number): void {
    const low = this.addressLow + bytes;
    if (low < half) this.addressLow = low;
    else this.place(this.addressHigh * half + low, low);
  }

  /** Behind 32 bits: of a large step the sum is rounded, which only a damaged program asks for. */
  private place(sum: number, low: number): void {
    this.addressLow = low % half;
    this.addressHigh = this.is64 ? Math.floor(sum / half) % half : 0;
  }

  /** The line register is an unsigned 32-bit number in every producer and consumer. */
  private advanceLine(delta: number): void {
    this.line = (this.line + delta) >>> 0;
  }

  private special(opcode: number): void {
    const { opcodeBase, lineRange, lineBase } = this.header;
    const adjusted = opcode - opcodeBase;
    if (lineRange === 0) this.refuseLineRange();
    this.advance(Math.floor(adjusted / lineRange));
    this.advanceLine(lineBase + (adjusted % lineRange));
    this.append(false);
  }

  private standard(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case Line.DW_LNS_copy:
        this.append(false);
        break;
      case Line.DW_LNS_advance_pc:
        this.advance(cursor.uleb());
        break;
      case Line.DW_LNS_advance_line:
        this.advanceLine(cursor.sleb32());
        break;
      case Line.DW_LNS_set_file:
        this.file = cursor.uleb();
        break;
      case Line.DW_LNS_set_column:
        this.column = cursor.uleb();
        break;
      case Line.DW_LNS_negate_stmt:
        this.isStatement = !this.isStatement;
        break;
      case Line.DW_LNS_set_basic_block:
      case Line.DW_LNS_set_epilogue_begin:
        break;
      case Line.DW_LNS_const_add_pc:
        if (this.header.lineRange === 0) this.refuseLineRange();
        this.advance(Math.floor((255 - this.header.opcodeBase) / this.header.lineRange));
        break;
      case Line.DW_LNS_fixed_advance_pc:
        this.step(cursor.unsigned(2));
        this.operation = 0;
        break;
      case Line.DW_LNS_set_prologue_end:
        this.prologueEnd = true;
        break;
      case Line.DW_LNS_set_isa:
        cursor.uleb();
        break;
      default:
        // A standard opcode of a later version: its operands can be skipped (6.2.5.2).
        for (let n = this.header.opcodeLengths[opcode]; n > 0; n--) cursor.uleb();
    }
  }

  /** Each has its length first, so that the next opcode is found whatever this one is. */
  private extended(): void {
    const { cursor } = this;
    const length = cursor.uleb();
    const start = cursor.offset;
    const end = start + length;
    if (end > cursor.end) throw new FormatError('bad-size', '.debug_line', start);
    if (length === 0) return;
    switch (cursor.u8()) {
      case Line.DW_LNE_end_sequence:
        this.append(true);
        this.reset();
        break;
      case Line.DW_LNE_set_address:
        this.setAddress(length - 1, start);
        break;
      case Line.DW_LNE_define_file: {
        const operand = this.operand(length);
        this.header.files[this.nextFile++] = readFileEntry2(operand, operand.cstring());
        break;
      }
      case Line.DW_LNE_set_discriminator:
        this.discriminator = cursor.uleb();
        if (cursor.offset > end) throw new FormatError('leb128', '.debug_line', start);
        break;
      default:
        // An extended opcode of a vendor: its length says where the next one is (6.2.5.3).
        break;
    }
    cursor.offset = end;
  }

  /** What follows an extended opcode's number. */
  private operand(length: number): ByteReader {
    const { bytes, littleEndian, section, offset, start } = this.cursor;
    const at = offset - start;
    return new ByteReader(bytes, littleEndian, section, at, at + length - 1);
  }

  private setAddress(size: number, start: number): void {
    if (size < 1 || size > 8) throw new FormatError('bad-size', '.debug_line', start);
    const { cursor } = this;
    this.operation = 0;
    if (size <= 4) {
      this.addressLow = cursor.unsigned(size);
      this.addressHigh = 0;
      return;
    }
    const first = cursor.unsigned(cursor.littleEndian ? 4 : size - 4);
    const second = cursor.unsigned(cursor.littleEndian ? size - 4 : 4);
    [this.addressLow, this.addressHigh] = cursor.littleEndian ? [first, second] : [second, first];
  }

  private refuseLineRange(): never {
    throw new FormatError('bad-size', '.debug_line', this.header.offset);
  }
}
