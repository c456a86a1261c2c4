/** Variables, registers, evaluation and assignment by DAP, on every optimization level where the value is kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';

const data = fixtureSource('data');
const optimizations = ['m3-O0', 'm3-Og', 'm3-Os', 'm3-O2'];

async function atEnd(adapter: AdapterClient, variant = 'm3-O0'): Promise<void> {
  const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP4') }] }];
  await adapter.launchToStop({ program: fixturePath('data', variant), args: [9] }, breakpoints);
}

const find = (list: readonly DebugProtocol.Variable[], name: string): DebugProtocol.Variable => {
  const found = list.find((variable) => variable.name === name);
  assert.ok(found, `no ${name} among ${list.map((variable) => variable.name).join()}`);
  return found;
};

/** What the source computes for the argument 9. */
const globals: Readonly<Record<string, readonly [type: string, value: RegExp]>> = {
  truth: ['_Bool', /^true$/],
  letter: ['char', /^76 'L'$/],
  small: ['signed char', /^-100 '\\234'$/],
  byte: ['unsigned char', /^200 '\\310'$/],
  narrow: ['short', /^-30000$/],
  unsigned_narrow: ['unsigned short', /^60000$/],
  number: ['int', /^-123456780$/],
  unsigned_number: ['unsigned int', /^4000000000$/],
  lengthy: ['long', /^-5$/],
  huge: ['long long', /^-411522630041152263$/],
  unsigned_huge: ['unsigned long long', /^1147797409030816545$/],
  single: ['float', /^3$/],
  real: ['double', /^0.75$/],
  text: ['char [15]', /^"text \\"quoted\\"\\n"$/],
  raw: ['char [4]', /^"\\n\\024\\036x"$/],
  string: ['const char *', /^0x[0-9a-f]{8} "pointed to"$/],
  nothing: ['const char *', /^0x0$/],
  matrix: ['int [2][3]', /^\{\{1, 2, 3\}, \{4, 5, 10\}\}$/],
  color: ['enum color', /^RED$/],
  mask: ['enum mask', /^\(MASK_A \| MASK_C\)$/],
  steady: ['const volatile int', /^42$/],
  anything: ['void *', /^0x[0-9a-f]{8} <number>$/],
  operation: ['operation_t', /^0x[0-9a-f]{8} <add>$/],
};

describe('variables', () => {
  for (const variant of optimizations) {
    it(`of file scope have gdb's types and values (${variant})`, () =>
      withAdapter(async (adapter) => {
        await atEnd(adapter, variant);
        const list = await adapter.scope('Globals');
        for (const [name, [type, value]] of Object.entries(globals)) {
          const variable = find(list, name);
          assert.equal(variable.type?.replace('volatile const', 'const volatile'), type, name);
          assert.match(variable.value, value, name);
          assert.equal(variable.evaluateName, name);
        }
        assert.equal(find(list, 'tail').value.startsWith('{at = {x = 1, y = -2}, {word = '), true);
      }));
  }

  it('nest: members, anonymous members, bit-fields, elements, pointers', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      const list = await adapter.scope('Globals');
      const head = await adapter.variables(find(list, 'head').variablesReference);
      const next = find(head, 'next');
      assert.equal(next.type, 'struct node *');
      assert.match(next.value, /^0x[0-9a-f]{8} <tail>$/);
      assert.equal(next.evaluateName, 'head.next');
      const tail = await adapter.variables(next.variablesReference);
      const flags = find(tail, 'flags');
      assert.equal(flags.evaluateName, 'head.next->flags');
      const fields = await adapter.variables(flags.variablesReference);
      assert.deepEqual(
        fields.map(({ name, value }) => `${name}=${value}`),
        ['ready=1', 'level=-6', 'kind=100', 'on=true', 'tint=GREEN', 'wide=73588229205'],
      );
      const union = find(tail, '<anonymous union>');
      const parts = await adapter.variables(union.variablesReference);
      assert.equal(find(parts, 'word').evaluateName, '(*head.next).word');
      const grid = find(tail, 'grid');
      assert.equal(grid.indexedVariables, 2);
      const rows = await adapter.variables(grid.variablesReference);
      assert.deepEqual(
        rows.map(({ name, value }) => `${name}=${value}`),
        ['[0]={1, 2, 3}', '[1]={4, 5, 6}'],
      );
      const evaluated = await adapter.evaluate(rows[1].evaluateName ?? '');
      assert.equal(evaluated.result, '{4, 5, 6}');
      assert.equal(find(list, 'tail').memoryReference, next.memoryReference);
    }));

  it('of an array are paged', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      const buffer = find(await adapter.scope('Globals'), 'buffer');
      assert.equal(buffer.indexedVariables, 20);
      const { variables } = await adapter.request<DebugProtocol.VariablesResponse['body']>('variables', {
        variablesReference: buffer.variablesReference,
        filter: 'indexed',
        start: 16,
        count: 3,
      });
      assert.deepEqual(
        variables.map(({ name, value }) => [name, value.replace(/ .*/, '')]),
        [
          ['[16]', '0'],
          ['[17]', '33'],
          ['[18]', '68'],
        ],
      );
      const named = await adapter.request<DebugProtocol.VariablesResponse['body']>('variables', {
        variablesReference: buffer.variablesReference,
        filter: 'named',
      });
      assert.deepEqual(named.variables, []);
    }));

  it('of the innermost block come first, arguments before them, statics of the function too', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP1') + 2 }] }];
      await adapter.launchToStop({ program: fixturePath('data', 'm3-O0') }, breakpoints);
      const names = (await adapter.scope('Locals')).map(({ name }) => name);
      assert.deepEqual(names, ['node', 'depth', 'next', 'visits', 'local']);
    }));

  it('of outer frames are theirs', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP2') }] }];
      await adapter.launchToStop({ program: fixturePath('data', 'm3-Os') }, breakpoints);
      const frames = await adapter.stack();
      const names = frames.map(({ name }) => name.replace(/ .*/, ''));
      assert.equal(names.at(-1), 'llext_call_fn');
      const levels = names.flatMap((name, level) => (name === 'visit' ? [level] : []));
      assert.ok(levels.length >= 1);
      const host = await adapter.client.scopesRequest({ frameId: frames[frames.length - 1].id });
      assert.deepEqual(
        host.body.scopes.map(({ name }) => name),
        ['Registers'],
      );
    }));

  it('keep their numbers over a stop', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP3') }] }];
      await adapter.launchToStop({ program: fixturePath('data', 'm3-O0') }, breakpoints);
      const numbers = async (): Promise<number[]> => {
        const tail = find(await adapter.scope('Globals'), 'tail');
        const flags = find(await adapter.variables(tail.variablesReference), 'flags');
        return [tail.variablesReference, flags.variablesReference];
      };
      const first = await numbers();
      await adapter.run('continue');
      assert.deepEqual(await numbers(), first);
    }));

  it('that the compiler dropped say so', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter, 'm3-O2');
      const locals = await adapter.scope('Locals');
      const argument = find(locals, 'argument');
      if (argument.value === '<optimized out>') assert.deepEqual(argument.presentationHint?.attributes, ['readOnly']);
      else assert.equal(argument.value, '9');
    }));
});

describe('registers', () => {
  it('are shown with the status register taken apart, and can be set', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      const list = await adapter.scope('Registers');
      assert.deepEqual(
        list.slice(0, 17).map(({ name }) => name),
        ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc', 'xpsr'],
      );
      const pc = find(list, 'pc');
      assert.match(pc.value, /^0x[0-9a-f]{8} <entry\+0x[0-9a-f]+>$/);
      assert.equal(pc.memoryReference, (await adapter.topFrame()).instructionPointerReference);
      const xpsr = find(list, 'xpsr');
      assert.match(xpsr.value, /^0x[0-9a-f]{8} \[[nN][zZ][cC][vV][qQ] T\]$/);
      const fields = await adapter.variables(xpsr.variablesReference);
      assert.deepEqual(
        fields.map(({ name }) => name),
        ['N', 'Z', 'C', 'V', 'Q', 'GE', 'T', 'IT', 'exception'],
      );
      assert.equal(find(fields, 'exception').value, '0 (Thread mode)');
      const frame = await adapter.topFrame();
      const { scopes } = (await adapter.client.scopesRequest({ frameId: frame.id })).body;
      const reference = scopes.at(-1)?.variablesReference ?? 0;
      const set = await adapter.client.setVariableRequest({
        variablesReference: reference,
        name: 'r4',
        value: '0x1234',
      });
      assert.equal(set.body.value, '0x00001234');
      for (const { name, value } of list.filter(({ variablesReference }) => variablesReference === 0)) {
        const again = await adapter.client.setVariableRequest({ variablesReference: reference, name, value });
        if (name !== 'r4') assert.equal(again.body.value, value, name);
      }
      await adapter.client.setVariableRequest({ variablesReference: reference, name: 'r4', value: '0x1234' });
      assert.equal(find(await adapter.scope('Registers'), 'r4').value, '0x00001234');
      await adapter.client.setVariableRequest({ variablesReference: reference, name: 'xpsr', value: '0xf1000000' });
      assert.match(find(await adapter.scope('Registers'), 'xpsr').value, /\[NZCVq T\]/);
      assert.equal((await adapter.evaluate('($xpsr >> 28) & 15')).result, '15');
    }));

  it('of outer frames are recovered where the call-frame information says how', () =>
    withAdapter(async (adapter) => {
      const calls = fixtureSource('calls');
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-Os'), args: [3] }, [
        { path: calls, breakpoints: [{ line: markerLine(calls, 'BP1') }] },
      ]);
      const outer = await adapter.scope('Registers', 1);
      const frames = await adapter.stack();
      assert.equal(find(outer, 'pc').memoryReference, frames[1].instructionPointerReference);
      assert.equal(find(outer, 'xpsr').value, '<not saved>');
      const sp = async (level: number): Promise<number> =>
        Number(find(await adapter.scope('Registers', level), 'sp').memoryReference);
      assert.ok((await sp(1)) >= (await sp(0)));
    }));
});

describe('setVariable and setExpression', () => {
  const cases: readonly [name: string, value: string, shown: string][] = [
    ['number', '0x10 + 1', '17'],
    ['huge', '-1', '-1'],
    ['letter', "'A'", "65 'A'"],
    ['truth', '0', 'false'],
    ['color', 'BLUE', 'BLUE'],
    ['single', '2.5', '2.5'],
    ['unsigned_narrow', '-1', '65535'],
    ['nothing', 'string + 3', '"nted to"'],
  ];
  for (const variant of ['m3-O0', 'm3-O2']) {
    it(`write what C would (${variant})`, () =>
      withAdapter(async (adapter) => {
        await atEnd(adapter, variant);
        const frame = await adapter.topFrame();
        const { scopes } = (await adapter.client.scopesRequest({ frameId: frame.id })).body;
        const variablesReference = scopes.find(({ name }) => name.startsWith('Globals'))?.variablesReference ?? 0;
        for (const [name, value, shown] of cases) {
          const { body } = await adapter.client.setVariableRequest({ variablesReference, name, value });
          assert.ok(body.value.endsWith(shown), `${name} = ${value} shows ${body.value}`);
          assert.equal((await adapter.evaluate(name)).result, body.value);
        }
        const body = await adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', {
          expression: 'tail.flags.level',
          value: '-9',
          frameId: frame.id,
        });
        assert.equal(body.value, '-9');
        assert.equal((await adapter.evaluate('tail.flags.wide')).result, '73588229205');
        const events = adapter.events.map(({ event }) => event);
        assert.ok(events.includes('memory') && events.includes('invalidated'));
      }));
  }

  it('refuse what cannot be set', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      const frameId = (await adapter.topFrame()).id;
      const set = (expression: string, value: string): Promise<unknown> =>
        adapter.request('setExpression', { expression, value, frameId });
      await assert.rejects(set('number + 1', '5'));
      await assert.rejects(set('number', 'no_such'), /no_such/);
      await assert.rejects(set('number', ''), /there is no value/);
      await assert.rejects(set('$r99', '1'), /r99/);
      const { scopes } = (await adapter.client.scopesRequest({ frameId })).body;
      const variablesReference = scopes[0].variablesReference;
      await assert.rejects(
        adapter.client.setVariableRequest({ variablesReference, name: 'nobody', value: '1' }),
        /no variable 'nobody'/,
      );
    }));
});

describe('evaluate', () => {
  const expressions: readonly [string, string | RegExp][] = [
    ['head.next->at.y', '-2'],
    ['head.next->grid[1][2] * 2', '12'],
    ['*head.next', /^\{at = \{x = 1, y = -2\}/],
    ['&number', /^0x[0-9a-f]{8} <number>$/],
    ['sizeof(struct node)', /^\d+$/],
    ['sizeof tail.tag', '8'],
    ['(char)0x41424344', "68 'D'"],
    ['(enum color)5', 'GREEN'],
    ['number < 0 && truth', '1'],
    ['truth ? 10 : 20', '10'],
    ['matrix[1][0]@2', '{4, 5}'],
    ["'data.c'::visit", /visit/],
    ['visit::visits', '2'],
    ['$sp == $r13', '1'],
    ['BLUE + 1', '7'],
    ['tail.flags.level << 1', '-12'],
    ['*(unsigned short *)&tail.word', /^\d+$/],
    ['0x10', '16'],
  ];
  for (const context of ['watch', 'hover', 'repl', 'clipboard'] as const) {
    it(`C expressions in ${context}`, () =>
      withAdapter(async (adapter) => {
        await atEnd(adapter);
        for (const [expression, expected] of expressions) {
          const { result } = await adapter.evaluate(expression, context);
          if (typeof expected === 'string') assert.equal(result, expected, expression);
          else assert.match(result, expected, expression);
        }
      }));
  }

  it('format suffixes behind a comma', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      // As gdb's print /x /d /t /o /c, and a@n, show them.
      for (const [expression, expected] of [
        ['number,x', '0xf8a432f4'],
        ['byte,x', '0xc8'],
        ['letter,d', '76'],
        ['byte,b', '0b11001000'],
        ['byte , o', '0310'],
        ['byte,c', "-56 '\\310'"],
        ['color,d', '0'],
        ['matrix[1],[2]', '{4, 5}'],
        ['&matrix[0][0],[1 + 1]', '{1, 2}'],
        ['matrix,x', '{{0x1, 0x2, 0x3}, {0x4, 0x5, 0xa}}'],
      ] as const) {
        assert.equal((await adapter.evaluate(expression)).result, expected, expression);
      }
      assert.match((await adapter.evaluate('&text[0],s')).result, /^0x[0-9a-f]+ <text> "text /);
    }));

  it('a hover and a watch have no side effects, the console may', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      await assert.rejects(adapter.evaluate('number = 1', 'hover'));
      await assert.rejects(adapter.evaluate('number++', 'watch'));
      assert.equal((await adapter.evaluate('number')).result, '-123456780');
      assert.equal((await adapter.evaluate('number = 1', 'repl')).result, '1');
      assert.equal((await adapter.evaluate('number')).result, '1');
    }));

  it('says what is wrong with an expression, without a message box', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      for (const [expression, message] of [
        ['no_such', /no_such/],
        ['head.nothing', /nothing/],
        ['1 +', /./],
        ['*real', /./],
      ] as const) {
        await assert.rejects(adapter.evaluate(expression), message);
      }
    }));

  it('in the frame that is selected', () =>
    withAdapter(async (adapter) => {
      const calls = fixtureSource('calls');
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0') }, [
        { path: calls, breakpoints: [{ line: markerLine(calls, 'BP6') }] },
      ]);
      const frames = await adapter.stack();
      const results: string[] = [];
      for (const { id } of frames.slice(0, 5)) results.push((await adapter.evaluate('n', 'watch', id)).result);
      assert.deepEqual(results, ['1', '2', '3', '4', '5']);
    }));

  it('names of file scope while the program runs', () =>
    withAdapter(async (adapter) => {
      await adapter.launch({ program: examplePath('endless/endless.llext') });
      const value = async (): Promise<number> =>
        Number((await adapter.client.evaluateRequest({ expression: 'rounds', context: 'watch' })).body.result);
      const first = await value();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok((await value()) > first);
    }));

  it('completes names, members and registers', () =>
    withAdapter(async (adapter) => {
      await atEnd(adapter);
      const frameId = (await adapter.topFrame()).id;
      const complete = async (text: string): Promise<string[]> =>
        (
          await adapter.request<DebugProtocol.CompletionsResponse['body']>('completions', {
            frameId,
            text,
            column: text.length + 1,
          })
        ).targets.map(({ label }) => label);
      assert.ok((await complete('unsig')).includes('unsigned_narrow'));
      assert.deepEqual(await complete('head.next->fl'), ['flags']);
      assert.deepEqual(await complete('1 + tail.flags.l'), ['level']);
      assert.ok((await complete('$s')).includes('$sp'));
      assert.deepEqual(await complete('no_such.'), []);
    }));
});
