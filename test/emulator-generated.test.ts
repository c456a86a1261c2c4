/** The interpreters in the tree are what their operations give. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { carefulPath, generateCareful, generatedPath, generateInterpreter } from '../scripts/generate-interpreter';
import { interpreterSources } from '../scripts/interpreter-sources';

for (const source of interpreterSources) {
  test(`${source.target} is generated from the operations as they are`, async () => {
    assert.ok(
      readFileSync(generatedPath(source), 'utf8') === (await generateInterpreter(source)),
      'run npx tsx scripts/generate-interpreter.ts',
    );
  });

  test(`${source.careful.target} is generated from the operations as they are`, async () => {
    assert.ok(
      readFileSync(carefulPath(source), 'utf8') === (await generateCareful(source)),
      'run npx tsx scripts/generate-interpreter.ts',
    );
  });
}
