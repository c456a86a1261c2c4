/**
 * llext_relink_dependency and llext_restore: over a loss of memory.
 */
import assert from 'node:assert/strict';
import { LlextError } from '../../../lib/errors';
import type { LlextExtension } from '../../../lib/llext/extension';
import type { ProfileName } from '../../../lib/llext/profile';
import { errors } from '../load-bench';
import { copiesOf, openPair, later } from './opened';
import type { Opened, Case } from './opened';

export const resuming: readonly Case[] = [
  {
    fn: 'llext_relink_dependency',
    result: 'OK',
    profiles: later,
    run(profile) {
      const pair = openPair(profile);
      const [user, opened] = copiesOf(pair, pair.user, pair.extension);
      const ret = pair.llext.relinkDependency(user, 2);
      assert.equal(dependencyOf(pair, user), opened);
      return ret;
    },
  },
  {
    fn: 'llext_relink_dependency',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const pair = openPair(profile);
      const [user] = copiesOf(pair, pair.user);
      return pair.llext.relinkDependency(user, 1);
    },
  },
  {
    fn: 'llext_restore',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { pair, copies } = suspended(profile);
      const result = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
      assert.deepEqual(
        pair.llext.extensions().map(({ name }) => name),
        ['opened', 'user'],
      );
      const [opened, user] = result.extensions;
      assert.equal(dependencyOf(pair, user), opened);
      const again = pair.llext.byName('opened');
      assert.equal(addressOf(again, '.text'), addressOf(pair.extension, '.text'));
      assert.deepEqual(
        again?.expTab.symbols.map(({ name }) => name),
        ['entry'],
      );
      // The section maps are new ones too.
      assert.equal(pair.llext.getSectionInfo(pair.loader, pair.extension, 1).region, 0);
      return result.ret;
    },
  },
  {
    fn: 'llext_restore',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      // A dependency on the last of them is out of range: a flaw of Zephyr.
      const { pair, copies } = suspended(profile, true);
      const result = pair.llext.restore(copies, [pair.userLoader, pair.loader]);
      assert.ok(errors(pair.it.target.takeLog()).includes('llext: dependency out of range'));
      // Giving up frees the export tables a second time.
      assert.ok(result.fault instanceof LlextError);
      return result.ret;
    },
  },
  {
    fn: 'llext_restore',
    result: 'EFAULT',
    profiles: later,
    run(profile) {
      const { pair, copies } = suspended(profile);
      // The copy of the dependency has lost its name meanwhile; the restored one is found by another.
      const nameless = 0x2000_9000n;
      const { sizeof, name, dependency = 0 } = pair.it.target.layout;
      pair.it.target.memory.write(nameless, pair.it.target.memory.read(copies[0], sizeof));
      const between = copies[0] + 4n;
      pair.it.target.memory.write(copies[1] + BigInt(dependency), wordBytes(between));
      assert.ok(name > 0);
      const { ret } = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
      assert.ok(errors(pair.it.target.takeLog()).includes('llext: dependency not found'));
      return ret;
    },
  },
  ...(['list of section maps', 'sect_map', 'list of exp_tabs', 'exp_tab', 'struct llext'] as const).map(
    (purpose): Case => ({
      fn: 'llext_restore',
      result: 'ENOMEM',
      when: `no room for ${purpose}`,
      profiles: later,
      run(profile) {
        const { pair, copies } = suspended(profile);
        const before = pair.it.target.freeHeapBytes();
        pair.it.target.refuse(purpose);
        const result = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
        assert.match(errors(pair.it.target.takeLog())[0], /^llext: cannot allocate /);
        assert.equal(pair.it.target.freeHeapBytes(), before, 'nothing leaks');
        assert.equal(result.fault, undefined);
        assert.deepEqual(pair.llext.extensions(), []);
        return result.ret;
      },
    }),
  ),
];

function addressOf(extension: LlextExtension | undefined, section: string): bigint | undefined {
  return extension?.sections.find(({ name }) => name === section)?.address;
}

function wordBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number(value), true);
  return bytes;
}

function dependencyOf({ it }: Opened, ext: bigint): bigint {
  const { dependency = 0 } = it.target.layout;
  const bytes = it.target.memory.read(ext + BigInt(dependency), 4);
  return BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
}

/** Two extensions are saved and relinked, and the list is empty, as after power was lost. */
function suspended(
  profile: ProfileName,
  dependencyLast = false,
): { pair: ReturnType<typeof openPair>; copies: bigint[] } {
  const pair = openPair(profile);
  const order = dependencyLast ? [pair.user, pair.extension] : [pair.extension, pair.user];
  // One more that nobody depends on: the last of the array cannot be depended on.
  const copies = copiesOf(pair, ...order);
  assert.equal(pair.llext.relinkDependency(copies[0], 2), 0);
  pair.it.target.memory.write(0x2000_0000n, new Uint8Array(8));
  pair.it.target.takeLog();
  return { pair, copies };
}
