/**
 * Opening a program with much debug information costs an index, not a parse: how many entries are read is counted. The
 * program is one object with many structures, linked many times.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeLargeElf } from '../scripts/bench/large-elf';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { requireTool } from './support/tools';

test('a large program is read where somebody looks', (t) => {
  if (requireTool(t, 'arm-none-eabi-gcc') === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'lazy-'));
  try {
    const path = join(folder, 'large.elf');
    assert.ok(makeLargeElf(path, 6) > 5e6);
    const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    const { debug } = program;
    assert.ok(debug);
    const { units } = debug.readCounts;
    assert.ok(units > 40, `${units} units`);
    assert.deepEqual(debug.readCounts, { units, trees: 0, entries: 0, indexed: 0 });

    // A stop: function, line, frame rules, variables. The unit of the function is small.
    const entry = program.symbolIndex.named('entry');
    assert.ok(entry);
    const found = debug.functionAt(entry.address);
    assert.equal(found?.name, 'entry');
    assert.deepEqual(
      found.scope.variables.map(({ name }) => name),
      ['n', 'local'],
    );
    assert.ok(program.lines?.blockAt(entry.address));
    assert.ok(debug.cfiAt(entry.address));
    assert.equal(debug.readCounts.trees, 1);
    assert.ok(debug.readCounts.entries < 20);

    // A type is looked for until it is found.
    const device = debug.typeNamed('struct', 'device_7');
    assert.equal(device?.kind, 'struct');
    assert.deepEqual({ trees: debug.readCounts.trees, indexed: debug.readCounts.indexed }, { trees: 2, indexed: 1 });

    // What is nowhere written costs nothing; a name that is somewhere costs the index of names.
    assert.equal(debug.typeNamed('struct', 'no_such_thing'), undefined);
    assert.equal(debug.readCounts.indexed, 1);
    const places = program.lines === undefined ? [] : debug.functionsNamed('work_3_5');
    assert.ok(places.length > 5);
    assert.equal(debug.readCounts.indexed, units);
    assert.ok(debug.readCounts.trees <= 2 + places.length);

    // Files of all line tables, without their rows.
    assert.ok(debug.files.some(({ path: name }) => name.endsWith('devices.h')));
    assert.ok([...debug.filesWithCode()].every(({ path: name }) => name.endsWith('.c')));
    assert.deepEqual(debug.problems, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
