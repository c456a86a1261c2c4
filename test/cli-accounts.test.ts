/**
 * `llext run --coverage lcov --profile --trace-calls --json`. Counts per line are compared with a run that executes one instruction at a
 * time, and llvm-dwarfdump's line table; lcov itself reads the tracefile. Depths and calls follow from the disassembly and sources.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../cli/run';
import { ElfFile } from '../lib/elf/elf-file';
import { cpuForElf } from '../lib/program/cpu-for-elf';
import { EmulatedTarget } from '../lib/target/emulated-target';
import { dumpedLines } from './support/dwarfdump';
import { examplePath, fixturePath, markerLine, projectRoot, riscvFixture } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const watched = (variant: string): string => join(projectRoot, `test/dap-programs/watched.${variant}.elf`);
const source = join(projectRoot, 'test/dap-programs/watched.c');

/** Zephyr's LLEXT_MAX_NAME_LEN. */
const shortened = (name: string): string => name.slice(0, 15);

async function runCommand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const code = await run(args, {
    stdout: { write: (part) => (text.stdout += part) },
    stderr: { write: (part) => (text.stderr += part) },
  });
  return { code, ...text };
}

function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'llext-accounts-'));
  return body(folder).finally(() => rmSync(folder, { recursive: true }));
}

interface Steps {
  /** Executions by offset in .text. */
  readonly counts: Map<number, number>;
  readonly lowest: number;
}

/** Each instruction of the extension by itself, without accounts; host functions are no instructions of it. */
async function singleSteps(file: string, argument: bigint): Promise<Steps> {
  const bytes = readFileSync(file);
  const target = EmulatedTarget.create({ cpu: cpuForElf(ElfFile.parse(bytes)), jit: 'off' });
  const loaded = target.loadExtension({ name: 'judged', bytes });
  assert.ok(loaded.loaded);
  const text = loaded.extension.sections.find(({ name }) => name === '.text');
  const entry = loaded.extension.expTab.symbols.find(({ name }) => name === 'entry' || name === 'test_entry');
  assert.ok(text !== undefined && entry !== undefined);
  const counts = new Map<number, number>();
  target.prepareCall(entry.address, [argument], target.bringUpCalls());
  let lowest = Infinity;
  for (;;) {
    const pc = target.readRegisterNow('pc');
    const before = target.machine.instructionCount;
    const stop = await target.resume({ kind: 'step-instruction' });
    if (target.machine.instructionCount > before) {
      const at = Number(pc - text.address);
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    if (stop.reason !== 'step') return { counts, lowest };
    lowest = Math.min(lowest, target.machine.state.read('sp'));
  }
}

/** Of the lines of the first file: the most that any instruction of it was executed. */
function judgedLines(dwarfdump: string, file: string, { counts }: Steps): Map<number, number> {
  const lines = new Map<number, number>();
  for (const rows of dumpedLines(dwarfdump, file)) {
    for (let i = 0; i + 1 < rows.length; i++) {
      const [{ address, line, endSequence }, next] = [rows[i], rows[i + 1]];
      if (endSequence || next.address === address) continue;
      const executed = [...counts].filter(([at]) => at >= address && at < next.address).map(([, count]) => count);
      if (line !== 0) lines.set(line, Math.max(lines.get(line) ?? 0, ...executed));
    }
  }
  return lines;
}

const listOf = (text: string, pattern: RegExp): number[][] =>
  [...text.matchAll(pattern)].map(([, line, count]) => [Number(line), Number(count)]);

for (const [file, argument] of [
  ...[0, 2, 4, 5].map((what) => [watched('m3-O0'), what] as const),
  [fixturePath('arith', 'm3-O0'), 7] as const,
  [fixturePath('control', 'm3-O0'), 5] as const,
]) {
  test(`lines of ${file.replace(/.*\//, '')} ${argument} as one counts them by hand`, (t) =>
    inFolder(async (folder) => {
      const dwarfdump = requireTool(t, 'llvm-dwarfdump-14');
      const lcov = requireTool(t, 'lcov');
      if (dwarfdump === undefined || lcov === undefined) return;
      const output = join(folder, 'lcov.info');
      const args = [file, '--arg', String(argument), '--coverage', 'lcov', '--output', output];
      assert.equal((await runCommand(...args)).code, 0);
      const text = readFileSync(output, 'utf8');
      const expected = judgedLines(dwarfdump, file, await singleSteps(file, BigInt(argument)));
      assert.deepEqual(
        listOf(text, /^DA:(\d+),(\d+)$/gm),
        [...expected].sort(([a], [b]) => a - b),
      );
      // lcov's own sums of what it has read.
      const hit = [...expected.values()].filter((count) => count > 0).length;
      const summary = runTool(lcov, ['--summary', output]);
      assert.match(summary, new RegExp(`\\(${hit} of ${expected.size} lines\\)`));
    }));
}

const variants = ['m3-O0', 'rv32imac', 'rv64imac'];

for (const variant of variants)
  test(`functions, the deepest stack, and what is executed in all, as JSON (${variant})`, () => checkReport(variant));

async function checkReport(variant: string): Promise<void> {
  const file = watched(variant);
  const { code, stdout, stderr } = await runCommand(file, '--arg', '5', '--json');
  assert.deepEqual([code, stderr], [0, 'entry returned 14 (0xe)\n']);
  const report = JSON.parse(stdout) as {
    instructions: number;
    stack: { bytes: number; in: string; calls: string[] };
    functions: { name: string; count: number; line: number }[];
  };
  const { counts, lowest } = await singleSteps(file, 5n);
  assert.equal(
    report.instructions,
    [...counts.values()].reduce((sum, count) => sum + count, 0),
  );
  // deeper(3) calls itself three times: four activations, the last of which is the deepest.
  const { map } = EmulatedTarget.create().kernel.image;
  assert.equal(report.stack.bytes, map.stack.base + map.stack.size - lowest);
  assert.deepEqual(
    report.stack.calls,
    ['entry', 'deeper', 'deeper', 'deeper', 'deeper'].map((name) => `${shortened(`watched.${variant}`)}:${name}`),
  );
  const deeper = report.functions.find(({ name }) => name === 'deeper');
  assert.equal(deeper?.count, 4);
  assert.equal(report.functions.find(({ name }) => name === 'once')?.count, 0);
  assert.equal(deeper?.line, markerLine(source, 'MINE') - 7);
}

test('calls across the border, in words', async () => {
  const files = ['dep_base', 'dep_user'].map((name) => examplePath(`dependency/${name}.llext`));
  const { code, stdout, stderr } = await runCommand(...files, '--arg', '3', '--trace-calls');
  assert.equal(code, 0);
  assert.match(stdout, /^dep_base: call 1 adds 3\ndep_user: 100 -> 103/);
  assert.deepEqual(
    stderr
      .split('\n')
      .slice(1, 7)
      .map((line) => line.replace(/0x[0-9a-f]+/, 'TEXT')),
    [
      'host -> dep_user:entry(3)',
      '  dep_user:entry -> dep_base:dep_base_add(3)',
      '    dep_base:dep_base_add -> host printk(TEXT)',
      '  dep_base:dep_base_add returns 103',
      '  dep_user:entry -> host printk(TEXT)',
      'dep_user:entry returns 3',
    ],
  );
});

test('a profile in words; what is asked for wrongly', async () => {
  const { stderr } = await runCommand(watched('rv32imac'), '--arg', '6', '--profile');
  assert.match(stderr, /^entry returned 1001 .*\n\d+ instructions\n {2}instructions +share +calls +function\n/);
  assert.match(stderr, /\n +\d+ +[\d.]+ % +1000 {2}bump of watched/);
  assert.match(stderr, /\n +\d+ +[\d.]+ % +1000 {2}watched\.c:\d+\n/);
  assert.match(stderr, /\nstack: at most \d+ bytes, in /);
  assert.equal((await runCommand(watched('rv32imac'), '--coverage', 'gcov')).code, 2);
  assert.equal((await runCommand(watched('rv32imac'), '--output', 'file')).code, 2);
  const bad = await runCommand(watched('rv32imac'), '--coverage', 'lcov', '--output', '/no/such/folder/file');
  assert.deepEqual([bad.code, /cannot write/.test(bad.stderr)], [2, true]);
});

for (const [variant, pointer] of [
  ['m3-O0', 4],
  ['rv32imac-Os', 4],
  ['rv64imac-O2', 8],
] as const) {
  test(`the heap's use, by the sizes of Zephyr's chunks (${variant})`, async () => {
    const file = variant.startsWith('rv') ? riscvFixture('strings', variant) : fixturePath('strings', variant);
    const { stdout } = await runCommand(file, '--json');
    const { heap } = JSON.parse(stdout) as { heap: Record<string, unknown> };
    // k_malloc(100) and k_malloc(20): a reference each, chunks of 8 bytes with a header of the same size (sys_heap).
    const usable = (size: number): number => Math.ceil((size + 2 * pointer) / 8) * 8 - pointer;
    const peak = usable(100) + usable(20);
    assert.deepEqual(heap, { [shortened(`strings.${variant}`)]: { current: 0, peak, allocations: 2, frees: 2 } });
  });
}

for (const variant of ['rv32imac', 'rv64imac']) {
  test(`calls across the border on RISC-V (${variant})`, async () => {
    const { stderr } = await runCommand(examplePath(`riscv/hello.${variant}.llext`), '--trace-calls');
    const calls = stderr.split('\n').filter((line) => /->|^ *hello.* returns/.test(line));
    const greeting = `  hello.${variant}:greet -> host printk(TEXT)`;
    assert.deepEqual(
      calls.map((line) => line.replace(/0x[0-9a-f]+/, 'TEXT')),
      [
        `host -> hello.${variant}:entry()`,
        ...[greeting, greeting, greeting],
        `  hello.${variant}:entry -> host printk(TEXT)`,
        `hello.${variant}:entry returns 6`,
      ],
    );
  });
}
