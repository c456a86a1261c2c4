/** Coverage by DAP: asked for while the program is stopped, and told when the session ends. Counts follow from watched.c. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CoverageResponse } from '../lib/protocol';
import { withAdapter } from './support/dap-client';
import { markerLine, projectRoot } from './support/fixtures';

const source = join(projectRoot, 'test/dap-programs/watched.c');
const program = join(projectRoot, 'test/dap-programs/watched.m3-O0.elf');
const bump = markerLine(source, 'BUMP');

const countOf = ({ files }: CoverageResponse, line: number): number | undefined =>
  files.find(({ path }) => path === source)?.lines.find(([number]) => number === line)?.[1];

test('at a stop, after steps, and at the end', () =>
  withAdapter(async (adapter) => {
    const breakpoints = [{ path: source, breakpoints: [{ line: bump, hitCondition: '3' }] }];
    await adapter.launchToStop({ program, args: [0], coverage: true }, breakpoints);
    assert.match(adapter.output('console'), /Executions are counted/);
    const ask = () => adapter.request<CoverageResponse>('llext/coverage', {});
    assert.equal(countOf(await ask(), bump), 2);
    await adapter.run('next');
    const stopped = await ask();
    assert.equal(countOf(stopped, bump), 3);
    assert.equal(countOf(stopped, markerLine(source, 'CALLS')), 0);
    assert.equal(countOf(stopped, markerLine(source, 'BUMP') - 3), undefined);
    // A call from the console and a way back and forth are no executions of the program.
    await adapter.evaluate('bump(5)', 'repl');
    assert.deepEqual(await ask(), stopped);
    await adapter.run('stepBack');
    assert.deepEqual(await ask(), stopped);
    const told = adapter.next('llext/coverage');
    await adapter.runToEnd();
    const body = (await told).body as CoverageResponse;
    // The loop calls it five times; its loop head is compared once more.
    assert.equal(countOf(body, bump), 5);
    const functions = body.files[0].functions.map(({ name, count }) => [name, count]);
    assert.deepEqual(
      functions.filter(([, count]) => count !== 0),
      [
        ['bump', 5],
        ['entry', 1],
      ],
    );
    assert.deepEqual(body.stack?.calls, ['entry', 'bump']);
  }));

test('it is refused where nothing is counted', () =>
  withAdapter(async (adapter) => {
    await adapter.launchToStop({ program, args: [0] }, [{ path: source, breakpoints: [{ line: bump }] }]);
    await assert.rejects(adapter.request('llext/coverage', {}), /set "coverage": true/);
    await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
    await adapter.runToEnd();
  }));
