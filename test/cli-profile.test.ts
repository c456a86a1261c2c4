/**
 * `llext load --profile --mode --config`: what they change, what the JSON says of assumed rules, and what a user gets for
 * names and values that do not exist.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loaderConfigNames } from '../cli/config-option';
import { load, loadHelp } from '../cli/load';
import * as C from '../lib/elf/constants';
import { buildElf, data, func, text, undefinedSymbol } from './support/elf-builder';

const folder = mkdtempSync(join(tmpdir(), 'cli-profile-'));
after(() => rmSync(folder, { recursive: true }));

const plain = join(folder, 'plain.elf');
writeFileSync(plain, buildElf({ sections: [text(), data([1, 2, 3, 4])], symbols: [func('f')] }));

async function run(...args: string[]) {
  let [stdout, stderr] = ['', ''];
  const status = await load(args, {
    stdout: { write: (line) => (stdout += line) },
    stderr: { write: (line) => (stderr += line) },
  });
  return { status, stdout, stderr };
}

interface Json {
  readonly ret: number;
  readonly assumed: readonly { readonly rule: string; readonly section: string }[];
  readonly regions: readonly { readonly region: string; readonly idx: number }[];
  readonly alloc_size: number;
}

async function json(...args: string[]): Promise<Json> {
  const { stdout } = await run(plain, '--json', ...args);
  return JSON.parse(stdout) as Json;
}

test('--profile: the rules that a load rested on without a check are in the JSON', async () => {
  assert.deepEqual((await json()).assumed, []);
  assert.deepEqual((await json('--profile', 'V41')).assumed, []);
  const { ret, assumed } = await json('--profile', 'S');
  assert.equal(ret, 0);
  assert.deepEqual(assumed, [
    { rule: 'regionEnum', section: '1.5' },
    { rule: 'structLayout', section: '2.1' },
  ]);
});

test('--config: options of the loader, with or without CONFIG_, in their order', async () => {
  const numbers = async (...args: string[]) =>
    (await json(...args)).regions.map(({ region, idx }) => `${region}${idx}`);
  const plainNumbers = ['TEXT0', 'DATA1', 'SYMTAB5', 'STRTAB6', 'SHSTRTAB7'];
  assert.deepEqual(await numbers('--profile', 'S'), plainNumbers);
  const shifted = ['--profile', 'S', '--config', 'CONFIG_LLEXT_VENEERS=y', '--config', 'LLEXT_RODATA_NO_RELOC=y'];
  assert.deepEqual(await numbers(...shifted), ['TEXT0', 'DATA1', 'SYMTAB7', 'STRTAB8', 'SHSTRTAB9']);
  assert.deepEqual(await numbers(...shifted, '--config', 'LLEXT_VENEERS=n'), [
    ...['TEXT0', 'DATA1', 'SYMTAB6', 'STRTAB7', 'SHSTRTAB8'],
  ]);
  const sizes = await Promise.all([json(), json('--config', 'ARM_MPU=y')]);
  // Each of two regions of 4 bytes becomes 32.
  assert.equal(sizes[1].alloc_size - sizes[0].alloc_size, 2 * (32 - 4));
});

test('--mode abi-correct: a weak import that nothing provides is 0 instead of an error', async () => {
  const weak = join(folder, 'weak.elf');
  const file = buildElf({
    sections: [text(), data([0, 0, 0, 0])],
    symbols: [func('f'), undefinedSymbol('absent', C.STB_WEAK)],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: 'absent' }],
  });
  writeFileSync(weak, file);
  assert.equal((await run(weak)).status, 1);
  assert.equal((await run(weak, '--mode', 'exact')).status, 1);
  assert.equal((await run(weak, '--mode', 'abi-correct')).status, 0);
});

test('what does not exist is refused, and what exists is listed', async () => {
  const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
    [/--profile: 'V40' is none of SEED, V41, V44, S/, ['--profile', 'V40']],
    [/--mode: 'loose' is none of exact, abi-correct/, ['--mode', 'loose']],
    [/--config: 'LLEXT_VENEER=y' is not NAME=VALUE of /, ['--config', 'LLEXT_VENEER=y']],
    [/--config: 'MMU' is not NAME=VALUE of /, ['--config', 'MMU']],
    [/--config: 'maybe' is neither y nor n/, ['--config', 'MMU=maybe']],
    [/--config: 'big' is not a number/, ['--config', 'MMU_PAGE_SIZE=big']],
  ];
  for (const [message, args] of wrong) {
    const { status, stderr } = await run(plain, ...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
  }
  const { stderr } = await run(plain, '--config', 'X=y');
  assert.ok(loaderConfigNames.every((name) => stderr.includes(name)));
  for (const option of ['--profile', '--mode', '--config']) assert.ok(loadHelp.includes(option));
});
