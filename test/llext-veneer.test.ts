/**
 * Veneers (specification 4.2.3): the stubs' bytes by the specification, and where calls through them arrive by objdump,
 * which decodes both the call and the stub. One stub a target, claimed by the first call that needs it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno } from '../lib/errors';
import type { LlextExtension } from '../lib/llext/extension';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, func, text, undefinedSymbol } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import { requireTool, runTool } from './support/tools';

const BL = [0xff, 0xf7, 0xfe, 0xff];
const B_W = [0xff, 0xf7, 0xfe, 0xbf];
const far = { one: 0x0800_1235n, two: 0x0900_0001n, near: 0x2010_0801n };

/** Calls of one, two, one again (B.W), near. */
function caller(): Uint8Array {
  const calls = [
    ['one', C.R_ARM_THM_CALL, BL],
    ['two', C.R_ARM_THM_CALL, BL],
    ['one', C.R_ARM_THM_JUMP24, B_W],
    ['near', C.R_ARM_THM_CALL, BL],
  ] as const;
  return buildElf({
    sections: [text(calls.flatMap(([, , bytes]) => bytes))],
    symbols: [func('f'), undefinedSymbol('one'), undefinedSymbol('two'), undefinedSymbol('near')],
    relocations: calls.map(([symbol, type], i) => ({ target: '.text', offset: i * 4, type, symbol })),
  });
}

function load(config: Partial<LlextConfig>): LlextExtension {
  const { ret, extension, log } = bench(image({ profile: 'S', veneers: true, ...config }, far)).load(caller());
  assert.equal(ret, 0, log.join('\n'));
  assert.ok(extension);
  return extension;
}

function regionOf(extension: LlextExtension, name: string): { address: number; bytes: Uint8Array } {
  const index = extension.regionNames.findIndex((region) => region === name);
  return { address: Number(extension.mem[index]), bytes: extension.regionBytes(index) };
}

/** objdump's lines of Thumb code. */
function disassemble(t: TestContext, { address, bytes }: { address: number; bytes: Uint8Array }): string[] | undefined {
  const objdump = requireTool(t, 'arm-none-eabi-objdump');
  if (objdump === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'veneer-'));
  try {
    const file = join(folder, 'code.bin');
    writeFileSync(file, bytes);
    const options = ['-D', '-b', 'binary', '-marm', '-Mforce-thumb', `--adjust-vma=${address}`, file];
    return runTool(objdump, options)
      .split('\n')
      .filter((line) => /^ *[0-9a-f]+:\t/.test(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('mainline: LDR.W PC, [PC, #0] and the target; two targets take two of the four stubs', () => {
  const { bytes } = regionOf(load({}), 'VENEER');
  const stub = [0xdf, 0xf8, 0x00, 0xf0];
  const unused = new Array<number>(16).fill(0);
  assert.deepEqual([...bytes], [...stub, 0x35, 0x12, 0x00, 0x08, ...stub, 0x01, 0x00, 0x00, 0x09, ...unused]);
});

test('baseline: a jump through IP that keeps R4', () => {
  const { bytes } = regionOf(load({ veneerStub: 'baseline' }), 'VENEER');
  assert.equal(bytes.length, 4 * 16);
  const stub = [0x10, 0xb4, 0x02, 0x4c, 0xa4, 0x46, 0x10, 0xbc, 0x60, 0x47, 0x00, 0xbf];
  assert.deepEqual([...bytes.subarray(0, 16)], [...stub, 0x35, 0x12, 0x00, 0x08]);
});

test('objdump: the calls go to the stubs, the jump shares the first one, what is in range goes straight', (t) => {
  const extension = load({});
  const code = disassemble(t, regionOf(extension, 'TEXT'));
  if (code === undefined) return;
  const { address } = regionOf(extension, 'VENEER');
  const targets = code.map((line) => /\t(bl|b\.w)\t0x([0-9a-f]+)/.exec(line)?.slice(1));
  const at = (stub: number): string => (address + stub * 8).toString(16);
  assert.deepEqual(targets, [
    ['bl', at(0)],
    ['bl', at(1)],
    ['b.w', at(0)],
    ['bl', '20100800'],
  ]);
});

test('objdump: the stubs load their word into the program counter', (t) => {
  for (const veneerStub of ['mainline', 'baseline'] as const) {
    const code = disassemble(t, regionOf(load({ veneerStub }), 'VENEER'));
    if (code === undefined) return;
    const mnemonics = code.map((line) => line.split('\t').slice(2).join(' '));
    if (veneerStub === 'mainline') assert.match(mnemonics[0], /^ldr\.w pc, \[pc\]/);
    else {
      assert.match(
        mnemonics.slice(0, 6).join('; '),
        /^push {r4}; ldr r4, \[pc, #8\].*; mov ip, r4; pop {r4}; bx ip; nop/,
      );
    }
  }
});

test('only S with the configuration has stubs, and only for imports', () => {
  for (const [profile, veneers] of [
    ['V44', true],
    ['S', false],
  ] as const) {
    const { ret, log } = bench(image({ profile, veneers }, far)).load(caller());
    assert.equal(ret, -Errno.ENOEXEC);
    assert.match(errors(log)[0], /relocation out of range/);
  }
  const local = buildElf({ sections: [text(BL)], symbols: [func('f')], relocations: [] });
  const { ret, extension } = bench(image({ profile: 'S', veneers: true })).load(local);
  assert.equal(ret, 0);
  assert.equal(extension?.memSize[extension.regionNames.indexOf('VENEER')], 0n);
});

test('the stubs are freed with the extension', () => {
  const it = bench(image({ profile: 'S', veneers: true }, far));
  const free = it.target.freeHeapBytes();
  const { extension } = it.load(caller());
  assert.ok(extension);
  assert.equal(it.target.llext.unload(extension), 0);
  assert.equal(it.target.freeHeapBytes(), free);
});
