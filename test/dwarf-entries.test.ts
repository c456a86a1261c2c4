/** The tree of entries against llvm-dwarfdump 14: offset, depth, tag, name and size of every one, in every extension. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { test } from 'node:test';
import { At, tagName } from '../lib/dwarf/constants';
import type { Die } from '../lib/dwarf/die';
import type { Unit } from '../lib/dwarf/unit';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { runDwarfdump } from './support/dwarfdump';
import { allExtensionPaths, projectRoot } from './support/fixtures';
import { truthCases, truthElfPath } from './support/gdb-truth';
import { requireTool } from './support/tools';

function dumpedEntries(dwarfdump: string, path: string): string[] {
  const entries: string[] = [];
  for (const text of runDwarfdump(dwarfdump, ['--debug-info', path]).split('\n')) {
    const entry = /^0x([0-9a-f]{8}):( +)(DW_TAG_\w+)/.exec(text);
    if (entry !== null) entries.push(`${parseInt(entry[1], 16)} ${(entry[2].length - 1) / 2} ${entry[3]}`);
    const attribute = /^ +(DW_AT_name|DW_AT_byte_size|DW_AT_decl_line)\t\((.*)\)$/.exec(text);
    if (attribute === null || entries.length === 0) continue;
    const value = attribute[2].startsWith('"') ? attribute[2].slice(1, -1) : Number(attribute[2]);
    entries[entries.length - 1] += ` ${attribute[1]}=${value}`;
  }
  return entries.map((entry) => {
    const [head, ...attributes] = entry.split(/ (?=DW_AT_)/);
    return [head, ...attributes.sort()].join(' ');
  });
}

function readEntries(unit: Unit): string[] {
  const lines: string[] = [];
  const visit = (die: Die, depth: number): void => {
    const attributes: string[] = [];
    const size = die.number(At.DW_AT_byte_size);
    const line = die.number(At.DW_AT_decl_line);
    if (size !== undefined) attributes.push(`DW_AT_byte_size=${size}`);
    if (line !== undefined) attributes.push(`DW_AT_decl_line=${line}`);
    if (die.name !== undefined) attributes.push(`DW_AT_name=${die.name}`);
    lines.push([die.offset, depth, tagName(die.tag), ...attributes].join(' '));
    for (const child of die.children) visit(child, depth + 1);
  };
  assert.ok(unit.dies.size > 0);
  visit(unit.root, 0);
  return lines;
}

for (const path of [...truthCases().map(truthElfPath), ...allExtensionPaths()]) {
  test(`the entries of ${relative(projectRoot, path)} are llvm-dwarfdump's`, (t) => {
    const dwarfdump = requireTool(t, 'llvm-dwarfdump-14');
    if (dwarfdump === undefined) return;
    const { debug } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    if (debug === undefined) return;
    const found = debug.units.flatMap((unit) => readEntries(unit as Unit));
    assert.deepEqual(found, dumpedEntries(dwarfdump, path));
    assert.deepEqual(debug.problems, []);
  });
}
