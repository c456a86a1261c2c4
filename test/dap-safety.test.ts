/** Memory safety by DAP: the exception filters, their conditions, and what exceptionInfo says of owner, allocation and C lines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { exceptionFilters } from '../debug-adapter/exception-filters';
import { safetyRules } from '../lib/emulator/types';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { launchConfigured } from './support/controls';
import { markerLine, projectRoot } from './support/fixtures';

const source = join(projectRoot, 'test/safety-programs/unsafe.c');
const program = (variant: string): string => join(projectRoot, `test/safety-programs/unsafe.${variant}.elf`);

type Filters = DebugProtocol.SetExceptionBreakpointsArguments;

async function launch(
  adapter: AdapterClient,
  kind: number,
  filters: Filters,
  variant = 'm3-O0',
): Promise<'stopped' | 'terminated'> {
  return launchConfigured(adapter, { program: program(variant), args: [kind, 0] }, async () => {
    const answer = await adapter.request<DebugProtocol.SetExceptionBreakpointsResponse['body']>(
      'setExceptionBreakpoints',
      { ...filters },
    );
    assert.ok(
      answer?.breakpoints?.every(({ verified }) => verified),
      JSON.stringify(answer),
    );
  });
}

const info = (adapter: AdapterClient): Promise<DebugProtocol.ExceptionInfoResponse['body']> =>
  adapter.request('exceptionInfo', { threadId: 1 });

describe('the filters of memory safety', () => {
  it('are one a rule, and off', () => {
    for (const rule of safetyRules) {
      const filter = exceptionFilters.find((one) => one.filter === `memory-${rule}`);
      assert.ok(filter?.supportsCondition === true && filter.default === false);
    }
  });

  for (const variant of ['m3-O0', 'rv32imac-O0', 'rv64imac-O0']) {
    it(`tell what, where, whose, and the C lines of allocation and free (${variant})`, () =>
      withAdapter(async (adapter) => {
        assert.equal(await launch(adapter, 2, { filters: ['faults', 'memory-outside'] }, variant), 'stopped');
        const { exceptionId, description, details } = await info(adapter);
        assert.equal(exceptionId, 'memory-safety');
        // The sites are in what VS Code shows below it.
        assert.match(
          description ?? '',
          /^read of 1 byte at \w+, [^(]+ \(in the block .* freed\), by heap_blocks\+\w+ in .text of unsafe[^ ]* \(unsafe\.c:68\)$/,
        );
        // What VS Code shows of it.
        assert.ok(details?.stackTrace !== undefined && details.message?.includes(details.stackTrace) === true);
        const text = details?.message ?? '';
        assert.match(text, /read of 1 byte at 0x[0-9a-f]+, which is not the extension's/);
        assert.match(text, /^Memory: in the block of 13 bytes at 0x[0-9a-f]+, which is freed$/m);
        assert.match(text, /^Allocated by malloc at unsafe\.c:24, make\+/m);
        assert.match(text, /^Freed by free at unsafe\.c:32, drop\+/m);
        assert.match(text, /^Access: read$/m);
        assert.equal(await adapter.runToEnd('continue'), undefined);
      }));
  }

  it('stop for a value that was never written', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 10, { filters: ['memory-uninitialised'] }), 'stopped');
      assert.match((await info(adapter)).description ?? '', /a branch depends on a value that was never written/);
    }));

  it('are not looked at when they are off', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 0, { filters: ['faults', 'memory-uninitialised'] }), 'terminated');
    }));

  it('let declared shared memory be used', () =>
    withAdapter(async (adapter) => {
      const args = [21, 0x2000_07f4];
      const sharedMemory = [{ address: '0x20000800', size: 4 }];
      const configure = () => adapter.request('setExceptionBreakpoints', { filters: ['memory-outside'] });
      const ended = await launchConfigured(adapter, { program: program('m3-O0'), args, sharedMemory }, configure);
      assert.equal(ended, 'terminated');
      assert.match(adapter.output('console'), /^entry 'entry' of llext .* returned 0/m);
    }));

  it('with a condition that holds stop, with one that does not go on', async () => {
    const options = (condition: string): Filters => ({
      filters: [],
      filterOptions: [{ filterId: 'memory-outside', condition }],
    });
    await withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 0, options('kind == 0')), 'stopped');
    });
    await withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 0, options('kind == 1')), 'terminated');
      assert.match(adapter.output('console'), /^entry 'entry' of llext .* returned 0/m);
    });
  });
});

describe('stack overflow by recursion', () => {
  for (const variant of ['m3-O0', 'm3-O2', 'm3clang-O2', 'rv32imac-O0', 'rv32imac-O2', 'rv64imac-O0']) {
    it(`says who, and how deep in frames and bytes (${variant})`, () =>
      withAdapter(async (adapter) => {
        assert.equal(await launch(adapter, 25, { filters: ['faults'] }, variant), 'stopped');
        const { exceptionId, details } = await info(adapter);
        assert.equal(exceptionId, 'stack-overflow');
        const text = details?.message ?? '';
        const [, used, frames] = /^Stack: (\d+) of 16384 bytes are used, by (\d+) frames$/m.exec(text) ?? [];
        const [, own, bytes] = /^ {2}deeper \(unsafe\.c:\d+\): (\d+) frames, (\d+) bytes$/m.exec(text) ?? [];
        // Its frame has an array of 128 bytes: 16384 bytes are enough for fewer than 128 of them.
        assert.ok(Number(own) > 60 && Number(own) < 128, text);
        assert.ok(Number(used) > 16384 - 400 && Number(used) <= 16384, text);
        assert.ok(Number(bytes) <= Number(used) && Number(bytes) > Number(used) - 200, text);
        const stack = await adapter.stack();
        assert.equal(Number(frames), stack.length);
        assert.equal(Number(own), stack.filter(({ name }) => name === 'deeper').length);
      }));
  }
});

async function place(adapter: AdapterClient): Promise<string> {
  const { name, line } = await adapter.topFrame();
  return `${name}:${line}`;
}

const outside: Filters = { filters: ['faults', 'memory-outside'] };
const at = (marker: string) => ({ source: { path: source }, breakpoints: [{ line: markerLine(source, marker) }] });

describe('backwards while memory is checked', () => {
  for (const variant of ['m3-O0', 'rv32imac-O0', 'm3-O2', 'rv64imac-O2']) {
    it(`from the use after free to the free and the allocation, and forward to it again (${variant})`, () =>
      withAdapter(async (adapter) => {
        assert.equal(await launch(adapter, 2, outside, variant), 'stopped');
        const unsafe = await place(adapter);
        const said = (await info(adapter)).details?.message;
        await adapter.request('setBreakpoints', at('FREE'));
        await adapter.run('reverseContinue');
        assert.equal(await place(adapter), `drop:${markerLine(source, 'FREE')}`);
        await adapter.request('setBreakpoints', at('ALLOCATION'));
        await adapter.run('reverseContinue');
        assert.equal(await place(adapter), `make:${markerLine(source, 'ALLOCATION')}`);
        await adapter.request('setBreakpoints', { source: { path: source }, breakpoints: [] });
        assert.equal((await adapter.run('continue')).reason, 'exception');
        assert.equal(await place(adapter), unsafe);
        assert.equal((await info(adapter)).details?.message, said, 'the same block, allocation and free');
        const { instructionPointerReference: pc } = await adapter.topFrame();
        await adapter.run('stepBack', 'instruction');
        assert.notEqual((await adapter.topFrame()).instructionPointerReference, pc);
        assert.equal((await adapter.run('continue')).reason, 'exception');
        assert.equal(await adapter.runToEnd('continue'), undefined);
      }));
  }

  it('reverse continue stops at the unsafe access that was let pass, unless its filter is off now', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 1, outside), 'stopped');
      const unsafe = await place(adapter);
      await adapter.run('next');
      assert.equal((await adapter.run('reverseContinue')).reason, 'exception');
      assert.equal(await place(adapter), unsafe);
      await adapter.run('next');
      await adapter.request('setExceptionBreakpoints', { filters: ['faults'] });
      assert.equal((await adapter.run('reverseContinue')).reason, 'start of recording');
      await adapter.request('setExceptionBreakpoints', { ...outside });
      assert.equal((await adapter.run('continue')).reason, 'exception');
      assert.equal(await place(adapter), unsafe);
    }));

  it('a filter that is switched on later says where it knows nothing, and checks from there on', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: program('m3-O0'), args: [0, 0] }, [
        { path: source, breakpoints: [{ line: markerLine(source, 'ALLOCATION') }] },
      ]);
      await adapter.request('setExceptionBreakpoints', { ...outside });
      await adapter.run('stepBack');
      assert.match(adapter.output('console'), /before the memory filters were switched on/);
      await adapter.run('next');
      await adapter.run('next');
      assert.match(adapter.output('console'), /The memory filters check again/);
      assert.equal((await adapter.run('continue')).reason, 'exception');
      assert.match((await info(adapter)).details?.message ?? '', /right behind the block of 13 bytes/);
      await adapter.run('reverseContinue');
      // Another future begins before the filters were switched on: they are on in it from there.
      await adapter.run('stepBack');
      await adapter.evaluate('sink = 5', 'repl');
      assert.equal((await adapter.run('continue')).reason, 'breakpoint');
      assert.equal((await adapter.run('continue')).reason, 'exception');
    }));
});
