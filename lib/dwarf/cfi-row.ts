/**
 * Executes call frame instructions (6.4.2): the CIE's give the initial rules, the FDE's then build the table row by
 * row. DW_CFA_restore goes back to a rule of the CIE, DW_CFA_restore_state to a remembered row, CFA included.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { Cie, Fde } from './cfi';
import { Cfa } from './constants';
import type { CfaRule, CfiRow, RegisterRule } from './model';
import type { MachineRegisters } from './regnum';

/** More remembered states or rows than this is a damaged file. */
const deepestStack = 1000;
const mostRows = 100_000;

/** One row under construction, without its addresses. */
interface State {
  cfa: CfaRule | undefined;
  registers: Map<number, RegisterRule>;
}

/** The rows of an FDE in order of address; rows without instructions between them are left out. */
export function executeFde(fde: Fde, machine: MachineRegisters): readonly CfiRow[] {
  const executor = new Executor(fde, machine);
  executor.run(fde.cie.instructions.at(fde.cie.instructions.offset));
  executor.startTable();
  executor.run(fde.instructions.at(fde.instructions.offset));
  executor.finishRow(fde.range.end);
  return executor.rows;
}

class Executor {
  readonly rows: CfiRow[] = [];
  private state: State = { cfa: undefined, registers: new Map() };
  private initial: ReadonlyMap<number, RegisterRule> | undefined;
  private readonly remembered: State[] = [];
  private location: bigint;

  constructor(
    private readonly fde: Fde,
    private readonly machine: MachineRegisters,
  ) {
    this.location = fde.range.start;
  }

  /** From here on, DW_CFA_restore and advances have a meaning. */
  startTable(): void {
    this.initial = new Map(this.state.registers);
  }

  run(reader: ByteReader): void {
    while (!reader.atEnd) {
      const opcode = reader.u8();
      const operand = opcode & 0x3f;
      switch (opcode & 0xc0) {
        case Cfa.DW_CFA_advance_loc:
          this.advance(BigInt(operand));
          break;
        case Cfa.DW_CFA_offset:
          this.setOffset(operand, BigInt.asIntN(64, reader.uleb()));
          break;
        case Cfa.DW_CFA_restore:
          this.restore(operand, reader);
          break;
        default:
          if (!this.runCfaDefinition(opcode, reader)) this.runExtended(opcode, reader);
      }
    }
  }

  /** What the instructions so far say holds up to `end`; several may act at one address. */
  finishRow(end: bigint): void {
    const { cie, range: functionRange } = this.fde;
    const start = this.location;
    if (start >= end) return;
    if (this.rows.length >= mostRows) throw new FormatError('bad-size', cie.instructions.section, 0);
    const registers = new Map(this.state.registers);
    const { returnAddressRegister, signalFrame } = cie;
    const { cfa } = this.state;
    this.rows.push({ range: { start, end }, functionRange, cfa, registers, returnAddressRegister, signalFrame });
  }

  private advance(delta: bigint): void {
    this.moveTo(this.location + delta * this.fde.cie.codeAlignment);
  }

  private moveTo(location: bigint): void {
    this.finishRow(location);
    this.location = location;
  }

  private set(register: number, rule: RegisterRule): void {
    this.state.registers.set(register, rule);
  }

  private setOffset(register: number, factored: bigint): void {
    this.set(register, { kind: 'offset', offset: factored * this.fde.cie.dataAlignment });
  }

  /** Back to the CIE's rule; a CIE itself has nothing to go back to. */
  private restore(register: number, reader: ByteReader): void {
    if (this.initial === undefined) throw new FormatError('bad-opcode', reader.section, reader.offset);
    const rule = this.initial.get(register);
    if (rule === undefined) this.state.registers.delete(register);
    else this.set(register, rule);
  }

  private expression(reader: ByteReader): { bytes: Uint8Array; unit: Cie['unit'] } {
    return { bytes: reader.take8(reader.ulebNumber()), unit: this.fde.cie.unit };
  }

  private runCfaDefinition(opcode: number, reader: ByteReader): boolean {
    const { dataAlignment } = this.fde.cie;
    switch (opcode) {
      case Cfa.DW_CFA_def_cfa:
        this.state.cfa = { kind: 'register', register: reader.ulebNumber(), offset: reader.uleb() };
        return true;
      case Cfa.DW_CFA_def_cfa_sf:
        this.state.cfa = { kind: 'register', register: reader.ulebNumber(), offset: reader.sleb() * dataAlignment };
        return true;
      case Cfa.DW_CFA_def_cfa_register: {
        // GNU as begins the CIE of RISC-V with this: from no rule it means an offset of 0.
        const offset = this.state.cfa === undefined ? 0n : this.registerCfa(reader).offset;
        this.state.cfa = { kind: 'register', register: reader.ulebNumber(), offset };
        return true;
      }
      case Cfa.DW_CFA_def_cfa_offset:
        this.state.cfa = { ...this.registerCfa(reader), offset: reader.uleb() };
        return true;
      case Cfa.DW_CFA_def_cfa_offset_sf:
        this.state.cfa = { ...this.registerCfa(reader), offset: reader.sleb() * dataAlignment };
        return true;
      case Cfa.DW_CFA_def_cfa_expression:
        this.state.cfa = { kind: 'expression', expression: this.expression(reader) };
        return true;
      default:
        return false;
    }
  }

  /** The instructions that change half of a rule need a rule of register and offset (6.4.2.2). */
  private registerCfa(reader: ByteReader): Extract<CfaRule, { kind: 'register' }> {
    const { cfa } = this.state;
    if (cfa?.kind !== 'register') throw new FormatError('bad-opcode', reader.section, reader.offset);
    return cfa;
  }

  private runExtended(opcode: number, reader: ByteReader): void {
    const { cie } = this.fde;
    switch (opcode) {
      case Cfa.DW_CFA_nop:
        break;
      case Cfa.DW_CFA_set_loc:
        this.moveTo(this.machine.codeAddress(reader.unsigned(cie.addressSize)));
        break;
      case Cfa.DW_CFA_advance_loc1:
        this.advance(BigInt(reader.u8()));
        break;
      case Cfa.DW_CFA_advance_loc2:
        this.advance(BigInt(reader.u16()));
        break;
      case Cfa.DW_CFA_advance_loc4:
        this.advance(BigInt(reader.u32()));
        break;
      case Cfa.DW_CFA_remember_state:
        if (this.remembered.length >= deepestStack) throw new FormatError('too-deep', reader.section, reader.offset);
        this.remembered.push({ cfa: this.state.cfa, registers: new Map(this.state.registers) });
        break;
      case Cfa.DW_CFA_restore_state: {
        const state = this.remembered.pop();
        if (state === undefined) throw new FormatError('bad-opcode', reader.section, reader.offset);
        this.state = state;
        break;
      }
      case Cfa.DW_CFA_GNU_args_size:
        reader.uleb();
        break;
      default:
        this.runRule(opcode, reader);
    }
  }

  private runRule(opcode: number, reader: ByteReader): void {
    const { dataAlignment } = this.fde.cie;
    const at = reader.offset - 1;
    const register = (): number => reader.ulebNumber();
    switch (opcode) {
      case Cfa.DW_CFA_offset_extended:
        return this.setOffset(register(), BigInt.asIntN(64, reader.uleb()));
      case Cfa.DW_CFA_offset_extended_sf:
        return this.setOffset(register(), reader.sleb());
      case Cfa.DW_CFA_GNU_negative_offset_extended:
        return this.setOffset(register(), -BigInt.asIntN(64, reader.uleb()));
      case Cfa.DW_CFA_restore_extended:
        return this.restore(register(), reader);
      case Cfa.DW_CFA_undefined:
        return this.set(register(), { kind: 'undefined' });
      case Cfa.DW_CFA_same_value:
        return this.set(register(), { kind: 'same-value' });
      case Cfa.DW_CFA_register:
        return this.set(register(), { kind: 'register', register: register() });
      case Cfa.DW_CFA_val_offset:
        return this.set(register(), { kind: 'val-offset', offset: reader.uleb() * dataAlignment });
      case Cfa.DW_CFA_val_offset_sf:
        return this.set(register(), { kind: 'val-offset', offset: reader.sleb() * dataAlignment });
      case Cfa.DW_CFA_expression:
        return this.set(register(), { kind: 'expression', expression: this.expression(reader) });
      case Cfa.DW_CFA_val_expression:
        return this.set(register(), { kind: 'val-expression', expression: this.expression(reader) });
      default:
        throw new FormatError('bad-opcode', reader.section, at, `DW_CFA 0x${opcode.toString(16)}`);
    }
  }
}
