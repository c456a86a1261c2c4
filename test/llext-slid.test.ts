/**
 * Symbol link identifiers (specification 3.4): SHA-256 against node:crypto, and loads from a base image that exports by SLID.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno } from '../lib/errors';
import { slidOf } from '../lib/llext/slid';
import { buildElf, data, func, text } from './support/elf-builder';
import { bench, image } from './support/load-bench';
import { Random } from './support/random';

test('printk’s SLID is the specification’s', () => {
  assert.equal(slidOf('printk', 4), 0x87b31052n);
  assert.equal(slidOf('printk', 8), 0x87b3105268827052n);
});

test('SLIDs are the head of the SHA-256 of node:crypto, for names of every length to 200', () => {
  const random = new Random(3);
  for (let length = 0; length <= 200; length++) {
    const name = Array.from({ length }, () => String.fromCharCode(0x21 + random.below(94))).join('');
    const digest = createHash('sha256').update(name).digest();
    assert.equal(slidOf(name, 8), digest.readBigUInt64BE(), name);
    assert.equal(slidOf(name, 4), BigInt(digest.readUInt32BE()), name);
  }
});

/** An undefined symbol whose st_value packaging has filled, and a word that takes its address. */
function importing(name: string, st_value: bigint): Uint8Array {
  return buildElf({
    sections: [text(), data([0, 0, 0, 0])],
    symbols: [func('f'), { name, value: Number(st_value) }],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: name }],
  });
}

const bySlid = (): ReturnType<typeof bench> => bench(image({ exportBySlid: true }, { printk: 0x0800_0101n }));

test('imports are looked up by the SLID in st_value, whatever the name says', () => {
  const { ret, extension } = bySlid().load(importing('renamed', slidOf('printk', 4)));
  assert.equal(ret, 0);
  assert.deepEqual([...(extension?.regionBytes(1) ?? [])], [0x01, 0x01, 0x00, 0x08]);
});

test('a file without SLIDs is refused, and a warning says which one is missing', () => {
  const { ret, log } = bySlid().load(importing('printk', 0n));
  assert.equal(ret, -Errno.ENODATA);
  assert.ok(
    log.some((line) => /^<wrn>.*'printk' has no SLID of its name \(0x87b31052\) but none/.test(line)),
    log.join('\n'),
  );
});

test('llext_find_sym(NULL, ...) wants the SLID in place of the name', () => {
  const { llext } = bySlid().target;
  assert.equal(llext.findSym(slidOf('printk', 4)), 0x0800_0101n);
  assert.equal(llext.findSym('printk'), undefined);
  assert.ok(llext.canImport('printk'));
  assert.ok(!llext.canImport('printf'));
  const byName = bench(image({}, { printk: 0x0800_0101n })).target.llext;
  assert.equal(byName.findSym(slidOf('printk', 4)), undefined);
});
