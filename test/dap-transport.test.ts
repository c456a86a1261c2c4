/**
 * The ways to reach the adapter, besides what every session of the suite shows on stdio: clients that go without a word, a page
 * that speaks URIs and answers for files, and the browser's Web Worker.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { remoteServices } from '../debug-adapter/remote-services';
import { AdapterClient, withAdapter } from './support/dap-client';
import type { Transport } from './support/dap-connections';
import { examplePath, markerLine } from './support/fixtures';
import { requireTool } from './support/tools';

const program = examplePath('hello/hello.llext');
const source = examplePath('hello/hello.c');

describe('a client that is gone', () => {
  // The process, or its connection to a server, ends in order: leave() waits for that.
  for (const where of ['stdio', 'tcp'] as const) {
    it(`ends its adapter, also while the program runs (${where})`, async () => {
      const adapter = new AdapterClient(where);
      await adapter.launch({ program: examplePath('endless/endless.llext') });
      await adapter.leave();
    });

    it(`ends its adapter before anything was said (${where})`, () => new AdapterClient(where).leave());
  }

  it('leaves a server to other clients', async () => {
    const first = new AdapterClient('tcp');
    const second = new AdapterClient('tcp');
    await Promise.all([first, second].map((adapter) => adapter.launchToStop({ program, stopOnEntry: true })));
    const { name, line } = await second.topFrame();
    await first.leave();
    await second.run('next');
    const frame = await second.topFrame();
    assert.equal(frame.name, name);
    assert.ok(frame.line > line);
    await second.close();
  });
});

/** What a page does that embeds the adapter, in URIs. */
async function sessionOfUris(where: Transport): Promise<void> {
  await withAdapter(async (adapter) => {
    const line = markerLine(source, 'BP1');
    const stopped = adapter.stopped();
    const breakpoints = [{ path: `file://${source}`, breakpoints: [{ line }] }];
    await adapter.launch({ program: `file://${program}` }, breakpoints, { pathFormat: 'uri' });
    await stopped;
    const frame = await adapter.topFrame();
    assert.deepEqual([frame.source?.path, frame.line], [`file://${source}`, line]);
    const memoryReference = frame.instructionPointerReference;
    const listing = await adapter.request<DebugProtocol.DisassembleResponse['body']>('disassemble', {
      memoryReference,
      instructionCount: 4,
    });
    assert.deepEqual([listing?.instructions.length, listing?.instructions[0].address], [4, memoryReference]);
  }, where);
}

describe('the adapter in a worker', () => {
  it('asks its page for files, by URIs', () => sessionOfUris('worker'));

  it('says which file its page could not give', async () => {
    await withAdapter(async (adapter) => {
      const launched = adapter.launch({ program: 'file:///nowhere.llext' }, [], { pathFormat: 'uri' });
      await assert.rejects(launched, /nowhere\.llext.*no such file/);
    }, 'worker');
    const services = remoteServices((_command, _args, answer) =>
      answer({ success: false, message: 'no such file' } as DebugProtocol.Response),
    );
    await assert.rejects(services.files.read('file:///x'), /no such file/);
    assert.deepEqual(await services.files.list('file:///x'), []);
  });
});

describe("the adapter in a browser's Web Worker", () => {
  it('asks its page for files, by URIs', async (t) => {
    if (requireTool(t, 'chromium') !== undefined) await sessionOfUris('browser');
  });
});
