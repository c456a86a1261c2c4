/**
 * Writes test/fixtures/thumb-vectors-<set>.json: three executions by Unicorn for each row that it can execute. The argument
 * is the set: base or an extension.
 */
import { writeFileSync } from 'node:fs';
import { Decoder, rows } from '../../lib/emulator/arm/decoder';
import type { Row } from '../../lib/emulator/arm/rows';
import { apsrOf, cpuNamed, dataBase, dataSize, Lockstep, type Registers } from './lockstep';
import { Random } from './random';
import { randomWord } from './thumb-words';
import { changedBytes, rowKey, vectorAddress, vectorData, vectorSets, vectorsPath, type Vector } from './thumb-vectors';
import { batchNames, floatNames } from './unicorn';

const fpscrIndex = batchNames.length + floatNames.indexOf('fpscr');
const perRow = 3;
const attempts = 60;
const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

function execute(lockstep: Lockstep, cpu: string, row: Row, decoder: Decoder, random: Random): Vector | undefined {
  const word = randomWord(row, decoder, random, { pc: vectorAddress, it: 0 });
  // They do not go on to the next instruction.
  if (!word || ['wfi', 'wfe', 'it'].includes(word.operation)) return undefined;
  const { unicorn } = lockstep;
  const registers: Registers = lockstep.randomRegisters(random);
  registers[15] = vectorAddress;
  // Unicorn makes unaligned accesses that the architecture faults on.
  if (/^(LDM|STM|VLD|VST|LDRD|STRD|LDA|STL|LDREX|STREX)/.test(row.name))
    registers.forEach((value, i) => i < 15 && (registers[i] = value & ~3));
  // Unicorn rounds as FPSCR says, the architecture to nearest.
  if (/^VCVT with fixed/.test(row.name)) registers[fpscrIndex] &= ~0xc00000;
  // A store that the monitor refuses need not be to memory.
  if (/^(STREX|STLEX)/.test(row.name))
    registers.forEach((_, i) => i < 13 && (registers[i] = dataBase + 0x1000 + 64 * i));
  // Branches to a register need somewhere to go.
  if (/^BL?X/.test(row.name)) for (let i = 0; i < 13; i++) registers[i] = vectorAddress + 0x1001 + 0x40 * i;
  const bytes = [...word.halfwords, 0xe7fe].flatMap((halfword) => [halfword & 0xff, halfword >>> 8]);
  unicorn.write(vectorAddress, Uint8Array.from(bytes));
  unicorn.forget(vectorAddress, vectorAddress + 16);
  unicorn.write(dataBase, vectorData());
  lockstep.setTheirs(registers);
  if (unicorn.run(vectorAddress, 1) !== 0) return undefined;
  const theirs = lockstep.readTheirs();
  const after: Record<string, string> = {};
  lockstep.names.forEach((name, i) => {
    const mask = name === 'xpsr' ? apsrOf(cpuNamed(cpu)) : name === 'pc' ? ~1 : -1;
    if ((theirs[i] & mask) !== (registers[i] & mask)) after[name] = hex(theirs[i] & mask);
  });
  // sp's low bits are RAZ/WI, which Unicorn does not know.
  if (after['sp'] !== undefined && Number(after['sp']) % 4 !== 0) return undefined;
  const memory = changedBytes(vectorData(), unicorn.read(dataBase, dataSize));
  const before = [...registers].filter((_, i) => i !== 15).map(hex);
  return { row: rowKey(row), cpu, code: word.halfwords.map(hex), before, after, ...(memory && { memory }) };
}

/** The executions that change most, so that a vector does not pass by accident. */
function best(candidates: readonly Vector[]): Vector[] {
  const weight = (vector: Vector) => Object.keys(vector.after).length + (vector.memory ? 2 : 0);
  return [...candidates].sort((a, b) => weight(b) - weight(a)).slice(0, perRow);
}

const set = vectorSets.find((name) => name === process.argv[2]);
if (!set) throw new Error(`which set? ${vectorSets.join(', ')}`);
const cpusOf = { base: ['cortex-m3', 'cortex-m33', 'cortex-m0'], dsp: ['cortex-m4'], fp: ['cortex-m7'] };
const skip = { skip: () => undefined };
const vectors: Vector[] = [];
const setOf = (row: Row) => (/^fp/.test(row.extension ?? '') ? 'fp' : (row.extension ?? 'base'));
const done = new Set<string>();
for (const cpu of cpusOf[set]) {
  const lockstep = Lockstep.open(skip, cpu);
  if (!lockstep) throw new Error('libunicorn.so.2 is needed');
  const decoder = new Decoder(cpuNamed(cpu).isa);
  const random = new Random(4);
  const own = rows.filter((row) => row.in.includes(decoder.profile) && setOf(row) === set);
  for (const row of own.filter((one) => !done.has(rowKey(one)))) {
    const found: Vector[] = [];
    for (let i = 0; i < attempts; i++) {
      const vector = execute(lockstep, cpu, row, decoder, random);
      if (vector) found.push(vector);
    }
    if (found.length > 0) done.add(rowKey(row));
    vectors.push(...best(found));
  }
  lockstep.unicorn.close();
}
writeFileSync(vectorsPath(set), `[\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]\n`);
