/**
 * Runs the suites of test-suites.ts one after another and reports each with its counts and seconds; the last line is
 * the total. Arguments name suites to run instead of all of them.
 *
 * A suite that this machine cannot run is named with the reason; with CI=true that is a failure.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findTool } from '../test/support/tools';
import { suites } from './test-suites';
import type { CommandSuite, FileSuite, Suite } from './test-suites';

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const inCi = process.env['CI'] === 'true';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function describeCounts(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/** Runs a Node program; its output goes to the terminal when it fails, and is returned. */
async function runCommand(args: readonly string[], timeoutSeconds: number): Promise<{ ok: boolean; output: string }> {
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  const collect = (chunk: Buffer): void => void chunks.push(chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const timer = setTimeout(() => {
    chunks.push(`\nstopped after ${timeoutSeconds} seconds\n`);
    child.kill('SIGKILL');
  }, timeoutSeconds * 1000);
  const code = await new Promise<number | null>((done) => {
    child.on('close', done);
    child.on('error', (error) => {
      chunks.push(error.message);
      done(1);
    });
  });
  clearTimeout(timer);
  return { ok: code === 0, output: chunks.join('') };
}

async function runCommandSuite(suite: CommandSuite): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const args of suite.commands) {
    const { ok, output } = await runCommand(args, suite.timeoutSeconds);
    const line = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
    if (line === null) {
      if (ok) counts.passed++;
    } else {
      counts.passed += Number(line[1]);
      counts.failed += Number(line[2]);
      counts.skipped += Number(line[3]);
    }
    if (ok && counts.failed === 0) continue;
    if (line === null || Number(line[2]) === 0) counts.failed++;
    console.log(output);
    break;
  }
  return counts;
}

function failureText(error: unknown): string {
  // node:test wraps what a test threw.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

async function runFiles(suite: FileSuite, paths: string[]): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const skipped = new Map<string, number>();
  const stream = run({ files: paths, concurrency: suite.concurrency, timeout: suite.timeoutSeconds * 1000 });
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return;
    if (event.skip === undefined || event.skip === false) {
      counts.passed++;
    } else {
      counts.skipped++;
      const reason = event.skip === true ? event.name : event.skip;
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
  });
  stream.on('test:fail', (event) => {
    if (event.details.type === 'suite') return;
    counts.failed++;
    console.log(`FAILED ${event.file ?? ''} ${event.name}\n${failureText(event.details.error)}\n`);
  });
  stream.on('test:stderr', (event) => process.stderr.write(event.message));
  stream.on('test:stdout', (event) => process.stdout.write(event.message));
  await new Promise<void>((done, fail) => {
    stream.on('end', done);
    stream.on('error', fail);
    stream.resume();
  });
  for (const [reason, count] of skipped) console.log(`  skipped: ${reason}${count > 1 ? ` (${count} tests)` : ''}`);
  return counts;
}

/** scripts/test-bundles.mjs has made it. */
const bundleOf = (file: string): string => join(projectRoot, 'out/test/test', file.replace(/\.ts$/, '.mjs'));

/** Which files each suite runs: a file belongs to the first pattern that matches. */
function assignFiles(): { assigned: Map<FileSuite, string[]>; orphans: string[] } {
  const fileSuites = suites.filter((suite) => suite.kind === 'files');
  const assigned = new Map<FileSuite, string[]>();
  const orphans: string[] = [];
  for (const file of readdirSync(join(projectRoot, 'test')).sort()) {
    if (!file.endsWith('.test.ts')) continue;
    const suite = fileSuites.find((candidate) => candidate.pattern.test(file));
    if (suite === undefined) orphans.push(file);
    else assigned.set(suite, [...(assigned.get(suite) ?? []), bundleOf(file)]);
  }
  return { assigned, orphans };
}

/** Why a suite cannot run here; undefined when it can. */
function obstacle(suite: Suite, paths: readonly string[]): string | undefined {
  if (suite.kind === 'files') return paths.length === 0 ? 'there is no test file for it' : undefined;
  const missing = (suite.needs ?? []).filter((need) =>
    need.includes('/') ? !existsSync(join(projectRoot, need)) : findTool(need) === undefined,
  );
  return missing.length === 0 ? undefined : `needs ${missing.join(' and ')}`;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `no suite is called ${unknown.join(', ')}; there are: ${suites.map(({ name }) => name).join(', ')}`,
    );
  }
  // Some suites run what the build makes.
  if (wanted.length > 0 && !existsSync(join(projectRoot, 'dist/llext.js'))) wanted.push('build');
  const { assigned, orphans } = assignFiles();
  const total: Counts = { passed: 0, failed: orphans.length, skipped: 0 };
  for (const file of orphans) console.log(`FAILED test/${file} belongs to no suite of scripts/test-suites.ts`);
  const notRun: string[] = [];
  const started = performance.now();
  const runSuite = async (suite: Suite): Promise<void> => {
    const paths = suite.kind === 'files' ? (assigned.get(suite) ?? []) : [];
    const reason = obstacle(suite, paths);
    if (reason !== undefined) {
      notRun.push(`${suite.name}: not run, ${reason}`);
      if (inCi) total.failed++;
      else total.skipped++;
      return;
    }
    const before = performance.now();
    const counts = suite.kind === 'files' ? await runFiles(suite, paths) : await runCommandSuite(suite);
    const seconds = ((performance.now() - before) / 1000).toFixed(1);
    console.log(`${suite.name.padEnd(14)} ${describeCounts(counts)}, ${seconds} s`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  };
  let together: Promise<void>[] = [];
  for (const suite of suites) {
    if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
    if (suite.kind === 'files' || suite.besideTheLast !== true) {
      await Promise.all(together);
      together = [];
    }
    together.push(runSuite(suite));
  }
  await Promise.all(together);
  for (const line of notRun) console.log(line);
  console.log(`all suites took ${((performance.now() - started) / 1000).toFixed(0)} s`);
  console.log(describeCounts(total));
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
