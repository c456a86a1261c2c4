/**
 * Functions called from the Debug Console. Judge of arguments and results is the program: test/dap-programs/called.c makes the same
 * calls itself, as its compiler passes them, and keeps the results. Expected numbers follow from its source.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import type { Transport } from './support/dap-connections';
import { markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const folder = join(projectRoot, 'test/dap-programs');
const source = join(folder, 'called.c');
const variants = [
  ...['m3-O0', 'm3-O2', 'm3clang-O0', 'm4f-O0'],
  ...['rv32imac', 'rv32imafc', 'rv32imafdc', 'rv64imac', 'rv64gc'],
];

async function atStop(
  variant: string,
  body: (adapter: AdapterClient) => Promise<void>,
  more: Readonly<Record<string, unknown>> = {},
  where?: Transport,
): Promise<void> {
  await withAdapter(async (adapter) => {
    const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'STOP') }] }];
    const program = join(folder, `called.${variant}.elf`);
    await adapter.launchToStop({ program, entry: 'entry', args: [1], ...more }, breakpoints);
    await body(adapter);
  }, where);
}

const shown = async (adapter: AdapterClient, text: string): Promise<string> =>
  (await adapter.evaluate(text, 'repl')).result;

const refusal = (adapter: AdapterClient, text: string, context: 'repl' | 'watch' | 'hover' = 'repl'): Promise<string> =>
  adapter.evaluate(text, context).then(
    ({ result }) => assert.fail(`${text} has the value ${result}`),
    (error: Error) => error.message,
  );

/** [call, what the program's own call gave: a member of `results`]. */
const sameCalls: readonly (readonly [call: string, member: string])[] = [
  ['add(2, 3)', 'add'],
  ['many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)', 'many'],
  ['narrow(-3, 250, -700, 60000, 1)', 'narrow'],
  ['wide(1, -2000000000000ll, 3, 4)', 'wide'],
  ['single(1.5f, 3, 0.25f)', 'single'],
  ['twice(1.25, 4, 0.5)', 'twice'],
  ['scattered(1.5f, 2.5, 3.5f, 4.5, 5.5f)', 'scattered'],
  ['full(1, 2, 3, 4, 5, 6, 7, 8, 9, 10.5f)', 'full'],
  ['take_small(make_small(-3, 40), 5)', 'small'],
  ['take_big(1, make_big(2, make_pair(3, 4)), 5)', 'big'],
  ['take_floats(make_floats(1.5f, 2.5f), make_doubles(3.5, 4.5), make_mixed(5.5, 6))', 'floats'],
  ['sum(6, 1, 2, 3, 4, 5, 6)', 'sum'],
  ['sum_wide("idwid", 1, 2.5, 3ll, 4, 5.5)', 'sum_wide'],
  ['length("four")', 'length'],
];

describe('calls pass arguments and results as the compiler does', () => {
  for (const variant of variants) {
    it(variant, () =>
      atStop(variant, async (adapter) => {
        for (const [call, member] of sameCalls) {
          assert.equal(await shown(adapter, call), await shown(adapter, `results.${member}`), call);
          assert.equal(await shown(adapter, `${call} == results.${member}`), '1', call);
        }
        for (const [call, member] of [
          ['make_big(2, make_pair(3, 4))', 'made_big'],
          ['make_doubles(3.5, 4.5)', 'made_doubles'],
          ['make_mixed(5.5, 6)', 'made_mixed'],
        ] as const) {
          assert.equal(await shown(adapter, call), await shown(adapter, `results.${member}`), call);
        }
        assert.equal(await shown(adapter, 'next_color(RED)'), 'GREEN');
        assert.equal(await shown(adapter, 'make_pair(3, 4).right + 1'), '5');
        assert.equal(await shown(adapter, 'add(add(1, 2), add(3, 4)) * 2'), '20');
        assert.equal(await shown(adapter, 'state.handler(21)'), '42');
        assert.equal(await shown(adapter, '(*state.handler)(21)'), '42');
        assert.equal(await shown(adapter, '(&state)->handler(local)'), '4');
        assert.equal(await shown(adapter, 'area(&state.pair)'), '12');
        assert.equal(await shown(adapter, '*where()'), await shown(adapter, 'counter'));
      }),
    );
  }
});

describe('what a call did is undone', () => {
  for (const variant of ['m3-O2', 'rv32imac', 'rv64gc']) {
    it(`memory, registers, place in the recording (${variant})`, () =>
      atStop(
        variant,
        async (adapter) => {
          const { target } = (await adapter.state()).requireInferior('calls');
          const state = () => ({
            registers: target.registerNames.map((name) => target.readRegisterNow(name)),
            memory: target.machine.memory.regions.map(({ base, size }) =>
              Buffer.from(target.machine.memory.peek(base, size)).toString('base64'),
            ),
            now: target.history.now,
            end: target.history.end,
            inputs: target.history.inputs.length,
            calls: target.hostCalls.length,
            instructions: target.machine.instructionCount,
          });
          const before = state();
          assert.equal(await shown(adapter, 'bump(4)'), '7');
          assert.equal(await shown(adapter, 'bump(1), bump(1), counter'), '5');
          assert.equal(await shown(adapter, 'reset(&state)'), 'void');
          assert.match(await shown(adapter, 'grab(40)'), /^(\(void \*\) )?0x2/);
          assert.equal(await shown(adapter, 'speak(5)'), '5');
          assert.match(
            await refusal(adapter, 'crash((int *)0)'),
            /crash\(\) faulted: .*everything that it did is undone/,
          );
          assert.deepEqual(state(), before);
          // And the program goes on as if nothing had been.
          await adapter.runToEnd();
          assert.match(adapter.output('console'), /returned/);
        },
        {},
        'inline',
      ));
  }

  it('assignments of the expression itself are made', () =>
    atStop('m3-O0', async (adapter) => {
      assert.equal(await shown(adapter, 'counter = add(20, 3)'), '23');
      assert.equal(await shown(adapter, 'counter'), '23');
      // The function sees what was assigned before it is called, and what it does is gone.
      assert.equal(await shown(adapter, '(counter = 50, bump(5))'), '55');
      assert.equal(await shown(adapter, 'counter'), '50');
      assert.equal(await shown(adapter, 'local = bump(1) + local'), '53');
      assert.equal(await shown(adapter, 'counter + local'), '103');
    }));

  it('with `call` it is kept, as a change by the debugger that can be gone back before', () =>
    atStop('rv32imac', async (adapter) => {
      assert.equal(await shown(adapter, 'call bump(4)'), '7');
      assert.equal(await shown(adapter, 'counter'), '7');
      assert.equal(await shown(adapter, 'call reset(&state)'), 'void');
      assert.equal(await shown(adapter, 'state.name[0]'), "122 'z'");
      assert.equal(await shown(adapter, 'state.count'), '0');
      await adapter.run('stepBack');
      assert.equal(await shown(adapter, 'counter'), '3');
    }));

  it('in the past of a recording nothing of its future is dropped', () =>
    atStop(
      'm3-O0',
      async (adapter) => {
        await adapter.run('next');
        await adapter.run('stepBack');
        assert.equal(await shown(adapter, 'bump(2)'), '5');
        const { target } = (await adapter.state()).requireInferior('calls');
        assert.ok(target.history.end > target.history.now);
        assert.equal(adapter.output('console').includes('Changed in the past'), false);
      },
      {},
      'inline',
    ));

  it('what a function prints is marked', () =>
    atStop('m3-O0', async (adapter) => {
      await shown(adapter, 'speak(5)');
      await shown(adapter, 'call speak(6)');
      assert.equal(adapter.output('stdout'), '[undone call] speaking 5\nspeaking 6\n');
    }));
});

describe('functions of the base image', () => {
  /** ISO C and Zephyr's documentation of each; `long` is as wide as the variant has it. */
  const cases: readonly (readonly [text: string, value: string])[] = [
    ['strlen("abc")', '3'],
    ['::strlen("ab") + length("four")', '6'],
    ['sizeof(strlen("x"))', '{long}'],
    ['memcmp("abc", "abd", 2)', '0'],
    ['*strchr("hello", \'l\')', "108 'l'"],
    ['labs(-5) + abs(-4)', '9'],
    ['atoi("42") + atol("-43")', '-1'],
    ['strtol("-5000000000", 0, 10)', '{strtol}'],
    ['strtoull("18446744073709551615", 0, 10)', '18446744073709551615'],
    ['k_uptime_get()', '0'],
    ['k_msleep(10) + (int)k_uptime_get()', '10'],
    ['k_uptime_get()', '0'],
    ['snprintk((char *)&counter, 4, "%d", 77)', '2'],
    ['counter', '3'],
  ];
  const longs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    4: { '{long}': '4', '{strtol}': '-2147483648' },
    8: { '{long}': '8', '{strtol}': '-5000000000' },
  };

  for (const variant of ['m3-O0', 'm4f-O0', 'rv32imafc', 'rv64gc']) {
    it(`are called by name (${variant})`, () =>
      atStop(variant, async (adapter) => {
        for (const [text, value] of cases) {
          assert.equal(await shown(adapter, text), longs[variant.startsWith('rv64') ? 8 : 4][value] ?? value, text);
        }
        // Floats are promoted where there is no parameter; what is printed is marked.
        await shown(adapter, 'printk("%d %c %s %lld %.2f\\n", (short)5, \'a\', "txt", 7ll, 1.5f)');
        await shown(adapter, 'call printk("kept\\n")');
        assert.equal(adapter.output('stdout'), '[undone call] 5 a txt 7 1.50\nkept\n');
        // The run-time ABI's helpers take core registers on a core with an FPU too.
        if (variant.startsWith('m')) assert.equal(await shown(adapter, '__aeabi_dadd(1.5, 2.25)'), '3.75');
      }));
  }

  it('refuse what blocks or ends the program, and what does not fit', () =>
    atStop('m3-O0', async (adapter) => {
      const refused: readonly (readonly [text: string, message: RegExp])[] = [
        ['k_sleep(-1)', /the only thread would sleep forever; everything that it did is undone/],
        ['k_panic()', /k_panic\(\) ended the program: .*K_ERR_KERNEL_PANIC/],
        ['strlen((char *)0)', /strlen\(\) faulted: strlen: s points to 0x00000000/],
        ['strlen("a", 2)', /too many arguments for 'strlen'/],
        ['printk()', /too few arguments for 'printk'/],
      ];
      for (const [text, message] of refused) assert.match(await refusal(adapter, text), message, text);
      assert.match(await refusal(adapter, 'strlen("a")', 'watch'), /called in the Debug Console only/);
      assert.match(await refusal(adapter, 'strlen', 'hover'), /No symbol "strlen"/);
      assert.equal(await shown(adapter, 'counter'), '3');
    }));
});

describe('calls that do not come back', () => {
  it('an endless loop ends at the limit, a fault names its line', () =>
    atStop('m3-O0', async (adapter) => {
      assert.match(await refusal(adapter, 'forever()'), /forever\(\) did not return within 50,000,000 instructions/);
      assert.equal(await shown(adapter, 'counter'), '3');
      const line = markerLine(source, 'CRASH');
      assert.match(await refusal(adapter, 'crash((int *)4)'), new RegExp(`faulted: .*line ${line} of called.c`));
      assert.match(await refusal(adapter, 'deep(1000)'), /deep\(\) faulted: .*stack/);
    }));

  it('pause and cancel interrupt one', () =>
    atStop('m3-O0', async (adapter) => {
      const frameId = (await adapter.topFrame()).id;
      const interrupted = adapter.client.evaluateRequest({ expression: 'forever()', context: 'repl', frameId });
      // Until it runs there is nothing to interrupt.
      const again = setInterval(() => void adapter.client.send('pause', { threadId: 1 }), 5);
      await assert.rejects(interrupted, /interrupted/).finally(() => clearInterval(again));
      assert.equal(await shown(adapter, 'counter'), '3');
    }));
});

describe('what is refused', () => {
  it('where nothing may change, and what does not fit', () =>
    atStop('m3-O0', async (adapter) => {
      const cases: readonly (readonly [text: string, message: RegExp])[] = [
        ['add(1)', /too few arguments for 'add': 2 are needed/],
        ['add(1, 2, 3)', /too many arguments for 'add': it has 2/],
        ['take_big(1, state, 2)', /cannot be passed as struct big/],
        ['counter(1)', /int cannot be called/],
        ['where() = 3', /no object that could be changed/],
      ];
      for (const [text, message] of cases) assert.match(await refusal(adapter, text), message, text);
      for (const context of ['watch', 'hover'] as const) {
        assert.match(await refusal(adapter, 'add(1, 2)', context), /called in the Debug Console only/);
        assert.equal((await adapter.evaluate('sizeof(add(1, 2))', context)).result, '4');
      }
    }));

  it('in a condition, where the program stops and says so', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ line: markerLine(source, 'STOP'), condition: 'add(1, 2) == 3' }];
      const program = join(folder, 'called.m3-O0.elf');
      const stop = await adapter.launchToStop({ program, entry: 'entry', args: [1] }, [{ path: source, breakpoints }]);
      assert.match(stop.text ?? '', /called in the Debug Console only/);
    }));

  it('breakpoints in the function do not stop, and do not count', () =>
    atStop('m3-O0', async (adapter) => {
      await adapter.client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'bump', hitCondition: '1' }] });
      assert.equal(await shown(adapter, 'bump(4)'), '7');
      const { reason } = await adapter.run('continue');
      assert.equal(reason, 'function breakpoint');
      assert.equal((await adapter.topFrame()).name, 'bump');
    }));
});

describe('C++', () => {
  /** Expected from test/cpp/classes.cpp: square is Square(n, 5), n is 6 and total at END. */
  for (const variant of ['m3-O0', 'rv32-O0']) {
    it(`methods, virtual ones, overloads, references, pointers to methods (${variant})`, () =>
      withAdapter(async (adapter) => {
        const cpp = join(projectRoot, 'test/cpp/classes.cpp');
        const breakpoints = [{ path: cpp, breakpoints: [{ line: markerLine(cpp, 'END') }] }];
        const program = join(projectRoot, `test/cpp/classes.${variant}.elf`);
        await adapter.launchToStop({ program, entry: 'entry', args: [6] }, breakpoints);
        const cases: readonly (readonly [text: string, value: string])[] = [
          ['square.area()', '25'],
          ['(&square)->area()', '25'],
          ['square.scaled(2) - square.scaled(1)', '25'],
          ['convert(3)', '4'],
          ['convert(3.75)', '3'],
          ["convert('a') - 'a'", '1'],
          ['convert(2.5f)', '2'],
          ['motion::convert(true)', '2'],
          ['largest<int>(3, 8)', '8'],
          ['largest<int>(total, total + 1) - total', '1'],
          ['square.corner().x', '5'],
          ['function(3)', '4'],
          ['corner.*member', '-5'],
          ['(&corner)->*member', '-5'],
          ['(void *)0 == nullptr', 'true'],
          ['static_cast<int>(2.75) + reinterpret_cast<int>(4)', '6'],
        ];
        const wrong: string[] = [];
        for (const [text, value] of cases) {
          const found = await shown(adapter, text).catch((error: Error) => error.message);
          if (found !== value) wrong.push(`${text}: ${found}, not ${value}`);
        }
        assert.deepEqual(wrong, []);
        assert.match(
          await refusal(adapter, 'convert(3ll)'),
          /ambiguous: motion::convert\(double\), motion::convert\(int\)/,
        );
        assert.match(await refusal(adapter, 'convert(square)'), /no function 'motion::convert' fits/);
        assert.match(await refusal(adapter, 'square.nothing()'), /no member named nothing/);
      }));
  }
});

describe('classes that are copied by a constructor of their own', () => {
  it('are not passed or returned by value, which says so; plain ones are', async (t) => {
    const compiler = requireTool(t, 'arm-none-eabi-g++');
    if (compiler === undefined) return;
    const work = mkdtempSync(join(tmpdir(), 'calls-'));
    try {
      const source = join(work, 'owned.cpp');
      const lines = [
        'struct Owned { int n; Owned(int n) : n(n) {} Owned(const Owned &other) : n(other.n + 1) {} };',
        'struct Around { int n; Owned inner[2]; ~Around() = default; Around() : n(1), inner{1, 2} {} };',
        'struct Ends { int n; ~Ends() { n = 0; } };',
        'struct Speaks { virtual int speak() { return 1; } };',
        'struct Plain { int n; Plain() = default; Plain(const Plain &) = default; explicit Plain(int m) : n(m) {} };',
        'static Owned owned(3);',
        'static Plain plain;',
        'static Around around;',
        // No static object with a destructor: it would import __aeabi_atexit.
        'static int place;',
        'static Ends &ends = reinterpret_cast<Ends &>(place);',
        'static Speaks speaks;',
        'int takes(Owned value) { return value.n; }',
        'Owned gives() { return owned; } // #GIVES',
        'int takes_around(Around value) { return value.n; }',
        'int takes_ends(Ends value) { return value.n; }',
        'int takes_speaks(Speaks value) { return value.speak(); }',
        'int adds(Plain value) { return value.n + 1; }',
        'extern "C" int entry() {',
        '  plain.n = takes(owned) + gives().n;',
        '  return adds(plain); // #STOP',
        '}',
        'extern "C" { __attribute__((section(".exported_sym"), used)) const void *const exported[] = { "entry", (const void *)entry }; }',
      ];
      writeFileSync(source, lines.join('\n'));
      const program = join(work, 'owned.elf');
      const flags = ['-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-O0', '-g', '-fno-exceptions', '-fno-rtti'];
      runTool(compiler, [...flags, '-fno-unwind-tables', '-c', source, '-o', join(work, 'owned.o')]);
      const script = join(projectRoot, 'scripts/relocatable.ld');
      runTool('arm-none-eabi-ld', ['-r', '-T', script, join(work, 'owned.o'), '-o', program]);
      await withAdapter(async (adapter) => {
        const breakpoints = ['GIVES', 'STOP'].map((marker) => ({ line: markerLine(source, marker) }));
        await adapter.launchToStop({ program, entry: 'entry' }, [{ path: source, breakpoints }]);
        // One register would have room for it.
        await adapter.run('stepOut');
        const [returned] = await adapter.scope('Return value');
        assert.equal(`${returned.type} ${returned.name} ${returned.value}`, 'Owned gives() {n = 4}');
        await adapter.run('continue');
        for (const [call, name] of [
          ['takes(owned)', 'Owned'],
          ['gives()', 'Owned'],
          ['takes_around(around)', 'Around'],
          ['takes_ends(ends)', 'Ends'],
          ['takes_speaks(speaks)', 'Speaks'],
        ])
          assert.match(await refusal(adapter, call), new RegExp(`: ${name} is copied by a constructor`));
        // 4 of takes, and as much of gives.
        assert.equal(await shown(adapter, 'adds(plain)'), '9');
      });
    } finally {
      rmSync(work, { recursive: true });
    }
  });
});

describe('pointers to methods, and __VA_OPT__', () => {
  it('mean what the compiler makes of the same text', async (t) => {
    const compiler = requireTool(t, 'arm-none-eabi-g++');
    if (compiler === undefined) return;
    const work = mkdtempSync(join(tmpdir(), 'dap-calls-'));
    try {
      const texts = [
        '(object.*plain)(1)',
        '((&object)->*plain)(2)',
        '(object.*virtually)(3)',
        '(base.*virtually)(4)',
        '(object.*second)(5)',
        '(reference.*virtually)(6)',
        'FIRST(7)',
        'FIRST(8, 9)',
        'COUNT()',
        'COUNT(a, (b, c))',
        'NEGATED(10)',
        'NEGATED(11, -)',
      ];
      const source = join(work, 'pointers.cpp');
      const lines = [
        '#define FIRST(a, ...) pick(a __VA_OPT__(, __VA_ARGS__))',
        '#define COUNT(...) (0 __VA_OPT__(+ (1 + 1)))',
        '#define NEGATED(a, ...) (__VA_OPT__(__VA_ARGS__) a)',
        'struct Base { int n = 40; virtual int turn(int x) { return n + x; } };',
        'struct Other { int m = 500; int add(int x) { return m + x; } };',
        'struct Object : Base, Other { int turn(int x) override { return n * x; } int sub(int x) { return n - x; } };',
        'static Object object;',
        'static Base base;',
        'static Base &reference = object;',
        'int (Object::*plain)(int) = &Object::sub;',
        'int (Base::*virtually)(int) = &Base::turn;',
        'int (Object::*second)(int) = static_cast<int (Object::*)(int)>(&Other::add);',
        'int pick(int a) { return a; }',
        'int pick(int a, int b) { return a * 100 + b; }',
        `int results[${texts.length}];`,
        'extern "C" int entry() {',
        ...texts.map((text, i) => `  results[${i}] = ${text};`),
        '  return results[0]; // #STOP',
        '}',
        'extern "C" { __attribute__((section(".exported_sym"), used)) const void *const exported[] = { "entry", (const void *)entry }; }',
      ];
      writeFileSync(source, lines.join('\n'));
      const program = join(work, 'pointers.elf');
      const flags = ['-std=c++20', '-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-O0', '-g3', '-fno-exceptions'];
      const more = ['-fno-rtti', '-fno-unwind-tables', '-fno-threadsafe-statics'];
      runTool(compiler, [...flags, ...more, '-c', source, '-o', join(work, 'pointers.o')]);
      const script = join(projectRoot, 'scripts/relocatable.ld');
      runTool('arm-none-eabi-ld', ['-r', '-T', script, join(work, 'pointers.o'), '-o', program]);
      await withAdapter(async (adapter) => {
        const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'STOP') }] }];
        await adapter.launchToStop({ program, entry: 'entry' }, breakpoints);
        const differing: string[] = [];
        for (const [i, text] of texts.entries()) {
          const own = await shown(adapter, `results[${i}]`);
          const found = await shown(adapter, text).catch((error: Error) => error.message);
          if (found !== own) differing.push(`${text}: ${found}, not ${own}`);
        }
        assert.deepEqual(differing, []);
      });
    } finally {
      rmSync(work, { recursive: true });
    }
  });
});

describe('functions of assembler sources', () => {
  const folder = join(projectRoot, 'test/dap-programs');
  const source = join(folder, 'assembled_sum.S');

  // GNU as describes functions without their parameters, clang's assembler describes labels only.
  for (const variant of ['m3-O0', 'm3clang-O0']) {
    it(`are named, called as declared, and refused as they are (${variant})`, () =>
      withAdapter(async (adapter) => {
        const line = markerLine(source, 'SUM');
        const program = join(folder, `assembled.${variant}.elf`);
        const breakpoints = [{ path: source, breakpoints: [{ line }] }];
        await adapter.launchToStop({ program, entry: 'entry', args: [6] }, breakpoints);
        const frames = (await adapter.stack()).slice(0, 2).map(({ name, line: at }) => [name, at]);
        const entry = markerLine(join(folder, 'assembled.c'), 'CALL');
        assert.deepEqual(frames, [
          ['asm_sum', line],
          ['entry', entry],
        ]);
        // 1 + 2 + 1, 3 + 4 + 1, 4 + 1
        assert.equal(await shown(adapter, '(int)asm_sum(1, 2)'), '4');
        assert.equal(await shown(adapter, '((int (*)(int, int))asm_sum)(3, 4)'), '8');
        assert.equal(await shown(adapter, '(int)asm_plain(4)'), '5');
        assert.match(await shown(adapter, 'asm_sum'), /^\{.*\} 0x[0-9a-f]+ <asm_sum>$/);
        assert.match(await shown(adapter, 'asm_plain'), /^\{<text variable, no debug info>\} 0x[0-9a-f]+ <asm_plain>$/);
        await assert.rejects(
          adapter.evaluate('asm_sum(1, 2)', 'repl'),
          /'asm_sum' has unknown return type; cast the call/,
        );
        const { body } = await adapter.client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'asm_plain' }] });
        assert.equal(body.breakpoints[0].line, markerLine(source, 'PLAIN'));
      }));
  }
});
