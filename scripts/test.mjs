/**
 * `npm test [-- suite...]`: sets up, then runs scripts/run-tests.ts with the same arguments.
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
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', join(projectRoot, 'scripts/run-tests.ts'), ...process.argv.slice(2)],
  { cwd: projectRoot, stdio: 'inherit' },
);
process.exit(status ?? 1);
