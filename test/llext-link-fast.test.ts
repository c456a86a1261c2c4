/**
 * Linking in one go (nobody listens) against linking entry by entry (somebody does): the same return code and the same
 * memory, for seeded files with every relocation type, bad offsets, far targets and missing imports; and it is used.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LoadTarget } from '../cli/load-target';
import * as C from '../lib/elf/constants';
import type { LlextConfig } from '../lib/llext/types';
import { arm } from '../lib/llext/reloc/arm';
import { riscv32 } from '../lib/llext/reloc/riscv';
import { buildElf, data, func, text, undefinedSymbol } from './support/elf-builder';
import type { BuiltRelocation } from './support/elf-builder';
import { image } from './support/load-bench';
import { Random } from './support/random';

const heap = 0x2010_0000n;
const buffer = 0x2000_1000n;

/** Who listens hears of each relocation, so that each is linked by itself. */
const listening = (silent: boolean) => (silent ? { silent } : { listener: () => undefined });

/** Return code, what it rests on, and every byte that a load can have changed. */
function outcome(file: Uint8Array, config: Partial<LlextConfig>, storage: 'temporary' | 'writable', silent: boolean) {
  const target = new LoadTarget(image(config, { builtin: 0x2020_0101n }), listening(silent));
  const loader = target.placeFile(file, storage, true);
  const { ret, fault, assumed } = target.llext.load(loader, 'test');
  const bytes = [
    target.memory.read(heap, 0x4000),
    target.memory.read(buffer, file.length),
    // Where offsets beyond the section may lead.
    target.memory.read(heap - 0x1000n, 0x1000),
  ];
  return { ret, fault: fault?.message, assumed, memory: bytes.map((part) => Buffer.from(part).toString('hex')) };
}

const names = ['f', 'g', 'thing', 'builtin', 'missing', 'absolute'];

function randomFile(seed: number, types: readonly number[], isArm: boolean): Uint8Array {
  const random = new Random(seed * 7919 + 1);
  const below = (limit: number): number => random.below(limit);
  const bytes = (count: number): number[] => Array.from({ length: count }, () => below(256));
  const relocations: BuiltRelocation[] = [];
  // Most files have no error, so that all of them is linked.
  const isBad = seed % 3 === 0;
  const count = 4 + below(40);
  for (let i = 0; i < count; i++) {
    const target = below(3) === 0 ? '.data' : '.text';
    const size = target === '.text' ? 256 : 64;
    const wild = isBad && below(20) === 0;
    const symbol = names[below(isBad ? names.length : 4)];
    relocations.push({
      target,
      offset: wild ? below(0x400) : below(size / 8) * 8,
      type: types[below(types.length)],
      symbol,
    });
  }
  const plan = {
    machine: isArm ? C.EM_ARM : C.EM_RISCV,
    sections: [text(bytes(256)), data(bytes(64))],
    symbols: [
      func('f', 1),
      func('g', below(64) * 2),
      { ...func('thing', 4, '.data'), type: C.STT_OBJECT },
      undefinedSymbol('builtin'),
      undefinedSymbol('missing'),
      { name: 'absolute', value: 0x1234, section: C.SHN_ABS },
    ],
    relocations,
  };
  return buildElf(plan);
}

for (const [arch, relocator] of [
  ['arm', arm],
  ['riscv', riscv32],
] as const) {
  test(`the same for 120 seeded files of ${arch}`, () => {
    // Instructions of random bytes have random addends: the types that test a range would refuse almost all files.
    const types = relocator.rows.map(({ type }) => type);
    const untested = relocator.rows.filter(({ exact }) => exact?.range === undefined).map(({ type }) => type);
    const results = new Set<number>();
    for (let seed = 0; seed < 120; seed++) {
      const file = randomFile(seed, seed % 4 === 3 ? types : untested, arch === 'arm');
      const profile = seed % 2 === 0 ? 'V41' : 'V44';
      const mode = seed % 5 === 0 ? 'abi-correct' : 'exact';
      const storage = seed % 7 === 0 ? 'writable' : 'temporary';
      const config = { arch, profile, mode } as const;
      const slow = outcome(file, config, storage, false);
      results.add(slow.ret);
      assert.deepEqual(outcome(file, config, storage, true), slow, `seed ${seed}`);
    }
    assert.ok(results.has(0) && results.has(-8) && results.has(-61), [...results].join());
  });
}

test('a silent load writes each section once', () => {
  const relocations = Array.from({ length: 64 }, (_, i) => ({
    target: '.data',
    offset: i * 4,
    type: C.R_ARM_ABS32,
    symbol: 'f',
  }));
  const file = buildElf({
    sections: [text(), data(new Array<number>(256).fill(0))],
    symbols: [func('f')],
    relocations,
  });
  const counts = [true, false].map((silent) => {
    const target = new LoadTarget(image(), listening(silent));
    const loader = target.placeFile(file, 'temporary', true);
    const write = target.memory.write.bind(target.memory);
    let writes = 0;
    target.memory.write = (address, bytes) => {
      writes++;
      write(address, bytes);
    };
    assert.equal(target.llext.load(loader, 'test').ret, 0);
    return writes;
  });
  assert.ok(counts[0] + 60 < counts[1], counts.join(' and '));
});

test('a type that nobody has compared with Zephyr is told in both ways', () => {
  const R_RX_DIR32 = 1;
  const relocations = [0, 4, 8, 12, 16].map((offset) => ({ target: '.data', offset, type: R_RX_DIR32, symbol: 'f' }));
  const plan = {
    machine: C.EM_RX,
    sections: [text(), data(new Array<number>(32).fill(0))],
    symbols: [func('f')],
    relocations,
  };
  const [silent, told] = [true, false].map((way) => outcome(buildElf(plan), { arch: 'rx' }, 'temporary', way));
  assert.equal(silent.ret, 0);
  assert.deepEqual(silent, told);
  assert.ok(silent.assumed.some(({ rule }) => rule === 'R_RX_DIR32'));
});
