/**
 * Macros in expressions. Judge is the compiler: test/dap-programs/macros.c has lists of expressions, one a line; the session stops behind a list, and the
 * text of each line must have the value that the compiler gave that element.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { markerLine } from './support/fixtures';

const folder = join(projectRoot, 'test/dap-programs');
const source = join(folder, 'macros.c');
const lines = readFileSync(source, 'utf8').split('\n');

/** The elements of the list that begins at a mark. */
function listed(marker: string): string[] {
  const first = markerLine(source, marker) - 1;
  const end = lines.findIndex((line, index) => index > first && line.trim() === '};');
  return lines.slice(first, end).map((line) => line.replace(/,\s*(\/\/.*)?$/, '').trim());
}

async function stopped(
  variant: string,
  marker: string,
  body: (adapter: AdapterClient) => Promise<void>,
): Promise<void> {
  await withAdapter(async (adapter) => {
    const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, marker) }] }];
    const program = join(folder, `macros.${variant}.elf`);
    await adapter.launchToStop({ program, entry: 'entry', args: [1] }, breakpoints);
    await body(adapter);
  });
}

async function checkList(adapter: AdapterClient, list: string, marker: string): Promise<number> {
  const expressions = listed(marker);
  for (const [index, expression] of expressions.entries()) {
    const { result } = await adapter.evaluate(`(long long)(${expression})`);
    const expected = await adapter.evaluate(`${list}[${index}]`);
    assert.equal(result, expected.result, expression);
  }
  return expressions.length;
}

const refusal = (adapter: AdapterClient, text: string): Promise<string> =>
  adapter.evaluate(text).then(
    ({ result }) => assert.fail(`${text} has the value ${result}`),
    (error: Error) => error.message,
  );

describe('macros', () => {
  for (const variant of ['m3-g3', 'm3-g3-dwarf4', 'm3-g3-macinfo', 'm3clang-g3']) {
    it(`become what the compiler makes of them, as of the line (${variant})`, async () => {
      await stopped(variant, 'FIRST', async (adapter) => {
        assert.equal(await checkList(adapter, 'early', 'EARLY'), 31);
        // The compiler's own hold in every line; clang writes them behind the file.
        assert.equal((await adapter.evaluate('__CHAR_BIT__ * __SIZEOF_POINTER__')).result, '32');
      });
      await stopped(variant, 'SECOND', async (adapter) => {
        assert.equal(await checkList(adapter, 'late', 'LATE'), 5);
      });
    });
  }

  it('are shown as defined where they have no value, in hovers too', () =>
    stopped('m3-g3', 'FIRST', async (adapter) => {
      assert.equal((await adapter.evaluate('SQUARE', 'hover')).result, '#define SQUARE(x) ((x) * (x))');
      assert.equal((await adapter.evaluate('LIMIT', 'hover')).result, '10');
      assert.equal((await adapter.evaluate('EMPTY', 'hover')).result, '#define EMPTY');
    }));

  it('that are used wrongly say what is wrong, at the name', () =>
    stopped('m3-g3', 'FIRST', async (adapter) => {
      assert.match(await refusal(adapter, '1 + SQUARE(1, 2)'), /the macro SQUARE takes 1 argument, not 2/);
      assert.match(await refusal(adapter, '2 * MAX(1, 2'), /the arguments of the macro MAX do not end/);
      assert.match(await refusal(adapter, 'JOIN(+, -)'), /makes '\+-', which is no token/);
      assert.match(await refusal(adapter, 'GONE'), /No symbol "GONE"/);
      assert.match(await refusal(adapter, 'PING(1)'), /No symbol "PING"/);
    }));

  it('are not there without -g3, which is said', () =>
    stopped('m3-g2', 'FIRST', async (adapter) => {
      assert.match(
        await refusal(adapter, 'LIMIT + 1'),
        /No symbol "LIMIT" in current context\. If it is a macro, build with -g3/,
      );
      assert.equal((await refusal(adapter, 'missing')).includes('-g3'), false);
    }));
});
