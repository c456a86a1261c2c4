/** RISC-V extensions by F5 as Arm ones: breakpoints, steps, stacks, variables, registers, memory, disassembly, restart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, markerLine } from './support/fixtures';

// The examples for RISC-V are built from the sources of those for Arm.
const source = examplePath('hello/hello.c');
const line = (marker: string) => markerLine(source, marker);
const at = (marker: string) => [{ path: source, breakpoints: [{ line: line(marker) }] }];

async function scope(adapter: AdapterClient, name: string): Promise<Map<string, string>> {
  const { id } = await adapter.topFrame();
  const { scopes } = await adapter.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: id });
  const found = scopes.find((candidate) => candidate.name === name);
  assert.ok(found, `${name} of ${scopes.map((candidate) => candidate.name).join()}`);
  const { variables } = await adapter.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference: found.variablesReference,
  });
  return new Map(variables.map((variable) => [variable.name, variable.value]));
}

for (const [cpu, digits] of [
  ['rv32imac', 8],
  ['rv64imac', 16],
] as const) {
  describe(cpu, () => {
    const program = examplePath(`riscv/hello.${cpu}.llext`);

    it('runs to its end on the hart that it was built for', () =>
      withAdapter(async (adapter) => {
        const ended = adapter.next('terminated');
        await adapter.launch({ program });
        await ended;
        assert.match(adapter.output('console'), /^entry 'entry' of llext 'hello.*' returned 6 \(0x/);
      }));

    it('stops, steps in, over and out, and shows where it is', () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program }, at('BP3'));
        assert.deepEqual([(await adapter.topFrame()).name, (await adapter.topFrame()).line], ['entry', line('BP3')]);
        await adapter.run('stepIn');
        const stack = await adapter.stack();
        assert.deepEqual(
          stack.slice(0, 2).map(({ name }) => name),
          ['greet', 'entry'],
        );
        await adapter.run('stepOut');
        assert.equal((await adapter.topFrame()).name, 'entry');
        await adapter.run('next');
        assert.equal((await adapter.topFrame()).name, 'entry');
      }));

    it('shows arguments, registers by their ABI names, memory and instructions', () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program }, at('BP1'));
        const { id, instructionPointerReference } = await adapter.topFrame();
        const evaluate = async (expression: string) =>
          (await adapter.request<DebugProtocol.EvaluateResponse['body']>('evaluate', { expression, frameId: id }))
            .result;
        assert.match(await evaluate('name'), /"Ada"/);
        assert.equal(await evaluate('number'), '1');
        assert.match(await evaluate('$sp'), /0x2000/);
        const registers = await scope(adapter, 'Registers');
        assert.equal(registers.get('zero'), `0x${'0'.repeat(digits)}`);
        assert.match(registers.get('pc') ?? '', /<greet/);
        assert.match(registers.get('ra') ?? '', /<entry|<printk|<greet/);
        const memoryReference = instructionPointerReference ?? '';
        const { instructions } = await adapter.request<NonNullable<DebugProtocol.DisassembleResponse['body']>>(
          'disassemble',
          {
            memoryReference,
            instructionCount: 4,
          },
        );
        assert.equal(instructions.length, 4);
        assert.ok(instructions.every(({ presentationHint }) => presentationHint !== 'invalid'));
        const { data } = await adapter.request<NonNullable<DebugProtocol.ReadMemoryResponse['body']>>('readMemory', {
          memoryReference,
          count: 2,
        });
        const bytes = [...Buffer.from(data ?? '', 'base64')].map((byte) => byte.toString(16).padStart(2, '0'));
        assert.ok(instructions[0].instructionBytes?.startsWith(bytes.join(' ')));
      }));
  });
}

it('an ELF for another machine than the cpu that was asked for is refused', () =>
  withAdapter(async (adapter) => {
    const program = examplePath('riscv/hello.rv64imac.llext');
    await assert.rejects(adapter.launch({ program, cpu: 'rv32imac' }), /RISC-V \(64-bit/);
  }));
