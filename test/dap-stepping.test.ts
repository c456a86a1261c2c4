/** Steps by DAP on every optimization level, by line and by instruction; recursion, inlined calls, several extensions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';

const optimizations = ['m3-O0', 'm3-Og', 'm3-Os', 'm3-O2'];
const calls = fixtureSource('calls');
const line = (marker: string, source = calls): number => markerLine(source, marker);
const at = (path: string, marker: string, options = {}) => [
  { path, breakpoints: [{ line: markerLine(path, marker), ...options }] },
];

async function place(adapter: AdapterClient): Promise<string> {
  const { name, line: shown } = await adapter.topFrame();
  return `${name}:${shown}`;
}

async function depth(adapter: AdapterClient): Promise<number> {
  return (await adapter.stack()).length;
}

describe('stepping by line', () => {
  for (const variant of optimizations) {
    it(`over a call stays in the function, in enters it, out leaves it (${variant})`, () =>
      withAdapter(async (adapter) => {
        const program = fixturePath('calls', variant);
        await adapter.launchToStop({ program, args: [3] }, at(calls, 'BP2'));
        assert.match(await place(adapter), /^many:/);
        const before = await depth(adapter);
        const into = await adapter.run('stepIn');
        assert.equal(into.reason, 'step');
        assert.equal(await place(adapter), `note:${line('BP1')}`);
        assert.equal(await depth(adapter), before + 1);
        await adapter.run('stepOut');
        assert.match(await place(adapter), /^many:/);
        assert.equal(await depth(adapter), before);
        await adapter.run('stepOut');
        assert.match(await place(adapter), /^entry:/);
        const entered = (await adapter.topFrame()).line;
        await adapter.run('next');
        const { name, line: after } = await adapter.topFrame();
        assert.equal(name, 'entry');
        assert.notEqual(after, entered);
      }));

    it(`over the whole entry function ends the session (${variant})`, () =>
      withAdapter(async (adapter) => {
        const ended = adapter.next('terminated').then(() => 'ended');
        await adapter.launchToStop({ program: fixturePath('calls', variant), args: [3], stopOnEntry: true });
        const text = readFileSync(calls, 'utf8').split('\n');
        const entry = text.findIndex((one) => one.startsWith('int entry')) + 1;
        for (let steps = 0; steps < 60; steps++) {
          const frame = await adapter.topFrame();
          assert.equal(frame.name, 'entry');
          assert.ok(frame.line >= entry);
          const stopped = adapter.next('stopped').then(() => 'stopped');
          stopped.catch(() => undefined);
          await adapter.client.nextRequest({ threadId: 1 });
          if ((await Promise.race([ended, stopped])) === 'ended') break;
        }
        assert.match(adapter.output('console'), /returned -?\d+ \(0x/);
        assert.match(adapter.output('stdout'), /calls, result/);
      }));
  }

  it('over a recursive call does not stop in a deeper one', () =>
    withAdapter(async (adapter) => {
      const source = fixtureSource('calls');
      const recursive = line('BP6') + 3;
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0') }, [
        { path: source, breakpoints: [{ line: recursive, hitCondition: '2' }] },
      ]);
      assert.equal((await adapter.evaluate('n')).result, '4');
      const before = await depth(adapter);
      await adapter.run('next');
      assert.equal((await adapter.evaluate('n')).result, '4');
      assert.equal(await depth(adapter), before);
    }));

  it('out of a recursive call goes one level up', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0') }, at(calls, 'BP6'));
      const before = await depth(adapter);
      await adapter.run('stepOut');
      assert.equal(await depth(adapter), before - 1);
      assert.equal((await adapter.evaluate('n')).result, '2');
    }));

  it('a breakpoint inside of what is stepped over stops there', () =>
    withAdapter(async (adapter) => {
      const stop = await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0') }, [
        { path: calls, breakpoints: [{ line: line('BP2') }, { line: line('BP1') }] },
      ]);
      assert.equal(stop.reason, 'breakpoint');
      const hit = await adapter.run('next');
      assert.equal(hit.reason, 'breakpoint');
      assert.equal(hit.hitBreakpointIds?.length, 1);
      assert.equal(await place(adapter), `note:${line('BP1')}`);
    }));

  it('functions without lines are stepped over', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      await adapter.launchToStop({ program: examplePath('hello/hello.llext') }, at(source, 'BP1'));
      await adapter.run('stepIn');
      assert.equal(await place(adapter), `greet:${markerLine(source, 'BP1') + 1}`);
      assert.match(adapter.output('stdout'), /Hello Ada/);
    }));

  it('crosses from one extension into another', () =>
    withAdapter(async (adapter) => {
      const extensions = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
      const user = examplePath('dependency/dep_user.c');
      await adapter.launchToStop({ extensions, args: [7] }, at(user, 'BP2'));
      await adapter.run('stepIn');
      const frames = await adapter.stack();
      assert.deepEqual(
        frames.map(({ name }) => name),
        ['dep_base_add', 'entry', 'llext_call_fn'],
      );
      assert.deepEqual(
        frames.map(({ moduleId }) => moduleId),
        [1, 2, undefined],
      );
      assert.equal((await adapter.evaluate('amount')).result, '7');
      await adapter.run('stepOut');
      assert.equal((await adapter.topFrame()).line, markerLine(user, 'BP2'));
    }));

  it('works in a section of its own, with the host below', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('detached/detached_fn.c');
      await adapter.launchToStop({ program: examplePath('detached/detached_fn.llext') }, at(source, 'BP1'));
      const frames = await adapter.stack();
      assert.deepEqual(
        frames.map(({ name }) => name),
        ['detached_fn', 'test_entry', 'llext_call_fn'],
      );
      assert.equal(frames[2].presentationHint, 'subtle');
      assert.equal(frames[2].source, undefined);
      assert.equal((await adapter.evaluate('bss_cnt')).result, '1');
      assert.equal((await adapter.evaluate('data_cnt')).result, '2');
      await adapter.run('next');
      assert.equal((await adapter.evaluate('bss_cnt')).result, '2');
    }));

  it('init functions are debugged like any other', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('init-fini/init_fini.c');
      await adapter.launchToStop({ program: examplePath('init-fini/init_fini.llext') }, [
        { path: source, breakpoints: ['BP2', 'BP3'].map((marker) => ({ line: markerLine(source, marker) })) },
      ]);
      assert.deepEqual(
        (await adapter.stack()).map(({ name }) => name),
        ['init_first', 'llext_call_fn'],
      );
      await adapter.run('continue');
      assert.deepEqual(
        (await adapter.stack()).map(({ name }) => name),
        ['fini', 'llext_call_fn'],
      );
      await adapter.runToEnd();
    }));
});

describe('inlined calls', () => {
  const source = fixtureSource('inlined');
  const text = readFileSync(source, 'utf8').split('\n');
  for (const variant of ['m3-Og', 'm3-Os', 'm3-O2']) {
    it(`are frames, and are stepped into, over and out of (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: fixturePath('inlined', variant), args: [4] }, at(source, 'BP1'));
        const frames = await adapter.stack();
        assert.equal(frames[0].name, 'scale [inlined]');
        assert.match(frames[1].name, /^adjust/);
        for (const frame of frames.slice(0, -1)) assert.match(text[frame.line - 1], /\S/);
        await adapter.run('stepOut');
        assert.notEqual((await adapter.stack())[0].name, 'scale [inlined]');
        await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
        // Stepping over from the outermost frame never shows an inlined one.
        while (/inlined/.test((await adapter.topFrame()).name)) await adapter.run('stepOut');
        for (let steps = 0; steps < 3; steps++) {
          assert.doesNotMatch((await adapter.topFrame()).name, /inlined/);
          await adapter.run('next');
        }
      }));
  }
});

describe('stepping by instruction', () => {
  it('in goes to the next instruction, over a call to the one after it', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0') }, at(calls, 'BP2'));
      const pc = async (): Promise<number> => Number((await adapter.topFrame()).instructionPointerReference);
      const start = await pc();
      let last = start;
      for (let steps = 0; (await adapter.topFrame()).name === 'many'; steps++) {
        assert.ok(steps < 10);
        last = await pc();
        await adapter.run('stepIn', 'instruction');
      }
      assert.match(await place(adapter), /^note:/);
      await adapter.run('stepOut', 'instruction');
      assert.equal(await pc(), last + 4);
    }));

  it('over a call of a host function does it at once', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      await adapter.launchToStop({ program: examplePath('hello/hello.llext') }, at(source, 'BP1'));
      for (let steps = 0; !adapter.output('stdout').includes('Ada'); steps++) {
        assert.ok(steps < 20);
        await adapter.run(steps % 2 === 0 ? 'next' : 'stepIn', 'instruction');
        assert.equal((await adapter.topFrame()).name, 'greet');
      }
    }));
});
