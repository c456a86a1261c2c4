/**
 * The grammar of C expressions, production by production. Judge is the compiler: test/dap-programs/grammar.c has lists of expressions under the sections of
 * C11 that they are of; the text of each line must have the value that the compiler gave that element.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { markerLine } from './support/fixtures';

const folder = join(projectRoot, 'test/dap-programs');
const sourceOf = (program: string): string => join(folder, `${program}.c`);
const linesOf = (program: string): string[] => readFileSync(sourceOf(program), 'utf8').split('\n');

/** Sections of C11 6.5; 6.5.2.2 (calls) is dap-calls.test.ts, 6.5.2.4, 6.5.3.1 and 6.5.16 (what changes objects) dap-assign.test.ts. */
const sections =
  '6.5.1 6.4.4 6.5.1.1 6.5.2.1 6.5.2.3 6.5.2.5 6.5.3.2 6.5.3.3 6.5.3.4 6.5.4 6.5.5 6.5.6 6.5.7 6.5.8 6.5.9 6.5.10 6.5.12 6.5.13 6.5.14 6.5.15 6.5.17'.split(
    ' ',
  );

/** The elements of the list that begins at a mark; comments are the sections. */
function listed(program: string, marker: string): string[] {
  const [source, lines] = [sourceOf(program), linesOf(program)];
  const first = markerLine(source, marker) - 1;
  const end = lines.findIndex((line, index) => index > first && line.trim() === '};');
  return lines
    .slice(first, end)
    .filter((line) => !/^\s*\/\//.test(line))
    .map((line) => line.replace(/,\s*(\/\/.*)?$/, '').trim());
}

async function stopped(
  variant: string,
  body: (adapter: AdapterClient) => Promise<void>,
  { program, marker, argument } = { program: 'grammar', marker: 'HERE', argument: 1 },
): Promise<void> {
  await withAdapter(async (adapter) => {
    const path = sourceOf(program);
    const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, marker) }] }];
    const launched = { program: join(folder, `${program}.${variant}.elf`), entry: 'entry', args: [argument] };
    await adapter.launchToStop(launched, breakpoints);
    await body(adapter);
  });
}

async function check(
  adapter: AdapterClient,
  list: string,
  marker: string,
  type: string,
  program = 'grammar',
  /** Of this many objects the compiler describes no place here. */
  placeless = 0,
): Promise<number> {
  const expressions = listed(program, marker);
  const wrong: string[] = [];
  const frame = (await adapter.topFrame()).id;
  for (const [index, expression] of expressions.entries()) {
    const own = await adapter.evaluate(`(${type})(${expression})`, 'watch', frame).then(
      ({ result }) => result,
      (error: Error) => error.message,
    );
    const { result } = await adapter.evaluate(`${list}[${index}]`, 'watch', frame);
    if (own !== result) wrong.push(`${expression} is ${own}, compiled ${result}`);
  }
  const lost = wrong.filter((text) => / is value has been optimized out/.test(text));
  assert.deepEqual(lost.length === placeless ? wrong.filter((text) => !lost.includes(text)) : wrong, []);
  return expressions.length;
}

describe('expressions are what the compiler makes of them', () => {
  for (const variant of ['m3-O0', 'rv64gc']) {
    it(variant, () =>
      stopped(variant, async (adapter) => {
        assert.ok((await check(adapter, 'values', 'VALUES', 'long long')) > 90);
        assert.equal(await check(adapter, 'complexes', 'COMPLEX', 'double _Complex'), 15);
        assert.equal(await check(adapter, 'parts', 'PARTS', 'long long'), 12);
      }),
    );
  }

  it('every section has a list', () => {
    const named = linesOf('grammar')
      .filter((line) => /^\s*\/\//.test(line))
      .join('\n');
    const covered = (section: string): boolean => {
      const ranges = [...named.matchAll(/6\.5\.(\d+) to 6\.5\.(\d+)/g)];
      const last = Number(section.split('.').at(-1));
      return named.includes(section) || ranges.some(([, from, to]) => Number(from) <= last && last <= Number(to));
    };
    assert.deepEqual(
      sections.filter((section) => !covered(section)),
      [],
    );
  });
});

describe('arrays of variable length', () => {
  for (const variant of ['m3-O0', 'm3clang-O0', 'rv32imac']) {
    it(`types of expressions have their lengths (${variant})`, () =>
      stopped(
        variant,
        async (adapter) => {
          const placeless = variant === 'm3clang-O0' ? 3 : 0;
          assert.equal(await check(adapter, 'lengths', 'LENGTHS', 'long long', 'lengths', placeless), 20);
          const shown = async (text: string) => {
            const { type, result } = await adapter.evaluate(text);
            return [type, result.replace(/^0x[0-9a-f]+ /, '')];
          };
          assert.deepEqual(await shown('*(int (*)[n])p'), ['int [4]', '{100, 101, 102, 103}']);
          assert.equal((await shown('(int (*)[n])p + 1'))[0], 'int (*)[4]');
          if (placeless === 0) assert.equal((await shown('&local'))[0], 'int (*)[4]');
          // Nothing here uses stdint.h: the names are known all the same.
          for (const [name, size] of Object.entries({ int8_t: 1, int16_t: 2, int32_t: 4, int64_t: 8 })) {
            assert.equal((await shown(`sizeof(${name}) * 10 + sizeof(u${name})`))[1], String(size * 11), name);
            assert.equal((await shown(`((${name})-1 < 0) + ((u${name})-1 > 0) * 2`))[1], '3', name);
          }
          const words = 'sizeof(size_t) + sizeof(ptrdiff_t) + sizeof(intptr_t) + sizeof(uintptr_t)';
          assert.equal((await shown(words))[1], '16');
          assert.equal(
            (await shown('((ptrdiff_t)-1 < 0) + ((intptr_t)-1 < 0) + ((size_t)-1 > 0) + ((uintptr_t)-1 > 0)'))[1],
            '4',
          );
          const wrong = [
            ['sizeof(int[-n])', /no possible size \(at '-n'\)/],
            ['sizeof(int[n++])', /nothing may be changed here/],
            ['(int[n]){1}', /an array of variable length has no initializer/],
            ['(int (*)[1.5])p', /an array size must be an integer/],
            ['sizeof(int[spread(n, 1, p)])', /functions are called in the Debug Console only/],
          ] as const;
          for (const [text, reason] of wrong) await assert.rejects(adapter.evaluate(text), reason, text);
          const called = adapter.evaluate('sizeof(int[n++])', 'repl');
          await assert.rejects(called, /what changes something or is called is no array size here/);
        },
        { program: 'lengths', marker: 'LISTED', argument: 4 },
      ));
  }

  // gdb 13 shows one element of clang's: it looks for the length at the function, where no copy's is.
  for (const variant of ['m3-O0', 'm3clang-O0']) {
    it(`have their length in a copy of an inlined function (${variant})`, () =>
      stopped(
        variant,
        async (adapter) => {
          const { type, result } = await adapter.evaluate('vla');
          assert.deepEqual([type, result], ['int [4]', '{0, 2, 4, 6}']);
          assert.equal((await adapter.evaluate('sizeof(rows)')).result, '16');
          assert.equal((await adapter.evaluate('rows[3][0]')).result, '3');
        },
        { program: 'lengths', marker: 'INLINED', argument: 4 },
      ));
  }
});

describe('what is no expression says where', () => {
  /** [expression, message, the part that it is about] */
  const cases: readonly (readonly [string, RegExp, string])[] = [
    ['1 + (point_t){1, 2, 3}.x', /more initializers than point_t has parts/, '3'],
    ['0 + (point_t){.z = 1}.x', /point_t has no member z/, '1'],
    ['(int[2]){[2] = 1}[0] + 1', /int \[2\] has no element 2/, '2'],
    ['(int){1, 2} + 1', /more initializers than one/, '(int){1, 2}'],
    ['(point_t){line}.x + 1', /struct line is no number/, 'line'],
    ['1 + _Generic(real, int: 1)', /no association fits double/, 'real'],
    ['1 + _Generic(1, int: 1, signed: 2)', /two associations fit int/, '_Generic(1, int: 1, signed: 2)'],
    ['1 + (signal < exact)', /complex numbers have no order/, '(signal < exact)'],
    ['1 + signal % 2', /'%' is not defined for complex numbers/, 'signal % 2'],
    ['1 + table[signal]', /take __real__ or __imag__/, 'signal'],
    ['1 + (~pointer)', /'~' needs a number/, 'pointer'],
    ['2 * &(integer + 1)', /only an object has an address/, '(integer + 1)'],
    ['1 + __real__ pointer', /only a number has a real/, 'pointer'],
    ['1 + sizeof(struct unknown)', /No struct type named unknown/, 'struct unknown'],
    ['1 + 2 +', /is expected at the end/, ''],
    ['integer + @', /is expected, not '@'/, '@'],
  ];

  it('with the part of the text', () =>
    stopped('m3-O0', async (adapter) => {
      const wrong: string[] = [];
      for (const [text, message, part] of cases) {
        const found = await adapter.evaluate(text).then(
          ({ result }) => `= ${result}`,
          (error: Error) => error.message,
        );
        // A part that the message has already is not said again.
        const isPlaced = found.includes(part);
        if (!message.test(found) || !isPlaced) wrong.push(`${text}: ${found}`);
      }
      assert.deepEqual(wrong, []);
    }));
});
