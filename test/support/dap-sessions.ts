/**
 * Sessions that together send and receive all of the protocol (test/dap-matrix.test.ts), on any transport. What each answer has to be
 * is asserted where it is tested in depth; here it has to succeed.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { controlsLine, controlsPath, controlsSource } from './controls';
import { AdapterClient } from './dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine, projectRoot } from './fixtures';

const client = {
  adapterID: 'llext',
  pathFormat: 'path',
  supportsMemoryEvent: true,
  supportsInvalidatedEvent: true,
  supportsProgressReporting: true,
  supportsVariableType: true,
  supportsVariablePaging: true,
} as const;

const source = { path: controlsSource };

/** As VS Code begins: breakpoints of all kinds between the launch and its answer. */
async function start(adapter: AdapterClient, args: object, configure: () => Promise<unknown>): Promise<void> {
  await adapter.client.initializeRequest(client);
  const launched = adapter.request('launch', { ...args });
  await configure();
  const first = Promise.race([adapter.next('stopped'), adapter.next('terminated')]);
  await adapter.request('configurationDone');
  await launched;
  await first;
}

async function breakpointsAndValues(adapter: AdapterClient): Promise<void> {
  const at = (marker: string, more = {}) => ({ line: controlsLine(marker), ...more });
  await start(adapter, { program: controlsPath('m3-O0'), args: [7] }, async () => {
    await adapter.request('setBreakpoints', {
      source,
      breakpoints: [
        at('BP_NESTED'),
        at('BP_TWICE', { condition: 'value == 7', hitCondition: '1' }),
        at('BP_THRICE', { logMessage: 'thrice of {value}' }),
        at('BP_STATEMENTS', { column: 21 }),
        { line: 9999 },
      ],
    });
    await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name: 'ext::nothing' }] });
    await adapter.request('setExceptionBreakpoints', {
      filters: ['aborts'],
      filterOptions: [{ filterId: 'faults', condition: '1' }],
    });
  });
  await adapter.request('threads');
  await adapter.request('breakpointLocations', { source, line: controlsLine('BP_STATEMENTS') });
  const frame = await adapter.topFrame();
  const frameId = frame.id;
  const { scopes } = await adapter.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  for (const { variablesReference } of scopes) await adapter.request('variables', { variablesReference });
  const [locals] = scopes;
  await adapter.request('setVariable', { variablesReference: locals.variablesReference, name: 'value', value: '7' });
  await adapter.request('setExpression', { frameId, expression: 'value', value: '7' });
  for (const context of ['watch', 'hover', 'clipboard', 'repl'])
    await adapter.request('evaluate', { frameId, expression: 'value', context, format: { hex: true } });
  for (const text of ['va', '$r', 'thr'])
    await adapter.request('completions', { frameId, text, column: text.length + 1 });
  const [variable] = await adapter.variables(locals.variablesReference);
  await adapter.request('locations', { locationReference: variable.declarationLocationReference });
  const memoryReference = frame.instructionPointerReference;
  await adapter.request('disassemble', { memoryReference, instructionCount: 20, resolveSymbols: true });
  await adapter.request('disassemble', { memoryReference: '0xfffffff8', instructionCount: 8 });
  await adapter.request('readMemory', { memoryReference: '0xfffffff0', count: 32 });
  await adapter.request('readMemory', { memoryReference, count: 4 });
  const called = (await adapter.evaluate('thrice')).memoryReference;
  await adapter.request('disassemble', { memoryReference: called, instructionCount: 4, resolveSymbols: true });
  const { memoryReference: trace } = await adapter.evaluate('&trace');
  await adapter.request('writeMemory', { memoryReference: trace, data: btoa('\x01\0\0\0') });
  await adapter.request('modules', { startModule: 0, moduleCount: 1 });
  await adapter.request('loadedSources');
  await adapter.request('setInstructionBreakpoints', {
    breakpoints: [{ instructionReference: memoryReference, offset: 2 }],
  });
  await adapter.request('setInstructionBreakpoints', { breakpoints: [] });
  const { dataId } = await adapter.request<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
    name: trace,
    asAddress: true,
    bytes: 4,
  });
  await adapter.request('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'readWrite' }] });
  await adapter.request('setDataBreakpoints', { breakpoints: [] });
  const { targets } = await adapter.request<DebugProtocol.StepInTargetsResponse['body']>('stepInTargets', { frameId });
  assert.ok(targets.length > 0);
  await adapter.run('stepIn', undefined, { targetId: targets[0].id });
  await adapter.run('stepOut');
}

async function controls(adapter: AdapterClient): Promise<void> {
  await start(adapter, { program: controlsPath('m3-O0'), args: [9] }, async () => {
    await adapter.request('setBreakpoints', { source, breakpoints: [{ line: controlsLine('BP_FIRST') }] });
  });
  await adapter.run('next', 'statement', { singleThread: true });
  await adapter.run('stepBack', 'instruction');
  await adapter.run('reverseContinue');
  const moved = async (request: string, args: object): Promise<void> => {
    const stopped = adapter.stopped();
    await adapter.request(request, { ...args });
    await stopped;
  };
  const { targets } = await adapter.request<DebugProtocol.GotoTargetsResponse['body']>('gotoTargets', {
    source,
    line: controlsLine('BP_SECOND'),
  });
  await moved('goto', { threadId: 1, targetId: targets[0].id });
  await moved('restartFrame', { frameId: (await adapter.topFrame()).id });
  await moved('restart', {});
  await adapter.runToEnd();
}

async function fault(adapter: AdapterClient): Promise<void> {
  const program = fixturePath('faults', 'm3-O0');
  await start(adapter, { program, args: [0] }, () =>
    adapter.request('setBreakpoints', {
      source: { path: fixtureSource('faults') },
      breakpoints: [{ line: markerLine(fixtureSource('faults'), 'BP_READ_NULL') }],
    }),
  );
  await adapter.run('continue');
  await adapter.request('exceptionInfo', { threadId: 1 });
  const ended = adapter.next('terminated');
  await adapter.request('terminate');
  await ended;
}

async function endless(adapter: AdapterClient): Promise<void> {
  await adapter.client.initializeRequest(client);
  const launched = adapter.request('launch', { program: examplePath('endless/endless.llext'), history: 0 });
  await adapter.request('configurationDone');
  await launched;
  await adapter.run('pause');
  await adapter.request('cancel', { requestId: 4711 });
  const ended = adapter.next('terminated');
  await adapter.request('terminateThreads', { threadIds: [1] });
  await ended;
}

/** A source that only the adapter has, and macros with values that are worked out when they are asked for. */
async function sources(adapter: AdapterClient): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llext-sources-'));
  // Deep enough that what is beside the folder is not searched for the source.
  const program = join(folder, 'lost/build/macros.elf');
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync(join(projectRoot, 'test/dap-programs/macros.m3clang-g3.elf'), program);
  try {
    await start(adapter, { program, stopOnEntry: true }, () => Promise.resolve());
    const { source: lost } = await adapter.topFrame();
    await adapter.request('source', { source: lost, sourceReference: lost?.sourceReference });
    const [macro] = await adapter.scope('Macros');
    await adapter.variables(macro.variablesReference);
    await adapter.scope('Globals');
    await adapter.evaluate('values');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Output with its place, of a program whose sources have checksums. */
async function prints(adapter: AdapterClient): Promise<void> {
  await start(adapter, { program: controlsPath('m3clang-O2'), args: [6] }, async () => {
    await adapter.request('setBreakpoints', { source, breakpoints: [{ line: controlsLine('BP_PRINT') }] });
  });
  await adapter.stack();
  await adapter.runToEnd();
}

/** Values that point to functions, or have parts; changed each way. */
async function values(adapter: AdapterClient): Promise<void> {
  const path = fixtureSource('calls');
  await start(adapter, { program: fixturePath('calls', 'm3-O0'), args: [3] }, () =>
    adapter.request('setBreakpoints', { source: { path }, breakpoints: [{ line: markerLine(path, 'BP7') }] }),
  );
  const { id: frameId } = await adapter.topFrame();
  const [{ variablesReference }] = (await adapter.client.scopesRequest({ frameId })).body.scopes;
  await adapter.variables(variablesReference);
  for (const expression of ['function', 'calls']) await adapter.evaluate(expression, 'watch', frameId);
  await adapter.request('setVariable', { variablesReference, name: 'function', value: 'function' });
  await adapter.request('setExpression', { frameId, expression: 'function', value: 'function' });
}

export const matrixSessions: readonly ((adapter: AdapterClient) => Promise<void>)[] = [
  breakpointsAndValues,
  controls,
  fault,
  endless,
  sources,
  prints,
  values,
];

/** At a server: a target that one client leaves and another one finds. */
export async function leftAndFound(note: (adapter: AdapterClient) => void): Promise<void> {
  const [first, second] = [new AdapterClient('tcp'), new AdapterClient('tcp')];
  [first, second].forEach(note);
  await start(first, { program: controlsPath('m3-O0'), target: 'found', stopOnEntry: true }, () => Promise.resolve());
  await first.close({ terminateDebuggee: false, suspendDebuggee: true });
  const stopped = second.stopped();
  await second.attach({ target: 'found' });
  await stopped;
  await second.close({ terminateDebuggee: true });
}
