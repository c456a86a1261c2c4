/**
 * Base images read out of ELF files, against what nm, readelf, objdump and gdb's own types say of the same files:
 * export tables by name and by SLID, of both widths and byte orders, with and without symbols, sections, debug
 * information; configuration, heaps, structures, machine, version.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, test, type TestContext } from 'node:test';
import { baseExports } from '../lib/kernel/base-image';
import { heapNames } from '../lib/base-image/heaps';
import { parseDotConfig } from '../lib/base-image/kconfig';
import { profileOfVersion } from '../lib/base-image/llext-config';
import { slidOf } from '../lib/llext/slid';
import { baseImage, baseImageBuild, baseImageBuilds, baseImageBytes, baseImagePath } from './support/base-images';
import { describeBytes, withoutSection } from './support/base-images';
import { requireTool, runTool } from './support/tools';

/** What EXPORT_SYMBOL names in firmware.c, in the order of the linker: by the entries' variables. */
const exportedNames = [
  'firmware_look_up',
  'firmware_ratio',
  'firmware_report',
  'firmware_sample_adc',
  'firmware_samples',
  'firmware_scale',
  'firmware_settings',
  'firmware_update',
  'k_malloc',
  'look_up',
  'memcpy',
  'printk',
  'z_impl_k_sem_take',
];
const namesOf = (name: string): string[] =>
  exportedNames.filter((symbol) => name !== 'm3-big-endian' || symbol !== 'firmware_ratio');

/** Address and size of each symbol by nm -S. */
function symbolsByNm(t: TestContext, name: string): Map<string, { address: bigint; size: bigint }> | undefined {
  const nm = requireTool(t, `${baseImageBuild(name).toolchain}-nm`);
  if (nm === undefined) return undefined;
  const symbols = new Map<string, { address: bigint; size: bigint }>();
  for (const line of runTool(nm, ['-S', baseImagePath(name)]).split('\n')) {
    const match = /^([0-9a-f]+) (?:([0-9a-f]+) )?[A-Za-z] (\S+)$/.exec(line);
    if (match !== null)
      symbols.set(match[3], { address: BigInt(`0x${match[1]}`), size: BigInt(`0x${match[2] ?? '0'}`) });
  }
  return symbols;
}

/** The target of an export as nm has it: nm leaves the Thumb bit out. */
function expectedAddress(symbols: ReadonlyMap<string, { address: bigint }>, name: string, thumb: boolean): bigint {
  const symbol = symbols.get(name === 'look_up' ? 'firmware_look_up' : name);
  // A weak function that is not in the build.
  if (symbol === undefined) return 0n;
  const isData = ['firmware_samples', 'firmware_settings'].includes(name);
  return thumb && !isData ? symbol.address | 1n : symbol.address;
}

const withSymbols = baseImageBuilds.filter(({ strip }) => strip !== '--strip-all').map(({ name }) => name);

describe('export tables', () => {
  for (const name of withSymbols) {
    it(`${name} has what nm says, in the order of the table`, (t) => {
      const symbols = symbolsByNm(t, name);
      if (symbols === undefined) return;
      const { exports, exportsBySlid, exportsFoundBy } = baseImage(name);
      assert.equal(exportsFoundBy, 'symbols');
      assert.equal(exportsBySlid, baseImageBuild(name).slid === true);
      const thumb = baseImageBuild(name).toolchain === 'arm-none-eabi';
      const expected = namesOf(name).map((symbol) => [symbol, expectedAddress(symbols, symbol, thumb)]);
      const found = exports.map((entry) => [entry.name, entry.address]);
      const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
      assert.deepEqual(exportsBySlid ? [...found].sort(byName) : found, expected);
    });
  }

  it('a stripped file has the same table by its section', () => {
    const stripped = baseImage('m3-stripped');
    assert.equal(stripped.exportsFoundBy, 'section');
    assert.deepEqual(stripped.exports, baseImage('m3').exports);
  });

  it('without section and bounds the entries are found by their symbols, without symbols by their variables', () => {
    const noSection = withoutSection(baseImageBytes('m3'), 'llext_const_symbol_area');
    // The bounds are symbols of the table's section; renamed ones do not exist.
    const renamed = Buffer.from(baseImageBytes('m3'));
    renamed.write('_XXext_const_symbol_list_start', renamed.indexOf('_llext_const_symbol_list_start'));
    renamed.write('.lost', renamed.indexOf('llext_const_symbol_area\0'));
    const bySymbols = describeBytes(new Uint8Array(renamed));
    assert.equal(bySymbols.exportsFoundBy, 'symbols');
    assert.deepEqual(bySymbols.exports, baseImage('m3').exports);
    const byVariables = describeBytes(withoutSection(new Uint8Array(renamed), '.symtab'));
    assert.equal(byVariables.exportsFoundBy, 'debug information');
    assert.deepEqual(byVariables.exports, baseImage('m3').exports);
    assert.throws(() => describeBytes(noSection), /no section of the file that has contents/);
  });

  it('SLIDs are the SHA-256 of the names, ascending, and names are told by symbols or by what is known', () => {
    const { exports } = baseImage('m3-slid');
    const hashes = namesOf('m3-slid').map((name) => createHash('sha256').update(name).digest().readUInt32BE(0));
    assert.deepEqual(
      exports.map(({ slid }) => Number(slid)),
      hashes.sort((a, b) => a - b),
    );
    const stripped = baseImage('m3-slid-stripped', { knownNames: baseExports.map(({ name }) => name) });
    assert.equal(stripped.exportsBySlid, true);
    assert.deepEqual(
      stripped.exports.map(({ slid, address }) => [slid, address]),
      exports.map(({ slid, address }) => [slid, address]),
    );
    const known = stripped.exports.flatMap(({ name }) => (name === undefined ? [] : [name]));
    assert.deepEqual(known.sort(), ['k_malloc', 'memcpy', 'printk']);
    assert.ok(stripped.notes.some((note) => note.startsWith('10 of 13 exports have only a SLID')));
  });

  it('SHA-256 agrees with OpenSSL for every length of a block and around it', () => {
    for (let length = 0; length < 200; length++) {
      const text = 'abcdefghij'.repeat(20).slice(0, length);
      const digest = createHash('sha256').update(text).digest();
      assert.equal(slidOf(text, 8), digest.readBigUInt64BE(0), String(length));
      assert.equal(slidOf(text, 4), BigInt(digest.readUInt32BE(0)), String(length));
    }
    // The two that the specification has (3.4).
    assert.deepEqual([slidOf('printk', 4), slidOf('printk', 8)], [0x87b31052n, 0x87b3105268827052n]);
  });

  it('a position-independent image has its relative relocations applied', (t) => {
    const readelf = requireTool(t, 'aarch64-linux-gnu-readelf');
    if (readelf === undefined) return;
    const path = baseImagePath('arm64-pie');
    assert.match(runTool(readelf, ['-h', path]), /Type: +DYN/);
    const addends = new Map<bigint, bigint>();
    for (const line of runTool(readelf, ['-rW', path]).split('\n')) {
      const match = /^([0-9a-f]{16}) +[0-9a-f]+ R_AARCH64_RELATIVE +([0-9a-f]+)$/.exec(line);
      if (match !== null) addends.set(BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`));
    }
    assert.ok(addends.size >= 24);
    const addresses = baseImage('arm64-pie').exports.map(({ address }) => address);
    for (const address of addresses) if (address !== 0n) assert.ok([...addends.values()].includes(address ?? -1n));
  });
});

describe('configuration', () => {
  for (const build of baseImageBuilds.filter(({ strip }) => strip !== '--strip-all')) {
    it(`${build.name}: the settings that it was built with`, () => {
      const { kconfig } = baseImage(build.name);
      assert.equal(kconfig.source, build.configSymbols === false ? 'debug information' : 'symbols');
      const expected = Object.entries(build.config).map(([name, value]) => [name, BigInt(value)] as const);
      assert.deepEqual(new Map([...kconfig.values].sort()), new Map([...expected].sort()));
    });
  }

  it('becomes the loader’s, with the structures of its debug information', () => {
    const user = baseImage('m4-user').config;
    assert.deepEqual(
      [user.userspace, user.armMpu, user.mpuPowerOfTwo, user.page, user.mmu, user.storageWritable, user.logLevel],
      [true, true, true, 32, false, true, 3],
    );
    const arm64 = baseImage('arm64-pie').config;
    assert.deepEqual([arm64.mmu, arm64.page, arm64.pointerSize, arm64.arch], [true, 4096, 8, 'arm64']);
    assert.equal(baseImage('m3-big-endian').config.bigEndian, true);
    assert.equal(baseImage('m3-slid').config.exportBySlid, true);
  });

  it('every setting that the loader knows', () => {
    const dotConfig = [
      '# comment',
      ...['ARM_MPU', 'MMU', 'USERSPACE', 'ARC_MPU', 'RISCV_PMP', 'HARVARD', 'LLEXT_HEAP_MEMBLK'],
      ...['LLEXT_IMPORT_ALL_GLOBALS', 'LLEXT_STORAGE_WRITABLE', 'LLEXT_RODATA_NO_RELOC', 'LLEXT_VENEERS'],
      ...['LLEXT_EXPORT_DEVICES', 'ARMV6_M_ARMV8_M_BASELINE', 'MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT'],
    ].map((name) => (name.startsWith('#') ? name : `CONFIG_${name}=y`));
    dotConfig.push('CONFIG_MMU_PAGE_SIZE=0x4000', 'CONFIG_PMP_GRANULARITY=8', 'CONFIG_LLEXT_LOG_LEVEL=4');
    dotConfig.push(
      'CONFIG_LLEXT_HEAP_MEMBLK_BLOCK_SIZE=64',
      'CONFIG_X="a text"',
      '# CONFIG_Y is not set',
      'CONFIG_Z=n',
    );
    const { config, kconfig } = baseImage('m3-stripped', { dotConfig: dotConfig.join('\r\n') });
    assert.equal(kconfig.source, '.config');
    assert.equal(kconfig.values.get('CONFIG_X'), 'a text');
    assert.equal(kconfig.values.has('CONFIG_Z'), false);
    assert.deepEqual(config, {
      profile: 'V41',
      pointerSize: 4,
      arch: 'arm',
      bigEndian: false,
      page: 0x4000,
      armMpu: true,
      mpuPowerOfTwo: true,
      mmu: true,
      userspace: true,
      arcMpu: true,
      pmpGranularity: 8,
      importAllGlobals: true,
      logLevel: 4,
      storageWritable: true,
      harvard: true,
      memblkBlockSize: 64,
      rodataNoReloc: true,
      veneers: true,
      veneerStub: 'baseline',
      exportBySlid: false,
      exportDevices: true,
    });
    assert.deepEqual([...parseDotConfig('CONFIG_ARC_MPU_VER=2\n')], [['CONFIG_ARC_MPU_VER', 2n]]);
    assert.equal(baseImage('m3-stripped', { dotConfig: 'CONFIG_ARC_MPU_VER=2' }).config.page, 2048);
  });

  it('the version of Zephyr chooses the loader’s', () => {
    assert.equal(baseImage('m3').zephyrVersion, '4.2.0');
    const versions = ['3.5.0', '3.6.0', '3.7.99', '4.0.0', '4.1.0', '4.2.1', '4.3.0', '4.4.0', '4.5.0', '5.0.0', 'x'];
    assert.deepEqual(versions.map(profileOfVersion), [
      ...['SEED', 'SEED', 'SEED', 'V41', 'V41', 'V41', 'V44', 'V44', 'S', 'S'],
      undefined,
    ]);
    const noBanner = Buffer.from(baseImageBytes('m3-macros'));
    noBanner.write('Xephyr', noBanner.indexOf('Zephyr OS build'));
    assert.equal(describeBytes(new Uint8Array(noBanner)).zephyrVersion, undefined);
    const versionHeader = '#define KERNELVERSION 0x4010000\n#define KERNEL_VERSION_STRING        "4.3.99"\n';
    const described = describeBytes(new Uint8Array(noBanner), { versionHeader });
    assert.deepEqual([described.zephyrVersion, described.config.profile], ['4.3.99', 'V44']);
  });
});

describe('heaps, list, structures', () => {
  for (const name of withSymbols) {
    it(`${name}: the heap’s buffer and record, and llext_list`, (t) => {
      const symbols = symbolsByNm(t, name);
      if (symbols === undefined) return;
      const { heaps, listAddress, filePool } = baseImage(name);
      const buffer = symbols.get('kheap_llext_heap');
      assert.deepEqual(heaps, [
        {
          name: 'llext_heap',
          address: buffer?.address,
          bytes: Number(buffer?.size),
          record: symbols.get('llext_heap')?.address,
        },
      ]);
      assert.equal(heaps[0].bytes, baseImageBuild(name).config['CONFIG_LLEXT_HEAP_SIZE'] * 1024);
      assert.equal(listAddress, symbols.get('llext_list')?.address);
      assert.ok(filePool > (symbols.get('_end')?.address ?? 0n) && filePool % 4096n === 0n);
    });
  }

  it('without the buffer’s name the record’s initial contents tell it, without symbols the debug information', () => {
    const expected = baseImage('m3').heaps;
    const renamed = Buffer.from(baseImageBytes('m3-symbols'));
    renamed.write('XXeap_llext_heap', renamed.indexOf('kheap_llext_heap'));
    assert.deepEqual(describeBytes(new Uint8Array(renamed)).heaps, expected);
    assert.deepEqual(describeBytes(withoutSection(baseImageBytes('m3'), '.symtab')).heaps, expected);
    assert.deepEqual(baseImage('m3-stripped').heaps, []);
    assert.equal(heapNames.length, 5);
  });

  test('struct llext and enum llext_mem are as gdb lays them out', (t) => {
    const gdb = requireTool(t, 'gdb-multiarch');
    if (gdb === undefined) return;
    for (const name of ['m3', 'm4-user', 'rv64', 'arm64-pie']) {
      const { config } = baseImage(name);
      const { layout, regions } = config;
      assert.ok(layout !== undefined && regions !== undefined);
      const fields = Object.keys(layout).filter((field) => field !== 'sizeof');
      const commands = fields.map((field) => `(int)&((struct llext *)0)->${field}`);
      commands.push(
        'sizeof(struct llext)',
        ...regions.map((region) => `(int)LLEXT_MEM_${region}`),
        '(int)LLEXT_MEM_COUNT',
      );
      const args = commands.flatMap((expression) => ['-ex', `output ${expression}`, '-ex', 'echo \\n']);
      const output = runTool(gdb, ['-nx', '-batch', baseImagePath(name), ...args]);
      const values = output.trim().split('\n').map(Number);
      const offsets = new Map<string, number>(Object.entries(layout));
      assert.deepEqual(values, [
        ...fields.map((field) => offsets.get(field)),
        layout.sizeof,
        ...regions.map((_, i) => i),
        regions.length,
      ]);
    }
    assert.deepEqual(baseImage('m4-user').config.userspaceSizes, { memPartition: 12, memDomain: 112 });
  });

  it('a declaration is the debug information’s', () => {
    const { declarationOf } = baseImage('m3');
    assert.equal(declarationOf('firmware_scale'), 'int firmware_scale(int value)');
    assert.equal(declarationOf('firmware_settings'), 'struct firmware_settings firmware_settings');
    assert.equal(declarationOf('firmware_report'), 'void firmware_report(const char *what, int value)');
    assert.equal(declarationOf('nothing'), undefined);
  });
});

test('the machine is what readelf says', (t) => {
  const readelf = requireTool(t, 'arm-none-eabi-readelf');
  if (readelf === undefined) return;
  for (const { name } of baseImageBuilds) {
    const { machine } = baseImage(name);
    const header = runTool(readelf, ['-h', baseImagePath(name)]);
    assert.equal(/Class: +ELF(\d+)/.exec(header)?.[1], machine?.is64 === true ? '64' : '32', name);
    assert.equal(/big endian/.test(header), machine?.bigEndian, name);
    const abi = /(hard|soft)-float ABI|(double|single|soft)-float ABI/.exec(header);
    assert.equal(abi?.[1] ?? abi?.[2], machine?.floatAbi, name);
  }
});
