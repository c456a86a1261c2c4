/**
 * Changing values of every kind: setVariable, setExpression, and assignments, ++ and compound ones in the Debug Console. Expected are C's
 * conversions (C11 6.3.1, 6.5.16), by hand. The table is walked against the kinds of types that there are.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine } from './support/fixtures';

const folder = join(projectRoot, 'test/dap-programs');
const source = join(folder, 'grammar.c');

type Kind =
  | 'int'
  | 'unsigned'
  | 'long long'
  | 'unsigned char'
  | 'signed char'
  | 'element'
  | 'double'
  | 'float'
  | '_Bool'
  | 'enum'
  | 'bit-field'
  | 'signed bit-field'
  | 'pointer'
  | 'function pointer'
  | 'struct'
  | 'union member'
  | 'complex'
  | 'variable-length array'
  | 'whole array'
  | 'special float'
  | 'null';

/** What is assigned, its value, what then is shown; and an operation in the console with what is shown after it. */
const values: Readonly<
  Record<Kind, readonly (readonly [target: string, value: string, shown: string, then: string, after: string])[]>
> = {
  int: [['integer', '0x10 + 2', '18', 'integer++ * 100', '19']],
  unsigned: [['natural', '-1', '4294967295', '++natural', '0']],
  'long long': [['wide', '1ll << 40', '1099511627776', 'wide -= 1', '1099511627775']],
  'unsigned char': [['byte', '300', "44 ','", 'byte += 250', "38 '&'"]],
  'signed char': [['narrow', '200', "-56 '\\310'", 'narrow >>= 1', "-28 '\\344'"]],
  element: [['table[1][2]', '70000', '4464', 'table[1][2]--', '4463']],
  double: [['real', '1.0 / 4', '0.25', 'real *= integer = 6', '1.5']],
  float: [['single', '1.0 / 3', '0.333333343', 'single++', '1.33333337']],
  _Bool: [['truth', '7', 'true', 'truth--', 'false']],
  enum: [['color', 'BLUE', 'BLUE', 'color--', 'GREEN']],
  'bit-field': [['line.kind', '13', '5', 'line.kind += 4', '1']],
  'signed bit-field': [['line.level', '20', '-12', 'line.level <<= 1', '8']],
  pointer: [['pointer', '&line + 2', '', 'pointer -= 2', '']],
  'function pointer': [['function', '0', '', 'function = twofold', '']],
  struct: [
    ['line.to', 'line.from', '{x = 1, y = 2}', 'line.from = (point_t){.y = 9}', '{x = 1, y = 2}'],
    [
      'line',
      '(struct line){{5, 6}, .kind = 3}',
      '{from = {x = 5, y = 6}, to = {x = 0, y = 0}, kind = 3, level = 0}',
      'line = *&line',
      '{from = {x = 5, y = 6}, to = {x = 0, y = 0}, kind = 3, level = 0}',
    ],
    [
      'line',
      '{from = {x = 7, .y = 8}, kind = 2}',
      '{from = {x = 7, y = 8}, to = {x = 0, y = 0}, kind = 2, level = 0}',
      '',
      '',
    ],
    ['line.to', '{3}', '{x = 3, y = 0}', 'line.to.y = 4', '{x = 3, y = 4}'],
  ],
  'union member': [['number.whole', '0x40490fdb', '1078530011', 'number.bytes[0] = 0', '1078529792']],
  complex: [
    ['signal', '2.0i', '0 + 2i', 'signal *= 1 + 1.0i', '-2 + 2i'],
    ['exact', '3', '3 + 0i', 'exact++', '4 + 0i'],
    ['__imag__ exact', '1.5', '1.5', 'exact /= 2', '0.75'],
  ],
  'variable-length array': [
    ['room[1]', '5', '5', 'room[1] <<= 2', '20'],
    ['room', '{7, [2] = -9, 8}', '{7, 0, -9, 8}', 'room[3]--', '{7, 0, -9, 7}'],
  ],
  'whole array': [
    ['table', '{{1, 2}, {[1] = 5}}', '{{1, 2, 0}, {0, 5, 0}}', 'table[1][0]++', '{{1, 2, 0}, {1, 5, 0}}'],
    ['table[0]', '{9, 2 * 3}', '{9, 6, 0}', 'table[0][2]--', '{9, 6, -1}'],
  ],
  'special float': [
    ['real', '-inf', '-inf', 'real += 1', '-inf'],
    ['single', 'inf', 'inf', 'single = -single', '-inf'],
    ['real', '-0', '-0', 'real = -real', '0'],
  ],
  null: [['pointer', 'NULL', '0x0', 'pointer = &line', '']],
};

async function stopped(body: (adapter: AdapterClient) => Promise<void>): Promise<void> {
  await withAdapter(async (adapter) => {
    const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'HERE') }] }];
    await adapter.launchToStop({ program: join(folder, 'grammar.m3-O0.elf'), entry: 'entry', args: [1] }, breakpoints);
    await body(adapter);
  });
}

const shown = async (adapter: AdapterClient, text: string): Promise<string> => (await adapter.evaluate(text)).result;

describe('values of every kind are changed', () => {
  it('by setExpression, then in the console', () =>
    stopped(async (adapter) => {
      const wrong: string[] = [];
      for (const [kind, rows] of Object.entries(values)) {
        for (const [target, value, expected, operation, after] of rows) {
          const frameId = (await adapter.topFrame()).id;
          const body = await adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', {
            expression: target,
            value,
            frameId,
          });
          if (expected !== '' && body.value !== expected) wrong.push(`${kind}: ${target} = ${value} is ${body.value}`);
          if (body.value !== (await shown(adapter, target))) wrong.push(`${kind}: ${target} is not what was answered`);
          if (operation !== '') await adapter.evaluate(operation, 'repl');
          const now = await shown(adapter, target);
          if (after !== '' && now !== after) wrong.push(`${kind}: after ${operation} ${target} is ${now}`);
        }
      }
      assert.deepEqual(wrong, []);
      assert.equal(await shown(adapter, 'pointer == &line && function == twofold'), '1');
    }));

  it('and shown as a suffix of the expression asks for', () =>
    stopped(async (adapter) => {
      const frameId = (await adapter.topFrame()).id;
      for (const [expression, value, expected] of [
        ['integer,x', '0b101', '0x5'],
        ['byte, b', '6', '0b110'],
        ['table[0],x', '{0x10}', '{0x10, 0x0, 0x0}'],
      ]) {
        const set = { expression, value, frameId };
        const body = await adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', set);
        assert.equal(body.value, expected);
      }
    }));

  it('by setVariable, wherever they are in the tree', () =>
    stopped(async (adapter) => {
      const wrong: string[] = [];
      for (const [kind, rows] of Object.entries(values)) {
        for (const [target, value, expected] of rows) {
          if (target.startsWith('__')) continue;
          const found = await inTree(adapter, target);
          const { body } = await adapter.client.setVariableRequest({ ...found, value });
          if (expected !== '' && body.value !== expected) wrong.push(`${kind}: ${target} = ${value} is ${body.value}`);
          if (body.value !== (await shown(adapter, target))) wrong.push(`${kind}: ${target} is not what was answered`);
        }
      }
      assert.deepEqual(wrong, []);
    }));

  it('what is shown can be given back: it is what a client puts into its edit box', () =>
    stopped(async (adapter) => {
      await adapter.evaluate('real = 1e999', 'repl');
      const frameId = (await adapter.topFrame()).id;
      const { scopes } = (await adapter.client.scopesRequest({ frameId })).body;
      const wrong: string[] = [];
      let given = 0;
      const giveBack = async (variablesReference: number, depth: number): Promise<void> => {
        for (const { name, value, type, variablesReference: inner } of await adapter.variables(variablesReference)) {
          // All members of a union at once are no initializer, and an array without an end has no value.
          if (/^union|\[\]$/.test(type ?? '') || /^(values|__)/.test(name)) continue;
          const again = await adapter.client.setVariableRequest({ variablesReference, name, value });
          given++;
          if (again.body.value !== value) wrong.push(`${name} = ${value} is ${again.body.value}`);
          if (depth > 1 && inner !== 0 && !value.startsWith('0x0')) await giveBack(inner, depth - 1);
        }
      };
      for (const { name, variablesReference } of scopes)
        if (/^(Locals|Globals)/.test(name)) await giveBack(variablesReference, 2);
      assert.deepEqual(wrong, []);
      assert.ok(given > 40, `only ${given} values`);
    }));

  it('what cannot be changed says why', () =>
    stopped(async (adapter) => {
      const frameId = (await adapter.topFrame()).id;
      const cases: readonly (readonly [string, string, RegExp])[] = [
        ['integer + 1', '2', /no object that could be changed/],
        ['table', '0', /an object of type short \[2\]\[3\] cannot be assigned to/],
        ['(point_t){1, 2}', 'line.to', /no object that could be changed/],
        ['line', 'line.to', /point_t cannot be assigned to struct line/],
        ['pointer', 'line', /is no number/],
        ['twofold', '0', /cannot be assigned to/],
        ['line.to', '{1, 2, 3}', /more initializers than point_t has parts/],
        ['table[0]', '{[3] = 1}', /has no element 3/],
        ['line.to', '{z = 1}', /has no member z/],
        ['integer', 'inf', /No symbol "inf"/],
        ['integer', '', /there is no value/],
      ];
      for (const [expression, value, message] of cases) {
        const refused = adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', {
          expression,
          value,
          frameId,
        });
        await assert.rejects(refused, message, `${expression} = ${value}`);
      }
    }));
});

/** The container and the name of what an expression of members and indices means. */
async function inTree(adapter: AdapterClient, path: string): Promise<{ variablesReference: number; name: string }> {
  const steps = path.match(/\w+|\[\d+\]/g) ?? [];
  const frames = await adapter.stack();
  const { scopes } = (await adapter.client.scopesRequest({ frameId: frames[0].id })).body;
  for (const scope of scopes) {
    let { variablesReference } = scope;
    for (const [index, name] of steps.entries()) {
      const found = (await adapter.variables(variablesReference)).find((one) => one.name === name);
      if (found === undefined) break;
      if (index === steps.length - 1) return { variablesReference, name };
      ({ variablesReference } = found);
    }
  }
  return assert.fail(`${path} is in no scope`);
}

describe('an array of a million elements', () => {
  it('is had part by part, with as much work as the part has', () =>
    withAdapter(async (adapter) => {
      const million = join(folder, 'million.c');
      const breakpoints = [{ path: million, breakpoints: [{ line: markerLine(million, 'HERE') }] }];
      const program = join(folder, 'million.m3-O2.elf');
      await adapter.launchToStop({ program, entry: 'entry', args: [1], heapSize: 2200 }, breakpoints);
      const many = await adapter.evaluate('many');
      assert.equal(many.indexedVariables, 1_000_000);
      const { target } = (await adapter.state()).requireStop('variables').inferior;
      const read = target.readMemory.bind(target);
      let bytes = 0;
      target.readMemory = (address, length) => {
        bytes += length;
        return read(address, length);
      };
      const part = async (start: number, count: number) =>
        (
          await adapter.client.variablesRequest({
            variablesReference: many.variablesReference,
            filter: 'indexed',
            start,
            count,
          })
        ).body.variables;
      const last = await part(999_990, 100);
      assert.deepEqual([last.length, last[9].name, last[9].value], [10, '[999999]', "77 'M'"]);
      const middle = await part(500_000, 50);
      assert.deepEqual([middle.length, middle[0].name, middle[0].value], [50, '[500000]', "244 '\\364'"]);
      assert.ok(bytes <= 2 * 60, `${bytes} bytes were read for 60 elements of one byte`);
      assert.deepEqual(await part(1_000_000, 10), []);
      // Without a part a bounded beginning.
      bytes = 0;
      assert.equal((await adapter.variables(many.variablesReference)).length, 1000);
      assert.ok(bytes <= 2000);
      bytes = 0;
      assert.equal((await adapter.evaluate('many[999999] + table[999][998]')).result, '110');
      assert.match((await adapter.evaluate('table')).result, /\.\.\./);
      assert.ok(bytes < 120_000, `${bytes} bytes were read for one line of text`);
    }, 'inline'));
});

describe('a string', () => {
  it('is assigned to an array of characters as an initializer does it', () =>
    withAdapter(async (adapter) => {
      const path = fixtureSource('data');
      const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'BP1') }] }];
      await adapter.launchToStop({ program: fixturePath('data', 'm3-O0'), args: [1] }, breakpoints);
      const frameId = (await adapter.topFrame()).id;
      const assign = (expression: string, value: string) =>
        adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', { frameId, expression, value });
      assert.equal((await assign('raw', '"ab"'))?.value, '"ab\\000"');
      assert.equal((await adapter.evaluate('raw[3]')).result, "0 '\\000'");
      // The final null character has no room, which C allows.
      assert.equal((await assign('raw', '"abcd"'))?.value, '"abcd"');
      await assert.rejects(
        assign('raw', '"abcde"'),
        /raw cannot be set: it has room for 4 characters, and the string has 5/,
      );
      await assert.rejects(
        assign('raw', 'L"ab"'),
        /raw cannot be set: its elements have 1 bytes?, those of the string 4/,
      );
      assert.equal((await assign('text', '"x" "y"'))?.value.startsWith('"xy'), true);
    }));
});

describe('registers of floating point', () => {
  it('are numbers in expressions, of the types that gdb 13 gives them, and halves of each other', () =>
    withAdapter(async (adapter) => {
      const path = join(folder, 'called.c');
      const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'STOP') }] }];
      const program = join(folder, 'called.m4f-O0.elf');
      await adapter.launchToStop({ program, entry: 'entry', args: [1] }, breakpoints);
      const typed = async (text: string) => {
        const { type, result } = await adapter.evaluate(text, 'repl');
        return [type, result];
      };
      assert.deepEqual(await typed('$s4 = 1.25'), ['float', '1.25']);
      assert.deepEqual(await typed('$s4 * 2 - 1'), ['float', '1.5']);
      // 2.5 is 0x4004000000000000, and 0x40040000 alone is 2.0625 (IEEE 754).
      assert.deepEqual(await typed('$d2 = 2.5'), ['double', '2.5']);
      assert.deepEqual(await typed('$s4'), ['float', '0']);
      assert.deepEqual(await typed('$s5'), ['float', '2.0625']);
      const frameId = (await adapter.topFrame()).id;
      const set = { frameId, expression: '$s5', value: '$s5 + 1' };
      const body = await adapter.request<DebugProtocol.SetExpressionResponse['body']>('setExpression', set);
      assert.deepEqual([body?.type, body?.value], ['float', '3.0625']);
    }));
});
