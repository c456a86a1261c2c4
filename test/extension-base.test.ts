/** The setting llext.base: variables and relative paths, and what hovers and F5 then say of imports. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { describeBaseExport, useBaseImage } from '../extension/base-exports';
import { resolveBaseSetting } from '../extension/base-setting';
import { parseBaseImageJson } from '../lib/base-image/base-image-json';
import { builtInBaseImage } from '../lib/kernel/base-image-description';
import { baseImage } from './support/base-images';

const folders = [
  { name: 'app', path: '/src/app' },
  { name: 'zephyr', path: 'vscode-vfs://host/zephyr' },
];

describe('llext.base', () => {
  const cases: readonly (readonly [setting: string, path: string | undefined])[] = [
    ['', undefined],
    ['  ', undefined],
    ['${workspaceFolder}/build/zephyr/zephyr.elf', '/src/app/build/zephyr/zephyr.elf'],
    ['${workspaceFolder:zephyr}/zephyr.elf', 'vscode-vfs://host/zephyr/zephyr.elf'],
    ['build/zephyr.elf', '/src/app/build/zephyr.elf'],
    ['/elsewhere/zephyr.elf', '/elsewhere/zephyr.elf'],
    ['C:\\zephyr.elf', 'C:\\zephyr.elf'],
    ['vscode-vfs://host/z.elf', 'vscode-vfs://host/z.elf'],
  ];
  for (const [setting, path] of cases) {
    it(`'${setting}' is ${path ?? 'the built-in image'}`, () => {
      assert.equal(resolveBaseSetting(setting, folders), path);
    });
  }

  it('a variable that means nothing is told', () => {
    assert.throws(() => resolveBaseSetting('${file}', folders), /llext\.base: \$\{file\} means nothing here/);
    assert.throws(() => resolveBaseSetting('${workspaceFolder:x}/a', folders), /workspaceFolder:NAME/);
    assert.throws(() => resolveBaseSetting('${workspaceFolder}/a', []), RangeError);
    assert.equal(resolveBaseSetting('a/b', []), 'a/b');
  });
});

describe('which export satisfies an import', () => {
  afterEach(() => useBaseImage(undefined));

  it('the built-in image’s by default', () => {
    assert.deepEqual(
      [describeBaseExport('printk')?.address, describeBaseExport('firmware_scale')],
      ['0x08001000', undefined],
    );
  });

  it('the real image’s with its declaration; not what its build leaves out', () => {
    useBaseImage(baseImage('m3'));
    assert.deepEqual(describeBaseExport('firmware_scale'), {
      name: 'firmware_scale',
      signature: 'int firmware_scale(int value)',
      doc: '',
      address: '0x000000a8',
    });
    assert.equal(describeBaseExport('firmware_update'), undefined);
    // printk is there, but sprintf is only in the built-in image.
    assert.match(describeBaseExport('printk')?.doc ?? '', /\w/);
    assert.equal(describeBaseExport('sprintf'), undefined);
    useBaseImage(baseImage('rv64'));
    assert.equal(describeBaseExport('printk')?.address?.length, 18);
  });

  it('a list of names tells that much', () => {
    useBaseImage(parseBaseImageJson('["mine"]', 'list.json', builtInBaseImage()));
    assert.deepEqual(describeBaseExport('mine'), { name: 'mine', signature: 'mine', doc: '', address: undefined });
    assert.equal(describeBaseExport('printk'), undefined);
  });
});
