/** Memory and disassembly by DAP; the listing is compared with objdump's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { FLASH_BASE, STACK_GUARD_BASE } from '../lib/kernel/memory-map';
import type { ExtensionsResponse } from '../lib/protocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine, projectRoot } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const data = fixtureSource('data');
const calls = fixtureSource('calls');

async function start(adapter: AdapterClient, program = fixturePath('calls', 'm3-O0')): Promise<void> {
  await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
}

const read = (adapter: AdapterClient, memoryReference: string, count: number, offset = 0) =>
  adapter.request<NonNullable<DebugProtocol.ReadMemoryResponse['body']>>('readMemory', {
    memoryReference,
    count,
    offset,
  });

const bytesOf = (body: { data?: string }): number[] => [...Buffer.from(body.data ?? '', 'base64')];

const list = async (
  adapter: AdapterClient,
  memoryReference: string,
  instructionOffset: number,
  instructionCount: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DebugProtocol.DisassembledInstruction[]> =>
  (
    await adapter.request<NonNullable<DebugProtocol.DisassembleResponse['body']>>('disassemble', {
      memoryReference,
      instructionOffset,
      instructionCount,
      ...more,
    })
  ).instructions;

describe('memory', () => {
  it('is read, with what is unreadable counted', () =>
    withAdapter(async (adapter) => {
      await start(adapter, fixturePath('data', 'm3-O0'));
      const { memoryReference = '' } = await adapter.evaluate('tail.tag');
      const body = await read(adapter, memoryReference, 6);
      assert.equal(Buffer.from(bytesOf(body)).toString(), 'tagged');
      assert.equal(body.address, memoryReference);
      assert.equal(body.unreadableBytes, undefined);
      assert.deepEqual(bytesOf(await read(adapter, memoryReference, 2, 4)), [...Buffer.from('ed')]);
      const nothing = await read(adapter, '0x0', 16);
      assert.deepEqual([nothing.data, nothing.unreadableBytes], [undefined, 16]);
      const end = await read(adapter, '0xfffffff0', 64);
      assert.equal(end.unreadableBytes, 64);
      assert.equal((await read(adapter, '0x0', 8, -16)).unreadableBytes, 8);
      const partly = await read(adapter, `0x${(FLASH_BASE - 8).toString(16)}`, 16);
      assert.equal(partly.unreadableBytes, 16);
      await assert.rejects(read(adapter, 'main', 4), /'main' is no address/);
    }));

  it('is written, and the client is told', () =>
    withAdapter(async (adapter) => {
      await start(adapter, fixturePath('data', 'm3-O0'));
      const { memoryReference = '' } = await adapter.evaluate('&number');
      const write = (reference: string, bytes: number[], more = {}): Promise<{ bytesWritten?: number } | undefined> =>
        adapter.request('writeMemory', {
          memoryReference: reference,
          data: Buffer.from(bytes).toString('base64'),
          ...more,
        });
      assert.equal((await write(memoryReference, [0x2a, 0, 0, 0]))?.bytesWritten, 4);
      assert.equal((await adapter.evaluate('number')).result, '42');
      const told = adapter.events.filter(({ event }) => event === 'memory' || event === 'invalidated');
      assert.deepEqual(
        told.map(({ event }) => event),
        ['memory', 'invalidated'],
      );
      await assert.rejects(write('0x10', [1]), /Nothing can be written at 0x00000010/);
      await assert.rejects(adapter.request('writeMemory', { memoryReference, data: '***' }), /not base64/);
    }));

  it('that is code runs as it is written', () =>
    withAdapter(async (adapter) => {
      await start(adapter);
      const { instructionPointerReference = '' } = await adapter.topFrame();
      // MOVS r0, #7; ADD sp and POP are gone: BX lr returns from the entry at its first instruction.
      await adapter.request('writeMemory', {
        memoryReference: instructionPointerReference,
        data: Buffer.from([0x00, 0xde]).toString('base64'),
      });
      const stop = await adapter.run('continue');
      assert.equal(stop.reason, 'exception');
      assert.match(stop.text ?? '', /encoding de00/);
    }));
});

describe('disassembly', () => {
  for (const variant of ['m3-O0', 'm3-Os', 'm3-O2', 'm33-O2']) {
    it(`is objdump's, instruction by instruction (${variant})`, (t) => {
      const objdump = requireTool(t, 'arm-none-eabi-objdump');
      if (objdump === undefined) return undefined;
      return withAdapter(async (adapter) => {
        const program = fixturePath('calls', variant);
        await adapter.launchToStop({ program, args: [3], stopOnEntry: true, cpu: 'cortex-m33' });
        const { extensions } = await adapter.request<ExtensionsResponse>('llext/extensions');
        const text = extensions[0].regions.flatMap(({ sections }) => sections).find(({ name }) => name === '.text');
        assert.ok(text?.address);
        const reference = runTool(objdump, ['-d', '-j', '.text', '-w', '--no-show-raw-insn', program])
          .split('\n')
          .flatMap((row) => /^ *([0-9a-f]+):\t(\S+)/.exec(row)?.slice(1, 3) ?? [])
          .reduce<[number, string][]>(
            (rows, _, i, all) => (i % 2 ? rows : [...rows, [parseInt(all[i], 16), all[i + 1]]]),
            [],
          );
        const listing = await list(adapter, text.address, 0, reference.length);
        const base = Number(text.address);
        assert.deepEqual(
          listing.map(({ address }) => Number(address) - base),
          reference.map(([offset]) => offset),
        );
        const plain = (mnemonic: string): string =>
          mnemonic.replace(/\.[nw]$/, '').replace(/^\.short$|^\.word$/, 'data');
        const differing = listing.flatMap(({ instruction }, i) => {
          const [ours, theirs] = [plain(instruction.split(' ')[0]), plain(reference[i][1])];
          return ours === theirs ? [] : [`${ours} for ${theirs}`];
        });
        // The two programs spell aliases differently (mov/lsl/movs); boundaries are what must agree.
        assert.ok(differing.length < listing.length / 10, differing.join(', '));
      });
    });
  }

  it('has exactly as many entries as asked for, the requested address at its index, stable both ways', () =>
    withAdapter(async (adapter) => {
      await start(adapter);
      const { instructionPointerReference: pc = '' } = await adapter.topFrame();
      const wide = await list(adapter, pc, -40, 100);
      assert.equal(wide.length, 100);
      assert.equal(wide[40].address, pc);
      for (const [offset, count] of [
        [-40, 1],
        [-7, 20],
        [0, 60],
        [10, 20],
        [-3, 2],
        [5, 0],
      ] as const) {
        const part = await list(adapter, pc, offset, count);
        assert.deepEqual(
          part.map(({ address }) => address),
          wide.slice(40 + offset, 40 + offset + count).map(({ address }) => address),
        );
      }
      for (const index of [3, 20, 60, 90]) {
        const again = await list(adapter, wide[index].address, -index, 100);
        assert.deepEqual(
          again.map(({ address }) => address),
          wide.map(({ address }) => address),
          `from entry ${index}`,
        );
      }
      const offset = Number(wide[45].address) - Number(wide[40].address);
      assert.equal((await list(adapter, pc, 0, 1, { offset }))[0].address, wide[45].address);
      const thumb = `0x${(Number(pc) | 1).toString(16)}`;
      assert.equal((await list(adapter, thumb, 0, 1))[0].address, pc);
    }));

  it('fills what is not readable with invalid entries', () =>
    withAdapter(async (adapter) => {
      await start(adapter);
      for (const [address, offset] of [
        ['0x00000000', 0],
        ['0x00000000', -20],
        ['0xfffffffe', 0],
        ['0x10000000', -50],
        [`0x${FLASH_BASE.toString(16).padStart(8, '0')}`, -5],
        [`0x${STACK_GUARD_BASE.toString(16)}`, 0],
      ] as const) {
        const listing = await list(adapter, address, offset, 50);
        assert.equal(listing.length, 50, address);
        assert.equal(Number(listing[-offset]?.address ?? address), Number(address));
        assert.ok(new Set(listing.map((entry) => entry.address)).size === 50, `addresses repeat near ${address}`);
      }
      const [entry] = await list(adapter, '0x00000000', 0, 1);
      assert.equal(entry.presentationHint, 'invalid');
      assert.equal(entry.instructionBytes, undefined);
    }));

  it('names functions, lines, and what branches lead to; literal pools are data', () =>
    withAdapter(async (adapter) => {
      await start(adapter);
      const note = (await adapter.evaluate('&note', 'watch')).memoryReference ?? '';
      const listing = await list(adapter, note, 0, 60, { resolveSymbols: true });
      assert.equal(listing[0].symbol, 'note');
      assert.equal(listing[0].instructionBytes, '80 b4');
      assert.equal(listing[0].location?.path, calls);
      const text = readFileSync(calls, 'utf8').split('\n');
      assert.match(text[(listing[0].line ?? 1) - 1], /^\{|void note/);
      assert.ok(listing.some(({ line }) => line === markerLine(calls, 'BP1')));
      assert.ok(listing.some(({ instruction }) => /^\.word 0x[0-9a-f]{8} ; calls$/.test(instruction)));
      assert.ok(listing.some(({ instruction, symbol }) => /^bl? .*; note$/.test(instruction) || symbol === 'many'));
      assert.ok(data.endsWith('data.c'));
    }));

  it('lists a part of a large object', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({
        program: join(projectRoot, 'test/dap-programs/dirty.m3-O2.elf'),
        heapSize: 2048,
        stopOnEntry: true,
      });
      const { memoryReference = '' } = await adapter.evaluate('&pages[160][0]', 'watch');
      await adapter.evaluate('pages[160][1] = 0x12345678', 'repl');
      const listing = await list(adapter, memoryReference, -200, 400);
      assert.deepEqual(
        listing.map(({ address }) => Number(address)),
        listing.map((_, n) => Number(memoryReference) + 4 * (n - 200)),
      );
      assert.deepEqual(
        [199, 200, 201].map((n) => listing[n].instruction),
        ['.word 0x00000000', '.word 0x00000000', '.word 0x12345678'],
      );
      const odd = await list(adapter, memoryReference, -2, 4, { offset: 6 });
      assert.deepEqual(
        odd.map(({ address, instruction }) => [Number(address) - Number(memoryReference), instruction]),
        [
          [0, '.word 0x00000000'],
          [4, '.short 0x5678'],
          [6, '.short 0x1234'],
          [8, '.word 0x00000000'],
        ],
      );
    }));

  it('lists 400 instructions without a pause', () =>
    withAdapter(async (adapter) => {
      await start(adapter);
      const { instructionPointerReference: pc = '' } = await adapter.topFrame();
      await list(adapter, pc, -1, 2);
      const begin = performance.now();
      await list(adapter, pc, -200, 400);
      assert.ok(performance.now() - begin < 5000);
    }));
});
