/**
 * The shell's commands (specification 6.1): texts to the character, return codes, and what the one static buffer does to
 * an extension that was loaded before.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno } from '../lib/errors';
import { MemoryFileSystem } from '../lib/llext/fs-loader';
import { collectCalls } from '../lib/llext/llext-handlers';
import type { GuestCall } from '../lib/llext/llext-handlers';
import { loadHexCommand, LlextShell } from '../lib/llext/llext-shell';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, data, func, text } from './support/elf-builder';
import { bench, image, plainConfig } from './support/load-bench';
import type { Bench } from './support/load-bench';

const buffer = 0x2000_4000n;

/** Exports `entry`; `filler` makes the contents of two files differ. */
function extension(filler: number): Uint8Array {
  return buildElf({
    sections: [
      text(new Array<number>(64).fill(filler)),
      { name: '.rodata', flags: C.SHF_ALLOC, bytes: new TextEncoder().encode('entry\0') },
      { ...data([0, 0, 0, 0, 0, 0, 0, 0]), name: '.exported_sym' },
    ],
    symbols: [{ name: 'name_of_entry', section: '.rodata' }, func('entry', 1)],
    relocations: [
      { target: '.exported_sym', offset: 0, type: C.R_ARM_ABS32, symbol: 'name_of_entry' },
      { target: '.exported_sym', offset: 4, type: C.R_ARM_ABS32, symbol: 'entry' },
    ],
  });
}

const file = extension(0x11);

interface Session {
  readonly it: Bench;
  readonly messages: string[];
  /** What a line prints and returns. */
  enter(line: string): { ret: number; output: string; calls: readonly GuestCall[] };
}

function session(config: Partial<LlextConfig> = {}, maxSize?: number): Session {
  const it = bench(image(config));
  const fileSystem = new MemoryFileSystem(
    new Map([
      ['/ext/good.llext', file],
      ['/ext/bad.llext', Uint8Array.of(1, 2, 3)],
    ]),
  );
  let output = '';
  const messages: string[] = [];
  const shell = new LlextShell({
    llext: it.target.llext,
    memory: it.target.memory,
    config: { ...plainConfig, ...config },
    maxSize,
    buffer,
    fileSystem,
    print: (part) => (output += part),
    log: (message) => messages.push(message),
  });
  return {
    it,
    messages,
    enter(line) {
      output = '';
      it.target.announce(line.split(' ')[2] ?? '');
      const { ret, calls } = collectCalls(shell.execute(line));
      return { ret, output, calls };
    },
  };
}

test('list: a header, and a row for each extension with alloc_size', () => {
  const { it, enter } = session();
  assert.deepEqual(enter('llext list'), { ret: 0, output: '| Name             | Size         |\n', calls: [] });
  enter(loadHexCommand('hello', file));
  enter(loadHexCommand('sixteen_letters_', file));
  const sizes = ['hello', 'sixteen_letters'].map((name) => String(it.target.llext.byName(name)?.allocSize));
  assert.equal(
    enter('llext list').output,
    `| Name             | Size         |\n|            hello | ${sizes[0].padStart(12)} |\n|  sixteen_letters | ${sizes[1].padStart(12)} |\n`,
  );
});

test('load_hex: success with the struct’s address, and the module’s own message', () => {
  const { it, enter, messages } = session();
  const { ret, output } = enter(loadHexCommand('hello', file));
  const address = it.target.llext.byName('hello')?.address.toString(16);
  assert.deepEqual([ret, output], [0, `Successfully loaded extension hello, addr 0x${address}\n\n`]);
  const digits = file.length * 2;
  assert.deepEqual(messages, [`<dbg> llext_shell: hex2bin hex len ${digits}, llext buf sz 8192, read ${file.length}`]);
});

test('load_hex: failures are printed and return 0; a loaded name fails with its use count', () => {
  const { it, enter } = session();
  assert.deepEqual(enter('llext load_hex bad 00112233'), {
    ret: 0,
    output: 'Failed to load extension bad, return code -8\n\n',
    calls: [],
  });
  enter(loadHexCommand('hello', file));
  assert.equal(enter(loadHexCommand('hello', file)).output, 'Failed to load extension hello, return code 1\n\n');
  assert.equal(it.target.llext.byName('hello')?.useCount, 2);
});

test('load_hex: more than the buffer holds', () => {
  const { enter } = session({}, 64);
  assert.deepEqual(enter(`llext load_hex big ${'0'.repeat(130)}`), {
    ret: -Errno.ENOMEM,
    output: 'Extension 65 bytes too large to load, max 64 bytes\n\n',
    calls: [],
  });
  assert.match(enter(`llext load_hex fits ${'0'.repeat(128)}`).output, /return code -8/);
  // The oldest version looks at no more than one digit too many, and then loads nothing.
  const old = session({ profile: 'SEED' }, 64);
  const { ret, output } = old.enter(`llext load_hex big ${'0'.repeat(130)}`);
  assert.equal(ret, 0);
  assert.match(output, /^Failed to load extension big, return code -\d+\n\n$/);
});

test('load_hex: digits until something that is none; an odd one stands alone', () => {
  const { it, enter, messages } = session();
  const bytes = (): number[] => [...it.target.memory.read(buffer, 4)];
  const read = (): string | undefined => /read (\d+)$/.exec(messages.at(-1) ?? '')?.[1];
  enter('llext load_hex x aAbBcC');
  assert.deepEqual([bytes(), read()], [[0xaa, 0xbb, 0xcc, 0], '3']);
  enter('llext load_hex x 123');
  assert.deepEqual([bytes(), read()], [[0x01, 0x23, 0xcc, 0], '2']);
  enter('llext load_hex x 44z5');
  assert.deepEqual([bytes(), read()], [[0x44, 0x23, 0xcc, 0], '0']);
  // Of a pair with one digit, that digit has been written.
  enter('llext load_hex x 556z77');
  assert.deepEqual([bytes(), read()], [[0x55, 0x60, 0xcc, 0], '0']);
});

test('the static buffer: persistent storage uses it in place, and the next load overwrites it', () => {
  const { it, enter } = session();
  enter(loadHexCommand('one', extension(0x11)));
  const one = it.target.llext.byName('one');
  assert.ok(one !== undefined);
  // Code without relocations stays in the buffer.
  assert.ok(one.mem[0] >= buffer && one.mem[0] < buffer + 8192n && !one.memOnHeap[0]);
  assert.equal(one.regionBytes(0)[0], 0x11);
  assert.deepEqual(
    one.expTab.symbols.map(({ name }) => name),
    ['entry'],
  );
  enter(loadHexCommand('two', extension(0x22)));
  assert.equal(one.regionBytes(0)[0], 0x22, 'the first extension now runs the second’s code');
  enter('llext load_hex three 00');
  assert.equal(one.regionBytes(0)[0], 0x22, 'one byte does not reach it');
  const temporary = session({ storageWritable: true });
  temporary.enter(loadHexCommand('one', extension(0x11)));
  assert.equal(temporary.it.target.llext.byName('one')?.mem[2], buffer + 116n, 'writable: everything in place');
});

test('list_symbols: sym_tab, which is empty unless the log level is DBG', () => {
  const { it, enter } = session();
  enter(loadHexCommand('hello', file));
  const symbol = it.target.llext.findSym('entry', it.target.llext.byName('hello'));
  assert.deepEqual(enter('llext list_symbols hello'), {
    ret: 0,
    output: `Extension: hello symbols\n| Symbol           | Address    |\n|            entry | 0x${symbol?.toString(16)} |\n`,
    calls: [],
  });
  const quiet = session({ logLevel: 3 });
  quiet.enter(loadHexCommand('hello', file));
  assert.equal(
    quiet.enter('llext list_symbols hello').output,
    'Extension: hello symbols\n| Symbol           | Address    |\n',
  );
  assert.deepEqual(quiet.messages, [], 'the module’s message is at debug level too');
  assert.deepEqual(enter('llext list_symbols none'), {
    ret: -Errno.ENOENT,
    output: 'No such llext none\n',
    calls: [],
  });
});

test('unload: the same text whether it is gone or only one use less', () => {
  const { it, enter } = session();
  enter(loadHexCommand('hello', file));
  enter(loadHexCommand('hello', file));
  const text_ = { ret: 0, output: 'Unloaded extension hello\n\n', calls: [] };
  assert.deepEqual(enter('llext unload hello'), text_);
  assert.equal(it.target.llext.byName('hello')?.useCount, 1);
  assert.deepEqual(enter('llext unload hello'), text_);
  assert.deepEqual(enter('llext unload hello'), {
    ret: -Errno.ENOENT,
    output: 'No such extension hello\n',
    calls: [],
  });
});

test('call_fn: calls, prints nothing, and does not tell what is not found', () => {
  const { it, enter } = session();
  enter(loadHexCommand('hello', file));
  const address = it.target.llext.findSym('entry', it.target.llext.byName('hello'));
  assert.deepEqual(enter('llext call_fn hello entry'), {
    ret: 0,
    output: '',
    calls: [{ address, arguments: [] }],
  });
  assert.deepEqual(enter('llext call_fn hello nothing'), { ret: 0, output: '', calls: [] });
  assert.deepEqual(enter('llext call_fn none entry'), {
    ret: -Errno.ENOENT,
    output: 'No such extension none\n',
    calls: [],
  });
});

test('load_llext: from the file system', () => {
  const { it, enter } = session();
  const { ret, output } = enter('llext load_llext hello /ext/good.llext');
  const address = it.target.llext.byName('hello')?.address.toString(16);
  assert.deepEqual([ret, output], [0, `Successfully loaded extension hello, addr 0x${address}\n\n`]);
  // A name that is loaded is a success here.
  assert.equal(enter('llext load_llext hello /ext/good.llext').output, output);
  assert.deepEqual(enter('llext load_llext x /ext/none'), {
    ret: -Errno.ENOENT,
    output: 'Failed to obtain file /ext/none, return code -2\n\n',
    calls: [],
  });
  assert.deepEqual(enter('llext load_llext x /ext'), { ret: -Errno.ENOEXEC, output: 'Not a file /ext\n', calls: [] });
  // ext is NULL then, and what lies at its name's offset is printed: nothing is mapped there.
  assert.deepEqual(enter('llext load_llext x /ext/bad.llext'), {
    ret: -Errno.ENOEXEC,
    output: 'Failed to load extension , return code -22\n\n',
    calls: [],
  });
});

test('what the shell itself answers', () => {
  const { enter } = session();
  assert.deepEqual(enter('llext unload'), { ret: -Errno.EINVAL, output: 'unload: wrong parameter count\n', calls: [] });
  assert.equal(enter('llext load_hex a').ret, -Errno.EINVAL);
  assert.deepEqual(enter('llext fly'), { ret: -Errno.ENOEXEC, output: 'fly: command not found\n', calls: [] });
  assert.deepEqual(enter('kernel uptime'), { ret: -Errno.ENOEXEC, output: 'kernel: command not found\n', calls: [] });
});
