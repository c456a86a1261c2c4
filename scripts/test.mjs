/**
 * `npm test [-- suite...]`: sets up, generates what is generated, then runs scripts/run-tests.ts with the arguments.
 * Root on a Debian machine gets the programs that tests need; others are told which suites cannot run without them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, setUp } from './setup.mjs';

setUp();
if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  // A failure shows as suites that cannot run, each with what it needs.
  spawnSync('bash', [join(projectRoot, 'scripts/install-debian-packages.sh')], { stdio: 'inherit' });
}

/** Runs a Node program and gives its exit code. */
function run(...args) {
  const env = { ...process.env, LLEXT_TEST_BUNDLES: 'out/test' };
  return spawnSync(process.execPath, args, { cwd: projectRoot, stdio: 'inherit', env }).status ?? 1;
}

// Sources import what it makes, so every suite needs it, the build is only one of them.
if (run('--import', 'tsx', join(projectRoot, 'scripts/generate-interpreter.ts')) !== 0) process.exit(1);
// Imported here: before, its packages may not have been installed.
const { bundleOf, bundleTests } = await import('./test-bundles.mjs');
await bundleTests();
process.exit(run('--enable-source-maps', bundleOf('scripts/run-tests.ts'), ...process.argv.slice(2)));
