/**
 * The base image as a whole: its table, Zephyr's functions on virtual time, the heap, printing, the fatal ends, faults
 * of wrong arguments, the call log. Expected values are Zephyr's documented behaviour and the C standard.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpus } from '../lib/arch';
import { encodeInteger } from '../lib/bytes';
import { baseExports, baseFunctions, exportAddress, findBaseExport } from '../lib/kernel/base-image';
import { parseSignature } from '../lib/kernel/c-signature';
import { flashImage } from '../lib/kernel/flash-image';
import { littleEndian } from '../lib/kernel/guest-memory';
import { implementations } from '../lib/kernel/implementations';
import * as map from '../lib/kernel/memory-map';
import { hostBench } from './support/host-bench';

const TEXT = 0x2000_8000;
const BUFFER = 0x2000_9000;

function put(bench: ReturnType<typeof hostBench>, address: number, text: string): number {
  bench.memory.memory.write(address, Buffer.from(text + '\0', 'latin1'));
  return address;
}

function textAt(bench: ReturnType<typeof hostBench>, address: number): string {
  return Buffer.from(bench.memory.string(address, 'text')).toString('latin1');
}

test('the export table: unique names, fixed slots in flash, prototypes that parse, implementations that exist', () => {
  const names = baseExports.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const entry of baseFunctions) {
    assert.equal(parseSignature(entry.signature).name, entry.name);
    assert.ok(entry.implementation in implementations, entry.name);
    assert.ok(entry.doc.length > 0);
    assert.ok(entry.address >= map.EXPORTS_BASE && entry.address + entry.size <= map.EXPORT_TABLE, entry.name);
    assert.equal(exportAddress(entry, 'arm') & 1, 1);
  }
  const used = new Set(baseFunctions.map(({ implementation }) => implementation));
  assert.deepEqual(
    Object.keys(implementations).filter((id) => !used.has(id)),
    [],
  );
  assert.equal(findBaseExport('printk')?.kind, 'function');
  assert.equal(findBaseExport('prinkt'), undefined);
});

test('the export table in flash is what EXPORT_SYMBOL makes: name and address of every entry', () => {
  const image = Buffer.from(flashImage(cpus[0]));
  baseExports.forEach((entry, i) => {
    const at = map.EXPORT_TABLE - map.FLASH_BASE + i * 8;
    const name = image.readUInt32LE(at) - map.FLASH_BASE;
    assert.equal(image.toString('latin1', name, image.indexOf(0, name)), entry.name);
    assert.equal(image.readUInt32LE(at + 4), exportAddress(entry, 'arm'));
  });
});

test('printk reads its arguments from registers, then the stack, doubles in aligned pairs', () => {
  const bench = hostBench();
  const format = put(bench, TEXT, '%d %s %.2f %lld %c\n');
  const word = put(bench, BUFFER, 'abc');
  // r0 format, r1 int, r2 text; the double does not fit r3: it goes to the stack, as do all that follow.
  const double = Buffer.alloc(8);
  double.writeDoubleLE(-2.5);
  const call = ['printk', format, -7, word, 0, double.readUInt32LE(0), double.readUInt32LE(4), 1, 2, 0x41] as const;
  assert.deepEqual(bench.call(...call), { kind: 'returned' });
  assert.deepEqual(bench.output, [{ text: '-7 abc -2.50 8589934593 A\n', stream: 'console', callerPc: 0x2001_0004n }]);
});

test('snprintf cuts, terminates and returns the whole length; with size 0 nothing is written', () => {
  const bench = hostBench();
  const format = put(bench, TEXT, 'value %05d');
  put(bench, BUFFER, 'untouched');
  assert.equal(bench.value('snprintf', BUFFER, 8, format, 42), 11);
  assert.equal(textAt(bench, BUFFER), 'value 0');
  assert.equal(textAt(bench, BUFFER + 8), 'd');
  put(bench, BUFFER, 'untouched');
  assert.equal(bench.value('snprintf', BUFFER, 0, format, 42), 11);
  assert.equal(textAt(bench, BUFFER), 'untouched');
  assert.equal(bench.value('sprintf', BUFFER, format, -3), 11);
  assert.equal(textAt(bench, BUFFER), 'value -0003');
});

test('vprintk walks a va_list', () => {
  const bench = hostBench();
  bench.memory.setU32(BUFFER, 5, 'list');
  bench.memory.memory.write(BUFFER + 8, littleEndian(-9n, 8));
  bench.value('vprintk', put(bench, TEXT, '%u %lld'), BUFFER);
  assert.equal(bench.output.length, 0);
  bench.flush();
  assert.equal(bench.output.at(0)?.text, '5 -9');
});

test('lines are gathered; another stream and a flush end them; a split UTF-8 character waits', () => {
  const bench = hostBench();
  for (const byte of Buffer.from('a\n\u00e9')) bench.value('putchar', byte);
  bench.value('fputc', 0x62, map.FILES + 32);
  bench.flush();
  bench.value('putchar', 0xc3);
  bench.flush();
  bench.value('putchar', 0xa9);
  bench.flush();
  assert.deepEqual(
    bench.output.map(({ text, stream }) => [text, stream]),
    [
      ['a\n', 'stdout'],
      ['\u00e9', 'stdout'],
      ['b', 'stderr'],
      ['\u00e9', 'stdout'],
    ],
  );
  assert.equal(bench.value('puts', put(bench, TEXT, 'line')), 0);
  assert.equal(bench.output.at(-1)?.text, 'line\n');
  assert.equal(bench.value('fwrite', TEXT, 2, 2, map.FILES + 16), 2);
});

test('a wrong pointer is a fault that names function, argument and address, and nothing happens', () => {
  const bench = hostBench();
  const format = put(bench, TEXT, 'before %s after');
  const end = bench.call('printk', format, 0x10);
  assert.ok(end.kind === 'refused');
  assert.deepEqual([end.fault.kind, end.fault.access, end.fault.address], ['unmapped', 'read', 0x10]);
  assert.equal(
    end.fault.message,
    'printk: the argument of %s points to 0x00000010, which cannot be read: nothing is mapped there',
  );
  assert.deepEqual(bench.output, []);

  put(bench, BUFFER, 'source');
  const copy = bench.call('memcpy', map.FLASH_BASE, BUFFER, 3);
  assert.ok(copy.kind === 'refused');
  assert.deepEqual([copy.fault.kind, copy.fault.access, copy.fault.address], ['forbidden', 'write', map.FLASH_BASE]);
  // The destination runs out of memory in its middle: the part that is there stays as it was.
  const last = bench.memory.memory.regions.at(-1);
  assert.ok(last !== undefined);
  const top = last.base + last.size;
  const over = bench.call('memset', top - 4, 0xff, 64);
  assert.ok(over.kind === 'refused');
  assert.equal(over.fault.address, top);
  assert.deepEqual([...bench.memory.memory.read(top - 4, 4)], [0, 0, 0, 0]);
  assert.equal(bench.call('strlen', 0).kind, 'refused');
  assert.equal(bench.call('memcpy', BUFFER, TEXT, 0xffff_ffff).kind, 'refused');
  assert.equal(bench.value('memcpy', 0, 0, 0), 0);
});

test("a fault's pc is the calling instruction: BL of four bytes, BLX of two; after a tail call the function", () => {
  const bench = hostBench();
  const strlen = findBaseExport('strlen')?.address ?? 0;
  const faultPc = (code: readonly number[], r3 = 0): number => {
    bench.memory.memory.write(0x2001_0000, Uint8Array.from(code));
    const end = bench.call('strlen', 0, 0, 0, r3);
    assert.ok(end.kind === 'refused');
    assert.equal(bench.state.read('pc'), strlen, 'the call can be made again');
    return end.fault.pc;
  };
  // NOP; BLX r3, with strlen in r3 and with something else.
  assert.equal(faultPc([0x00, 0xbf, 0x98, 0x47], strlen | 1), 0x2001_0002);
  assert.equal(faultPc([0x00, 0xbf, 0x98, 0x47], 0x2001_1001), strlen);
  // BL is out of reach of flash: what is called is another function of the extension.
  assert.equal(faultPc([0x00, 0xf0, 0x00, 0xf8]), strlen);
  assert.equal(faultPc([0x00, 0xbf, 0x00, 0xbf]), strlen);
});

test('virtual time: sleeping ends at a tick border and is never shorter than asked', () => {
  const bench = hostBench();
  const ticks = (): number => Number((BigInt(bench.value('k_uptime_ticks')) << 0n) & 0xffffffffn);
  assert.equal(ticks(), 0);
  assert.equal(bench.value('k_msleep', 10), 0);
  // 10 ms are 100 ticks of 100 us, and the tick under way does not count.
  assert.equal(ticks(), 101);
  assert.equal(bench.value('k_uptime_get_32'), 10);
  bench.value('k_busy_wait', 250);
  assert.equal(bench.value('k_cycle_get_32'), 101 * 2500 + 250 * 25);
  bench.value('k_usleep', 1);
  assert.equal(ticks(), 105);
  assert.equal(bench.value('k_sleep', 9, 0), 0);
  assert.equal(ticks(), 115);
  assert.equal(bench.value('k_sleep', 0, 0), 0);
  assert.equal(ticks(), 115);
  // Absolute timeouts: K_TIMEOUT_ABS_TICKS(200) is -2 - 200.
  bench.value('z_impl_k_sleep', -202, -1);
  assert.equal(ticks(), 200);
  assert.equal(bench.value('k_msleep', -5), 0);
  assert.equal(ticks(), 200);
  const forever = bench.call('k_sleep', -1, -1);
  assert.ok(forever.kind === 'aborted' && forever.message.includes('sleep forever'));
  assert.equal(bench.value('sys_clock_hw_cycles_per_sec_runtime_get'), 25_000_000);
});

test('k_uptime_delta and errno are in guest memory', () => {
  const bench = hostBench();
  bench.value('k_msleep', 3);
  bench.memory.memory.write(BUFFER, littleEndian(1n, 8));
  assert.equal(bench.value('k_uptime_delta', BUFFER), 2);
  assert.equal(bench.memory.u32(BUFFER, 'reftime'), 3);
  assert.equal(bench.value('__errno'), map.ERRNO);
  assert.equal(bench.value('strtol', put(bench, TEXT, '99999999999'), 0, 10), 0x7fff_ffff);
  assert.equal(bench.memory.u32(map.ERRNO, 'errno'), 34);
  assert.equal(bench.value('strtoul', put(bench, TEXT, '-2 rest'), BUFFER, 0), 0xffff_fffe);
  assert.equal(bench.memory.u32(BUFFER, 'endptr'), TEXT + 2);
});

test('k_malloc: distinct aligned blocks, cleared by k_calloc, kept by k_realloc, refused when freed twice', () => {
  const bench = hostBench();
  const a = bench.value('k_malloc', 10);
  const b = bench.value('k_malloc', 100);
  assert.ok(a !== 0 && b !== 0 && a % 8 === 0 && b % 8 === 0 && Math.abs(b - a) >= 10);
  put(bench, a, 'contents');
  const moved = bench.value('k_realloc', a, 200);
  assert.equal(textAt(bench, moved), 'contents');
  bench.value('k_free', b);
  const again = bench.call('k_free', b);
  assert.ok(again.kind === 'refused');
  assert.equal(again.fault.kind, 'unhandled-exception');
  assert.match(again.fault.message, /^k_free: 0x[0-9a-f]{8} is not a live block of k_malloc/);
  assert.equal(bench.call('k_free', TEXT).kind, 'refused');
  assert.equal(bench.call('k_free', 0).kind, 'returned');
  const aligned = bench.value('k_aligned_alloc', 64, 20);
  assert.equal(aligned % 64, 0);
  bench.memory.memory.write(aligned, new Uint8Array(20).fill(0xee));
  bench.value('k_free', aligned);
  const cleared = bench.value('k_calloc', 25, 4);
  assert.deepEqual([...bench.memory.memory.read(cleared, 100)], new Array(100).fill(0));
  assert.equal(bench.value('k_malloc', 1 << 30), 0);
  assert.equal(bench.value('k_calloc', 0x10000, 0x10000), 0);
  assert.equal(bench.call('k_aligned_alloc', 48, 4).kind, 'refused');
  const plain = bench.value('malloc', 33);
  bench.value('free', plain);
  assert.equal(bench.call('free', plain).kind, 'refused');
});

test('the fatal ends stop the program with their reason', () => {
  const bench = hostBench();
  const file = put(bench, TEXT, 'ext.c');
  const expression = put(bench, BUFFER, 'x > 0');
  const ends: [string, number[], string][] = [
    ['k_panic', [], 'fatal error 4: K_ERR_KERNEL_PANIC'],
    ['k_oops', [], 'fatal error 3: K_ERR_KERNEL_OOPS'],
    ['z_fatal_error', [2, 0], 'fatal error 2: K_ERR_STACK_CHK_FAIL'],
    ['abort', [], 'abort() was called'],
    ['exit', [3], 'exit(3) was called'],
    ['assert_post_action', [file, 12], 'ASSERTION FAIL at ext.c:12'],
    ['__assert_func', [file, 7, 0, expression], 'assertion "x > 0" failed: file "ext.c", line 7, function: '],
    ['__stack_chk_fail', [], 'stack smashing detected: the canary of a function was overwritten'],
  ];
  for (const [name, words, message] of ends) {
    assert.deepEqual(bench.call(name, ...words), { kind: 'aborted', message }, name);
  }
});

test('memory helpers of the run-time ABI: memset swaps its arguments, uread and uwrite are unaligned', () => {
  const bench = hostBench();
  bench.value('__aeabi_memset8', BUFFER, 6, 0x1a5);
  assert.deepEqual([...bench.memory.memory.read(BUFFER, 8)], [0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0, 0]);
  bench.value('__aeabi_memclr', BUFFER + 1, 2);
  bench.value('__aeabi_memcpy4', BUFFER + 8, BUFFER, 4);
  assert.deepEqual([...bench.memory.memory.read(BUFFER + 8, 4)], [0xa5, 0, 0, 0xa5]);
  bench.value('__aeabi_memmove', BUFFER + 1, BUFFER, 6);
  assert.deepEqual([...bench.memory.memory.read(BUFFER, 7)], [0xa5, 0xa5, 0, 0, 0xa5, 0xa5, 0xa5]);
  assert.equal(bench.value('__aeabi_uwrite4', 0x11223344, BUFFER + 1), 0x11223344);
  assert.equal(bench.value('__aeabi_uread4', BUFFER + 1), 0x11223344);
  bench.value('__aeabi_uwrite8', 1, 2, BUFFER + 3);
  assert.equal(bench.value('__aeabi_uread8', BUFFER + 3), 1);
  assert.equal(bench.state.r[1], 2);
});

test('the switch helpers of Armv6-M jump by the table behind the call and keep every register', () => {
  const bench = hostBench();
  // The bench returns to 0x20010004: the table is there.
  const table = 0x2001_0004;
  const jump = (name: string, bytes: readonly number[], index: number): number => {
    bench.memory.memory.write(table, Uint8Array.from(bytes));
    bench.call(name, index, 1, 2, 3);
    assert.deepEqual([...bench.state.r.subarray(0, 4)], [index, 1, 2, 3]);
    return bench.state.read('pc');
  };
  assert.equal(jump('__gnu_thumb1_case_uqi', [2, 0x90], 1), table + 0x90 * 2);
  assert.equal(jump('__gnu_thumb1_case_sqi', [2, 0xff], 1), table - 2);
  assert.equal(jump('__gnu_thumb1_case_uhi', [0, 0, 0x00, 0x90], 1), table + 0x9000 * 2);
  assert.equal(jump('__gnu_thumb1_case_shi', [0, 0, 0xfe, 0xff], 1), table - 4);
  assert.equal(jump('__gnu_thumb1_case_si', [0, 0, 0, 0, 0x20, 0, 0, 0], 1), table + 0x20);
});

test('calls are logged with arguments, result and time; the log is bounded', () => {
  const bench = hostBench();
  bench.value('abs', -4);
  bench.value('k_msleep', 1);
  assert.deepEqual(bench.calls.log, [
    { name: 'abs', arguments: [-4], result: 4, returnAddress: 0x2001_0004, instructionCount: 0, begin: 0, end: 0 },
    {
      name: 'k_msleep',
      arguments: [1],
      result: 0,
      returnAddress: 0x2001_0004,
      instructionCount: 0,
      begin: 0,
      end: 1_100_000,
    },
  ]);
  for (let i = 0; i < 2000; i++) bench.value('abs', i);
  assert.equal(bench.calls.log.length, 1000);
  assert.deepEqual(bench.calls.log.at(-1)?.arguments, [1999]);
});

test('strtok_r writes a whole pointer', () => {
  for (const longSize of [4, 8] as const) {
    const bench = hostBench(true, longSize);
    put(bench, TEXT, 'one,two');
    const separators = put(bench, BUFFER, ',');
    bench.memory.write(BUFFER + 64, new Uint8Array(12).fill(0xee), 'test');
    bench.value('strtok_r', TEXT, separators, BUFFER + 64);
    const written = bench.memory.bytes(BUFFER + 64, 12, 'test');
    const pointer = encodeInteger(BigInt(TEXT + 4), longSize, true);
    assert.deepEqual([...written], [...pointer, ...new Array<number>(12 - longSize).fill(0xee)]);
  }
});

test('strtok_r keeps its position in guest memory', () => {
  const bench = hostBench();
  put(bench, TEXT, ' one,two ,');
  const separators = put(bench, BUFFER, ' ,');
  const tokens: string[] = [];
  for (let at = bench.value('strtok_r', TEXT, separators, BUFFER + 64); at !== 0;) {
    tokens.push(textAt(bench, at));
    at = bench.value('strtok_r', 0, separators, BUFFER + 64);
  }
  assert.deepEqual(tokens, ['one', 'two']);
  assert.equal(bench.value('strlcpy', BUFFER, put(bench, TEXT, 'truncated'), 5), 9);
  assert.equal(textAt(bench, BUFFER), 'trun');
  assert.equal(bench.value('strlcat', BUFFER, TEXT, 8), 13);
  assert.equal(textAt(bench, BUFFER), 'truntru');
});
