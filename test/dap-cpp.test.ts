/**
 * An extension in C++ as a debugger's user sees it, beside what gdb showed of the same object on QEMU (test/cpp, made by
 * record.py there): stops, frames, arguments and locals, expressions, names for breakpoints.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SymbolResponse } from '../lib/protocol';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { markerLine } from './support/fixtures';

const folder = join(projectRoot, 'test/cpp');
const source = join(folder, 'classes.cpp');
const markers: Readonly<Record<string, readonly string[]>> = {
  classes: ['SCALED', 'AREA', 'HIDDEN', 'DOUBLE', 'PUSH', 'LAMBDA', 'LARGEST', 'END'],
  operators: ['LAST', 'OTHER', 'EACH', 'RUN', 'FINISH'],
  lambdas: ['INNER', 'ADD', 'GENERIC', 'GO', 'COPY'],
};
const elf = (variant: string, program = 'classes'): string => join(folder, `${program}.${variant}.elf`);

interface RecordedStop {
  readonly line: number;
  /** [function, line, 'inline' or ''], innermost first. */
  readonly stack: readonly (readonly [string, number, string])[];
  /** [name, type, value]; addresses are `{address}`. */
  readonly locals: readonly (readonly [string, string, string])[];
  /** [expression, type or null where it failed, value]. */
  readonly values: readonly (readonly [string, string | null, string])[];
}

/** Of virtual.cpp, recorded on QEMU as test/gdb-truth was: [function, line] of the frames after each step. */
interface VirtualTruth {
  readonly steps: readonly (readonly (readonly [string, number])[])[];
  readonly watches: readonly {
    readonly stop: number;
    readonly values: readonly (readonly [expression: string, type: string, value: string])[];
  }[];
}

const recorded = (program: string, variant: string): readonly RecordedStop[] =>
  JSON.parse(readFileSync(join(folder, `${program}.${variant}.json`), 'utf8')) as RecordedStop[];

const plain = (text: string): string => text.replace(/0x[0-9a-f]+(?!\w*>)/g, '{address}');

/** Where this debugger shows more or says it otherwise on purpose. */
const ownValues: Readonly<Record<string, string>> = {
  // An inline namespace's names are those of the namespace around it (C++ 9.8.2); gdb 13 does not look there.
  'sizeof(Pair)': '16',
  // No pointer to a member, but where the method is.
  '&motion::Square::area': '{address} <motion::Square::area() const>',
  // gdb 13 does not call these; the values are those of the source at FINISH, where b.cents is -99 and n is 6.
  'operator+(a, b)': '{cents = 51}',
  'b(2, 3)': '-195',
  'scale(4)': '-390',
  // gdb 13 splits a type's name at `>>`.
  'sizeof(Box<Box<short>>)': '2',
  // gdb 13 does not look into the union without a name.
  field: '&Node::count',
};

/** Runs to the markers of a program, one after the other. */
async function atMarkers(
  adapter: AdapterClient,
  program: string,
  variant: string,
  at: (marker: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, `${program}.cpp`);
  const byLine = new Map(markers[program].map((marker) => [markerLine(path, marker), marker]));
  const breakpoints = [...byLine.keys()].map((line) => ({ line }));
  const launched = { program: elf(variant, program), entry: 'entry', args: [6] };
  await adapter.launchToStop(launched, [{ path, breakpoints }]);
  for (const left = new Set(markers[program]); ;) {
    const marker = byLine.get((await adapter.topFrame()).line) ?? '';
    await at(marker);
    left.delete(marker);
    if (left.size === 0) return;
    await adapter.run('continue');
  }
}

async function checkStop(adapter: AdapterClient, stop: RecordedStop, context: 'watch' | 'repl'): Promise<void> {
  const frames = await adapter.stack();
  const shown = frames.filter(({ name }) => !/^llext_/.test(name));
  assert.deepEqual(
    shown.map(({ name, line }) => [name.replace(/ \[.*/, ''), line]),
    stop.stack.map(([name, line]) => [name, line]),
  );
  const locals = await adapter.scope('Locals');
  for (const [name, , value] of stop.locals) {
    // Of a captured copy GCC describes `this` without a place; it is shown as the object that the closure holds.
    if (name === 'this' && value === '<optimized out>') continue;
    const found = locals.find((variable) => variable.name === name);
    assert.equal(found && plain(found.value), value, `${name} in line ${stop.line}`);
  }
  for (const [expression, type, value] of stop.values) {
    const result = await adapter.evaluate(expression, context).then(
      (body) => body,
      (error: Error) => ({ result: error.message, type: undefined }),
    );
    const expected = ownValues[expression] ?? value;
    if (type === null && ownValues[expression] === undefined) {
      assert.equal(result.type, undefined, `${expression} in line ${stop.line} has a value, in gdb: ${value}`);
      continue;
    }
    assert.equal(plain(result.result), expected, `${expression} in line ${stop.line}`);
    if (type !== null && ownValues[expression] === undefined && !/sizeof/.test(expression)) {
      assert.equal(spelled(result.type ?? ''), spelled(type), `type of ${expression}`);
    }
  }
}

/** `_Bool` is C's word. */
function spelled(type: string): string {
  return type.replace(/\b_Bool\b/, 'bool');
}

describe('C++', () => {
  for (const [program, context, variants] of [
    ['classes', 'watch', ['m3-O0', 'm3-Og', 'm3-O2', 'rv32-O0']],
    ['operators', 'repl', ['m3-O0', 'm3-O2', 'rv32-O0']],
    ['lambdas', 'watch', ['m3-O0', 'rv32-O0']],
  ] as const) {
    for (const variant of variants) {
      it(`stops, frames, locals and values are gdb's (${program} ${variant})`, () =>
        withAdapter(async (adapter) => {
          const path = join(folder, `${program}.cpp`);
          const lines = markers[program].map((marker) => ({ line: markerLine(path, marker) }));
          const launched = { program: elf(variant, program), entry: 'entry', args: [6] };
          await adapter.launchToStop(launched, [{ path, breakpoints: lines }]);
          const stops = recorded(program, variant);
          assert.ok(stops.length >= markers[program].length);
          for (const [n, stop] of stops.entries()) {
            if (n > 0) await adapter.run('continue');
            await checkStop(adapter, stop, context);
          }
        }));
    }
  }

  /** What gdb 13 has no value of, from the source: `*this` that was captured, methods by their names. */
  const captured: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    GO: [
      ['&step == &this->speed', 'false'],
      ['drive == &Machine::drive', 'true'],
    ],
    COPY: [
      ['speed', '12'],
      ['this->limit + speed', '32'],
      ['*this', '{static made = 3, speed = 12, limit = 20}'],
      ['&speed == &this->speed', 'true'],
    ],
    GENERIC: [['hidden', '38']],
  };
  const uncaptured: readonly (readonly [marker: string, name: string, around: string])[] = [
    ['INNER', 'n', 'entry'],
    ['INNER', 'twice', 'the lambda around it'],
    ['ADD', 'total', 'entry'],
    ['ADD', 'n', 'entry'],
    ['GO', 'by', 'Machine::drive'],
    ['GO', 'unused', 'Machine::drive'],
    ['COPY', 'by', 'Machine::drive'],
  ];

  for (const variant of ['m3-O0', 'm3clang-O0', 'rv32-O0']) {
    it(`names in a lambda are those of its source (${variant})`, () =>
      withAdapter(async (adapter) => {
        const byLine = new Map(recorded('lambdas', 'm3-O0').map((stop) => [stop.line, stop.values]));
        const shown: string[][] = [];
        await atMarkers(adapter, 'lambdas', variant, async (marker) => {
          const frame = await adapter.topFrame();
          const ask = (text: string) =>
            adapter.evaluate(text, 'watch', frame.id).then(
              ({ result }) => plain(result),
              (error: Error) => error.message,
            );
          const known = (byLine.get(frame.line) ?? []).map(([text, , value]) => [text, value] as const);
          for (const [text, value] of [...known, ...(captured[marker] ?? [])]) {
            assert.equal(await ask(text), value, `${text} at ${marker}`);
          }
          for (const [, name, around] of uncaptured.filter(([where]) => where === marker)) {
            const reason = new RegExp(
              `${name}.* is a variable of ${around}(?:: the|, which the) lambda does not capture`,
            );
            assert.match(await ask(name), reason, `${name} at ${marker}`);
          }
          shown.push((await adapter.scope('Locals')).map(({ name }) => name).sort());
        });
        assert.deepEqual(shown, [
          ['__closure', 'by', 'count', 'narrow', 'wide'],
          ['__closure', 'by', 'count', 'inner', 'narrow', 'sum', 'twice', 'wide'],
          ['__closure', 'hidden', 'step', 'x'],
          ['__closure', 'more', 'now', 'step', 'this'],
          ['*this', '__closure', 'step', 'x'],
        ]);
      }));
  }

  it('what a lambda captures can be changed, completed, and without an object says so', () =>
    withAdapter(async (adapter) => {
      await atMarkers(adapter, 'lambdas', 'm3clang-O0', async (marker) => {
        const frameId = (await adapter.topFrame()).id;
        if (marker === 'ADD') {
          await assert.rejects(adapter.evaluate('this'), /the lambda does not capture 'this'/);
          const { body } = await adapter.client.scopesRequest({ frameId });
          const { variablesReference = 0 } = body.scopes.find(({ name }) => name === 'Locals') ?? {};
          const set = { variablesReference, name: 'count', value: '50' };
          assert.equal((await adapter.client.setVariableRequest(set)).body.value.replace(/.*: /, ''), '50');
          assert.equal((await adapter.evaluate('count + 1')).result, '51');
        }
        if (marker !== 'GO') return;
        const { body } = await adapter.client.completionsRequest({ text: 'spe', column: 4, frameId });
        assert.deepEqual(
          body.targets.map(({ label }) => label),
          ['speed'],
        );
        assert.equal((await adapter.evaluate('speed = 4', 'repl')).result, '4');
        assert.equal((await adapter.evaluate('this->speed')).result, '4');
      });
    }));

  /** The expressions of templates.cpp's list. */
  const listed = readFileSync(join(folder, 'templates.cpp'), 'utf8')
    .split('const long long values[] = {\n')[1]
    .split('  };')[0]
    .trim()
    .split('\n')
    .map((line) => line.replace(/,( \/\/.*)?$/, '').trim());
  const atTemplates = async (adapter: AdapterClient, variant: string): Promise<(text: string) => Promise<string>> => {
    const path = join(folder, 'templates.cpp');
    const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'FINISH') }] }];
    await adapter.launchToStop({ program: elf(variant, 'templates'), entry: 'entry', args: [6] }, breakpoints);
    const frame = (await adapter.topFrame()).id;
    return (text) =>
      adapter.evaluate(text, 'repl', frame).then(
        ({ result }) => result,
        (error: Error) => error.message,
      );
  };

  for (const variant of ['m3-O0', 'm3clang-O0', 'rv32-O0']) {
    it(`instances of templates are called as the compiler calls them (${variant})`, () =>
      withAdapter(async (adapter) => {
        const shown = await atTemplates(adapter, variant);
        assert.equal(listed.length, 28);
        for (const [index, expression] of listed.entries()) {
          assert.equal(await shown(`(long long)(${expression})`), await shown(`values[${index}]`), expression);
        }
        const refused: readonly (readonly [string, RegExp])[] = [
          [
            'greater(narrow, &n)',
            /^no function 'greater' fits \(short, int \*\); there are greater\(char, char\), greater<double>/,
          ],
          [
            'converted<short>(2.5)',
            /no instance of the template 'converted' fits \(double\); there is converted<short, int>/,
          ],
          ['times(5)', /the call of 'times' with \(int\) is ambiguous: times<3>\(int\), times<4>\(int\)/],
          ['times<5>(1)', /Of the template 'times' the program has times<3>, times<4> only/],
          ['converted', /'converted' is a template: name one of converted<char, double>, converted<short, int>/],
          ['a + 1', /no instance of the template 'operator\+' fits \(geo::Vec<int>, int\).*: name one/],
          ['(double)a', /a value of type geo::Vec<int> is no number/],
          ['sizeOf(&real)', /no instance of the template 'sizeOf' fits/],
        ];
        for (const [text, reason] of refused) assert.match(await shown(text), reason, text);
      }));
  }

  /** What g++ made of them with type information; gdb 13 gives the table's address in place of the object's. */
  const casts: readonly (readonly [string, string])[] = [
    ['dynamic_cast<Square *>(shape) == &cube', 'true'],
    ['dynamic_cast<Cube *>(shape) == &cube', 'true'],
    ['dynamic_cast<Shared *>(shape) == nullptr', 'true'],
    ['dynamic_cast<Shared *>(virtuals) == &shared', 'true'],
    ['dynamic_cast<Square *>(named) == &square', 'true'],
    ['dynamic_cast<Shape *>(named) == &square', 'true'],
    ['dynamic_cast<Cube *>(named) == nullptr', 'true'],
    ['dynamic_cast<Cube *>(last) == &cube', 'true'],
    ['dynamic_cast<Shape *>(last) == &cube', 'true'],
    ['dynamic_cast<Square *>(none) == nullptr', 'true'],
    ['dynamic_cast<void *>(named) == &square', 'true'],
    ['dynamic_cast<Other *>(shape) == nullptr', 'true'],
    ['dynamic_cast<Square *>(stranger) == nullptr', 'true'],
    ['dynamic_cast<const Cube *>(shape)->depth', '4'],
    ['dynamic_cast<Square &>(reference).side', '3'],
    ['dynamic_cast<Shape &>(square).id', '1'],
  ];
  const wrongCasts: readonly (readonly [string, RegExp])[] = [
    ['dynamic_cast<Cube &>(reference)', /the object is of the class Square, which has no Cube/],
    ['dynamic_cast<Shape *>(&plain)', /Plain has no virtual functions: of its objects nobody can tell the class/],
    ['dynamic_cast<int>(shape)', /to a pointer or a reference to a class, not to int/],
    ['dynamic_cast<Square *>(5)', /of a pointer to a class, not of int \(at '5'\)/],
    ['dynamic_cast<Square *>((Shape *)&total)', /is no table of virtual functions of a known class/],
    ['dynamic_cast<Square *>((Shape *)16)', /the object's table of virtual functions cannot be read at 0x10/],
  ];

  for (const variant of ['m3-O0', 'm3clang-O0', 'rv32-O0']) {
    it(`dynamic_cast asks the object, without type information (${variant})`, () =>
      withAdapter(async (adapter) => {
        const shown = await atTemplates(adapter, variant);
        for (const [text, value] of casts) assert.equal(await shown(text), value, text);
        for (const [text, reason] of wrongCasts) assert.match(await shown(text), reason, text);
        assert.equal((await adapter.evaluate('dynamic_cast<Cube *>(shape)->depth', 'hover')).result, '4');
      }));
  }

  // Thunks of GCC have lines, those of clang have none.
  for (const [variant, least] of [
    ['m3-O0', 40],
    ['m3clang-O0', 10],
  ] as const) {
    it(`virtual bases are found as gdb finds them, and thunks are stepped through (${variant})`, () =>
      withAdapter(async (adapter) => {
        const truth = JSON.parse(readFileSync(join(folder, `virtual.${variant}.json`), 'utf8')) as VirtualTruth;
        await adapter.launchToStop({ program: elf(variant, 'virtual'), entry: 'entry', args: [6], stopOnEntry: true });
        let compared = 0;
        for (const [stop, stack] of truth.steps.entries()) {
          if (stop > 0) await adapter.run('stepIn');
          const frames = (await adapter.stack()).filter(({ name }) => !/^llext_/.test(name));
          assert.deepEqual(
            frames.map(({ name, line }) => [name, line]),
            stack,
          );
          for (const [expression, type, value] of truth.watches.find((at) => at.stop === stop)?.values ?? []) {
            const result = await adapter.evaluate(expression, 'watch');
            assert.deepEqual([result.type, plain(result.result)], [type, value], `${expression} at stop ${stop}`);
            compared++;
          }
        }
        assert.ok(compared >= least);
      }));
  }

  it('a hover finds the symbol of a name of the source, and its declaration', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: elf('m3-O0'), entry: 'entry', args: [6], stopOnEntry: true });
      const symbolOf = async (name: string) => (await adapter.request<SymbolResponse>('llext/symbol', { name })).symbol;
      const mangled = '_ZN6motion12_GLOBAL__N_16hiddenEi';
      const hidden = await symbolOf('hidden');
      // readelf -s: 26 bytes
      assert.deepEqual([hidden?.name, hidden?.kind, hidden?.size], [mangled, 'function', 26]);
      assert.deepEqual(await symbolOf(mangled), hidden);
      assert.equal((await symbolOf('push'))?.type, 'short (short)');
      assert.equal(await symbolOf('convert'), undefined, 'of overloads none is chosen');
    }));

  it('functions are named with their scopes, with their parameters, or alone', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: elf('m3-O0'), entry: 'entry', args: [6], stopOnEntry: true });
      const places = async (name: string): Promise<(number | undefined)[]> => {
        const { body } = await adapter.client.setFunctionBreakpointsRequest({ breakpoints: [{ name }] });
        assert.equal(body.breakpoints[0].verified, true, body.breakpoints[0].message);
        await adapter.run('continue');
        return (await adapter.stack()).map(({ line }) => line).slice(0, 1);
      };
      const line = (marker: string): number => markerLine(source, marker);
      assert.deepEqual(await places('motion::Square::area'), [line('AREA') - 1]);
      assert.deepEqual(await places('motion::convert(double)'), [line('DOUBLE') - 1]);
      assert.deepEqual(await places('largest'), [line('LARGEST') - 1]);
    }));

  it('the tree has bases, members of references, and can be changed', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'END') }] }];
      await adapter.launchToStop({ program: elf('m3-O0'), entry: 'entry', args: [6] }, breakpoints);
      const locals = await adapter.scope('Locals');
      const square = locals.find(({ name }) => name === 'square');
      const members = await adapter.variables(square?.variablesReference ?? 0);
      assert.deepEqual(
        members.map(({ name }) => name),
        ['<motion::Shape>', 'side_', 'axis_', 'corner_'],
      );
      const base = await adapter.variables(members[0].variablesReference);
      assert.deepEqual(
        base.map(({ name, evaluateName }) => [name, evaluateName]),
        [
          ['_vptr.Shape', undefined],
          ['count', 'square.count'],
          ['limit', 'square.limit'],
          ['id_', 'square.id_'],
        ],
      );
      assert.deepEqual(
        base.map(({ presentationHint }) => presentationHint?.attributes?.includes('static') === true),
        [false, true, true, false],
      );
      const corner = locals.find(({ name }) => name === 'corner');
      const parts = await adapter.variables(corner?.variablesReference ?? 0);
      assert.deepEqual(
        parts.map(({ name, value, evaluateName }) => [name, value, evaluateName]),
        [
          ['x', '5', 'corner.x'],
          ['y', '-5', 'corner.y'],
        ],
      );
      assert.equal((await adapter.evaluate('corner.x = 70', 'repl')).result, '70');
      assert.equal((await adapter.evaluate('square.corner_.x')).result, '70');
      assert.equal((await adapter.evaluate('reference = -1', 'repl')).result, '-1');
      assert.equal((await adapter.evaluate('n')).result, '-1');
      assert.equal((await adapter.evaluate('square.axis_ = motion::Axis::Z', 'repl')).result, 'motion::Axis::Z');
    }));

  const atFinish = (adapter: AdapterClient, variant: string): Promise<unknown> => {
    const path = join(folder, 'operators.cpp');
    const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'FINISH') }] }];
    return adapter.launchToStop({ program: elf(variant, 'operators'), entry: 'entry', args: [6] }, breakpoints);
  };
  const refused = async (adapter: AdapterClient, text: string, context: 'watch' | 'repl'): Promise<string> => {
    const found = await adapter.evaluate(text, context).then(
      ({ result }) => result,
      (error: Error) => error,
    );
    return found instanceof Error ? found.message : `has a value: ${found}`;
  };

  it('operators of classes are calls, which a watch refuses; what has no code says why', () =>
    withAdapter(async (adapter) => {
      await atFinish(adapter, 'm3-O0');
      for (const text of [
        'a + b',
        '-a',
        '*box',
        'box->value',
        'row[1]',
        'b(2, 3)',
        '(long)b',
        'scale(1)',
        'b.operator long()',
      ]) {
        assert.match(await refused(adapter, text, 'watch'), /functions are called in the Debug Console only/, text);
      }
      // -99 as a long, and b && true by its explicit operator bool.
      assert.equal((await adapter.evaluate('(long)b', 'repl')).result, '-99');
      assert.equal((await adapter.evaluate('b.operator long() + 1', 'repl')).result, '-98');
      assert.equal((await adapter.evaluate('b && true', 'repl')).result, 'true');
      assert.equal((await adapter.evaluate('++b', 'repl')).result.replace(/.*: /, ''), '{cents = -98}');
      assert.equal((await adapter.evaluate('b.cents', 'watch')).result, '-99', 'the call is undone');
      assert.match(
        await refused(adapter, 'a - b', 'repl'),
        /no function 'operator-' fits \(bank::Money, bank::Money\); there is bank::Money::operator-\(\)/,
      );
      assert.match(await refused(adapter, 'a + 1', 'repl'), /no function 'operator\+' fits \(bank::Money, int\)/);
      assert.match(await refused(adapter, 'both + 1', 'repl'), /there is no operator '\+' for Both and int/);
    }));

  it('a function that was inlined everywhere says so', () =>
    withAdapter(async (adapter) => {
      await atFinish(adapter, 'm3-O2');
      const inlined = /was inlined wherever it is used: it has no code of its own/;
      assert.match(await refused(adapter, '++b', 'repl'), inlined);
      assert.match(await refused(adapter, 'a.operator-()', 'repl'), inlined);
      assert.match(await refused(adapter, 'box->value', 'repl'), inlined);
      assert.match(await refused(adapter, 'row[0]', 'watch'), inlined);
    }));

  it('pointers to members are compared with null and each other, and assigned', () =>
    withAdapter(async (adapter) => {
      await atFinish(adapter, 'rv32-O0');
      const shown = async (text: string): Promise<string> => (await adapter.evaluate(text, 'repl')).result;
      for (const text of [
        'no_field == nullptr',
        '!no_field',
        'field != nullptr',
        'field == &Node::count',
        'field && method',
        'no_method == nullptr',
        'method != no_method',
      ]) {
        assert.equal(await shown(text), 'true', text);
      }
      assert.equal(await shown('no_field = &Node::key'), '&Node::key');
      assert.equal(await shown('Node::root.*no_field'), '1');
      assert.equal(await shown('method = nullptr'), 'NULL');
      assert.equal(await shown('field = nullptr'), 'NULL');
      assert.equal(await shown('field == no_field || method'), 'false');
    }));

  it('names of templates are found however their ends are written', () =>
    withAdapter(async (adapter) => {
      await atFinish(adapter, 'm3-O0');
      for (const name of ['Box<Box<short> >', 'Box<Box<short>>', 'Box< Box<short int> >']) {
        assert.equal((await adapter.evaluate(`sizeof(${name})`)).result, '2', name);
      }
      for (const name of ['Row<bank::Money, 3u>::last', 'Row<bank::Money,3>::last', 'Box<short int>::set']) {
        const { body } = await adapter.client.setFunctionBreakpointsRequest({ breakpoints: [{ name }] });
        assert.equal(body.breakpoints[0].verified, true, `${name}: ${body.breakpoints[0].message}`);
      }
    }));

  it('frames are named with the parameters that tell overloads apart, where a client asks for it', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'DOUBLE') }] }];
      await adapter.launchToStop({ program: elf('m3-O0'), entry: 'entry', args: [6] }, breakpoints);
      const format = { parameters: true, parameterTypes: true };
      const { body } = await adapter.client.stackTraceRequest({ threadId: 1, levels: 2, format });
      const named = body.stackFrames.map(({ name }) => name);
      assert.deepEqual(named, ['motion::convert(double)', 'entry(int)']);
    }));

  it('a name that gdb shows with its parameters has them once', () =>
    withAdapter(async (adapter) => {
      const path = join(folder, 'operators.cpp');
      const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'EACH') }] }];
      const launched = { program: elf('m3-O0', 'operators'), entry: 'entry', args: [6] };
      await adapter.launchToStop(launched, breakpoints);
      const format = { parameters: true, parameterNames: true };
      const { body } = await adapter.client.stackTraceRequest({ threadId: 1, levels: 1, format });
      assert.equal(body.stackFrames[0].name, 'each<entry(int)::<lambda(int)> >(f)');
    }));
});
