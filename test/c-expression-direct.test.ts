/**
 * Conditions as closures (lib/c-expression/direct.ts) against the evaluator: random expressions over the variables of real
 * functions, at random places of their code, with random registers and memory. Where both give a result it is the same, and
 * where the evaluator says that there is none, there is none.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  compileCondition,
  directCondition,
  type DirectMachine,
  evaluateCondition,
  ExpressionError,
  FrameScope,
} from '../lib/c-expression';
import { stripType, type Type } from '../lib/dwarf/model';
import { Frame } from '../lib/dwarf/unwind-frame';
import { isStruct } from '../lib/dwarf/value';
import { type MemoryReply, type MemoryRequest, runQuery } from '../lib/query';
import { Random } from './support/random';
import { staticProgram } from './support/static-program';

const fixture = (name: string): string => join(__dirname, 'fixtures', `${name}.elf`);

const files: readonly (readonly [file: string, atLeast: number])[] = [
  [join(__dirname, 'dwarf-values', 'values.elf'), 0.4],
  [fixture('data.m3-O0'), 0.4],
  [fixture('data.m3-O2'), 0.2],
  [fixture('data.m3clang-O2'), 0.2],
  [fixture('calls.m33-O2'), 0.2],
  [fixture('data.rv32imac-O0'), 0.4],
  [fixture('data.rv64imac-O0'), 0.3],
];

/** Registers and memory of one moment; of memory that is no section, one page of eight cannot be read. */
class Moment implements DirectMachine {
  failed = false;
  private words: readonly number[] = [];
  private high: readonly number[] = [];
  private salt = 0;

  constructor(
    private readonly random: Random,
    private readonly wide: boolean,
    readonly registerCount: number,
    private readonly sections: (request: MemoryRequest) => MemoryReply,
  ) {
    this.next();
  }

  /** Another one. */
  next(): void {
    const { random } = this;
    this.words = Array.from({ length: this.registerCount }, () => random.word() | 0);
    this.high = this.words.map(() => (random.below(3) === 0 ? random.word() | 0 : 0));
    this.salt = random.next();
  }

  readonly read = ({ address, length }: MemoryRequest): MemoryReply => {
    const known = this.sections({ address, length });
    if (known !== undefined) return known;
    if (address < 0n || address + BigInt(length) > 1n << 32n) return undefined;
    const bytes = Array.from({ length }, (_, i) => this.byte(Number(address) + i));
    return bytes.some((byte) => byte === undefined) ? undefined : Uint8Array.from(bytes, Number);
  };

  private byte(address: number): number | undefined {
    const mixed = Math.imul(address ^ this.salt, 0x9e3779b1) >>> 0;
    if ((Math.imul((address >>> 12) ^ this.salt, 0x85ebca6b) >>> 0) % 8 === 0) return undefined;
    return mixed % 3 === 0 ? 0 : mixed >>> 24;
  }

  get = (number: number): bigint | undefined => {
    if (number >= this.registerCount) return undefined;
    const low = BigInt(this.words[number] >>> 0);
    return this.wide ? low | (BigInt(this.high[number] >>> 0) << 32n) : low;
  };

  register(number: number): number {
    return this.words[number];
  }

  registerHigh(number: number): number {
    return this.wide ? this.high[number] : 0;
  }

  load8(address: number): number {
    const bytes = this.read({ address: BigInt(address), length: 1 });
    if (bytes === undefined) this.failed = true;
    return bytes?.[0] ?? 0;
  }

  load16(address: number): number {
    return this.load8(address) | (this.load8(address + 1) << 8);
  }

  load32(address: number): number {
    return (this.load16(address) | (this.load16(address + 2) << 16)) >>> 0;
  }
}

const binary = '+ - * / % << >> & | ^ < > <= >= == != && ||'.split(' ');
const casts = [
  'char',
  'unsigned char',
  'short',
  'unsigned',
  'int',
  'long long',
  'unsigned long long',
  '_Bool',
  'float',
  'double',
];
const constants = '0 1 2 -1 7 31 32 255 65535 0x80000000 0xffffffff 5000000000 1.5 -0.25 1e30'.split(' ');

/** What leads from a variable to something that can be compared. */
function pathOf(name: string, type: Type, random: Random, depth = 3): string {
  const stripped = stripType(type);
  if (depth > 0 && isStruct(stripped) && stripped.members.length > 0) {
    const member = random.pick(stripped.members);
    return member.name === undefined ? name : pathOf(`${name}.${member.name}`, member.type, random, depth - 1);
  }
  if (depth > 0 && stripped.kind === 'array') {
    return pathOf(`${name}[${random.below(4)}]`, stripped.element, random, depth - 1);
  }
  const target = stripped.kind === 'pointer' ? stripType(stripped.target) : undefined;
  if (depth > 0 && target !== undefined && target.kind !== 'void' && random.below(3) > 0) {
    if (isStruct(target) && !target.incomplete) return pathOf(`(*${name})`, target, random, depth - 1);
    if (!isStruct(target) && target.kind !== 'function')
      return pathOf(`${name}[${random.below(3) - 1}]`, target, random, depth - 1);
  }
  return name;
}

function expression(variables: readonly { name: string; type: Type }[], random: Random, depth: number): string {
  const inner = (): string => expression(variables, random, depth - 1);
  if (depth === 0) {
    if (variables.length === 0 || random.below(4) === 0) return random.pick(constants);
    const { name, type } = random.pick(variables);
    return random.below(12) === 0 ? '$sp' : pathOf(name, type, random);
  }
  switch (random.below(9)) {
    case 0:
      return `${random.pick(['-', '~', '!'])}(${inner()})`;
    case 1:
      return `(${random.pick(casts)})(${inner()})`;
    case 2:
      return `(${inner()} ? ${inner()} : ${inner()})`;
    case 3:
      return inner();
    default:
      return `(${inner()} ${random.pick(binary)} ${inner()})`;
  }
}

for (const [file, atLeast] of files) {
  const name = file.split('/').slice(-1)[0];
  test(`${name}: conditions as closures give what the evaluator gives`, () => {
    const { loaded, machine, read } = staticProgram(readFileSync(file));
    const { debug } = loaded;
    assert.ok(debug);
    const random = new Random(20261128);
    const functions = debug.units.flatMap((unit) => debug.functionsOf(unit)).filter(({ ranges }) => ranges.length > 0);
    const globals = debug.units.flatMap((unit) => debug.globalsOf(unit)).filter(({ location }) => location);
    const registerCount = machine.registers.stackPointer === 13 ? 16 : 32;
    let [compiled, direct, settled, held] = [0, 0, 0, 0];
    for (let i = 0; i < 1500; i++) {
      const { start, end } = random.pick(random.pick(functions).ranges);
      const link = start + BigInt(2 * random.below(Math.max(1, Number(end - start) >> 1)));
      const pc = loaded.toLoad(link) ?? 0n;
      const now = new Moment(random, machine.addressSize === 8, registerCount, read);
      const registers = { get: now.get, savedAt: () => undefined };
      const frame = new Frame(loaded, pc, pc, registers, machine, undefined, 0, false);
      const scopes = frame.scopes();
      const scope = new FrameScope({ machine, modules: [loaded], frame: { frame, function: frame.function, scopes } });
      const locals = scopes.flatMap(({ variables }) => variables);
      const names = [...locals, ...locals, ...(globals.length > 0 ? [random.pick(globals), random.pick(globals)] : [])];
      const text = expression(names, random, random.below(4));
      const condition = compileOrNot(text, scope);
      if (condition === undefined) continue;
      compiled++;
      const holds = directCondition(condition, frame, now);
      if (holds === undefined) continue;
      direct++;
      for (let state = 0; state < 3; state++) {
        now.next();
        const here = frame.withRegisters(now);
        const expected = valueOrNot(() => runQuery(evaluateCondition(condition, { frame: here }), now.read));
        const given: boolean | undefined = holds();
        if (given === undefined) continue;
        settled++;
        held += Number(given);
        assert.equal(given, expected, `${text} at ${link.toString(16)}`);
      }
    }
    assert.ok(compiled > 800, `${compiled} expressions have a meaning`);
    assert.ok(direct > compiled * atLeast, `${direct} of ${compiled} become closures`);
    assert.ok(settled > direct && held > settled / 10 && held < settled * 0.9, `${held} of ${settled} hold`);
  });
}

function compileOrNot(text: string, scope: FrameScope): ReturnType<typeof compileCondition> | undefined {
  try {
    return compileCondition(text, scope);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function valueOrNot(value: () => boolean): boolean | undefined {
  try {
    return value();
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}
