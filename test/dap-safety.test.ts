/** Memory safety by DAP: the exception filters, their conditions, and what exceptionInfo says of owner, allocation and C lines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { exceptionFilters } from '../debug-adapter/exception-filters';
import { safetyRules } from '../lib/emulator/types';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { launchConfigured } from './support/controls';
import { projectRoot } from './support/fixtures';

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
        const { exceptionId, details } = await info(adapter);
        assert.equal(exceptionId, 'memory-safety');
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
