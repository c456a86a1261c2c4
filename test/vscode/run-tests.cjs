/**
 * The suite inside of a real VS Code's extension host, started by @vscode/test-electron.
 * usage: node test/vscode/run-tests.cjs [--web]   (--web: the web bundle, in the web worker extension host)
 * VS Code is the server build of this folder; LLEXT_TEST_VSCODE=download lets test-electron download a desktop one.
 * env: VERBOSE=1 all of the workbench's log, TMO=milliseconds
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { runTests } = require('@vscode/test-electron');
const { copyExamples, installRuntime, project } = require('./runtime.cjs');

const web = process.argv.includes('--web');
const manifest = require(path.join(project, 'package.json'));

function bundleSuite() {
  const webpack = path.join(project, 'node_modules/webpack/bin/webpack.js');
  const args = [webpack, '--config', path.join(__dirname, 'webpack.config.js'), '--config-name', web ? 'web' : 'node'];
  const { status } = spawnSync(process.execPath, args, { cwd: project, stdio: 'inherit' });
  if (status !== 0) throw new Error('the suite cannot be bundled');
}

function summary(report) {
  const results = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : [];
  const count = (state) => results.filter((result) => result === state).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('pending') };
}

async function run() {
  const started = Date.now();
  if (!fs.existsSync(path.join(project, 'dist/extension.js'))) throw new Error('dist/ is missing: npm run build');
  const download = process.env.LLEXT_TEST_VSCODE === 'download';
  if (!download) installRuntime();
  bundleSuite();
  const workspace = copyExamples();
  const report = path.join(os.tmpdir(), `llext-report-${process.pid}.json`);
  const id = `${manifest.publisher}.${manifest.name}`;
  const settings = web ? { 'remote.extensionKind': { [id]: ['web'] } } : {};
  let code = 1;
  try {
    code = await runTests({
      ...(download ? {} : { vscodeExecutablePath: path.join(__dirname, 'code-shim.cjs') }),
      extensionDevelopmentPath: project,
      extensionTestsPath: path.join(project, web ? 'dist/web/test/index.js' : 'dist/test/index.js'),
      extensionTestsEnv: { VSCODE_TEST_REPORT: report, VSCODE_SHIM_SETTINGS: JSON.stringify(settings) },
      launchArgs: [workspace],
    });
  } catch (error) {
    console.error(error.message);
  }
  const { passed, failed, skipped } = summary(report);
  fs.rmSync(report, { force: true });
  fs.rmSync(workspace, { recursive: true, force: true });
  if (passed === 0 && code === 0) {
    console.error('no test ran');
    code = 1;
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  console.log(`${web ? 'web worker' : 'extension'} host: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  process.exitCode = code;
}

void run().catch((error) => {
  console.error(error.message);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
});
