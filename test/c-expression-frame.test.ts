/**
 * C expressions in a stopped program: names and how they hide each other, places without address, registers, function
 * pointers, assignments as writes, what a hover may not do, and the cost of a condition. Expected values are what the
 * C sources of test/fixtures and test/gdb-truth say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compileCondition,
  compileExpression,
  evaluateCondition,
  evaluateExpression,
  ExpressionError,
  FrameScope,
} from '../lib/c-expression';
import { formatValue, symbolAnnotation } from '../lib/dwarf/format';
import type { FrameInfo } from '../lib/dwarf/unwind';
import type { TargetWrite } from '../lib/dwarf/value-bits';
import { runQuery } from '../lib/query';
import { fixturesFolder, fixtureSource, markerLine } from './support/fixtures';
import { truthCase } from './support/gdb-truth';
import { TruthRun } from './support/truth-session';

interface Stopped {
  readonly run: TruthRun;
  readonly frames: readonly FrameInfo[];
}

/** Stops at a marked line of a fixture. */
async function stopAt(
  fixture: string,
  variant: string,
  source: string,
  marker: string,
  argument = 3,
): Promise<Stopped> {
  const run = await TruthRun.start({ name: `${fixture}.${variant}`, folder: fixturesFolder }, argument);
  const files = run.program.debug?.files.filter((file) => file.path.endsWith(`${source}.c`)) ?? [];
  const [location] = run.program.breakpointLocations(files, markerLine(fixtureSource(source), marker));
  assert.ok(await run.runTo(location.address));
  return { run, frames: run.frames() };
}

function scopeOf({ run, frames }: Stopped, level = 0): FrameScope {
  const options = { machine: run.machine, modules: [run.program], namedRegisters: ['xpsr'] };
  return new FrameScope({ ...options, frame: frames[level] });
}

function show(stopped: Stopped, text: string, level = 0): string {
  const scope = scopeOf(stopped, level);
  const context = { frame: scope.frame, namedRegister: (name: string) => (name === 'xpsr' ? 0x0100_0000n : undefined) };
  const { value } = stopped.run.query(evaluateExpression(compileExpression(text, scope), context));
  const symbolText = symbolAnnotation((address) => stopped.run.program.labelAt(address));
  const shown = stopped.run.query(formatValue(value, { symbolText, addressText: () => '@' }));
  return `${value.type.displayName}: ${shown}`;
}

function failure(stopped: Stopped, text: string, level = 0): ExpressionError {
  try {
    show(stopped, text, level);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  return assert.fail(`${text} has a value`);
}

/** Performs an expression's writes and says what they were. */
function perform(stopped: Stopped, text: string, level = 0): readonly TargetWrite[] {
  const scope = scopeOf(stopped, level);
  const { writes } = stopped.run.query(evaluateExpression(compileExpression(text, scope), { frame: scope.frame }));
  for (const write of writes) {
    if (write.kind === 'memory') stopped.run.target.writeMemoryNow(write.address, write.bytes);
    else stopped.run.target.writeRegisterNow(stopped.run.target.registerNames[write.register], write.value);
  }
  return writes;
}

test('names of a frame, a file and a program', async () => {
  const stopped = await stopAt('multi', 'm3-O0', 'multi_part', 'BP1');
  assert.deepEqual(
    stopped.frames.map(({ name }) => name),
    ['helper', 'part_run', 'entry'],
  );
  // The other file's counter was 10 and got the argument; this one's is 20.
  assert.equal(show(stopped, 'counter'), 'int: 20');
  assert.equal(show(stopped, 'counter', 2), 'int: 13');
  assert.equal(show(stopped, "'multi.c'::counter"), 'int: 13');
  assert.equal(show(stopped, "'multi_part.c'::counter", 2), 'int: 20');
  assert.equal(show(stopped, '::counter'), 'int: 20');
  assert.equal(show(stopped, 'value'), 'int: 3');
  assert.equal(show(stopped, 'helper::value'), 'int: 3');
  assert.equal(show(stopped, 'value', 1), 'int: 3');
  assert.equal(show(stopped, 'mine', 2), 'int: 13');
  assert.equal(show(stopped, 'part_shared', 2), 'int: 0');
  assert.match(failure(stopped, 'mine').message, /No symbol "mine"/);
  assert.match(failure(stopped, 'value', 2).message, /No symbol "value"/);
  assert.match(failure(stopped, "'nowhere.c'::counter").message, /No symbol/);
  assert.equal(show(stopped, 'helper == &helper'), 'int: 1');
  assert.equal(show(stopped, "'multi.c'::helper == 'multi_part.c'::helper"), 'int: 0');
  assert.equal(show(stopped, 'part_run'), 'int (int): {int (int)} @ <part_run>');
  assert.equal(show(stopped, '*part_run == part_run'), 'int: 1');
});

test('data of every kind', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  assert.equal(show(stopped, 'node == &tail'), 'int: 1');
  // An integer is the address of an int, as in gdb.
  assert.equal(show(stopped, '*(unsigned int)&number'), 'int: -123456789');
  assert.equal(show(stopped, 'node->at'), 'point_t: {x = 1, y = -2}');
  assert.equal(show(stopped, 'node->flags.level'), 'int: -6');
  assert.equal(show(stopped, '(*node).flags.wide'), 'uint64_t: 73588229205');
  assert.equal(show(stopped, 'node->low + node->high'), `int: ${0x3344 + (0x1122 ^ 0xff00)}`);
  assert.equal(show(stopped, 'node->grid[1][2] * 2'), 'unsigned int: 12');
  assert.equal(show(stopped, 'node->grid[1]'), 'unsigned int [3]: {4, 5, 6}');
  assert.equal(show(stopped, 'head.next->label'), 'const char *: @ "tail"');
  assert.equal(show(stopped, '*node->label'), "const char: 116 't'");
  assert.equal(show(stopped, 'node->operation'), 'operation_t: @ <add>');
  assert.equal(show(stopped, 'node->operation == add'), 'int: 1');
  assert.equal(show(stopped, 'node->mask | MASK_C'), 'int: 10');
  assert.equal(show(stopped, '(enum mask)(node->mask | MASK_C)'), 'enum mask: (MASK_B | MASK_C)');
  assert.equal(show(stopped, 'color == BLUE && mask & MASK_A'), 'int: 1');
  assert.equal(show(stopped, 'BLUE'), 'enum color: BLUE');
  assert.equal(show(stopped, 'packet.body[1]'), "uint8_t: 20 '\\024'");
  assert.equal(show(stopped, 'packet.body[0]@3'), 'uint8_t [3]: "\\n\\024\\036"');
  assert.equal(show(stopped, '*matrix@2'), 'int [2][3]: {{1, 2, 3}, {4, 5, 6}}');
  assert.equal(show(stopped, '&matrix[1][1] - &matrix[0][0]'), 'int: 4');
  assert.equal(show(stopped, '(point_t *)node == &node->at'), 'int: 1');
  assert.equal(show(stopped, '((struct node *)node)->tag'), 'char [8]: "tagged\\000"');
  assert.equal(show(stopped, '*(unsigned char *)anything'), "unsigned char: 235 '\\353'");
  assert.equal(show(stopped, 'sizeof(struct node) == sizeof *node'), 'int: 1');
  assert.equal(show(stopped, 'visits'), 'int: 2');
  assert.equal(show(stopped, 'visit::visits'), 'int: 2');
  assert.equal(show(stopped, 'nothing ? 1 : 2'), 'int: 2');
  assert.equal(show(stopped, 'local'), 'point_t: {x = 1, y = -2}');
  assert.equal(show(stopped, 'depth', 1), 'int: 0');
  assert.equal(show(stopped, 'unsigned_huge >> 60'), 'unsigned long long: 15');
  assert.equal(show(stopped, 'single * real'), 'double: -3.375');
  assert.equal(show(stopped, 'text[0]'), "char: 116 't'");
  assert.equal(show(stopped, '"abc"[1]'), "char: 98 'b'");
  assert.equal(show(stopped, 'truth'), '_Bool: true');
});

test('registers', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const { target } = stopped.run;
  assert.equal(show(stopped, '(unsigned)$sp'), `unsigned int: ${target.readRegisterNow('sp')}`);
  assert.match(show(stopped, '$pc'), /^void \(\*\)\(\): @ <visit\+\d+>$/);
  assert.equal(show(stopped, '(unsigned)$r13 == (unsigned)$sp'), 'int: 1');
  assert.equal(show(stopped, '(unsigned)$sp > (unsigned)$sp', 1), 'int: 0');
  assert.equal(show(stopped, '$xpsr >> 24'), 'int: 1');
  assert.notEqual(show(stopped, '(unsigned)$sp', 1), show(stopped, '(unsigned)$sp'));
  assert.match(failure(stopped, '$r99').message, /no register \$r99/);
  assert.match(failure(stopped, '&$r0').message, /register has no address/);
  perform(stopped, '$r3 = -2');
  assert.equal(target.readRegisterNow('r3'), 0xffff_fffen);
  // r3 of the caller was not saved anywhere else: it is the same register.
  perform(stopped, '$r3 += 5');
  assert.equal(target.readRegisterNow('r3'), 3n);
  // r7 of the caller is on the stack.
  const [write] = perform(stopped, '$r7 = 0x20001234', 1);
  assert.equal(write.kind, 'memory');
});

test('assignments are writes, seen by the rest of the expression', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const after = (text: string, look: string): string => {
    perform(stopped, text);
    return show(stopped, look).replace(/^.*: /, '');
  };
  assert.equal(after('number = 5', 'number'), '5');
  assert.equal(after('number += 10', 'number'), '15');
  assert.equal(after('number <<= 2', 'number'), '60');
  assert.equal(after('++number', 'number'), '61');
  assert.equal(after('number--', 'number'), '60');
  assert.equal(after('small = 300', 'small'), "44 ','");
  assert.equal(after('truth = 7', 'truth'), 'true');
  assert.equal(after('single = 1.0 / 3', 'single'), '0.333333343');
  assert.equal(after('real = number', 'real'), '60');
  assert.equal(after('color = GREEN', 'color'), 'GREEN');
  assert.equal(
    after('node->flags.level = -3', 'node->flags'),
    '{ready = 1, level = -3, kind = 100, on = true, tint = GREEN, wide = 73588229205}',
  );
  assert.equal(after('node->flags.wide = 0x1fffffffff', 'node->flags.wide'), '137438953471');
  assert.equal(after('node->flags.tint = NONE', 'node->flags.tint'), 'NONE');
  assert.equal(after('node->flags.ready = 2', 'node->flags.ready'), '0');
  assert.equal(after('local = node->next ? local : head.at', 'local'), '{x = 7, y = 8}');
  assert.equal(after('head.at = tail.at, head.at.y = 9', 'head.at'), '{x = 1, y = 9}');
  assert.equal(after('matrix[1][2] = matrix[0][0] = -1', 'matrix'), '{{-1, 2, 3}, {4, 5, -1}}');
  assert.equal(after('string++', 'string'), '@ "ointed to"');
  assert.equal(after('string += 3', 'string'), '@ "ted to"');
  assert.equal(after('operation = 0', 'operation'), '@');
  assert.equal(after("text[0] = 'T'", 'text'), '"Text \\"quoted\\"\\n"');
  // Reads after a write of the same evaluation see it; an index with a side effect is evaluated once.
  assert.equal(show(stopped, '(number = 1, number + 1)'), 'int: 2');
  assert.equal(show(stopped, 'number++ + number'), 'int: 121');
  assert.equal(show(stopped, '(number = 0, matrix[0][number++] += 10, matrix[0][0] * 100 + number)'), 'int: 901');
  assert.equal(show(stopped, 'number'), 'int: 60');
  assert.equal(show(stopped, '(small = 200)'), "signed char: -56 '\\310'");
  assert.equal(show(stopped, 'node->flags.level = 20'), 'int: -12');
});

test('an expression that fails writes nothing', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  assert.throws(() => perform(stopped, '(number = 5, *(int *)4)'), ExpressionError);
  assert.notEqual(show(stopped, 'number'), 'int: 5');
});

test('what cannot be, with its place in the text', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const cases: readonly (readonly [string, RegExp, number, number])[] = [
    ['1 + nowhere', /No symbol "nowhere"/, 4, 7],
    ['node.nothing', /no member named nothing/, 5, 7],
    ['*real', /only a pointer can be dereferenced/, 1, 4],
    ['number->x', /int has no members/, 0, 6],
    ['number[1]', /cannot be indexed/, 0, 6],
    ['1 + *(int *)4', /Cannot access memory at address 0x4/, 4, 9],
    ['node + real', /not defined for pointers/, 0, 11],
    ['real % 2', /'%' needs integers/, 0, 8],
    ['~real', /'~' needs an integer/, 1, 4],
    ['5 = number', /no object that could be changed/, 0, 1],
    ['matrix = 0', /cannot be assigned/, 0, 6],
    ['head = 5', /cannot be assigned to struct node/, 7, 1],
    ['&5', /only an object has an address/, 1, 1],
    ['&node->flags.kind', /bit-field has no address/, 1, 16],
    ['1 / (number - number)', /Division by zero/, 0, 21],
    ['add(1, 2)', /called in the Debug Console only/, 0, 9],
    ['number(1)', /cannot be called/, 0, 6],
    ['(struct nowhere *)0', /No struct type named nowhere/, 1, 16],
    ['(point_t)number', /cannot be cast to point_t/, 0, 15],
    ['point_t', /is a type, not a value/, 0, 7],
    ['number@0', /Invalid number 0 of repetitions/, 7, 1],
    ['5@2', /Only values in memory/, 0, 1],
    ['head + 1', /a value of type struct node is no number/, 0, 4],
    ['node ? head : 1', /do not go together/, 0, 15],
  ];
  for (const [text, message, offset, length] of cases) {
    const error = failure(stopped, text);
    assert.match(error.message, message, text);
    assert.deepEqual([error.offset, error.length], [offset, length], `${text}: ${error.message}`);
  }
  // Typed although not evaluated, and not evaluated where C does not.
  assert.equal(show(stopped, 'sizeof(add(1, 2))'), 'unsigned int: 4');
  assert.equal(show(stopped, '1 || add(1, 2)'), 'int: 1');
  assert.equal(show(stopped, '0 && *(int *)4'), 'int: 0');
  assert.equal(show(stopped, '1 ? 2 : 1 / 0'), 'int: 2');
});

test('a hover changes nothing', async () => {
  const { run, frames } = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const scope = scopeOf({ run, frames });
  for (const text of ['number = 1', 'number++', '--number', 'number += 1', 'sizeof(number = 1)']) {
    assert.throws(() => compileExpression(text, scope, { sideEffects: 'forbid' }), /nothing may be changed here/, text);
  }
  assert.throws(() => compileCondition('number = 1', scope), /nothing may be changed here/);
});

test('objects without address and without value', async () => {
  const run = await TruthRun.start(truthCase('deep.m3-Os'), 5);
  // The first instruction of fib: its parameter is in r0.
  await run.runTo(run.addressOf('.text+0x0'));
  const stopped = { run, frames: run.frames() };
  assert.equal(show(stopped, 'n'), 'int: 5');
  assert.equal(show(stopped, 'a'), 'int: <optimized out>');
  assert.equal(show(stopped, '(int)a'), 'int: <optimized out>');
  assert.equal(failure(stopped, '(long)a').message, 'value has been optimized out');
  assert.equal(failure(stopped, 'a + 1').message, 'value has been optimized out');
  assert.match(failure(stopped, '&n').message, /not located in memory/);
  assert.match(failure(stopped, 'n@2').message, /Only values in memory/);
  assert.match(failure(stopped, 'a = 1').message, /optimized out/);
  // GCC's copy has a symbol leaf.constprop.0.
  assert.match(show(stopped, 'leaf'), /@ <leaf>$/);
  const [write] = perform(stopped, 'n = 9');
  assert.equal(write.kind, 'register');
  assert.equal(show(stopped, 'n'), 'int: 9');
});

test('only the symbol table knows it', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const symbols = new Map([['bare', 0x2000_0000n]]);
  const bare = {
    debug: undefined,
    toLink: () => undefined,
    toLoad: () => undefined,
    symbolNamed: (name: string) => symbols.get(name),
  };
  const scope = new FrameScope({ machine: stopped.run.machine, modules: [bare], frame: undefined });
  assert.throws(() => compileExpression('bare + 1', scope), /'bare' has unknown type; cast it to its declared type/);
  const { value } = stopped.run.query(evaluateExpression(compileExpression('&bare', scope), { frame: scope.frame }));
  assert.equal(stopped.run.query(formatValue(value)), '0x20000000');
  assert.equal(compileExpression('(short)bare', scope).node.type.displayName, 'short');
});

test('a condition is compiled once and costs microseconds', async () => {
  const stopped = await stopAt('data', 'm3-O0', 'data', 'BP2', 4);
  const condition = compileCondition('depth == 1000 || node->at.x == 1000', scopeOf(stopped));
  const { view } = stopped.run.target;
  const [{ frame }] = stopped.frames;
  const once = (): boolean =>
    runQuery(evaluateCondition(condition, { frame: frame.withRegisters(view.registers) }), (r) => view.read(r));
  assert.equal(once(), false);
  const count = 20_000;
  for (let i = 0; i < 2000; i++) once();
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) once();
  const { user, system } = process.cpuUsage(before);
  const perSecond = count / ((user + system) / 1e6);
  assert.ok(perSecond > 20_000, `${Math.round(perSecond)} evaluations a second`);
  perform(stopped, 'depth = 1000');
  assert.equal(once(), true);
});
