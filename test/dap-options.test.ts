/**
 * What a client may ask for besides the plain request: modes of breakpoints, formats of values and frames, lazy values, sources that only the
 * adapter has, checksums, capabilities that change.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { atMarker, controlsLine, controlsPath, controlsSource, launchConfigured } from './support/controls';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, markerLine } from './support/fixtures';

const folder = mkdtempSync(join(tmpdir(), 'llext-options-'));
after(() => rmSync(folder, { recursive: true }));

const spin = join(projectRoot, 'test/fixtures/spin.c');

describe('a breakpoint of mode once', () => {
  it('stops the first time only, and again after a restart (mode once)', () =>
    withAdapter(async (adapter) => {
      const breakpoints = [{ line: markerLine(spin, 'BP2'), mode: 'once', condition: 'i >= 3' }];
      await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), args: [10] }, [{ path: spin, breakpoints }]);
      assert.equal((await adapter.evaluate('i')).result, '3');
      const ended = adapter.next('terminated');
      await adapter.request('continue', { threadId: 1 });
      await ended;
    }));

  it('is set anew by another mode, and what is no mode is said', () =>
    withAdapter(async (adapter) => {
      const set = async (mode: string): Promise<DebugProtocol.Breakpoint> => {
        const breakpoints = [{ line: markerLine(spin, 'BP2'), mode }];
        return (await adapter.client.setBreakpointsRequest({ source: { path: spin }, breakpoints })).body
          .breakpoints[0];
      };
      await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), args: [10], stopOnEntry: true });
      const once = await set('once');
      await adapter.run('continue');
      const always = await set('always');
      assert.notEqual(always.id, once.id);
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('i')).result, '1');
      const wrong = await set('sometimes');
      assert.deepEqual([wrong.verified, wrong.reason], [false, 'failed']);
      assert.equal(wrong.message, "there is no breakpoint mode 'sometimes': it is always or once");
    }));

  it('comes back with a restart, on an instruction as well', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), args: [10] }, [
        { path: spin, breakpoints: [{ line: markerLine(spin, 'BP2') }] },
      ]);
      const { instructionPointerReference: instructionReference } = await adapter.topFrame();
      await adapter.client.setBreakpointsRequest({ source: { path: spin }, breakpoints: [] });
      await adapter.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference, mode: 'once' }] });
      await adapter.run('continue');
      assert.equal((await adapter.evaluate('i')).result, '1');
      const again = adapter.stopped();
      await adapter.request('restart');
      await again;
      assert.equal((await adapter.evaluate('i')).result, '0');
      await adapter.runToEnd();
    }));

  it('of a filter lets the second fault end the program', () =>
    withAdapter(async (adapter) => {
      const filters = { filters: [], filterOptions: [{ filterId: 'faults', mode: 'once' }] };
      const program = { program: fixturePath('faults', 'm3-O0'), args: [0] };
      assert.equal(
        await launchConfigured(adapter, program, () => adapter.request('setExceptionBreakpoints', filters)),
        'stopped',
      );
      await adapter.runToEnd();
      assert.match(adapter.output('important'), /^unmapped: /);
    }));
});

describe('a format', () => {
  it('of the stack has module, parameters with types, names and values, and line', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_TWICE'));
      const names = async (format: DebugProtocol.StackFrameFormat): Promise<string> => {
        const { stackFrames } = await adapter.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
          threadId: 1,
          format,
        });
        return stackFrames[0].name;
      };
      const line = controlsLine('BP_TWICE');
      assert.equal(await names({}), 'twice');
      assert.equal(await names({ parameters: true }), 'twice()');
      assert.equal(await names({ parameters: true, parameterNames: true, parameterValues: true }), 'twice(value=7)');
      const all = { parameters: true, parameterTypes: true, parameterNames: true, parameterValues: true };
      assert.equal(
        await names({ ...all, hex: true, line: true, module: true }),
        `controls.m3-O0!twice(int value=0x7) Line ${line}`,
      );
    }));

  it('of variables and expressions is hexadecimal', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_NESTED'));
      const { id: frameId } = await adapter.topFrame();
      const format = { hex: true };
      const evaluated = await adapter.request<DebugProtocol.EvaluateResponse['body']>('evaluate', {
        expression: 'value * 2',
        frameId,
        format,
      });
      assert.equal(evaluated.result, '0xe');
      const [scope] = (await adapter.client.scopesRequest({ frameId })).body.scopes;
      const { variablesReference } = scope;
      const listed = (await adapter.client.variablesRequest({ variablesReference, format })).body.variables;
      assert.equal(listed.find(({ name }) => name === 'value')?.value, '0x7');
    }));
});

describe('the macros of a line', () => {
  it('are texts, each with a value that is worked out when it is asked for', () =>
    withAdapter(async (adapter) => {
      const source = join(projectRoot, 'test/dap-programs/macros.c');
      const program = join(projectRoot, 'test/dap-programs/macros.m3-g3.elf');
      const breakpoints = ['FIRST', 'SECOND'].map((marker) => ({ line: markerLine(source, marker) }));
      await adapter.launchToStop({ program, args: [1] }, [{ path: source, breakpoints }]);
      const shown = async (wanted: string): Promise<string[]> => {
        const macro = (await adapter.scope('Macros')).find(({ name }) => name === wanted);
        assert.ok(macro, wanted);
        assert.equal(macro.presentationHint?.lazy, true);
        const values = await adapter.variables(macro.variablesReference);
        return [macro.value, ...values.map(({ value }) => value)];
      };
      // By the preprocessor's rules, from the source: TWICE is LIMIT * 2, and LIMIT changes in between.
      assert.deepEqual(await shown('FIELD_MASK'), ['(BIT(3) | BIT(5))', '40']);
      assert.deepEqual(await shown('TWICE'), ['LIMIT * 2', '20']);
      assert.deepEqual(await shown('bool'), ['_Bool', "<a value is expected, not '_Bool'>"]);
      const names = (await adapter.scope('Macros')).map(({ name }) => name);
      for (const absent of ['SQUARE', 'EMPTY', 'GONE', '__builtin_offset']) assert.ok(!names.includes(absent), absent);
      await adapter.run('continue');
      assert.deepEqual(await shown('TWICE'), ['LIMIT * 2', '-8']);
      const { scopes } = (await adapter.client.scopesRequest({ frameId: (await adapter.topFrame()).id })).body;
      const scope = scopes.find(({ name }) => name === 'Macros');
      assert.equal(scope?.expensive, true);
      const change = { variablesReference: scope.variablesReference, name: 'TWICE', value: '1' };
      await assert.rejects(adapter.client.setVariableRequest(change), /a macro is a text of the source/);
    }));
});

describe('a source that is not found', () => {
  const lost = join(folder, 'lost/build/lost.elf');
  mkdirSync(dirname(lost), { recursive: true });
  copyFileSync(controlsPath('m3-Os'), lost);

  const textOf = async (adapter: AdapterClient, source: DebugProtocol.Source | undefined): Promise<string[]> => {
    const { sourceReference = 0 } = source ?? {};
    const body = await adapter.request<DebugProtocol.SourceResponse['body']>('source', { source, sourceReference });
    assert.equal(body.mimeType, 'text/x-asm');
    return body.content.split('\n');
  };

  it('is shown as the instructions of its lines, and breakpoints can be set in it', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: lost, args: [7], stopOnEntry: true });
      const { source } = await adapter.topFrame();
      assert.deepEqual([source?.path, source?.origin], [undefined, 'controls.c was not found']);
      const lines = await textOf(adapter, source);
      // 2 * value, and the closing brace on the next line.
      assert.deepEqual(lines.slice(controlsLine('BP_TWICE') - 1).slice(0, 2), ['lsls r0, r0, #1', 'bx lr']);
      assert.match(lines.at(-2) ?? '', /^\/\/ controls\.c was not found: its lines/);
      assert.match(adapter.output('console'), /^controls\.c was not found: .*sourceMap/m);
      const line = controlsLine('BP_TWICE');
      const { breakpoints } = (
        await adapter.client.setBreakpointsRequest({ source: source ?? {}, breakpoints: [{ line }] })
      ).body;
      assert.deepEqual([breakpoints[0].verified, breakpoints[0].line], [true, line]);
      await adapter.run('continue');
      const frame = await adapter.topFrame();
      assert.deepEqual(
        [frame.name, frame.line, frame.source?.sourceReference],
        ['twice', line, source?.sourceReference],
      );
    }));

  it('is where a declaration is, and what was found has no text', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: lost, args: [7], stopOnEntry: true });
      const [variable] = await adapter.scope('Locals');
      const { source } = await adapter.request<DebugProtocol.LocationsResponse['body'] & object>('locations', {
        locationReference: variable.declarationLocationReference,
      });
      assert.equal(source.sourceReference, (await adapter.topFrame()).source?.sourceReference);
      await assert.rejects(adapter.request('source', { sourceReference: 4711 }), /4711/);
    }));
});

describe('a source', () => {
  it('has the MD5 that clang wrote of it', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3clang-O2'), args: [7], stopOnEntry: true });
      const { source } = await adapter.topFrame();
      const checksum = createHash('md5').update(readFileSync(controlsSource)).digest('hex');
      assert.deepEqual(source?.checksums, [{ algorithm: 'MD5', checksum }]);
    }));
});

describe('a capability that changes', () => {
  it('is told when there is no way back', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello.llext'), stopOnEntry: true, history: 0 });
      const told = adapter.events.filter(({ event }) => event === 'capabilities').map(({ body }) => body as unknown);
      assert.deepEqual(told, [{ capabilities: { supportsStepBack: false } }]);
    }));
});
