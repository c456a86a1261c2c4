/**
 * The unwinder on hand-made frame tables and stacks: every rule of DWARF 5 6.4.1, how a stack ends, damaged stacks,
 * inlined calls, reconstructed tail calls and values at entry. Real programs are in dwarf-gdb-truth.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInteger } from '../lib/bytes';
import { DW_OP } from '../lib/dwarf/expression-opcodes';
import type {
  AddressRange,
  CallSite,
  CallSiteParameter,
  CfiRow,
  ExpressionBytes,
  ExpressionUnit,
  FunctionInfo,
  RegisterRule,
  Scope,
  VariableInfo,
} from '../lib/dwarf/model';
import { machineRegisters } from '../lib/dwarf/regnum';
import { canTailCallItself, tailCallChain } from '../lib/dwarf/tail-call';
import { type FrameInfo, inlineFramesStartingAt, type Stack, StackUnwinder, unwindStack } from '../lib/dwarf/unwind';
import type { CodeModule, ModuleDebugInfo, UnwindMachine } from '../lib/dwarf/unwind-frame';
import { readScalar, variableValue } from '../lib/dwarf/value';
import { baseType, voidType } from '../lib/dwarf/value-types';
import { runQuery } from '../lib/query';

const EM_ARM = 40;
const machine: UnwindMachine = { addressSize: 4, littleEndian: true, registers: machineRegisters(EM_ARM) };
const unit: ExpressionUnit = {
  addressSize: 4,
  littleEndian: true,
  version: 5,
  addressAt: () => 0n,
  typeAt: () => voidType,
  locationOf: () => undefined,
};
const code = (...bytes: number[]): ExpressionBytes => ({ bytes: Uint8Array.from(bytes), unit });
const int = baseType('int', 4, 5);

/** Link addresses are load addresses minus this. */
const bias = 0x2000_0000n;

function scope(kind: Scope['kind'], ranges: readonly AddressRange[], more: Partial<Scope> = {}): Scope {
  return { kind, ranges, variables: [], declaresVariables: false, children: [], inline: undefined, ...more };
}

function functionAt(name: string, start: bigint, more: Partial<FunctionInfo> = {}): FunctionInfo {
  const ranges = [{ start, end: start + 0x10n }];
  return {
    name,
    shortName: name,
    linkageName: undefined,
    ranges,
    entryPc: start,
    frameBase: { kind: 'expression', expression: code(DW_OP.call_frame_cfa) },
    returnType: int,
    signature: { parameters: [], variadic: false, vtableIndex: undefined },
    external: true,
    declaration: undefined,
    scope: scope('function', ranges),
    callSites: [],
    unit: { name: 't.c', compilationDirectory: undefined, producer: undefined, language: undefined, version: 5 },
    ...more,
  };
}

function row(cfa: CfiRow['cfa'], rules: readonly (readonly [number, RegisterRule])[] = []): CfiRow {
  const range = { start: 0n, end: 0x1000n };
  const common = { range, functionRange: range, returnAddressRegister: 14, signalFrame: false };
  return { ...common, cfa, registers: new Map(rules) };
}

const spPlus = (offset: bigint): CfiRow['cfa'] => ({ kind: 'register', register: 13, offset });

interface Program {
  readonly functions: readonly FunctionInfo[];
  /** Function name -> row; no entry: no call-frame information. */
  readonly rows: Readonly<Record<string, CfiRow>>;
}

function moduleOf({ functions, rows }: Program): CodeModule {
  const contains = ({ start, end }: AddressRange, pc: bigint): boolean => pc >= start && pc < end;
  const at = (pc: bigint): FunctionInfo | undefined => functions.find((f) => f.ranges.some((r) => contains(r, pc)));
  const path = (inner: Scope, pc: bigint): Scope[] => {
    const child = inner.children.find((candidate) => candidate.ranges.some((r) => contains(r, pc)));
    return child ? [...path(child, pc), inner] : [inner];
  };
  const debug: ModuleDebugInfo = {
    functionAt: at,
    functionsNamed: (name: string) => functions.filter((one) => one.name === name || one.linkageName === name),
    scopesAt: (pc) => {
      const found = at(pc);
      return found ? path(found.scope, pc) : [];
    },
    rowAt: () => undefined,
    cfiAt: (pc) => rows[at(pc)?.name ?? ''],
  };
  const inside = (link: bigint): bigint | undefined => (link >= 0n && link < 0x1000n ? link : undefined);
  return { debug, toLink: (load) => inside(load - bias), toLoad: (link) => link + bias };
}

interface State {
  readonly registers: Readonly<Record<number, bigint>>;
  /** Words by address. */
  readonly stack?: Readonly<Record<number, bigint>>;
}

function reader({ stack = {} }: State): (request: { address: bigint; length: number }) => Uint8Array | undefined {
  return ({ address, length }) => {
    const word = stack[Number(address)] as bigint | undefined;
    return word === undefined || length !== 4 ? undefined : encodeInteger(word, 4, true);
  };
}

function unwind(program: Program, state: State, options: { limit?: number; hiddenInlines?: number } = {}): Stack {
  const module = moduleOf(program);
  const query = unwindStack(
    { get: (register) => state.registers[register] },
    {
      machine,
      moduleAt: (pc) => (module.toLink(pc) === undefined ? undefined : module),
      host: (pc) => (pc >= 0x0800_0000n && pc < 0x0900_0000n ? { name: 'llext_call_fn' } : undefined),
      ...options,
    },
  );
  return runQuery(query, reader(state));
}

const names = ({ frames }: Stack): string[] =>
  frames.map(({ name, kind }) => (kind === '' ? `${name}` : `${name} ${kind}`));
const host = 0x0800_0101n;

test('a leaf returns through lr into the host', () => {
  const program = { functions: [functionAt('leaf', 0x100n)], rows: { leaf: row(spPlus(0n)) } };
  const stack = unwind(program, { registers: { 13: 0x2000_8000n, 14: host, 15: 0x2000_0104n } });
  assert.deepEqual(names(stack), ['leaf', 'llext_call_fn host']);
  assert.equal(stack.problem, undefined);
  const [leaf, caller] = stack.frames;
  assert.deepEqual([leaf.pc, leaf.lookupPc], [0x2000_0104n, 0x2000_0104n]);
  assert.deepEqual([caller.pc, caller.lookupPc], [0x0800_0100n, 0x0800_00ffn]);
});

test('without call-frame information the innermost function is taken for a leaf, an outer one ends the stack', () => {
  const functions = [functionAt('bare', 0x100n), functionAt('user', 0x200n)];
  const state = { registers: { 13: 0x2000_8000n, 14: 0x2000_0205n, 15: 0x2000_0104n } };
  const stack = unwind({ functions, rows: {} }, state);
  assert.deepEqual(names(stack), ['bare', 'user']);
  assert.match(stack.problem ?? '', /no call-frame information at 0x20000204/);
});

/** One frame that saves registers by `rules`; its caller's registers. */
function callerOf(rules: readonly (readonly [number, RegisterRule])[], state: State, cfa = spPlus(16n)): FrameInfo {
  const functions = [functionAt('inner', 0x100n), functionAt('outer', 0x200n)];
  const rows = { inner: row(cfa, rules), outer: row(spPlus(0n), [[14, { kind: 'undefined' }]]) };
  const { frames, problem } = unwind({ functions, rows }, state);
  assert.equal(problem, undefined);
  assert.equal(frames.length, 2);
  return frames[1];
}

const start: State = {
  registers: {
    0: 7n,
    4: 44n,
    5: 55n,
    6: 0x2000_0205n,
    7: 0x2000_7f00n,
    13: 0x2000_8000n,
    14: 0x2000_0205n,
    15: 0x2000_0104n,
  },
  stack: { 0x2000_800c: 0x2000_0209n, 0x2000_8008: 99n, 0x2000_7f10: 0x2000_0211n },
};

test('same value, and a register without a rule', () => {
  const { frame, pc } = callerOf([[4, { kind: 'same-value' }]], start);
  assert.deepEqual(
    [pc, frame.register(4), frame.register(5), frame.register(13)],
    [0x2000_0204n, 44n, 55n, 0x2000_8010n],
  );
  assert.deepEqual(frame.registers.savedAt(4), { kind: 'register', register: 4 });
  assert.equal(frame.register(15), 0x2000_0204n);
});

test('offset: saved on the stack', () => {
  const { frame, pc } = callerOf(
    [
      [14, { kind: 'offset', offset: -4n }],
      [4, { kind: 'offset', offset: -8n }],
    ],
    start,
  );
  assert.deepEqual([pc, frame.register(4)], [0x2000_0208n, 99n]);
  assert.deepEqual(frame.registers.savedAt(4), { kind: 'memory', address: 0x2000_8008n });
});

test('offset: unreadable stack', () => {
  const { frame } = callerOf([[4, { kind: 'offset', offset: -64n }]], start);
  assert.equal(frame.register(4), undefined);
});

test('val-offset, register, undefined', () => {
  const { frame, pc } = callerOf(
    [
      [4, { kind: 'val-offset', offset: -8n }],
      [5, { kind: 'undefined' }],
      [14, { kind: 'register', register: 6 }],
    ],
    start,
  );
  assert.deepEqual([pc, frame.register(4), frame.register(5)], [0x2000_0204n, 0x2000_8008n, undefined]);
  assert.equal(frame.registers.savedAt(4), undefined);
});

test('expression and val-expression, with the CFA on the stack', () => {
  const { frame } = callerOf(
    [
      [4, { kind: 'expression', expression: code(DW_OP.const1s, 0xf8, DW_OP.plus) }],
      [5, { kind: 'val-expression', expression: code(DW_OP.plus_uconst, 5) }],
    ],
    start,
  );
  assert.deepEqual([frame.register(4), frame.register(5)], [99n, 0x2000_8015n]);
});

test('a CFA by another register and by an expression', () => {
  const byRegister = callerOf([[14, { kind: 'offset', offset: -4n }]], start, {
    kind: 'register',
    register: 7,
    offset: 20n,
  });
  assert.deepEqual([byRegister.pc, byRegister.frame.register(13)], [0x2000_0210n, 0x2000_7f14n]);
  const cfa = { kind: 'expression', expression: code(DW_OP.breg0 + 13, 16) } as const;
  assert.equal(callerOf([[14, { kind: 'offset', offset: -4n }]], start, cfa).pc, 0x2000_0208n);
});

test('an undefined return address ends the stack', () => {
  const program = {
    functions: [functionAt('start', 0x100n)],
    rows: { start: row(spPlus(0n), [[14, { kind: 'undefined' }]]) },
  };
  const stack = unwind(program, start);
  assert.deepEqual([names(stack), stack.problem], [['start'], undefined]);
});

test('a return address of zero ends the stack', () => {
  const program = { functions: [functionAt('f', 0x100n)], rows: { f: row(spPlus(0n)) } };
  assert.deepEqual(names(unwind(program, { registers: { ...start.registers, 14: 1n } })), ['f']);
});

test('a return address in nothing known is shown as a frame without a name', () => {
  const program = { functions: [functionAt('f', 0x100n)], rows: { f: row(spPlus(0n)) } };
  const stack = unwind(program, { registers: { ...start.registers, 14: 0x1234_5679n } });
  assert.deepEqual([names(stack), stack.frames[1].pc], [['f', 'undefined'], 0x1234_5678n]);
});

test('a stack that leads inwards or to itself ends with the reason', () => {
  const functions = [functionAt('f', 0x100n), functionAt('g', 0x200n)];
  const back = { f: row(spPlus(16n)), g: row(spPlus(-32n)) };
  const inwards = unwind({ functions, rows: back }, { registers: { ...start.registers, 14: 0x2000_0205n } });
  assert.deepEqual(names(inwards), ['f']);
  assert.match(inwards.problem ?? '', /the stack is damaged/);
  const itself = unwind(
    { functions, rows: { f: row(spPlus(0n)) } },
    { registers: { ...start.registers, 14: 0x2000_0105n } },
  );
  assert.deepEqual(names(itself), ['f']);
  assert.match(itself.problem ?? '', /the stack is damaged/);
});

test('an endless stack stops at the limit', () => {
  const rows = { f: row(spPlus(8n), [[14, { kind: 'same-value' }]]) };
  const stack = unwind(
    { functions: [functionAt('f', 0x100n)], rows },
    { registers: { ...start.registers, 14: 0x2000_0107n } },
    { limit: 50 },
  );
  assert.equal(stack.frames.length, 50);
  assert.match(stack.problem ?? '', /more than 50 frames/);
});

test('a deep recursion keeps its registers', () => {
  const rows = {
    f: row(spPlus(8n), [
      [14, { kind: 'offset', offset: -4n }],
      [4, { kind: 'offset', offset: -8n }],
    ]),
  };
  const stack: Record<number, bigint> = {};
  const depth = 1500;
  for (let i = 0; i < depth; i++) {
    stack[0x2000_8000 + i * 8] = BigInt(i);
    stack[0x2000_8004 + i * 8] = i === depth - 1 ? host : 0x2000_0107n;
  }
  const found = unwind({ functions: [functionAt('f', 0x100n)], rows }, { registers: { ...start.registers }, stack });
  assert.equal(found.frames.length, depth + 1);
  assert.equal(found.frames[depth].frame.register(4), BigInt(depth - 1));
});

/** As the processor leaves it (Armv7-M B1.5.6): r0 to r3, r12, lr, pc, xPSR, then s0 to s15. */
function exceptionFrame(at: number, xpsr: bigint, singles: number): Record<number, bigint> {
  const words = [100n, 101n, 102n, 103n, 112n, host, 0x2000_0208n, xpsr];
  for (let single = 0; single < singles; single++) words.push(BigInt(1000 + single));
  return Object.fromEntries(words.map((word, index) => [at + 4 * index, word]));
}

const exceptions = [
  { on: 'the main stack', excReturn: 0xffff_fff9n, at: 0x2000_8010, xpsr: 0x0100_0000n, singles: 0, sp: 0x2000_8030n },
  { on: 'the process stack', excReturn: 0xffff_fffdn, at: 0x2000_4000, xpsr: 1n << 9n, singles: 0, sp: 0x2000_4024n },
  {
    on: 'the process stack, Armv8-M',
    excReturn: 0xffff_ffbcn,
    at: 0x2000_4000,
    xpsr: 0n,
    singles: 0,
    sp: 0x2000_4020n,
  },
  {
    on: 'the main stack, floating point',
    excReturn: 0xffff_ffe9n,
    at: 0x2000_8010,
    xpsr: 0n,
    singles: 16,
    sp: 0x2000_8078n,
  },
];
for (const { on, excReturn, at, xpsr, singles, sp } of exceptions) {
  test(`an exception leads to what it interrupted, whose registers are on ${on}`, () => {
    const functions = [functionAt('handler', 0x100n), functionAt('interrupted', 0x200n)];
    const rows = {
      handler: row(spPlus(16n), [[14, { kind: 'offset', offset: -4n }]]),
      interrupted: row(spPlus(0n)),
    };
    const psp = 149;
    const registers = { 4: 44n, 13: 0x2000_8000n, 14: 0n, 15: 0x2000_0104n, 64: 5n, [psp]: 0x2000_4000n };
    const stack = { 0x2000_800c: excReturn, ...exceptionFrame(at, xpsr, singles) };
    const found = unwind({ functions, rows }, { registers, stack });
    assert.deepEqual(names(found), ['handler', 'exception entry exception', 'interrupted', 'llext_call_fn host']);
    assert.equal(found.problem, undefined);
    const { frame, pc, lookupPc } = found.frames[2];
    // It was not called: the pc is no return address.
    assert.deepEqual([pc, lookupPc], [0x2000_0208n, 0x2000_0208n]);
    assert.deepEqual(
      [0, 3, 12, 13, 4].map((n) => frame.register(n)),
      [100n, 103n, 112n, sp, 44n],
    );
    assert.deepEqual(frame.registers.savedAt(1), { kind: 'memory', address: BigInt(at + 4) });
    assert.equal(frame.register(64), singles === 0 ? 5n : 1000n);
    if (singles > 0) assert.equal(frame.register(256 + 7), (1015n << 32n) | 1014n);
  });
}

test('an exception whose frame cannot be read ends the stack with the reason', () => {
  const program = { functions: [functionAt('handler', 0x100n)], rows: { handler: row(spPlus(0n)) } };
  const found = unwind(program, { registers: { 13: 0x2000_8000n, 14: 0xffff_fff1n, 15: 0x2000_0104n } });
  assert.deepEqual(names(found), ['handler', 'exception entry exception']);
  assert.match(found.problem ?? '', /what the exception interrupted is not known: its registers on the stack cannot/);
});

test('inlined calls are frames, from the innermost outwards, and can be hidden', () => {
  const position = (line: number) => ({
    file: { path: 't.c', compilationDirectory: undefined, md5: undefined },
    line,
    column: 0,
  });
  const range = [{ start: 0x104n, end: 0x108n }];
  const inline = (name: string, line: number) => ({
    name,
    linkageName: undefined,
    declaration: undefined,
    call: position(line),
    entryPc: 0x104n,
  });
  const inner = scope('inlined', range, { inline: inline('inner', 20) });
  const middle = scope('inlined', range, {
    inline: inline('middle', 30),
    children: [scope('block', range, { children: [inner] })],
  });
  const outer = scope('function', [{ start: 0x100n, end: 0x110n }], { children: [middle] });
  const program = { functions: [functionAt('outer', 0x100n, { scope: outer })], rows: { outer: row(spPlus(0n)) } };
  const state = { registers: { ...start.registers, 14: host, 15: 0x2000_0104n } };
  const stack = unwind(program, state);
  assert.deepEqual(names(stack), ['inner inline', 'middle inline', 'outer', 'llext_call_fn host']);
  assert.deepEqual(
    stack.frames.slice(1, 3).map((frame) => frame.position?.line),
    [20, 30],
  );
  assert.deepEqual(
    stack.frames.slice(0, 3).map((frame) => frame.scopes.map((s) => s.kind)),
    [['inlined'], ['block', 'inlined'], ['function']],
  );
  assert.deepEqual(names(unwind(program, state, { hiddenInlines: 1 })), [
    'middle inline',
    'outer',
    'llext_call_fn host',
  ]);
  const hidden = unwind(program, state, { hiddenInlines: 2 });
  assert.deepEqual([names(hidden)[0], hidden.frames[0].position?.line], ['outer', 30]);
  const { debug } = moduleOf(program);
  assert.ok(debug);
  assert.deepEqual(
    [0x103n, 0x104n, 0x106n].map((pc) => inlineFramesStartingAt(debug, pc)),
    [0, 2, 0],
  );
});

// ---- tail calls ----

function site(
  target: FunctionInfo | string | undefined,
  returnPc: bigint,
  tailCall: boolean,
  parameters: CallSiteParameter[] = [],
): CallSite {
  return { target, returnPc, tailCall, parameters };
}

type MutableFunction = FunctionInfo & { callSites: CallSite[] };

/** Functions by name, connected by calls; `main` calls, the others tail-call. */
function graph(edges: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, MutableFunction>> {
  const all: Record<string, MutableFunction> = {};
  Object.keys(edges).forEach((name, i) => {
    all[name] = { ...functionAt(name, BigInt(0x100 * (i + 1))), callSites: [] };
  });
  for (const [name, targets] of Object.entries(edges)) {
    targets.forEach((target, i) => {
      const returnPc = all[name].entryPc + BigInt(4 + 2 * i);
      all[name].callSites.push(site(target === '?' ? undefined : (all[target] ?? target), returnPc, name !== 'main'));
    });
  }
  return all;
}

/** The chain from main's first call to a function, as the names of the functions that made the tail calls. */
function chainTo(edges: Readonly<Record<string, readonly string[]>>, callee: string): string[] {
  const all = graph(edges);
  const byName = { functionNamed: (name: string) => all[name] as FunctionInfo | undefined };
  const chain = tailCallChain(all['main'].callSites[0], all[callee], byName);
  return chain.map((found) => Object.values(all).find((f) => f.callSites.includes(found))?.name ?? '?');
}

test('tail-call chains: the only way, common parts of several, or nothing', () => {
  assert.deepEqual(chainTo({ main: ['a'], a: [] }, 'a'), []);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b'], b: [] }, 'b'), ['a']);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b'], b: ['c'], c: [] }, 'c'), ['b', 'a']);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, 'd'), []);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b'], b: ['c', 'd'], c: ['e'], d: ['e'], e: ['f'], f: [] }, 'f'), [
    'e',
    'a',
  ]);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b'], b: ['a'] }, 'b'), ['a']);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b', '?'], b: [] }, 'b'), []);
  assert.deepEqual(chainTo({ main: ['a'], a: ['b', 'printk'], b: [] }, 'b'), []);
  assert.deepEqual(chainTo({ main: ['a'], a: ['c'], b: [], c: [] }, 'b'), []);
});

test('a graph with very many ways ends', () => {
  const edges: Record<string, string[]> = { main: ['f0'] };
  for (let i = 0; i < 40; i++) edges[`f${i}`] = [`f${i + 1}`, `f${i + 2}`, `f${i + 3}`];
  for (let i = 40; i < 44; i++) edges[`f${i}`] = [];
  assert.deepEqual(chainTo(edges, 'f39'), []);
});

test('functions that can reach themselves by tail calls', () => {
  const all = graph({ main: ['a'], a: ['b'], b: ['c'], c: ['b'], d: ['?'], e: [] });
  const byName = { functionNamed: () => undefined };
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((name) => canTailCallItself(all[name], byName)),
    [false, true, true, true, false],
  );
});

test('reconstructed frames carry the caller’s registers and their own pc; values at entry come through them', () => {
  const value: VariableInfo = {
    name: 'n',
    type: int,
    isParameter: true,
    artificial: false,
    location: { kind: 'expression', expression: code(DW_OP.entry_value, 1, DW_OP.reg0, DW_OP.stack_value) },
    constValue: undefined,
    external: false,
    declaration: undefined,
  };
  const leaf = functionAt('leaf', 0x300n);
  const passesOn = code(DW_OP.entry_value, 1, DW_OP.reg0, DW_OP.lit0 + 1, DW_OP.plus);
  const middle = functionAt('middle', 0x200n, {
    callSites: [site(leaf, 0x208n, true, [{ location: code(DW_OP.reg0), value: passesOn }])],
  });
  const main = functionAt('main', 0x100n, {
    callSites: [site(middle, 0x106n, false, [{ location: code(DW_OP.reg0), value: code(DW_OP.breg0 + 4, 0) }])],
  });
  const rows = { leaf: row(spPlus(0n)), middle: row(spPlus(0n)), main: row(spPlus(8n), [[14, { kind: 'undefined' }]]) };
  const program = { functions: [main, middle, leaf], rows };
  const state = { registers: { 0: 1n, 4: 40n, 13: 0x2000_8000n, 14: 0x2000_0107n, 15: 0x2000_0302n } };
  const { frames } = unwind(program, state);
  assert.deepEqual(
    frames.map(({ name, kind, pc }) => [name, kind, pc]),
    [
      ['leaf', '', 0x2000_0302n],
      ['middle', 'tailcall', 0x2000_0208n],
      ['main', '', 0x2000_0106n],
    ],
  );
  const read = reader(state);
  const number = (frame: FrameInfo): unknown =>
    runQuery(readScalar(runQuery(variableValue(value, frame.frame), read)), read);
  // main passed r4 = 40 to middle, which passed one more to leaf.
  assert.deepEqual([number(frames[0]), number(frames[1])], [41n, 40n]);
  // main's own caller is not known.
  assert.equal(typeof number(frames[2]), 'object');
});

test('values at entry are not believed when the call may have led elsewhere', () => {
  const query = (
    target: FunctionInfo | undefined,
    more: Partial<CallSite>,
    tail: FunctionInfo['callSites'] = [],
  ): unknown => {
    const callee = functionAt('callee', 0x300n, { callSites: tail });
    const call: CallSite = {
      ...site(target ?? callee, 0x106n, false, [{ location: code(DW_OP.reg0), value: code(DW_OP.lit0 + 9) }]),
      ...more,
    };
    const main = functionAt('main', 0x100n, { callSites: [call] });
    const rows = { callee: row(spPlus(0n)), main: row(spPlus(8n), [[14, { kind: 'undefined' }]]) };
    const module = moduleOf({ functions: [main, callee], rows });
    const registers: Record<number, bigint> = { 5: 0x2000_0301n, 13: 0x2000_8000n, 14: 0x2000_0107n, 15: 0x2000_0302n };
    const unwinder = new StackUnwinder({ get: (register) => registers[register] }, { machine, moduleAt: () => module });
    const result = runQuery(unwinder.innermost.entryRegister(0), () => undefined);
    // A condition's frame, made at each arrival, knows the same.
    const again = unwinder.innermost.withRegisters({ get: (register) => registers[register] });
    assert.deepEqual(
      runQuery(again.entryRegister(0), () => undefined),
      result,
    );
    return typeof result === 'bigint' ? result : result.kind === 'unavailable' ? result.reason : result;
  };
  assert.equal(query(undefined, {}), 9n);
  assert.match(String(query(functionAt('other', 0x400n), {})), /another function/);
  assert.match(String(query(undefined, { target: undefined })), /another function/);
  assert.equal(query(undefined, { target: undefined, targetExpression: code(DW_OP.breg0 + 5, 0) }), 9n);
  assert.match(String(query(undefined, { parameters: [] })), /did not record/);
  assert.match(String(query(undefined, { returnPc: 0x108n })), /no record of this call/);
  assert.match(String(query(undefined, {}, [site(undefined, 0x308n, true)])), /re-enter itself/);
});
