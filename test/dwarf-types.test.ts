/**
 * Types, variables and functions against what gdb says of them: names as in C, sizes, members with their bit positions,
 * enumerators, function ranges, arguments and locals with their lines.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DebugInfo } from '../lib/dwarf/debug-info';
import { isQualified, stripType, type Type, type VariableInfo } from '../lib/dwarf/model';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { fixturePath, projectRoot } from './support/fixtures';
import { truthCase, truthElfPath } from './support/gdb-truth';
import { requireTool, runTool } from './support/tools';

interface GdbType {
  readonly name: string;
  readonly kind: string;
  readonly size?: number;
  readonly fields?: readonly (readonly [string, number, number, GdbType])[];
  readonly values?: readonly (readonly [string, number])[];
  readonly target?: GdbType;
}

interface GdbSymbols {
  readonly globals: Readonly<Record<string, readonly [GdbType, string, number]>>;
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly start: number;
        readonly end: number;
        readonly line: number;
        readonly arguments: readonly (readonly [string, GdbType, number])[];
        readonly locals: readonly (readonly [string, GdbType, number])[];
      }
    >
  >;
}

function askGdb(gdb: string, path: string): GdbSymbols {
  process.env['GDB_ANCHOR'] = 'entry';
  const script = join(projectRoot, 'test/support/gdb-types.py');
  const output = runTool(gdb, ['-nx', '-batch', '-x', script, path]);
  const json = output.split('\n').find((line) => line.startsWith('JSON'));
  assert.ok(json, output);
  return JSON.parse(json.slice(4)) as GdbSymbols;
}

function compareTypes(type: Type, expected: GdbType, where: string): void {
  assert.equal(type.displayName, expected.name, where);
  const unqualified = isQualified(type) && type.kind !== 'typedef' ? type.target : type;
  if (unqualified !== type && isQualified(unqualified) && unqualified.kind !== 'typedef') return;
  if (expected.size !== undefined) assert.equal(type.byteSize ?? 0, expected.size, `${where}: size`);
  if (expected.fields !== undefined) {
    const inner = stripType(type);
    assert.ok(inner.kind === 'struct' || inner.kind === 'union', where);
    assert.deepEqual(
      inner.members.map((member) => [
        member.name ?? '',
        member.bitOffset ?? 8 * member.byteOffset,
        member.bitSize ?? 0,
      ]),
      expected.fields.map(([name, position, bits]) => [name, position, bits]),
      where,
    );
    expected.fields.forEach(([name, , , field], i) => compareTypes(inner.members[i].type, field, `${where}.${name}`));
  }
  if (expected.values !== undefined) {
    const inner = stripType(type);
    assert.ok(inner.kind === 'enum', where);
    const values = inner.enumerators.map(({ name, value }) => [name, Number(value)]);
    assert.deepEqual(values, expected.values, where);
  }
  if (expected.target === undefined) return;
  if (unqualified.kind === 'array') compareTypes(unqualified.element, expected.target, `${where}[]`);
  else if ('target' in unqualified) compareTypes(unqualified.target, expected.target, `${where}*`);
  else assert.fail(`${where}: ${unqualified.kind} has no target`);
}

function compareVariables(
  found: readonly VariableInfo[],
  expected: readonly (readonly [string, GdbType, number])[],
  where: string,
): void {
  const spell = (name: string, type: string, line: number | undefined): string => `${name} ${type} ${line}`;
  assert.deepEqual(
    found.map(({ name, type, declaration }) => spell(name, type.displayName, declaration?.line)).sort(),
    expected.map(([name, type, line]) => spell(name, type.name, line)).sort(),
    where,
  );
}

function compareFunctions(debug: DebugInfo, program: Program, { functions }: GdbSymbols): void {
  for (const [name, expected] of Object.entries(functions)) {
    const found = debug.functions().find((candidate) => candidate.name === name);
    assert.ok(found, name);
    const base = program.sectionAt(found.entryPc)?.address ?? 0n;
    assert.equal(Number(found.ranges[0].start - base), expected.start, name);
    assert.equal(Number(found.ranges[0].end - base), expected.end, name);
    assert.equal(found.declaration?.line, expected.line, name);
    assert.equal(expected.type.startsWith(found.returnType.displayName), true, name);
    const { variables } = found.scope;
    compareVariables(
      variables.filter(({ isParameter }) => isParameter),
      expected.arguments,
      `arguments of ${name}`,
    );
    compareVariables(
      variables.filter(({ isParameter }) => !isParameter),
      expected.locals,
      `locals of ${name}`,
    );
  }
}

const truths = [
  'shapes.m3-O0',
  'shapes.m3-O2',
  'shapes.m3-O2-dwarf4',
  'shapes.m3clang-O0',
  'deep.m3-Og',
  'inlines.m3-O2',
];
const paths = [
  ...truths.map((name) => truthElfPath(truthCase(name))),
  fixturePath('data', 'm3-O0'),
  fixturePath('data', 'm3clang-O2'),
  fixturePath('data', 'm3-Og-dwarf4'),
  fixturePath('calls', 'm3-Os'),
];

for (const path of paths) {
  test(`types and variables of ${path.replace(/^.*\//, '')} are gdb's`, (t) => {
    const gdb = requireTool(t, 'gdb-multiarch');
    if (gdb === undefined) return;
    const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    const { debug } = program;
    assert.ok(debug);
    const symbols = askGdb(gdb, path);
    assert.ok(Object.keys(symbols.globals).length > 0);
    for (const [name, [type, qualified, line]] of Object.entries(symbols.globals)) {
      const found: VariableInfo | undefined = debug.globals().find((candidate) => candidate.name === name);
      assert.ok(found, name);
      assert.equal(found.type.displayName, qualified);
      assert.equal(found.declaration?.line, line, name);
      compareTypes(
        isQualified(found.type) && found.type.kind !== 'typedef' ? stripType(found.type) : found.type,
        type,
        name,
      );
    }
    compareFunctions(debug, program, symbols);
    assert.deepEqual(debug.problems, []);
  });
}
