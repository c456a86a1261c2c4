/**
 * Where breakpoints on functions go, against gdb itself (`break FUNCTION`, `info breakpoints`): static and exported
 * functions, inlined copies, all optimization levels, GCC and clang.
 */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { ElfFile } from '../lib/elf/elf-file';
import { findFunctionPlaces } from '../lib/program/function-locations';
import { Program } from '../lib/program/program';
import type { Scope } from '../lib/dwarf/model';
import { fixturePath, testFixtureBuilds } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

/** Offsets in .text with their lines, as 'scale 0x14 inlined.c:12'. */
function gdbLocations(gdb: string, path: string, names: readonly string[]): string[] {
  const commands = ['set breakpoint pending off', 'set width 0', ...names.map((name) => `break ${name}`)];
  const output = runTool(gdb, [
    '-q',
    '-nx',
    '-batch',
    ...[...commands, 'info breakpoints'].flatMap((c) => ['-ex', c]),
    path,
  ]);
  const locations: string[] = [];
  for (const [, address, where, file, line] of output.matchAll(/ y\s+(0x[0-9a-f]+) in (\S+) at (\S+):(\d+)/g)) {
    locations.push(`${where} ${Number(address)} ${basename(file)}:${line}`);
  }
  return locations.sort();
}

function inlinedNames(scope: Scope): string[] {
  return scope.children.flatMap((child) => [...(child.inline ? [child.inline.name] : []), ...inlinedNames(child)]);
}

const programs = ['calls', 'inlined', 'printing', 'constructors'];

for (const name of programs) {
  test(`functions of ${name} break where gdb breaks`, (t) => {
    const gdb = requireTool(t, 'gdb-multiarch');
    if (gdb === undefined) return;
    for (const { variant } of testFixtureBuilds.filter((build) => build.name === name)) {
      const path = fixturePath(name, variant);
      const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
      const { debug, lines, symbolIndex } = program;
      if (debug === undefined) continue;
      const text = program.sections.find((section) => section.name === '.text');
      assert.ok(text, `${path} has no .text`);
      const functions = debug.functions();
      const names = [...new Set(functions.flatMap((one) => [one.name, ...inlinedNames(one.scope)]))];
      const found: string[] = [];
      for (const wanted of names) {
        for (const { address, position, name: where } of findFunctionPlaces(
          debug,
          lines,
          symbolIndex,
          (one) => one === wanted,
        )) {
          assert.ok(position, `${wanted} in ${path}`);
          found.push(`${where} ${address - text.address} ${basename(position.file.path)}:${position.line}`);
        }
      }
      const expected = gdbLocations(gdb, path, names);
      assert.ok(expected.length >= functions.length, `${path}: gdb found ${expected.length} places`);
      assert.deepEqual(places(found), places(expected), path);
    }
  });
}

/** gdb names the function around a place, not the one that was asked for. */
function places(locations: readonly string[]): string[] {
  return [...new Set(locations.map((location) => location.split(' ').slice(1).join(' ')))].sort();
}
