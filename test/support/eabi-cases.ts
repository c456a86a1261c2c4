/**
 * The run-time helpers of Arm's ABI as libgcc has them: seeded register inputs, and libgcc itself as the reference,
 * linked into a small program that runs on qemu-system-arm and prints r0-r3 and the flags after each call.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseFunctions } from '../../lib/kernel/base-image';
import { parseSignature, type Signature } from '../../lib/kernel/c-signature';
import { eabiExports } from '../../lib/kernel/exports-eabi';
import { randomSource } from './printf-cases';
import { runTool } from './tools';

export interface HelperCase {
  readonly name: string;
  /** r0-r3 before the call. */
  readonly inputs: readonly (readonly number[])[];
}

/** r0-r3 and xPSR after the call. */
export type HelperResult = readonly number[];

const ints = [
  0,
  1,
  -1,
  2,
  7,
  10,
  255,
  31,
  32,
  33,
  63,
  64,
  65,
  0x7fffffff,
  -0x80000000,
  0x55555555,
  0x12345678,
  1 << 24,
];
const floats = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x40490fdb, 0x7f800000, 0xff800000, 0x7fc00000,
  0x00000001, 0x007fffff, 0x7f7fffff, 0x4effffff, 0x4f000000, 0xcf000000, 0x4f7fffff, 0x4f800000, 0x5effffff,
  0x5f000000, 0xdf000001, 0x5f7fffff, 0x5f800000, 0xdf800000, 0x33800000, 0x4b800001, 0x3effffff, 0xbf7fffff,
];
const doubles = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x3fe0000000000000n,
  0x400921fb54442d18n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0x0000000000000001n,
  0x7fefffffffffffffn,
  0x41dfffffffc00000n,
  0x41e0000000000000n,
  0xc1e0000000000000n,
  0xc1e0000000200000n,
  0x41efffffffe00000n,
  0x41f0000000000000n,
  0x43dfffffffffffffn,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0x43f0000000000000n,
  0xc3f0000000000000n,
  0x3ca0000000000000n,
  0x47efffffe0000000n,
  0x47effffff0000000n,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x36a8000000000000n,
  0x3810000000000001n,
  0xbfefffffffffffffn,
];

type Random = (below: number) => number;

function word(random: Random, values: readonly number[]): number {
  const kind = random(3);
  if (kind > 0) return values[random(values.length)] | 0;
  return (random(0x10000) * 0x10000 + random(0x10000)) | 0;
}

function pair(random: Random, values: readonly bigint[]): number[] {
  const value = values[random(values.length)];
  return random(3) > 0
    ? [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]
    : [word(random, ints), word(random, ints)];
}

const longs = [
  0n,
  1n,
  -1n,
  2n,
  10n,
  0x7fffffffffffffffn,
  -0x8000000000000000n,
  1n << 32n,
  (1n << 32n) - 1n,
  -(1n << 32n),
  1n << 53n,
];
const ties = [
  (1n << 53n) + 1n,
  (1n << 54n) + 2n,
  0x7fffff4000000001n,
  0x7fffffbfffffffffn,
  0x8000008000000000n,
  0x0100000100000001n,
];

/** Arguments in registers; every helper's fit into r0-r3. */
function registersFor(signature: Signature, random: Random): number[] {
  const r: number[] = [];
  for (const { valueClass } of signature.parameters) {
    const wide = valueClass === 'f64' || valueClass === 'i64' || valueClass === 'u64';
    if (wide && r.length % 2 === 1) r.push(0);
    if (valueClass === 'f64') r.push(...pair(random, doubles));
    else if (wide) r.push(...pair(random, [...longs, ...ties]));
    else r.push(word(random, valueClass === 'f32' ? floats : ints));
  }
  while (r.length < 4) r.push(word(random, ints));
  return r;
}

/** Inputs for which C leaves the result open are changed: shifts beyond 63, ctz of 0, __divdi3 and its kin by 0. */
function defined(name: string, r: number[]): number[] {
  if (/ls[lr]$|lasr$|sh[lr]di3$/.test(name)) r[2] &= 63;
  if (/(div|mod)di3$/.test(name) && (r[2] | r[3]) === 0) r[2] = 3;
  if (/ctz/.test(name)) r[0] |= 0x100;
  return r;
}

/** Every helper that takes and gives values in registers only. */
export const valueHelpers = eabiExports.filter(
  ({ signature, name }) => !signature.includes('*') && !/thumb1|idiv0|ldiv0|unwind/.test(name),
);

export function helperCases(seed: number, perHelper: number): HelperCase[] {
  const random = randomSource(seed);
  return valueHelpers.map(({ name, signature }) => {
    const parsed = parseSignature(signature);
    const inputs = Array.from({ length: perHelper }, () => defined(name, registersFor(parsed, random)));
    return { name, inputs };
  });
}

/** Which of r0-r3 the helper defines; the comparison helpers of 5.1.2 define the flags Z and C instead. */
export function definedResult(name: string): 'r0' | 'r0r1' | 'r0-r3' | 'flags' {
  if (/^__aeabi_c[fd]r?cmp/.test(name)) return 'flags';
  if (name === '__aeabi_ldivmod' || name === '__aeabi_uldivmod') return 'r0-r3';
  if (name === '__aeabi_idivmod' || name === '__aeabi_uidivmod') return 'r0r1';
  const entry = baseFunctions.find((candidate) => candidate.name === name);
  const returns = parseSignature(entry?.signature ?? 'int f(void)').returns;
  return returns === 'f64' || returns === 'i64' || returns === 'u64' ? 'r0r1' : 'r0';
}

const runner = `
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word 0x20080000, reset + 1
    .text
    .thumb_func
    .global reset
reset:
    ldr r0, =main
    blx r0
    movs r0, #0x18
    ldr r1, =0x20026
    bkpt 0xab
    .thumb_func
    .global invoke
    @ invoke(function, registers in, registers out)
invoke:
    push {r4-r7, lr}
    mov r6, r2
    mov r12, r0
    mov r7, r1
    ldr r0, [r7]
    ldr r1, [r7, #4]
    ldr r2, [r7, #8]
    ldr r3, [r7, #12]
    blx r12
    str r0, [r6]
    mrs r0, apsr
    str r1, [r6, #4]
    str r2, [r6, #8]
    str r3, [r6, #12]
    str r0, [r6, #16]
    pop {r4-r7, pc}
    .thumb_func
    .global put
put:
    mov r1, r0
    movs r0, #4
    bkpt 0xab
    bx lr
`;

const program = `
extern void invoke(void *f, const unsigned *in, unsigned *out);
extern void put(const char *text);
extern const struct { void *f; unsigned count; const unsigned (*in)[4]; } table[];
int main(void)
{
	for (unsigned i = 0; table[i].f; i++)
		for (unsigned k = 0; k < table[i].count; k++) {
			unsigned out[5];
			char line[48], *p = line;

			invoke(table[i].f, table[i].in[k], out);
			for (int w = 0; w < 5; w++)
				for (int s = 28; s >= 0; s -= 4)
					*p++ = "0123456789abcdef"[out[w] >> s & 15];
			*p++ = 10;
			*p = 0;
			put(line);
		}
	return 0;
}
`;

function tableSource(cases: readonly HelperCase[]): string {
  const declarations = cases.map(({ name }) => `extern char ${name}[];`);
  const arrays = cases.map(({ inputs }, i) => {
    const rows = inputs.map((r) => `{${r.map((value) => `0x${(value >>> 0).toString(16)}u`).join(',')}}`);
    return `static const unsigned in${i}[][4] = {${rows.join(',')}};`;
  });
  const entries = cases.map(({ name, inputs }, i) => `{${name}, ${inputs.length}, in${i}},`);
  const head = 'const struct { void *f; unsigned count; const unsigned (*in)[4]; } table[] = {';
  return [...declarations, ...arrays, head, ...entries, '{0}};\n'].join('\n');
}

const script = `SECTIONS { . = 0; .text : { *(.vectors) *(.text*) *(.rodata*) } . = 0x20000000; .data : { *(.data*) *(.bss*) } }`;

/** Which helpers libgcc of this CPU has. */
export function libgccHelpers(gcc: string, nm: string, cpu: string): Set<string> {
  const path = runTool(gcc, [`-mcpu=${cpu}`, '-mthumb', '-print-libgcc-file-name']).trim();
  return new Set(
    runTool(nm, ['-A', '--defined-only', path])
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? ''),
  );
}

/** What libgcc does: a result for each input, in order. */
export function libgccResults(
  gcc: string,
  qemu: string,
  cpu: string,
  cases: readonly HelperCase[],
): Map<string, HelperResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'eabi-'));
  try {
    const files: Record<string, string> = {
      'start.S': runner,
      'main.c': program,
      'table.c': tableSource(cases),
      'link.ld': script,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const flags = [
      `-mcpu=${cpu}`,
      '-mthumb',
      '-O1',
      '-w',
      '-nostdlib',
      '-ffreestanding',
      '-T',
      'link.ld',
      '-o',
      'eabi.elf',
    ];
    runTool(gcc, [...flags, 'start.S', 'main.c', 'table.c', '-lgcc'], { cwd: folder });
    const machine = ['-M', 'mps2-an385', '-nographic', '-monitor', 'none', '-serial', 'none'];
    const semihosting = ['-semihosting-config', 'enable=on,target=native', '-kernel', 'eabi.elf'];
    const text = runTool('sh', ['-c', `exec "$0" "$@" 2>&1`, qemu, ...machine, ...semihosting], {
      cwd: folder,
      timeout: 60_000,
    });
    const lines = text.split('\n').filter((line) => /^[0-9a-f]{40}$/.test(line));
    let at = 0;
    return new Map(
      cases.map(({ name, inputs }) => {
        const results = lines.slice(at, (at += inputs.length)).map((line) => {
          return Array.from({ length: 5 }, (_, w) => parseInt(line.slice(w * 8, w * 8 + 8), 16) >>> 0);
        });
        return [name, results];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
