/** Every error message of the adapter is provoked here by its cause; the table is walked, so that none is left out. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errors } from '../debug-adapter/errors';
import { KeptTargets } from '../debug-adapter/kept-targets';
import { nodeServices } from '../debug-adapter/node-services';
import type { AdapterServices } from '../debug-adapter/services';
import { ElfFile } from '../lib/elf/elf-file';
import { AdapterClient, projectRoot } from './support/dap-client';
import { baseImagePath } from './support/base-images';
import { examplePath, fixturePath } from './support/fixtures';

type Failure = DebugProtocol.ErrorResponse['body']['error'];

const folder = mkdtempSync(join(tmpdir(), 'llext-errors-'));
after(() => rmSync(folder, { recursive: true }));

const hello = examplePath('hello/hello.llext');
const stopped = { program: hello, stopOnEntry: true };

/** A copy of a file with bytes changed. */
function changed(path: string, name: string, change: (bytes: Uint8Array) => void): string {
  const bytes = new Uint8Array(readFileSync(path));
  change(bytes);
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

/** The error body of a request that fails. */
function failure(adapter: AdapterClient, command: string, args: object = {}): Promise<Failure> {
  return new Promise((resolve, reject) => {
    adapter.onMessage((message) => {
      const response = message as DebugProtocol.ErrorResponse;
      if (response.type !== 'response' || response.command !== command) return;
      if (response.success) reject(new Error(`${command} did not fail`));
      else resolve(response.body.error);
    });
    adapter.client.send(command, args).catch(() => undefined);
  });
}

async function launchFailure(args: object, services?: AdapterServices): Promise<Failure> {
  const adapter = new AdapterClient(services);
  await adapter.client.initializeRequest();
  const failed = failure(adapter, 'launch', args);
  await adapter.client.configurationDoneRequest();
  const error = await failed;
  await adapter.leave();
  return error;
}

/** Fails at the entry's first line. */
async function stoppedFailure(
  command: string,
  args: object | ((adapter: AdapterClient) => Promise<object>),
  launched: object = {},
): Promise<Failure> {
  const adapter = new AdapterClient();
  await adapter.launchToStop({ ...stopped, ...launched });
  const error = await failure(adapter, command, typeof args === 'function' ? await args(adapter) : args);
  await adapter.leave();
  return error;
}

/** At a server where a target with a name is being debugged. */
async function serverFailure(command: string, args: object): Promise<Failure> {
  const services = { ...nodeServices(projectRoot), targets: new KeptTargets() };
  const first = new AdapterClient(services);
  await first.launchToStop({ ...stopped, target: 'mine' });
  const second = new AdapterClient(services);
  await second.client.initializeRequest();
  const failed = failure(second, command, args);
  await second.client.configurationDoneRequest();
  const error = await failed;
  await Promise.all([first.leave(), second.leave()]);
  return error;
}

async function freshFailure(command: string, args: object = {}): Promise<Failure> {
  const adapter = new AdapterClient();
  const error = await failure(adapter, command, args);
  await adapter.leave();
  return error;
}

const inFrame = (more: object) => async (adapter: AdapterClient) => ({
  frameId: (await adapter.topFrame()).id,
  ...more,
});

/** A launch that is cancelled while it waits for its configuration. */
async function cancelledLaunch(): Promise<Failure> {
  const adapter = new AdapterClient();
  await adapter.client.initializeRequest();
  // The client numbers its requests: this is the next one's.
  const { sequence } = adapter.client as unknown as { sequence: number };
  const failed = failure(adapter, 'launch', { program: hello });
  await adapter.request('cancel', { requestId: sequence });
  const error = await failed;
  await adapter.leave();
  return error;
}

const causes: Record<keyof typeof errors, () => Promise<Failure>> = {
  noProgram: () => launchFailure({}),
  programAndExtensions: () => launchFailure({ program: hello, extensions: [hello] }),
  invalidAttribute: () => launchFailure({ program: hello, heapSize: -1 }),
  duplicateName: () => launchFailure({ extensions: [hello, hello] }),
  fileUnreadable: () => launchFailure({ program: join(folder, 'nothing.llext') }),
  notElf: () => launchFailure({ program: examplePath('hello/hello.c') }),
  wrongMachine: () => launchFailure({ program: changed(hello, 'x86.llext', (bytes) => bytes.set([3, 0], 18)) }),
  noUnicorn: () => launchFailure({ program: hello, engine: 'unicorn', unicornPath: join(folder, 'nothing.js') }),
  baseUnreadable: () => launchFailure({ program: hello, base: join(folder, 'nothing.elf') }),
  baseUnusable: () => launchFailure({ program: hello, base: hello }),
  baseMismatch: () => launchFailure({ program: hello, base: baseImagePath('m4-hard') }),
  heapSizeWithBase: () => launchFailure({ program: hello, base: baseImagePath('m3'), heapSize: 64 }),
  sharedMemory: () => launchFailure({ program: hello, sharedMemory: ['nobody'] }),
  replayFile: () => launchFailure({ replay: examplePath('hello/hello.c') }),
  missingSymbols: () => launchFailure({ program: examplePath('missing-import/missing.llext') }),
  loadRefused: () => launchFailure({ program: fixturePath('data', 'm3-O0'), heapSize: 1 }),
  noExports: async () => {
    const name = '.exported_sym';
    const without = changed(fixturePath('only', 'm3-O0'), 'closed.llext', (bytes) => {
      const elf = ElfFile.parse(bytes.slice());
      const names = elf.sections[elf.header.e_shstrndx];
      const at = Buffer.from(bytes).indexOf(name, names.sh_offset);
      bytes.set(Buffer.from('.not_exported'), at);
    });
    return launchFailure({ program: without });
  },
  entryNotFound: () => launchFailure({ program: hello, entry: 'nobody' }),
  entryAmbiguous: () => launchFailure({ program: fixturePath('entries', 'm3-O0') }),
  initFailed: () => {
    const program = changed(fixturePath('constructors', 'm3-O0'), 'init.llext', (bytes) => {
      const elf = ElfFile.parse(bytes.slice());
      const relocations = elf.sections.find(({ name }) => name.startsWith('.rel.init_array'));
      assert.ok(relocations);
      // R_ARM_NONE leaves a pointer into nowhere.
      bytes[relocations.sh_offset + 4] = 0;
    });
    return launchFailure({ program });
  },
  notLaunched: () => freshFailure('continue', { threadId: 1 }),
  alreadyLaunched: () => stoppedFailure('launch', stopped),
  noTarget: () => serverFailure('attach', {}),
  targetInUse: () => serverFailure('attach', { target: 'mine' }),
  nameInUse: () => serverFailure('launch', { ...stopped, target: 'mine' }),
  notStopped: async () => {
    const adapter = new AdapterClient();
    await adapter.launch({ program: examplePath('endless/endless.llext') });
    const error = await failure(adapter, 'stackTrace', { threadId: 1 });
    await adapter.leave();
    return error;
  },
  ended: async () => {
    const adapter = new AdapterClient();
    const ended = adapter.next('terminated');
    await adapter.launch({ program: hello });
    await ended;
    const error = await failure(adapter, 'stackTrace', { threadId: 1 });
    await adapter.leave();
    return error;
  },
  cancelled: async () => {
    const adapter = new AdapterClient();
    await adapter.client.initializeRequest();
    const failed = failure(adapter, 'launch', stopped);
    const [error] = await Promise.all([failed, adapter.client.disconnectRequest({})]);
    await adapter.leave();
    return error;
  },
  unknownFrame: () => stoppedFailure('scopes', { frameId: 99 }),
  unknownReference: () => stoppedFailure('variables', { variablesReference: 99 }),
  unknownVariable: () =>
    stoppedFailure('setVariable', async (adapter) => {
      const { scopes } = (await adapter.client.scopesRequest({ frameId: (await adapter.topFrame()).id })).body;
      return { variablesReference: scopes[0].variablesReference, name: 'nobody', value: '1' };
    }),
  unknownThread: () => stoppedFailure('stackTrace', { threadId: 5 }),
  unknownTarget: () => stoppedFailure('stepIn', { threadId: 1, targetId: 4711 }),
  noGoto: () => stoppedFailure('gotoTargets', { source: { path: '/nowhere/x.c' }, line: 1 }),
  alreadyLoaded: () => stoppedFailure('llext/load', { program: hello }),
  inUse: () => stoppedFailure('llext/unload', { name: 'hello' }),
  noHistory: () => stoppedFailure('stepBack', { threadId: 1 }, { history: 0 }),
  unknownCheckpoint: () => stoppedFailure('llext/goToCheckpoint', { id: 4711 }),
  unknownTime: () => stoppedFailure('llext/goToTime', { time: 1e12 }),
  noRestart: () => stoppedFailure('restartFrame', async (adapter) => ({ frameId: (await adapter.stack()).at(-1)?.id })),
  unknownLocation: () => stoppedFailure('locations', { locationReference: 4711 }),
  requestCancelled: () => cancelledLaunch(),
  badExpression: () => stoppedFailure('evaluate', inFrame({ expression: 'no such', context: 'watch' })),
  notAssignable: () => stoppedFailure('setExpression', inFrame({ expression: 'total', value: ' ' })),
  badMemoryReference: () => stoppedFailure('readMemory', { memoryReference: 'here', count: 4 }),
  memoryNotWritable: () => stoppedFailure('writeMemory', { memoryReference: '0x4', data: 'AAAA' }),
  badData: () => stoppedFailure('writeMemory', { memoryReference: '0x20000000', data: '?' }),
  noDisassembler: async () => {
    const services = { ...nodeServices(projectRoot), capstoneWasm: () => Promise.reject(new Error('no such file')) };
    const adapter = new AdapterClient(services);
    await adapter.launchToStop(stopped);
    const error = await failure(adapter, 'disassemble', { memoryReference: '0x20000000', instructionCount: 1 });
    await adapter.leave();
    return error;
  },
  noCoverage: () => stoppedFailure('llext/coverage', {}),
  noException: () => stoppedFailure('exceptionInfo', { threadId: 1 }),
  noSource: () => stoppedFailure('source', { sourceReference: 3 }),
  badArguments: () => stoppedFailure('disassemble', { memoryReference: '0x20000000', instructionCount: -1 }),
  unsupported: () => freshFailure('llext/nothing'),
  internal: () => {
    const { files, ...others } = nodeServices(projectRoot);
    const list = (): Promise<never> => Promise.reject(new Error('the folder fell over'));
    return launchFailure(stopped, { ...others, files: { ...files, list } });
  },
};

describe('error messages', () => {
  const ids = new Map<number, string>();
  for (const [name, provoke] of Object.entries(causes)) {
    it(name, async () => {
      const error = await provoke();
      assert.ok(error, 'the response has no error');
      assert.ok(error.id >= 2001 && error.id <= 2099);
      assert.equal(ids.get(error.id), undefined, `the id of ${ids.get(error.id)} is used again`);
      ids.set(error.id, name);
      assert.match(error.format, /\.$|\)$|[a-z']$/);
      assert.doesNotMatch(error.format, /undefined|\[object/);
      // What was done in the editor is shown there; what a view asks in the background is not.
      const launching =
        error.id < 2030 ||
        [
          'alreadyLaunched',
          'noTarget',
          'targetInUse',
          'nameInUse',
          'alreadyLoaded',
          'inUse',
          'noGoto',
          'noRestart',
          'noHistory',
          'unknownCheckpoint',
          'unknownTime',
        ].includes(name);
      assert.equal(error.showUser, launching, 'showUser');
    });
  }

  it('are all provoked', () => assert.deepEqual([...ids.values()].sort(), Object.keys(errors).sort()));
});
