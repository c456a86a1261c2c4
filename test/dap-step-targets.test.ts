/** Step controls by DAP beside the plain steps: targets, filters, granularity, and what a function has returned. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { atMarker, controlsLine, controlsPath } from './support/controls';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

async function targets(adapter: AdapterClient, level = 0): Promise<DebugProtocol.StepInTarget[]> {
  const frameId = (await adapter.stack())[level].id;
  const body = await adapter.request<DebugProtocol.StepInTargetsResponse['body']>('stepInTargets', { frameId });
  return body.targets;
}

async function stepInto(adapter: AdapterClient, targetId: number): Promise<void> {
  const stopped = adapter.stopped();
  await adapter.client.send('stepIn', { threadId: 1, targetId });
  await stopped;
}

const place = async (adapter: AdapterClient): Promise<string> => {
  const { name, line } = await adapter.topFrame();
  return `${name}:${line}`;
};

describe('step-in targets', () => {
  for (const variant of ['m3-O0', 'm3-Os', 'm3-O2', 'rv32imac']) {
    it(`are the calls of the line that are still to come, inlined ones too (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [7] }, atMarker('BP_NESTED'));
        const all = await targets(adapter);
        // At -O2 and -Os the third call's first instruction is one of scale's lines: it is no part of this line.
        const isOwnLine = !/-O[s2]$/.test(variant);
        const expected = isOwnLine ? ['scale', 'thrice', 'twice'] : ['scale', 'twice'];
        assert.deepEqual(all.map(({ label }) => label).sort(), expected);
        assert.ok(all.every(({ line }) => line === controlsLine('BP_NESTED')));
        assert.deepEqual(await targets(adapter, 1), []);
        if (!isOwnLine) return;
        const thrice = all.find(({ label }) => label === 'thrice');
        await stepInto(adapter, thrice?.id ?? 0);
        assert.equal(await place(adapter), `thrice:${controlsLine('BP_THRICE')}`);
        assert.equal((await adapter.evaluate('value')).result, '7');
        // Back in the line nothing but what comes after is left.
        await adapter.run('stepOut');
        if ((await adapter.topFrame()).line !== controlsLine('BP_NESTED')) return;
        assert.ok(!(await targets(adapter)).some(({ label }) => label === 'thrice' || label === 'twice'));
      }));

    it(`enter an inlined call without the others (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [7] }, atMarker('BP_NESTED'));
        const scale = (await targets(adapter)).find(({ label }) => label === 'scale');
        await stepInto(adapter, scale?.id ?? 0);
        const [frame, caller] = await adapter.stack();
        assert.equal(frame.name, 'scale [inlined]');
        assert.match(caller.name, /^nested/);
        assert.equal(caller.line, controlsLine('BP_NESTED'));
      }));
  }

  it('are the calls that objdump shows', async (t) => {
    const objdump = requireTool(t, 'arm-none-eabi-objdump');
    if (objdump === undefined) return;
    const source = fixtureSource('calls');
    const program = fixturePath('calls', 'm3-O0');
    const listing = runTool(objdump, ['-d', '--disassemble=entry', program]);
    const called = new Set([...listing.matchAll(/\tblx?\t[0-9a-f]+ <(\w+)>/g)].map(([, name]) => name));
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
      const seen = new Set<string>();
      for (let steps = 0; steps < 12; steps++) {
        for (const { label } of await targets(adapter)) seen.add(label);
        if ((await adapter.topFrame()).line === markerLine(source, 'BP10')) break;
        await adapter.run('next');
      }
      assert.deepEqual([...seen].sort(), [...called].sort());
    });
  });

  it('with a target that the line does not come to, the step ends with the line', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_NESTED'));
      const twice = (await targets(adapter)).find(({ label }) => label === 'twice');
      await adapter.evaluate('$pc = $pc + 6', 'repl');
      await adapter.client.stackTraceRequest({ threadId: 1 });
      await stepInto(adapter, twice?.id ?? 0);
      assert.equal(await place(adapter), `nested:${controlsLine('BP_SUM')}`);
    }));

  it('are void after the next stop', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_NESTED'));
      const [first] = await targets(adapter);
      await adapter.run('next');
      await assert.rejects(
        adapter.client.send('stepIn', { threadId: 1, targetId: first.id }),
        /no target \d+ any more/,
      );
    }));
});

/** Seven calls in a line: nested, inlined in two levels, with the code of other lines between them, by a pointer in memory. */
const sevenCalls = [
  'volatile int g = 3;',
  '#define FLAT static inline __attribute__((always_inline))',
  '#define NOINLINE __attribute__((noinline))',
  'FLAT int inner(int x) { g += x;',
  '  return g * 2; }',
  'FLAT int outer(int x) { int y = inner(x + 1);',
  '  return y + inner(y); }',
  'NOINLINE int one(int x) { g++; return x + 1; }',
  'NOINLINE int two(int x, int y) { g++; return x * y; }',
  'NOINLINE int three(int x, int y) { g++; return x > y ? x : y; }',
  'NOINLINE int pointed(int x) { g++; return x; }',
  'int (*volatile pointer)(int) = pointed;',
  'NOINLINE int several(int a) {',
  '  int r = two(one(a), one(a + 1)) + outer(a) + three(one(g), 2) + pointer(a); // #LINE',
  '  return r;',
  '}',
  'int entry(int a) { return several(a) + 1; }',
  '__attribute__((section(".exported_sym"), used)) const void *const exported[] = { "entry", (const void *)entry };',
];

describe('calls of one line', () => {
  const sevenNames = ['(function pointer)', 'one', 'one', 'one', 'outer', 'three', 'two'];
  for (const [compiler, level] of [
    ['arm-none-eabi-gcc', '-O0'],
    ['arm-none-eabi-gcc', '-O2'],
    ['clang-14', '-O2'],
  ] as const) {
    it(`are entered one by one, each without the others (${compiler} ${level})`, async (t) => {
      const tool = requireTool(t, compiler);
      if (tool === undefined) return;
      const work = mkdtempSync(join(tmpdir(), 'targets-'));
      try {
        const path = join(work, 'seven.c');
        writeFileSync(path, sevenCalls.join('\n'));
        const flags = ['-mcpu=cortex-m3', '-mthumb', '-mlong-calls', level, '-g', '-fno-unwind-tables'];
        const target = compiler === 'clang-14' ? ['--target=arm-none-eabi'] : [];
        runTool(tool, [...target, ...flags, '-c', path, '-o', join(work, 'seven.o')]);
        const program = join(work, 'seven.elf');
        const script = join(projectRoot, 'scripts/relocatable.ld');
        runTool('arm-none-eabi-ld', ['-r', '-T', script, join(work, 'seven.o'), '-o', program]);
        await withAdapter(async (adapter) => {
          const breakpoints = [{ line: markerLine(path, 'LINE') }];
          await adapter.launchToStop({ program, entry: 'entry', args: [5] }, [{ path, breakpoints }]);
          for (let index = 0; index < sevenNames.length; index++) {
            const all = await targets(adapter);
            assert.deepEqual(all.map(({ label }) => label).sort(), sevenNames);
            const { id, label } = all[index];
            await stepInto(adapter, id);
            const [frame, caller] = await adapter.stack();
            const entered = { outer: 'outer [inlined]', '(function pointer)': 'pointed' }[label] ?? label;
            assert.deepEqual([frame.name, caller.name], [entered, 'several'], `call ${index} of ${compiler} ${level}`);
            const restarted = adapter.stopped();
            await adapter.request('restart');
            await restarted;
          }
        });
      } finally {
        rmSync(work, { recursive: true });
      }
    });
  }
});

describe('a step filter', () => {
  const at = atMarker('BP_NESTED');
  const launch = (stepFilter: object, variant = 'm3-O0') => ({ program: controlsPath(variant), args: [7], stepFilter });
  const stepIns = async (adapter: AdapterClient, count: number): Promise<string[]> => {
    const names: string[] = [];
    for (let steps = 0; steps < count; steps++) {
      await adapter.run('stepIn');
      names.push((await adapter.topFrame()).name);
    }
    return names;
  };

  it('goes over functions by name, pattern and regular expression', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop(launch({ functions: ['tw*', '/^SCA/i'] }), at);
      assert.deepEqual((await stepIns(adapter, 1)).concat(await place(adapter)), [
        'thrice',
        `thrice:${controlsLine('BP_THRICE')}`,
      ]);
    }));

  for (const files of [['controls.c'], ['**/dap-programs/*.c'], ['dap-programs/control?.c'], ['/controls\\.c$/']]) {
    it(`goes over the functions of files: ${files.join()}`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop(launch({ files }), at);
        assert.deepEqual(await stepIns(adapter, 1), ['nested']);
        assert.equal(await place(adapter), `nested:${controlsLine('BP_SUM')}`);
      }));
  }

  it('goes over inlined calls as over others', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop(launch({ functions: ['twice', 'scale', 'thrice'] }, 'rv32imac'), at);
      assert.deepEqual(await stepIns(adapter, 1), ['nested']);
      assert.equal(await place(adapter), `nested:${controlsLine('BP_SUM')}`);
    }));

  it('that does not fit changes nothing, and a target is entered in spite of it', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop(
        launch({ files: ['other.c'], functions: ['*ce_', 'twice'], onlyExtensions: true }),
        at,
      );
      const twice = (await targets(adapter)).find(({ label }) => label === 'twice');
      await stepInto(adapter, twice?.id ?? 0);
      assert.equal((await adapter.topFrame()).name, 'twice');
      await adapter.run('stepOut');
      assert.deepEqual(await stepIns(adapter, 1), ['scale [inlined]']);
    }));

  it('that is wrong is refused', async () => {
    for (const [stepFilter, expected] of [
      ['list', /"stepFilter" is "list", but must be an object/],
      [{ function: [] }, /"stepFilter.function" is \[\], but must be onlyExtensions, files or functions/],
      [{ functions: 'x' }, /"stepFilter.functions" is "x", but must be a list/],
      [{ functions: ['/(/'] }, /"stepFilter.functions\[0\]" is "\/\(\/", but must be a name/],
      [{ onlyExtensions: 1 }, /"stepFilter.onlyExtensions" is 1, but must be true or false/],
    ] as const) {
      await withAdapter(async (adapter) => {
        await adapter.client.initializeRequest();
        const program = examplePath('hello/hello.llext');
        await assert.rejects(adapter.client.send('launch', { program, stepFilter }), expected);
      });
    }
  });
});

describe('granularity', () => {
  it('statement stops at each statement of a line, line and none at the next line', () =>
    withAdapter(async (adapter) => {
      const program = controlsPath('m3-O0');
      const columns: number[] = [];
      await adapter.launchToStop({ program, args: [10] }, atMarker('BP_STATEMENTS'));
      for (let steps = 0; (await adapter.topFrame()).line === controlsLine('BP_STATEMENTS'); steps++) {
        assert.ok(steps < 5);
        columns.push((await adapter.topFrame()).column);
        await adapter.run('next', 'statement');
      }
      assert.equal(columns.length, 3);
      assert.deepEqual(
        columns,
        [...new Set(columns)].sort((a, b) => a - b),
      );
      assert.equal(await place(adapter), `statements:${controlsLine('BP_AFTER')}`);
      for (const granularity of ['line', undefined] as const) {
        const restarted = adapter.stopped();
        await adapter.request('restart');
        await restarted;
        await adapter.run('next', granularity);
        assert.equal(await place(adapter), `statements:${controlsLine('BP_AFTER')}`);
      }
    }));
});

/** By the program's own formulas: base is 40. */
const results: readonly (readonly [string, string, RegExp])[] = [
  ['give_char', 'signed char', /^-40\b/],
  ['give_short', 'unsigned short', /^40000\b/],
  ['give_int', 'int', /^42\b/],
  ['give_wide', 'int64_t', /^-200000000000\b/],
  ['give_float', 'float', /^2\.5\b/],
  ['give_double', 'double', /^1\.25\b/],
  ['give_level', 'enum level', /^LEVEL_HIGH\b/],
  ['give_pointer', 'volatile int *', /<base>/],
  ['give_bool', '_Bool', /^true\b/],
  ['give_small', 'struct small', /^\{tag = -3 .*, number = 400\}$/],
  ['give_pair', 'struct pair', /^\{left = 40, right = -40\}$/],
  ['give_big', 'struct big', /^\{values = \{40, 2, 3, 4, 5\}\}$/],
  ['give_point', 'struct point', /^\{x = 40, y = 0\.5\}$/],
  ['give_weight', 'struct weight', /^\{grams = 40\.25, count = 9\}$/],
];

describe('the value that a function returned', () => {
  for (const variant of ['m3-O0', 'm3-O2', 'm3clang-O2', 'm4f-O2', 'rv32imac', 'rv32imafc', 'rv64imac']) {
    it(`is shown after a step out, by the ABI's rules (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [0], stopOnEntry: true });
        await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name: '/^give_/' }] });
        for (const [name, type, value] of results) {
          await adapter.run('continue');
          assert.equal((await adapter.topFrame()).name, name);
          const out = await adapter.run('stepOut');
          assert.equal(out.reason, 'step');
          const [shown] = await adapter.scope('Return value');
          assert.equal(shown.name, `${name}()`);
          assert.equal(shown.type, type);
          // Clang's code neither keeps the address of a result in memory nor hands it back.
          const isLost = variant.includes('clang') && /^struct (pair|big|point|weight)$/.test(type);
          assert.match(shown.value, isLost ? /it was returned in memory, at an address/ : value, name);
          assert.deepEqual(shown.presentationHint?.attributes, ['readOnly']);
        }
        await adapter.run('continue');
        await adapter.run('stepOut');
        await assert.rejects(adapter.scope('Return value'), /no scope Return value/);
      }));
  }

  for (const [compiler, linker, flags] of [
    [
      'arm-none-eabi-gcc',
      'arm-none-eabi-ld',
      '-mcpu=cortex-m4 -mthumb -mlong-calls -mfpu=fpv4-sp-d16 -mfloat-abi=hard',
    ],
    ['riscv64-unknown-elf-gcc', 'riscv64-unknown-elf-ld -m elf32lriscv', '-march=rv32imafc -mabi=ilp32f -mno-relax'],
  ] as const) {
    it(`has the lanes of a vector where the ABI with floating-point registers has them (${compiler})`, async (t) => {
      const tool = requireTool(t, compiler);
      if (tool === undefined) return;
      const work = mkdtempSync(join(tmpdir(), 'lanes-'));
      try {
        const path = join(work, 'lanes.c');
        const lines = [
          'typedef int four __attribute__((vector_size(16)));',
          'typedef float two __attribute__((vector_size(8)));',
          'volatile int trace;',
          '__attribute__((noinline)) four give_four(void) { trace++; return (four){1, -2, 3, 4}; }',
          '__attribute__((noinline)) two give_two(void) { trace++; return (two){1.5f, -2.5f}; }',
          'int entry(void) { four a = give_four(); two b = give_two(); return a[1] + (int)b[0]; }',
          '__attribute__((section(".exported_sym"), used)) const void *const exported[] = { "entry", (const void *)entry };',
        ];
        writeFileSync(path, lines.join('\n'));
        const object = join(work, 'lanes.o');
        runTool(tool, [...flags.split(' '), '-O2', '-g', '-Wno-psabi', '-fno-unwind-tables', '-c', path, '-o', object]);
        const program = join(work, 'lanes.elf');
        const [ld, ...emulation] = linker.split(' ');
        runTool(ld, [...emulation, '-r', '-T', join(projectRoot, 'scripts/relocatable.ld'), object, '-o', program]);
        await withAdapter(async (adapter) => {
          await adapter.launchToStop({ program, entry: 'entry', stopOnEntry: true });
          await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name: '/^give_/' }] });
          for (const value of ['{1, -2, 3, 4}', '{1.5, -2.5}']) {
            await adapter.run('continue');
            await adapter.run('stepOut');
            assert.equal((await adapter.scope('Return value'))[0].value, value);
          }
        });
      } finally {
        rmSync(work, { recursive: true });
      }
    });
  }

  it('is a scope of its own that the next step ends, and cannot be set', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_TWICE'));
      await adapter.run('stepOut');
      const { scopes } = (await adapter.client.scopesRequest({ frameId: (await adapter.topFrame()).id })).body;
      assert.equal(scopes[0].presentationHint, 'returnValue');
      const { variablesReference } = scopes[0];
      await assert.rejects(
        adapter.client.setVariableRequest({ variablesReference, name: 'twice()', value: '1' }),
        /set the registers that it is in/,
      );
      const caller = (await adapter.stack())[1].id;
      const outer = (await adapter.client.scopesRequest({ frameId: caller })).body.scopes;
      assert.ok(!outer.some(({ name }) => name === 'Return value'));
      await adapter.run('next');
      await assert.rejects(adapter.scope('Return value'), /no scope Return value/);
    }));
});
