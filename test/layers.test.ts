/**
 * The house rules that a machine can check: who may import whom, no cycles, file sizes, nothing switched off, no
 * paths of the machine that something was written on. ARCHITECTURE.md draws the same layers.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './support/fixtures';

const base = ['lib/bytes', 'lib/byte-source', 'lib/arch', 'lib/errors', 'lib/query', 'lib/paths'];
const allOfLib = ['lib'];

/** Layer -> what it may import besides itself; a prefix stands for everything below it. */
const layers: Record<string, readonly string[]> = {
  'lib/bytes': ['lib/errors', 'lib/byte-source'],
  'lib/byte-source': [],
  'lib/arch': [],
  'lib/errors': [],
  'lib/query': [],
  'lib/paths': [],
  'lib/protocol': [],
  'lib/disassembler': base,
  'lib/capstone-js.d': ['lib/disassembler'],
  'lib/elf': base,
  'lib/llext': [...base, 'lib/elf'],
  'lib/dwarf': base,
  'lib/emulator': base,
  'lib/program': [...base, 'lib/elf', 'lib/llext', 'lib/dwarf'],
  'lib/base-image': [...base, 'lib/elf', 'lib/llext', 'lib/dwarf', 'lib/program'],
  // A check loads files on a model of the target: the loader, and the kernel's heap for exact addresses and needs.
  'lib/check': [...base, 'lib/elf', 'lib/llext', 'lib/dwarf', 'lib/program', 'lib/base-image', 'lib/kernel/k-heap'],
  // It loads as a check does, and shows the same places in sources.
  'lib/explain': [...base, 'lib/elf', 'lib/llext', 'lib/check'],
  'lib/kernel': [...base, 'lib/elf', 'lib/llext', 'lib/dwarf', 'lib/program', 'lib/emulator', 'lib/base-image'],
  'lib/target': [
    ...base,
    'lib/elf',
    'lib/llext',
    'lib/emulator',
    'lib/kernel',
    'lib/program',
    'lib/base-image',
    'lib/check',
  ],
  'lib/c-expression': [...base, 'lib/dwarf'],
  'debug-adapter': allOfLib,
  cli: allOfLib,
  extension: [
    ...base,
    'lib/elf',
    'lib/llext',
    'lib/dwarf',
    'lib/program',
    'lib/protocol',
    'lib/check',
    'lib/disassembler',
    'lib/base-image',
    'lib/kernel/base-image',
    'lib/kernel/base-image-description',
  ],
};

/** The two places where another program starts the adapter in its own process, with the services that it is given. */
const doors: Record<string, readonly string[]> = {
  'cli/dap': [
    'debug-adapter/session',
    'debug-adapter/services',
    'debug-adapter/node-services',
    'debug-adapter/kept-targets',
  ],
  'extension/adapter-factory': ['debug-adapter/process-options'],
  'extension/inline-adapter': ['debug-adapter/session', 'debug-adapter/services'],
};

/** Packages that a folder may import; node's own modules count as 'node:'. */
const packages: Record<string, readonly string[]> = {
  lib: ['fzstd', 'pako'],
  'debug-adapter': ['node:', '@vscode/debugadapter', '@vscode/debugprotocol', '@alexaltea/capstone-js'],
  // Its version is package.json's.
  cli: ['node:', 'package.json'],
  extension: ['node:', 'vscode', '@alexaltea/capstone-js'],
};

interface Import {
  readonly from: string;
  /** Module path from the project's root without extension, or a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(projectRoot, path)));
const sources = tracked.filter((path) => /^(lib|debug-adapter|cli|extension)\/.*\.ts$/.test(path));

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const within = (module: string, prefix: string): boolean => module === prefix || module.startsWith(`${prefix}/`);

function importsOf(path: string): Import[] {
  const pattern = /^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...read(path).matchAll(pattern)].map(([, typeOnly, from, dynamic]) => {
    const specifier = from ?? dynamic;
    const to = specifier.startsWith('.') ? relative('.', join(dirname(path), specifier)) : specifier;
    return { from: path.replace(/\.ts$/, ''), to, typeOnly: typeOnly !== undefined };
  });
}

const imports = sources.flatMap(importsOf);
const isPackage = (to: string): boolean => !/^(lib|debug-adapter|cli|extension)\//.test(to);

function layerOf(module: string): string | undefined {
  return Object.keys(layers).find((layer) => within(module, layer));
}

function isAllowed({ from, to }: Import): boolean {
  const layer = layerOf(from);
  if (layer === undefined) return false;
  return [layer, ...layers[layer], ...(doors[from] ?? [])].some((allowed) => within(to, allowed));
}

test('every source file belongs to a layer and imports only what its layer may', () => {
  assert.ok(imports.length > 0);
  const wrong = imports.filter((entry) => !isPackage(entry.to) && !isAllowed(entry));
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test('only extension imports vscode, lib imports neither node nor other packages', () => {
  const wrong = imports.filter(({ from, to }) => {
    if (!isPackage(to)) return false;
    const allowed = packages[from.split('/')[0]];
    return !allowed.some((name) => (name === 'node:' ? to.startsWith('node:') : within(to, name)));
  });
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test('what belongs to one CPU imports nothing of another', () => {
  const cpuOf = (module: string): string | undefined =>
    /^lib\/(?:emulator|llext\/reloc|dwarf\/regnum)\/(arm|arm64|riscv|x86|xtensa|arc)\b/.exec(module)?.[1];
  const wrong = imports.filter(({ from, to }) => {
    const [mine, theirs] = [cpuOf(from), cpuOf(to)];
    return mine !== undefined && theirs !== undefined && mine !== theirs;
  });
  assert.deepEqual(wrong, []);
});

test('imports of values form no cycle', () => {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (module: string, path: readonly string[]): void => {
    if (path.includes(module)) cycles.push([...path.slice(path.indexOf(module)), module].join(' -> '));
    if (done.has(module) || path.includes(module)) return;
    for (const target of next.get(module) ?? []) visit(target, [...path, module]);
    done.add(module);
  };
  for (const module of next.keys()) visit(module, []);
  assert.deepEqual(cycles, []);
});

test('files are short, and switch nothing off', () => {
  const code = tracked.filter((path) => /\.(ts|mjs|cjs|sh)$/.test(path) && !path.includes('.generated.'));
  const problems = code.flatMap((path) => {
    const text = read(path);
    const lines = text.split('\n').length - 1;
    const found = lines > 600 ? [`${path}: ${lines} lines`] : [];
    // Spelled in two parts: this file is checked too.
    const banned = [
      'eslint-' + 'disable',
      '@ts-' + 'ignore',
      '@ts-' + 'expect-error',
      '@ts-' + 'nocheck',
      'TO' + 'DO:',
    ];
    return [...found, ...banned.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`)];
  });
  assert.deepEqual(problems, []);
});

test('no tracked text names a folder of the machine that it was written on', () => {
  const pattern = /(?:^|[^A-Za-z0-9_.])\/(?:tmp|work|farm|root|home)\//;
  const texts = tracked.filter(
    (path) => !/^package-lock\.json$|\.lock$|^\.ci\/|\.json$/.test(path) && !/\.(elf|llext|png|wasm)$/.test(path),
  );
  const wrong = texts.flatMap((path) =>
    read(path)
      .split('\n')
      .filter((line) => pattern.test(line) && !/os\.tmpdir|\$\{?TMPDIR|\/tmp\/\.X/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  assert.deepEqual(wrong, []);
});
