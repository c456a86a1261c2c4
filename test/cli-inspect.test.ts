/**
 * `llext inspect` and lib/llext/inspect: the regions that golden's loader computed, and every warning of a build that
 * Zephyr would refuse.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { inspect, inspectHelp } from '../cli/inspect';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { inspectRegions } from '../lib/llext/inspect';
import { buildElf, data, func, text } from './support/elf-builder';
import type { ElfPlan } from './support/elf-builder';
import { goldenCases, isArmImage, trimmedRoot } from './support/golden';

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const status = await inspect(args, {
    stdout: { write: (text_) => (stdout += text_) },
    stderr: { write: (text_) => (stderr += text_) },
  });
  return { status, stdout, stderr };
}

const elf = (variant: string, file: string): string => join(trimmedRoot, variant, file);

interface Sect {
  readonly region: string;
  readonly offset: string;
  readonly size: string;
  readonly prepad: number;
}

test('regions are those of golden, exports too', () => {
  let compared = 0;
  for (const { golden, id } of goldenCases(trimmedRoot, isArmImage)) {
    if (golden.elf === null) continue;
    const op = golden.runs[0].ops.find((candidate) => candidate.op === 'load' && candidate.file === golden.elf);
    if (op === undefined || op.ret !== 0) continue;
    const { regions, exports, problem } = inspectRegions(ElfFile.parse(readFileSync(elf(golden.variant, golden.elf))));
    const expected = (op.ldr_sects as Sect[]).map(({ region, offset, size, prepad }) => [region, offset, size, prepad]);
    const hex = (value: number): string => `0x${value.toString(16)}`;
    const actual = regions.map(({ name, fileOffset, size, prepad }) => [name, hex(fileOffset), hex(size), prepad]);
    assert.deepEqual(actual, expected, id);
    assert.equal(problem, undefined, id);
    // ET_DYN has the names only after a dynamic linker.
    if (golden.variant !== 'm3-pic-so') {
      const table = op.exp_tab as { syms: { name: string }[] };
      assert.deepEqual(
        exports.map(({ name }) => name),
        table.syms.map(({ name }) => name),
        id,
      );
    }
    compared++;
  }
  assert.ok(compared > 40, String(compared));
});

const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };

test('sections of a refused file still have their regions', () => {
  const plan: ElfPlan = { ...plain, sections: [text(), data([1, 2, 3, 4]), text([0, 0, 0, 0], '.text2')] };
  const { regions, problem } = inspectRegions(ElfFile.parse(buildElf(plan)));
  assert.match(problem ?? '', /^Region 0 ELF file range .* overlaps with 1 .* \(-ENOEXEC\)$/);
  assert.deepEqual(
    regions[0].sections.map(({ name, offset }) => [name, offset]),
    [
      ['.text', undefined],
      ['.text2', undefined],
    ],
  );
});

test('for people', async () => {
  const { status, stdout } = await run(elf('m3', 'data.elf'), elf('m3-unwind', 'data.elf'));
  assert.equal(status, 0);
  assert.match(stdout, /data\.elf: EM_ARM ET_REL, 32-bit little-endian, 16 sections/);
  assert.match(stdout, /^ {2}TEXT +156 {2}\.text +\+0x0 +156$/m);
  assert.match(stdout, /^ {2}poke +\.text\+0x1 +156 bytes$/m);
  assert.match(stdout, /^ +\d+ {2}R_ARM_ABS32$/m);
  assert.match(stdout, /^llext_load accepts this file where all imports are provided$/m);
  assert.match(
    stdout,
    /^ {2}error: '\.ARM\.exidx' has relocations, and no region takes it: .*-fno-unwind-tables.* \[arm-exidx\]$/m,
  );
  assert.match(stdout, /^llext_load refuses this file: Section \d+ not loaded in any memory region \(-ENOEXEC\)$/m);
});

test('--json', async () => {
  const { stdout } = await run(elf('m3', 'hello.elf'), '--json');
  const json = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(json.header, {
    ...{ class: 32, data: 'little-endian', type: 'ET_REL', machine: 'EM_ARM', flags: '0x5000000' },
    ...{ sections: 13, symbols: 15 },
  });
  assert.deepEqual(json.imports, [{ name: 'printk', built_in: true }]);
  assert.deepEqual(json.relocations, { R_ARM_ABS32: 4 });
  assert.equal(
    (JSON.parse((await run(elf('m3', 'hello.elf'), elf('m3', 'data.elf'), '--json')).stdout) as []).length,
    2,
  );
});

test('usage and unreadable files', async () => {
  assert.deepEqual(await run('--help'), { status: 0, stdout: inspectHelp, stderr: '' });
  assert.match((await run()).stderr, /no file is given/);
  assert.match((await run('--wrong')).stderr, /Unknown option/);
  const bad = await run(elf('m3', 'bad_trunc3.elf'));
  assert.deepEqual([bad.status, bad.stdout], [1, '']);
  assert.match(bad.stderr, /not an ELF file/);
  assert.throws(() => ElfFile.parse(readFileSync(elf('m3', 'bad_trunc3.elf'))), FormatError);
});
