/**
 * Memory domains, and heaps that the application gives.
 */
import assert from 'node:assert/strict';
import { Errno } from '../../../lib/errors';
import { KMemDomain } from '../../../lib/kernel/mem-domain';
import type { LlextSubsystem } from '../../../lib/llext/llext';
import type { ProfileName } from '../../../lib/llext/profile';
import { bench, errors, image } from '../load-bench';
import { file, open, heapConfig, userspace, later } from './opened';
import type { Case } from './opened';

export const memory: readonly Case[] = [
  {
    fn: 'llext_add_domain',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4);
      const ret = llext.addDomain(extension, domain);
      const { TEXT, RODATA, BSS, DATA } = llext.regions;
      assert.deepEqual(
        domain.partitions.map(({ start, attribute }) => [start, attribute]),
        [
          [extension.mem[TEXT], 'P_RX_U_RX'],
          [extension.mem[RODATA], 'P_RO_U_RO'],
          [extension.mem[BSS], 'P_RW_U_RW'],
        ],
        'DATA has nothing',
      );
      assert.equal(extension.memSize[DATA], 0n);
      // Sizes are those of the allocation: powers of two of at least 32.
      assert.deepEqual(
        domain.partitions.map(({ size }) => size),
        [32n, 32n, 64n],
      );
      return ret;
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'ENOSYS',
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.addDomain(extension, new KMemDomain(0n, 4));
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'ENOSPC',
    run(profile) {
      const { it, llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4, 2);
      const ret = llext.addDomain(extension, domain);
      assert.equal(domain.partitions.length, 2, 'what fitted stays');
      const { BSS } = llext.regions;
      assert.deepEqual(errors(it.target.takeLog()), [
        `llext: Failed adding memory partition ${BSS} to domain 0x20007000`,
      ]);
      return ret;
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'EINVAL',
    run(profile) {
      const { llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4);
      assert.equal(llext.addDomain(extension, domain), 0);
      // The same partitions once more overlap themselves.
      return llext.addDomain(extension, domain);
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext } = uninitialised(profile, false);
      return llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 });
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'ENOSYS',
    profiles: later,
    run(profile) {
      const range = { address: 0x2010_0000, bytes: 0x4000 };
      assert.equal(uninitialised(profile, true).llext.heapInit(range), -Errno.ENOSYS, 'on Harvard');
      return open(profile).llext.heapInit(range);
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'EEXIST',
    profiles: later,
    run: (profile) =>
      open(profile, { heap: heapConfig('dynamic') }).llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 }),
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'OK',
    profiles: later,
    run: (profile) => uninitialised(profile, true).llext.heapInitHarvard(instr, rest),
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'ENOSYS',
    profiles: later,
    run(profile) {
      assert.equal(uninitialised(profile, false).llext.heapInitHarvard(instr, rest), -Errno.ENOSYS);
      return open(profile, { heap: heapConfig('kheap', true) }).llext.heapInitHarvard(instr, rest);
    },
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'EEXIST',
    profiles: later,
    run: (profile) => open(profile, { heap: heapConfig('dynamic', true) }).llext.heapInitHarvard(instr, rest),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension } = open(profile, { heap: heapConfig('dynamic') });
      llext.unload(extension);
      assert.equal(llext.heapUninit(), 0);
      assert.equal(it.load(file).ret, -Errno.ENOMEM);
      return llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 });
    },
  },
  {
    fn: 'llext_heap_uninit',
    result: 'ENOSYS',
    profiles: later,
    run: (profile) => open(profile).llext.heapUninit(),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'EEXIST',
    profiles: later,
    run: (profile) => uninitialised(profile, false).llext.heapUninit(),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'EBUSY',
    profiles: later,
    run: (profile) => open(profile, { heap: heapConfig('dynamic') }).llext.heapUninit(),
  },
];

export const instr = { address: 0x2010_0000, bytes: 0x1000 };
export const rest = { address: 0x2010_1000, bytes: 0x2000 };

function uninitialised(profile: ProfileName, harvard: boolean): { llext: LlextSubsystem } {
  const heap = heapConfig('dynamic', harvard);
  return bench(image({ profile }), [], undefined, { heap, leaveHeapUninitialised: true }).target;
}
