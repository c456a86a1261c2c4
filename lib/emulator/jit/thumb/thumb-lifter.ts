/**
 * Thumb instructions as the translator wants them, from the interpreter's own decoder. `mode` is ITSTATE (A7.3.3). An operation
 * that has no emitter is executed by the interpreter from within the region, or ends the region inside an IT block.
 */
import { advanceIt, type CodeCache } from '../../arm/code-cache';
import type { Decoded } from '../../arm/decoder';
import { signExtend } from '../../arm/immediates';
import type { OperationName } from '../../arm/operations';
import { Attribute, type GuestMemory } from '../../memory';
import { mergedTable } from '../../merged-table';
import type { Flow, Guest, Lifter } from '../guest';
import { dataEmitters } from './emit-data';
import type { Emit, EmitTable } from './emit-forms';
import { memoryEmitters } from './emit-memory';
import { multiplyEmitters } from './emit-multiply';
import type { ThumbEmitter } from './thumb-emitter';
import { Op } from '../wasm';

export const thumbEmitters: EmitTable = mergedTable(dataEmitters, multiplyEmitters, memoryEmitters);

const conditions = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le'];
const conditionOf = new Map(conditions.map((name, code) => [`b_${name}`, code]));

/** Operations that stop the run, or whose targets are not known: the region ends before them. */
const stopping = new Set<OperationName>([
  ...(['bkpt', 'svc', 'undefined', 'not_implemented', 'b_even'] as const),
  ...(['tbb', 'tbh', 'tbb_pc', 'tbh_pc', 'ldr_pc_lit'] as const),
]);

const flows: Partial<Record<OperationName, Flow>> = {
  bl: 'call',
  blx: 'callTo',
  bx: 'leave',
  b_reg: 'leave',
  pop_pc: 'leave',
  ldm_pc: 'leave',
  ldr_pc_imm: 'leave',
  ldr_pc_lsl: 'leave',
  ldr_pc_pre: 'leave',
  ldr_pc_post: 'leave',
};

const literalSizes: Partial<Record<OperationName, number>> = {
  ldr_lit: 4,
  ldrh_lit: 2,
  ldrsh_lit: 2,
  ldrb_lit: 1,
  ldrsb_lit: 1,
};

/** The register is at most `limit`; after an ADR behind that, `base` is the table's address in another one. */
interface Bound {
  readonly register: number;
  readonly limit: number;
  readonly base?: { readonly register: number; readonly address: number };
}

export class ThumbLifter implements Lifter {
  /** Ranges of data that translated code has as constants. */
  readonly constants: (readonly [number, number])[] = [];
  /** By the address of the instruction that it holds for: what bounds the table of a TBB or of a load to pc. */
  private readonly bounds = new Map<number, Bound>();

  constructor(
    private readonly memory: GuestMemory,
    private readonly code: CodeCache,
    private readonly e: ThumbEmitter,
  ) {}

  modeAfter({ pc, mode }: Guest): number {
    const first = this.halfword(pc);
    // IT: A7.7.38; the hints of the same space have mask 0.
    if (first >>> 8 === 0xbf && (first & 0xf) !== 0) return first & 0xff;
    return advanceIt(mode);
  }

  lift(pc: number, mode: number): Guest {
    const stop: Guest = { pc, next: (pc + 2) >>> 0, flow: 'stop', mode };
    if (this.code.hostCalls.has(pc)) return stop;
    const first = this.halfword(pc);
    const wide = first >>> 11 >= 0x1d;
    const second = wide ? this.halfword(pc + 2) : 0;
    if (first < 0 || second < 0) return stop;
    const next = (pc + (wide ? 4 : 2)) >>> 0;
    // In an IT block nobody is asked whether the run goes on through it.
    if (mode !== 0 && this.code.breakpoints.has(pc)) return { ...stop, next };
    const decoded = this.code.decoder.decode(first, second, pc, mode);
    const { operation, operands } = decoded;
    this.noteBound(operation, operands, pc, next);
    const conditional = mode !== 0 && mode >> 4 < 14 && !decoded.unconditional;
    const test = conditional ? () => this.e.condition(mode >> 4) : undefined;
    const guest = { pc, next, mode, test };
    const branch = this.branch(guest, decoded);
    if (branch !== undefined) return branch;
    return stopping.has(operation) ? { ...stop, next } : this.plain(guest, decoded);
  }

  private plain(guest: Omit<Guest, 'flow'>, { operation, operands }: Decoded): Guest {
    const constant = this.literal(operation, operands);
    const emit = constant ?? thumbEmitters[operation];
    const { pc, next, mode, test } = guest;
    if (emit === undefined) return { pc, next, mode, flow: mode === 0 ? 'interpret' : 'stop' };
    const flow = flows[operation] ?? 'next';
    const target = operation === 'bl' ? operands[0] >>> 0 : undefined;
    const { e } = this;
    const body = test ? () => e.conditionally(() => emit(e, operands)) : () => emit(e, operands);
    return { pc, next, mode, test, flow, target, emit: body };
  }

  /** Branches to constant addresses. */
  private branch(guest: Omit<Guest, 'flow'>, { operation, operands }: Decoded): Guest | undefined {
    const code = conditionOf.get(operation);
    if (code !== undefined) {
      return { ...guest, flow: 'jump', target: operands[0] >>> 0, test: () => this.e.condition(code) };
    }
    switch (operation) {
      case 'b':
        return { ...guest, flow: 'jump', target: operands[0] >>> 0 };
      case 'cbz':
      case 'cbnz': {
        const test = () => {
          this.e.get(operands[0]);
          if (operation === 'cbz') this.e.op(Op.i32_eqz);
        };
        return { ...guest, flow: 'jump', target: operands[1] >>> 0, test };
      }
      case 'tbb_pc':
      case 'tbh_pc':
        return this.tableBranch(guest, operation === 'tbh_pc' ? 2 : 1, operands);
      case 'ldr_pc_lsl':
        return this.tableLoad(guest, operands);
      default:
        return undefined;
    }
  }

  /** TBB and TBH with the table behind them, when a comparison before tells how long it is. */
  private tableBranch(guest: Omit<Guest, 'flow'>, size: 1 | 2, [, m, base]: readonly number[]): Guest | undefined {
    const bound = this.bounds.get(guest.pc);
    if (bound?.register !== m || guest.mode !== 0) return undefined;
    const start = base >>> 0;
    const count = bound.limit + 1;
    const bytes = this.memory.read(start, count * size);
    if (bytes.length !== count * size || !this.keepConstant(start, start + count * size)) return undefined;
    const targets = Array.from({ length: count }, (_, i) => {
      const entry = size === 1 ? bytes[i] : bytes[2 * i] | (bytes[2 * i + 1] << 8);
      return (start + 2 * entry) >>> 0;
    });
    return { ...guest, flow: 'choose', targets, emit: () => this.e.get(m) };
  }

  /** LDR pc, [Rn, Rm, LSL #2] with the table of addresses in Rn. */
  private tableLoad(guest: Omit<Guest, 'flow'>, [, n, m, shift]: readonly number[]): Guest | undefined {
    const bound = this.bounds.get(guest.pc);
    if (bound?.register !== m || bound.base?.register !== n || shift !== 2 || guest.mode !== 0) return undefined;
    const start = bound.base.address >>> 0;
    const length = 4 * (bound.limit + 1);
    const bytes = this.memory.read(start, length);
    if (bytes.length !== length || start % 4 !== 0) return undefined;
    const words = [...new Uint32Array(bytes.buffer)];
    if (words.some((word) => (word & 1) === 0) || !this.keepConstant(start, start + length)) return undefined;
    const { e } = this;
    const emit = () => {
      e.get(n);
      e.opConst(Op.i32_ne, start);
      e.leaveIf();
      e.get(m);
    };
    return { ...guest, flow: 'choose', targets: words.map((word) => (word & ~1) >>> 0), emit };
  }

  /** CMP Rn, #limit; BHI elsewhere; perhaps ADR; then the table branch. */
  private noteBound(operation: OperationName, operands: readonly number[], pc: number, next: number): void {
    const bound = this.bounds.get(pc);
    if (bound !== undefined && operation === 'mov_imm' && operands[0] !== bound.register) {
      this.bounds.set(next, { ...bound, base: { register: operands[0], address: operands[1] } });
    }
    if (operation !== 'cmp_imm' || operands[1] < 0 || operands[1] > 511) return;
    const branch = this.halfword(next);
    const behind =
      branch >>> 8 === 0xd8 ? next + 2 : wideHigher(branch, this.halfword(next + 2)) ? next + 4 : undefined;
    if (behind !== undefined) this.bounds.set(behind >>> 0, { register: operands[0], limit: operands[1] });
  }

  /** A literal that lies on a page of code becomes a constant: stores to it are noticed. */
  private literal(operation: OperationName, operands: readonly number[]): Emit | undefined {
    const size = literalSizes[operation];
    if (size === undefined) return undefined;
    const address = operands[1] >>> 0;
    if (address % size !== 0 || !this.keepConstant(address, address + size)) return undefined;
    const bytes = this.memory.read(address, size);
    const unsigned = bytes.reduceRight((sum, part) => (sum << 8) | part, 0);
    const value = operation === 'ldrsh_lit' || operation === 'ldrsb_lit' ? signExtend(unsigned, 8 * size) : unsigned;
    return (e) => {
      e.const(value);
      e.set(operands[0]);
    };
  }

  private keepConstant(start: number, end: number): boolean {
    const needed = Attribute.read | Attribute.execute;
    const looked = needed | Attribute.watchRead;
    for (const page of [start >>> 12, (end - 1) >>> 12]) {
      if ((this.memory.attributes[page] & looked) !== needed) return false;
    }
    this.constants.push([start, end]);
    return true;
  }

  /** -1 when it cannot be fetched. */
  private halfword(address: number): number {
    const at = address >>> 0;
    if ((this.memory.attributes[at >>> 12] & Attribute.execute) === 0) return -1;
    return this.memory.halfwords[this.memory.hostAddress(at) >>> 1];
  }
}

/** B<c>.W with condition HI. */
function wideHigher(first: number, second: number): boolean {
  return (first & 0xfbc0) === 0xf200 && (second & 0xd000) === 0x8000;
}
