/**
 * The emitter for Armv6-M to v8-M: condition flags and the checks of sp and of branch targets. The flag words are those of
 * arm/state.ts. Beside them the emitter knows what the flags were made of, so that a compare and the conditional
 * branch behind it become one comparison, also over the edge to a block that has no other.
 */
import { State } from '../../arm/state';
import { Emitter, type EmitterOptions } from '../emitter';
import { LIMIT } from '../layout';
import { leaveUnlessCode } from '../shadow-ops';
import { Op } from '../wasm';

/** `difference`: of a - b; `sum`: of a + b; `result`: N and Z are those of the result, C and V only in their words. */
type FlagSource = 'difference' | 'sum' | 'result' | 'unknown';

const N = State.flagN;
const Z = State.flagZ;
const C = State.flagC;
const V = State.flagV;

/** After a comparison a - b, by condition code. */
const comparisons: Readonly<Record<number, number>> = {
  0: Op.i32_eq,
  1: Op.i32_ne,
  2: Op.i32_ge_u,
  3: Op.i32_lt_u,
  8: Op.i32_gt_u,
  9: Op.i32_le_u,
  10: Op.i32_ge_s,
  11: Op.i32_lt_s,
  12: Op.i32_gt_s,
  13: Op.i32_le_s,
};

export class ThumbEmitter extends Emitter {
  private source: FlagSource = 'unknown';
  private changes = 0;
  private readonly sourceAt = new Map<number, FlagSource>();
  /** The operands and the result of what set the flags. */
  readonly a: number;
  readonly b: number;
  readonly result: number;

  constructor(options: EmitterOptions) {
    super(options, State.itState);
    this.a = this.local('a');
    this.b = this.local('b');
    this.result = this.local('result');
  }

  enterBlock(_: number, only: number | undefined): void {
    this.source = (only !== undefined ? this.sourceAt.get(only) : undefined) ?? 'unknown';
  }

  endBlock(index: number): void {
    this.sourceAt.set(index, this.source);
  }

  /** In an IT block: when the flags are set, they are the old ones or the new ones behind it. */
  conditionally(emit: () => void): void {
    const { changes } = this;
    emit();
    if (this.changes !== changes) this.source = 'unknown';
  }

  private came(source: FlagSource): void {
    this.source = this.rehearsing ? 'unknown' : source;
    this.changes++;
  }

  /** N and Z of `result`. */
  private setNz(): void {
    for (const flag of [N, Z]) {
      if (!this.wants(flag)) continue;
      this.get_local(this.result);
      this.set(flag);
    }
  }

  /** `result` = a + b and its flags. */
  setSum(): void {
    this.get_local(this.a);
    this.get_local(this.b);
    this.op(Op.i32_add);
    this.set_local(this.result);
    this.setNz();
    if (this.wants(C)) {
      this.get_local(this.result);
      this.get_local(this.a);
      this.op(Op.i32_lt_u);
      this.set(C);
    }
    this.setOverflowOfSum();
    this.came('sum');
  }

  private setOverflowOfSum(): void {
    if (!this.wants(V)) return;
    this.xor(this.a, this.result);
    this.xor(this.b, this.result);
    this.op(Op.i32_and);
    this.set(V);
  }

  /** `result` = a - b and its flags. */
  setDifference(): void {
    this.get_local(this.a);
    this.get_local(this.b);
    this.op(Op.i32_sub);
    this.set_local(this.result);
    this.setNz();
    if (this.wants(C)) {
      this.get_local(this.a);
      this.get_local(this.b);
      this.op(Op.i32_ge_u);
      this.set(C);
    }
    if (this.wants(V)) {
      this.xor(this.a, this.b);
      this.xor(this.a, this.result);
      this.op(Op.i32_and);
      this.set(V);
    }
    this.came('difference');
  }

  /** `result` = a + b + C and its flags: the carry out of the majority of the top bits. */
  setSumWithCarry(): void {
    this.get_local(this.a);
    this.get_local(this.b);
    this.op(Op.i32_add);
    this.get(C);
    this.op(Op.i32_add);
    this.set_local(this.result);
    this.setNz();
    if (this.wants(C)) {
      this.get_local(this.a);
      this.get_local(this.b);
      this.op(Op.i32_and);
      this.get_local(this.a);
      this.get_local(this.b);
      this.op(Op.i32_or);
      this.get_local(this.result);
      this.opConst(Op.i32_xor, -1);
      this.op(Op.i32_and);
      this.op(Op.i32_or);
      this.opConst(Op.i32_shr_u, 31);
      this.set(C);
    }
    this.setOverflowOfSum();
    this.came('result');
  }

  /** Takes the result from the stack: N and Z of it. */
  setResult(): void {
    this.set_local(this.result);
    this.setNz();
    this.came('result');
  }

  private xor(x: number, y: number): void {
    this.get_local(x);
    this.get_local(y);
    this.op(Op.i32_xor);
  }

  /** ConditionPassed(): not 0 on the stack when it is. */
  condition(code: number): void {
    const { source } = this;
    const compare = comparisons[code];
    if (source === 'difference' && compare !== undefined) {
      this.get_local(this.a);
      this.get_local(this.b);
      this.op(compare);
    } else if (source !== 'unknown' && [0, 1, 4, 5].includes(code)) {
      this.get_local(this.result);
      this.ofResult(code);
    } else {
      this.ofWords(code);
    }
  }

  private ofResult(code: number): void {
    if (code === 0) this.op(Op.i32_eqz);
    if (code === 4) this.opConst(Op.i32_lt_s, 0);
    if (code === 5) this.opConst(Op.i32_ge_s, 0);
  }

  private ofWords(code: number): void {
    // Odd codes are the opposite of the even ones before them.
    switch (code & ~1) {
      case 0:
        this.get(Z);
        this.op(Op.i32_eqz);
        break;
      case 2:
        this.get(C);
        break;
      case 4:
        this.get(N);
        this.opConst(Op.i32_shr_u, 31);
        break;
      case 6:
        this.get(V);
        this.opConst(Op.i32_shr_u, 31);
        break;
      case 8:
        this.get(C);
        this.notZero();
        this.op(Op.i32_and);
        break;
      case 10:
        this.sameSign();
        break;
      default:
        this.notZero();
        this.sameSign();
        this.op(Op.i32_and);
        break;
    }
    if (code & 1) this.op(Op.i32_eqz);
  }

  private notZero(): void {
    this.get(Z);
    this.opConst(Op.i32_ne, 0);
  }

  private sameSign(): void {
    this.get(N);
    this.get(V);
    this.op(Op.i32_xor);
    this.opConst(Op.i32_ge_s, 0);
  }

  /** Refused when sp would be below the limit. */
  checkSp(value: number): void {
    this.get_local(value);
    this.const(0);
    this.memory(Op.i32_load, LIMIT);
    this.op(Op.i32_lt_u);
    this.leaveIf();
  }

  /** Refused when a branch may not go to the address in the local: bit 0 clear, or EXC_RETURN. */
  checkTarget(target: number): void {
    this.get_local(target);
    this.opConst(Op.i32_and, 1);
    this.op(Op.i32_eqz);
    this.get_local(target);
    this.opConst(Op.i32_shr_u, 25);
    this.opConst(Op.i32_eq, 0x7f);
    this.op(Op.i32_or);
    this.leaveIf();
    leaveUnlessCode(this, target);
  }
}
