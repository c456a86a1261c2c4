/**
 * `npm start`: sets up, builds, and opens examples/ in VS Code with the extension: the `code` of this machine, else the
 * code-server build of test/vscode on a loopback port.
 * `npm start -- --smoke`: presses F5 on examples/hello in a headless browser, prints what the debugger showed, and ends
 * with 0 or 1. `-- --port N` sets the port, `-- --server` takes code-server even when there is a `code`.
 * Plain JavaScript: it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot, setUp } from './setup.mjs';

const require = createRequire(import.meta.url);
const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    server: { type: 'boolean', default: false },
    port: { type: 'string', default: '8123' },
    help: { type: 'boolean', default: false },
  },
});
const examples = join(projectRoot, 'examples');
const vsix = join(projectRoot, 'dist', 'llext-debugger.vsix');

function npm(...args) {
  const { status } = spawnSync('npm', args, {
    cwd: projectRoot,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
}

/** A `code` on the path that starts a desktop VS Code. */
function installedCode() {
  const { status } = spawnSync('code', ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
  return status === 0;
}

function openDesktop() {
  const args = [`--extensionDevelopmentPath=${projectRoot}`, examples, join(examples, 'hello/hello.c')];
  const { status } = spawnSync('code', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error('code could not be started');
  console.log('VS Code is open with examples/: open hello/hello.c and press F5.');
}

async function openServer() {
  if (process.platform !== 'linux') {
    throw new Error('No `code` was found on the PATH. Install VS Code, or run "Shell Command: Install code command".');
  }
  const { installRuntime, startServer, workbenchUrl } = require('../test/vscode/runtime.cjs');
  installRuntime();
  const port = Number(options.port);
  const server = await startServer({
    vsix,
    port,
    testDriver: false,
    home: join(homedir(), '.cache/llext-debugger-start'),
  });
  console.log(`\nVS Code is at ${workbenchUrl(server, examples)}`);
  console.log('Open hello/hello.c there and press F5. Ctrl+C ends it.');
  const ended = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  await ended;
  await server.stop();
}

async function run() {
  if (options.help) {
    console.log('npm start [-- --smoke] [-- --server] [-- --port N]');
    return 0;
  }
  setUp();
  npm('run', 'package');
  if (!existsSync(vsix)) throw new Error(`${vsix} was not made`);
  if (options.smoke) {
    const { smoke } = require('../test/vscode/smoke.cjs');
    return smoke(vsix);
  }
  if (!options.server && installedCode()) openDesktop();
  else await openServer();
  return 0;
}

run().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
