/** The adapter's parts that need no session: paths of three kinds, source files, option texts, names, handles. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHitCondition, parseLogMessage } from '../debug-adapter/breakpoint-options';
import { Handles } from '../debug-adapter/handles';
import { extensionName } from '../lib/target/defaults';
import {
  baseName,
  commonSuffix,
  folderOf,
  isAbsolutePath,
  isUri,
  joinPath,
  replacePrefix,
  samePath,
} from '../lib/paths';
import { statusFields } from '../debug-adapter/registers';
import { SourcePaths, spelled } from '../debug-adapter/source-paths';
import type { FileAccess } from '../debug-adapter/services';
import type { SourceFile } from '../lib/dwarf/model';

describe('paths', () => {
  it('of three kinds are told apart', () => {
    assert.ok(isUri('vscode-vfs://github/a/b.c') && isUri('file:///a') && !isUri('C:\\a') && !isUri('/a'));
    for (const path of ['/a', 'C:\\a', 'c:/a', '\\\\server\\a', 'file:///a']) assert.ok(isAbsolutePath(path), path);
    for (const path of ['a', './a', '../a', 'a:b']) assert.ok(!isAbsolutePath(path), path);
  });

  it('are joined, with . and .. resolved', () => {
    assert.equal(joinPath('/a/b', '../c/./d.c'), '/a/c/d.c');
    assert.equal(joinPath('/a', '/b'), '/b');
    assert.equal(joinPath('C:\\a\\b', '..\\c.c'), 'C:\\a\\c.c');
    assert.equal(joinPath('vscode-vfs://github/o/r', 'src/my file.c'), 'vscode-vfs://github/o/r/src/my%20file.c');
    assert.equal(joinPath('file:///a/b', '../c.c'), 'file:///a/c.c');
    assert.equal(joinPath('', 'c.c'), 'c.c');
    assert.equal(joinPath('/', 'c.c'), '/c.c');
  });

  it('have a folder and a name', () => {
    assert.deepEqual([folderOf('/a/b.c'), baseName('/a/b.c')], ['/a', 'b.c']);
    assert.deepEqual([folderOf('C:\\a\\b.c'), baseName('C:\\a\\b.c')], ['C:\\a', 'b.c']);
    assert.deepEqual([folderOf('file:///a/b%20c.c'), baseName('file:///a/b%20c.c')], ['file:///a', 'b c.c']);
    assert.deepEqual([folderOf('/b.c'), folderOf('b.c')], ['/', '']);
  });

  it('are the same in any spelling', () => {
    assert.ok(samePath('C:\\Source\\a.c', 'c:/source/A.C'));
    assert.ok(samePath('file:///c%3A/Source/a.c', 'C:\\Source\\a.c'));
    assert.ok(samePath('/a/./b/../c.c', '/a/c.c'));
    assert.ok(!samePath('/a/C.c', '/a/c.c'));
    assert.ok(!samePath('/a/c.c', '/b/a/c.c'));
  });

  it('are compared from their end, and mapped by prefix', () => {
    assert.equal(commonSuffix('/projects/me/src/a.c', 'D:\\other\\src\\a.c'), 2);
    assert.equal(commonSuffix('/x/a.c', '/x/b.c'), 0);
    assert.equal(replacePrefix('/build/src/a.c', '/build', '/projects/me'), '/projects/me/src/a.c');
    assert.equal(replacePrefix('/builder/a.c', '/build', '/projects'), undefined);
    assert.equal(replacePrefix('./src/a.c', '.', '/projects'), '/projects/src/a.c');
    assert.equal(replacePrefix('C:\\b\\a.c', 'c:\\B', 'D:\\x'), 'D:\\x\\a.c');
    assert.equal(replacePrefix('/b/a.c', '/b', 'vscode-vfs://h/r'), 'vscode-vfs://h/r/a.c');
  });
});

/** Files by path, listed as folders. */
function fakeFiles(...paths: string[]): FileAccess {
  return {
    read: () => Promise.reject(new Error('nothing to read')),
    list: async (folder) => {
      const inside = paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
      return [...new Set(inside.map((path) => (path.includes('/') ? `${path.split('/')[0]}/` : path)))];
    },
  };
}

const source = (path: string, compilationDirectory?: string): SourceFile => ({
  path,
  compilationDirectory,
  md5: undefined,
});

describe('sources', () => {
  const search = { sourceMap: [], folders: [] };
  it('are found relative to the ELF, by sourceMap, and by name with the longest common end', async () => {
    const reports: string[] = [];
    const report = (text: string): void => void reports.push(text);
    const beside = new SourcePaths(fakeFiles('/p/src/a.c'), search, report);
    assert.equal(await beside.resolve(source('src/a.c', '.'), '/p'), '/p/src/a.c');
    const mapping = { ...search, sourceMap: [['/old', '/new'] as const] };
    const mapped = new SourcePaths(fakeFiles('/new/a.c'), mapping, report);
    assert.equal(await mapped.resolve(source('a.c', '/old'), '/p'), '/new/a.c');
    // Also where something is at the compiler's place; what it does not lead to is looked for there.
    const both = new SourcePaths(fakeFiles('/old/a.c', '/old/b.c', '/new/a.c'), mapping, report);
    assert.equal(await both.resolve(source('a.c', '/old'), '/p'), '/new/a.c');
    assert.equal(await both.resolve(source('b.c', '/old'), '/p'), '/old/b.c');
    const files = fakeFiles('/w/one/lib/a.c', '/w/two/src/a.c');
    const searched = new SourcePaths(files, { ...search, folders: ['/w'] }, report);
    assert.equal(await searched.resolve(source('/elsewhere/src/a.c'), '/p'), '/w/two/src/a.c');
    assert.deepEqual(reports, []);
    assert.equal(await searched.resolve(source('/elsewhere/a.c'), '/p'), undefined);
    assert.equal(reports.length, 1);
    const inBrowser = new SourcePaths(fakeFiles('vscode-vfs://h/r/src/a.c'), search, report);
    assert.equal(await inBrowser.resolve(source('src/a.c', '.'), 'vscode-vfs://h/r'), 'vscode-vfs://h/r/src/a.c');
  });

  it('are matched to the path of a breakpoint', async () => {
    const paths = new SourcePaths(fakeFiles('/p/a.c'), search, () => undefined);
    const [known, one, other] = [source('a.c', '.'), source('x/b.c', '/ci'), source('y/b.c', '/ci')];
    await paths.resolve(known, '/p');
    const all = [known, one, other];
    assert.deepEqual(paths.match('/p/a.c', all), { kind: 'match', files: [known] });
    assert.deepEqual(paths.match('file:///p/a.c', all), { kind: 'match', files: [known] });
    assert.deepEqual(paths.match('/other/a.c', all), { kind: 'none', elsewhere: ['/p/a.c'] });
    assert.deepEqual(paths.match('D:\\my\\x\\b.c', all), { kind: 'match', files: [one] });
    assert.deepEqual(paths.match('/b.c', all), { kind: 'ambiguous', paths: ['/ci/x/b.c', '/ci/y/b.c'] });
  });

  it('are spelled with their compilation directory', () => {
    assert.equal(spelled(source('a.c', '/d')), '/d/a.c');
    assert.equal(spelled(source('/a.c', '/d')), '/a.c');
    assert.equal(spelled(source('a.c')), 'a.c');
  });
});

describe('texts', () => {
  it('hit counts', () => {
    const hits = (text: string): number[] => {
      const test = parseHitCondition(text);
      assert.ok(typeof test === 'function', String(test));
      return [1, 2, 3, 4, 5, 6].filter(test);
    };
    assert.deepEqual(hits('5'), [5]);
    assert.deepEqual(hits(' = 5 '), [5]);
    assert.deepEqual(hits('!= 2'), [1, 3, 4, 5, 6]);
    assert.deepEqual(hits('>=0x5'), [5, 6]);
    assert.deepEqual(hits('<= 2'), [1, 2]);
    assert.deepEqual(hits('%3'), [3, 6]);
    for (const wrong of ['', 'x', '> ', '% 0', '5 6']) assert.equal(typeof parseHitCondition(wrong), 'string', wrong);
  });

  it('log messages', () => {
    assert.deepEqual(parseLogMessage('a {x + 1} b'), [{ text: 'a ' }, { expression: 'x + 1' }, { text: ' b' }]);
    assert.deepEqual(parseLogMessage('{{x}} \\{y\\}'), [{ text: '{x} {y}' }]);
    assert.deepEqual(parseLogMessage("{c == '}'}"), [{ expression: "c == '}'" }]);
    assert.deepEqual(parseLogMessage('{a}{b}'), [{ expression: 'a' }, { expression: 'b' }]);
    assert.match(String(parseLogMessage('{x')), /without its }/);
    assert.match(String(parseLogMessage('{}')), /without an expression/);
  });

  it('names of extensions', () => {
    assert.equal(extensionName('hello.llext'), 'hello');
    assert.equal(extensionName('hello_ext_debug.elf'), 'hello');
    assert.equal(extensionName('a_debug.elf'), 'a');
    assert.equal(extensionName('a_very_long_extension_name.llext'), 'a_very_long_ext');
    assert.equal(extensionName('_debug.elf'), '_debug');
  });

  it('fields of the status register', () => {
    const value = Object.fromEntries(statusFields(0xa1000003n).map(({ name, value: text }) => [name, text]));
    assert.deepEqual(
      [value['N'], value['Z'], value['C'], value['T'], value['exception']],
      ['1', '0', '1', '1', '3 (HardFault)'],
    );
    assert.equal(statusFields(0x06000c10n).find(({ name }) => name === 'IT')?.value, '0x0f');
    assert.equal(statusFields(0x10n).at(-1)?.value, '16 (IRQ 0)');
  });

  it('handles keep their numbers and forget what they stood for', () => {
    const handles = new Handles<string>();
    const first = handles.set('a', 'x');
    assert.equal(handles.get(first), 'x');
    handles.invalidate();
    assert.equal(handles.get(first), undefined);
    assert.equal(handles.set('a', 'y'), first);
    assert.notEqual(handles.set('b', 'z'), first);
  });
});
