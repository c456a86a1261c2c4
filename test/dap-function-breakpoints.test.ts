/** Breakpoints on functions and on instructions by DAP: patterns, several extensions, the host's functions, reasons. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { breakpointState, controlsPath, launchConfigured } from './support/controls';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

type Answer = DebugProtocol.SetFunctionBreakpointsResponse['body'];

async function setFunctions(
  adapter: AdapterClient,
  ...breakpoints: (string | DebugProtocol.FunctionBreakpoint)[]
): Promise<DebugProtocol.Breakpoint[]> {
  const wanted = breakpoints.map((one) => (typeof one === 'string' ? { name: one } : one));
  return (await adapter.request<Answer>('setFunctionBreakpoints', { breakpoints: wanted })).breakpoints;
}

async function setInstructions(
  adapter: AdapterClient,
  ...breakpoints: DebugProtocol.InstructionBreakpoint[]
): Promise<DebugProtocol.Breakpoint[]> {
  return (await adapter.request<Answer>('setInstructionBreakpoints', { breakpoints })).breakpoints;
}

const names = async (adapter: AdapterClient): Promise<string[]> => (await adapter.stack()).map(({ name }) => name);

/** Stops until the end of the session, as the topmost frames' names. */
async function stopsToEnd(adapter: AdapterClient): Promise<string[]> {
  const stops: string[] = [];
  for (;;) {
    stops.push((await adapter.topFrame()).name);
    const next = Promise.race([adapter.next('stopped').then(() => true), adapter.next('terminated').then(() => false)]);
    await adapter.client.continueRequest({ threadId: 1 });
    if (!(await next)) return stops;
  }
}

describe('a function breakpoint', () => {
  for (const variant of ['m3-O0', 'm3-Os', 'm3-O2', 'm3clang-O2', 'rv32imac']) {
    it(`is pending before the load, and stops in the function (${variant})`, () =>
      withAdapter(async (adapter) => {
        const program = controlsPath(variant);
        let answer: DebugProtocol.Breakpoint | undefined;
        await launchConfigured(adapter, { program, args: [7] }, async () => {
          [answer] = await setFunctions(adapter, 'twice');
        });
        assert.equal(answer?.verified, false);
        assert.equal(answer.reason, 'pending');
        assert.match(answer.message ?? '', /^waits for llext 'controls\.\w+(-\w+)?' to load$/);
        const stop = adapter.events.findLast((event) => event.event === 'stopped')?.body as { reason: string };
        assert.equal(stop.reason, 'function breakpoint');
        const state = breakpointState(adapter, answer.id);
        assert.equal(state?.verified, true);
        assert.equal(state.source?.name, 'controls.c');
        assert.deepEqual((await names(adapter)).slice(0, 2), ['twice', 'nested']);
        assert.equal((await adapter.topFrame()).instructionPointerReference, state.instructionReference);
      }));
  }

  it('is where gdb puts it, inlined copies included', async (t) => {
    const gdb = requireTool(t, 'gdb-multiarch');
    if (gdb === undefined) return;
    const program = fixturePath('inlined', 'm3-O2');
    const output = runTool(gdb, ['-q', '-nx', '-batch', '-ex', 'break scale', program]);
    const count = /\((\d+) locations\)/.exec(output)?.[1];
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, args: [4], stopOnEntry: true });
      const [answer] = await setFunctions(adapter, 'scale');
      assert.equal(answer.message, `at ${count} places in the loaded code`);
      await adapter.run('continue');
      assert.equal((await adapter.topFrame()).name, 'scale [inlined]');
    });
  });

  it('by a regular expression stops in every function that it matches', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7], stopOnEntry: true });
      const [answer] = await setFunctions(adapter, '/^T(w|hr)ice$/i');
      assert.equal(answer.message, 'at 2 places in the loaded code');
      await adapter.run('continue');
      assert.deepEqual(await stopsToEnd(adapter), ['twice', 'thrice']);
    }));

  it('in one extension only: ext::function', () =>
    withAdapter(async (adapter) => {
      const program = examplePath('dependency/dep_base.llext');
      const extensions = ['one', 'two'].map((name) => ({ program, name }));
      await launchConfigured(adapter, { extensions, entry: 'dep_base_add', args: [5] }, async () => {
        const answers = await setFunctions(adapter, 'one::dep_base_add', 'two::/_add$/', 'three::dep_base_add');
        assert.deepEqual(
          answers.map(({ message }) => message),
          [
            "waits for llext 'one' to load",
            "waits for llext 'two' to load",
            "llext 'one', 'two' and the base image have no function three::dep_base_add",
          ],
        );
      });
      assert.equal((await adapter.topFrame()).moduleId, 2);
      await adapter.runToEnd();
    }));

  it('on a function of the host stops before it acts', () =>
    withAdapter(async (adapter) => {
      const program = examplePath('hello/hello.llext');
      await launchConfigured(adapter, { program }, async () => {
        const [answer] = await setFunctions(adapter, 'printk');
        assert.deepEqual([answer.verified, answer.reason], [false, 'pending']);
        assert.match(answer.message ?? '', /^waits for the base image/);
      });
      assert.equal((await adapter.topFrame()).name, 'printk');
      assert.equal(adapter.output('stdout'), '');
      assert.equal((await adapter.stack())[1].source?.name, 'hello.c');
      const stops = await stopsToEnd(adapter);
      assert.ok(stops.length > 1 && stops.every((name) => name === 'printk'));
      assert.equal(adapter.output('stdout').split('\n').length - 1, stops.length);
    }));

  it('has a condition, a hit count, and both', () =>
    withAdapter(async (adapter) => {
      const program = fixturePath('calls', 'm3-O0');
      await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
      await setFunctions(adapter, { name: 'note', condition: 'what == 33' }, { name: 'factorial', hitCondition: '3' });
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('what')).result, '33');
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('n')).result, '3');
      await setFunctions(adapter, { name: 'note', condition: 'nonsense' });
      const stop = await adapter.run('continue');
      assert.match(stop.text ?? '', /the condition 'nonsense' cannot be evaluated/);
      assert.match(adapter.output('important'), /^Breakpoint at function note: /m);
      await setFunctions(adapter, { name: 'increment', condition: 'value > 3', hitCondition: '1' });
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('value')).result, '4');
      await setFunctions(adapter);
      await adapter.runToEnd();
    }));

  it('says why it has no place', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7], stopOnEntry: true });
      const answers = await setFunctions(adapter, 'twise', '', '/(/', '/open', 'twice', {
        name: 'leaf',
        hitCondition: 'x',
      });
      assert.deepEqual(
        answers.map(({ verified }) => verified),
        [false, false, false, false, true, false],
      );
      assert.match(answers[0].message ?? '', /have no function twise \(near it: twice\)/);
      assert.match(answers[1].message ?? '', /no function is named/);
      assert.match(answers[2].message ?? '', /'\/\(\/' is no regular expression: /);
      assert.match(answers[3].message ?? '', /it ends with \/ or \/i/);
      assert.match(answers[5].message ?? '', /hit count 'x' is not understood/);
      assert.ok(answers.every(({ verified, reason }) => verified || reason === 'failed'));
    }));

  it('keeps its number while it stays, and is bound again after a restart', () =>
    withAdapter(async (adapter) => {
      const program = controlsPath('m3-O0');
      await adapter.launchToStop({ program, args: [7], stopOnEntry: true });
      const [first] = await setFunctions(adapter, 'thrice');
      const [, kept] = await setFunctions(adapter, 'twice', 'thrice');
      assert.equal(kept.id, first.id);
      const restarted = adapter.stopped();
      await adapter.request('restart');
      await restarted;
      assert.equal(breakpointState(adapter, first.id)?.verified, true);
      await adapter.run('continue');
      assert.deepEqual(await stopsToEnd(adapter), ['twice', 'thrice']);
    }));
});

describe('an instruction breakpoint', () => {
  const calls = fixtureSource('calls');
  const many = { path: calls, breakpoints: [{ line: markerLine(calls, 'BP2') }] };

  it('stops at its instruction, with condition and hit count', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, [many]);
      const { instructionPointerReference: pc = '' } = await adapter.topFrame();
      const { instructions } = await adapter.request<NonNullable<DebugProtocol.DisassembleResponse['body']>>(
        'disassemble',
        { memoryReference: pc, instructionCount: 12 },
      );
      const branch = instructions.findIndex(({ instruction }) => /^blx? /.test(instruction));
      const after = Number(instructions[branch + 1].address) - Number(pc);
      const [at] = await setInstructions(adapter, { instructionReference: pc, offset: after });
      assert.equal(at.verified, true);
      assert.equal(at.instructionReference, instructions[branch + 1].address);
      const stop = await adapter.run('continue');
      assert.equal(stop.reason, 'instruction breakpoint');
      assert.deepEqual(stop.hitBreakpointIds, [at.id]);
      assert.equal((await adapter.topFrame()).instructionPointerReference, instructions[branch + 1].address);
      const [noted] = await setFunctions(adapter, 'note');
      await setFunctions(adapter);
      await setInstructions(adapter, { instructionReference: noted.instructionReference ?? '', hitCondition: '2' });
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('what')).result, '33');
      await setInstructions(adapter, {
        instructionReference: noted.instructionReference ?? '',
        condition: 'what == 1',
      });
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('what')).result, '1');
    }));

  it('is only where an instruction begins, by objdump', async (t) => {
    const objdump = requireTool(t, 'arm-none-eabi-objdump');
    if (objdump === undefined) return;
    const program = fixturePath('calls', 'm3-O0');
    const listing = runTool(objdump, ['-d', '-j', '.text', program]);
    const begins = new Set([...listing.matchAll(/^ +([0-9a-f]+):\t(?!.*\.word)/gm)].map(([, at]) => parseInt(at, 16)));
    const size = Math.max(...begins) + 2;
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
      const { extensions } = await adapter.request<{
        extensions: { regions: { sections: { name: string; address: string }[] }[] }[];
      }>('llext/extensions');
      const text = extensions[0].regions.flatMap(({ sections }) => sections).find(({ name }) => name === '.text');
      assert.ok(text);
      const wanted = Array.from({ length: size / 2 }, (_, index) => ({
        instructionReference: text.address,
        offset: 2 * index,
      }));
      const answers = await setInstructions(adapter, ...wanted);
      for (const [index, { verified, message }] of answers.entries()) {
        assert.equal(verified, begins.has(2 * index), `at ${2 * index}: ${message}`);
        if (!verified) assert.match(message ?? '', /is inside of the instruction at|holds data, no instruction/);
      }
    });
  });

  it('says why it has no place', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3], stopOnEntry: true });
      const { result } = await adapter.evaluate('&trace[0]');
      const data = /0x[0-9a-f]+/.exec(result)?.[0] ?? '';
      const { instructionPointerReference: pc = '' } = await adapter.topFrame();
      const answers = await setInstructions(
        adapter,
        { instructionReference: data },
        { instructionReference: '0xa0000000' },
        { instructionReference: pc, offset: 1 },
        { instructionReference: '0x20000000' },
      );
      const expected = [/holds data/, /no memory is mapped at 0xa0000000/, /it is odd/, /is in no code/];
      answers.forEach(({ verified, message }, index) => {
        assert.equal(verified, false);
        assert.match(message ?? '', expected[index]);
      });
      const [wrong, other] = await setInstructions(
        adapter,
        { instructionReference: 'main' },
        { instructionReference: pc },
      );
      assert.deepEqual([wrong.verified, wrong.reason, other.verified], [false, 'failed', true]);
      assert.match(wrong.message ?? '', /'main' is no address/);
    }));

  it('waits for the session, and comes back after a restart', () =>
    withAdapter(async (adapter) => {
      const program = fixturePath('calls', 'm3-O0');
      await adapter.launchToStop({ program, args: [3] }, [many]);
      const { instructionPointerReference: pc = '' } = await adapter.topFrame();
      await adapter.client.setBreakpointsRequest({ source: { path: calls }, breakpoints: [] });
      const [answer] = await setInstructions(adapter, { instructionReference: pc });
      const stopped = adapter.stopped();
      await adapter.request('restart');
      assert.deepEqual((await stopped).hitBreakpointIds, [answer.id]);
      assert.equal(breakpointState(adapter, answer.id)?.instructionReference, pc);
    }));

  it('before the launch is pending', () =>
    withAdapter(async (adapter) => {
      await adapter.client.initializeRequest();
      const [answer] = await setInstructions(adapter, { instructionReference: '0x20006000' });
      assert.deepEqual([answer.verified, answer.reason], [false, 'pending']);
      assert.match(answer.message ?? '', /waits for the session to start/);
    }));
});
