/** Loaded extensions by DAP: modules, sources, and the requests of the sidebar and the hovers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ExtensionsResponse, SymbolResponse } from '../lib/protocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, markerLine } from './support/fixtures';

const dependency = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
const symbol = (adapter: AdapterClient, name: string): Promise<SymbolResponse> =>
  adapter.request('llext/symbol', { name });

describe('modules', () => {
  it('are the loaded extensions, with address range and symbol status', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ extensions: dependency, args: [1], stopOnEntry: true });
      const all = await adapter.request<DebugProtocol.ModulesResponse['body']>('modules');
      assert.equal(all.totalModules, 2);
      assert.deepEqual(
        all.modules.map(({ name }) => name),
        ['dep_base', 'dep_user'],
      );
      for (const module of all.modules) {
        assert.equal(module.symbolStatus, 'Symbols loaded');
        assert.equal(module.isUserCode, true);
        const [start, end] = (module.addressRange ?? '').split('-').map(Number);
        assert.ok(start >= 0x20000000 && end > start);
      }
      const one = await adapter.request<DebugProtocol.ModulesResponse['body']>('modules', {
        startModule: 1,
        moduleCount: 1,
      });
      assert.deepEqual(
        one.modules.map(({ name }) => name),
        ['dep_user'],
      );
      const events = adapter.events.filter((event): event is DebugProtocol.ModuleEvent => event.event === 'module');
      assert.deepEqual(
        events.map(({ body }) => [body.reason, body.module.name]),
        [
          ['new', 'dep_base'],
          ['new', 'dep_user'],
        ],
      );
      const pc = Number((await adapter.topFrame()).instructionPointerReference);
      const [start, end] = (all.modules[1].addressRange ?? '').split('-').map(Number);
      assert.ok(pc >= start && pc < end);
    }));

  it('have sources', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ extensions: dependency, args: [1], stopOnEntry: true });
      const { sources } = await adapter.request<DebugProtocol.LoadedSourcesResponse['body']>('loadedSources');
      const paths = sources.map(({ path }) => path);
      assert.ok(paths.includes(examplePath('dependency/dep_base.c')));
      assert.ok(paths.includes(examplePath('dependency/dep_user.c')));
      await assert.rejects(adapter.client.sourceRequest({ sourceReference: 5 }), /no source under reference 5/);
    }));
});

describe('what is loaded, for the sidebar', () => {
  it('has regions, sections, exports, imports, use counts and dependencies', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ extensions: dependency, args: [1], stopOnEntry: true });
      const answer = await adapter.request<ExtensionsResponse>('llext/extensions');
      const [base, user] = answer.extensions;
      assert.equal(base.useCount, 2);
      assert.equal(user.useCount, 1);
      assert.deepEqual(user.dependencies, ['dep_base']);
      assert.deepEqual(user.imports, ['dep_base_add', 'dep_base_total', 'printk']);
      assert.deepEqual(base.exports.map(({ name }) => name).sort(), ['dep_base_add', 'dep_base_total']);
      const add = base.exports.find(({ name }) => name === 'dep_base_add');
      assert.equal(add?.kind, 'function');
      assert.equal(add?.type, 'int (int)');
      assert.equal(add?.section, '.text');
      assert.equal(add?.source?.path, examplePath('dependency/dep_base.c'));
      const text = base.regions.find(({ name }) => name === 'TEXT');
      assert.equal(text?.storage, 'heap');
      assert.deepEqual(
        text?.sections.map(({ name }) => name),
        ['.text'],
      );
      assert.ok(Number(text?.address) <= Number(add?.address));
      assert.ok(answer.baseImage.exports.some(({ name }) => name === 'printk'));
      const event = adapter.events.find(({ event: name }) => name === 'llext/changed');
      assert.deepEqual(
        (event?.body as ExtensionsResponse).extensions.map(({ name }) => name),
        ['dep_base', 'dep_user'],
      );
    }));

  it('names what a symbol is, with its value', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('dependency/dep_user.c');
      await adapter.launchToStop({ extensions: dependency, args: [7] }, [
        { path: source, breakpoints: [{ line: markerLine(source, 'BP3') }] },
      ]);
      const total = await symbol(adapter, 'dep_base_total');
      assert.deepEqual([total.kind, total.extension, total.value], ['extension', 'dep_base', '107']);
      assert.equal(total.symbol?.type, 'int');
      assert.equal(total.symbol?.section, '.data');
      assert.equal(total.symbol?.size, 4);
      const printk = await symbol(adapter, 'printk');
      assert.equal(printk.kind, 'base-image');
      assert.match(printk.symbol?.type ?? '', /printk\(const char \*/);
      assert.equal((await symbol(adapter, 'no_such_name')).kind, 'unknown');
      await assert.rejects(adapter.request('llext/symbol', {}), /a name is needed/);
    }));

  it('knows a static of clang, which has no symbol type', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      await adapter.launchToStop({ program: examplePath('hello/hello.llext') }, [
        { path: source, breakpoints: [{ line: markerLine(source, 'BP1') }] },
      ]);
      const greetings = await symbol(adapter, 'greetings');
      assert.deepEqual([greetings.kind, greetings.symbol?.kind, greetings.value], ['extension', 'object', '1']);
    }));

  it('shows file-less builds as well', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('data', 'm3-Og-gz'), stopOnEntry: true });
      const { modules } = await adapter.request<DebugProtocol.ModulesResponse['body']>('modules');
      assert.equal(modules[0].symbolStatus, 'Symbols loaded');
      assert.equal(modules[0].isOptimized, true);
    }));
});
