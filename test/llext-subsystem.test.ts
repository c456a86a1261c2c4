/**
 * llext_load, llext_unload and the list beyond what golden shows: detached sections, many dependencies, functions of
 * init arrays, events, snapshots, names. Rules: specification 1.1, 1.5 to 1.12, 3.3 to 3.5, 4.9.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno } from '../lib/errors';
import type { LlextExtension } from '../lib/llext/extension';
import { buildElf, bss, data, func, text, undefinedSymbol } from './support/elf-builder';
import type { ElfPlan } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import type { Bench, LoadOptions } from './support/load-bench';

/** An extension that exports `name` as its function f. */
function exporting(name: string, more: Partial<ElfPlan> = {}): Uint8Array {
  const names = new TextEncoder().encode(`${name}\0`);
  return buildElf({
    ...more,
    sections: [
      text(),
      { name: '.rodata', flags: C.SHF_ALLOC, bytes: names },
      { ...data([0, 0, 0, 0, 0, 0, 0, 0]), name: '.exported_sym' },
      ...(more.sections ?? []),
    ],
    symbols: [{ name: 'text_of_name', section: '.rodata' }, func(name), ...(more.symbols ?? [])],
    relocations: [
      { target: '.exported_sym', offset: 0, type: C.R_ARM_ABS32, symbol: 'text_of_name' },
      { target: '.exported_sym', offset: 4, type: C.R_ARM_ABS32, symbol: name },
      ...(more.relocations ?? []),
    ],
  });
}

function loaded(it: Bench, file: Uint8Array, options: LoadOptions = {}): LlextExtension {
  const { ret, extension, log } = it.load(file, options);
  assert.equal(ret, 0, log.join('\n'));
  assert.ok(extension !== undefined);
  return extension;
}

/** Imports the given names, one word each. */
function importing(names: readonly string[]): Uint8Array {
  return buildElf({
    sections: [text(), data(names.flatMap(() => [0, 0, 0, 0]))],
    symbols: [func('g'), ...names.map((name) => undefinedSymbol(name))],
    relocations: names.map((symbol, i) => ({ target: '.data', offset: i * 4, type: C.R_ARM_ABS32, symbol })),
  });
}

test('names are cut to 15 characters and compared on 15', () => {
  const it = bench();
  const first = loaded(it, exporting('f'), { name: 'inter_ext_dependency' });
  assert.equal(first.name, 'inter_ext_depen');
  assert.equal(it.load(exporting('f'), { name: 'inter_ext_depenXYZ' }).ret, 1);
  assert.equal(it.target.llext.byName('inter_ext_depen')?.useCount, 2);
  assert.equal(it.target.llext.byName('inter_ext'), undefined);
});

test('the list keeps order; removal from front, middle and end', () => {
  for (const victim of [0, 1, 2]) {
    const it = bench();
    const all = ['a', 'b', 'c'].map((name) => loaded(it, exporting(name), { name }));
    assert.equal(it.target.llext.unload(all[victim]), 0);
    const left = ['a', 'b', 'c'].filter((_, i) => i !== victim);
    assert.deepEqual(
      it.target.llext.extensions().map(({ name }) => name),
      left,
    );
    loaded(it, exporting('d'), { name: 'd' });
    assert.deepEqual(
      it.target.llext.extensions().map(({ name }) => name),
      [...left, 'd'],
    );
  }
});

test('everything is freed by unload, sect_hdrs on the heap too', () => {
  const it = bench();
  const free = it.target.freeHeapBytes();
  const extension = loaded(it, exporting('f'), { peek: false });
  assert.equal(extension.sectHdrsOnHeap, true);
  it.target.llext.unload(extension);
  assert.equal(it.target.freeHeapBytes(), free);
});

test('the base image comes before extensions; among those the first loaded; an address of 0 is not found', () => {
  const it = bench(image({}, { both: 0x0800_0101n, zero: 0n }));
  loaded(it, exporting('both'), { name: 'one' });
  const zero = loaded(it, exporting('zero'), { name: 'two' });
  loaded(it, exporting('zero'), { name: 'three' });
  const user = loaded(it, importing(['both', 'zero']), { name: 'user' });
  const words = new DataView(user.regionBytes(1).slice().buffer);
  assert.equal(words.getUint32(0, true), 0x0800_0101);
  assert.equal(words.getUint32(4, true), Number(zero.expTab.symbols[0].address));
  assert.deepEqual(user.dependency, [zero.address]);
  assert.equal(zero.useCount, 2);
  assert.equal(it.target.llext.findSym('zero'), undefined);
  assert.equal(it.target.llext.findSym('both'), 0x0800_0101n);
  assert.equal(it.target.llext.findSym('zero', zero), zero.expTab.symbols[0].address);
  assert.equal(it.target.llext.findExtensionSym('zero')?.extension.name, 'two');
  assert.equal(it.target.llext.findExtensionSym('nothing'), undefined);
});

test('a dependency stays loaded until its own count is used up; a ninth dependency is forgotten', () => {
  const it = bench();
  const names = Array.from({ length: 9 }, (_, i) => `f${i}`);
  const bases = names.map((name) => loaded(it, exporting(name), { name }));
  const user = loaded(it, importing(names), { name: 'user' });
  assert.deepEqual(
    user.dependency,
    bases.slice(0, 8).map(({ address }) => address),
  );
  assert.deepEqual(
    bases.map(({ useCount }) => useCount),
    [2, 2, 2, 2, 2, 2, 2, 2, 1],
  );
  assert.equal(it.target.llext.unload(bases[0]), 1);
  assert.equal(it.target.llext.unload(user), 0);
  assert.equal(bases[1].useCount, 1);
  assert.equal(it.target.llext.unload(bases[0]), 4294967295, 'a count of zero goes on below');
});

test('a symbol of SHN_ABS is its value', () => {
  const it = bench();
  const file = buildElf({
    sections: [text(), data([1, 0, 0, 0])],
    symbols: [func('g'), { name: 'fixed', value: 0x4000_0000, section: C.SHN_ABS }],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: 'fixed' }],
  });
  assert.deepEqual([...loaded(it, file).regionBytes(1)], [1, 0, 0, 0x40]);
});

test('a detached section stays in the file image and is linked there', () => {
  const it = bench();
  const file = buildElf({
    sections: [text(), text([0x70, 0x47, 0, 0], '.detach'), data([0, 0, 0, 0])],
    symbols: [func('f'), func('far_away', 1, '.detach')],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: 'far_away' }],
  });
  const parm = { section_detached: ({ name }: { name: string }) => name === '.detach' };
  const extension = loaded(it, file, { storage: 'writable', parm });
  assert.equal(extension.memSize[0], 4n);
  // Specification 1.5: right when the region is used in place, because both then share the file's addresses.
  assert.equal(extension.sections.find(({ name }) => name === '.detach')?.address, 0x2000_1038n);
  assert.equal(new DataView(extension.regionBytes(1).slice().buffer).getUint32(0, true), 0x2000_1039);
});

test('init and fini arrays in their order; a pointer outside of TEXT is -EFAULT', () => {
  const array = (name: string, type: number, count: number) => ({
    ...{ name, type, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4, entsize: 4 },
    bytes: new Uint8Array(4 * count),
  });
  const plan: ElfPlan = {
    sections: [
      text(new Array<number>(32).fill(0)),
      array('.fini_array', C.SHT_FINI_ARRAY, 2),
      array('.init_array', C.SHT_INIT_ARRAY, 2),
      array('.preinit_array', C.SHT_PREINIT_ARRAY, 1),
    ],
    symbols: [func('a', 1), func('b', 5), func('c', 9), func('d', 13), func('e', 17), undefinedSymbol('outside')],
    relocations: [
      { target: '.preinit_array', offset: 0, type: C.R_ARM_ABS32, symbol: 'a' },
      { target: '.init_array', offset: 0, type: C.R_ARM_ABS32, symbol: 'b' },
      { target: '.init_array', offset: 4, type: C.R_ARM_ABS32, symbol: 'c' },
      { target: '.fini_array', offset: 0, type: C.R_ARM_ABS32, symbol: 'd' },
      { target: '.fini_array', offset: 4, type: C.R_ARM_ABS32, symbol: 'e' },
    ],
  };
  const it = bench(image({}, { outside: 0x0800_0101n }));
  const extension = loaded(it, buildElf(plan));
  const base = extension.mem[0];
  const { llext } = it.target;
  assert.deepEqual(llext.getFnTable(extension, true, 12), { ret: 12, functions: [base + 1n, base + 5n, base + 9n] });
  assert.deepEqual(llext.getFnTable(extension, false, 8), { ret: 8, functions: [base + 13n, base + 17n] });
  const first = llext.bringup(extension).next();
  assert.deepEqual(first.value, { address: base + 1n, arguments: [] });
  assert.deepEqual(it.target.takeLog(), [`<dbg> llext: calling bringup function 0x${(base + 1n).toString(16)}()`]);
  const relocations = plan.relocations?.map((relocation) =>
    relocation.target === '.init_array' ? { ...relocation, symbol: 'outside' } : relocation,
  );
  const wrong = loaded(it, buildElf({ ...plan, relocations }), { name: 'wrong' });
  assert.deepEqual(llext.getFnTable(wrong, true, 12), { ret: -Errno.EFAULT, functions: [] });
  assert.equal(errors(it.target.takeLog())[0], 'llext: bringup function 1 (0x8000101) outside text region');
});

test('IMPORT_ALL_GLOBALS exports what .exported_sym does not', () => {
  const file = buildElf({ sections: [text(), bss(4)], symbols: [func('f'), func('var', 0, '.bss')] });
  const names = (all: boolean): string[] =>
    loaded(bench(image({ importAllGlobals: all })), file).expTab.symbols.map(({ name }) => name);
  assert.deepEqual(names(true), ['f', 'var']);
  assert.deepEqual(names(false), []);
});

test('MPU: blocks of a power of two, or whole pages on Armv8-M', () => {
  const file = buildElf({ sections: [text(), data(new Array<number>(40).fill(7))], symbols: [func('f')] });
  const sizes = (config: object): unknown => {
    const it = bench(image(config));
    loaded(it, file);
    return it.events.flatMap((event) =>
      event.kind === 'allocation' && /TEXT|DATA|STRTAB/.test(event.purpose) ? [[event.size, event.align]] : [],
    );
  };
  const strings = (sizes({}) as number[][]).slice(0, 2);
  assert.deepEqual(sizes({ armMpu: true }), [...strings, [32, 32], [64, 64]]);
  assert.deepEqual(sizes({ armMpu: true, mpuPowerOfTwo: false }), [...strings, [32, 32], [64, 32]]);
  assert.deepEqual(sizes({ mmu: true, page: 4096 }), [...strings, [4096, 4096], [4096, 4096]]);
});

test('the listener hears phases, allocations, sections before relocations, and the end', () => {
  const it = bench(image({}, { imported: 0x0800_0101n }));
  loaded(it, importing(['imported']), { name: 'heard' });
  const kinds = it.events.filter(({ kind }) => kind !== 'log');
  const at = (kind: string): number => kinds.findIndex((event) => event.kind === kind);
  assert.ok(at('allocation') === 0 && at('section-placed') > 0 && at('relocation') > at('section-placed'));
  assert.equal(kinds.at(-1)?.kind, 'loaded');
  const phases = kinds.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
  const early = ['prepare', 'load_elf_data', 'find_tables', 'copy_strings', 'map_sections', 'copy_regions'];
  assert.deepEqual(phases, [...early, 'copy_symbols', 'link', 'export_symbols', 'permissions', 'finalize']);
  const relocation = kinds.find((event) => event.kind === 'relocation');
  assert.ok(relocation?.kind === 'relocation');
  const { section, sectionName, offset, typeName, symbol, S, A, before, after } = relocation;
  const shown = { section, sectionName, offset, typeName, symbol, S, A, before: [...before], after: [...after] };
  assert.deepEqual(shown, {
    ...{ section: 2, sectionName: '.data', offset: 0, typeName: 'R_ARM_ABS32', symbol: 'imported' },
    ...{ S: 0x0800_0101n, A: 0n, before: [0, 0, 0, 0], after: [1, 1, 0, 8] },
  });
});

test('an event for a failure and for an unload, with the instance', () => {
  const it = bench();
  it.load(importing(['missing']), { name: 'bad' });
  it.target.llext.unload(loaded(it, exporting('f'), { name: 'good' }));
  const ends = it.events.filter(({ kind }) => kind === 'load-failed' || kind === 'unloaded');
  assert.deepEqual(
    ends.map((event) => ('instance' in event ? [event.kind, event.instance?.id, event.instance?.name] : [])),
    [
      ['load-failed', 1, 'bad'],
      ['unloaded', 2, 'good'],
    ],
  );
});

test('state is plain data: it can be copied, and put back', () => {
  const it = bench();
  const { llext } = it.target;
  const first = loaded(it, exporting('f'), { name: 'first' });
  const saved = structuredClone(llext.state);
  loaded(it, exporting('g'), { name: 'second' });
  assert.equal(llext.state.records.length, 2);
  llext.state = saved;
  assert.deepEqual(
    llext.state.records.map(({ name, address }) => [name, address]),
    [['first', first.address]],
  );
  assert.equal(llext.state.nextId, 2);
});

test('two instances of one file have ids and places of their own', () => {
  const it = bench();
  const [one, two] = ['one', 'two'].map((name) => loaded(it, exporting('f'), { name }));
  assert.notEqual(one.id, two.id);
  assert.notEqual(one.sections[0].address, two.sections[0].address);
});

test('a name that is not ASCII is found and shown as it is written', () => {
  const it = bench(image({}, { größe: 0x0800_0101n }));
  const extension = loaded(it, importing(['größe']), { name: 'länge' });
  assert.equal(extension.name, 'länge');
  assert.ok(it.events.some((event) => event.kind === 'relocation' && event.symbol === 'größe'));
});

test('where the machine itself would fail, the load reports a fault', () => {
  const it = bench();
  // The section headers are said to lie in the file image, of which only the first bytes exist in memory.
  const { ret, fault } = it.load(exporting('f'), {
    loader: () => ({ peek: (position) => (position > 100n ? 0x9000_0000n : 0n) }),
  });
  assert.equal(ret, -Errno.EFAULT);
  assert.match(fault?.message ?? '', /no memory at 0x9000/);
});
