/**
 * `llext check`: exit codes, text that the contributed problem matchers read, JSON, SARIF 2.1.0, source lines compared
 * with addr2line, options of the base image.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { check, checkHelp } from '../cli/check';
import { findingCodes } from '../lib/check/rules';
import { examplePath } from './support/fixtures';
import { uriOf } from '../lib/check/sarif';
import manifest from '../package.json';
import { buildElf, func, text } from './support/elf-builder';
import { projectRoot } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const status = await check(args, {
    stdout: { write: (part) => (stdout += part) },
    stderr: { write: (part) => (stderr += part) },
  });
  return { status, stdout, stderr };
}

const example = (path: string): string => join(projectRoot, 'examples', path);
const missing = example('missing-import/missing.llext');
const hello = example('hello/hello.llext');

test('exit codes: 0 clean, 1 errors, 2 usage; --strict counts warnings', async () => {
  assert.equal((await run(hello)).status, 0);
  assert.equal((await run(missing)).status, 1);
  const folder = mkdtempSync(join(tmpdir(), 'llext-check-'));
  try {
    const file = join(folder, 'quiet.llext');
    writeFileSync(file, buildElf({ sections: [text()], symbols: [func('f')] }));
    assert.deepEqual([(await run(file)).status, (await run(file, '--strict')).status], [0, 1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.deepEqual(await run('--help'), { status: 0, stdout: checkHelp, stderr: '' });
  for (const [args, message] of [
    [[], /no file is given/],
    [['--wrong'], /Unknown option/],
    [[hello, '--profile', 'V99'], /'V99' is none of SEED, V41, V44, S/],
    [[hello, '--config', 'NO_SUCH=1'], /NO_SUCH=1' is not NAME=VALUE of ARM_MPU/],
    [[hello, '--config', 'ARM_MPU=maybe'], /'maybe' is neither y nor n/],
    [[hello, '--storage', 'tape'], /'tape' is none of temporary/],
    [['no-such-file'], /no-such-file/],
    [['--explain', 'no-such-code'], /there is no code 'no-such-code'/],
  ] as const) {
    const { status, stdout, stderr } = await run(...args);
    assert.deepEqual([status, stdout], [2, ''], String(args));
    assert.match(stderr, message);
  }
});

test('a base image whose heap is not found has room for what is loaded', async () => {
  const { status, stdout } = await run(hello, '--base', join(projectRoot, 'test/base-images/m3-stripped.elf'));
  assert.equal(status, 0, stdout);
  assert.match(stdout, /llext_load takes it/);
});

test('relocations of a shared object lie where its addresses say', async (t) => {
  const gcc = requireTool(t, 'arm-none-eabi-gcc');
  if (gcc === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'llext-check-'));
  try {
    const [source, object] = [join(folder, 'so.c'), join(folder, 'so.llext')];
    writeFileSync(source, 'int far; int *entry = &far; int next(int at) { return entry[at]; }');
    runTool(gcc, ['-mcpu=cortex-m3', '-mthumb', '-fPIC', '-shared', '-nostdlib', source, '-o', object]);
    for (const profile of ['V44', 'S']) {
      const { stdout } = await run(object, '--profile', profile);
      assert.doesNotMatch(stdout, /error/, profile);
      assert.match(stdout, /llext_load takes it/, profile);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('files are loaded in order, and options replace the base image’s', async () => {
  const [base, user] = ['dep_base', 'dep_user'].map((name) => example(`dependency/${name}.llext`));
  assert.equal((await run(base, user)).status, 0);
  const reversed = await run(user, base);
  assert.equal(reversed.status, 1);
  assert.match(
    reversed.stdout,
    /'dep_base_add' is exported by .*dep_base\.llext, which is loaded after .*\[import-order\]/,
  );
  const small = await run(
    hello,
    '--config',
    'CONFIG_LLEXT_HEAP_SIZE=1',
    '--config',
    'ARM_MPU=y',
    '--config',
    'USERSPACE=y',
  );
  assert.match(small.stdout, /do not fit the heap of 1024 bytes: \d KiB are needed.* \[heap-too-small(-rounded)?\]/);
  assert.match((await run('--explain', 'arm-exidx')).stdout, /^arm-exidx: unwind tables\n.*\n {2}to do: build with/);
  assert.equal((await run('--explain', 'all')).stdout.match(/^\S+: /gm)?.length, findingCodes.length);
});

interface MatcherPattern {
  readonly regexp: string;
  readonly file: number;
  readonly line?: number;
  readonly severity: number;
  readonly message: number;
  readonly code: number;
}

test('the problem matchers of the manifest read every finding of the text, and nothing else', async () => {
  const { stdout } = await run(missing, example('detached/detached_fn.llext'));
  const json = JSON.parse((await run(missing, example('detached/detached_fn.llext'), '--json')).stdout) as Report;
  const patterns = manifest.contributes.problemMatchers.map(({ pattern }) => pattern as MatcherPattern);
  const matched = stdout.split('\n').flatMap((line) =>
    patterns.flatMap((pattern) => {
      const match = new RegExp(pattern.regexp).exec(line);
      return match === null
        ? []
        : [
            [
              pattern.line === undefined ? 0 : Number(match[pattern.line]),
              match[pattern.severity],
              match[pattern.code],
            ],
          ];
    }),
  );
  const findings = json.files.flatMap((file) => file.findings);
  assert.deepEqual(
    matched,
    findings.map(({ source, severity, code }) => [source?.line ?? 0, severity, code]),
  );
  assert.ok(findings.some(({ source }) => source !== undefined) && findings.some(({ source }) => source === undefined));
});

interface Report {
  readonly version: number;
  readonly profile: string;
  readonly summary: Record<string, number>;
  readonly files: readonly {
    readonly file: string;
    readonly name: string;
    readonly ret: number;
    readonly refusal?: string;
    readonly assumed: readonly object[];
    readonly findings: readonly {
      readonly code: string;
      readonly severity: string;
      readonly title: string;
      readonly message: string;
      readonly section?: string;
      readonly symbol?: string;
      readonly offset?: string;
      readonly source?: { readonly file: string; readonly line: number; readonly column: number };
      readonly explanation: string;
      readonly fix: string;
      readonly specification: string;
    }[];
    readonly left_out: readonly object[];
  }[];
}

test('--json has the documented shape', async () => {
  const report = JSON.parse((await run(missing, '--json')).stdout) as Report;
  assert.deepEqual([report.version, report.profile, report.summary], [1, 'V41', { error: 3, warning: 0, note: 1 }]);
  const [{ file, name, ret, refusal, findings }] = report.files;
  assert.deepEqual([file, name, ret], [missing, 'missing', -61]);
  assert.match(refusal ?? '', /^Undefined symbol with no entry in symbol table memcopy, .*\(-ENODATA\)$/);
  const [first] = findings;
  const line =
    readFileSync(example('missing-import/missing.c'), 'utf8')
      .split('\n')
      .findIndex((text_) => text_.includes('memcopy(copy')) + 1;
  assert.deepEqual(
    [first.code, first.severity, first.section, first.symbol, first.source?.line, first.source?.file],
    ['undefined-symbol', 'error', '.text', 'memcopy', line, example('missing-import/missing.c')],
  );
  assert.match(first.message, /near: 'memcpy'/);
  assert.match(first.fix, /^write 'memcpy'/);
  for (const key of ['title', 'explanation', 'fix', 'specification'] as const) assert.ok(first[key].length > 0);
});

test('source lines are addr2line’s of the instruction that objdump shows to use the import', async (t) => {
  const addr2line = requireTool(t, 'arm-none-eabi-addr2line');
  const objdump = requireTool(t, 'arm-none-eabi-objdump');
  if (addr2line === undefined || objdump === undefined) return;
  const report = JSON.parse((await run(missing, '--json')).stdout) as Report;
  const listing = runTool(objdump, ['-d', missing]);
  let compared = 0;
  for (const { section, offset, source } of report.files[0].findings) {
    if (section !== '.text' || offset === undefined) continue;
    // "ldr r3, [pc, #12] @ (34 <entry+0x34>)": the literal that the relocation fills.
    const literal = offset.slice(2);
    const user = new RegExp(`^ +([0-9a-f]+):.*\\bldr.*[;@] \\(?${literal} <`, 'm').exec(listing)?.[1] ?? literal;
    const [place]: string[] = runTool(addr2line, ['-e', missing, '-j', '.text', `0x${user}`]).split('\n');
    assert.equal(String(source?.line), /:(\d+)/.exec(place)?.[1], offset);
    compared++;
  }
  assert.equal(compared, 3);
});

/** What the schema of SARIF 2.1.0 requires of the objects that are used, by hand. */
function sarifProblems(log: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const want = (condition: boolean, what: string): void => void (condition || problems.push(what));
  const object = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(object) : []);
  want(log['version'] === '2.1.0', 'version');
  want(/^https:\/\/.*sarif-2\.1\.0\.json$/.test(String(log['$schema'])), '$schema');
  want(Array.isArray(log['runs']) && log['runs'].length === 1, 'runs');
  for (const entry of list(log['runs'])) {
    const driver = object(object(entry['tool'])['driver']);
    want(typeof driver['name'] === 'string', 'tool.driver.name');
    const rules = list(driver['rules']);
    const ids = rules.map(({ id }) => id);
    want(new Set(ids).size === ids.length && ids.every((id) => typeof id === 'string'), 'rules have unique ids');
    for (const rule of rules) {
      for (const key of ['shortDescription', 'fullDescription', 'help']) {
        want(typeof object(rule[key])['text'] === 'string', `rules[].${key}.text`);
      }
      want(
        ['none', 'note', 'warning', 'error'].includes(String(object(rule['defaultConfiguration'])['level'])),
        'level',
      );
    }
    want(Array.isArray(entry['results']), 'results');
    for (const result of list(entry['results'])) {
      want(ids[Number(result['ruleIndex'])] === result['ruleId'], 'ruleIndex is the index of ruleId');
      want(['note', 'warning', 'error'].includes(String(result['level'])), 'results[].level');
      want(typeof object(result['message'])['text'] === 'string', 'results[].message.text');
      for (const location of [...list(result['locations']), ...list(result['relatedLocations'])]) {
        const physical = object(location['physicalLocation']);
        const { uri } = object(physical['artifactLocation']);
        want(typeof uri === 'string' && URL.canParse(uri, 'file:///base/'), 'artifactLocation.uri');
        const region = physical['region'];
        want(region === undefined || Number(object(region)['startLine']) >= 1, 'region.startLine');
        const { startColumn } = object(region);
        want(startColumn === undefined || Number(startColumn) >= 1, 'region.startColumn');
      }
    }
  }
  return problems;
}

test('without --base a file is judged against the built-in image of its machine, as F5 runs it', async () => {
  for (const name of ['hello', 'sensor']) {
    for (const width of [32, 64]) {
      const { status, stdout } = await run(examplePath(`riscv/${name}.rv${width}imac.llext`));
      assert.equal(status, 0, stdout);
      assert.match(stdout, /llext_load takes it, 1 note/);
    }
  }
});

test('--sarif is what the schema requires', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llext-check-'));
  try {
    const file = join(folder, 'out.sarif');
    const { status, stdout } = await run(missing, hello, '--sarif', file);
    assert.equal(status, 1);
    assert.match(stdout, /\[undefined-symbol\]/);
    const log = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(sarifProblems(log), []);
    const { runs } = log as {
      runs: { results: { ruleId: string; level: string }[]; tool: { driver: { rules: object[] } } }[];
    };
    assert.equal(runs[0].tool.driver.rules.length, findingCodes.length);
    assert.deepEqual(
      runs[0].results.filter(({ level }) => level === 'error').map(({ ruleId }) => ruleId),
      ['undefined-symbol', 'undefined-symbol', 'undefined-symbol'],
    );
    assert.deepEqual(JSON.parse((await run(missing, hello, '--sarif', '-')).stdout), log);
    const both = await run(missing, '--sarif', '-', '--json');
    assert.equal(both.status, 2);
    assert.match(both.stderr, /both write to standard output/);
    // The check finds what is wrong.
    assert.ok(sarifProblems({ ...log, version: '2.0.0' }).length > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('paths become URIs', () => {
  assert.equal(uriOf('src/a b.c'), 'src/a%20b.c');
  assert.equal(uriOf('/src/a.c'), 'file:///src/a.c');
  assert.equal(uriOf('C:\\src\\a.c'), 'file:///C:/src/a.c');
});
