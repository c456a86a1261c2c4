/**
 * The emulated target on the committed examples and on small pieces of machine code: running, breakpoints with
 * conditions, steps, pause, faults, load errors, init functions, unload and reset.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { decodeText } from '../lib/bytes';
import { CALL_FN_RETURN, LLEXT_HEAP_BASE, STACK_BASE, STACK_TOP } from '../lib/kernel/memory-map';
import type { LlextEvent } from '../lib/llext/types';
import { EmulatedTarget, type EmulatedTargetOptions } from '../lib/target/emulated-target';
import type { LoadedExtension } from '../lib/target/load';
import { editDistance } from '../lib/check/nearest-names';
import type { TargetStop } from '../lib/target/target';

const example = (file: string): Uint8Array => readFileSync(join(import.meta.dirname, '..', 'examples', file));

interface Bench {
  readonly target: EmulatedTarget;
  readonly output: string[];
  readonly events: LlextEvent[];
}

function bench(
  options: EmulatedTargetOptions = {},
  onEvent?: (event: LlextEvent, target: EmulatedTarget) => void,
): Bench {
  const output: string[] = [];
  const events: LlextEvent[] = [];
  const target = EmulatedTarget.create({
    ...options,
    listener: {
      output: ({ text }) => output.push(text),
      llext: (event) => {
        events.push(event);
        onEvent?.(event, target);
      },
    },
  });
  return { target, output, events };
}

function load(target: EmulatedTarget, file: string, name = file.replace(/^.*\/|\.llext$/g, '')): LoadedExtension {
  const outcome = target.loadExtension({ name, bytes: example(file) });
  assert.ok(outcome.loaded, outcome.loaded ? '' : outcome.message);
  return outcome;
}

function exported({ extension }: LoadedExtension, name: string): bigint {
  const symbol = extension.expTab.symbols.find((entry) => entry.name === name);
  assert.ok(symbol !== undefined, name);
  return symbol.address;
}

/** A target that is about to run these halfwords, without a loader. */
function withCode(...halfwords: number[]): Bench {
  const made = bench();
  const code = new Uint8Array(new Uint16Array(halfwords).buffer);
  made.target.machine.memory.write(CODE, code);
  made.target.prepareCall(BigInt(CODE));
  return made;
}

/** Somewhere in the llext heap. */
const CODE = LLEXT_HEAP_BASE + 0x8000;
const goOn = { kind: 'continue' } as const;
const stepOne = { kind: 'step-instruction' } as const;

test('an extension runs from load to its return value, and prints', async () => {
  const { target, output } = bench();
  const hello = load(target, 'hello/hello.llext');
  target.prepareCall(exported(hello, 'entry'));
  assert.deepEqual(await target.resume(goOn), { reason: 'exited', returnValue: 6n });
  assert.deepEqual(
    output.map((text) => text.trimEnd()),
    ['Hello Ada, you are number 1', 'Hello Grace, you are number 2', 'Hello Edsger, you are number 3', '3 greetings'],
  );
  assert.deepEqual(
    target.hostCalls.map(({ name }) => name),
    ['printk', 'printk', 'printk', 'printk'],
  );
  assert.equal((await target.resume(goOn)).reason, 'aborted');
});

test('output events carry the return address of the call, inside of the extension', async () => {
  const places: (string | undefined)[] = [];
  const target = EmulatedTarget.create({
    listener: { output: ({ callerPc }) => places.push(target.describeAddress(callerPc - 1n)) },
  });
  target.prepareCall(exported(load(target, 'hello/hello_ext_debug.elf', 'hello'), 'entry'));
  await target.resume(goOn);
  assert.match(places[0] ?? '', /^greet\+0x[0-9a-f]+ in \.text of hello$/);
  assert.match(places[3] ?? '', /^entry\+0x[0-9a-f]+ in \.text of hello$/);
});

test('a breakpoint set from inside of the loader is hit, before the first instruction of the extension', async () => {
  const ids: number[] = [];
  let textAddress = 0n;
  const { target } = bench({}, (event, emulated) => {
    if (event.kind !== 'section-placed' || event.name !== '.text') return;
    textAddress = event.address;
    for (let offset = 0n; offset < event.size; offset += 2n) {
      ids.push(emulated.addBreakpoint({ address: event.address + offset }));
    }
  });
  const entry = exported(load(target, 'hello/hello.llext'), 'entry');
  target.prepareCall(entry);
  const stop = await target.resume(goOn);
  assert.equal(await target.readRegister('pc'), entry & ~1n);
  assert.equal(target.machine.instructionCount, 0);
  assert.deepEqual(stop, { reason: 'breakpoint', ids: [ids[Number((entry & ~1n) - textAddress) / 2]] });
  // Resuming from there does not stop there again.
  await target.resume(goOn);
  assert.equal(target.machine.instructionCount, 1);
});

test('conditions see registers and memory at each arrival; several breakpoints share an address', async () => {
  const { target } = bench();
  const hello = load(target, 'hello/hello_ext_debug.elf');
  target.prepareCall(exported(hello, 'entry'));
  // printk's slot is called with the format in r0: a breakpoint on host functions works as well, but greet is code.
  const printkCall = await firstStopAt(target, 'greet');
  const seen: bigint[] = [];
  const name: string[] = [];
  const counting = target.addBreakpoint({
    address: printkCall,
    condition: ({ registers, read }) => {
      seen.push(registers.get(1) ?? -1n);
      const bytes = read({ address: registers.get(0) ?? 0n, length: 3 });
      name.push(decodeText(bytes ?? new Uint8Array()));
      return registers.get(1) === 3n;
    },
  });
  const always = target.addBreakpoint({ address: printkCall, condition: ({ registers }) => registers.get(1) === 3n });
  assert.deepEqual(await target.resume(goOn), { reason: 'breakpoint', ids: [counting, always] });
  assert.deepEqual(seen, [2n, 3n]);
  assert.deepEqual(name, ['Gra', 'Eds']);
  assert.equal(target.view.read({ address: 0n, length: 1 }), undefined);
  target.removeBreakpoint(counting);
  await target.clearBreakpoint(always);
  target.removeBreakpoint(4711);
  assert.equal((await target.resume(goOn)).reason, 'exited');
});

/** Runs to the first arrival at a function and removes that breakpoint again; its address. */
async function firstStopAt(target: EmulatedTarget, name: string): Promise<bigint> {
  const { elf, extension } = target.loadedExtensions[0];
  const symbol = elf.symbols().find((entry) => entry.name === name);
  const section = extension.sections.find(({ index }) => index === symbol?.st_shndx);
  assert.ok(symbol !== undefined && section !== undefined);
  const address = section.address + (symbol.st_value & ~1n);
  const id = await target.setBreakpoint({ address });
  assert.deepEqual(await target.resume(goOn), { reason: 'breakpoint', ids: [id] });
  await target.clearBreakpoint(id);
  return address;
}

test('step-instruction is exactly one instruction; a host call is one step; the last one exits', async () => {
  const { target, output } = bench();
  target.prepareCall(exported(load(target, 'hello/hello.llext'), 'entry'));
  let hostSteps = 0;
  let stop: TargetStop = { reason: 'step' };
  for (let steps = 0; stop.reason === 'step' && steps < 10_000; steps++) {
    const before = target.machine.instructionCount;
    const host = target.hostSymbol(await target.readRegister('pc'));
    const lr = await target.readRegister('lr');
    stop = await target.resume(stepOne);
    assert.equal(target.machine.instructionCount, before + (host === undefined ? 1 : 0));
    if (host === undefined) continue;
    hostSteps++;
    assert.deepEqual(host, { name: 'printk', offset: 0 });
    assert.equal(await target.readRegister('pc'), lr & ~1n);
  }
  assert.deepEqual(stop, { reason: 'exited', returnValue: 6n });
  assert.equal(hostSteps, 4);
  assert.equal(output.length, 4);
});

test('step-range runs inside of the ranges and stops at the first pc outside, or at a breakpoint', async () => {
  // MOVS r0,#5; loop: SUBS r0,#1; BNE loop; MOVS r0,#9; BX LR
  const { target } = withCode(0x2005, 0x3801, 0xd1fd, 0x2009, 0x4770);
  const at = (index: number): bigint => BigInt(CODE + index * 2);
  const range = (from: number, to: number) =>
    ({ kind: 'step-range', ranges: [{ start: at(from), end: at(to) }] }) as const;
  assert.deepEqual(await target.resume(range(0, 3)), { reason: 'step' });
  assert.equal(await target.readRegister('pc'), at(3));
  assert.equal(target.machine.instructionCount, 11);

  target.prepareCall(at(0));
  let arrivals = 0;
  const id = target.addBreakpoint({ address: at(1), condition: () => ++arrivals === 2 });
  assert.deepEqual(await target.resume(range(0, 3)), { reason: 'breakpoint', ids: [id] });
  assert.equal(await target.readRegister('r0'), 4n);
  // The breakpoint at the start of the step is not hit again; the next arrival asks its condition.
  assert.deepEqual(await target.resume(range(0, 3)), { reason: 'step' });
  assert.equal(arrivals, 5);
  assert.deepEqual(await target.resume(stepOne), { reason: 'step' });
  assert.deepEqual(await target.resume(stepOne), { reason: 'exited', returnValue: 9n });
});

test('pause stops an endless loop soon, in continue and in a step; one resume at a time', async () => {
  const { target } = withCode(0xe7fe);
  const modes = [goOn, { kind: 'step-range', ranges: [{ start: BigInt(CODE), end: BigInt(CODE + 2) }] }] as const;
  for (const mode of modes) {
    const running = target.resume(mode);
    await assert.rejects(target.resume(stepOne), /running already/);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const asked = performance.now();
    target.pause();
    assert.deepEqual(await running, { reason: 'pause' });
    // Ten times what it should take: a machine may be busy.
    assert.ok(performance.now() - asked < 1000, `${performance.now() - asked} ms`);
  }
  // A pause request of a stopped target is forgotten.
  target.pause();
  target.machine.memory.write(CODE, Uint8Array.of(0x70, 0x47));
  assert.equal((await target.resume(goOn)).reason, 'exited');
});

test('a condition that never holds in a hot loop lets pause through', async () => {
  const { target } = withCode(0xe7fe);
  target.addBreakpoint({ address: BigInt(CODE), condition: () => false });
  const running = target.resume(goOn);
  await new Promise((resolve) => setTimeout(resolve, 20));
  target.pause();
  assert.deepEqual(await running, { reason: 'pause' });
});

const faults: readonly [number, string, Partial<Record<string, unknown>>, RegExp][] = [
  [0, 'unmapped', { address: 0n, access: 'read', region: 'nothing is mapped there' }, /NULL pointer.* read_null\+/],
  [1, 'undefined-instruction', { encoding: 'de00' }, /undefined_instruction\+.*\(encoding de00\)$/],
  [2, 'stack-overflow', { region: 'stack guard' }, /overflow_stack\+/],
  [
    3,
    'forbidden',
    { address: 0x0800_1000n, access: 'write', region: 'flash' },
    /printk of the base image.* write_code\+/,
  ],
  [4, 'invalid-state', { address: 0n }, /call_null\+/],
  [
    5,
    'unaligned',
    { access: 'read', region: 'DATA of faulting' },
    /first\+0x1 in \.data of faulting.* unaligned_pair\+/,
  ],
];

for (const [argument, kind, fields, message] of faults) {
  test(`fault ${kind}: names address, region, symbol and instruction, before the side effect`, async () => {
    const { target } = bench();
    const faulting = load(target, 'faulting/faulting.llext');
    target.prepareCall(exported(faulting, 'entry'), [BigInt(argument)]);
    const stop = await target.resume(goOn);
    assert.ok(stop.reason === 'fault');
    assert.equal(stop.fault.kind, kind);
    for (const [name, value] of Object.entries(fields)) {
      assert.equal(stop.fault[name as keyof typeof stop.fault], value, name);
    }
    assert.match(stop.fault.message, message);
    assert.equal(await target.readRegister('pc'), stop.fault.pc);
    const count = target.machine.instructionCount;
    // Nothing of it happened: continuing faults again.
    assert.deepEqual(await target.resume(goOn), stop);
    assert.equal(target.machine.instructionCount, count);
  });
}

test('a fault inside of a host function stops at the call in the extension', async () => {
  // MOVS r0,#16; LDR r3,[pc,#4]; BLX r3; NOP; literal: printk
  const { target, output } = withCode(0x2010, 0x4b01, 0x4798, 0xbf00, 0x1001, 0x0800);
  const stop = await target.resume(goOn);
  assert.ok(stop.reason === 'fault');
  assert.equal(stop.fault.pc, BigInt(CODE + 4));
  assert.equal(await target.readRegister('pc'), BigInt(CODE + 4));
  assert.match(stop.fault.message, /^printk: fmt points to 0x00000010, which cannot be read/);
  assert.deepEqual(output, []);
});

test('a fault inside of a host function that was tail-called stops at that function', async () => {
  // MOVS r0,#16; LDR r3,[pc,#4]; BX r3; literal: printk
  const { target } = withCode(0x2010, 0x4b01, 0x4718, 0xbf00, 0x1001, 0x0800);
  const stop = await target.resume(goOn);
  assert.ok(stop.reason === 'fault');
  assert.equal(stop.fault.pc, 0x0800_1000n);
  assert.match(stop.fault.message, /printk of the base image$/);
  assert.deepEqual(await target.resume(goOn), stop);
});

test('the BL of an outer function is not taken for the call of a tail-called host function', async () => {
  // PUSH {lr}; BL inner; POP {pc}; inner: MOVS r0,#16; LDR r3,[pc,#4]; BX r3; literal: printk
  const direct = withCode(0xb500, 0xf000, 0xf801, 0xbd00, 0x2010, 0x4b01, 0x4718, 0xbf00, 0x1001, 0x0800);
  const stop = await direct.target.resume(goOn);
  assert.ok(stop.reason === 'fault');
  assert.equal(stop.fault.pc, 0x0800_1000n);
  // The same with LDR r3,=inner; BLX r3 in the outer function: r3 was reloaded for the tail call.
  const inner = CODE + 12;
  const literal = [(inner | 1) & 0xffff, inner >>> 16];
  const code = [0xb500, 0x4b01, 0x4798, 0xbd00, ...literal, 0x2010, 0x4b01, 0x4718, 0xbf00, 0x1001, 0x0800];
  const indirect = await withCode(...code).target.resume(goOn);
  assert.ok(indirect.reason === 'fault');
  assert.equal(indirect.fault.pc, 0x0800_1000n);
});

test('BKPT and SVC stop with their numbers; SVC 2 is k_oops and k_panic; WFI waits for the next tick', async () => {
  const breakpoint = await withCode(0xbe05).target.resume(goOn);
  assert.ok(breakpoint.reason === 'fault' && breakpoint.fault.message.includes('BKPT #5'));
  const call = await withCode(0xdf07).target.resume(goOn);
  assert.ok(call.reason === 'fault' && call.fault.message.includes('SVC #7'));
  const panic = await withCode(0x2004, 0xdf02).target.resume(goOn);
  assert.ok(panic.reason === 'aborted' && panic.message.includes('fatal error 4'));
  const { target } = withCode(0xbf30, 0x4770);
  assert.equal((await target.resume(goOn)).reason, 'exited');
  assert.equal(target.kernel.clock.ticks, 1);
});

test('init functions run before the entry, fini functions in teardown; all return to llext_call_fn', async () => {
  const { target, output } = bench();
  const extension = load(target, 'init-fini/init_fini.llext');
  const returns: bigint[] = [];
  for (const { address } of target.bringUpCalls()) {
    target.addBreakpoint({
      address,
      condition: ({ registers }) => {
        returns.push(registers.get(14) ?? 0n);
        return false;
      },
    });
  }
  target.prepareCall(exported(extension, 'entry'), [], target.bringUpCalls());
  assert.equal((await target.resume(goOn)).reason, 'exited');
  assert.deepEqual(output, ['preinit\n', 'first init\n', 'second init\n', 'entry\n']);
  assert.deepEqual(
    returns,
    [1n, 1n, 1n].map(() => BigInt(CALL_FN_RETURN | 1)),
  );
  assert.equal(target.hostSymbol(BigInt(CALL_FN_RETURN))?.name, 'llext_call_fn');
  const [first, ...rest] = target.tearDownCalls();
  target.prepareCall(first.address, [], rest);
  assert.equal((await target.resume(goOn)).reason, 'exited');
  assert.ok(output.length > 4);
});

test('arguments beyond four are on the stack, which is empty and aligned', async () => {
  // LDR r0,[sp]; LDR r1,[sp,#4]; ADDS r0,r0,r1; ADDS r0,r0,r3; BX LR
  const { target } = withCode(0x9800, 0x9901, 0x1840, 0x18c0, 0x4770);
  target.prepareCall(BigInt(CODE), [1n, 2n, 3n, 4n, 50n, -7n]);
  assert.equal(await target.readRegister('sp'), BigInt(STACK_TOP - 8));
  assert.deepEqual(await target.resume(goOn), { reason: 'exited', returnValue: 47n });
});

test('an import that nothing provides: all missing names with the nearest known ones', () => {
  const { target } = bench();
  const outcome = target.loadExtension({ name: 'missing', bytes: example('missing-import/missing.llext') });
  assert.ok(!outcome.loaded);
  assert.deepEqual([outcome.ret, outcome.error], [-61, 'ENODATA']);
  assert.deepEqual(
    outcome.missing.map(({ name }) => name),
    ['gpio_pin_toggle_by_name', 'memcopy', 'prinkt'],
  );
  assert.deepEqual(
    outcome.missing.map(({ nearest }) => nearest.at(0)),
    [undefined, 'memcpy', 'printk'],
  );
  assert.match(outcome.message, /3 symbols are provided by neither the base image nor a loaded extension:/);
  assert.deepEqual([editDistance('printk', 'prinkt'), editDistance('', 'abc'), editDistance('abc', 'axc')], [1, 3, 1]);
});

test('a file that is refused, a heap that is too small and a wrong heap size', () => {
  const bad = bench().target.loadExtension({ name: 'text', bytes: new TextEncoder().encode('not an ELF file at all') });
  assert.ok(!bad.loaded && bad.error === 'ENOEXEC');
  assert.match(bad.message, /not an ELF file/);
  const small = bench({ heapSizeKiB: 1 }).target.loadExtension({
    name: 'hello',
    bytes: example('faulting/faulting.llext'),
  });
  assert.ok(!small.loaded && small.error === 'ENOMEM', small.loaded ? '' : small.message);
  assert.throws(() => bench({ heapSizeKiB: 0.5 }), RangeError);
  assert.throws(() => bench({ heapSizeKiB: 1 << 20 }), RangeError);
});

test('extensions that depend on each other: use counts, unload, load again', async () => {
  const { target, output } = bench();
  const base = load(target, 'dependency/dep_base.llext');
  const user = load(target, 'dependency/dep_user.llext');
  assert.equal(base.extension.useCount, 2);
  assert.deepEqual(user.extension.dependency, [base.instance.address]);
  target.prepareCall(exported(user, 'entry'), [5n], target.bringUpCalls());
  assert.equal((await target.resume(goOn)).reason, 'exited');
  assert.equal(output.length, 2);
  assert.equal(target.unloadExtension(base), 1);
  assert.equal(target.loadedExtensions.length, 2);
  assert.equal(target.unloadExtension(user), 0);
  assert.match(
    target.describeAddress(exported(base, 'dep_base_add')) ?? '',
    /^dep_base_add\+0x1 in \.text of dep_base$/,
  );
  const again = load(target, 'dependency/dep_base.llext');
  assert.equal(again.instance.id, base.instance.id, 'dep_base is still loaded: the same instance');
  assert.equal(target.loadedExtensions.length, 1);
});

test('two instances of one file have their own sections and ids', async () => {
  const { target } = bench();
  const first = load(target, 'hello/hello.llext', 'one');
  const second = load(target, 'hello/hello.llext', 'two');
  assert.notEqual(first.instance.id, second.instance.id);
  assert.notEqual(exported(first, 'entry'), exported(second, 'entry'));
  target.prepareCall(exported(second, 'entry'));
  assert.deepEqual(await target.resume(goOn), { reason: 'exited', returnValue: 6n });
  assert.match(target.describeAddress(exported(second, 'entry') & ~1n) ?? '', /^entry in \.text of two$/);
});

test('reset is a fresh machine', async () => {
  const { target } = bench();
  const before = exported(load(target, 'hello/hello.llext'), 'entry');
  target.prepareCall(before);
  await target.resume(goOn);
  target.reset();
  assert.deepEqual(
    [target.loadedExtensions.length, target.hostCalls.length, target.machine.instructionCount],
    [0, 0, 0],
  );
  assert.equal(exported(load(target, 'hello/hello.llext'), 'entry'), before);
  target.prepareCall(before);
  assert.deepEqual(await target.resume(goOn), { reason: 'exited', returnValue: 6n });
});

test('registers and memory, and what is not there', async () => {
  const cpu = findCpu('cortex-m33');
  assert.ok(cpu !== undefined);
  const { target } = bench({ cpu });
  assert.equal(target.cpu.name, 'cortex-m33');
  assert.ok(['r0', 'sp', 'lr', 'pc', 'xpsr'].every((name) => target.registerNames.includes(name)));
  await target.writeRegister('r4', 0x1_2345_6789n);
  assert.equal(await target.readRegister('r4'), 0x2345_6789n);
  const file = await target.registerFile();
  await target.writeRegister('r4', 1n);
  assert.equal(file.get(4), 0x2345_6789n);
  assert.equal(file.get(16), undefined);
  assert.equal(target.view.registers.get(4), 1n);
  assert.equal(await target.writeMemory(BigInt(STACK_BASE), Uint8Array.of(1, 2, 3)), 3);
  assert.deepEqual([...(await target.readMemory(BigInt(STACK_BASE), 3)).data], [1, 2, 3]);
  assert.deepEqual(await target.readMemory(0n, 16), { data: new Uint8Array(), unreadable: 16 });
  assert.equal((await target.readMemory(1n << 40n, 4)).unreadable, 4);
  const flashEnd = 0x0801_0000n;
  const { data, unreadable } = await target.readMemory(flashEnd - 4n, 8);
  assert.deepEqual([data.length, unreadable], [4, 4]);
  assert.deepEqual(target.hostSymbol(0x0800_1002n), { name: 'printk', offset: 2 });
  assert.equal(target.hostSymbol(0x2000_6000n), undefined);
  assert.equal(target.describeAddress(0x2000_2000n), 'stack');
  assert.equal(target.describeAddress(0x4000_0000n), undefined);
});
