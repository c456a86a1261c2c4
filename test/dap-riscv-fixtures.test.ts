/**
 * RISC-V sessions in the C of test/fixtures: calls, data, faults, several extensions, floating point in registers. What is shown follows
 * from the sources by hand; places of faults are the marked lines.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { fixtureSource, markerLine, riscvFixture } from './support/fixtures';

const at = (name: string, ...markers: string[]) => {
  const path = fixtureSource(name);
  return [{ path, breakpoints: markers.map((marker) => ({ line: markerLine(path, marker) })) }];
};

const values = (variables: readonly DebugProtocol.Variable[]) =>
  Object.fromEntries(variables.map(({ name, value }) => [name, value]));

async function names(adapter: AdapterClient): Promise<string[]> {
  return (await adapter.stack()).map(({ name }) => name);
}

for (const xlen of [32, 64] as const) {
  const variant = `rv${xlen}imac-O0`;
  describe(variant, () => {
    it('calls: recursion, arguments in registers and on the stack, a structure as result, stepping through them', () =>
      withAdapter(async (adapter) => {
        const source = fixtureSource('calls');
        await adapter.launchToStop({ program: riscvFixture('calls', variant), args: [5] }, at('calls', 'BP2', 'BP6'));
        const many = values(await adapter.scope('Locals'));
        assert.deepEqual(many, { a: '1', b: '2', c: '3', d: '4', e: '5', f: '-6', g: '30064771072' });
        await adapter.run('continue');
        const stack = await names(adapter);
        assert.deepEqual(stack, [...Array<string>(5).fill('factorial'), 'entry', 'llext_call_fn']);
        const levels = await Promise.all(
          [0, 1, 2, 3, 4].map(async (level) => values(await adapter.scope('Locals', level))['n']),
        );
        assert.deepEqual(levels, ['1', '2', '3', '4', '5']);
        await adapter.run('stepIn');
        assert.deepEqual((await names(adapter)).slice(0, 2), ['note', 'factorial']);
        await adapter.run('stepOut');
        await adapter.run('stepOut');
        assert.deepEqual((await names(adapter)).length, 6);
        await adapter.client.setBreakpointsRequest({
          source: { path: source },
          breakpoints: [{ line: markerLine(source, 'BP10') }],
        });
        await adapter.run('continue');
        assert.equal(values(await adapter.scope('Locals'))['pair'], '{left = 6, right = 5}');
      }));

    it('data: every kind of object, and assignment', () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: riscvFixture('data', variant), args: [9] }, at('data', 'BP1'));
        for (const [expression, expected] of [
          [
            '*node->next',
            /^\{at = \{x = 1, y = -2\}, \{word = 287454020, .*label = 0x[0-9a-f]+ "tail", tag = "tagged\\000", grid = \{\{1, 2, 3\}, \{4, 5, 6\}\}/,
          ],
          ['node->next->flags.level', /^-7$/],
          ['node->next->flags.wide', /^73588229205$/],
          ['node->next->bytes[0]', /^68 'D'$/],
          ['sizeof(struct node *)', xlen === 32 ? /^4$/ : /^8$/],
          ['sizeof(long)', xlen === 32 ? /^4$/ : /^8$/],
          ['huge', /^-1234567890123456789$/],
          ['real', /^-2.25$/],
          ['color', /^BLUE$/],
        ] as const) {
          assert.match((await adapter.evaluate(expression)).result, expected, expression);
        }
        await adapter.evaluate('node->next->at.x = 40', 'repl');
        await adapter.runToEnd();
        // visit(): the tail gives 40 * 10 + 2 visits, the head adds 7; matrix[1][2] = 1 + 9.
        assert.match(adapter.output('console'), /returned 419 /);
      }));

    it('single instructions: every one is its length further, and a call is one when stepped over', () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: riscvFixture('calls', variant), args: [5] }, at('calls', 'BP2'));
        const { instructionPointerReference: memoryReference = '' } = await adapter.topFrame();
        const { instructions } = await adapter.request<NonNullable<DebugProtocol.DisassembleResponse['body']>>(
          'disassemble',
          { memoryReference, instructionCount: 6 },
        );
        const lengths = instructions.map(({ instructionBytes = '' }) => instructionBytes.split(' ').length);
        assert.ok(lengths.every((length) => length === 2 || length === 4));
        for (let i = 1; i < instructions.length; i++) {
          assert.equal(Number(instructions[i].address), Number(instructions[i - 1].address) + lengths[i - 1]);
        }
        for (let i = 1; i < 6; i++) {
          await adapter.run('next', 'instruction');
          const { instructionPointerReference: pc, name } = await adapter.topFrame();
          assert.deepEqual([name, Number(pc)], ['many', Number(instructions[i].address)]);
          if (/jal/.test(instructions[i - 1].instruction)) return;
        }
      }));

    const faults: readonly (readonly [kind: number, marker: string, text: RegExp])[] = [
      [0, 'BP_READ_NULL', /read of 4 bytes at 0x0+\b/],
      [1, 'BP_WRITE_NULL', /write of 4 bytes at 0x0+\b/],
      [2, 'BP_UNMAPPED', /read of 4 bytes at 0xa0000000/],
      [3, 'BP_FORBIDDEN', /write of 4 bytes at 0x0800[0-9a-f]{4}/],
      [4, 'BP_UNDEFINED', /illegal instruction.*encoding 0000 000b/],
      [5, 'BP_UNDEFINED_COMPRESSED', /illegal instruction.*encoding 0000\)/],
      [6, 'BP_EBREAK', /EBREAK was executed/],
      [7, 'BP_STACK', /stack/i],
      [8, 'BP_JUMP', /0xa0000000/],
    ];
    for (const [kind, marker, text] of faults) {
      it(`fault ${kind} stops at its line (${marker}) and says what it is`, () =>
        withAdapter(async (adapter) => {
          const source = fixtureSource('riscv_faults');
          const stop = await adapter.launchToStop({ program: riscvFixture('riscv_faults', variant), args: [kind] });
          assert.equal(stop.reason, 'exception');
          assert.match(stop.text ?? '', text);
          const frames = await adapter.stack();
          const frame = frames.find(({ source: file }) => file?.name === 'riscv_faults.c');
          // The stack overflows at whichever instruction of the function comes first.
          if (kind === 7) assert.equal(frame?.name, 'overflow');
          else assert.equal(frame?.line, markerLine(source, marker));
        }));
    }

    it('two extensions: the second calls the first, each has its copy of a function of a header', () =>
      withAdapter(async (adapter) => {
        const path = fixtureSource('shared_first').replace('shared_first.c', 'shared.h');
        const extensions = ['shared_first', 'shared_second'].map((name) => ({ program: riscvFixture(name, variant) }));
        const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, 'BP1') }] }];
        await adapter.launchToStop({ extensions, entry: 'entry', args: [5] } as never, breakpoints);
        assert.deepEqual(await names(adapter), ['shared_twice', 'first_run', 'entry', 'llext_call_fn']);
        await adapter.run('continue');
        assert.deepEqual(await names(adapter), ['shared_twice', 'entry', 'llext_call_fn']);
        await adapter.runToEnd();
        // 5 * 2 + 1 = 11, and 11 + 22.
        assert.match(adapter.output('console'), /returned 33 /);
      }));
  });
}

describe('floating point in registers', () => {
  for (const [variant, cpu, abiHasDoubles] of [
    ['rv32imafc-Og', 'rv32imafc', false],
    ['rv32imafdc-Og', 'rv32imafdc', true],
    ['rv64gc-Og', 'rv64imafdc', true],
  ] as const) {
    it(`${variant}: arguments, a saved register of an outer frame, structures, the registers themselves`, () =>
      withAdapter(async (adapter) => {
        const program = riscvFixture('floats', variant);
        await adapter.launchToStop({ program, args: [5] }, at('floats', 'BP1'));
        const body = adapter.events.find(({ event }) => event === 'process')?.body as { name: string };
        assert.ok(body.name.endsWith(cpu), body.name);
        assert.deepEqual(values(await adapter.scope('Locals')), { from: '0', to: '1.5', by: '0.5' });
        const outer = values(await adapter.scope('Locals', 1));
        assert.deepEqual([outer['i'], outer['sum'], outer['by']], ['0', '1.5', '0.5']);
        assert.equal(outer['start'], abiHasDoubles ? '1.5' : '<optimized out>');

        const group = (await adapter.scope('Registers')).find(({ name }) => name === 'floating point');
        assert.match(group?.value ?? '', /^fcsr 0x0000000[01]$/);
        const registers = await adapter.variables(group?.variablesReference ?? 0);
        assert.equal(registers.length, 32 + 3);
        // from, to and by are the first three arguments; 1.5 is 0x3fc00000, 0.5 is 0x3f000000 in binary32.
        const single = (bits: string, number: string) =>
          abiHasDoubles ? `0xffffffff${bits} ${number} (single)` : `0x${bits} ${number}`;
        const shown = values(registers);
        assert.deepEqual(
          ['fa0', 'fa1', 'fa2'].map((name) => shown[name]),
          [single('00000000', '0'), single('3fc00000', '1.5'), single('3f000000', '0.5')],
        );

        const typed = async (text: string) => {
          const { type, result } = await adapter.evaluate(text, 'repl');
          return [type, result];
        };
        // gdb 13: float, and where a register has 64 bits a union, because it may hold either.
        const register = abiHasDoubles ? '$fa1.float' : '$fa1';
        assert.deepEqual(await typed(register), ['float', '1.5']);
        assert.deepEqual(await typed(`${register} * 2 + $a0 * 0`), ['float', '3']);
        if (abiHasDoubles) {
          assert.deepEqual(await typed('$fa1'), ['riscv_double', '{float = 1.5, double = -nan(0xfffff3fc00000)}']);
          await adapter.evaluate('$ft11 = 2.5', 'repl');
          assert.deepEqual(await typed('$ft11'), ['riscv_double', '{float = 0, double = 2.5}']);
        } else {
          assert.deepEqual(await typed('$ft11 = 2.5'), ['float', '2.5']);
          assert.deepEqual(await typed('$ft11 += 1'), ['float', '3.5']);
        }

        const floats = fixtureSource('floats');
        const go = async (marker: string) => {
          const breakpoints = [{ line: markerLine(floats, marker) }];
          await adapter.client.setBreakpointsRequest({ source: { path: floats }, breakpoints });
          await adapter.run('continue');
          return values(await adapter.scope('Locals'));
        };
        assert.deepEqual(await go('BP3'), { point: '{x = 5, y = 2.25}', turned: '{x = -2.25, y = 5}' });
        assert.equal((await go('BP4'))['by'], abiHasDoubles ? '100' : '<optimized out>');
        await adapter.runToEnd();
        assert.equal(adapter.output('stdout'), '-225 5, 6 evaluations\n');
      }));
  }

  it('an argument in a floating-point register can be set', () =>
    withAdapter(async (adapter) => {
      const program = riscvFixture('floats', 'rv64gc-Og');
      await adapter.launchToStop({ program, args: [1] }, at('floats', 'BP4'));
      assert.equal((await adapter.evaluate('by')).result, '100');
      await adapter.evaluate('by = 3.0', 'repl');
      assert.equal((await adapter.evaluate('by')).result, '3');
      // binary64 of 3: 0x4008000000000000
      const group = (await adapter.scope('Registers')).find(({ name }) => name === 'floating point');
      assert.equal(values(await adapter.variables(group?.variablesReference ?? 0))['fa1'], '0x4008000000000000 3');
    }));
});

it('code with soft floats runs on a hart with floating-point registers', () =>
  withAdapter(async (adapter) => {
    const ended = adapter.next('terminated');
    await adapter.launch({ program: riscvFixture('arith', 'rv32imac-Os'), args: [5], cpu: 'rv32imafdc' });
    await ended;
    // What the same C gives on a Cortex-M3 (test/fixtures/arith.m3-Os.elf in qemu-fixtures).
    assert.match(adapter.output('stdout'), /39 results, sum 6f7e3f73/);
  }));

for (const [variant, cpu, letter] of [
  ['rv32imafc-Og', 'rv32imac', 'f'],
  ['rv32imafdc-Og', 'rv32imafc', 'd'],
] as const) {
  it(`${variant}, which passes floats in registers, is refused on ${cpu}`, () =>
    withAdapter(async (adapter) => {
      const refused = adapter.launch({ program: riscvFixture('floats', variant), cpu });
      await assert.rejects(refused, new RegExp(`-mabi ending in ${letter}\\), but the session runs on ${cpu}:`));
    }));
}
