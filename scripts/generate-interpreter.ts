/**
 * Makes an interpreter of a CPU's operations: one switch for the hot ones, one for the rare.
 * A switch over small consecutive numbers becomes a jump table; measured twice as fast as an array of closures.
 * What differs between CPUs is an InterpreterSource of scripts/interpreter-sources.ts.
 * Run with `npx tsx scripts/generate-interpreter.ts`; a test compares the files with what this makes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { carefulOperations } from './careful-operations';
import { interpreterSources, type InterpreterSource } from './interpreter-sources';

/** A wide record has its further operands in the second slot, whose first word stays 0. */
function operandOffset(index: number): number {
  return index <= 3 ? index : index + 1;
}

function expand(text: string, isRare: boolean): string {
  const jump = (address: string) =>
    `{ const t = ${address}; const q = codeTable[t >>> 12]; ` +
    `if (q !== 0) k = q + ((t & 0xffe) << 1); else { k = core.code.enter(t); code = core.code.records; } }`;
  return text
    .replace(/\bNEAR\((\d)\)/g, (_, i: string) => {
      const index = Number(i);
      return `{ const near = $${index}; if (near !== 0) k = near; else ${jump(`$${index + 1}`)} }`;
    })
    .replace(/\bJUMP\((.*?)\)(?=[^()]*$)/g, (_, address: string) => jump(address))
    .replace(/\bLENGTH\b/g, '(4 << (op & 1))')
    .replace(
      /\bCHECK_SP\((.*?)\)(?= )/g,
      (_, x: string) => `if ((${x}) >>> 0 < ${isRare ? 'core.limit' : 'limit'}) { core.failStack(${x}); STOP }`,
    )
    .replace(/\bSTOP\b;?/g, isRare ? '{ return 1; }' : '{ left++; break loop; }')
    .replace(/\$(\d)/g, (_, i: string) => `code[k + ${operandOffset(Number(i))}]`);
}

function cases({ operations, firstOperation, casePerLength }: InterpreterSource, isRare: boolean): string {
  return Object.entries(operations)
    .map(([name, operation], index) => ({ name, number: firstOperation + index, operation }))
    .filter(({ operation }) => (operation.rare === true) === isRare)
    .map(({ name, number, operation }) => {
      const body = expand(operation.exec, isRare);
      const next = isRare ? 'break;' : operation.jumps ? 'continue loop;' : 'k += 4 << (op & 1); continue loop;';
      if (!isRare && casePerLength) {
        const ofLength = (bit: 0 | 1) =>
          `case ${number * 2 + bit}: { ${body} ${next} }`.replace(/\(?4 << \(op & 1\)\)?/g, `${4 << bit}`);
        return `// ${name}\n${ofLength(0)}\n${ofLength(1)}`;
      }
      const label = isRare ? `case ${number}:` : `case ${number * 2}: case ${number * 2 + 1}:`;
      return `// ${name}\n${label} { ${body} ${next} }`;
    })
    .join('\n');
}

const hot = (source: InterpreterSource) => `
/** Word 0 up to this is no operation: see Special in record-cache.ts. */
const lastSpecial = 10;

/** Executes at most \`budget\` instructions from core.position; returns how many were. core.stop says why it ended early. */
export function interpret(core: Core, budget: number): number {
  const memory = core.memory, r = memory.state, m8 = memory.bytes, m16 = memory.halfwords, m32 = memory.words;
  const rt = memory.readTable, wt = memory.writeTable, codeTable = memory.codeTable;
  let code = core.code.records, k = core.position, left = budget, limit = core.limit;
  ${source.takeFlags('let ')}
  loop: while (left !== 0) {
    let op = code[k];
    if (op <= lastSpecial) {
      // Not executed yet, whatever it is. One loop only: V8 would replace an inner one by code that it never corrects.
      ${source.conditional} if (op === 6) {
        ${source.putFlags}
        core.left = left;
        op = core.code.goThrough(k);
        if (op === 0) break loop;
        code = core.code.records;
      } else if (op === 8) {
        core.stop = 3;
        break loop;
      } else if (op === 10) {
        if (core.stopsAtTranslated) break loop;
        op = core.code.hiddenOperation[k >> 2];
      } else {
        // Behind the last halfword of a page, or not decoded yet.
        if (op === 4) k = core.code.nextPage(k);
        else if (!core.code.decodeAt(k)) break loop;
        code = core.code.records;
        continue loop;
      }
    }
    left--;
    switch (op) {
      ${cases(source, false)}
      default: {
        ${source.putFlags}
        core.left = left;
        const outcome = interpretRare(core, code, op >> 1, k);
        ${source.takeFlags('')}
        if (outcome !== 0) { left++; break loop; }
        limit = core.limit;
        k += 4 << (op & 1);
        if (core.stop !== 0) break loop;
        continue loop;
      }
    }
  }
  ${source.putFlags}
  core.position = k;
  return budget - left;
}
`;

const cold = (source: InterpreterSource) => `
/** The rare operations. 0 = executed, 1 = not executed, core.stop says why. */
function interpretRare(core: Core, code: Int32Array, op: number, k: number): number {
  const r = core.memory.state;
  ${source.takeFlags('let ')}
  switch (op) {
    ${cases(source, true)}
  }
  ${source.putFlags}
  return 0;
}
`;

/** The file's text, formatted as the project is. */
export async function generateInterpreter(source: InterpreterSource): Promise<string> {
  const text = `/* Generated by scripts/generate-interpreter.ts from ${source.from}; do not edit. */
import type { Core } from './core';
${hot(source)}
${cold(source)}`;
  return formatted(text);
}

const formatted = (text: string): Promise<string> =>
  format(text, { parser: 'typescript', printWidth: 120, singleQuote: true, trailingComma: 'all' });

/** The file of the careful operations. */
export const generateCareful = (source: InterpreterSource): Promise<string> => formatted(carefulOperations(source));

const inEmulator = (target: string) => join(__dirname, '../lib/emulator', target);
export const generatedPath = (source: InterpreterSource) => inEmulator(source.target);
export const carefulPath = ({ careful }: InterpreterSource) => inEmulator(careful.target);

async function generateAll(): Promise<void> {
  for (const source of interpreterSources) {
    writeFileSync(generatedPath(source), await generateInterpreter(source));
    writeFileSync(carefulPath(source), await generateCareful(source));
  }
}

if (process.argv[1] === __filename) void generateAll();
