/**
 * `llext explain` against independent programs: the relocations are those that readelf lists, the bytes afterwards are those that Zephyr's
 * own loader left (test/golden), code lines are addr2line's; then texts, the timeline, refusals and wrong usage.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { explain, explainHelp } from '../cli/explain';
import { ElfFile } from '../lib/elf/elf-file';
import { examplePath, fixturePath } from './support/fixtures';
import { goldenCases, goldenElf, trimmedRoot } from './support/golden';
import type { GoldenOp, LocatedCase } from './support/golden';
import { requireTool } from './support/tools';

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  const status = await explain(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { status, stdout, stderr };
}

interface Relocation {
  readonly section: string;
  readonly offset: number;
  readonly type: { readonly number?: number; readonly name: string };
  readonly symbol: string;
  readonly before: string;
  readonly after: string;
  readonly P: string;
  readonly X: string;
  readonly margin?: string;
  readonly inside?: string;
  readonly source?: { readonly file: string; readonly line: number };
}

interface Explanation {
  readonly ret: number;
  readonly refusal?: string;
  readonly relocations: readonly Relocation[];
  readonly timeline: readonly { readonly step: string; readonly entries: readonly Record<string, unknown>[] }[];
}

async function explained(...args: string[]): Promise<Explanation> {
  const { stdout, stderr } = await run('--json', ...args);
  assert.equal(stderr, '');
  return (JSON.parse(stdout) as Explanation[])[0];
}

/** Kept cases of an image whose first operation is a load that Zephyr took, of ordinary files in a temporary buffer. */
function takenCases(image: string, most: number): { located: LocatedCase; op: GoldenOp }[] {
  const found: { located: LocatedCase; op: GoldenOp }[] = [];
  for (const located of goldenCases(trimmedRoot, (name) => name === image)) {
    if (located.golden.elf === null || /bad_/.test(located.id)) continue;
    const op = located.golden.runs.find(({ mode }) => mode === 'tmp')?.ops[0];
    if (op?.op === 'load' && op.ret === 0 && op.regions !== undefined) found.push({ located, op });
  }
  return found.slice(0, most);
}

describe('relocations of golden files', () => {
  for (const image of ['arm', 'rv32', 'rv64', 'arm64']) {
    const cases = takenCases(image, 6);
    it(`${image}: ${cases.length} files end with the bytes that Zephyr left`, async () => {
      assert.ok(cases.length >= 2);
      for (const { located, op } of cases) {
        const path = join(trimmedRoot, located.golden.variant, op.file ?? '');
        const base = join(trimmedRoot, 'images', `${image}.json`);
        const { ret, relocations } = await explained('--base', base, path);
        assert.equal(ret, 0, located.id);
        const elf = ElfFile.parse(new Uint8Array(goldenElf(located, op)));
        // Several relocations may make one word: the last one leaves what Zephyr left.
        const last = new Map(relocations.map((relocation) => [relocation.P, relocation]));
        assert.ok(last.size > 0 || relocations.length === 0);
        for (const { P, after, before, section, offset } of last.values()) {
          assert.equal(after, goldenBytes(op, BigInt(P), after.length / 2), `${located.id} ${section}+${offset}`);
          assert.equal(before.length, after.length);
        }
        const first = new Map([...relocations].reverse().map((relocation) => [relocation.P, relocation]));
        for (const { section, offset, before } of first.values()) {
          const header = elf.section(section);
          assert.ok(header);
          const bytes = elf.sectionBytes(header).subarray(offset, offset + before.length / 2);
          assert.equal(before, Buffer.from(bytes).toString('hex'), `${located.id} ${section}+${offset}`);
        }
      }
    });
  }

  it('are those that readelf lists', async (t) => {
    const readelf = requireTool(t, 'arm-none-eabi-readelf');
    if (readelf === undefined) return;
    const { located, op } = takenCases('arm', 1)[0];
    const path = join(trimmedRoot, located.golden.variant, op.file ?? '');
    const listed = execFileSync(readelf, ['-rW', path], { encoding: 'utf8' });
    const rows: string[] = [];
    let section = '';
    for (const line of listed.split('\n')) {
      section = /^Relocation section '\.rel(\S+)'/.exec(line)?.[1] ?? section;
      const row = /^([0-9a-f]{8})\s+[0-9a-f]{8}\s+(\S+)/.exec(line);
      if (row !== null && !section.startsWith('.debug')) rows.push(`${section}+${parseInt(row[1], 16)} ${row[2]}`);
    }
    const base = join(trimmedRoot, 'images', 'arm.json');
    const { relocations } = await explained('--base', base, path);
    assert.deepEqual(
      relocations.map(({ section: name, offset, type }) => `${name}+${offset} ${type.name}`),
      rows,
    );
  });
});

function goldenBytes(op: GoldenOp, address: bigint, length: number): string {
  for (const region of op.regions ?? []) {
    const { addr, hex } = region as unknown as { addr: string; hex?: string };
    const offset = Number(address - BigInt(addr));
    if (hex !== undefined && offset >= 0 && offset + length <= hex.length / 2) {
      return hex.slice(offset * 2, (offset + length) * 2);
    }
  }
  throw new Error(`no region of the case is at 0x${address.toString(16)}`);
}

describe('source lines', () => {
  it('of code are those of addr2line', async (t) => {
    const addr2line = requireTool(t, 'arm-none-eabi-addr2line');
    if (addr2line === undefined) return;
    const path = fixturePath('calls', 'm3clang-O0');
    const { relocations } = await explained(path);
    const inCode = relocations.filter(({ section, type }) => section === '.text' && /THM_(CALL|MOV)/.test(type.name));
    assert.ok(inCode.length > 0, 'the fixture has relocated instructions');
    const offsets = inCode.map(({ offset }) => `0x${offset.toString(16)}`);
    const lines = execFileSync(addr2line, ['-j', '.text', '-e', path, ...offsets], { encoding: 'utf8' })
      .trim()
      .split('\n');
    inCode.forEach(({ source }, i) => assert.equal(String(source?.line), lines[i].split(':')[1].split(' ')[0]));
  });
});

describe('the text', () => {
  it('has formula, numbers, range with margin, bytes, function and line', async () => {
    const { status, stdout } = await run(examplePath('hello/hello.llext'));
    assert.equal(status, 0);
    assert.match(stdout, /^.*hello\.llext: 'hello', loaded \(V41, arm 32 bit\)$/m);
    assert.match(stdout, /^ {2}\.text\+0x34 {2}R_ARM_ABS32 {2}printk {2}in greet, .*hello\.c:15$/m);
    assert.match(stdout, /^ {4}X = S \+ A = 0x8001001 \+ 0x0 = 0x8001001$/m);
    assert.match(stdout, /^ {4}00 00 00 00 -> 01 10 00 08$/m);
  });

  it('of one section, or of none with the sections that there are', async () => {
    const { relocations } = await explained('--section', '.rodata', examplePath('hello/hello.llext'));
    assert.ok(relocations.length > 0 && relocations.every(({ section }) => section === '.rodata'));
    const { status, stderr } = await run('--section', '.nothing', examplePath('hello/hello.llext'));
    assert.equal(status, 2);
    assert.match(stderr, /has no relocations for '\.nothing', only for \.text, \.rodata, \.exported_sym/);
  });

  it('of a load as a timeline, in the order of do_llext_load', async () => {
    const { timeline } = await explained(examplePath('hello/hello.llext'));
    const steps = timeline.map(({ step }) => step);
    const expected = 'start prepare load_elf_data find_tables copy_strings map_sections copy_regions copy_symbols link';
    assert.deepEqual(steps.slice(0, 9), expected.split(' '));
    const regions = timeline[6].entries.filter(({ kind }) => kind === 'allocation').map(({ purpose }) => purpose);
    assert.deepEqual(regions, ['region TEXT', 'region RODATA', 'region BSS', 'region EXPORT', 'region SYMTAB']);
    const { stdout } = await run('--timeline', examplePath('hello/hello.llext'));
    assert.match(stdout, /^ {2}link: relocate\n {4}\d+ relocations in \.text$/m);
  });
});

describe('refusals', () => {
  it('a missing import ends the relocations with the reason', async () => {
    const { status, stdout } = await run(examplePath('missing-import/missing.llext'));
    assert.equal(status, 1);
    assert.match(stdout, /refused with -ENODATA: Undefined symbol with no entry in symbol table/);
  });

  it('files without a base image for their machine get every import', async () => {
    const [{ located, op }] = takenCases('rv64', 1);
    const { status, stdout } = await run(join(trimmedRoot, located.golden.variant, op.file ?? ''));
    assert.equal(status, 0);
    assert.match(stdout, /loaded \(V41, riscv 64 bit\)/);
  });

  it('wrong usage and unreadable files say what is wrong', async () => {
    assert.match((await run()).stderr, /no file is given/);
    assert.match((await run('--nothing', 'x')).stderr, /'--nothing'/);
    assert.match((await run('nothing.llext')).stderr, /nothing\.llext/);
    assert.match((await run(examplePath('hello/hello.c'))).stderr, /llext explain: /);
    assert.equal((await run('--help')).stdout, explainHelp);
    for (const args of [[], ['--nothing', 'x'], ['nothing.llext']]) assert.equal((await run(...args)).status, 2);
    assert.equal((await run(examplePath('hello/hello.c'))).status, 1, 'it was read, and is no ELF');
  });
});
