/**
 * The tables of all CPUs: every row has a case in both modes (support/reloc-vectors.ts; Arm's are in reloc-arm.test.ts),
 * every range its last accepted and first refused value on both sides, the ranges are the specification's and the ABI's,
 * and what explain says is what was computed.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Arch } from '../lib/arch';
import {
  EM_386,
  EM_AARCH64,
  EM_ARC_COMPACT2,
  EM_ARM,
  EM_OPENRISC,
  EM_RISCV,
  EM_RX,
  EM_X86_64,
  EM_XTENSA,
} from '../lib/elf/constants';
import { relocationName } from '../lib/elf/relocation-names';
import { Errno } from '../lib/errors';
import { profileNames } from '../lib/llext/profile';
import { findRow, ruleOf } from '../lib/llext/reloc/apply';
import { compareModes, explainRelocation } from '../lib/llext/reloc/explain';
import { architectures, relocatorFor } from '../lib/llext/reloc/index';
import { hasProfile } from '../lib/llext/reloc/relocator';
import type { RelocationMode, RelocationRow, Relocator } from '../lib/llext/reloc/relocator';
import { applyAt, inputOf } from './support/reloc-place';
import type { PlaceVector } from './support/reloc-place';
import { abiRanges, exactRanges } from './support/reloc-ranges';
import { relocationVectors } from './support/reloc-vectors';
import type { RelocationVector } from './support/reloc-vectors';

interface Cpu {
  readonly arch: Arch;
  readonly pointerSize: 4 | 8;
  readonly relocator: Relocator;
}

const cpus: readonly Cpu[] = Object.entries(architectures).flatMap(([arch, handlers]) =>
  Object.entries(handlers).map(([size, relocator]) => ({
    arch: arch as Arch,
    pointerSize: size === '8' ? 8 : 4,
    relocator,
  })),
);

const bytesOf = (hex: string): number[] => [...Buffer.from(hex, 'hex')];
const hexOf = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString('hex');

function cpuOf({ cpu, bits }: RelocationVector): { relocator: Relocator; pointerSize: 4 | 8 } {
  const pointerSize = bits === 64 ? 8 : 4;
  const relocator = relocatorFor(cpu, pointerSize);
  assert.ok(relocator !== undefined, `${cpu} ${bits}`);
  return { relocator, pointerSize };
}

function typeOf(relocator: Relocator, name: string): number {
  const row = relocator.rows.find((candidate) => candidate.name === name);
  assert.ok(row !== undefined, name);
  return row.type;
}

function placeVector(vector: RelocationVector, mode: RelocationMode): PlaceVector {
  const { relocator } = cpuOf(vector);
  const { before, S, A, P, B = 0n, profile = 'V41', bigEndian = false } = vector;
  return { type: typeOf(relocator, vector.name), before: bytesOf(before), S, A, P, B, profile, bigEndian, mode };
}

relocationVectors.forEach((vector, i) => {
  for (const mode of ['exact', 'abi-correct'] as const) {
    const expected = mode === 'exact' ? vector.exact : vector.abi;
    test(`${vector.cpu} ${vector.bits}: ${vector.name} ${mode}, vector ${i}`, () => {
      const { relocator, pointerSize } = cpuOf(vector);
      const { ret, bytes } = applyAt(relocator, pointerSize, placeVector(vector, mode));
      assert.equal(ret, expected === undefined ? -Errno.ENOEXEC : 0);
      if (expected !== undefined) assert.equal(hexOf(bytes), expected);
      else if (mode === 'abi-correct') assert.equal(hexOf(bytes), vector.before, 'a refused place keeps its bytes');
      else if (vector.refusedBytes !== undefined) assert.equal(hexOf(bytes), vector.refusedBytes);
    });
  }
});

test('every row has a vector in every profile that has it, and in both modes', () => {
  for (const { arch, pointerSize, relocator } of cpus.filter((cpu) => cpu.arch !== 'arm')) {
    for (const row of relocator.rows) {
      const own = relocationVectors.filter(({ cpu, bits, name, profile = 'V41' }) => {
        return cpu === arch && bits === pointerSize * 8 && name === row.name && hasProfile(row, profile);
      });
      assert.ok(own.length > 0, `${arch} ${pointerSize * 8} ${row.name} ${row.since ?? ''}`);
      const isRefused = row.exact === undefined || row.exact.refusal !== undefined;
      assert.equal(
        own.some(({ exact }) => exact !== undefined),
        !isRefused,
        `${row.name} exact`,
      );
      assert.ok(
        own.some(({ abi }) => abi !== undefined),
        `${row.name} abi-correct`,
      );
    }
  }
});

const machines: Readonly<Record<Arch, readonly [number, number]>> = {
  arm: [EM_ARM, EM_ARM],
  arm64: [EM_AARCH64, EM_AARCH64],
  riscv: [EM_RISCV, EM_RISCV],
  x86: [EM_386, EM_X86_64],
  xtensa: [EM_XTENSA, EM_XTENSA],
  arc: [EM_ARC_COMPACT2, EM_ARC_COMPACT2],
  openrisc: [EM_OPENRISC, EM_OPENRISC],
  rx: [EM_RX, EM_RX],
};

test('a profile has at most one row of a type, under the name of the specification', () => {
  for (const { arch, pointerSize, relocator } of cpus) {
    const machine = machines[arch][pointerSize === 4 ? 0 : 1];
    for (const row of relocator.rows) {
      if (row.name !== 'R_ARM_NONE') assert.equal(row.name, relocationName(machine, row.type));
      for (const profile of profileNames) {
        const same = relocator.rows.filter(({ type, since, until }) => {
          return type === row.type && hasProfile({ since, until }, profile);
        });
        assert.ok(same.length <= 1, `${row.name} ${profile}`);
      }
      // Where the modes differ, the row says how; T is only added at another time.
      const { abi, exact, quirk } = row;
      const isSame = abi === undefined || JSON.stringify(withoutT(abi)) === JSON.stringify(withoutT(exact));
      if (!isSame) assert.ok(quirk !== undefined || exact === undefined || arch === 'openrisc', row.name);
    }
  }
});

function withoutT(rule: RelocationRow['abi']): unknown {
  return { ...rule, formula: rule?.formula.replace('((S + A) | T)', 'S + A').replace('(S + A) | T', 'S + A') };
}

test('an unknown type is refused with the errno and the message of the CPU', () => {
  const refused: Readonly<Record<Arch, string>> = {
    arm: '-8 unknown relocation: 200\n',
    arm64: '-8 unknown relocation: 200\n',
    riscv: '-8 Unsupported relocation type: 200 for symbol: s',
    x86: '-8 unknown relocation: 200\n',
    xtensa: '0 ',
    arc: '-8 unknown relocation: 200\n',
    openrisc: '-8 unknown relocation: 200\n',
    rx: '-134 unknown relocation: 200\n',
  };
  for (const { arch, pointerSize, relocator } of cpus) {
    const { ret, errors = [] } = applyAt(relocator, pointerSize, {
      type: 200,
      before: [1, 2, 3, 4],
      S: 1n,
      P: 0x1000n,
    });
    assert.equal(`${ret} ${errors.join()}`, refused[arch], arch);
  }
});

/** S for which the row's formula gives X: all formulas with a range are S plus something. */
function vectorFor(cpu: Cpu, row: RelocationRow, mode: RelocationMode, X: bigint): PlaceVector | undefined {
  const P = cpu.pointerSize === 8 ? 0x10_0000_0000n : 0x2010_0010n;
  const profile = profileNames.find((name) => hasProfile(row, name));
  const before = mode === 'abi-correct' && row.abiByPlace !== undefined ? [0x25, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 0];
  const base = { type: row.type, before, P, mode, ...(profile === undefined ? {} : { profile }) };
  const at = (S: bigint): bigint | undefined => {
    const input = inputOf({ ...base, S }, cpu.pointerSize, Uint8Array.from(before));
    return explainRelocation(cpu.relocator, input)?.X;
  };
  const zero = at(0n);
  if (zero === undefined) return undefined;
  const S = BigInt.asUintN(cpu.pointerSize * 8, X - zero);
  // On 32 bits some limits cannot be passed.
  return at(S) === X ? { ...base, S } : undefined;
}

test('the last value of every range is accepted and the first beyond is refused, on both sides and in both modes', () => {
  let limits = 0;
  for (const cpu of cpus) {
    for (const row of cpu.relocator.rows) {
      for (const mode of ['exact', 'abi-correct'] as const) {
        const rule = ruleOf(row, mode, {
          view: new DataView(Uint8Array.of(0x25, 0, 0).buffer),
          at: 0,
          littleEndian: true,
        });
        if (rule?.range === undefined) continue;
        const { min, max, align = 1 } = rule.range;
        const step = BigInt(rule.formula.startsWith('Page(') ? 4096 : align);
        const edges = [
          [max, (limit: bigint) => limit - (((limit % step) + step) % step), step],
          [min, (limit: bigint) => limit + (((-limit % step) + step) % step), -step],
        ] as const;
        for (const [limit, inside, beyond] of edges) {
          if (limit === undefined) continue;
          const last = inside(BigInt(limit));
          const what = `${cpu.arch} ${row.name} ${mode}`;
          for (const [X, expected] of [
            [last, 0],
            [last + beyond, -Errno.ENOEXEC],
          ] as const) {
            const vector = vectorFor(cpu, row, mode, X);
            if (vector === undefined) continue;
            const { ret, bytes } = applyAt(cpu.relocator, cpu.pointerSize, vector);
            assert.equal(ret, expected, `${what}: X = ${X}`);
            const keepsBytes = ret !== 0 && rule.writesFirst !== true;
            if (keepsBytes) assert.deepEqual(bytes, vector.before, `${what} is written before it is refused`);
            limits++;
          }
        }
        if (align > 1) {
          const vector = vectorFor(cpu, row, mode, BigInt(align) * -2n + 1n);
          if (vector !== undefined) {
            assert.equal(applyAt(cpu.relocator, cpu.pointerSize, vector).ret, -Errno.ENOEXEC, `${row.name} alignment`);
          }
        }
      }
    }
  }
  assert.ok(limits > 250, `${limits} limits`);
});

test('the ranges are those of the specification and of the ABIs', () => {
  for (const mode of ['exact', 'abi-correct'] as const) {
    const expected = mode === 'exact' ? exactRanges : abiRanges;
    for (const { arch, pointerSize, relocator } of cpus) {
      for (const row of relocator.rows) {
        const rule = ruleOf(row, mode);
        const { min, max, align } = rule?.range ?? {};
        const text = [min ?? '', max ?? '', align ?? ''].join(' ').trimEnd();
        const known = expected[`${row.name}/${pointerSize * 8}`] ?? expected[row.name] ?? '';
        if (row.abiByPlace === undefined) assert.equal(text, known, `${arch} ${row.name} ${mode}`);
      }
    }
  }
});

test('explain gives the formula with numbers that make X, and the margin', () => {
  for (const vector of relocationVectors) {
    for (const mode of ['exact', 'abi-correct'] as const) {
      const { relocator, pointerSize } = cpuOf(vector);
      const input = inputOf(placeVector(vector, mode), pointerSize, Uint8Array.from(bytesOf(vector.before)));
      const explained = explainRelocation(relocator, input);
      if (explained === undefined || /[LXP][a-z(]|^-$/.test(explained.formula)) continue;
      const value = valueOf(explained.numbers);
      const bits = vector.bits === 32 && explained.field !== '64 bits' ? 32 : 64;
      assert.equal(explained.X, BigInt.asIntN(bits, value), `${vector.name}: ${explained.numbers}`);
    }
  }
  const { relocator } = cpuOf({ ...relocationVectors[0], cpu: 'riscv', bits: 32 });
  const branch = { type: typeOf(relocator, 'R_RISCV_BRANCH'), before: [0x63, 0, 0, 0], S: 0x1010n, P: 0x1000n };
  const input = inputOf(branch, 4, Uint8Array.from(branch.before));
  const { numbers, X, min, max, margin, quirk } = explainRelocation(relocator, input) ?? {};
  assert.deepEqual(
    { numbers, X, min, max, margin },
    {
      numbers: '0x1010 + 0x0 - 0x1000',
      X: 16n,
      min: -4096n,
      max: 4095n,
      margin: 4079n,
    },
  );
  assert.match(quirk ?? '', /odd distance/);
});

/** A sum of hexadecimal numbers, |, & and ~ in C's precedence, as the formulas use them. */
function valueOf(text: string): bigint {
  const tokens = text.match(/0x[0-9a-f]+|\d+|[-+()|&~]/g) ?? [];
  let at = 0;
  const primary = (): bigint => {
    const token = tokens[at++];
    if (token === '(') {
      const value = or();
      at++;
      return value;
    }
    if (token === '-') return -primary();
    return token === '~' ? ~primary() : BigInt(token);
  };
  const sum = (): bigint => {
    let value = primary();
    while (tokens[at] === '+' || tokens[at] === '-')
      value = tokens[at++] === '+' ? value + primary() : value - primary();
    return value;
  };
  const and = (): bigint => {
    let value = sum();
    while (tokens[at] === '&') {
      at++;
      value &= sum();
    }
    return value;
  };
  const or = (): bigint => {
    let value = and();
    while (tokens[at] === '|') {
      at++;
      value |= and();
    }
    return value;
  };
  return or();
}

test('compareModes tells where Zephyr and the ABI differ', () => {
  for (const vector of relocationVectors) {
    const { relocator, pointerSize } = cpuOf(vector);
    const input = inputOf(placeVector(vector, 'exact'), pointerSize, Uint8Array.from(bytesOf(vector.before)));
    const before = { bytes: Uint8Array.from(bytesOf(vector.before)), littleEndian: vector.bigEndian !== true };
    const { exact, abi, differs } = compareModes(relocator, input, before);
    assert.equal(exact.ret === 0 ? hexOf(exact.bytes) : undefined, vector.exact, vector.name);
    assert.equal(abi.ret === 0 ? hexOf(abi.bytes) : undefined, vector.abi, vector.name);
    assert.equal(differs, vector.exact !== vector.abi, vector.name);
  }
});

test('rows that nobody compared with Zephyr are marked as assumed', () => {
  const assumed = cpus.flatMap(({ arch, relocator }) =>
    relocator.rows.filter((row) => row.assumed === true).map((row) => `${arch} ${row.name}`),
  );
  const expected = ['riscv R_RISCV_RELATIVE', 'arm64 R_AARCH64_RELATIVE', 'arc R_ARC_RELATIVE', 'rx R_RX_DIR32'];
  for (const row of [...expected, 'openrisc R_OR1K_32']) assert.ok(assumed.includes(row), row);
  for (const { arch, relocator } of cpus) {
    const isPort = arch === 'openrisc' || arch === 'rx';
    for (const row of relocator.rows) if (isPort) assert.equal(row.assumed, true, row.name);
  }
  assert.equal(findRow(architectures.arm[4] ?? assert.fail(), 2, 'V41')?.assumed, undefined);
});
