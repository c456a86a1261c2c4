/**
 * A debug session saved and run again, by an adapter of its own process on stdio: the same stops at the same instruction counts, the same
 * output and outcome, with what was changed by hand in between, memory filters on or off; what is not as recorded is named.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine, projectRoot, riscvFixture } from './support/fixtures';

const folder = mkdtempSync(join(tmpdir(), 'llext-replay-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const calls = fixtureSource('calls');
const lines = ['BP1', 'BP2'].map((marker) => ({ line: markerLine(calls, marker) }));

/** What a session showed: places and instruction counts of its stops, and its output. */
interface Seen {
  readonly stops: string[];
  output: string;
  console: string;
}

async function placeOf(client: DebugClient): Promise<string> {
  const { stackFrames } = (await client.stackTraceRequest({ threadId: 1, levels: 1 })).body;
  const { name, line, instructionPointerReference, id } = stackFrames[0];
  const { result } = (await client.evaluateRequest({ expression: 'calls', frameId: id })).body;
  return `${name}:${line} ${instructionPointerReference} calls=${result}`;
}

async function save(adapter: AdapterClient, name: string): Promise<string> {
  const file = join(folder, name);
  const { text } = await adapter.request<{ text: string }>('llext/replayFile', { path: file });
  writeFileSync(file, text);
  return file;
}

/** `llext dap` as its own process. */
async function replayOnStdio(replay: string, continues: number): Promise<Seen> {
  const args = ['--import', 'tsx', 'cli/llext.ts', 'dap'];
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['pipe', 'pipe', 'inherit'] });
  class Client extends DebugClient {
    use(): void {
      this.connect(child.stdout, child.stdin);
    }
  }
  const client = new Client('node', '', 'llext');
  client.defaultTimeout = 40_000;
  client.use();
  const seen: Seen = { stops: [], output: '', console: '' };
  client.on('output', ({ body }: DebugProtocol.OutputEvent) => {
    if (body.category === 'stdout') seen.output += body.output;
    else seen.console += body.output;
  });
  try {
    await client.initializeRequest();
    let stopped = client.waitForEvent('stopped');
    const launched = client.launchRequest({ replay } as DebugProtocol.LaunchRequestArguments);
    await client.setBreakpointsRequest({ source: { path: calls }, breakpoints: lines });
    await client.configurationDoneRequest();
    await launched;
    for (let i = 0; ; i++) {
      await stopped;
      seen.stops.push(await placeOf(client));
      if (i === continues) break;
      stopped = client.waitForEvent('stopped');
      await client.continueRequest({ threadId: 1 });
    }
  } finally {
    child.kill();
  }
  return seen;
}

const programOf = (variant: string) =>
  variant.startsWith('rv') ? riscvFixture('calls', variant) : fixturePath('calls', variant);

describe('a recorded session', () => {
  for (const variant of ['m3-O0', 'rv32imac-O0']) {
    it(`is the same again on stdio: stops, values, output, instruction count (${variant})`, async () => {
      const seen: Seen = { stops: [], output: '', console: '' };
      let file = '';
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: programOf(variant), args: [3], seed: 5 }, [
          { path: calls, breakpoints: lines },
        ]);
        const look = async (): Promise<unknown> => seen.stops.push(await placeOf(adapter.client));
        await look();
        await adapter.run('continue');
        await look();
        await adapter.evaluate('calls = 40', 'repl');
        await adapter.run('continue');
        // What follows is not part of what is saved: something else is done in its past.
        await adapter.run('stepBack');
        await adapter.evaluate('calls = 50', 'repl');
        for (let i = 0; i < 2; i++) {
          await adapter.run('continue');
          await look();
        }
        file = await save(adapter, `${variant}.json`);
        seen.output = adapter.output('stdout');
      });
      assert.ok(readFileSync(file).length < 4000, 'it is small');
      const again = await replayOnStdio(file, seen.stops.length - 1);
      assert.deepEqual(again.stops, seen.stops);
      assert.equal(again.output, seen.output);
      assert.match(again.console, /^Replay: as recorded \(\d+ instructions and \d+ bytes of output\)\.$/m);
    });
  }

  it('with what was let pass by memory filters, and ends where it was saved', async () => {
    const unsafe = join(projectRoot, 'test/safety-programs/unsafe.m3-O0.elf');
    let file = '';
    await withAdapter(async (adapter) => {
      await adapter.client.initializeRequest();
      const stopped = adapter.stopped();
      const launched = adapter.client.launchRequest({
        program: unsafe,
        args: [16, 0],
      } as DebugProtocol.LaunchRequestArguments);
      await adapter.request('setExceptionBreakpoints', { filters: ['memory-uninitialised'] });
      await adapter.client.configurationDoneRequest();
      await launched;
      await stopped;
      await adapter.run('next');
      file = await save(adapter, 'unsafe.json');
    });
    assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { passes: number[] }).passes.length, 1);
    await withAdapter(async (adapter) => {
      const stop = await adapter.launchToStop({ replay: file });
      assert.equal(stop.reason, 'pause');
      assert.match(adapter.output('console'), /^Replay: as recorded/m);
      assert.equal(await adapter.runToEnd('continue'), undefined);
    });
  });

  it('ends where the user does something else', async () => {
    await withAdapter(async (adapter) => {
      const file = join(folder, 'm3-O0.json');
      await adapter.launchToStop({ replay: file }, [{ path: calls, breakpoints: lines }]);
      await adapter.evaluate('calls = 1', 'repl');
      assert.match(adapter.output('console'), /Changed in the past: what was recorded after it is dropped/);
    });
  });

  it('names a file that is another one, and refuses what is no recording', async () => {
    const program = join(folder, 'own.elf');
    copyFileSync(fixturePath('calls', 'm3-O0'), program);
    let file = '';
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
      file = await save(adapter, 'own.json');
    });
    const text = readFileSync(file, 'utf8');
    assert.match(text, /"path": "own\.elf"/, 'beside the recording');
    copyFileSync(fixturePath('calls', 'm3-O2'), program);
    const refused = async (replay: string): Promise<string> => {
      let message = '';
      await withAdapter(async (adapter) => {
        await adapter.client.initializeRequest();
        await adapter.client
          .launchRequest({ replay } as DebugProtocol.LaunchRequestArguments)
          .catch((error: Error) => (message = error.message));
      });
      return message;
    };
    assert.match(await refused(file), /own\.elf is not the file that was recorded \(SHA-256 [0-9a-f]{64}, recorded /);
    writeFileSync(file, text.replace('"version": 1', '"version": 9'));
    assert.match(await refused(file), /it has version 9, and this program reads 1/);
    writeFileSync(file, text.slice(0, 100));
    assert.match(await refused(file), /it is not a recording that LLEXT: Save Replay has written/);
  });
});
