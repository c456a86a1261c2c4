/** The llext command as a user types it: help, exit codes, where output goes, and the adapter for any DAP client. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { version } from '../package.json';
import { examplePath, projectRoot } from './support/fixtures';
import { nodeProgram } from './support/node-program';

const sources = nodeProgram('cli/llext.ts');
const bundle = [join(projectRoot, 'dist/llext.js')];

function llext(args: readonly string[], program: readonly string[] = sources) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('help and version', () => {
  const { status, stdout, stderr } = llext(['--help']);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  for (const name of ['inspect', 'load', 'run', 'dap']) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    const help = llext([name, '--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`^usage: llext ${name} `));
  }
  assert.equal(llext(['--version']).stdout, `${version}\n`);
});

test('wrong usage is 2 and told on standard error', () => {
  const cases: [string[], RegExp][] = [
    [[], /^usage: llext COMMAND/],
    [['frobnicate'], /'frobnicate' is none of inspect, check, explain, load, run, dap/],
    [['load'], /llext load: no file is given/],
    [['load', '--frobnicate', 'x'], /llext load: Unknown option '--frobnicate'/],
    [['inspect', 'no-such-file.llext'], /llext inspect: cannot read no-such-file\.llext/],
    [['dap', '--port', '70000'], /'70000' is not a number from 0 to 65535/],
  ];
  for (const [args, message] of cases) {
    const { status, stdout, stderr } = llext(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
});

test('a file that is no ELF is refused as llext_load refuses it', () => {
  for (const command of ['load', 'run']) {
    const { status, stdout, stderr } = llext([command, 'package.json']);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /ENOEXEC/);
  }
});

test('a file that is no ELF is exit code 1 of every command', () => {
  for (const command of ['inspect', 'check', 'explain', 'load', 'run']) {
    assert.equal(llext([command, 'package.json']).status, 1, command);
  }
});

test("run: the extension's output on stdout, how it ended on stderr", () => {
  const { status, stdout, stderr } = llext(['run', examplePath('hello/hello.llext')]);
  assert.equal(
    stdout,
    'Hello Ada, you are number 1\nHello Grace, you are number 2\nHello Edsger, you are number 3\n3 greetings\n',
  );
  assert.deepEqual({ status, stderr }, { status: 0, stderr: 'entry returned 6 (0x6)\n' });
});

test('the built bundle runs without the sources', (t) => {
  if (!existsSync(bundle[0]) && process.env['CI'] !== 'true') return t.skip('needs npm run build');
  const { status, stderr } = llext(['run', examplePath('hello/hello.llext')], bundle);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: 'entry returned 6 (0x6)\n' });
});

/** Sends one request and gives the first message that answers it. */
function request(socket: Socket, command: string, args: object): Promise<{ success: boolean; body?: object }> {
  const content = JSON.stringify({ seq: 1, type: 'request', command, arguments: args });
  socket.write(`Content-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`);
  let received = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      for (const part of received.split(/Content-Length: \d+\r\n\r\n/)) {
        if (!part.includes('"type":"response"')) continue;
        try {
          resolve(JSON.parse(part) as { success: boolean; body?: object });
        } catch {
          // The rest of it is still to come.
        }
      }
    });
  });
}

test('dap --port serves several clients, one after another and at once', async () => {
  const server = spawn(process.execPath, [...sources, 'dap', '--port', '0'], { cwd: projectRoot });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      let text = '';
      server.on('exit', () => reject(new Error(`the server ended: ${text}`)));
      server.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const found = /listening on 127\.0\.0\.1:(\d+)/.exec(text);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    const open = [1, 2].map(() => createConnection({ host: '127.0.0.1', port }));
    for (const socket of [...open, createConnection({ host: '127.0.0.1', port })]) {
      const { success, body } = await request(socket, 'initialize', { adapterID: 'llext' });
      assert.equal(success, true);
      assert.equal((body as { supportsConfigurationDoneRequest: boolean }).supportsConfigurationDoneRequest, true);
      socket.destroy();
    }
    assert.equal(server.exitCode, null, 'a client that is gone does not end the server');
  } finally {
    server.kill('SIGTERM');
  }
});
