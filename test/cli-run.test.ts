/** `llext run`: what goes to standard output and standard error, and the exit code. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, runUsage } from '../cli/run';
import { ElfFile } from '../lib/elf/elf-file';

const example = (file: string): string => join(import.meta.dirname, '..', 'examples', file);

const fixture = (file: string): string => join(import.meta.dirname, 'fixtures', file);

async function runCommand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const code = await run(args, {
    stdout: { write: (part) => (text.stdout += part) },
    stderr: { write: (part) => (text.stderr += part) },
  });
  return { code, ...text };
}

test('output on stdout, the return value on stderr, exit code 0', async () => {
  assert.deepEqual(await runCommand(example('hello/hello.llext')), {
    code: 0,
    stdout: 'Hello Ada, you are number 1\nHello Grace, you are number 2\nHello Edsger, you are number 3\n3 greetings\n',
    stderr: 'entry returned 6 (0x6)\n',
  });
});

test('several files are loaded in order; arguments are decimal, hexadecimal or negative', async () => {
  const files = [example('dependency/dep_base.llext'), example('dependency/dep_user.llext')];
  const { code, stdout, stderr } = await runCommand(...files, '--arg', '-2');
  assert.deepEqual([code, stderr], [0, 'entry returned -2 (0xfffffffe)\n']);
  assert.match(stdout, /dep_user: 100 -> 98/);
  const chosen = await runCommand(files[0], '--entry', 'dep_base_add', '--arg', '0x10', '--heap-size', '16');
  assert.deepEqual([chosen.code, chosen.stderr], [0, 'dep_base_add returned 116 (0x74)\n']);
});

test('one exported function among data is the entry; four arguments', async () => {
  const base = await runCommand(example('dependency/dep_base.llext'), '--arg', '1');
  assert.equal(base.stderr, 'dep_base_add returned 101 (0x65)\n');
  const args = ['4', '3', '2', '1'].flatMap((value) => ['--arg', value]);
  const four = await runCommand(fixture('entries.m3-O0.elf'), '--entry', 'weigh_four', ...args);
  assert.deepEqual(four, { code: 0, stdout: '4 3 2 1\n', stderr: 'weigh_four returned 1234 (0x4d2)\n' });
});

test('init functions run before the entry, fini functions after it', async () => {
  const { stdout } = await runCommand(example('init-fini/init_fini.llext'));
  assert.equal(stdout, 'preinit\nfirst init\nsecond init\nentry\nfini\n');
});

test('--check-owners and --shared-memory: whose data, and what is shared', async () => {
  const program = (name: string) => join(import.meta.dirname, 'safety-programs', name);
  // 0x20000800 is memory of the base image that it does not export.
  const run = (...more: string[]) =>
    runCommand(program('unsafe.m3-O0.elf'), '--arg', '20', '--arg', '0x20000800', '--check-memory', ...more);
  assert.match((await run()).stderr, /read of 4 bytes at 0x20000800, which is not the extension's/);
  assert.equal((await run('--shared-memory', '0x20000800:4:ro')).code, 0);
  for (const [wish, says] of [
    ['0x20000800:x', /'0x20000800:x' is no name, no ADDRESS:SIZE/],
    ['0x40000000:4', /^llext run: --shared-memory 0x40000000:4: nothing is mapped at 0x40000000/],
  ] as const) {
    const { code, stderr } = await run('--shared-memory', wish);
    assert.equal(code, 2);
    assert.match(stderr, says);
  }
  const owners = await runCommand(program('neighbour.m3-O2.elf'), program('clean.m3-O0.elf'), '--check-owners');
  assert.equal(owners.code, 0, owners.stderr);
});

test('--check-memory stops before what breaks a rule, with the C lines', async () => {
  const program = (name: string): string => join(import.meta.dirname, 'safety-programs', `${name}.m3-O2.elf`);
  const bad = await runCommand(program('unsafe'), '--arg', '2', '--check-memory');
  assert.equal(bad.code, 1);
  assert.match(
    bad.stderr,
    /^entry faulted: read of 1 byte at 0x\w+, which is not the extension's \(in the block of 13 bytes/,
  );
  assert.match(
    bad.stderr,
    /^ {2}at: unsafe\.c:\d+\n {2}allocated by malloc: unsafe\.c:\d+\n {2}freed by free: unsafe\.c:\d+\n/m,
  );
  assert.equal((await runCommand(program('unsafe'), '--arg', '2')).code, 0);
  assert.equal((await runCommand(program('clean'), '--check-memory')).code, 0);
});

test('debug information that cannot be read does not spoil a run', async () => {
  const bytes = new Uint8Array(readFileSync(example('hello/hello_ext_debug.elf')));
  const section = ElfFile.parse(bytes).section('.debug_info');
  assert.ok(section !== undefined);
  // sh_offset of .debug_info, which the loader never looks at, points far outside of the file.
  const headers = new DataView(bytes.buffer);
  headers.setUint32(headers.getUint32(32, true) + section.index * 40 + 16, 0x7fff_0000, true);
  const folder = mkdtempSync(join(tmpdir(), 'llext-run-'));
  try {
    const file = join(folder, 'hello.elf');
    writeFileSync(file, bytes);
    const { code, stderr } = await runCommand(file);
    assert.deepEqual([code, stderr], [0, 'entry returned 6 (0x6)\n']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a fault is exit code 1, in words', async () => {
  const { code, stdout, stderr } = await runCommand(
    example('faulting/faulting.llext'),
    '--arg=0',
    '--cpu',
    'cortex-m4',
  );
  assert.deepEqual([code, stdout], [1, 'fault number 0 follows\n']);
  assert.match(stderr, /^entry faulted: .*0x00000000.*NULL pointer.*read_null\+0x[0-9a-f]+ in \.text of faulting/);
});

test('a load error is exit code 1 and lists all missing imports', async () => {
  const { code, stdout, stderr } = await runCommand(example('missing-import/missing.llext'));
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /failed with ENODATA \(-61\)\n3 symbols are provided by neither/);
  assert.match(stderr, /\n {2}memcopy \(nearest: memcpy/);
  const folder = mkdtempSync(join(tmpdir(), 'llext-run-'));
  try {
    const file = join(folder, 'text.elf');
    writeFileSync(file, 'no ELF file');
    const refused = await runCommand(file);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /ENOEXEC/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('wrong usage is exit code 2 and says what is wrong', async () => {
  const hello = example('hello/hello.llext');
  const cases: [string[], RegExp][] = [
    [[], /no FILE\nusage: llext run/],
    [[hello, '--cpu', 'z80'], /--cpu: 'z80' is not one of cortex-m3/],
    [[hello, '--arg', 'x'], /--arg: 'x' is not an integer/],
    [[hello, '--arg', '0x100000000'], /does not fit into 32 bits/],
    [[hello, '--heap-size', '0'], /--heap-size: '0' is not a number of KiB from 1/],
    [[hello, '--entry', 'nothing'], /hello does not export a function 'nothing'; it exports entry/],
    [[hello, '--what'], /--what/],
    [
      [fixture('entries.m3-O0.elf')],
      /which function\? entries\.m3-O0 exports none, add_two, weigh_four, no_result; say/,
    ],
    [[fixture('entries.m3-O0.elf'), '--entry', 'exported_value'], /does not export a function 'exported_value'/],
    [['no-such-file'], /cannot read no-such-file/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(...args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, message);
  }
});

test('--help is the usage', async () => {
  assert.deepEqual(await runCommand('--help'), { code: 0, stdout: runUsage, stderr: '' });
});
