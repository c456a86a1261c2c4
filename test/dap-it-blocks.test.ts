/**
 * Breakpoints on instructions of IT blocks (Armv7-M ARM A4.3.1): what is not executed, because the condition does not hold, is not stopped
 * at, and does not count. gdb moves such a breakpoint to the IT instruction, since its own BKPT there would be executed in any case; here
 * nothing is put into the code. A step shows each line that it comes to, as gdb's does.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { AdapterClient } from './support/dap-client';
import { requireTool, runTool } from './support/tools';

const source = `	.syntax unified
	.thumb
	.text
	.global entry
	.type entry, %function
	.thumb_func
entry:
	movs r1, #0
	movs r2, #4
again:
	cmp r2, r0
	ite gt
	addgt r1, #1 @ GREATER
	addle r1, #16 @ NOT
	subs r2, #1
	bne again
	mov r0, r1 @ LAST
	bx lr
	.size entry, .-entry
`;
const lineOf = (marker: string): number => source.split('\n').findIndex((line) => line.endsWith(`@ ${marker}`)) + 1;

describe('breakpoints in IT blocks', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'it-'));
    writeFileSync(join(folder, 'it.s'), source);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** undefined: there is no assembler. `r0` is compared with 4, 3, 2 and 1. */
  async function start(t: TestContext, r0: number): Promise<AdapterClient | undefined> {
    const assembler = requireTool(t, 'arm-none-eabi-as');
    if (assembler === undefined) return undefined;
    runTool(assembler, ['-mcpu=cortex-m3', '-g', 'it.s', '-o', 'it.elf'], { cwd: folder });
    const adapter = new AdapterClient();
    await adapter.launchToStop({ program: join(folder, 'it.elf'), args: [r0], stopOnEntry: true, entry: 'entry' });
    return adapter;
  }

  async function stopsOf(adapter: AdapterClient, count: number, command = 'continue'): Promise<string[]> {
    const found: string[] = [];
    for (let n = 0; n < count; n++) {
      await adapter.run(command);
      found.push(String((await adapter.topFrame()).line));
    }
    return found;
  }

  const setLines = (adapter: AdapterClient, breakpoints: readonly object[]): Promise<unknown> =>
    adapter.request('setBreakpoints', { source: { path: join(folder, 'it.s') }, breakpoints });

  it('stop and count where the instruction is executed, forwards and backwards', async (t) => {
    const adapter = await start(t, 2);
    if (adapter === undefined) return;
    try {
      const [greater, not, last] = ['GREATER', 'NOT', 'LAST'].map(lineOf);
      await setLines(
        adapter,
        [greater, not, last].map((line) => ({ line })),
      );
      // 4 and 3 are greater than 2; 2 and 1 are not.
      assert.deepEqual(await stopsOf(adapter, 5), [greater, greater, not, not, last].map(String));
      assert.deepEqual(await stopsOf(adapter, 4, 'reverseContinue'), [not, not, greater, greater].map(String));
      // The second one that counts is the last.
      await setLines(adapter, [{ line: not, hitCondition: '2' }]);
      assert.deepEqual(await stopsOf(adapter, 1), [String(not)]);
      assert.equal((await adapter.evaluate('$r2')).result, '1');
    } finally {
      await adapter.close();
    }
  });

  it('as instruction breakpoints too; a step shows what is passed over', async (t) => {
    const adapter = await start(t, 1);
    if (adapter === undefined) return;
    try {
      await setLines(adapter, [{ line: lineOf('GREATER') }]);
      await adapter.run('continue');
      const { instructionPointerReference: at } = await adapter.topFrame();
      const not = `0x${(Number(at) + 2).toString(16)}`;
      await setLines(adapter, []);
      await adapter.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: not }] });
      assert.deepEqual(await stopsOf(adapter, 1, 'next'), [String(lineOf('NOT'))]);
      assert.deepEqual(await stopsOf(adapter, 1), [String(lineOf('NOT'))]);
      assert.equal((await adapter.evaluate('$r2')).result, '1');
    } finally {
      await adapter.close();
    }
  });
});
