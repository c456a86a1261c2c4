/**
 * Where a content security policy refuses to compile WebAssembly, the interpreter serves: the same session, with the same stops,
 * values and instruction counts as with the translator, on Arm and RISC-V.
 */
import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine, riscvFixture } from './support/fixtures';

const { Module } = WebAssembly;
afterEach(() => {
  WebAssembly.Module = Module;
});

/** As a browser does it without 'wasm-unsafe-eval'; returns how often it was asked. */
function refuseWebAssembly(): () => number {
  let asked = 0;
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      asked++;
      if (asked > 0) throw new WebAssembly.CompileError('violates the following Content Security Policy directive');
      super(bytes);
    }
  };
  return () => asked;
}

const source = fixtureSource('spin');
const condition = 'i == 150000';

/** Hot code, a conditional breakpoint in it, a step, and the end: what the session shows of them. */
async function session(program: string): Promise<unknown> {
  const shown: unknown[] = [];
  await withAdapter(async (adapter) => {
    const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'BP2'), condition }] }];
    await adapter.launchToStop({ program, args: [200_000] }, breakpoints);
    shown.push((await adapter.stack()).map(({ name, line }) => `${name}:${line}`));
    const { result } = await adapter.evaluate('i');
    assert.equal(result, '150000');
    shown.push((await adapter.scope('Registers')).map(({ name, value }) => [name, value]));
    await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
    await adapter.run('next', 'instruction');
    shown.push((await adapter.topFrame()).instructionPointerReference);
    await adapter.runToEnd();
    shown.push(adapter.output('stdout'), adapter.output('console'));
  }, 'inline');
  return shown;
}

for (const [name, program] of [
  ['Arm', fixturePath('spin', 'm3-Og')],
  ['RISC-V', riscvFixture('spin', 'rv32imac-Os')],
] as const) {
  it(`${name}: a session is the same without WebAssembly`, async () => {
    const expected = await session(program);
    const asked = refuseWebAssembly();
    const actual = await session(program);
    assert.deepEqual(actual, expected);
    // The Arm translator has tried; a machine that is not translated does not.
    if (name === 'Arm') assert.ok(asked() > 0);
  });
}
