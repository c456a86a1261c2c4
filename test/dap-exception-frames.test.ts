/**
 * The stack of an exception handler by DAP. No exception is taken in a session, so the program does what the processor does when it takes
 * one (Armv7-M B1.5.6): it stores the registers on the main or the process stack and goes to the handler with EXC_RETURN in lr.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot, withAdapter } from './support/dap-client';
import { markerLine } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const handler = ['ldr r12, =handler', 'bx r12', '.ltorg', '.align 2', '1:'];
const store = [0, 1, 2, 3].map((n) => `str r${n}, [sp, #${4 * n}]`);
const rest = ['str r12, [sp, #16]', 'str lr, [sp, #20]', 'adr r0, 1f', 'str r0, [sp, #24]'];
const main = ['sub sp, #32', ...store, ...rest, 'mov r0, #0x01000000', 'str r0, [sp, #28]', 'mov r0, #5', 'mvn lr, #6'];
/** The frame is a word lower than it would have to be, which xPSR says. */
const onProcessStack = [
  'mov r0, #0x200',
  'str r0, [sp, #28]',
  'mov r0, sp',
  'msr psp, r0',
  'sub sp, #128',
  'mov r0, #6',
  'mvn lr, #2',
];
const process = ['sub sp, #36', ...store, ...rest, ...onProcessStack];
const assembler = (lines: readonly string[]): string =>
  `__asm__ volatile("${[...lines, ...handler].join('\\n')}" ::: "memory");`;

const text = [
  'volatile int trace;',
  'int __attribute__((noinline, used)) handler(int irq) {',
  '  trace += irq; // #HANDLER',
  '  return trace;',
  '}',
  'int __attribute__((noinline)) interrupted(int first, int second) {',
  '  int local = first * 3 + trace;',
  `  ${assembler(main)} // #MAIN`,
  '  return local + first + second;',
  '}',
  'int __attribute__((noinline)) thread(int first, int second) {',
  '  int local = first * 3 + trace;',
  `  ${assembler(process)} // #PROCESS`,
  '  return local + first + second;',
  '}',
  'int entry(int which) {',
  '  return (which ? thread(7, 8) : interrupted(7, 8)) + trace; // #CALL',
  '}',
  '__attribute__((section(".exported_sym"), used)) const void *const exported[] = { "entry", (const void *)entry };',
];

describe('the stack of an exception handler', () => {
  for (const [level, which, name, marker] of [
    ['-O0', 0, 'interrupted', 'MAIN'],
    ['-O2', 1, 'thread', 'PROCESS'],
  ] as const) {
    it(`leads to what was interrupted, with its values (${level})`, async (t) => {
      const compiler = requireTool(t, 'arm-none-eabi-gcc');
      if (compiler === undefined) return;
      const work = mkdtempSync(join(tmpdir(), 'exception-'));
      try {
        const source = join(work, 'handler.c');
        writeFileSync(source, text.join('\n'));
        const program = join(work, 'handler.elf');
        const flags = ['-mcpu=cortex-m3', '-mthumb', '-mlong-calls', level, '-g', '-fno-unwind-tables'];
        runTool(compiler, [...flags, '-c', source, '-o', join(work, 'handler.o')]);
        const script = join(projectRoot, 'scripts/relocatable.ld');
        runTool('arm-none-eabi-ld', ['-r', '-T', script, join(work, 'handler.o'), '-o', program]);
        const line = (marker: string): number => markerLine(source, marker);
        await withAdapter(async (adapter) => {
          const breakpoints = [{ path: source, breakpoints: [{ line: line('HANDLER') }] }];
          await adapter.launchToStop({ program, entry: 'entry', args: [which] }, breakpoints);
          const frames = await adapter.stack();
          assert.deepEqual(
            frames.map((frame) => frame.name),
            ['handler', 'exception entry', name, 'entry', 'llext_call_fn'],
          );
          assert.deepEqual([frames[1].presentationHint, frames[1].canRestart], ['label', false]);
          assert.ok([line(marker), line(marker) + 1].includes(frames[2].line));
          assert.equal(frames[3].line, line('CALL'));
          for (const [expression, value] of [
            ['first', '7'],
            ['second', '8'],
            ['local', '21'],
          ])
            assert.equal((await adapter.evaluate(expression, 'watch', frames[2].id)).result, value);
        });
      } finally {
        rmSync(work, { recursive: true });
      }
    });
  }
});
