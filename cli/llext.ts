#!/usr/bin/env node
/** The `llext` command: picks the sub-command, which parses its own options. Errors go to standard error. */
import { version } from '../package.json';
import { check } from './check';
import { dap } from './dap';
import { explain } from './explain';
import { inspect } from './inspect';
import { load } from './load';
import type { CommandOutput } from './output';
import { run } from './run';

const commands: Record<string, (args: string[], io: CommandOutput) => Promise<number>> = {
  inspect,
  check,
  explain,
  load,
  run,
  dap,
};

const help = `usage: llext COMMAND ...

  inspect FILE...   regions, sections, exports, imports, and what would make llext_load fail, from the file alone
  check FILE...     what would fail or surprise when files are loaded, with source lines and what to do
  explain FILE...   every relocation with its formula in numbers, or the load as a timeline
  load FILE...      loads extensions as Zephyr's llext_load does, and shows what came of it
  run FILE...       calls a function of an extension on the emulated target
  dap               the debug adapter, on standard input and output or a loopback port

  llext COMMAND --help    the options of a command
  llext --version

exit status: 0 success, 1 the extension was refused or failed, 2 wrong usage or an unreadable file
`;

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    (name === undefined ? process.stderr : process.stdout).write(help);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    process.stderr.write(`llext: '${name}' is none of ${Object.keys(commands).join(', ')}; see llext --help\n`);
    return 2;
  }
  return await commands[name](rest, process);
}

// A reader that has seen enough (`llext load ... | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
