/**
 * Random expressions over real objects: compiled, evaluated and shown, they give a value or an ExpressionError with a
 * place in the text; nothing else is thrown, and nothing takes for ever.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  compileCondition,
  compileExpression,
  evaluateCondition,
  evaluateExpression,
  ExpressionError,
} from '../lib/c-expression';
import { formatValue } from '../lib/dwarf/format';
import { childrenOf } from '../lib/dwarf/value';
import { runQuery } from '../lib/query';
import { staticProgram } from './support/static-program';

const { scope, read } = staticProgram(readFileSync(join(__dirname, 'dwarf-values', 'values.elf')));

const objects =
  'i u s us c sc uc l ul ll ull f d ld b0 e1 m5 o1 cf str pstr pnull pbad pi pinull pv pf pfnull fn un bf bf.b bf.w bf.on n1 n2 m2 words names same deep flex flex.items flexc emp parr fnarr cvu RED M_B nowhere $r0 $pc $sp'.split(
    ' ',
  );
const constants = '0 1 2 -1 7 31 255 1.5 0.0 1e30 0x80000000 5000000000 "ab" \'c\''.split(' ');
const types = [
  'char',
  'int',
  'unsigned',
  'long long',
  'float',
  'double',
  '_Bool',
  'void',
  'enum mask',
  'struct node',
  'int *',
  'struct node *',
  'char **',
  'u8',
  'void (*)(int)',
  'int[2]',
];
const operators = '+ - * / % << >> & | ^ < > <= >= == != && || , @ = += -= <<= ?:'.split(' ');
const members = ['x', 'v', 'next', 'a', 'b', 'w', 'items', 'c', 'p'];

function generator(seed: number): (depth: number) => string {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  const pick = (list: readonly string[]): string => list[next(list.length)];
  const expression = (depth: number): string => {
    if (depth === 0) return next(4) === 0 ? pick(constants) : pick(objects);
    const inner = (): string => expression(next(depth));
    switch (next(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return `(${inner()} ${pick(operators)} ${inner()})`;
      case 4:
        return `${pick(['-', '~', '!', '*', '&', '++', '--', 'sizeof ', '+'])}${inner()}`;
      case 5:
        return `(${pick(types)})${inner()}`;
      case 6:
        return `${inner()}[${inner()}]`;
      case 7:
        return `(${inner()})${pick(['.', '->'])}${pick(members)}`;
      case 8:
        return `(${inner()} ? ${inner()} : ${inner()})`;
      default:
        return pick([`${inner()}++`, `${inner()}(${inner()})`, `sizeof(${pick(types)})`, `(${inner()})--`]);
    }
  };
  return expression;
}

/** An ExpressionError must point into the text; anything else is a mistake of ours. */
function allowed(error: unknown, text: string, seed: number): void {
  if (!(error instanceof ExpressionError)) throw new Error(`seed ${seed}: ${text}: ${String(error)}`, { cause: error });
  assert.ok(
    error.offset >= 0 && error.offset + error.length <= text.length,
    `${text}: ${error.offset} ${error.length}`,
  );
  assert.ok(error.message.length > 3);
}

test('random expressions over real objects', () => {
  const seed = Number(process.env['SEED'] ?? 20260604);
  const expression = generator(seed);
  let values = 0;
  for (let i = 0; i < 15_000; i++) {
    const text = expression(1 + (i % 4));
    try {
      const { value } = runQuery(evaluateExpression(compileExpression(text, scope), { frame: scope.frame }), read);
      assert.equal(typeof runQuery(formatValue(value, { maxElements: 20 }), read), 'string');
      runQuery(childrenOf(value, 0, 5), read);
      values++;
    } catch (error) {
      allowed(error, text, seed);
    }
    try {
      assert.equal(
        typeof runQuery(evaluateCondition(compileCondition(text, scope), { frame: scope.frame }), read),
        'boolean',
      );
    } catch (error) {
      allowed(error, text, seed);
    }
  }
  assert.ok(values > 1500, `${values} had a value`);
});
