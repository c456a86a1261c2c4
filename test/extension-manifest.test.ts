/** package.json says what the code does: cores, attributes, commands, files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { cpus } from '../lib/arch';

interface Manifest {
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly debuggers: readonly {
      readonly type: string;
      readonly languages: readonly string[];
      readonly variables: Readonly<Record<string, string>>;
      readonly configurationAttributes: {
        readonly launch: {
          readonly properties: Readonly<
            Record<
              string,
              { markdownDescription?: string; default?: unknown; enum?: string[]; enumDescriptions?: string[] }
            >
          >;
        };
      };
      readonly configurationSnippets: readonly { readonly body: Readonly<Record<string, unknown>> }[];
    }[];
    readonly breakpoints: readonly { readonly language: string }[];
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string }[]>>;
    readonly grammars: readonly { readonly path: string }[];
    readonly viewsContainers: { readonly activitybar: readonly { readonly icon: string }[] };
  };
}

const root = resolve(import.meta.dirname ?? __dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const [debuggers] = manifest.contributes.debuggers;
const attributes = debuggers.configurationAttributes.launch.properties;

test('the cores are those of the emulator', () => {
  assert.deepEqual(
    attributes['cpu'].enum,
    cpus.map(({ name }) => name),
  );
  assert.deepEqual(
    attributes['cpu'].enumDescriptions,
    cpus.map(({ description }) => description),
  );
});

test('every launch attribute is described', () => {
  assert.deepEqual(Object.keys(attributes), [
    ...['program', 'extensions', 'debugElf', 'entry', 'args', 'stopOnEntry', 'cpu', 'heapSize', 'base'],
    ...['engine', 'unicornPath', 'coverage', 'stepFilter', 'sourceMap', 'sharedMemory', 'history', 'seed', 'replay'],
    'target',
  ]);
  for (const [name, attribute] of Object.entries(attributes)) {
    assert.ok((attribute.markdownDescription ?? '').length > 20, name);
  }
});

test('snippets use known attributes only', () => {
  assert.ok(debuggers.configurationSnippets.length >= 5);
  for (const { body } of debuggers.configurationSnippets) {
    const known = new Set([...Object.keys(attributes), 'type', 'request', 'name']);
    assert.deepEqual(
      Object.keys(body).filter((name) => !known.has(name)),
      [],
    );
  }
});

test('every command of a menu exists, and breakpoints fit the languages', () => {
  const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
  const used = Object.values(manifest.contributes.menus).flatMap((items) => items.map(({ command }) => command));
  assert.deepEqual(
    [...used, ...Object.values(debuggers.variables)].filter((command) => !commands.has(command)),
    [],
  );
  assert.deepEqual(
    manifest.contributes.breakpoints.map(({ language }) => language),
    debuggers.languages,
  );
});

test('the files that it names are there, and nothing starts with VS Code', () => {
  const icons = manifest.contributes.viewsContainers.activitybar.map(({ icon }) => icon);
  const paths = [manifest.icon, ...icons, ...manifest.contributes.grammars.map(({ path }) => path)];
  assert.deepEqual(
    paths.filter((path) => !existsSync(join(root, path))),
    [],
  );
  assert.deepEqual(
    manifest.activationEvents.filter((event) => event === '*' || event === 'onStartupFinished'),
    [],
  );
});
