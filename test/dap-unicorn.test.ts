/**
 * `"engine": "unicorn"` through DAP: native libunicorn behind the unicorn.js API debugs a session like the built-in
 * engine; what is wrong with the library is said.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { nodeServices } from '../debug-adapter/node-services';
import { AdapterClient, projectRoot, type LaunchArguments } from './support/dap-client';
import { examplePath, markerLine } from './support/fixtures';
import { unicornJs } from './support/unicorn-js';

const folder = mkdtempSync(join(tmpdir(), 'llext-unicorn-'));
after(() => rmSync(folder, { recursive: true }));

const program = examplePath('hello/hello.llext');
const source = examplePath('hello/hello.c');

/** A library of that text, loaded as the user's would be. */
function library(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function refusal(args: LaunchArguments, services = nodeServices(projectRoot)): Promise<string> {
  const adapter = new AdapterClient(services);
  try {
    await adapter.launch({ program, engine: 'unicorn', ...args });
  } catch (error) {
    return (error as Error).message;
  } finally {
    await adapter.close();
  }
  throw new Error('the launch was not refused');
}

const sameAsBuiltin = 'stops at breakpoints, shows variables, steps, restarts, and ends as on the built-in engine';
const programs = ['hello/hello.llext', 'riscv/hello.rv32imac.llext', 'riscv/hello.rv64imac.llext'];

describe('a session on Unicorn', () => {
  for (const path of programs) it(`${path} ${sameAsBuiltin}`, (t) => sessionOnUnicorn(t, examplePath(path)));
});

async function sessionOnUnicorn(t: TestContext, path: string): Promise<void> {
  const module = unicornJs(t);
  if (module === undefined) return;
  const adapter = new AdapterClient({ ...nodeServices(projectRoot), loadUnicorn: async () => module });
  const line = markerLine(source, 'BP1');
  const stopped = adapter.next('stopped');
  const [breakpoint] = await adapter.launch({ program: path, engine: 'unicorn', unicornPath: 'unicorn.js' }, [
    { path: source, breakpoints: [{ line }] },
  ]);
  assert.equal(breakpoint.verified || breakpoint.reason === 'pending', true);
  await stopped;
  assert.equal((await adapter.topFrame()).line, line);
  const next = adapter.next('stopped');
  await adapter.client.nextRequest({ threadId: 1 });
  await next;
  const frame = await adapter.topFrame();
  assert.ok(frame.line > line, `line ${frame.line}`);
  const { body } = await adapter.client.evaluateRequest({ expression: '$sp', frameId: frame.id });
  assert.match(body.result, /^0x20/);
  const again = adapter.next('stopped');
  await adapter.client.customRequest('restart', {});
  await again;
  assert.equal((await adapter.topFrame()).line, line);
  await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
  const ended = adapter.next('terminated');
  await adapter.client.continueRequest({ threadId: 1 });
  await ended;
  const exited = adapter.events.find((event): event is DebugProtocol.ExitedEvent => event.event === 'exited');
  assert.equal(exited?.body.exitCode, 6);
  assert.match(adapter.output('important'), /Unicorn executes this session.*no snapshots, no instruction counts/);
  await adapter.close();
}

describe('a library that is missing or not right', () => {
  it('no path', async () => {
    assert.match(await refusal({}), /no path of the library is set.*llext\.unicornPath/s);
  });

  it('a file that does not exist', async () => {
    assert.match(await refusal({ unicornPath: join(folder, 'none.js') }), /none\.js cannot be loaded/);
  });

  it('a file that fails', async () => {
    const unicornPath = library('fails.cjs', 'throw new Error("out of memory");');
    assert.match(await refusal({ unicornPath }), /cannot be loaded \(out of memory\)/);
  });

  it('another module', async () => {
    const unicornPath = library('other.cjs', 'module.exports = { version: 1 };');
    assert.match(await refusal({ unicornPath }), /has no class 'Unicorn'/);
  });

  it('a build for other architectures, as a factory', async () => {
    const unicornPath = library(
      'x86.cjs',
      'module.exports = () => Promise.resolve({ Unicorn: class {}, ARCH_X86: 4 });',
    );
    assert.match(await refusal({ unicornPath }), /lacks the constants ARCH_ARM/);
  });

  it('an adapter that cannot load programs', async () => {
    const services = { ...nodeServices(projectRoot), loadUnicorn: undefined };
    assert.match(await refusal({ unicornPath: 'unicorn.js' }, services), /runs in a browser/);
  });

  it('an engine of another name', async () => {
    assert.match(await refusal({ engine: 'qemu' }), /"engine" is "qemu", but must be "builtin" or "unicorn"/);
  });
});
