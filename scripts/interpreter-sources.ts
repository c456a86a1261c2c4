/** What the generated interpreters differ in: the operations, the flags held in locals, conditional execution. */
import { conditionTests } from '../lib/emulator/arm/operations-control';
import { firstOperation, operations as armOperations } from '../lib/emulator/arm/operations';
import { firstOperation as firstRiscvOperation, operations32, operations64 } from '../lib/emulator/riscv/operations';

interface GeneratedOperation {
  readonly exec: string;
  readonly rare?: true;
  readonly jumps?: true;
}

export interface InterpreterSource {
  /** Below lib/emulator. */
  readonly target: string;
  /** File of the operations, for the generated file's head. */
  readonly from: string;
  /** In the order of their numbers. */
  readonly operations: Readonly<Record<string, GeneratedOperation>>;
  readonly firstOperation: number;
  /** Text that reads the flags from the state into locals (declared with `let `) and that writes them back. */
  takeFlags(declaration: '' | 'let '): string;
  readonly putFlags: string;
  /**
   * A case for each length of a hot operation: a tenth faster on RV32. Not where the function would become too long for V8 to
   * optimize, which Arm's does: twenty times slower.
   */
  readonly casePerLength: boolean;
  /** An `if` with `else` for a slot of Special.conditional; empty where there are none. */
  readonly conditional: string;
  /** The file of the careful operations, and whether the names n, z, c, v of the text are the flags. */
  readonly careful: { readonly target: string; readonly hasFlags: boolean };
}

const arm: InterpreterSource = {
  target: 'arm/interpreter.generated.ts',
  from: 'operations.ts',
  operations: armOperations,
  firstOperation,
  takeFlags: (declaration) =>
    declaration === ''
      ? 'n = r[16]; z = r[17]; c = r[18]; v = r[19];'
      : 'let n = r[16], z = r[17], c = r[18], v = r[19];',
  putFlags: 'r[16] = n; r[17] = z; r[18] = c; r[19] = v;',
  casePerLength: false,
  careful: { target: 'arm/careful.generated.ts', hasFlags: true },
  conditional: `if (op === 2) {
    // In an IT block: the condition is in the slot's static ITSTATE.
    const slot = k >> 2;
    op = core.code.conditionalOperation[slot];
    let passed = false;
    switch (core.code.itState[slot] >> 4) {
      ${conditionTests.map((test, i) => `case ${i}: passed = ${test}; break;`).join('\n')}
    }
    if (!passed) { left--; k += 4 << (op & 1); continue loop; }
  } else`,
};

const riscv = (xlen: 32 | 64): InterpreterSource => ({
  target: `riscv/interpreter${xlen}.generated.ts`,
  from: `operations-rv${xlen}.ts`,
  operations: xlen === 32 ? operations32 : operations64,
  firstOperation: firstRiscvOperation,
  takeFlags: () => '',
  putFlags: '',
  casePerLength: xlen === 32,
  conditional: '',
  careful: { target: `riscv/careful${xlen}.generated.ts`, hasFlags: false },
});

export const interpreterSources: readonly InterpreterSource[] = [arm, riscv(32), riscv(64)];
