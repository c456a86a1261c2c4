/** `--base` of the command line: load and run with real images and lists, and every refusal. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, test } from 'node:test';
import { inspect } from '../cli/inspect';
import { load } from '../cli/load';
import { run } from '../cli/run';
import { BaseImageError, type BaseImageErrorCode } from '../lib/base-image/base-image-error';
import { checkBaseImage, checkExtension } from '../lib/target/base-image-check';
import { cpus, findCpu } from '../lib/arch';
import { ElfFile } from '../lib/elf/elf-file';
import { needsKernel } from '../lib/kernel/kernel-dependent';
import { baseImage, baseImageBytes, baseImagePath, describeBytes, withTable } from './support/base-images';
import { examplePath, projectRoot } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const folder = mkdtempSync(join(tmpdir(), 'llext-base-'));
after(() => rmSync(folder, { recursive: true }));
const extension = examplePath('with-base/with_base.llext');
const m3 = baseImagePath('m3');

type Command = typeof load;

async function output(command: Command | typeof run, ...args: string[]) {
  const text = { stdout: '', stderr: '' };
  const code = await command(args, {
    stdout: { write: (part: string) => (text.stdout += part) },
    stderr: { write: (part: string) => (text.stderr += part) },
  });
  return { code, ...text };
}

function written(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

describe('llext load --base', () => {
  const mismatches: readonly (readonly [said: RegExp, image: string, file: string, code: number])[] = [
    [
      /is for EM_ARM, but .*rv32.elf for EM_RISCV: build both for the same board/,
      'rv32',
      'with-base/with_base.llext',
      0,
    ],
    [/is for EM_RISCV, but .*zephyr.elf for EM_ARM/, 'm3', 'riscv/hello.rv32imac.llext', 1],
    [/is 32-bit, but .*rv64.elf is 64-bit/, 'rv64', 'riscv/hello.rv32imac.llext', 1],
    [/is soft-float, but .* is hard-float: compile/, 'm4-hard', 'with-base/with_base.llext', 0],
  ];
  for (const [said, image, file, code] of mismatches) {
    it(`warns that the file ${said.source}`, async () => {
      const loaded = await output(load, examplePath(file), '--base', baseImagePath(image));
      assert.match(loaded.stderr, /^llext load: warning: /);
      assert.match(loaded.stderr, said);
      assert.equal(loaded.code, code, loaded.stderr);
    });
  }

  it('says nothing where they fit', async () => {
    assert.equal((await output(load, extension, '--base', baseImagePath('m3-symbols'))).stderr, '');
  });
});

describe('llext run --base', () => {
  it('calls the image’s code, and the host for what it implements', async () => {
    for (const image of ['m3', 'm3-symbols', 'm3-stripped', 'm3-macros']) {
      assert.deepEqual(
        await output(run, extension, '--base', baseImagePath(image), '--entry', 'entry', '--arg', '400'),
        {
          code: 0,
          stdout: 'bench: 400 becomes 1000\nfirmware: the first entry is 10\n',
          stderr: 'entry returned 1040 (0x410)\n',
        },
      );
    }
  });

  for (const [image, ...flags] of [
    ['rv32', '-march=rv32imac', '-mabi=ilp32'],
    ['rv64', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany'],
  ]) {
    it(`runs on ${image} what it runs on Arm`, async (t) => {
      const gcc = requireTool(t, 'riscv64-unknown-elf-gcc');
      if (gcc === undefined) return;
      const object = join(folder, `with_base.${image}.o`);
      const include = `-I${join(projectRoot, 'examples/include')}`;
      const source = join(projectRoot, 'examples/with-base/with_base.c');
      runTool(gcc, [...flags, '-msmall-data-limit=0', '-O2', '-g', include, '-c', source, '-o', object]);
      const base = ['--base', baseImagePath(image)];
      assert.deepEqual(await output(run, object, ...base, '--entry', 'entry', '--arg', '400'), {
        code: 0,
        stdout: 'bench: 400 becomes 1000\nfirmware: the first entry is 10\n',
        stderr: 'entry returned 1040 (0x410)\n',
      });
      const wait = await output(run, object, ...base, '--entry', 'wait');
      assert.equal(wait.code, 1);
      assert.match(wait.stderr, /wait faulted: z_impl_k_sem_take of the base image needs a running kernel/);
    });
  }

  it('stops where a kernel or a device is needed', async () => {
    const wait = await output(run, extension, '--base', m3, '--entry', 'wait');
    assert.equal(wait.code, 1);
    assert.match(wait.stderr, /wait faulted: z_impl_k_sem_take of the base image needs a running kernel.* wait\+0x/);
    const sample = await output(run, extension, '--base', m3, '--entry', 'sample');
    assert.match(
      sample.stderr,
      /no devices of the board\); at 0x0+[0-9a-f]+ firmware_sample_adc\+0x2 of the base image/,
    );
  });

  it('names the imports that the image does not export', async () => {
    const { code, stderr } = await output(run, examplePath('missing-import/missing.llext'), '--base', m3);
    assert.equal(code, 1);
    assert.match(stderr, /provided by neither the base image nor a loaded extension/);
  });

  const refusals: readonly (readonly [said: RegExp, args: readonly string[]])[] = [
    [/cannot read .*none\.elf/, ['--base', join(folder, 'none.elf')]],
    [/not a linked image: e_type is ET_REL/, ['--base', extension]],
    [
      /is for EM_RISCV \(32-bit\), and cortex-m3 does not run that/,
      ['--base', baseImagePath('rv32'), '--cpu', 'cortex-m3'],
    ],
    [
      /the extension is for EM_ARM, but .*rv32\.elf for EM_RISCV: build both for the same board/,
      ['--base', baseImagePath('rv32')],
    ],
    [/is for EM_AARCH64 \(64-bit\)/, ['--base', baseImagePath('arm64-pie')]],
    [/big-endian, which no emulated core is/, ['--base', baseImagePath('m3-big-endian')]],
    [/is hard-float, and cortex-m3 has no such/, ['--base', baseImagePath('m4-hard'), '--cpu', 'cortex-m3']],
    [/the extension is soft-float, but .* is hard-float: compile/, ['--base', baseImagePath('m4-hard')]],
    [/is a list, which has no code to run/, ['--base', written('list.json', '["printk"]')]],
    [/has its llext heap: 8192 bytes at 0x20000498/, ['--base', m3, '--heap-size', '4']],
  ];
  for (const [said, args] of refusals) {
    it(`refuses: ${said.source}`, async () => {
      const { code, stderr } = await output(run, extension, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    });
  }

  it('refuses a core that the file is not for', async () => {
    const { code, stdout, stderr } = await output(run, extension, '--cpu', 'rv32imac');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--cpu: rv32imac does not run .*with_base\.llext, which is for EM_ARM \(32-bit\)/);
  });

  test('CONFIG_HARVARD and memory blocks are not what a session has', () => {
    const [cpu] = cpus;
    for (const setting of ['HARVARD', 'LLEXT_HEAP_MEMBLK']) {
      const problems = checkBaseImage(baseImage('m3-stripped', { dotConfig: `CONFIG_${setting}=y` }), cpu);
      assert.match(problems.join(), new RegExp(`CONFIG_${setting}`));
    }
    assert.deepEqual(checkBaseImage(baseImage('m3'), cpu), []);
    const m4 = findCpu('cortex-m4');
    assert.deepEqual(m4 && checkBaseImage(baseImage('m4-hard'), m4), []);
  });

  test('extensions of another machine, width, byte order', () => {
    const elf = (change: (bytes: Uint8Array) => void): ElfFile => {
      const bytes = new Uint8Array(readFileSync(extension));
      change(bytes);
      return ElfFile.parse(bytes);
    };
    const image = baseImage('m3');
    assert.deepEqual(
      checkExtension(
        elf(() => undefined),
        image,
      ),
      [],
    );
    const riscv = elf((bytes) => bytes.set([0xf3, 0], 18));
    assert.match(checkExtension(riscv, image).join(), /for EM_RISCV, but zephyr.elf for EM_ARM/);
    assert.match(checkExtension(riscv, baseImage('rv64')).join(), /is 32-bit, but zephyr.elf is 64-bit/);
    assert.match(
      checkExtension(
        elf(() => undefined),
        baseImage('m3-big-endian'),
      ).join(),
      /is little-endian, but .* big-endian/,
    );
  });
});

describe('llext load --base', () => {
  it('links against the image’s addresses, in its heap', async (t) => {
    const nm = requireTool(t, 'arm-none-eabi-nm');
    if (nm === undefined) return;
    const { code, stdout } = await output(load, extension, '--base', m3, '--json');
    assert.equal(code, 0);
    const loaded = JSON.parse(stdout) as { ext: string; regions: { region: string; hex?: string; addr: string }[] };
    const symbols = new Map(
      runTool(nm, [m3])
        .split('\n')
        .map((line) => [line.slice(11), parseInt(line.slice(0, 8), 16)]),
    );
    const heap = symbols.get('kheap_llext_heap') ?? 0;
    for (const { addr } of loaded.regions) assert.ok(Number(addr) > heap && Number(addr) < heap + 8192, addr);
    // The literal of a call with -mlong-calls is the export's address with the Thumb bit.
    const text = Buffer.from(loaded.regions.find(({ region }) => region === 'TEXT')?.hex ?? '', 'hex');
    const literal = Buffer.alloc(4);
    literal.writeUInt32LE((symbols.get('firmware_scale') ?? 0) | 1);
    assert.ok(text.includes(literal));
  });

  it('takes a list with addresses', async () => {
    const exports = ['printk', 'firmware_scale', 'firmware_report', 'firmware_look_up', 'firmware_sample_adc']
      .concat('firmware_settings', 'z_impl_k_sem_take')
      .map((name, i) => ({ name, address: `0x${(0x8001001 + i * 16).toString(16)}` }));
    const list = written('exports.json', JSON.stringify({ exports }));
    const { code, stdout } = await output(load, extension, '--base', list, '--json');
    assert.equal(code, 0, stdout);
    const text = (JSON.parse(stdout) as { regions: { region: string; hex?: string }[] }).regions[0].hex ?? '';
    assert.ok(text.includes('11100008'));
  });

  it('says what it lacks', async () => {
    const names = await output(load, extension, '--base', written('names.json', '["printk"]'));
    assert.match(names.stderr, /a list of names without addresses, enough for 'llext inspect'/);
    const stripped = await output(load, extension, '--base', baseImagePath('m3-stripped'));
    assert.match(stripped.stderr, /has no llext heap that could be found/);
    assert.deepEqual([names.code, stripped.code], [2, 2]);
  });
});

describe('llext inspect', () => {
  it('shows what an image offers: exports and who performs them, configuration, heap, structure', async () => {
    const { code, stdout } = await output(inspect, m3);
    assert.equal(code, 0);
    assert.match(stdout, /zephyr\.elf: base image, EM_ARM, 32-bit little-endian, soft-float, Zephyr 4\.2\.0\n/);
    assert.match(stdout, /exports by name, found by symbols/);
    assert.match(stdout, / {2}printk +0x[0-9a-f]{8} {2}the host/);
    assert.match(stdout, / {2}firmware_scale +0x[0-9a-f]{8} {2}the image +int firmware_scale\(int value\)/);
    assert.match(stdout, / {2}z_impl_k_sem_take +0x[0-9a-f]{8} {2}stops: needs a running kernel/);
    assert.match(stdout, / {2}firmware_update +0x00000000 {2}not in this build: not found/);
    assert.match(stdout, /CONFIG_LLEXT_HEAP_SIZE +8\n/);
    assert.match(stdout, /heaps\n {2}llext_heap {2}0x20000498 {2}8192\nllext_list at 0x/);
    assert.match(stdout, /struct llext by the debug information\n {2}sizeof +188\n/);
  });

  it('says the same as JSON, with notes of what was assumed', async () => {
    const { stdout } = await output(inspect, baseImagePath('m3-slid-stripped'), '--json');
    const image = JSON.parse(stdout) as Record<string, unknown> & {
      exports: Record<string, unknown>[];
      notes: string[];
    };
    assert.deepEqual([image.exports_by, image.exports_found_by, image.zephyr], ['slid', 'section', '4.2.0']);
    const printk = image.exports.find(({ name }) => name === 'printk');
    assert.deepEqual([printk?.slid, printk?.performed_by], ['0x87b31052', 'host']);
    assert.equal(image.notes.length, 4);
    const rv64 = JSON.parse((await output(inspect, baseImagePath('rv64'), '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(rv64.heaps, [{ name: 'llext_heap', address: '0x800404e0', bytes: 16384, record: '0x80040040' }]);
  });

  it('tells which imports of an extension an image satisfies, also by a list of names', async () => {
    const image = await output(inspect, extension, '--base', m3);
    assert.match(image.stdout, / {2}firmware_scale +.*zephyr\.elf\n/);
    const list = written('names-only.json', '["printk"]');
    const byList = await output(inspect, extension, '--base', list);
    assert.match(byList.stdout, / {2}firmware_scale +not in .*names-only\.json\n/);
    assert.match(byList.stdout, / {2}printk +\S*names-only\.json\n/);
    const json = JSON.parse((await output(inspect, extension, '--base', list, '--json')).stdout) as {
      imports: unknown[];
    };
    assert.ok(JSON.stringify(json.imports).includes('{"name":"printk","base":true}'));
  });

  it('refuses an image without an export table', async () => {
    const bytes = Buffer.from(baseImageBytes('m3-stripped'));
    bytes.write('another_section', bytes.indexOf('llext_const_symbol_area'));
    const { code, stderr } = await output(inspect, written('plain.elf', bytes));
    assert.equal(code, 2);
    assert.match(stderr, /plain\.elf: no export table: .*CONFIG_LLEXT=y/);
  });
});

/** A file for each reason. */
const damage: Record<BaseImageErrorCode, () => unknown> = {
  'not-an-image': () => describeBytes(new Uint8Array(readFileSync(extension))),
  'unknown-machine': () => {
    const bytes = baseImageBytes('m3');
    bytes.set([2, 0], 18);
    return describeBytes(bytes);
  },
  'no-export-table': () => {
    const bytes = Buffer.from(baseImageBytes('m3-stripped'));
    bytes.write('another_section', bytes.indexOf('llext_const_symbol_area'));
    return describeBytes(new Uint8Array(bytes));
  },
  'export-table': () => describeBytes(withTable(baseImageBytes('m3'), (words) => (words[2] = 0x7777_0000))),
  json: () => undefined,
};

for (const [reason, provoke] of Object.entries(damage)) {
  if (reason === 'json') continue;
  test(`a base image that is wrong by ${reason}`, () => {
    assert.throws(provoke, (error: unknown) => error instanceof BaseImageError && error.reason === reason);
  });
}

test('a JSON list that is wrong is told by its property', async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{', /neither an ELF file nor JSON/],
    ['5', /is not an object/],
    ['{}', /builtins is not a list: a base image is \["name", ...\]/],
    ['{"exports":5}', /exports is not a list/],
    ['[5]', /exports\[0\] is not an object/],
    ['[{"name":5}]', /exports\[0\]\.name is not a string/],
    ['[{"name":"a"}]', /exports\[0\]\.addr is not an address/],
    ['[{"name":"a","address":"x"}]', /exports\[0\]\.address is not an address/],
    ['{"exports":[],"ptr_size":2}', /ptr_size is neither 4 nor 8/],
    ['{"exports":[],"arch":"z80"}', /arch is none of arm/],
    ['{"exports":[],"page":"a"}', /page is not a number/],
    ['{"exports":[],"config":[]}', /config is not an object/],
    ['{"exports":[],"config":{"MMU":"y"}}', /config\.MMU is not a number/],
    ['{"exports":[],"config":{"LOG_LEVEL":"y"}}', /config\.LOG_LEVEL is not a number/],
    ['{"exports":[],"heap_init_bytes":4}', /heap_init_mem is not an address/],
    ['{"exports":[],"heap_init_mem":4}', /heap_init_bytes is not a number/],
    ['{"exports":[],"pool":-1}', /pool is not an address/],
  ];
  for (const [text, said] of wrong) {
    const { code, stderr } = await output(load, extension, '--base', written('wrong.json', text));
    assert.deepEqual([code, said.test(stderr)], [2, true], `${text}: ${stderr}`);
  }
});

test('damaged tables and a table of another kind', () => {
  const odd = Buffer.from(baseImageBytes('m3-stripped'));
  const elf = ElfFile.parse(new Uint8Array(odd));
  const section = elf.section('llext_const_symbol_area');
  assert.ok(section !== undefined);
  odd.writeUInt32LE(section.sh_size - 4, elf.header.e_shoff + section.index * 40 + 20);
  assert.throws(() => describeBytes(new Uint8Array(odd)), /is not made of entries of 8 bytes/);
  const bySlid = withTable(baseImageBytes('m3'), (words) => words.fill(0xffff_0000));
  assert.throws(() => describeBytes(bySlid), /has no name at 0xffff0000.*CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID/);
});

test('what needs a kernel, by name', () => {
  const needs = [
    'k_sem_take',
    'z_impl_k_sleep',
    'k_thread_create',
    'z_impl_device_is_ready',
    'z_swap',
    'arch_irq_lock',
  ];
  const runs = ['k_sem_init', 'z_impl_k_mutex_init', 'memcpy', 'z_cbvprintf_impl', 'z_impl_gpio_pin_configure', 'arc'];
  assert.deepEqual([...needs, ...runs].filter(needsKernel), needs);
});
