/** Exception filters by DAP: faults and the host's ends of a program, with conditions, and what exceptionInfo says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { controlsLine, controlsPath, launchConfigured } from './support/controls';
import { fixturePath } from './support/fixtures';

type Filters = DebugProtocol.SetExceptionBreakpointsArguments;

async function setFilters(adapter: AdapterClient, args: Filters): Promise<DebugProtocol.Breakpoint[]> {
  const answer = await adapter.request<DebugProtocol.SetExceptionBreakpointsResponse['body']>(
    'setExceptionBreakpoints',
    { ...args },
  );
  return answer?.breakpoints ?? [];
}

const lastStop = (adapter: AdapterClient): DebugProtocol.StoppedEvent['body'] =>
  (adapter.events.findLast(({ event }) => event === 'stopped') as DebugProtocol.StoppedEvent).body;

const info = (adapter: AdapterClient): Promise<DebugProtocol.ExceptionInfoResponse['body']> =>
  adapter.request('exceptionInfo', { threadId: 1 });

describe('the filter for aborts', () => {
  const cases: readonly [number, string, RegExp, string][] = [
    [2, 'BP_PANIC', /K_ERR_KERNEL_PANIC|fatal error 4/, 'k_panic'],
    [3, 'BP_OOPS', /K_ERR_KERNEL_OOPS|fatal error 3/, 'k_oops'],
    [4, 'BP_ABORT', /abort/, 'abort'],
    [5, 'BP_EXIT', /exit/, 'exit'],
  ];
  for (const variant of ['m3-O0', 'm3-Os', 'rv32imac']) {
    for (const [what, marker, text, name] of cases) {
      it(`stops where ${name} was called, and then ends the session (${variant})`, () =>
        withAdapter(async (adapter) => {
          const first = await launchConfigured(adapter, { program: controlsPath(variant), args: [what] }, () =>
            setFilters(adapter, { filters: ['faults', 'aborts'] }),
          );
          assert.equal(first, 'stopped');
          const stop = lastStop(adapter);
          assert.equal(stop.reason, 'exception');
          assert.match(stop.text ?? '', text);
          const frames = await adapter.stack();
          assert.equal(frames[0].name, name);
          assert.equal(frames[1].name, 'entry');
          // At -Os the compiler merges the ends of the cases.
          if (variant !== 'm3-Os') assert.equal(frames[1].line, controlsLine(marker));
          const { exceptionId, description } = await info(adapter);
          assert.equal(exceptionId, 'aborted');
          assert.equal(description, stop.text);
          await adapter.runToEnd('next');
          assert.match(adapter.output('console'), /^entry 'entry' of llext .* ended: /m);
        }));
    }
  }

  it('is off unless it is asked for', () =>
    withAdapter(async (adapter) => {
      const first = await launchConfigured(adapter, { program: controlsPath('m3-O0'), args: [2] }, () =>
        setFilters(adapter, { filters: ['faults'] }),
      );
      assert.equal(first, 'terminated');
    }));
});

describe('a condition of a filter', () => {
  const program = fixturePath('faults', 'm3-O0');
  const launch = (adapter: AdapterClient, kind: number, condition: string): Promise<'stopped' | 'terminated'> =>
    launchConfigured(adapter, { program, args: [kind] }, async () => {
      const [answer] = await setFilters(adapter, { filters: [], filterOptions: [{ filterId: 'faults', condition }] });
      assert.equal(answer.verified, true, answer.message);
    });

  it('that holds stops', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 1, 'kind == 1 && address == 0'), 'stopped');
      assert.equal((await info(adapter)).exceptionId, 'unmapped');
    }));

  it('that does not hold ends the session with the fault', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 1, 'kind == 2'), 'terminated');
      assert.match(adapter.output('important'), /^unmapped: /);
    }));

  it('that cannot be evaluated stops and says why', () =>
    withAdapter(async (adapter) => {
      assert.equal(await launch(adapter, 1, 'no_such_name'), 'stopped');
      assert.match(lastStop(adapter).text ?? '', /^unmapped: .*\nthe condition 'no_such_name' cannot be evaluated: /);
    }));

  it('that is no expression, and a filter that is not there, are answered with the reason', () =>
    withAdapter(async (adapter) => {
      await adapter.client.initializeRequest();
      const answers = await setFilters(adapter, {
        filters: ['weather', 'faults'],
        filterOptions: [{ filterId: 'aborts', condition: '1 +' }],
      });
      assert.deepEqual(
        answers.map(({ verified }) => verified),
        [false, true, false],
      );
      assert.equal(answers[0].message, "there is no exception filter 'weather'");
      assert.ok((answers[2].message ?? '') !== '');
    }));
});
