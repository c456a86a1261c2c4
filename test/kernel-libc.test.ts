/**
 * The C library functions of the base image against the C library of this machine: seeded arguments, the same bytes
 * in guest memory and in a native buffer; results (pointers as offsets) and the buffers afterwards have to be equal.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import koffi from 'koffi';
import { hostBench } from './support/host-bench';
import { randomSource } from './support/printf-cases';
import { requireTool } from './support/tools';

const bench = hostBench();
/** Two buffers of guest memory: destination and source. */
const SIZE = 96;
const A = 0x2000_8000;
const B = 0x2000_9000;
const END = 0x2000_a000;

type Random = (below: number) => number;
type Kind = 'a' | 'b' | 'length' | 'char' | 'base' | 'end' | 'int';

/** Result: a pointer (into a or b, by offset), a number, its sign, or nothing. */
type Result = 'pointer' | 'number' | 'sign' | 'truth' | 'i64' | 'void';

interface Subject {
  readonly name: string;
  readonly parameters: readonly Kind[];
  readonly result: Result;
}

const subject = (name: string, parameters: string, result: Result): Subject => ({
  name,
  parameters: parameters.split(' ') as Kind[],
  result,
});

const subjects: readonly Subject[] = [
  subject('memcpy', 'a b length', 'pointer'),
  subject('memmove', 'a b length', 'pointer'),
  subject('memset', 'a char length', 'pointer'),
  subject('memcmp', 'a b length', 'sign'),
  subject('memchr', 'a char length', 'pointer'),
  subject('memrchr', 'a char length', 'pointer'),
  subject('mempcpy', 'a b length', 'pointer'),
  subject('bzero', 'a length', 'void'),
  subject('strlen', 'a', 'number'),
  subject('strnlen', 'a length', 'number'),
  subject('strcpy', 'a b', 'pointer'),
  subject('stpcpy', 'a b', 'pointer'),
  subject('strncpy', 'a b length', 'pointer'),
  subject('strcat', 'a b', 'pointer'),
  subject('strncat', 'a b length', 'pointer'),
  subject('strcmp', 'a b', 'sign'),
  subject('strncmp', 'a b length', 'sign'),
  subject('strcasecmp', 'a b', 'sign'),
  subject('strncasecmp', 'a b length', 'sign'),
  subject('strchr', 'a char', 'pointer'),
  subject('strrchr', 'a char', 'pointer'),
  subject('strstr', 'a b', 'pointer'),
  subject('strspn', 'a b', 'number'),
  subject('strcspn', 'a b', 'number'),
  subject('strpbrk', 'a b', 'pointer'),
  subject('atoi', 'a', 'number'),
  subject('strtoll', 'a end base', 'i64'),
  subject('strtoull', 'a end base', 'i64'),
  subject('abs', 'int', 'number'),
  ...'isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit'
    .split(' ')
    .map((name) => subject(name, 'char', 'truth')),
  subject('tolower', 'char', 'number'),
  subject('toupper', 'char', 'number'),
];

const alphabet = 'abABc 1290xX-+\t\xe9';

function text(random: Random, number: boolean): Buffer {
  const buffer = Buffer.alloc(SIZE, 0x55);
  const numbers = [
    '42',
    ' -17x',
    '0x1F',
    '0x',
    '0777',
    '+9',
    '-0',
    '',
    'zz',
    '99999999999999999999',
    '-9223372036854775808',
    '\t 7fG',
  ];
  const content = number
    ? numbers[random(numbers.length)]
    : Array.from({ length: random(24) }, () => alphabet[random(alphabet.length)]).join('');
  buffer.write(content + '\0', 'latin1');
  return buffer;
}

interface Native {
  (...args: unknown[]): unknown;
}

function nativeFunction(library: koffi.IKoffiLib, { name, parameters, result }: Subject): Native {
  const types: Record<Kind, string> = {
    a: 'void *',
    b: 'void *',
    length: 'size_t',
    char: 'int',
    base: 'int',
    end: 'void *',
    int: 'int',
  };
  const results: Record<Result, string> = {
    pointer: 'intptr_t',
    number: 'int',
    sign: 'int',
    truth: 'int',
    i64: 'int64_t',
    void: 'void',
  };
  return library.func(
    name,
    results[result],
    parameters.map((kind) => types[kind]),
  ) as unknown as Native;
}

interface Outcome {
  readonly result: string;
  readonly a: string;
  readonly b: string;
}

const pointerText = (address: bigint, a: bigint, b: bigint): string => {
  if (address === 0n) return 'NULL';
  if (address >= a && address <= a + BigInt(SIZE)) return `a+${address - a}`;
  return address >= b && address <= b + BigInt(SIZE) ? `b+${address - b}` : `elsewhere`;
};

function resultText(kind: Result, value: bigint, a: bigint, b: bigint): string {
  if (kind === 'pointer') return pointerText(value, a, b);
  if (kind === 'sign') return String(value > 0n ? 1 : value < 0n ? -1 : 0);
  if (kind === 'truth') return String(value !== 0n);
  return kind === 'void' ? '' : value.toString();
}

function runNative(
  native: Native,
  { parameters, result }: Subject,
  values: readonly number[],
  a: Buffer,
  b: Buffer,
): Outcome {
  const end = Buffer.alloc(8);
  const native_values = parameters.map((kind, i) =>
    kind === 'a' ? a : kind === 'b' ? b : kind === 'end' ? end : values[i],
  );
  const value = BigInt((native(...native_values) as number | bigint | undefined) ?? 0);
  const [aAddress, bAddress] = [koffi.address(a), koffi.address(b)];
  const endText = parameters.includes('end') ? ` end ${pointerText(end.readBigUInt64LE(), aAddress, bAddress)}` : '';
  return {
    result: resultText(result, value, aAddress, bAddress) + endText,
    a: a.toString('hex'),
    b: b.toString('hex'),
  };
}

function runOurs({ name, parameters, result }: Subject, values: readonly number[], a: Buffer, b: Buffer): Outcome {
  const { memory, state } = bench;
  memory.memory.write(A, a);
  memory.memory.write(B, b);
  const words = parameters.map((kind, i) => (kind === 'a' ? A : kind === 'b' ? B : kind === 'end' ? END : values[i]));
  bench.value(name, ...words);
  const low = result === 'pointer' ? BigInt(state.r[0] >>> 0) : BigInt(state.r[0]);
  const value = result === 'i64' ? (BigInt(state.r[1]) << 32n) | BigInt(state.r[0] >>> 0) : low;
  const endText = parameters.includes('end')
    ? ` end ${pointerText(BigInt(memory.u32(END, 'end')), BigInt(A), BigInt(B))}`
    : '';
  const hex = (address: number): string => Buffer.from(memory.memory.read(address, SIZE)).toString('hex');
  return { result: resultText(result, value, BigInt(A), BigInt(B)) + endText, a: hex(A), b: hex(B) };
}

function randomValue(kind: Kind, random: Random): number {
  if (kind === 'length') return random(30);
  if (kind === 'char') return random(4) === 0 ? random(256) : alphabet.charCodeAt(random(alphabet.length));
  if (kind === 'base') return [0, 2, 8, 10, 16, 36][random(6)];
  return kind === 'int' ? (random(65536) << 16) | random(65536) : 0;
}

function compareWithLibc(t: TestContext, entry: Subject, library: koffi.IKoffiLib): void {
  const random = randomSource(99 + entry.name.length);
  const native = nativeFunction(library, entry);
  for (let round = 0; round < 200; round++) {
    const numeric = entry.parameters.includes('base') || entry.name === 'atoi';
    const a = text(random, numeric);
    const b = random(3) === 0 ? Buffer.from(a) : text(random, false);
    const values = entry.parameters.map((kind) => randomValue(kind, random));
    const ours = runOurs(entry, values, a, b);
    const before = `${entry.name}(${entry.parameters.map((kind, i) => (kind === 'a' ? JSON.stringify(a.toString('latin1', 0, a.indexOf(0))) : kind === 'b' ? JSON.stringify(b.toString('latin1', 0, b.indexOf(0))) : values[i])).join(', ')})`;
    // atoi beyond int is undefined in C.
    if (entry.name === 'atoi' && a.indexOf(0) > 10) continue;
    assert.deepEqual(ours, runNative(native, entry, values, Buffer.from(a), Buffer.from(b)), before);
  }
  t.diagnostic(`${entry.name}: 200 cases`);
}

for (const entry of subjects) {
  test(`${entry.name} does what the native C library does`, (t) => {
    const path = requireTool(t, 'libc.so.6');
    if (path === undefined) return;
    compareWithLibc(t, entry, koffi.load(path));
  });
}
