/** Breakpoints on columns by DAP: the candidates of a line are llvm-dwarfdump's statements, each can be stopped at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { breakpointState, controlsLine, controlsPath, controlsSource, controlsText } from './support/controls';
import { fixturePath, fixtureSource, markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const line = controlsLine('BP_STATEMENTS');
const path = controlsSource;

const locations = async (
  adapter: AdapterClient,
  args: Partial<DebugProtocol.BreakpointLocationsArguments>,
): Promise<DebugProtocol.BreakpointLocation[]> =>
  (
    await adapter.request<NonNullable<DebugProtocol.BreakpointLocationsResponse['body']>>('breakpointLocations', {
      source: { path },
      line,
      ...args,
    })
  ).breakpoints;

describe('columns of a line', () => {
  for (const variant of ['m3-O0', 'm3-O2', 'rv32imac']) {
    it(`are the statements that llvm-dwarfdump lists (${variant})`, async (t) => {
      const dwarfdump = requireTool(t, 'llvm-dwarfdump-14');
      if (dwarfdump === undefined) return;
      const table = runTool(dwarfdump, ['--debug-line', controlsPath(variant)]);
      const rows = [...table.matchAll(/^0x[0-9a-f]+ +(\d+) +(\d+) +1 .*is_stmt(?!.*end_sequence)/gm)];
      const expected = new Set(rows.filter((row) => Number(row[1]) === line).map((row) => Number(row[2])));
      assert.ok(expected.size >= 2, 'the line has one statement only');
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [10], stopOnEntry: true });
        const found = await locations(adapter, {});
        assert.deepEqual(
          found.map(({ column }) => column),
          [...expected].sort((a, b) => a - b),
        );
        assert.ok(found.every((one) => one.line === line));
        const [, second] = found;
        const after = await locations(adapter, { column: second.column, endLine: line, endColumn: second.column });
        assert.deepEqual(after, [second]);
      });
    });
  }

  it('each stop before what stands there', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [10], stopOnEntry: true });
      const text = controlsText(line);
      const columns = ['a = value', 'b = a', 'c = twice'].map((part) => text.indexOf(part) + 1);
      const set = await adapter.client.setBreakpointsRequest({
        source: { path },
        breakpoints: columns.map((column) => ({ line, column })),
      });
      const answered = set.body.breakpoints;
      assert.ok(answered.every(({ verified }) => verified));
      const starts = answered.map(({ column }) => column ?? 0);
      assert.deepEqual(
        starts,
        [...starts].sort((a, b) => a - b),
      );
      assert.equal(new Set(starts).size, 3);
      for (const [index, known] of [[], ['a'], ['a', 'b']].entries()) {
        const stop = await adapter.run('continue');
        assert.deepEqual(stop.hitBreakpointIds, [answered[index].id]);
        assert.equal((await adapter.topFrame()).column, starts[index]);
        const values: Record<string, string> = { a: '11', b: '22' };
        for (const name of known) assert.equal((await adapter.evaluate(name)).result, values[name]);
      }
      await adapter.runToEnd();
    }));

  it('behind the last statement is the last one, and columns from 0 are the client’s', () =>
    withAdapter(async (adapter) => {
      const stopped = adapter.stopped();
      await adapter.launch(
        { program: controlsPath('m3-O0'), args: [10] },
        [{ path, breakpoints: [{ line: line - 1, column: 200 }] }],
        { linesStartAt1: false, columnsStartAt1: false },
      );
      await stopped;
      const all = await locations(adapter, { line: line - 1 });
      const hit = adapter.events.findLast(({ event }) => event === 'stopped') as DebugProtocol.StoppedEvent;
      const state = breakpointState(adapter, hit.body.hitBreakpointIds?.[0]);
      assert.deepEqual([state?.line, state?.column], [line - 1, all.at(-1)?.column]);
      assert.equal((await adapter.topFrame()).column, all.at(-1)?.column);
    }));

  for (const variant of ['m3-O0', 'm3-Og', 'm3-Os', 'm3clang-O2']) {
    it(`of a caller is where it calls, also where no statement begins (${variant})`, () =>
      withAdapter(async (adapter) => {
        const source = fixtureSource('calls');
        const text = readFileSync(source, 'utf8').split('\n');
        const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'BP1') }] }];
        await adapter.launchToStop({ program: fixturePath('calls', variant), args: [3] }, breakpoints);
        let checked = 0;
        for (let stops = 0; stops < 6; stops++) {
          if (stops > 0) await adapter.run('continue');
          const frames = await adapter.stack();
          for (let level = 1; level < frames.length; level++) {
            const called = frames[level - 1].name;
            const { line, column, name } = frames[level];
            if (/^llext_/.test(name) || /\[/.test(called + name)) continue;
            const at = text[line - 1].search(new RegExp(`\\b${called}\\(`));
            // A call through a pointer does not name the function.
            if (at < 0) continue;
            assert.equal(column, at + 1, `${name} calls ${called} in '${text[line - 1]}'`);
            checked++;
          }
        }
        assert.ok(checked >= 4, `${checked} callers`);
      }));
  }
});
