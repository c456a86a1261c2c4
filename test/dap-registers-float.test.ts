/** Registers of the Floating-point Extension by DAP: a group of their own, by name in expressions, and assignment. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine } from './support/fixtures';

const data = fixtureSource('data');

const valueOf = (list: readonly DebugProtocol.Variable[], name: string) =>
  list.find((variable) => variable.name === name)?.value;

it('floating-point registers of a Cortex-M4 are a group, and can be read and set by name', () =>
  withAdapter(async (adapter) => {
    const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP4') }] }];
    await adapter.launchToStop({ program: fixturePath('data', 'm3-O0'), args: [9], cpu: 'cortex-m4' }, breakpoints);
    const floats = async () => {
      const group = (await adapter.scope('Registers')).find(({ name }) => name === 'floating point');
      assert.match(group?.value ?? '', /^fpscr 0x[0-9a-f]{8}$/);
      return adapter.variables(group?.variablesReference ?? 0);
    };
    const names = (await floats()).map(({ name }) => name);
    const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}`);
    assert.deepEqual(names, [...numbered('s', 32), 'fpscr', ...numbered('d', 16)]);
    const { scopes } = (await adapter.client.scopesRequest({ frameId: (await adapter.topFrame()).id })).body;
    const variablesReference = scopes.at(-1)?.variablesReference ?? 0;
    // 1.5 in binary64 is 0x3ff8000000000000: its high word is s1, 1.9375 in binary32.
    await adapter.client.setVariableRequest({ variablesReference, name: 'd0', value: '0x3ff8000000000000' });
    const list = await floats();
    assert.equal(valueOf(list, 'd0'), '0x3ff8000000000000 1.5');
    assert.equal(valueOf(list, 's1'), '0x3ff80000 1.9375');
    assert.equal((await adapter.evaluate('$s1 * 16')).result, '31');
    // What is no integer is a number of the register's width; an integer is its bits.
    const set = (name: string, value: string) => adapter.client.setVariableRequest({ variablesReference, name, value });
    await set('d2', '-1.5 * 4');
    await set('s6', '2.5f');
    await set('s7', '1');
    const after = await floats();
    assert.equal(valueOf(after, 'd2'), '0xc018000000000000 -6');
    assert.equal(valueOf(after, 's6'), '0x40200000 2.5');
    assert.equal(valueOf(after, 's7'), '0x00000001 1.401298464324817e-45');
    await assert.rejects(set('r0', '1.5'), /\$r0 cannot be set: double is no integer/);
  }));
