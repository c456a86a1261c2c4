/**
 * Extensions that come and go while the program is stopped: symbols, breakpoints, modules follow; what cannot be done changes nothing.
 * Use counts are those of Zephyr's llext_load and llext_unload (specification 1.7: a dependency counts as a use).
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type {
  CheckpointDescription,
  CheckpointsResponse,
  ExtensionsResponse,
  LoadChangeResponse,
  SymbolResponse,
} from '../lib/protocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, markerLine } from './support/fixtures';

const hello = examplePath('hello/hello.llext');
const initFini = examplePath('init-fini/init_fini.llext');
const initFiniSource = examplePath('init-fini/init_fini.c');
const entryLine = markerLine(initFiniSource, 'BP4');

const change = (
  adapter: AdapterClient,
  what: 'load' | 'unload' | 'reload',
  args: object,
): Promise<LoadChangeResponse> => adapter.request(`llext/${what}`, { ...args });

async function names(adapter: AdapterClient): Promise<string[]> {
  return (await adapter.request<ExtensionsResponse>('llext/extensions')).extensions.map(({ name }) => name);
}

async function addressOf(adapter: AdapterClient, name: string): Promise<number> {
  const { symbol } = await adapter.request<SymbolResponse>('llext/symbol', { name });
  return Number(symbol?.address);
}

/** Of a source, in the order of the events: verified, and at which address. */
function breakpointEvents(adapter: AdapterClient): { verified: boolean; at: number | undefined; message?: string }[] {
  return adapter.events
    .filter((event): event is DebugProtocol.BreakpointEvent => event.event === 'breakpoint')
    .map(({ body: { breakpoint } }) => ({
      verified: breakpoint.verified,
      at: breakpoint.instructionReference === undefined ? undefined : Number(breakpoint.instructionReference),
      ...(breakpoint.message === undefined ? {} : { message: breakpoint.message }),
    }));
}

const moduleEvents = (adapter: AdapterClient): string[] =>
  adapter.events
    .filter((event): event is DebugProtocol.ModuleEvent => event.event === 'module')
    .map(({ body: { reason, module } }) => `${reason} ${module.name}`);

const sourceEvents = (adapter: AdapterClient): string[] =>
  adapter.events
    .filter((event): event is DebugProtocol.LoadedSourceEvent => event.event === 'loadedSource')
    .map(({ body: { reason, source } }) => `${reason} ${source.name}`)
    .filter((text) => text.endsWith('.c'));

const output = (adapter: AdapterClient): string =>
  adapter.events
    .filter((event): event is DebugProtocol.OutputEvent => event.event === 'output')
    .map(({ body }) => (body.category === 'stdout' ? body.output : ''))
    .join('');

describe('an extension is loaded, unloaded and loaded elsewhere', () => {
  it('its init and fini functions run, breakpoints and symbols follow, going back undoes it', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ path: initFiniSource, breakpoints: [{ line: entryLine }] }];
      await adapter.launchToStop({ program: hello, stopOnEntry: true }, breakpoints);
      const stack = await adapter.stack();
      adapter.events.length = 0;
      assert.deepEqual(await change(adapter, 'load', { program: initFini }), { name: 'init_fini', useCount: 1 });
      assert.deepEqual(await names(adapter), ['hello', 'init_fini']);
      // preinit sets 0x10, the init functions make 0x134 of it.
      assert.equal((await adapter.evaluate('number', 'watch')).result, '308');
      assert.match(output(adapter), /^preinit\nfirst init\nsecond init\n$/);
      const first = { number: await addressOf(adapter, 'number'), breakpoint: breakpointEvents(adapter).at(-1) };
      assert.equal(first.breakpoint?.verified, true);
      assert.deepEqual(
        (await adapter.stack()).map(({ name }) => name),
        stack.map(({ name }) => name),
      );

      assert.equal((await change(adapter, 'unload', { name: 'init_fini' })).useCount, 0);
      assert.deepEqual(await names(adapter), ['hello']);
      assert.match(output(adapter), /fini\n$/);
      assert.deepEqual(breakpointEvents(adapter).at(-1), {
        verified: false,
        at: undefined,
        message: "waits for llext 'init_fini' to load again",
      });
      await assert.rejects(adapter.evaluate('number', 'watch'), /number/);

      // Something else takes the place.
      await change(adapter, 'load', { program: fixturePath('data', 'm3-O0'), name: 'other' });
      await change(adapter, 'load', { program: initFini });
      const second = { number: await addressOf(adapter, 'number'), breakpoint: breakpointEvents(adapter).at(-1) };
      assert.notEqual(second.number, first.number);
      assert.equal(second.breakpoint?.verified, true);
      assert.notEqual(second.breakpoint?.at, first.breakpoint.at);
      assert.equal(Number((await adapter.evaluate('&init_fini::number', 'repl')).memoryReference), second.number);
      assert.deepEqual(moduleEvents(adapter), ['new init_fini', 'removed init_fini', 'new other', 'new init_fini']);
      assert.deepEqual(sourceEvents(adapter), [
        'new init_fini.c',
        'removed init_fini.c',
        'new data.c',
        'new init_fini.c',
      ]);

      await assert.rejects(adapter.request('llext/replayFile'), /loaded or unloaded after it had started/);
      const { id } = await adapter.request<CheckpointDescription>('llext/setCheckpoint', {});

      // The moments before are before the loads.
      adapter.events.length = 0;
      const back = adapter.next('stopped');
      await adapter.request('stepBack', { threadId: 1 });
      await back;
      assert.deepEqual(await names(adapter), ['hello']);
      assert.deepEqual(moduleEvents(adapter), ['removed other', 'removed init_fini']);
      assert.deepEqual(sourceEvents(adapter), ['removed data.c', 'removed init_fini.c']);
      assert.equal(breakpointEvents(adapter).at(-1)?.verified, false);
      // A client that makes its list anew at llext/changed is told of the checkpoints after it.
      const told = adapter.events.filter(({ event }) => event === 'llext/changed' || event === 'llext/checkpoints');
      assert.equal((told.at(-1)?.body as CheckpointsResponse).checkpoints.length, 1);
      const forward = adapter.next('stopped');
      await adapter.request('llext/goToCheckpoint', { id });
      await forward;
      assert.deepEqual(await names(adapter), ['hello', 'other', 'init_fini']);
      assert.deepEqual(breakpointEvents(adapter).at(-1), second.breakpoint);
      assert.equal((await adapter.evaluate('init_fini::number', 'watch')).result, '308');
    }));

  it('a file that was built again is read again', async () => {
    const work = mkdtempSync(join(tmpdir(), 'loads-'));
    try {
      const program = join(work, 'shared.elf');
      copyFileSync(fixturePath('shared_first', 'm3-O0'), program);
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: hello, stopOnEntry: true });
        await change(adapter, 'load', { program });
        const before = await adapter.request<ExtensionsResponse>('llext/extensions');
        await adapter.client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'shared::/./' }] });
        copyFileSync(fixturePath('shared_first', 'm3-Os'), program);
        assert.deepEqual(await change(adapter, 'reload', { name: 'shared' }), { name: 'shared', useCount: 1 });
        const after = await adapter.request<ExtensionsResponse>('llext/extensions');
        const sizes = ({ extensions }: ExtensionsResponse) =>
          extensions.at(-1)?.regions.flatMap(({ sections }) => sections.map(({ name, size }) => [name, size]));
        assert.notDeepEqual(sizes(after), sizes(before));
        assert.equal(breakpointEvents(adapter).at(-1)?.verified, true);
        // One that cannot be read changes nothing.
        writeFileSync(program, 'no ELF');
        await assert.rejects(change(adapter, 'reload', { name: 'shared' }), /shared\.elf/);
        assert.deepEqual(await names(adapter), ['hello', 'shared']);
        copyFileSync(examplePath('missing-import/missing.llext'), program);
        await assert.rejects(change(adapter, 'reload', { name: 'shared' }), /imports/);
        assert.deepEqual(await names(adapter), ['hello', 'shared']);
        assert.equal(breakpointEvents(adapter).at(-1)?.verified, true);
      });
    } finally {
      rmSync(work, { recursive: true });
    }
  });
});

describe('what cannot be loaded or unloaded stays as it is, and says why', () => {
  it('on the stack, in use, unknown, of another machine, with missing imports', () =>
    withAdapter(async (adapter) => {
      const extensions = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
      await adapter.launchToStop({ extensions, args: [1], stopOnEntry: true });
      const failures: readonly (readonly ['load' | 'unload' | 'reload', object, RegExp])[] = [
        ['unload', { name: 'dep_user' }, /entry of it is on the stack/],
        ['reload', { name: 'dep_user' }, /entry of it is on the stack/],
        ['reload', { name: 'dep_base' }, /llext 'dep_user' is linked to it/],
        ['unload', { name: 'nobody' }, /no llext 'nobody' is loaded; loaded are 'dep_base', 'dep_user'/],
        ['unload', {}, /a name is needed/],
        ['load', {}, /program/],
        ['load', { program: examplePath('dependency/dep_base.llext') }, /'dep_base' is loaded already/],
        ['load', { program: examplePath('riscv/hello.rv32imac.llext') }, /RISC-V/],
        ['load', { program: examplePath('missing-import/missing.llext') }, /imports/],
        ['load', { program: '/nowhere/x.llext' }, /\/nowhere\/x\.llext/],
      ];
      for (const [what, args, message] of failures) {
        await assert.rejects(change(adapter, what, args), message, JSON.stringify([what, args]));
        assert.deepEqual(await names(adapter), ['dep_base', 'dep_user']);
      }
      // dep_user's use of it counts: 2 uses are 1, and it stays.
      assert.deepEqual(await change(adapter, 'unload', { name: 'dep_base' }), { name: 'dep_base', useCount: 1 });
      assert.deepEqual(await names(adapter), ['dep_base', 'dep_user']);
      await adapter.runToEnd();
    }));
});
