/** What is translated is bounded by what has run: short programs have no module, and the translator's work is a share of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstTranslation, instructionCost, TranslationBudget } from '../lib/emulator/jit/translation-budget';
import { kernelMachine, kernelNames, kernelProgram } from '../scripts/bench/kernel-program';

function countingMachine() {
  const compiled: number[] = [];
  const kernel = kernelMachine(kernelProgram('thumb', 'O0'), {
    compile: (bytes) => {
      compiled.push(kernel.machine.instructionCount);
      return new WebAssembly.Module(bytes);
    },
  });
  return { ...kernel, compiled };
}

test('a short run compiles nothing, a long one not before its time', () => {
  const { machine, start, compiled } = countingMachine();
  start(kernelNames.indexOf('sort'), 1000);
  machine.run(firstTranslation - 1);
  assert.deepEqual(compiled, []);
  assert.equal(machine.translation?.modules, 0);
  assert.equal(machine.translation.interpreted, firstTranslation - 1);
  machine.run(1_000_000);
  assert.ok(compiled.length > 1, 'nothing was compiled');
  assert.ok(compiled.every((count) => count >= firstTranslation));
  assert.ok(machine.translation.translated > 500_000);
});

test('two runs translate the same at the same instructions', () => {
  const [first, second] = [countingMachine(), countingMachine()].map(({ machine, start, compiled }) => {
    start(kernelNames.indexOf('fmt'), 1000);
    for (let i = 0; i < 10; i++) machine.run(200_000);
    return compiled;
  });
  assert.ok(first.length > 1);
  assert.deepEqual(first, second);
});

test('the budget: nothing at first, then a share, translated instructions earn less', () => {
  const budget = new TranslationBudget(false);
  assert.equal(budget.available, 0);
  budget.earnInterpreted(firstTranslation - 1);
  assert.equal(budget.available, 0);
  budget.earnInterpreted(1);
  const first = Math.floor(firstTranslation / instructionCost);
  assert.equal(budget.available, first);
  budget.spend(first + 50);
  assert.ok(budget.available < 0);
  budget.earnInterpreted(51 * instructionCost);
  assert.ok(budget.available >= 0);
  const before = budget.available;
  budget.earnTranslated(instructionCost * 160);
  assert.equal(budget.available, before + 10);
  assert.equal(new TranslationBudget(true).available, Infinity);
});
