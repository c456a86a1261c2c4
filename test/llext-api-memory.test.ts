/**
 * Memory partitions, MMU permissions (specification 1.10), groups of exports and SLIDs (3.1, 3.4), as the rest of the
 * subsystem sees them: struct llext, events, look-ups.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Errno } from '../lib/errors';
import { loaderExportsOf } from '../lib/kernel/base-image';
import { defaultHeapSizes } from '../lib/kernel/llext-heaps';
import { KMemDomain } from '../lib/kernel/mem-domain';
import { constSymbolTable, exportedGroups, exportVariable, isGroupExported } from '../lib/llext/llext-export';
import { profileNames } from '../lib/llext/profile';
import { exportGroups } from '../lib/llext/types';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, bss, data, func, text, undefinedSymbol } from './support/elf-builder';
import { bench, errors, image, plainConfig } from './support/load-bench';
import { sharedObject } from './support/profile-cases';
import type { Bench } from './support/load-bench';
import * as C from '../lib/elf/constants';

const file = buildElf({
  sections: [
    text(new Array<number>(40).fill(0)),
    { name: '.rodata', flags: C.SHF_ALLOC, bytes: new Array<number>(5).fill(1) },
    data([1, 2, 3, 4]),
    bss(100),
  ],
  symbols: [func('f')],
});

// --- Partitions ------------------------------------------------------------------------------------------------------

const attributes = { P_RX_U_RX: 0x060b_0000, P_RW_U_RW: 0x130b_0000, P_RO_U_RO: 0x160b_0000 };
const userspace: Partial<LlextConfig> = {
  userspace: true,
  armMpu: true,
  userspaceSizes: { memPartition: 12, memDomain: 0 },
  partitionAttributes: attributes,
};

test('mem_parts in struct llext: start, size of the allocation, attributes', () => {
  const it = bench(image(userspace));
  const { extension, ret } = it.load(file);
  assert.equal(ret, 0);
  assert.ok(extension !== undefined);
  const { mem_parts } = it.target.layout;
  assert.equal(mem_parts, 4);
  const bytes = it.target.memory.read(extension.address + 4n, 4 * 12);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const rows = [0, 1, 2, 3].map((i) => [0, 4, 8].map((at) => view.getUint32(i * 12 + at, true)));
  assert.deepEqual(rows, [
    [Number(extension.mem[0]), 64, attributes.P_RX_U_RX],
    [Number(extension.mem[1]), 32, attributes.P_RW_U_RW],
    [Number(extension.mem[2]), 32, attributes.P_RO_U_RO],
    [Number(extension.mem[3]), 128, attributes.P_RW_U_RW],
  ]);
  assert.deepEqual([...extension.partitions.keys()], [0, 1, 2, 3], 'only what a program accesses');
});

test('a region that is used in place has a partition there', () => {
  const it = bench(image({ userspace: true }));
  const { extension } = it.load(file, { storage: 'writable' });
  assert.ok(extension !== undefined);
  assert.equal(extension.memOnHeap[0], false);
  assert.deepEqual(extension.partitions.get(0), {
    start: extension.mem[0],
    size: 40n,
    attribute: 'P_RX_U_RX',
  });
});

test('only the oldest version has a message for each', () => {
  for (const profile of profileNames) {
    const { extension, log } = bench(image({ ...userspace, profile })).load(file);
    const start = extension?.mem[0].toString(16);
    const shown = log.filter((line) => line.startsWith('<dbg> llext: mem partition 0 '));
    assert.deepEqual(shown, profile === 'SEED' ? [`<dbg> llext: mem partition 0 start 0x${start}, size 64`] : []);
  }
});

test('without CONFIG_USERSPACE there are none', () => {
  assert.equal(bench().load(file).extension?.partitions.size, 0);
});

test('k_mem_domain: return codes', () => {
  const domain = new KMemDomain(0n, 4, 2);
  const part = (start: bigint, size: bigint) => ({ start, size, attribute: undefined });
  assert.equal(domain.addPartition(part(0x1000n, 0n)), -Errno.EINVAL);
  assert.equal(domain.addPartition(part(0xffff_f000n, 0x1000n)), -Errno.EINVAL, 'ends at 0');
  assert.equal(domain.addPartition(part(0x1000n, 0x100n)), 0);
  assert.equal(domain.addPartition(part(0x10ffn, 1n)), -Errno.EINVAL);
  assert.equal(domain.addPartition(part(0xf00n, 0x101n)), -Errno.EINVAL);
  assert.equal(domain.addPartition(part(0x1100n, 1n)), 0);
  assert.equal(domain.addPartition(part(0x2000n, 1n)), -Errno.ENOSPC);
  assert.equal(domain.removePartition(part(0x1000n, 0x80n)), -Errno.ENOENT);
  assert.equal(domain.removePartition(part(0x1000n, 0x100n)), 0);
  assert.equal(domain.addPartition(part(0x1000n, 0x100n)), 0);
});

// --- MMU -------------------------------------------------------------------------------------------------------------

const mmu: Partial<LlextConfig> = { mmu: true, page: 4096 };

function flags(it: Bench): unknown[] {
  const list = it.events.flatMap((event) =>
    event.kind === 'memory-flags' ? [[event.address, event.size, event.flags]] : [],
  );
  it.events.length = 0;
  return list;
}

function permissionsSet(it: Bench, ext: bigint): number {
  return it.target.memory.read(ext + BigInt(it.target.layout.mmu_permissions_set ?? 0), 1)[0];
}

test('MMU: code becomes executable, constants read-only, and both read-write again', () => {
  const it = bench(image(mmu));
  const { extension } = it.load(file);
  assert.ok(extension !== undefined);
  const [TEXT, , RODATA] = extension.mem;
  assert.deepEqual(flags(it), [
    [TEXT, 4096n, 'EXEC'],
    [RODATA, 4096n, 'READ_ONLY'],
  ]);
  assert.equal(permissionsSet(it, extension.address), 1);
  it.target.llext.unload(extension);
  assert.deepEqual(flags(it), [
    [TEXT, 4096n, 'READ_WRITE'],
    [RODATA, 4096n, 'READ_WRITE'],
  ]);
});

test('MMU: a pre-located extension is the application’s business, and so is one that failed', () => {
  const it = bench(image(mmu));
  const { extension, ret } = it.load(file, { storage: 'writable', parm: { pre_located: true } });
  assert.equal(ret, 0);
  assert.ok(extension !== undefined);
  assert.deepEqual(flags(it), []);
  assert.equal(permissionsSet(it, extension.address), 0);
  it.target.llext.unload(extension);
  assert.deepEqual(flags(it), []);
  const failing = bench(image(mmu), [], 'exp_tab');
  failing.load(
    buildElf({
      sections: [text(), { ...data(new Array<number>(8).fill(0)), name: '.exported_sym' }],
      symbols: [func('f')],
    }),
  );
  assert.deepEqual(flags(failing), []);
});

test('MMU: of a shared object’s image the pages with code and no data are executable', () => {
  const apart = bench(image({ ...mmu, profile: 'S' }));
  const { extension, ret, log } = apart.load(sharedObject());
  assert.equal(ret, 0, log.join('\n'));
  assert.ok(extension !== undefined);
  const base = extension.mem[0] - 0x34n;
  assert.equal(base % 4096n, 0n);
  assert.deepEqual(flags(apart), [[base, 4096n, 'EXEC']]);
  apart.target.llext.unload(extension);
  assert.deepEqual(flags(apart), [[base, 8192n, 'READ_WRITE']]);
  const together = bench(image({ ...mmu, profile: 'S' }));
  const second = together.load(sharedObject([], 0x38));
  assert.equal(second.ret, 0);
  assert.deepEqual(flags(together), []);
  const page = ((second.extension?.mem[0] ?? 0n) - 0x34n).toString(16);
  assert.deepEqual(errors(second.log), [`llext: Page at 0x${page} has both code and data`]);
});

test('a shared object’s image in memory blocks is freed as one', () => {
  const heap = { kind: 'memblk', harvard: false, sizes: defaultHeapSizes } as const;
  const open = () => bench(image({ profile: 'S' }), [], undefined, { heap });
  const it = open();
  const { extension, ret, log } = it.load(sharedObject());
  assert.equal(ret, 0, log.join('\n'));
  assert.ok(extension !== undefined);
  assert.equal(it.target.llext.unload(extension), 0);
  assert.equal(it.target.freeHeapBytes(), open().target.freeHeapBytes());
});

// --- Export groups ---------------------------------------------------------------------------------------------------

test('groups: the defaults, devices by their own option, and single ones', () => {
  assert.deepEqual(exportedGroups({}), ['UNASSIGNED', 'SYSCALL', 'LIBC']);
  assert.deepEqual(exportedGroups({ devices: true }), [...exportGroups]);
  assert.deepEqual(exportedGroups({ defaultGroups: false }), []);
  assert.deepEqual(exportedGroups({ defaultGroups: false, groups: { LIBC: true } }), ['LIBC']);
  assert.equal(isGroupExported('DEVICE', { groups: { DEVICE: true } }), true);
  assert.equal(isGroupExported('SYSCALL', { groups: { SYSCALL: false } }), false);
});

test('the built-in image: its system calls, its C library, the rest', () => {
  const groupOf = (name: string): string | undefined => loaderExportsOf('arm').find((row) => row.name === name)?.group;
  const expected = { printk: 'UNASSIGNED', z_impl_k_sleep: 'SYSCALL', memcpy: 'LIBC', stdout: 'LIBC' };
  for (const [name, group] of Object.entries(expected)) assert.equal(groupOf(name), group, name);
  assert.equal(groupOf('__aeabi_memcpy'), 'UNASSIGNED');
  assert.ok(loaderExportsOf('arm').every(({ group }) => group !== undefined));
});

test('a group that the build does not export is not found, and its importers are refused', () => {
  const importing = buildElf({
    sections: [text(), data([0, 0, 0, 0])],
    symbols: [func('g'), undefinedSymbol('memcpy')],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: 'memcpy' }],
  });
  const table = { ...image(), exports: loaderExportsOf('arm') };
  const load = (groups: LlextConfig['exportGroups']): number =>
    bench({ ...table, config: { ...table.config, exportGroups: groups } }).load(importing).ret;
  assert.equal(load(undefined), 0);
  assert.equal(load(['LIBC']), 0);
  assert.equal(load(['UNASSIGNED', 'SYSCALL']), -Errno.ENODATA);
  // The oldest version has no groups.
  const old = { ...table.config, profile: 'SEED', exportGroups: ['SYSCALL'] } as const;
  assert.equal(bench({ ...table, config: old }).load(importing).ret, 0);
});

test('the linked table: by the variables’ names, or by SLID', () => {
  const rows = [
    { name: 'b', address: 2n, slid: 1n, group: 'LIBC' },
    { name: 'a_sym', address: 3n, slid: 3n },
    { name: 'a', address: 1n, slid: 2n, group: 'UNASSIGNED' },
  ] as const;
  const names = (config: Partial<LlextConfig>): string[] =>
    constSymbolTable(rows, { ...plainConfig, ...config }).map(({ name }) => name);
  assert.equal(exportVariable('printk'), '__llext_sym_printk');
  assert.deepEqual(names({}), ['a', 'a_sym', 'b']);
  assert.deepEqual(names({ exportBySlid: true }), ['b', 'a', 'a_sym']);
  assert.deepEqual(names({ exportGroups: ['LIBC'] }), ['a_sym', 'b']);
});

test('llext_find_sym by SLID: the number is found, the name is not', () => {
  const base = {
    ...image({ exportBySlid: true }),
    // SHA-256 of "printk" begins with 87 B3 10 52.
    exports: [{ name: 'printk', address: 0x0800_0101n, slid: 0x87b3_1052n }],
  };
  const { llext } = bench(base).target;
  assert.equal(llext.findSym(0x87b3_1052n), 0x0800_0101n);
  assert.equal(llext.findSym(0x87b3_1053n), undefined);
  assert.equal(llext.findSym('printk'), undefined);
});
