/**
 * Xtensa's own way of linking (specification 4.7): which entries are applied, where, with which S, and what is said of
 * those that are not. The formulas are checked in reloc-tables.test.ts and against GNU ld in reloc-ld.test.ts.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import * as R from '../lib/elf/constants-xtensa';
import { Errno } from '../lib/errors';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, data, func, text, undefinedSymbol } from './support/elf-builder';
import type { BuiltRelocation, BuiltSymbol, ElfPlan } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import type { Bench, LoadOptions } from './support/load-bench';

const builtin = 0x2000_4568n;

const word = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

interface Loaded {
  readonly ret: number;
  readonly fault: boolean;
  readonly log: readonly string[];
  readonly it: Bench;
  /** The first word of a section as it was loaded. */
  at(section: string, offset?: number): number | undefined;
}

function load(plan: ElfPlan, config: Partial<LlextConfig> = {}, options: LoadOptions = {}): Loaded {
  const it = bench(image({ arch: 'xtensa', ...config }, { builtin }));
  const file = buildElf({ machine: C.EM_XTENSA, ...plan });
  const { ret, fault, log, extension } = it.load(file, { storage: 'writable', ...options });
  const at = (name: string, offset = 0): number | undefined => {
    const section = extension?.sections.find((candidate) => candidate.name === name);
    return section && word(it.target.memory.read(section.address + BigInt(offset), 4));
  };
  return { ret, fault: fault !== undefined, log, it, at };
}

const local = (name: string, section: string, value = 0, type = C.STT_OBJECT): BuiltSymbol => {
  return { name, section, value, type, binding: C.STB_LOCAL };
};

function plan(
  relocations: readonly BuiltRelocation[],
  symbols: readonly BuiltSymbol[] = [],
  words = [0x10, 0, 0, 0],
): ElfPlan {
  return {
    sections: [text([0, 0, 0, 0, 0, 0, 0, 0]), data([...words, 0, 0, 0, 0])],
    symbols: [func('f', 0), ...symbols],
    relocations,
  };
}

const entry = (type: number, symbol: string, offset = 0, target = '.data'): BuiltRelocation => {
  return { target, offset, type, symbol };
};

test('an import is looked up in the base image, then in the extension itself', () => {
  const imported = load(plan([entry(R.R_XTENSA_32, 'builtin')], [undefinedSymbol('builtin')]));
  assert.deepEqual([imported.ret, imported.at('.data')], [0, Number(builtin) + 0x10]);
  const own = load(plan([entry(R.R_XTENSA_32, 'f')]));
  const f = own.it.target.llext.byName('test')?.sections.find(({ name }) => name === '.text')?.address ?? 0n;
  assert.deepEqual([own.ret, own.at('.data')], [0, Number(f) + 0x10]);
});

test('GLOB_DAT and JMP_SLOT only take global symbols', () => {
  for (const type of [R.R_XTENSA_GLOB_DAT, R.R_XTENSA_JMP_SLOT]) {
    const global = load(plan([entry(type, 'builtin')], [undefinedSymbol('builtin')]));
    assert.equal(global.at('.data'), Number(builtin));
    const bound = load(plan([entry(type, 'thing')], [local('thing', '.data')]));
    assert.equal(bound.at('.data'), 0x10);
  }
});

test('the S of a local symbol is its section, or the link-time address of .text', () => {
  const section = load(plan([entry(R.R_XTENSA_32, 'd')], [local('d', '.data', 0, C.STT_SECTION)]));
  const address = section.it.target.llext.byName('test')?.sections.find(({ name }) => name === '.data')?.address ?? 0n;
  assert.equal(section.at('.data'), Number(address) + 0x10);
  // The quirk: another local symbol gets .text's sh_addr, 0 in relocatable files. The ABI has its address.
  const object = plan([entry(R.R_XTENSA_32, 'thing')], [local('thing', '.data', 4)]);
  assert.equal(load(object).at('.data'), 0x10);
  assert.equal(load(object, { mode: 'abi-correct' }).at('.data'), Number(address) + 4 + 0x10);
});

test('SLOT0_OP takes the symbol where the file defines it', () => {
  const call = { ...plan([entry(R.R_XTENSA_SLOT0_OP, 'thing', 4, '.text')], [local('thing', '.text', 0, C.STT_FUNC)]) };
  const sections = [text([0, 0, 0, 0, 0x05, 0, 0, 0]), data([0, 0, 0, 0])];
  const loaded = load({ ...call, sections });
  // (S + A) - ((P + 3) & ~3) = -4, a word back: offset18 = -1.
  assert.equal(loaded.at('.text', 4), 0xffffc5);
});

test('what is not applied: weak symbols, other kinds, unknown types, an index out of the table', () => {
  const weak = plan([entry(R.R_XTENSA_32, 'builtin')], [undefinedSymbol('builtin', C.STB_WEAK)]);
  assert.deepEqual([load(weak).ret, load(weak).at('.data')], [0, 0x10]);
  assert.equal(load(weak, { mode: 'abi-correct' }).at('.data'), Number(builtin) + 0x10);
  const label = plan([entry(R.R_XTENSA_32, 'label')], [local('label', '.data', 0, C.STT_NOTYPE)]);
  assert.deepEqual([load(label).ret, load(label).at('.data')], [0, 0x10]);
  const unknown = load(plan([entry(99, 'builtin')], [undefinedSymbol('builtin')]));
  assert.deepEqual([unknown.ret, unknown.at('.data')], [0, 0x10]);
  assert.ok(unknown.log.some((line) => line.endsWith('Unsupported relocation type 99')));
  const file = buildElf({ machine: C.EM_XTENSA, ...plan([entry(R.R_XTENSA_32, 'f')]) });
  const at = Buffer.from(file).indexOf(Buffer.from([0, 0, 0, 0, R.R_XTENSA_32, 1, 0, 0]));
  file[at + 5] = 77;
  const it = bench(image({ arch: 'xtensa' }));
  const result = it.load(file, { storage: 'writable' });
  assert.equal(result.ret, 0);
  assert.ok(result.log.includes('<wrn> llext: PLT: idx 77 >= 2'), result.log.join('\n'));
});

test('a missing import is a warning in 4.2 and -ENOENT, after all are listed, later', () => {
  const missing = plan(
    [entry(R.R_XTENSA_32, 'missing'), entry(R.R_XTENSA_32, 'lost', 4)],
    [undefinedSymbol('missing'), undefinedSymbol('lost')],
  );
  for (const profile of ['SEED', 'V41', 'V44', 'S'] as const) {
    const { ret, log } = load(missing, { profile, storageWritable: true });
    assert.equal(ret, profile === 'V44' || profile === 'S' ? -Errno.ENOENT : 0, profile);
    const named = log.filter((line) => line.includes('PLT: cannot find idx'));
    assert.deepEqual(
      named.map((line) => line.split(' ').at(-1)),
      ['missing', 'lost'],
      profile,
    );
  }
});

test('a copied file image cannot be linked before the newest version', () => {
  const imported = plan([entry(R.R_XTENSA_32, 'builtin')], [undefinedSymbol('builtin')]);
  for (const profile of ['V41', 'V44'] as const) {
    const { ret, log, at } = load(imported, { profile }, { storage: 'temporary' });
    assert.deepEqual([ret, at('.data')], [0, 0x10], profile);
    assert.deepEqual(errors(log), ['llext: PLT: cannot link read-only ELF file'], profile);
  }
  const newest = load(imported, { profile: 'S' }, { storage: 'temporary' });
  assert.deepEqual([newest.ret, newest.at('.data')], [0, Number(builtin) + 0x10]);
});

/** A shared object: .rela.dyn has link-time addresses. */
function shared(offset: number, type: number, words: readonly number[]): ElfPlan {
  const entries = new DataView(new ArrayBuffer(12));
  entries.setUint32(0, offset, true);
  entries.setUint32(4, (1 << 8) | type, true);
  const table = (name: string, kind: number, bytes: Uint8Array, entsize: number, link: number) => {
    return { name, type: kind, bytes, entsize, link, info: 0, align: 4, flags: C.SHF_ALLOC };
  };
  const symbols = new Uint8Array(32);
  // f, a function in section 1 at 0x1000.
  symbols.set([1, 0, 0, 0, 0, 0x10, 0, 0, 4, 0, 0, 0, 0x12, 0, 1, 0], 16);
  return {
    type: C.ET_DYN,
    sections: [
      { ...text([0, 0, 0, 0]), addr: 0x1000 },
      { ...data(words), addr: 0x2000 },
      table('.dynsym', C.SHT_DYNSYM, symbols, 16, 4),
      { name: '.dynstr', type: C.SHT_STRTAB, bytes: [0, 0x66, 0], align: 1 },
      table('.rela.dyn', C.SHT_RELA, new Uint8Array(entries.buffer), 12, 3),
    ],
    omit: ['.symtab', '.strtab'],
  };
}

test('RELATIVE moves a link-time address to where its section was loaded', () => {
  for (const profile of ['V41', 'S'] as const) {
    const loaded = load(shared(0x2000, R.R_XTENSA_RELATIVE, [2, 0x10, 0, 0]), { profile });
    assert.equal(loaded.ret, 0, loaded.log.join('\n'));
    const sections = loaded.it.target.llext.byName('test')?.sections ?? [];
    const at = sections.find(({ name }) => name === '.text')?.address ?? 0n;
    assert.equal(loaded.at('.data'), Number(at) + 2, profile);
  }
  const located = load(shared(0x2000, R.R_XTENSA_RELATIVE, [2, 0x10, 0, 0]), {}, { parm: { pre_located: true } });
  assert.deepEqual([located.ret, located.at('.data')], [0, 0x1002]);
});

test('RELATIVE to nowhere, and an entry that patches nowhere', () => {
  const nowhere = shared(0x2000, R.R_XTENSA_RELATIVE, [0, 0, 0x77, 0x77]);
  const kept = load(nowhere);
  assert.deepEqual([kept.ret, kept.at('.data')], [0, 0x7777_0000]);
  assert.deepEqual(errors(kept.log), ['elf: 0x77770000 not found in any of the sections']);
  assert.equal(load(nowhere, { profile: 'V44' }).ret, -Errno.ENOENT);
  const outside = load(shared(0x9000, R.R_XTENSA_GLOB_DAT, [0, 0, 0, 0]));
  assert.equal(outside.ret, 0);
  assert.deepEqual(errors(outside.log), ['llext: Offset 0x9000 not found in ELF, trying to continue']);
});

test('entries and symbols that the loader cannot read are skipped', () => {
  const imported = plan([entry(R.R_XTENSA_32, 'builtin')], [undefinedSymbol('builtin')]);
  const file = buildElf({ machine: C.EM_XTENSA, ...imported });
  const tableAt = Buffer.from(file).indexOf(Buffer.from([0, 0, 0, 0, R.R_XTENSA_32, 2, 0, 0]));
  const attempt = (isRefused: (position: number, reads: number) => boolean): string[] => {
    const it = bench(image({ arch: 'xtensa', logLevel: 2 }, { builtin }));
    let position = 0;
    let reads = 0;
    let isLinking = false;
    const { ret, log } = it.load(file, {
      storage: 'writable',
      loader: (buffer) => ({
        slice: undefined,
        seek: (at) => {
          position = Number(at);
          if (position === tableAt) isLinking = true;
          return buffer.seek(at);
        },
        read: (length) => (isLinking && isRefused(position, ++reads) ? -Errno.EIO : buffer.read(length)),
      }),
    });
    assert.equal(ret, 0);
    return errors(log);
  };
  assert.deepEqual(
    attempt((position) => position === tableAt),
    ['llext: PLT: failed to read RELA #0, trying to continue'],
  );
  assert.deepEqual(
    attempt((position) => position !== tableAt),
    ['llext: PLT: failed to read symbol table #2 RELA #0, trying to continue'],
  );
});
