/**
 * Malformed files by the hundred thousand, in two processes (test/support/llext-fuzzer.ts says what is demanded of each). LLEXT_FUZZ_FILES
 * and LLEXT_FUZZ_SEED choose how many and which; `npm run fuzz` looks at a single one. test/fuzz-corpus keeps what was found.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { projectRoot } from './support/fixtures';
import { fuzzSources, LlextFuzzer } from './support/llext-fuzzer';
import type { FuzzReport, KeptInput } from './support/llext-fuzzer';
import { nodeProgram } from './support/node-program';

/** A tenth where nobody waits for a landing. */
const files = Number(process.env['LLEXT_FUZZ_FILES'] ?? (process.env['CI'] === 'true' ? 200_000 : 20_000));
const seed = Number(process.env['LLEXT_FUZZ_SEED'] ?? 20250);
const processes = 2;

/** Hang guards of ten times the goal (100 ms a file); memory is the goal itself. */
const slowestMilliseconds = 1000;
const peakMegabytes = 256;

function fuzz(from: number, count: number): Promise<FuzzReport> {
  const options = ['--files', String(count), '--from', String(from), '--seed', String(seed)];
  // Garbage that nobody collects yet is not memory that a load needs.
  const limits = ['--max-old-space-size=96', '--max-semi-space-size=8'];
  const child = spawn(process.execPath, [...limits, ...nodeProgram('scripts/fuzz-llext.ts'), ...options], {
    cwd: projectRoot,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (output === '') fail(new Error(`the fuzzer ended with ${code}: ${errors}`));
      else done(JSON.parse(output) as FuzzReport);
    });
  });
}

function sum(reports: readonly FuzzReport[], part: 'steps' | 'results'): Record<string, number> {
  const total: Record<string, number> = {};
  for (const report of reports) {
    for (const [key, count] of Object.entries(report[part])) total[key] = (total[key] ?? 0) + count;
  }
  return total;
}

/** Alone, and the best of three: the machine may have been busy with something else. */
function isSlowAlone(input: number): boolean {
  const times = [1, 2, 3].map(() => {
    const fuzzer = new LlextFuzzer(fuzzSources(), seed);
    fuzzer.run(input);
    return fuzzer.report.slowest.milliseconds;
  });
  return Math.min(...times) > slowestMilliseconds;
}

test(`${files} mutated extensions, seed ${seed}`, async (t) => {
  const share = Math.ceil(files / processes);
  const reports = await Promise.all(Array.from({ length: processes }, (_, i) => fuzz(i * share, share)));
  const steps = sum(reports, 'steps');
  t.diagnostic(`inputs that reached each step: ${JSON.stringify(steps)}`);
  t.diagnostic(`results: ${JSON.stringify(sum(reports, 'results'))}`);
  for (const { slowest, peakMemory } of reports) {
    t.diagnostic(
      `slowest: input ${slowest.input}, ${slowest.milliseconds.toFixed(0)} ms; peak memory ${peakMemory} MB`,
    );
  }
  const failures = reports.flatMap((report) => report.failures);
  assert.deepEqual(failures.slice(0, 3), [], `${failures.length} inputs failed`);
  for (const { slowest, peakMemory } of reports) {
    assert.ok(
      slowest.milliseconds < slowestMilliseconds || !isSlowAlone(slowest.input),
      `input ${slowest.input} is slow`,
    );
    assert.ok(peakMemory < peakMegabytes, `${peakMemory} MB`);
  }
  assert.ok(steps['link'] >= files * 0.2, 'at least a fifth must reach linking');
});

test('what was once found stays mended', () => {
  const corpus = join(projectRoot, 'test/fuzz-corpus');
  const fuzzer = new LlextFuzzer([], 0);
  for (const [i, name] of readdirSync(corpus).sort().entries()) {
    fuzzer.replay(JSON.parse(readFileSync(join(corpus, name), 'utf8')) as KeptInput, i);
  }
  assert.deepEqual(fuzzer.report.failures, []);
  assert.ok(fuzzer.report.files > 0);
  assert.ok(fuzzer.report.slowest.milliseconds < slowestMilliseconds, JSON.stringify(fuzzer.report.slowest));
});
