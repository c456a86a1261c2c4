/**
 * `llext load`: golden's fields on golden's cases, with predicted and with given places, several files in order, and
 * what a user gets for a refused file or a wrong command line.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { load, loadHelp } from '../cli/load';
import type { GoldenOp, GoldenRun } from './support/golden';
import { goldenCases, isArmImage, trimmedRoot } from './support/golden';
import { examplePath } from './support/fixtures';

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Result> {
  let stdout = '';
  let stderr = '';
  const status = await load(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { status, stdout, stderr };
}

const storages = ['temporary', 'persistent', 'writable'];
const elf = (variant: string, file: string): string => join(trimmedRoot, variant, file);
const armImage = join(trimmedRoot, 'images', 'arm.json');

function argumentsOf(run: GoldenRun, op: GoldenOp, placed: boolean): string[] {
  const flags: string[] = ['--base', join(trimmedRoot, 'images', `${run.image}.json`), '--json'];
  flags.push('--storage', storages[op.storage ?? 0], '--buffer', op.buf ?? '0x0');
  if (op.nopeek === 1) flags.push('--no-peek');
  if (op.keep === 1) flags.push('--keep-section-info');
  if (op.relocate_local === 0) flags.push('--no-relocate-local');
  if (op.pre_located === 1) flags.push('--pre-located');
  if (placed) for (const { region, addr } of op.regions ?? []) flags.push('--place', `${region}=${addr}`);
  return flags;
}

/** Fields that golden has and that must be equal; names of files and of unloaded extensions are the test's own. */
const compared =
  'file_len storage relocate_local pre_located keep nopeek buf ret ext use_count alloc_size sect_cnt sect_hdrs';
const more = 'sect_hdrs_on_heap dependency regions sym_tab exp_tab ldr_sects free_inspection_ret alloc_size_after_free';

function assertEqualToGolden(actual: Record<string, unknown>, op: GoldenOp, where: string): void {
  for (const key of `${compared} ${more}`.split(' ')) assert.deepEqual(actual[key], op[key], `${where} ${key}`);
  const map = actual.sect_map as { sect: number; mem_idx: number; offset: number; ptr: string }[] | undefined;
  if (op.sect_map !== undefined) {
    const plain = map?.map(({ sect, mem_idx, offset, ptr }) => ({ sect, mem_idx, offset, ptr }));
    assert.deepEqual(plain, op.sect_map, `${where} sect_map`);
  }
  const known = (log: readonly string[]): string[] => log.filter((line) => !line.includes('Loaded extension'));
  assert.deepEqual(known(actual.log as string[]), known(op.log ?? []), `${where} log`);
}

for (const placed of [false, true]) {
  test(`golden's single loads, ${placed ? 'placed' : 'predicted'}`, async () => {
    let count = 0;
    for (const { golden, id } of goldenCases(trimmedRoot, isArmImage)) {
      // Names read from flash that the image does not describe differ in m3-pic-so.
      if (golden.elf === null || golden.variant === 'm3-pic-so') continue;
      for (const goldenRun of golden.runs) {
        const op = goldenRun.ops[0];
        if (goldenRun.ops.filter((other) => other.op === 'load').length > 1 && op.ret === 0) continue;
        const file = existsSync(elf(golden.variant, op.file ?? '')) ? (op.file ?? '') : golden.elf;
        const { status, stdout } = await run(elf(golden.variant, file), ...argumentsOf(goldenRun, op, placed));
        assert.equal(status, op.ret === 0 ? 0 : 1);
        assertEqualToGolden(JSON.parse(stdout) as Record<string, unknown>, op, `${id} ${goldenRun.mode}`);
        count++;
      }
    }
    assert.ok(count > 150, `${count} loads`);
  });
}

test('two files in order: places by name, dependency, buffers page after page', async () => {
  let count = 0;
  for (const { golden, id } of goldenCases(trimmedRoot, isArmImage)) {
    if (!id.endsWith('/dep_user')) continue;
    for (const goldenRun of golden.runs) {
      const [base, user] = goldenRun.ops.filter(({ op }) => op === 'load');
      // The command line has one set of flags for all files; golden's first load is always a plain one.
      if (user.ret !== 0 || user.storage !== base.storage || user.nopeek !== base.nopeek) continue;
      const places = [base, user].flatMap(({ req_name, regions }) =>
        (regions ?? []).flatMap(({ region, addr }) => ['--place', `${req_name}:${region}=${addr}`]),
      );
      const files = ['dep_base.elf', 'dep_user.elf'].map((file) => elf(golden.variant, file));
      for (const extra of [[], places]) {
        const flags = argumentsOf(goldenRun, user, false).filter((flag) => flag !== '--keep-section-info');
        const at = flags.indexOf('--buffer');
        flags.splice(at, 2, '--buffer', base.buf ?? '', ...extra);
        const { status, stdout } = await run(...files, ...flags);
        assert.equal(status, 0);
        const [first, second] = JSON.parse(stdout) as Record<string, unknown>[];
        for (const key of ['ext', 'buf', 'regions', 'sym_tab', 'exp_tab', 'ldr_sects', 'dependency']) {
          assert.deepEqual(first[key], base[key], `${id} ${goldenRun.mode} ${key} of dep_base`);
          assert.deepEqual(second[key], user[key], `${id} ${goldenRun.mode} ${key} of dep_user`);
        }
        count++;
      }
    }
  }
  assert.ok(count > 0);
});

test('sect_map names its sections, also when the target does not keep it', async () => {
  const { stdout } = await run(elf('m3', 'hello.elf'), '--base', armImage, '--json');
  const map = (JSON.parse(stdout) as { sect_map: { name: string; region?: string; ptr: string }[] }).sect_map;
  assert.deepEqual(
    map.slice(0, 3).map(({ name, region }) => [name, region]),
    [
      ['', undefined],
      ['.text', 'TEXT'],
      ['.rel.text', undefined],
    ],
  );
  assert.equal(map[1].ptr, '0x200c771c');
});

test('placed outside of the heap', async () => {
  const { stdout, stderr } = await run(
    ...[elf('m3', 'hello.elf'), '--base', armImage, '--json'],
    ...['--place', 'TEXT=0x10000000', '--place', 'other:TEXT=0x11000000'],
  );
  const { regions } = JSON.parse(stdout) as { regions: { region: string; addr: string; on_heap: boolean }[] };
  assert.deepEqual(
    regions.slice(0, 1).map(({ addr, on_heap }) => [addr, on_heap]),
    [['0x10000000', true]],
  );
  assert.equal(stderr, '');
});

test('placed where the heap would have put struct llext: that moves out of the way', async () => {
  const args = [elf('m3', 'hello.elf'), '--base', armImage, '--json', '--place', 'TEXT=0x200c7554'];
  const { status, stdout } = await run(...args);
  assert.equal(status, 0);
  const { regions, ext } = JSON.parse(stdout) as { regions: { addr: string }[]; ext: string };
  assert.equal(regions[0].addr, '0x200c7554');
  assert.notEqual(ext, '0x200c7554');
});

test('a placement wins over the use in place; a region that does not exist is not placed, and that is said', async () => {
  const args = [elf('m3', 'hello.elf'), '--base', armImage, '--storage', 'persistent', '--json'];
  const { status, stdout, stderr } = await run(...args, '--place', 'RODATA=0x10000000', '--place', 'BSS=0x10001000');
  assert.equal(status, 0);
  const { regions } = JSON.parse(stdout) as { regions: { region: string; addr: string; on_heap: boolean }[] };
  const rodata = regions.find(({ region }) => region === 'RODATA');
  assert.deepEqual([rodata?.addr, rodata?.on_heap], ['0x10000000', true]);
  assert.match(stderr, /BSS of 'hello' is not placed: it has none/);
  const located = await run(...args, '--pre-located', '--storage', 'writable', '--place', 'TEXT=0x20001034');
  assert.deepEqual([located.status, located.stderr], [0, '']);
});

test('for people: regions, sections, exports, dependencies, gdb flags', async () => {
  const files = ['dep_base.elf', 'dep_user.elf'].map((name) => elf('m3', name));
  const { status, stdout, stderr } = await run(...files, '--base', armImage);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  assert.match(
    stdout,
    /dep_base.elf: loaded as 'dep_base', struct llext at 0x200c7554, 581 bytes in heap, use count 1/,
  );
  assert.match(stdout, /^ {2}TEXT +0x200c773c +24 {2}heap$/m);
  assert.match(stdout, /^ {2}base_value +0x200c775c$/m);
  assert.match(stdout, /^depends on dep_base$/m);
  assert.match(stdout, /^gdb add-symbol-file flags:\n {2}-s .text 0x200c773c\n {2}-s .data 0x200c775c$/m);
  const again = await run(files[0], files[0], '--base', armImage);
  assert.match(again.stdout, /'dep_base' is loaded already, use count 2/);
});

test('a refused file: the code, Zephyr’s messages, all missing imports with the nearest names', async () => {
  const path = examplePath('missing-import/missing.llext');
  const { status, stderr } = await run(path);
  assert.equal(status, 1);
  assert.match(stderr, /refused, llext_load returns -61 \(-ENODATA\)/);
  assert.match(stderr, /Undefined symbol with no entry in symbol table memcopy/);
  assert.match(stderr, /imports that nothing provides\n/);
  assert.match(stderr, /^ {2}memcopy +nearest: memcpy/m);
  const json = JSON.parse((await run(path, '--json')).stdout) as { ret: number; error: string; missing: object[] };
  assert.equal(json.ret, -61);
  assert.equal(json.error, '-ENODATA');
  assert.ok(json.missing.length > 1);
});

test('the built-in base image is the default', async () => {
  const { status, stdout } = await run(examplePath('hello/hello.llext'));
  assert.equal(status, 0);
  assert.match(stdout, /^exports\n/m);
});

test('--heap: where each kind of heap has the code, with Kconfig’s sizes from the base image’s heap on', async () => {
  const text = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(elf('m3', 'hello.elf'), '--base', armImage, '--json', ...args);
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { regions: { addr: string }[] }).regions[0].addr;
  };
  const plain = await text();
  assert.equal(await text('--heap', 'kheap'), plain);
  assert.equal(await text('--heap', 'dynamic'), plain);
  const heap = 0x200c_7508;
  // The first allocation of the instruction heap; behind SHSTRTAB (106 bytes) and STRTAB (35) in blocks of 32.
  const instruction = Number(await text('--heap', 'harvard')) - heap;
  assert.ok(instruction > 0 && instruction < 0x80, String(instruction));
  const block = Math.ceil(heap / 32) * 32 + 4 * 32 + 2 * 32;
  assert.equal(await text('--heap', 'memblk', '--profile', 'V44'), `0x${block.toString(16)}`);
});

test('--help', async () => {
  assert.deepEqual(await run('--help'), { status: 0, stdout: loadHelp, stderr: '' });
});

test('wrong usage: 2, and the reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cli-load-'));
  try {
    const file = elf('m3', 'hello.elf');
    const image = (name: string, contents: string): string => {
      writeFileSync(join(folder, name), contents);
      return join(folder, name);
    };
    const rows: [RegExp, string[]][] = [
      [/no file is given/, []],
      [/Unknown option '--wrong'/, ['--wrong']],
      [/cannot read nowhere\.elf/, ['nowhere.elf']],
      [/--storage: 'flash' is none of/, [file, '--storage', 'flash']],
      [/--place: 'TEXT' is not \[NAME:\]REGION=ADDRESS/, [file, '--place', 'TEXT']],
      [/--place: 'CODE' is none of TEXT/, [file, '--place', 'CODE=0x1000']],
      [/--place TEXT: 'here' is not a number/, [file, '--place', 'TEXT=here']],
      [/--heap: 'stack' is none of kheap, harvard, memblk, dynamic/, [file, '--heap', 'stack']],
      [/--heap: this version of Zephyr has no CONFIG_LLEXT_HEAP_MEMBLK/, [file, '--heap', 'memblk']],
      [/--profile: 'V40' is none of SEED, V41, V44, S/, [file, '--profile', 'V40']],
      [/--buffer: '-1' is not a number/, [file, '--buffer=-1']],
      [/must be aligned to 4/, [file, '--base', armImage, '--place', 'TEXT=0x10000002']],
      [
        /TEXT of 'hello' at 0x200c7508: 24 bytes are not free there/,
        [file, '--base', armImage, '--place', 'TEXT=0x200c7508'],
      ],
      [
        /STRTAB of 'hello' at 0x200d0004: 35 bytes are not free there/,
        [...[file, '--base', armImage], ...['--place', 'STRTAB=0x200d0004', '--place', 'TEXT=0x200d0004']],
      ],
      [
        /TEXT of 'hello' at 0x10000000 is there/,
        [...[file, '--base', armImage], ...['--place', 'TEXT=0x10000000', '--place', 'RODATA=0x10000004']],
      ],
      [/neither an ELF file nor JSON/, [file, '--base', image('a.json', '{')]],
      [/config is not an object/, [file, '--base', image('b.json', '{"config":4}')]],
      [/ptr_size is neither 4 nor 8/, [file, '--base', image('c.json', '{"config":{},"ptr_size":2}')]],
      [/pool is not an address/, [file, '--base', image('d.json', '{"config":{},"pool":4.5}')]],
    ];
    for (const [reason, args] of rows) {
      const { status, stdout, stderr } = await run(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, reason);
      assert.equal(stdout, '');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
