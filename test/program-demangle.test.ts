/** Names of C++ symbols beside c++filt's: those of the recorded programs, and of constructs chosen one by one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { demangle } from '../lib/program/demangle';
import { ElfFile } from '../lib/elf/elf-file';
import { projectRoot } from './support/fixtures';
import { requireTool, runTool } from './support/tools';

const chosen = (
  '_Z1fv _Z1fiPKcRdOx _ZN2ns1CC1Ev _ZN2ns1CD0Ev _ZNK2ns1C1gEi _ZTVN2ns1CE _ZTIN2ns1CE _ZTSN2ns1CE _ZGVZ1fvE1x ' +
  '_ZN2nsplERKNS_1CES2_ _ZN1CcviEv _ZN1CixEi _ZN1CclEv _ZN1CnwEj _Z1fPFivE _Z1fPA3_i _Z1fRA3_A4_c _Z1fM1CiMS_FvvE ' +
  '_Z3maxIiET_S0_S0_ _Z3maxIN2ns1CEET_RKS2_S4_ _ZN3RingIsLi3EE4pushEs _ZN3RingIsLi3EEC2Ev _ZN1AIbLb1ELj4ELm5EE1fEv ' +
  '_ZN12_GLOBAL__N_13hidEi _ZZ1fvE1x _ZZ1fvE1x_0 _ZZ5entryENKUliE_clEi _ZZ5entryENKUlvE0_clEv _ZThn8_N1C1fEv ' +
  '_Z5countIJidcEEiDpT_ _ZNSt6vectorIiSaIiEE9push_backERKi _ZSt4swapIiEvRT_S1_ _ZN1A1BIiE1CIcE1fEv _Z1fILin3EEvv ' +
  '_ZNKR1C1fEv _ZNO1C1fEv _Z1fz _Z1fDn _ZN1C1fEv.part.0 _ZN1CaSEOS_ _ZN9__gnu_cxx3fooEv _ZNSs4sizeEv ' +
  '_ZZN1C1fEiENUlT_E0_clIiEEDaS0_ _ZZ5entryENKUlRKT_E0_clIdEEDaS1_ _ZZ1fvENKUlT_RKT0_PS_E_clIilEEDaS_S2_S3_ ' +
  '_ZNK3geo3VecIiEcvT_IlEEv _ZN3VecIiEcvPKT_IcEEv _ZZ5entryENKUlT_E_clIZ5entryEUliE_EEDaS_ main _Z _Zx _ZN1'
).split(' ');

test('names are those of c++filt', (t) => {
  const filt = requireTool(t, 'c++filt');
  if (filt === undefined) return;
  const symbols = ['m3-O0', 'm3-O2', 'rv32-O0'].flatMap((variant) => {
    const path = join(projectRoot, 'test/cpp', `classes.${variant}.elf`);
    return ElfFile.parse(new Uint8Array(readFileSync(path)))
      .symbols()
      .map(({ name }) => name)
      .filter((name) => name !== '');
  });
  const all = [...new Set([...chosen, ...symbols])];
  assert.ok(all.some((name) => name.startsWith('_ZN6motion')));
  const expected = runTool(filt, [], { input: new TextEncoder().encode(all.join('\n') + '\n') }).split('\n');
  assert.deepEqual(
    all.map(demangle),
    all.map((_, n) => expected[n]),
  );
});

test('no text is too much for it', () => {
  const letters = '_ZNISTE0123KPRFvijbLlU';
  let state = 1;
  for (let n = 0; n < 20_000; n++) {
    let text = '_Z';
    for (let length = n % 40; length > 0; length--) {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      text += letters[(state >> 8) % letters.length];
    }
    assert.equal(typeof demangle(text), 'string');
  }
  assert.equal(demangle(`_Z1f${'P'.repeat(5000)}i`).startsWith('_Z1f'), true);
});
