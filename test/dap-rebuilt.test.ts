/**
 * A program that is edited and built again while its session is there: lines have moved. A client moves its breakpoints with the text and
 * sends them again (as VS Code does when a file is saved); a restart, or a reload of what is not running, has them at their lines.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { breakpointState } from './support/controls';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { examplePath, markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const text = `static volatile int total;
int add(int value)
{
	total += value; // #ADD
	return total;
}
int entry(int value)
{
	return add(value) + add(1); // #CALL
}
`;

interface Project {
  readonly source: string;
  readonly program: string;
  build(text: string): void;
}

async function withProject(t: TestContext, body: (project: Project) => Promise<void>): Promise<void> {
  const compiler = requireTool(t, 'arm-none-eabi-gcc');
  const linker = requireTool(t, 'arm-none-eabi-ld');
  if (compiler === undefined || linker === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'llext-rebuilt-'));
  const [source, object, program] = ['edited.c', 'edited.o', 'edited.elf'].map((name) => join(folder, name));
  const build = (content: string): void => {
    writeFileSync(source, content);
    runTool(compiler, ['-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-O0', '-g', '-c', source, '-o', object]);
    runTool(linker, ['-r', '-T', join(projectRoot, 'scripts/relocatable.ld'), object, '-o', program]);
  };
  try {
    build(text);
    await body({ source, program, build });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function setAt(
  adapter: AdapterClient,
  { source }: Project,
  ...markers: string[]
): Promise<DebugProtocol.Breakpoint[]> {
  const breakpoints = markers.map((marker) => ({ line: markerLine(source, marker) }));
  return (await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints })).body.breakpoints;
}

describe('a program that was built again with lines moved', () => {
  it('stops at the moved lines after a restart', (t) =>
    withProject(t, (project) =>
      withAdapter(async (adapter) => {
        const { source, program, build } = project;
        await adapter.launchToStop({ program, entry: 'entry', args: [5], stopOnEntry: true });
        await setAt(adapter, project, 'ADD');
        await adapter.run('continue');
        assert.equal((await adapter.topFrame()).line, markerLine(source, 'ADD'));
        build(text.replace('int add', '/* one\n * two\n * three */\n\nint add'));
        await setAt(adapter, project, 'ADD');
        const again = adapter.stopped();
        await adapter.request('restart');
        await again;
        const { name, line } = await adapter.topFrame();
        assert.deepEqual([name, line], ['entry', markerLine(source, 'CALL')]);
        await adapter.run('continue');
        const frame = await adapter.topFrame();
        assert.deepEqual([frame.name, frame.line], ['add', markerLine(source, 'ADD')]);
        assert.equal((await adapter.evaluate('value')).result, '5');
      }),
    ));

  it('has its breakpoints at the moved lines after a reload, and one where there is no code any more says so', (t) =>
    withProject(t, (project) =>
      withAdapter(async (adapter) => {
        const { source, program, build } = project;
        await adapter.launchToStop({ program: examplePath('hello/hello.llext'), stopOnEntry: true });
        await adapter.request('llext/load', { program });
        const [before] = await setAt(adapter, project, 'ADD');
        assert.deepEqual([before.verified, before.line], [true, markerLine(source, 'ADD')]);
        build(text.replace('int add', '\n\n\n\nint add'));
        const [moved] = await setAt(adapter, project, 'ADD');
        const past = { source: { path: source }, breakpoints: [{ line: markerLine(source, 'ADD') }, { line: 99 }] };
        const [, behind] = (await adapter.client.setBreakpointsRequest(past)).body.breakpoints;
        assert.equal(behind.verified, false);
        await adapter.request('llext/reload', { name: 'edited' });
        const now = breakpointState(adapter, moved.id);
        assert.deepEqual([now?.verified, now?.line], [true, markerLine(source, 'ADD')]);
        const address = now?.instructionReference ?? '';
        const { instructions } = (
          await adapter.client.disassembleRequest({ memoryReference: address, instructionCount: 1 })
        ).body as DebugProtocol.DisassembleResponse['body'] & object;
        assert.equal(instructions[0].line, markerLine(source, 'ADD'));
        assert.match(breakpointState(adapter, behind.id)?.message ?? behind.message ?? '', /no code/);
      }),
    ));
});
