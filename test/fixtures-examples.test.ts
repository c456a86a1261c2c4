/**
 * The examples as a user meets them: launch.json uses attributes that the manifest declares and files that exist,
 * every example can be launched, and every fault that `faulting` offers ends in a stop that names its function.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { run } from '../cli/run';
import { exampleBuilds, examplePath, examplesFolder, projectRoot } from './support/fixtures';

interface Configuration extends Record<string, unknown> {
  readonly name: string;
  readonly type: string;
  readonly request: string;
  readonly program?: string;
  readonly extensions?: readonly { readonly program: string }[];
}

interface Manifest {
  readonly contributes: {
    readonly debuggers: readonly {
      readonly type: string;
      readonly configurationAttributes: { readonly launch: { readonly properties: Record<string, unknown> } };
    }[];
  };
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { configurations } = readJson(join(examplesFolder, '.vscode/launch.json')) as { configurations: Configuration[] };
const [debuggerEntry] = (readJson(join(projectRoot, 'package.json')) as Manifest).contributes.debuggers;

/** Files that a configuration names, from examples/. */
function programsOf(configuration: Configuration): string[] {
  const programs = configuration.extensions?.map(({ program }) => program) ?? [configuration.program ?? ''];
  return programs.map((program) => program.replace('${workspaceFolder}/', ''));
}

test('launch.json uses what the manifest declares, and files that are there', () => {
  const declared = Object.keys(debuggerEntry.configurationAttributes.launch.properties);
  for (const configuration of configurations) {
    const { name, type, request, ...attributes } = configuration;
    assert.deepEqual([type, request], [debuggerEntry.type, 'launch'], name);
    for (const attribute of Object.keys(attributes)) assert.ok(declared.includes(attribute), `${name}: ${attribute}`);
    for (const program of programsOf(configuration)) assert.ok(existsSync(examplePath(program)), `${name}: ${program}`);
  }
});

test('every example has a configuration, and a row in the README of the examples', () => {
  const launched = new Set(configurations.flatMap(programsOf).map((program) => dirname(program)));
  const readme = readFileSync(examplePath('README.md'), 'utf8');
  for (const build of exampleBuilds) {
    const folder = relative('examples', build.folder);
    assert.ok(launched.has(folder), folder);
    assert.ok(readme.includes(`| \`${folder}\` `), folder);
  }
});

async function runFaulting(kind: number): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const code = await run([examplePath('faulting/faulting.llext'), '--arg', String(kind)], {
    stdout: { write: () => undefined },
    stderr: { write: (part) => (stderr += part) },
  });
  return { code, stderr };
}

const faults: readonly (readonly [kind: number, said: RegExp])[] = [
  [0, /read of 4 bytes at 0x00000000.* read_null\+/],
  [1, /UNDEFINED.* undefined_instruction\+0x4 .*de00/],
  [2, /below the stack limit.* overflow_stack\+/],
  [3, /write of 4 bytes at 0x0800.* write_code\+/],
  [4, /branch to 0x00000000.* call_null\+/],
  [5, /unaligned read of 8 bytes.* unaligned_pair\+/],
];

for (const [kind, said] of faults) {
  test(`fault ${kind} of the example is named`, async () => {
    const { code, stderr } = await runFaulting(kind);
    assert.equal(code, 1);
    assert.match(stderr, said);
  });
}

test('an unknown fault is no fault', async () => {
  assert.deepEqual(await runFaulting(6), { code: 0, stderr: 'entry returned -1 (0xffffffff)\n' });
});
