/**
 * One case a rule of lib/llext/profile.ts: what a load with that version shows, and what it must show by the specification.
 * `observe` says as little as tells the rule's values apart: a return code, a message, a size.
 */
import * as C from '../../lib/elf/constants';
import { Errno } from '../../lib/errors';
import type { LlextLoadResult } from '../../lib/llext/llext';
import type { ProfileName, RuleName } from '../../lib/llext/profile';
import type { LlextConfig, LlextEvent } from '../../lib/llext/types';
import { bss, buildElf, data, func, patchHeader, text, undefinedSymbol } from './elf-builder';
import type { BuiltSection, ElfPlan } from './elf-builder';
import { bench, errors, image } from './load-bench';
import type { Bench, LoadOptions } from './load-bench';

export interface RuleCase {
  readonly observe: (profile: ProfileName) => unknown;
  readonly expected: Readonly<Record<ProfileName, unknown>>;
}

type Config = Partial<LlextConfig>;
interface Seen extends LlextLoadResult {
  readonly log: readonly string[];
  readonly events: readonly LlextEvent[];
  readonly it: Bench;
}

function loadWith(profile: ProfileName, file: Uint8Array, config: Config = {}, options: LoadOptions = {}): Seen {
  const it = bench(image({ profile, ...config }));
  return { ...it.load(file, options), events: it.events, it };
}

/** Values in the order SEED, V41, V44, S. */
function row(
  observe: (profile: ProfileName) => unknown,
  [SEED, V41, V44, S]: readonly [unknown, unknown, unknown, unknown],
): RuleCase {
  return { observe, expected: { SEED, V41, V44, S } };
}

const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };
const good = buildElf(plain);
const { ENOEXEC, ENOTSUP, ENODATA, EFAULT, EIO } = Errno;

/** Section indices and field offsets of `plain`. */
const [TEXT, SYMTAB] = [1, 2];
const [sh_name, sh_offset, sh_link, sh_info, sh_addralign] = [0, 16, 24, 28, 32];

function withByte(offset: number, value: number): Uint8Array {
  const copy = good.slice();
  copy[offset] = value;
  return copy;
}

function withText(plan: Partial<ElfPlan> & { more: readonly BuiltSection[] }): Uint8Array {
  return buildElf({ symbols: [func('f')], ...plan, sections: [text(), ...plan.more] });
}

function allocated(events: readonly LlextEvent[], wanted: string): number | undefined {
  const found = events.find((event) => event.kind === 'allocation' && event.purpose === wanted);
  return found?.kind === 'allocation' ? found.size : undefined;
}

const firstError = ({ log }: Seen): string | undefined => errors(log)[0];
const regionOf = ({ extension }: Seen, name: string): string | undefined =>
  extension?.sections.find((section) => section.name === name)?.region;

/** Heap bytes that the section headers still take after a load through a loader without peek. */
function keptHeaders(profile: ProfileName, file: Uint8Array, peek: boolean): number {
  const it = bench(image({ profile }));
  it.load(file, { peek });
  return it.target.freeHeapBytes();
}

const initArray: BuiltSection = {
  ...{ name: '.init_array', type: C.SHT_INIT_ARRAY, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4 },
  bytes: [0, 0, 0, 0],
};

function relocating(
  target: BuiltSection,
  offset: number,
  symbols: readonly string[],
  type = C.R_ARM_ABS32,
): Uint8Array {
  return buildElf({
    sections: [text(), target, { name: '.note', bytes: [0, 0, 0, 0] }],
    symbols: [func('f'), { name: 'n', value: 0, section: '.note' }, ...symbols.map((name) => undefinedSymbol(name))],
    relocations: symbols.map((symbol) => ({ target: target.name, offset, type, symbol })),
  });
}

function symbolNamed(st_name: number): Uint8Array {
  const file = buildElf({ sections: [text()], symbols: [func('f'), { name: 'local', section: '.text', binding: 0 }] });
  const view = new DataView(file.buffer);
  view.setUint32(view.getUint32(view.getUint32(32, true) + SYMTAB * 40 + sh_offset, true) + 32, st_name, true);
  return file;
}

/** A shared object of text at 0x34 and data, 0x1004 apart unless told otherwise, that exports a function, with dynamic relocations without symbols. */
export function sharedObject(
  relocations: readonly { offset: number; type: number }[] = [],
  dataAddress = 0x1038,
): Uint8Array {
  // The names of symbols are in the .strtab that elf-builder appends.
  const link = relocations.length > 0 ? 6 : 5;
  const words = Uint32Array.from(relocations.flatMap(({ offset, type }) => [offset, type]));
  const relDyn: BuiltSection = { name: '.rel.dyn', type: C.SHT_REL, bytes: new Uint8Array(words.buffer), entsize: 8 };
  const dynsym: BuiltSection = {
    ...{ name: '.dynsym', type: C.SHT_DYNSYM, bytes: new Uint8Array(32), entsize: 16, align: 4, link },
  };
  const [code, variable] = [
    { ...text(), addr: 0x34 },
    { ...data([1, 2, 3, 4]), addr: dataAddress },
  ];
  const file = buildElf({
    type: C.ET_DYN,
    sections: [code, variable, dynsym, ...(relocations.length > 0 ? [relDyn] : [])],
  });
  // One global function in .text, so that there is something to export.
  const view = new DataView(file.buffer);
  const at = view.getUint32(view.getUint32(32, true) + 3 * 40 + sh_offset, true) + 16;
  view.setUint32(at + 4, 0x35, true);
  view.setUint8(at + 12, (C.STB_GLOBAL << 4) | C.STT_FUNC);
  view.setUint16(at + 14, 1, true);
  return file;
}

const earlyStrings = patchHeader(
  buildElf({ sections: [{ name: 'early', type: C.SHT_STRTAB, bytes: [0, 0x66, 0] }, text()], symbols: [func('f')] }),
  ...([3, sh_link, 1] as const),
);

const detached = { parm: { section_detached: ({ name }: { name: string }) => name === '.detach' } };
const detachable = withText({ more: [{ ...text([0x70, 0x47]), name: '.detach' }] });

export const ruleCases: Readonly<Partial<Record<RuleName, RuleCase>>> = {
  regionEnum: row(
    (profile) => bench(image({ profile, veneers: true, rodataNoReloc: true })).target.llext.regions.names.length,
    [8, 11, 11, 13],
  ),
  structLayout: row((profile) => allocated(loadWith(profile, good).events, 'struct llext'), [116, 188, 188, 204]),
  // 2.1 with its int and 11 pairs of words.
  memAllocMap: row(
    (profile) => allocated(loadWith(profile, good, { memblkBlockSize: 32 }).events, 'struct llext'),
    [116, 188, 188 + 4 + 88, 188 + 4 + 88 + 16],
  ),
  sectHdrsInExtension: row(
    (profile) => [
      keptHeaders(profile, good, true) > keptHeaders(profile, good, false),
      loadWith(profile, good).extension?.sectCnt,
    ],
    [
      [false, 0],
      [true, 5],
      [true, 5],
      [true, 5],
    ],
  ),
  loadParameters: row(
    (profile) => loadWith(profile, good, {}, { parm: { pre_located: true } }).ret,
    [0, -EFAULT, -EFAULT, -EFAULT],
  ),
  loaderPrepare: row(
    (profile) => loadWith(profile, good, {}, { loader: () => ({ prepare: () => -EIO }) }).ret,
    [0, -EIO, -EIO, -EIO],
  ),

  identChecked: row(
    (profile) => [firstError(loadWith(profile, withByte(5, 2))), firstError(loadWith(profile, withByte(4, 2)))],
    [
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      ['llext: Unsupported ELF data encoding 2', 'llext: Unsupported ELF class 2'],
    ],
  ),
  machineChecked: row(
    (profile) => firstError(loadWith(profile, withByte(18, C.EM_RISCV))),
    [undefined, undefined, undefined, 'llext: Unsupported ELF machine 243'],
  ),
  findTablesOrderIndependent: row((profile) => loadWith(profile, earlyStrings).ret, [-ENOEXEC, -ENOEXEC, -ENOEXEC, 0]),
  strtabIndexChecked: row(
    (profile) => firstError(loadWith(profile, patchHeader(good, SYMTAB, sh_link, 99))),
    [
      'llext: Some sections are missing or present multiple times!',
      'llext: Some sections are missing or present multiple times!',
      'llext: Some sections are missing or present multiple times!',
      'llext: Invalid string table index 99',
    ],
  ),
  // The second file has a defect that mapping finds before it comes to the name.
  sectionNameBounds: row(
    (profile) => {
      const twice = withText({ more: [bss(4), bss(4, '.noinit'), { name: '.comment', bytes: [0] }] });
      return [good, twice].map((file, i) => {
        const seen = loadWith(profile, patchHeader(file, i === 0 ? TEXT : 4, sh_name, 0x1000));
        return [seen.ret, firstError(seen)];
      });
    },
    [
      [
        [0, undefined],
        [0, undefined],
      ],
      [
        [0, undefined],
        [-ENOTSUP, 'llext: Multiple SHT_NOBITS sections are not supported'],
      ],
      [
        [-ENOEXEC, 'llext: Invalid section name index 4096 in section 1'],
        [-ENOEXEC, 'llext: Invalid section name index 4096 in section 4'],
      ],
      [
        [-ENOEXEC, 'llext: Invalid section name index 4096 in section 1'],
        [-ENOTSUP, 'llext: Multiple SHT_NOBITS sections are not supported'],
      ],
    ],
  ),
  symbolNameBounds: row((profile) => loadWith(profile, symbolNamed(0x1000)).ret, [0, -ENOEXEC, -ENOEXEC, -ENOEXEC]),

  mapByName: row(
    (profile) => {
      const file = buildElf({ sections: [text(), text([0, 0], '.text.g')], symbols: [func('f')] });
      return loadWith(profile, file).extension?.sections.map(({ name }) => name);
    },
    [
      ['.text', '.symtab', '.strtab', '.shstrtab'],
      ['.text', '.text.g', '.symtab', '.strtab', '.shstrtab'],
      ['.text', '.text.g', '.symtab', '.strtab', '.shstrtab'],
      ['.text', '.text.g', '.symtab', '.strtab', '.shstrtab'],
    ],
  ),
  skippedNames: row(
    (profile) =>
      ['.relro_padding', '.heap', '.stack'].map((name) =>
        regionOf(loadWith(profile, withText({ more: [bss(8, name)] })), name),
      ),
    [
      [undefined, undefined, undefined],
      ['BSS', 'BSS', 'BSS'],
      ['BSS', 'BSS', 'BSS'],
      [undefined, undefined, undefined],
    ],
  ),
  tlsSections: row(
    (profile) => {
      const tdata = { ...data([1, 2, 3, 4], '.tdata'), flags: C.SHF_ALLOC | C.SHF_WRITE | C.SHF_TLS };
      return regionOf(loadWith(profile, withText({ more: [tdata] })), '.tdata');
    },
    [undefined, 'DATA', 'DATA', undefined],
  ),
  rodataNoReloc: row(
    (profile) => {
      const section = { name: '.llext.rodata.noreloc', flags: C.SHF_ALLOC, bytes: [0, 0, 0, 0], align: 4 };
      const seen = loadWith(profile, withText({ more: [section] }), { rodataNoReloc: true });
      const relocated = loadWith(profile, relocating(section, 0, ['f']), { rodataNoReloc: true });
      return [
        regionOf(seen, section.name),
        relocated.ret,
        regionOf(loadWith(profile, withText({ more: [section] })), section.name),
      ];
    },
    [
      [undefined, -ENOEXEC, undefined],
      ['RODATA', 0, 'RODATA'],
      ['RODATA', 0, 'RODATA'],
      ['RODATA_NO_RELOC', -ENOEXEC, 'RODATA'],
    ],
  ),
  arrayEntsizeZero: row(
    (profile) => loadWith(profile, withText({ more: [initArray] })).ret,
    [0, -ENOEXEC, -ENOEXEC, 0],
  ),
  addralignChecked: row(
    (profile) => firstError(loadWith(profile, patchHeader(good, TEXT, sh_addralign, 3))),
    [undefined, undefined, undefined, 'llext: Invalid alignment 3 of section 1'],
  ),
  relocationTargetChecked: row(
    (profile) => {
      const file = withText({ more: [{ name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 1 }] });
      return loadWith(profile, patchHeader(file, 2, sh_info, 99), {}, { parm: { relocate_local: false } }).ret;
    },
    [0, 0, 0, -ENOEXEC],
  ),
  detachedNeedsPeek: row(
    (profile) => loadWith(profile, detachable, {}, { ...detached, peek: false }).ret,
    [0, 0, 0, -ENOTSUP],
  ),
  detachedText: row(
    (profile) => {
      const seen = loadWith(profile, detachable, { instructionMemory: [] }, detached);
      const arc = loadWith(profile, detachable, { instructionMemory: [], arch: 'arc' }, detached);
      return [
        seen.ret,
        seen.log.filter((line) => line.includes('Detached text')),
        firstError(arc)?.includes('Detached'),
      ];
    },
    [
      [0, [], undefined],
      [0, [], undefined],
      [0, ['<wrn> llext: Detached text section 2 is not in instruction memory'], true],
      [-ENOEXEC, ['<err> llext: Detached text section 2 is not in instruction memory'], false],
    ],
  ),
  prepad: row((profile) => loadWith(profile, patchHeader(good, TEXT, sh_addralign, 16)).sects[0].sh_info, [0, 4, 4, 4]),
  sharedStringTables: row(
    (profile) => loadWith(profile, buildElf({ ...plain, omit: ['.strtab'], sharedStrings: true })).ret,
    [-ENOEXEC, -ENOEXEC, -ENOEXEC, 0],
  ),

  storageByLoader: row(
    (profile) => loadWith(profile, good, {}, { storage: 'writable' }).extension?.memOnHeap[0],
    [true, false, false, false],
  ),
  // Sizes of .text (4 bytes) and of the string table (3 bytes), without and with CONFIG_USERSPACE.
  regionRounding: row(
    (profile) =>
      [false, true].map((userspace) => {
        const { events } = loadWith(profile, good, { armMpu: true, userspace });
        return [allocated(events, 'region TEXT'), allocated(events, 'region STRTAB')];
      }),
    [
      [
        [32, 32],
        [32, 32],
      ],
      [
        [32, 3],
        [32, 3],
      ],
      [
        [4, 3],
        [32, 3],
      ],
      [
        [4, 3],
        [32, 3],
      ],
    ],
  ),
  pmpGranularity: row(
    (profile) => allocated(loadWith(profile, good, { userspace: true, pmpGranularity: 64 }).events, 'region TEXT'),
    [32, 4, 4, 64],
  ),
  userspaceNeedsMpu: row((profile) => loadWith(profile, good, { userspace: true }).ret, [0, 0, 0, -ENOTSUP]),
  // .text lies at 0x34 of a page, the MPU wants a multiple of 32.
  peekNeedsAlignment: row(
    (profile) => {
      const config = { armMpu: true, userspace: true, storageWritable: true };
      return loadWith(profile, good, config, { storage: 'writable' }).extension?.memOnHeap[0];
    },
    [false, true, true, true],
  ),
  textInInstrMem: row(
    (profile) => {
      const config = { instructionMemory: [], storageWritable: true };
      return loadWith(profile, good, config, { storage: 'writable' }).extension?.memOnHeap[0];
    },
    [false, false, true, true],
  ),
  memblkHeap: row(
    (profile) => allocated(loadWith(profile, good, { memblkBlockSize: 64 }).events, 'region TEXT'),
    [32, 4, 64, 64],
  ),
  zeroBytesNeverAllocated: row(
    (profile) => {
      const nothing = buildElf({ sections: [text()], symbols: [{ ...func('f'), binding: C.STB_LOCAL }] });
      const seen = loadWith(profile, nothing);
      return [seen.ret, allocated(seen.events, 'sym_tab')];
    },
    [
      [-Errno.ENOMEM, 0],
      [-Errno.ENOMEM, 0],
      [-Errno.ENOMEM, undefined],
      [-Errno.ENOMEM, undefined],
    ],
  ),
  failedLoadFreesSectHdrs: row(
    (profile) => {
      const it = bench(image({ profile }));
      const before = it.target.freeHeapBytes();
      const { ret } = it.load(relocating(data([0, 0, 0, 0]), 0, ['missing']), { peek: false });
      return [ret, before - it.target.freeHeapBytes()];
    },
    [
      [-ENODATA, 0],
      [-ENODATA, 0],
      [-ENODATA, 0],
      [-ENODATA, 0],
    ],
  ),
  dynImage: row(
    (profile) => {
      const { extension, events } = loadWith(profile, sharedObject());
      const [code, variable] = extension?.mem ?? [];
      return [extension?.memOnHeap.slice(0, 2), variable - code === 0x1004n, allocated(events, 'dyn_image')];
    },
    [
      [[true, true], false, undefined],
      [[true, true], false, undefined],
      [[true, true], false, undefined],
      [[false, false], true, 0x1008],
    ],
  ),
  harvardRefusesDyn: row((profile) => loadWith(profile, sharedObject(), { harvard: true }).ret, [0, 0, 0, -ENOTSUP]),

  sortedSymbolTables: row(
    (profile) => {
      const file = buildElf({ sections: [text()], symbols: ['z', 'a', 'm'].map((name) => func(name)) });
      const { extension } = loadWith(profile, file, { importAllGlobals: true });
      return [extension?.symTab, extension?.expTab].map((table) => table?.symbols.map(({ name }) => name).join(''));
    },
    [
      ['zam', 'zam'],
      ['zam', 'zam'],
      ['zam', 'zam'],
      ['amz', 'amz'],
    ],
  ),
  symbolSectionChecked: row(
    (profile) => {
      const file = buildElf({ sections: [text()], symbols: [func('f'), func('g', 0, 9)] });
      return firstError(loadWith(profile, file))?.startsWith('llext: Invalid section index 9 in symbol 2') === true;
    },
    [false, false, false, true],
  ),
  interExtension: row(
    (profile) => {
      const it = bench(image({ profile, importAllGlobals: true }));
      it.load(buildElf({ sections: [text()], symbols: [func('exported')] }), { name: 'one' });
      return it.load(relocating(data([0, 0, 0, 0]), 0, ['exported']), { name: 'two' }).ret;
    },
    [-ENODATA, 0, 0, 0],
  ),
  deviceExportWarning: row(
    (profile) =>
      loadWith(profile, relocating(data([0, 0, 0, 0]), 0, ['__device_dts_ord_5'])).log.some((line) =>
        /^<wrn>.*CONFIG_LLEXT_EXPORT_DEVICES/.test(line),
      ),
    [false, false, true, true],
  ),

  skipsUnallocatedTargets: row(
    (profile) => loadWith(profile, relocating({ name: '.debug_info', bytes: [0, 0, 0, 0] }, 0, ['f'])).ret,
    [-ENOEXEC, 0, 0, 0],
  ),
  collectsLinkErrors: row(
    (profile) => {
      const { ret, log } = loadWith(profile, relocating(data([0, 0, 0, 0]), 0, ['one', 'two']));
      const names = errors(log).flatMap((line) => /no entry in symbol table (\w+)/.exec(line)?.[1] ?? []);
      return [ret, [...new Set(names)]];
    },
    [
      [-ENODATA, ['one']],
      [-ENODATA, ['one']],
      [-ENODATA, ['one', 'two']],
      [-ENODATA, ['one', 'two']],
    ],
  ),
  relocationOffsetChecked: row(
    (profile) => loadWith(profile, relocating(data([0, 0, 0, 0]), 8, ['f'])).ret,
    [0, 0, 0, -ENOEXEC],
  ),
  symbolSectionMustBeLoaded: row(
    (profile) => loadWith(profile, relocating(data([0, 0, 0, 0]), 0, ['n'])).ret,
    [0, 0, 0, -ENOEXEC],
  ),
  veneers: row(
    (profile) => {
      const file = relocating(text([0xff, 0xf7, 0xfe, 0xff], '.text'), 0, ['far'], C.R_ARM_THM_CALL);
      const it = bench(image({ profile, veneers: true }, { far: 0x0800_1235n }));
      return it.load(file).ret;
    },
    [-ENOEXEC, -ENOEXEC, -ENOEXEC, 0],
  ),
};
