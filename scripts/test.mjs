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

/** Runs a TypeScript program of scripts/ and gives its exit code. */
function run(script, ...args) {
  const path = join(projectRoot, 'scripts', script);
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', path, ...args], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  return status ?? 1;
}

// Sources import what it makes, so every suite needs it, the build is only one of them.
if (run('generate-interpreter.ts') !== 0) process.exit(1);
process.exit(run('run-tests.ts', ...process.argv.slice(2)));
