/**
 * Every decoder row: vectors that Unicorn executed, or a directed test of its own for what Unicorn cannot run; its
 * mnemonic as llvm-mc disassembles random words of it; and only fields that its diagram has.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { cpus, type ArmCpu } from '../lib/arch';
import { Decoder, profileOf, rows } from '../lib/emulator/arm/decoder';
import { fieldsOf } from '../lib/emulator/bit-diagram';
import type { Row } from '../lib/emulator/arm/rows';
import { createMachine } from '../lib/emulator/machine';
import type { Machine } from '../lib/emulator/types';
import { apsrOf, codeBase, cpuNamed, dataBase, dataSize, hex } from './support/lockstep';
import { Random } from './support/random';
import { changedBytes, readVectors, rowKey, vectorAddress, vectorData, type Vector } from './support/thumb-vectors';
import { diagramOf, randomWord } from './support/thumb-words';
import { requireTool } from './support/tools';
import { batchNames, floatNames } from './support/unicorn';

const armCpus = cpus.filter((cpu): cpu is ArmCpu => cpu.arch === 'arm');

function machineFor(cpu: string): Machine {
  const code = {
    name: 'code',
    base: codeBase,
    size: 0x1000000,
    permissions: { read: true, write: false, execute: true },
  };
  const data = {
    name: 'data',
    base: dataBase,
    size: dataSize,
    permissions: { read: true, write: true, execute: false },
  };
  return createMachine({ cpu: cpuNamed(cpu), regions: [code, data] });
}

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

function load(machine: Machine, halfwords: readonly number[]): void {
  machine.memory.write(vectorAddress, bytesOf([...halfwords, 0xe7fe]));
  machine.state.write('pc', vectorAddress);
}

function check(machine: Machine, vector: Vector): void {
  const { state, memory } = machine;
  const all = vector.before.length < batchNames.length ? batchNames : [...batchNames, ...floatNames];
  const names = all.filter((name) => name !== 'pc');
  // FPCA, so that FPSCR is not loaded from FPDSCR.
  if (all.length > batchNames.length) state.write('control', 4);
  names.forEach((name, i) => state.write(name, Number(vector.before[i])));
  memory.write(dataBase, vectorData());
  load(machine, vector.code.map(Number));
  const count = machine.instructionCount;
  const text = `${vector.row}: ${vector.code.join(' ')}`;
  const apsr = apsrOf(cpuNamed(vector.cpu));
  assert.deepEqual(machine.run(1), { reason: 'budget' }, text);
  assert.equal(machine.instructionCount - count, 1);
  const expected = Object.fromEntries(names.map((name, i) => [name, Number(vector.before[i])]));
  expected['xpsr'] = (expected['xpsr'] & apsr) >>> 0;
  expected['pc'] = vectorAddress;
  for (const [name, value] of Object.entries(vector.after)) expected[name] = Number(value);
  for (const [name, value] of Object.entries(expected)) {
    const ours = name === 'xpsr' ? (state.read(name) & apsr) >>> 0 : state.read(name);
    assert.equal(hex(ours), hex(value), `${text}: ${name}`);
  }
  assert.deepEqual(changedBytes(vectorData(), memory.read(dataBase, dataSize)), vector.memory, text);
}

const vectors = readVectors();

test('vectors: every row as Unicorn executed it', () => {
  const machines = new Map<string, Machine>();
  for (const vector of vectors) {
    // Special registers of one vector are not those of the next.
    const fresh = /^(MSR|CPS|MRS)/.test(vector.row);
    if (fresh || !machines.has(vector.cpu)) machines.set(vector.cpu, machineFor(vector.cpu));
    check(machines.get(vector.cpu) ?? machineFor(vector.cpu), vector);
    if (fresh) machines.delete(vector.cpu);
  }
});

/** Row name -> what stops or changes, for rows that Unicorn cannot run to the next instruction. */
const directed: Readonly<Record<string, (machine: Machine) => void>> = {
  'BKPT T1': (machine) => {
    load(machine, [0xbeab]);
    assert.deepEqual(machine.run(5), { reason: 'bkpt', immediate: 0xab, address: vectorAddress });
    assert.equal(machine.instructionCount, 0);
  },
  'SVC T1': (machine) => {
    load(machine, [0xdf2a]);
    assert.deepEqual(machine.run(5), { reason: 'svc', immediate: 0x2a, address: vectorAddress });
    assert.equal(machine.instructionCount, 0);
  },
  'WFI T1': (machine) => waits(machine, [0xbf30]),
  'WFI T2': (machine) => waits(machine, [0xf3af, 0x8003]),
  'WFE T1': (machine) => waits(machine, [0xbf20]),
  'WFE T2': (machine) => waits(machine, [0xf3af, 0x8002]),
  'SEV T1': (machine) => sendsEvent(machine, [0xbf40]),
  'SEV T2': (machine) => sendsEvent(machine, [0xf3af, 0x8004]),
  'UDF T1': (machine) => isUndefined(machine, [0xde2a]),
  'UDF T2': (machine) => isUndefined(machine, [0xf7f0, 0xa12a]),
  'IT T1': (machine) => {
    // ITTE EQ with Z set: the first two execute, the third does not.
    load(machine, [0xbf06, 0x2001, 0x2102, 0x2203]);
    machine.state.write('xpsr', 1 << 30);
    machine.run(4);
    assert.deepEqual([...machine.state.r.subarray(0, 3)], [1, 2, 0]);
  },
  'TT, TTT, TTA, TTAT T1': (machine) => isNotImplemented(machine, [0xe840, 0xf100]),
  'VLSTM T1': (machine) => isNotImplemented(machine, [0xec20, 0x0a00]),
  'VLLDM T1': (machine) => isNotImplemented(machine, [0xec30, 0x0a00]),
};

function waits(machine: Machine, code: readonly number[]): void {
  load(machine, code);
  assert.deepEqual(machine.run(5), { reason: 'wait' });
  assert.equal(machine.state.read('pc'), vectorAddress + 2 * code.length);
  assert.equal(machine.instructionCount, 1);
}

/** After SEV, WFE does not wait; the next one does. */
function sendsEvent(machine: Machine, code: readonly number[]): void {
  load(machine, [...code, 0xbf20, 0xbf20]);
  assert.deepEqual(machine.run(9), { reason: 'wait' });
  assert.equal(machine.instructionCount, 3);
}

function stopKind(machine: Machine, code: readonly number[]): string {
  load(machine, code);
  const stop = machine.run(5);
  assert.equal(stop.reason, 'fault');
  assert.equal(machine.instructionCount, 0);
  assert.equal(machine.state.read('pc'), vectorAddress);
  if (stop.reason !== 'fault') return '';
  const encoding = code.length === 1 ? code[0] : ((code[0] << 16) | code[1]) >>> 0;
  assert.equal(stop.fault.encoding, encoding);
  assert.equal(stop.fault.encodingLength, 2 * code.length);
  return stop.fault.kind;
}

const isUndefined = (machine: Machine, code: readonly number[]) =>
  assert.equal(stopKind(machine, code), 'undefined-instruction');
const isNotImplemented = (machine: Machine, code: readonly number[]) =>
  assert.equal(stopKind(machine, code), 'not-implemented');

for (const [name, run] of Object.entries(directed)) {
  test(`directed: ${name}`, () => run(machineFor(/^(TT|VLSTM|VLLDM)/.test(name) ? 'cortex-m33' : 'cortex-m3')));
}

/** The other rows say what coprocessor space does not have, and what Armv8.1-M has (thumb-v8-1m.test.ts). */
const others: readonly (string | undefined)[] = ['coprocessor', 'fp-space', 'v8.1m'];
const implemented = (row: Row) => !others.includes(row.extension);

test('every row has a test', () => {
  const tested = new Set(vectors.map((vector) => vector.row));
  const untested = rows.filter(
    (row) => implemented(row) && !tested.has(rowKey(row)) && directed[row.name] === undefined,
  );
  assert.deepEqual(untested.map(rowKey), []);
});

test('coprocessor space that no core has, and UNDEFINED floating-point encodings, are refused', () => {
  const random = new Random(5);
  const decoder = new Decoder(cpuNamed('cortex-m33').isa);
  const machine = machineFor('cortex-m33');
  for (const row of rows.filter((one) => !implemented(one) && one.extension !== 'v8.1m')) {
    const { mask, shouldBeMask, value, shouldBe } = diagramOf(row);
    let word = 0;
    // Until it is not one of a row with more fixed bits.
    do word = ((random.next() & ~(mask | shouldBeMask)) | value | shouldBe) >>> 0;
    while (decoder.decode(word >>> 16, word & 0xffff, codeBase, 0).row !== row);
    const kind = stopKind(machine, [word >>> 16, word & 0xffff]);
    assert.equal(kind, 'undefined-instruction', rowKey(row));
  }
});

test('rows name only fields of their diagrams, and give operations no more operands than a record has', () => {
  const random = new Random(6);
  for (const row of rows) {
    const diagram = diagramOf(row);
    for (let i = 0; i < 200; i++) {
      const word = ((random.next() & ~diagram.mask) | diagram.value) >>> 0;
      const known = fieldsOf(diagram, word);
      const fields = new Proxy(known, {
        get: (_, name) =>
          typeof name === 'string' && name in known ? known[name] : assert.fail(`${rowKey(row)}: no ${String(name)}`),
      });
      for (const profile of row.in) {
        for (const it of profile === 'v7m' || profile === 'v8m-main' ? [0, 0x08, 0x14] : [0]) {
          const [, ...operands] = row.exec(fields, { pc: codeBase, it, profile });
          assert.ok(operands.length <= (diagram.length === 16 ? 3 : 6), rowKey(row));
          assert.ok(operands.every(Number.isInteger), rowKey(row));
        }
      }
    }
  }
});

test('no two rows of a CPU are equally good for a word', () => {
  for (const cpu of armCpus) {
    const profile = profileOf(cpu.isa);
    const own = rows.filter((row) => row.in.includes(profile)).map((row) => ({ row, ...diagramOf(row) }));
    for (const [i, a] of own.entries()) {
      for (const b of own.slice(i + 1)) {
        const overlap = a.length === b.length && ((a.value ^ b.value) & a.mask & b.mask) === 0;
        const equal = a.fixedBits === b.fixedBits && a.row.first === b.row.first;
        assert.ok(!(overlap && equal), `${rowKey(a.row)} and ${rowKey(b.row)}`);
      }
    }
  }
});

/** What llvm-mc calls forms that the manual has under another heading. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  LSL: ['mov'],
  LDRB: ['pld'],
  LDRH: ['pldw'],
  LDRSB: ['pli'],
  NOP: ['yield', 'hint', 'dbg', 'esb', 'csdb', 'sevl', 'pacbti', 'bti', 'pac', 'aut'],
  DSB: ['ssbb', 'pssbb', 'dfb'],
  STM: ['stmia'],
  LDM: ['ldmia'],
  MVN: ['mov'],
  TT: ['tta', 'ttt', 'ttat'],
  // An odd number of words: FLDMX and FSTMX.
  VPUSH: ['fstmdbx'],
  VPOP: ['fldmiax'],
  VSTM: ['fstmiax'],
  VLDMDB: ['fldmdbx'],
};

function named(row: Row, mnemonic: string): boolean {
  const names = [...row.name.matchAll(/\b(?!T\d\b)[A-Z]+[A-Z0-9]*\b/g)].map(([name]) => name);
  const all = names.flatMap((name) => [name.toLowerCase(), ...(otherNames[name] ?? [])]);
  // Without width and types.
  const plain = mnemonic.replace(/\..*$/, '');
  if (row.name.startsWith('B T')) return /^b(\w\w)?$/.test(plain);
  if (row.name === 'IT T1') return /^it[te]{0,3}$/.test(plain);
  // Flag-setting forms have an s, addw and subw a w, cpsie and cpsid the effect.
  return all.some((name) => [name, `${name}s`, `${name}w`, `${name}ie`, `${name}id`].includes(plain));
}

/** llvm-mc's mnemonic of each encoding that it knows. */
function disassemble(
  tool: string,
  triple: string,
  attributes: string,
  words: readonly (readonly number[])[],
): Map<string, string> {
  // Brackets: each word for itself, whatever is unknown before. NOPs, because an IT makes what follows conditional.
  const nops = [0xbf00, 0xbf00, 0xbf00, 0xbf00];
  const lines = words.map((halfwords) => `[${[...bytesOf([...halfwords, ...nops])].map(hex).join(' ')}]`);
  const { stdout } = spawnSync(
    tool,
    ['--disassemble', `-triple=${triple}`, `-mattr=${attributes}`, '--show-encoding'],
    {
      input: lines.join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  const found = new Map<string, string>();
  for (const [, mnemonic, encoding] of stdout.matchAll(/^\t(\S+).*@ encoding: \[(.*?)\]/gm)) {
    found.set(
      encoding
        .split(',')
        .map((byte) => hex(Number(byte)))
        .join(' '),
      mnemonic,
    );
  }
  return found;
}

test('rows decode as llvm-mc disassembles', (t) => {
  const tool = requireTool(t, 'llvm-mc-14');
  if (tool === undefined) return;
  const random = new Random(8);
  for (const [cpu, triple, attributes] of [
    ['cortex-m3', 'thumbv7m-none-eabi', '+thumb2'],
    ['cortex-m4', 'thumbv7em-none-eabi', '+dsp,+vfp4d16sp'],
    ['cortex-m7', 'thumbv7em-none-eabi', '+dsp,+fp-armv8d16'],
    ['cortex-m33', 'thumbv8m.main-none-eabi', '+dsp,+fp-armv8d16sp,+8msecext'],
  ] as const) {
    const decoder = new Decoder(cpuNamed(cpu).isa);
    const samples = decoder.rows
      .filter(implemented)
      .flatMap((row) => Array.from({ length: 20 }, () => randomWord(row, decoder, random, { pc: codeBase, it: 0 })))
      .filter((word) => word !== undefined);
    const known = disassemble(
      tool,
      triple,
      attributes,
      samples.map(({ halfwords }) => halfwords),
    );
    const confirmed = new Set<Row>();
    for (const { row, halfwords } of samples) {
      const mnemonic = known.get([...bytesOf(halfwords)].map(hex).join(' '));
      if (mnemonic === undefined) continue;
      assert.ok(named(row, mnemonic), `${rowKey(row)}: ${halfwords.map(hex).join(' ')} is ${mnemonic}`);
      confirmed.add(row);
    }
    const sampled = new Set(samples.map(({ row }) => row));
    assert.deepEqual([...sampled].filter((row) => !confirmed.has(row)).map(rowKey), []);
    t.diagnostic(`${cpu}: ${known.size} words of ${confirmed.size} rows`);
  }
});
