/** Launching by DAP: attributes, the order of events, debug ELFs, entry functions, refusals, and the end in words. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { AdapterClient, type LaunchArguments, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';

const hello = examplePath('hello/hello.llext');

async function runToEnd(args: LaunchArguments): Promise<AdapterClient> {
  const adapter = new AdapterClient();
  const ended = adapter.next('terminated');
  await adapter.launch(args);
  await ended;
  await adapter.close();
  return adapter;
}

async function refusal(args: LaunchArguments): Promise<string> {
  const adapter = new AdapterClient();
  try {
    await adapter.launch(args);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await adapter.close();
  }
  throw new Error('the launch was not refused');
}

function temporaryFolder(t: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'llext-dap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('a session', () => {
  it('tells its life in order and ends by itself, with the return value in words', async () => {
    const adapter = await runToEnd({ program: hello });
    const order = adapter.events.map(({ event }) => event).filter((event) => event !== 'output');
    assert.deepEqual(order, [
      'initialized',
      'module',
      'loadedSource',
      'llext/changed',
      'process',
      'exited',
      'terminated',
    ]);
    assert.match(
      adapter.output('console'),
      /^entry 'entry' of llext 'hello' returned 6 \(0x00000006\) after \d+ instructions\n$/,
    );
    const exited = adapter.events.find((event): event is DebugProtocol.ExitedEvent => event.event === 'exited');
    assert.equal(exited?.body.exitCode, 6);
  });

  it('shows what the extension prints with the line that printed it', async () => {
    const adapter = await runToEnd({ program: hello });
    const printed = adapter.outputs('stdout');
    assert.equal(
      printed.map(({ output }) => output).join(''),
      'Hello Ada, you are number 1\nHello Grace, you are number 2\nHello Edsger, you are number 3\n3 greetings\n',
    );
    const source = examplePath('hello/hello.c');
    assert.equal(printed[0].line, markerLine(source, 'BP1'));
    assert.equal(printed[0].source?.path, source);
  });

  it('runs init functions before the entry and fini functions after it', async () => {
    const adapter = await runToEnd({ program: examplePath('init-fini/init_fini.llext') });
    assert.equal(adapter.output('stdout'), 'preinit\nfirst init\nsecond init\nentry\nfini\n');
    assert.match(adapter.output('console'), /returned 4404 \(0x00001134\)|returned \d+/);
  });

  it('says so when there is no return value', async () => {
    const adapter = await runToEnd({ program: fixturePath('entries', 'm3-O0'), entry: 'no_result' });
    assert.match(adapter.output('console'), /entry 'no_result' of llext 'entries.m3-O0' returned \(no value\) after/);
  });

  it('shows a negative and an unsigned return value as C does', async () => {
    const adapter = await runToEnd({ program: fixturePath('entries', 'm3-O0'), entry: 'add_two', args: [-7, 2] });
    assert.match(adapter.output('console'), /returned -5 \(0xfffffffb\)/);
  });

  it('runs without debugging', async () => {
    const adapter = new AdapterClient();
    const ended = adapter.next('terminated');
    await adapter.launch({ program: hello, noDebug: true }, [
      { path: examplePath('hello/hello.c'), breakpoints: [{ line: markerLine(examplePath('hello/hello.c'), 'BP1') }] },
    ]);
    await ended;
    await adapter.close();
    assert.match(adapter.output('stdout'), /3 greetings/);
  });

  it('can be configured before it is launched, by a client that waits for initialized first', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      const initialized = adapter.next('initialized');
      await adapter.client.initializeRequest();
      await initialized;
      const { breakpoints } = (
        await adapter.client.setBreakpointsRequest({
          source: { path: source },
          breakpoints: [{ line: markerLine(source, 'BP1') }],
        })
      ).body;
      assert.equal(breakpoints[0].message, 'waits for the session to start');
      await adapter.client.configurationDoneRequest();
      const stopped = adapter.stopped();
      await adapter.client.launchRequest({ program: hello } as DebugProtocol.LaunchRequestArguments);
      assert.equal((await stopped).reason, 'breakpoint');
    }));
});

it('breakpoints that are set while the launch reads its files say what they wait for', () =>
  withAdapter(async (adapter) => {
    const source = examplePath('hello/hello.c');
    await adapter.client.initializeRequest();
    const stopped = adapter.stopped();
    const launched = adapter.client.launchRequest({ program: hello } as DebugProtocol.LaunchRequestArguments);
    const line = markerLine(source, 'BP1');
    const { body } = await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [{ line }] });
    assert.equal(body.breakpoints[0].message, "waits for llext 'hello' to load");
    await adapter.client.configurationDoneRequest();
    await launched;
    assert.equal((await stopped).reason, 'breakpoint');
  }));

describe('launch attributes', () => {
  it('stopOnEntry stops at the first line of the entry function', () =>
    withAdapter(async (adapter) => {
      const stop = await adapter.launchToStop({ program: hello, stopOnEntry: true });
      assert.equal(stop.reason, 'entry');
      const frame = await adapter.topFrame();
      assert.equal(frame.name, 'entry');
      assert.equal(frame.line, markerLine(examplePath('hello/hello.c'), 'BP2'));
    }));

  it('args are integers, also as text', async () => {
    const args = ['0x10', -2, '+3', 4];
    const adapter = await runToEnd({ program: fixturePath('entries', 'm3-O0'), entry: 'weigh_four', args });
    assert.equal(adapter.output('stdout'), '16 -2 3 4\n');
  });

  it('entry defaults to the usual names, then to the only export', async () => {
    assert.match(
      (await runToEnd({ program: examplePath('detached/detached_fn.llext') })).output('console'),
      /'test_entry'/,
    );
    assert.match((await runToEnd({ program: fixturePath('only', 'm3-O0') })).output('console'), /entry 'answer'/);
  });

  it('cpu chooses the core', async () => {
    for (const cpu of ['cortex-m0', 'cortex-m33']) {
      const variant = cpu === 'cortex-m0' ? 'm0plus-Os' : 'm33-O2';
      const adapter = await runToEnd({ program: fixturePath('calls', variant), cpu, args: [3] });
      assert.match(adapter.output('console'), /returned \d+/);
    }
  });

  it('cpu is what the ELF was built for, unless it is said', async () => {
    for (const [variant, cpu] of [
      ['m3-O0', 'cortex-m3'],
      ['m0plus-Os', 'cortex-m0plus'],
      ['m33-O2', 'cortex-m33'],
    ]) {
      const adapter = await runToEnd({ program: fixturePath('calls', variant), args: [3] });
      const started = adapter.events.find(({ event }) => event === 'process') as DebugProtocol.ProcessEvent;
      assert.ok(started.body.name.endsWith(` on ${cpu}`), started.body.name);
    }
  });

  it('heapSize that is too small is an error with the cure', async () => {
    assert.match(await refusal({ program: fixturePath('data', 'm3-O0'), heapSize: 1 }), /ENOMEM.*heapSize/s);
  });

  it('debugElf is found by itself beside a stripped file', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: hello, stopOnEntry: true });
      const { modules } = await adapter.request<DebugProtocol.ModulesResponse['body']>('modules');
      assert.equal(modules[0].symbolFilePath, examplePath('hello/hello_ext_debug.elf'));
    }));

  it('the debug ELF itself can be launched', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello_ext_debug.elf'), stopOnEntry: true });
      const { modules } = await adapter.request<DebugProtocol.ModulesResponse['body']>('modules');
      assert.equal(modules[0].name, 'hello');
      assert.equal((await adapter.topFrame()).line, markerLine(examplePath('hello/hello.c'), 'BP2'));
    }));

  it('debugElf is taken from where it is said to be, and a stale one is reported', async (t) => {
    const folder = temporaryFolder(t);
    copyFileSync(hello, join(folder, 'hello.llext'));
    await withAdapter(async (adapter) => {
      const debugElf = examplePath('detached/detached_fn_ext_debug.elf');
      await adapter.launchToStop({ program: join(folder, 'hello.llext'), debugElf, stopOnEntry: true });
      assert.match(adapter.output('important'), /llext 'hello': the debug ELF is of another build/);
    });
  });

  it('a file without debug information still runs, and a breakpoint says why it is not set', async (t) => {
    const folder = temporaryFolder(t);
    copyFileSync(hello, join(folder, 'hello.llext'));
    await withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      const path = examplePath('hello/hello.c');
      const breakpoints = [{ path, breakpoints: [{ line: 12 }] }];
      const [answer] = await adapter.launch({ program: join(folder, 'hello.llext') }, breakpoints);
      await ended;
      assert.equal(answer.verified, false);
      assert.match(answer.message ?? '', /llext 'hello' has no debug information: build with -g/);
    });
  });

  it('sourceMap and the workspace find sources that are not where they were compiled', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'elf'));
    mkdirSync(join(folder, 'deep/src'), { recursive: true });
    copyFileSync(fixturePath('calls', 'm3-O0'), join(folder, 'elf/calls.elf'));
    copyFileSync(fixtureSource('calls'), join(folder, 'deep/src/calls.c'));
    const program = join(folder, 'elf/calls.elf');
    for (const attributes of [{ sourceMap: { '.': join(folder, 'deep/src') } }, { workspaceFolders: [folder] }]) {
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program, ...attributes, stopOnEntry: true });
        assert.equal((await adapter.topFrame()).source?.path, join(folder, 'deep/src/calls.c'));
      });
    }
  });

  it('a source that could be one of several is none, and the candidates are named', async (t) => {
    const folder = temporaryFolder(t);
    copyFileSync(fixturePath('calls', 'm3-O0'), join(folder, 'calls.elf'));
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, name));
      copyFileSync(fixtureSource('calls'), join(folder, name, 'calls.c'));
    }
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: join(folder, 'calls.elf'), stopOnEntry: true, workspaceFolders: [folder] });
      const frame = await adapter.topFrame();
      assert.equal(frame.source?.path, undefined);
      assert.equal(frame.source?.name, 'calls.c');
      assert.match(adapter.output('important'), /calls\.c could be any of .*a\/calls\.c, .*b\/calls\.c/);
    });
  });
});

describe('a launch that is refused', () => {
  const cases: readonly [string, LaunchArguments, RegExp][] = [
    ['no program', {}, /names no extension: set "program"/],
    ['an empty list', { extensions: [] }, /names no extension/],
    ['program and extensions', { program: hello, extensions: [hello] }, /both "program" and "extensions"/],
    ['program of another type', { program: 5 }, /attribute "program" is 5, but must be the path/],
    ['extensions of another type', { extensions: 'x' }, /attribute "extensions" is "x", but must be a list/],
    ['an entry without program', { extensions: [{}] }, /attribute "extensions\[0\]\.program"/],
    [
      'a name that is too long',
      { extensions: [{ program: hello, name: 'sixteen-letters!' }] },
      /at most 15 characters/,
    ],
    ['two of one name', { extensions: [hello, hello] }, /Two entries of "extensions" load under the name 'hello'/],
    ['args of another type', { program: hello, args: 5 }, /attribute "args" is 5, but must be a list of integers/],
    ['an argument that is no integer', { program: hello, args: [1, 'two'] }, /attribute "args\[1\]" is "two"/],
    ['an argument that is too large', { program: hello, args: [4294967296] }, /from -2147483648 to 4294967295/],
    ['an unknown cpu', { program: hello, cpu: 'z80' }, /attribute "cpu" is "z80", but must be one of "cortex-m3"/],
    [
      'a heapSize that is none',
      { program: hello, heapSize: 0 },
      /attribute "heapSize" is 0, but must be a whole number/,
    ],
    ['stopOnEntry of another type', { program: hello, stopOnEntry: 'yes' }, /attribute "stopOnEntry" is "yes"/],
    ['sourceMap of another type', { program: hello, sourceMap: [] }, /attribute "sourceMap"/],
    ['a file that is not there', { program: '/nowhere/x.llext' }, /Cannot read \/nowhere\/x\.llext: .*no such file/],
    ['a file that is no ELF', { program: examplePath('hello/hello.c') }, /hello\.c is not a usable ELF file/],
    ['an entry that is not there', { program: hello, entry: 'entri' }, /has no function 'entri'.*'entry'/],
    ['an entry to choose', { program: fixturePath('entries', 'm3-O0') }, /exports .*'add_two'.*say in "entry"/],
  ];
  for (const [name, args, expected] of cases) {
    it(name, async () => assert.match(await refusal(args), expected));
  }

  it('names all missing symbols with the nearest known names', async () => {
    const message = await refusal({ program: examplePath('missing-import/missing.llext') });
    assert.match(message, /llext 'missing' cannot be loaded: 3 symbols that it imports/);
    assert.match(message, /\n {2}gpio_pin_toggle_by_name/);
    assert.match(message, /\n {2}memcopy \(known names near it: .*memcpy/);
    assert.match(message, /\n {2}prinkt \(known names near it: .*printk/);
  });

  it('says that a missing name is one of C++', async (t) => {
    // As a C++ file imports printk whose header lacks extern "C".
    const bytes = readFileSync(examplePath('missing-import/missing.llext'));
    const at = bytes.lastIndexOf('\0memcopy\0') + 1;
    assert.ok(at > 0);
    bytes.write('_Z3cpyv', at);
    const program = join(temporaryFolder(t), 'plus.llext');
    writeFileSync(program, bytes);
    assert.match(await refusal({ program }), /\n {2}_Z3cpyv.* - a C\+\+ name, cpy\(\): declare it extern "C" if/);
  });

  it('a dependency that is not loaded is a missing symbol', async () => {
    assert.match(
      await refusal({ program: examplePath('dependency/dep_user.llext') }),
      /dep_base_add.*\n.*dep_base_total/,
    );
  });

  it('a damaged file is refused with the loader’s errno in words', async (t) => {
    const folder = temporaryFolder(t);
    const bytes = new Uint8Array(readFileSync(fixturePath('only', 'm3-O0')));
    bytes[16] = 9;
    writeFileSync(join(folder, 'bad.llext'), bytes);
    assert.match(await refusal({ program: join(folder, 'bad.llext') }), /e_type is 9/);
  });
});
