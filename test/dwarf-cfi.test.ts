/**
 * Call-frame tables against readelf, row by row in its spelling (llvm-dwarfdump 14 forgets the CFA at
 * DW_CFA_restore_state). Hand-made tables are in dwarf-cfi-vectors.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { test } from 'node:test';
import type { CfaRule, CfiRow, RegisterRule } from '../lib/dwarf/model';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { interpretedFrames } from './support/readelf-frames';
import { allExtensionPaths, projectRoot } from './support/fixtures';
import { truthCases, truthElfPath } from './support/gdb-truth';
import { requireTool } from './support/tools';

/** As readelf spells it: c is the CFA. */
function spellCfa(cfa: CfaRule | undefined): string {
  if (cfa === undefined) return 'none';
  if (cfa.kind === 'expression') return 'exp';
  return `r${cfa.register}+${cfa.offset}`;
}

function signed(offset: bigint): string {
  return offset >= 0n ? `+${offset}` : `${offset}`;
}

function spellRule(rule: RegisterRule): string {
  switch (rule.kind) {
    case 'offset':
      return `c${signed(rule.offset)}`;
    case 'val-offset':
      return `v${signed(rule.offset)}`;
    case 'register':
      return `r${rule.register}`;
    case 'same-value':
      return 's';
    case 'undefined':
      return 'u';
    case 'expression':
      return 'exp';
    case 'val-expression':
      return 'vexp';
  }
}

function spellRow(row: CfiRow): string {
  const rules = [...row.registers].sort(([a], [b]) => a - b);
  return [spellCfa(row.cfa), ...rules.map(([register, rule]) => `r${register}=${spellRule(rule)}`)].join(' ');
}

function isArm(path: string): boolean {
  return !/\.rv\d/.test(path);
}

const recorded = truthCases().map(truthElfPath).filter(isArm);

for (const path of [...recorded, ...allExtensionPaths()]) {
  test(`the frame tables of ${relative(projectRoot, path)} are readelf's`, (t) => {
    const readelf = requireTool(t, 'arm-none-eabi-readelf');
    if (readelf === undefined) return;
    const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    const { debug } = program;
    if (debug === undefined) return;
    const tables = new Map<string, Map<number, string>>();
    for (const row of debug.cfiRows()) {
      const base = program.sectionAt(row.functionRange.start)?.address ?? 0n;
      const { start, end } = row.functionRange;
      const key = `${start - base}-${end - base}`;
      const rows = tables.get(key) ?? new Map<number, string>();
      tables.set(key, rows.set(Number(row.range.start - base), spellRow(row)));
      assert.equal(debug.cfiAt(row.range.start), row);
      assert.equal(debug.cfiAt(row.range.end - 1n), row);
    }
    for (const { start, end, rows } of interpretedFrames(readelf, path)) {
      assert.deepEqual(tables.get(`${start}-${end}`), rows, `0x${start.toString(16)}`);
    }
    assert.deepEqual(debug.problems, []);
  });
}
