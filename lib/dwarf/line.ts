/**
 * Line number programs (6.2): a byte code whose state machine appends the rows of the line table.
 * A row's fields are the machine's registers (6.2.2); rows are kept in the program's order, and a sequence ends with
 * the row of DW_LNE_end_sequence, whose address is one past its last instruction.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { Line } from './constants';
import { readFileEntry2, readLineHeader, type LineHeader } from './line-header';
import type { DwarfSections } from './sections';

/** A row with the file as the table's number. */
export interface RawLineRow {
  readonly address: bigint;
  readonly file: number;
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
  readonly prologueEnd: boolean;
  readonly endSequence: boolean;
  readonly discriminator: number;
}

export interface RawLineTable {
  readonly header: LineHeader;
  readonly rows: readonly RawLineRow[];
}

/** Throws FormatError when the header cannot be read; the program runs when its rows are asked for. */
export function readLineTable(sections: DwarfSections, offset: number): RawLineTable {
  const header = readLineHeader(sections, offset);
  let rows: readonly RawLineRow[] | undefined;
  return {
    header,
    get rows(): readonly RawLineRow[] {
      rows ??= runLineProgram(sections, header);
      return rows;
    },
  };
}

/** A program that breaks yields the rows until there. */
function runLineProgram(sections: DwarfSections, header: LineHeader): readonly RawLineRow[] {
  const machine = new LineMachine(sections, header);
  sections.guard(`line table at 0x${header.offset.toString(16)}`, () => machine.run(), undefined);
  return machine.rows;
}

/** The state machine of 6.2.2; its registers start anew with every sequence. */
class LineMachine {
  readonly rows: RawLineRow[] = [];
  private readonly reader: ByteReader;
  private address = 0n;
  private operation = 0;
  private file = 1;
  private line = 1;
  private column = 0;
  private isStatement: boolean;
  private prologueEnd = false;
  private discriminator = 0;

  constructor(
    private readonly sections: DwarfSections,
    private readonly header: LineHeader,
  ) {
    this.reader = sections.reader('.debug_line').at(header.program, header.end);
    this.isStatement = header.defaultIsStatement;
  }

  run(): void {
    while (!this.reader.atEnd) {
      const opcode = this.reader.u8();
      if (opcode >= this.header.opcodeBase) this.special(opcode);
      else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
  }

  private reset(): void {
    this.address = 0n;
    this.operation = 0;
    this.file = 1;
    this.line = 1;
    this.column = 0;
    this.isStatement = this.header.defaultIsStatement;
    this.prologueEnd = false;
    this.discriminator = 0;
  }

  private append(endSequence: boolean): void {
    const { file, line, column, isStatement, prologueEnd, discriminator } = this;
    const address = this.sections.registers.codeAddress(this.address);
    this.rows.push({ address, file, line, column, isStatement, prologueEnd, endSequence, discriminator });
    this.prologueEnd = false;
    this.discriminator = 0;
  }

  /** "operation advance" of 6.2.5.1: for VLIW, several operations share an instruction address. */
  private advance(operations: bigint): void {
    const { minimumInstructionLength, maximumOperations } = this.header;
    const sum = BigInt(this.operation) + operations;
    const step = BigInt(minimumInstructionLength) * (sum / BigInt(maximumOperations));
    this.address = BigInt.asUintN(this.header.addressSize * 8, this.address + step);
    this.operation = Number(sum % BigInt(maximumOperations));
  }

  /** The line register is an unsigned 32-bit number in every producer and consumer. */
  private advanceLine(delta: number): void {
    this.line = (this.line + delta) >>> 0;
  }

  private special(opcode: number): void {
    const adjusted = opcode - this.header.opcodeBase;
    this.requireLineRange();
    this.advance(BigInt(Math.floor(adjusted / this.header.lineRange)));
    this.advanceLine(this.header.lineBase + (adjusted % this.header.lineRange));
    this.append(false);
  }

  private standard(opcode: number): void {
    const { reader } = this;
    switch (opcode) {
      case Line.DW_LNS_copy:
        this.append(false);
        break;
      case Line.DW_LNS_advance_pc:
        this.advance(reader.uleb());
        break;
      case Line.DW_LNS_advance_line:
        this.advanceLine(Number(BigInt.asIntN(32, reader.sleb())));
        break;
      case Line.DW_LNS_set_file:
        this.file = reader.ulebNumber();
        break;
      case Line.DW_LNS_set_column:
        this.column = reader.ulebNumber();
        break;
      case Line.DW_LNS_negate_stmt:
        this.isStatement = !this.isStatement;
        break;
      case Line.DW_LNS_set_basic_block:
      case Line.DW_LNS_set_epilogue_begin:
        break;
      case Line.DW_LNS_const_add_pc:
        this.requireLineRange();
        this.advance(BigInt(Math.floor((255 - this.header.opcodeBase) / this.header.lineRange)));
        break;
      case Line.DW_LNS_fixed_advance_pc:
        this.address = BigInt.asUintN(this.header.addressSize * 8, this.address + BigInt(reader.u16()));
        this.operation = 0;
        break;
      case Line.DW_LNS_set_prologue_end:
        this.prologueEnd = true;
        break;
      case Line.DW_LNS_set_isa:
        reader.uleb();
        break;
      default:
        // A standard opcode of a later version: its operands can be skipped (6.2.5.2).
        for (let n = this.header.opcodeLengths[opcode]; n > 0; n--) reader.uleb();
    }
  }

  /** Each has its length first, so that the next opcode is found whatever this one is. */
  private extended(): void {
    const length = this.reader.ulebNumber();
    const start = this.reader.offset;
    const end = start + length;
    if (end > this.reader.end) throw new FormatError('bad-size', '.debug_line', start);
    if (length === 0) return;
    const operand = this.reader.at(start, end);
    switch (operand.u8()) {
      case Line.DW_LNE_end_sequence:
        this.append(true);
        this.reset();
        break;
      case Line.DW_LNE_set_address: {
        const size = length - 1;
        if (size < 1 || size > 8) throw new FormatError('bad-size', '.debug_line', start);
        this.address = operand.unsigned(size);
        this.operation = 0;
        break;
      }
      case Line.DW_LNE_define_file:
        this.header.files.push(readFileEntry2(operand, operand.cstring()));
        break;
      case Line.DW_LNE_set_discriminator:
        this.discriminator = operand.ulebNumber();
        break;
      default:
        // An extended opcode of a vendor: its length says where the next one is (6.2.5.3).
        break;
    }
    this.reader.offset = end;
  }

  private requireLineRange(): void {
    if (this.header.lineRange === 0) throw new FormatError('bad-size', '.debug_line', this.header.offset);
  }
}
