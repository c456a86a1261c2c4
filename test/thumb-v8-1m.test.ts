/**
 * Encodings of Armv8.1-M, which is not implemented: what llvm-mc assembles of every class stops with 'not-implemented', the
 * encoding and the class's name, on Armv8-M mainline; on Armv7-M it stays UNDEFINED.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Decoder, rows } from '../lib/emulator/arm/decoder';
import { createMachine } from '../lib/emulator/machine';
import type { Fault } from '../lib/emulator/types';
import { cpuNamed } from './support/lockstep';
import { requireTool } from './support/tools';

const base = 0x10000;

/** Pattern of the message: assembly text, an instruction a line. */
const samples: Readonly<Record<string, string>> = {
  'MVE\\): vector arithmetic': `
    vadd.i32 q0, q1, q2
    vadd.f32 q0, q1, q2
    vmul.i16 q0, q1, q2
    vmla.s32 q0, q1, r2
    vmov q0, q1
    vmov.i32 q0, #1
    vcmp.f32 eq, q0, q1
    vpsel q0, q1, q2
    vmladav.s32 r0, q0, q1
    vaddv.u32 r0, q1
    vmaxv.s32 r0, q1
    vshl.i32 q0, q1, #3
    vqmovnb.s16 q0, q1
    vmovlb.s8 q0, q1
    vcadd.i32 q0, q1, q2, #90
    vfma.f32 q0, q1, q2
    vidup.u32 q0, r0, #1
    viwdup.u32 q0, r0, r1, #1
    vabs.s32 q0, q1
    vrev64.32 q0, q1
    vcvt.f32.s32 q0, q1
    vrintz.f32 q0, q1
    vadc.i32 q0, q1, q2
    vmullb.s16 q0, q1, q2
    vqdmulh.s16 q0, q1, q2
    vbrsr.32 q0, q1, r2
    vaddlv.s32 r0, r1, q1
    vabav.s32 r0, q0, q1
    vand q0, q1, q2
    vmax.s32 q0, q1, q2
    vhadd.s8 q0, q1, r2
    vpnot
    vpst`,
  'MVE\\): vector loads, stores, moves and complex arithmetic': `
    vldrw.u32 q0, [r1]
    vldrb.u8 q0, [r1], #16
    vstrw.32 q0, [r1]
    vld20.32 {q0, q1}, [r0]
    vst43.32 {q0, q1, q2, q3}, [r0]
    vldrw.u32 q0, [r1, q2, uxtw #2]
    vldrd.u64 q0, [q1, #8]
    vcmla.f32 q0, q1, q2, #90
    vmov r0, r1, q0[2], q0[0]
    vdup.32 q0, r1
    vdup.8 q0, r1
    vmsr vpr, r0
    vmrs r0, p0
    vstr vpr, [r0]`,
  'Low Overhead Branch': `
    dls lr, r0
    dlstp.32 lr, r0
    wls lr, r0, #8
    wlstp.8 lr, r0, #8
    le lr, #-4
    letp lr, #-4
    lctp
    vctp.32 r0
    bf #8, #32
    bfx #8, r0
    bfl #8, #32
    bflx #8, r0
    bfcsel #8, #32, #12, eq`,
  'shifts of 64 bits': `
    asrl r0, r1, #3
    lsll r0, r1, r2
    sqshl r0, #3
    uqrshll r0, r1, #48, r2
    sqrshr r0, r1
    urshrl r0, r1, #4`,
  'conditional selections': `
    csel r0, r1, r2, eq
    csinc r0, r1, r2, ne
    csinv r0, r1, r2, ne
    csneg r0, r1, r2, ne
    cset r0, eq
    csetm r0, eq`,
  'register clearing': `
    clrm {r0, r1}
    vscclrm {s0-s3, vpr}
    vscclrm {d0-d3, vpr}`,
  'half-precision': `
    vmov.f16 s0, r0
    vadd.f16 s0, s1, s2
    vfma.f16 s0, s1, s2
    vldr.16 s0, [r1]
    vins.f16 s0, s1
    vmovx.f16 s0, s1`,
};

function assemble(tool: string, text: string): { readonly name: string; readonly bytes: Uint8Array }[] {
  const attributes = '+mve.fp,+fp64,+lob,+fullfp16';
  const { stdout, stderr } = spawnSync(
    tool,
    ['-triple=thumbv8.1m.main-none-eabi', `-mattr=${attributes}`, '--show-encoding'],
    { input: `.syntax unified\n.thumb\n${text}\n`, encoding: 'utf8' },
  );
  const found = [...stdout.matchAll(/^\t(\S+).*@ encoding: \[(.*?)\]/gm)].map(([, name, encoding]) => ({
    name,
    bytes: Uint8Array.from(encoding.split(',').map((byte) => Number(byte.replace(/'.'/, '0')))),
  }));
  assert.equal(found.length, text.trim().split('\n').length, stderr);
  return found;
}

function faultOf(cpu: string, bytes: Uint8Array): Fault {
  const permissions = { read: true, write: true, execute: true };
  const machine = createMachine({ cpu: cpuNamed(cpu), regions: [{ name: 'RAM', base, size: 0x1000, permissions }] });
  machine.memory.write(base, bytes);
  machine.state.write('pc', base);
  const stop = machine.run(1);
  assert.ok(stop.reason === 'fault');
  return stop.fault;
}

const seen = new Set<string>();

for (const [pattern, text] of Object.entries(samples)) {
  test(`Armv8.1-M: ${pattern.replaceAll('\\', '')}`, (t) => {
    const tool = requireTool(t, 'llvm-mc-14');
    if (tool === undefined) return;
    const decoder = new Decoder(cpuNamed('cortex-m33').isa);
    for (const { name, bytes } of assemble(tool, text)) {
      const [first, second] = [bytes[0] | (bytes[1] << 8), bytes[2] | (bytes[3] << 8)];
      const fault = faultOf('cortex-m33', bytes);
      assert.equal(fault.kind, 'not-implemented', name);
      assert.match(fault.message, new RegExp(pattern), name);
      assert.deepEqual([fault.encoding, fault.encodingLength], [((first << 16) | second) >>> 0, 4], name);
      seen.add(decoder.decode(first, second, base, 0).row?.name ?? '');
      assert.equal(faultOf('cortex-m7', bytes).kind, 'undefined-instruction', name);
    }
  });
}

test('every row of Armv8.1-M has a sample', (t) => {
  if (seen.size === 0) return t.skip('nothing was assembled');
  const names = rows.filter(({ extension }) => extension === 'v8.1m').map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !seen.has(name)),
    [],
  );
});
