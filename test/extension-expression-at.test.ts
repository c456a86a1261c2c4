/** Which expression a hover evaluates. The column is that of the mark ^ in the line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expressionAt } from '../extension/expression-at';

const cases: readonly (readonly [marked: string, expected: string | undefined])[] = [
  ['  ^total += 1;', 'total'],
  ['x = point.^x;', 'point.x'],
  ['x = ^point.x;', 'point'],
  ['n = list->next->^value;', 'list->next->value'],
  ['n = list->^next->value;', 'list->next'],
  ['v = samples[i].^raw;', 'samples[i].raw'],
  ['v = grid[i][j + 1] . ^cell;', 'grid[i][j + 1] . cell'],
  ['v = ^samples[i].raw;', 'samples'],
  ['v = samples[^i].raw;', 'i'],
  ['v = next(p)->^value;', undefined],
  ['v = (a + b).^value;', undefined],
  ['v = samples[i++].^raw;', undefined],
  ['^return total;', undefined],
  ['printk("to^tal");', undefined],
  ['total++; // to^tal', undefined],
  [' * the to^tal of it', undefined],
  ['x = 0x1^F;', undefined],
  ['x = 10^u;', undefined],
  ['*^p = 3;', 'p'],
];

for (const [marked, expected] of cases) {
  test(marked, () => {
    const column = marked.indexOf('^');
    assert.equal(expressionAt(marked.replace('^', ''), column)?.text, expected);
  });
}
