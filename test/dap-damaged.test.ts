/** Debug information of which parts cannot be read: the session goes on, values say what they lack, and the console says it once. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { baseImagePath } from './support/base-images';
import { withAdapter } from './support/dap-client';
import { examplePath, fixturePath } from './support/fixtures';

const folder = mkdtempSync(join(tmpdir(), 'llext-damaged-'));
after(() => rmSync(folder, { recursive: true }));

/** A copy of a file, the second half of whose section is what cannot be there. */
function damaged(path: string, name: string, section: string): string {
  const bytes = new Uint8Array(readFileSync(path));
  const found = ElfFile.parse(bytes.slice()).section(section);
  assert.ok(found);
  bytes.fill(0xff, found.sh_offset + Math.floor(found.sh_size / 2), found.sh_offset + found.sh_size);
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const told =
  /llext 'broken': parts of the debug information in .*broken\.elf cannot be read; .*Build the file again;.*\n {2}\S+/;

describe('debug information that cannot be read', () => {
  it('is told of once, with the file and what to do, and the session goes on', () =>
    withAdapter(async (adapter) => {
      const program = damaged(fixturePath('calls', 'm3-O0'), 'broken.elf', '.debug_abbrev');
      await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
      for (let i = 0; i < 3; i++) {
        await adapter.stack();
        await adapter.scope('Globals').catch(() => undefined);
        await adapter.run('stepIn', 'instruction');
      }
      assert.match(adapter.output('important'), told);
      assert.equal(adapter.output('important').match(/debug information/g)?.length, 1);
      await adapter.runToEnd();
    }));

  it('is told of for a base image as well, whose debug information is opened once', () => {
    const base = damaged(baseImagePath('m3'), 'zephyr.elf', '.debug_abbrev');
    return withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello.llext'), base, stopOnEntry: true });
      await adapter.scope('Globals').catch(() => undefined);
      assert.match(adapter.output('important'), /base image: parts of the debug information in .*zephyr\.elf cannot/);
      const { base: opened } = await adapter.state();
      assert.ok(opened?.program.debug !== undefined);
      assert.equal(opened.program.debug, opened.description.debug);
    }, 'inline');
  });

  it('is not spoken of where all of it can be read', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3], stopOnEntry: true });
      await adapter.scope('Globals').catch(() => undefined);
      assert.equal(adapter.output('important'), '');
    }));
});
