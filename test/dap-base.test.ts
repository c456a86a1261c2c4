/**
 * Sessions with a real base image: the extension calls the image's own code, which is stepped into and named in call
 * stacks; its data are read by its debug information; what the host implements is done by the host; what needs a kernel
 * or a device stops. Addresses are those of nm.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ExtensionsResponse, SymbolResponse } from '../lib/protocol';
import { baseImagePath } from './support/base-images';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const program = examplePath('with-base/with_base.llext');
const base = examplePath('with-base/zephyr.elf');
const source = examplePath('with-base/with_base.c');
const firmware = examplePath('with-base/firmware/firmware.c');

function nm(t: TestContext): ReadonlyMap<string, number> | undefined {
  const tool = requireTool(t, 'arm-none-eabi-nm');
  if (tool === undefined) return undefined;
  const lines = runTool(tool, [base]).split('\n');
  return new Map(lines.map((line) => [line.slice(11), parseInt(line.slice(0, 8), 16)]));
}

const at = (marker: string) => [{ path: source, breakpoints: [{ line: markerLine(source, marker) }] }];
const frames = async (adapter: AdapterClient) =>
  (await adapter.stack()).map(({ name, line, source: file }) => [name, file?.path === undefined ? 0 : line]);

describe('a session with a base image', () => {
  it('steps into the image’s code, which is in the call stack with its source', async () => {
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, base, entry: 'entry', args: [14] }, at('BP1'));
      await adapter.run('stepIn');
      // gdb's breakpoint on the function is at its opening brace too.
      await adapter.run('next');
      assert.deepEqual(await frames(adapter), [
        ['firmware_scale', markerLine(firmware, 'BP_SCALE')],
        ['entry', markerLine(source, 'BP1')],
        ['llext_call_fn', 0],
      ]);
      const top = await adapter.topFrame();
      assert.equal(top.source?.path, firmware);
      assert.equal((await adapter.evaluate('value * firmware_settings.gain')).result, '42');
      await adapter.run('stepOut');
      assert.equal((await adapter.topFrame()).name, 'entry');
      await adapter.runToEnd();
      // 14 * 3 - 7 = 35, and table[3] is 40.
      assert.equal(adapter.output('stdout'), 'bench: 14 becomes 35\nfirmware: the first entry is 10\n');
      assert.match(adapter.output('console'), /returned 75 /);
    });
  });

  it('reads a large image where something is looked at, and says when it is written over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'large-base-'));
    const large = join(folder, 'zephyr.elf');
    const image = readFileSync(base);
    const padded = Buffer.concat([image, Buffer.alloc(5 * 1024 * 1024)]);
    writeFileSync(large, padded);
    try {
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program, base: large, entry: 'entry', args: [14] }, at('BP1'));
        await adapter.run('stepIn');
        assert.deepEqual(
          (await frames(adapter)).map(([name]) => name),
          ['firmware_scale', 'entry', 'llext_call_fn'],
        );
        assert.equal((await adapter.evaluate('value * firmware_settings.gain')).result, '42');
        assert.doesNotMatch(adapter.output('important'), /was changed/);
        writeFileSync(large, padded.fill(0x55));
        // A name that nobody asked for yet is looked for in the file.
        await assert.rejects(adapter.evaluate('firmware_unheard_of'));
        const place = large.replaceAll('.', '\\.');
        assert.match(
          adapter.output('important'),
          new RegExp(`^${place}\\+0x[0-9a-f]+: the file was changed while`, 'm'),
        );
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads and writes the image’s data in watch and hover, where the linker put them', async (t) => {
    const symbols = nm(t);
    if (symbols === undefined) return;
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, base, entry: 'entry', args: [1] }, at('BP2'));
      const settings = await adapter.evaluate('firmware_settings', 'hover');
      assert.equal(settings.result, '{gain = 3, offset = -7, name = "bench\\000\\000"}');
      assert.equal(Number(settings.memoryReference), symbols.get('firmware_settings'));
      assert.equal((await adapter.evaluate('firmware_samples')).result, '1');
      assert.match((await adapter.evaluate('firmware_scale')).result, /<firmware_scale>/);
      const heap = symbols.get('kheap_llext_heap') ?? 0;
      const { extensions, baseImage } = await adapter.request<ExtensionsResponse>('llext/extensions');
      const address = Number(extensions[0].address);
      assert.ok(address > heap && address < heap + 8192, extensions[0].address);
      assert.equal(baseImage.name, 'base image zephyr.elf');
      const found = baseImage.exports.find(({ name }) => name === 'firmware_look_up');
      assert.deepEqual(
        [found?.kind, Number(found?.address), found?.type],
        ['function', symbols.get('firmware_look_up'), 'int firmware_look_up(unsigned int index)'],
      );
      const symbol = await adapter.request<SymbolResponse>('llext/symbol', { name: 'firmware_samples' });
      assert.deepEqual(
        [symbol.kind, symbol.value, symbol.symbol?.type],
        ['base-image', '1', 'unsigned int firmware_samples'],
      );
      const missing = await adapter.request<SymbolResponse>('llext/symbol', { name: 'firmware_update' });
      assert.equal(missing.kind, 'unknown');
    });
  });

  it('stops at lines of the image, with conditions, and says why not in what the host performs', async () => {
    await withAdapter(async (adapter) => {
      const lineOf = (marker: string) => markerLine(firmware, marker);
      const printk =
        readFileSync(firmware, 'utf8')
          .split('\n')
          .findIndex((text) => text.startsWith('void printk(')) + 1;
      const lines = [
        { line: lineOf('BP_SCALE'), condition: 'value == 14' },
        { line: lineOf('BP_CLAMP') },
        { line: printk },
      ];
      const stopped = await adapter.launchToStop({ program, base, entry: 'entry', args: [14] }, [
        { path: firmware, breakpoints: lines },
      ]);
      assert.equal(stopped.reason, 'breakpoint');
      assert.deepEqual((await frames(adapter)).slice(0, 2), [
        ['firmware_scale', lineOf('BP_SCALE')],
        ['entry', markerLine(source, 'BP1')],
      ]);
      const request = { source: { path: firmware }, breakpoints: lines };
      const { breakpoints } = await adapter.request<DebugProtocol.SetBreakpointsResponse['body']>(
        'setBreakpoints',
        request,
      );
      assert.deepEqual(
        breakpoints.map(({ verified, line }) => [verified, line]),
        [
          [true, lineOf('BP_SCALE')],
          [true, lineOf('BP_CLAMP')],
          [false, printk],
        ],
      );
      assert.match(breakpoints[2].message ?? '', /performs the function at line \d+ of firmware\.c itself/);
      const here = { source: { path: firmware }, line: lineOf('BP_SCALE') };
      const places = await adapter.request<DebugProtocol.BreakpointLocationsResponse['body']>(
        'breakpointLocations',
        here,
      );
      assert.ok(places.breakpoints.length > 0);
      const { targets } = await adapter.request<DebugProtocol.GotoTargetsResponse['body']>('gotoTargets', {
        ...here,
        line: here.line + 2,
      });
      assert.equal(targets.length, 1);
      await adapter.run('continue');
      assert.deepEqual((await frames(adapter))[0], ['clamp', lineOf('BP_CLAMP')]);
      await adapter.runToEnd();
    });
  });

  it('steps over what the host performs, although the image has code and lines for it', async () => {
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, base, entry: 'entry', args: [1] }, at('BP1'));
      await adapter.run('next');
      await adapter.run('stepIn');
      // printk is the host's: stepping into it is stepping over it.
      assert.equal((await adapter.topFrame()).name, 'entry');
      assert.equal(adapter.output('stdout'), 'bench: 1 becomes -4\n');
      const list = await adapter.request<{ instructions: { instruction: string; symbol?: string }[] }>('disassemble', {
        memoryReference: '0xa8',
        instructionCount: 3,
        resolveSymbols: true,
      });
      assert.equal(list.instructions[0].symbol, 'firmware_scale');
    });
  });

  it('stops in the image where a device would be', async () => {
    await withAdapter(async (adapter) => {
      const stopped = await adapter.launchToStop({ program, base, entry: 'sample' });
      assert.equal(stopped.reason, 'exception');
      assert.match(stopped.text ?? '', /read of 4 bytes at 0x4001244c.*no devices of the board.*firmware_sample_adc/);
      assert.deepEqual((await frames(adapter)).slice(0, 2), [
        ['firmware_sample_adc', markerLine(firmware, 'BP_ADC')],
        ['sample', markerLine(source, 'BP3')],
      ]);
    });
  });

  it('stops at the call of what needs a running kernel', async () => {
    await withAdapter(async (adapter) => {
      const stopped = await adapter.launchToStop({ program, base, entry: 'wait' });
      assert.match(stopped.text ?? '', /z_impl_k_sem_take of the base image needs a running kernel/);
      assert.deepEqual((await frames(adapter))[0], ['wait', markerLine(source, 'BP4')]);
    });
  });

  it('a stripped image names its exports', async () => {
    await withAdapter(async (adapter) => {
      const stripped = baseImagePath('m3-stripped');
      const stopped = await adapter.launchToStop({ program, base: stripped, entry: 'sample', heapSize: 16 });
      assert.match(stopped.text ?? '', /firmware_sample_adc/);
      assert.match(adapter.output('console'), /base image: no llext heap/);
      assert.deepEqual((await frames(adapter))[0][0], 'firmware_sample_adc+0x2');
    });
  });

  it('calls the image’s functions from the console, completes and hovers them', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, base, entry: 'entry', args: [14] }, at('BP1'));
      const frameId = (await adapter.topFrame()).id;
      const console = async (text: string): Promise<string> => (await adapter.evaluate(text, 'repl', frameId)).result;
      // 3 * 3 - 7; what it counts is undone, unless it is to stay.
      assert.equal(await console('firmware_scale(3)'), '2');
      assert.equal(await console('firmware_samples'), '0');
      assert.equal(await console('call firmware_scale(4)'), '5');
      assert.equal(await console('firmware_samples'), '1');
      assert.equal(await console('firmware_scale(firmware_scale(5)) + table[1]'), '37');
      // The host performs this one at the image's address.
      await console('printk("%d\\n", 3)');
      assert.equal(adapter.output('stdout'), '[undone call] 3\n');
      // What the image does not have is not there, although the built-in image has it.
      await assert.rejects(console('strlen("four")'), /No symbol "strlen" in current context/);
      const hover = await adapter.evaluate('firmware_scale', 'hover', frameId);
      assert.match(hover.result, /^\{int \(int\)\} 0x[0-9a-f]+ <firmware_scale>$/);
      await assert.rejects(adapter.evaluate('firmware_scale(3)', 'hover', frameId), /Debug Console only/);
      const completed = async (text: string): Promise<string[]> =>
        (await adapter.client.completionsRequest({ text, column: text.length + 1, frameId })).body.targets.map(
          ({ label }) => label,
        );
      assert.deepEqual(await completed('firmware_sc'), ['firmware_scale']);
      assert.deepEqual(await completed('prin'), ['printk']);
      assert.deepEqual(await completed('strl'), []);
      assert.deepEqual(await completed('firmware_settings.'), ['gain', 'offset', 'name']);
    }));
});
