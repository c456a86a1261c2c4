/**
 * Stacks, arguments, locals and watches at every `step` stop of the reference sessions (test/gdb-truth), without the
 * stepper: the target runs from one recorded pc to the next. What differs from gdb on purpose is listed in
 * test/dwarf-truth-differences.json with the reason.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { truthCases } from './support/gdb-truth';
import { TruthRun, truthSession, type TruthSession, type TruthStop, type TruthVariable } from './support/truth-session';

interface Difference {
  readonly case: string;
  /** Index of the stop, or '*'. */
  readonly stop: number | '*';
  /** 'stack', a variable's or an expression's text. */
  readonly what: string;
  readonly reason: string;
}

const listed = JSON.parse(readFileSync(join(__dirname, 'dwarf-truth-differences.json'), 'utf8')) as Difference[];
const usedDifferences = new Set<Difference>();

function isListed(name: string, stop: number, what: string): boolean {
  const found = listed.find(
    (difference) =>
      difference.case === name && (difference.stop === '*' || difference.stop === stop) && difference.what === what,
  );
  if (found) usedDifferences.add(found);
  return found !== undefined;
}

class Comparison {
  readonly problems: string[] = [];
  compared = 0;

  constructor(
    private readonly name: string,
    private readonly session: TruthSession,
    private readonly run: TruthRun,
  ) {}

  async all(): Promise<void> {
    const { stops } = this.session.step;
    for (const [i, stop] of stops.entries()) {
      if (!(await this.arrive(i))) {
        this.problems.push(`stop ${i} at ${stop.pc} is never reached`);
        return;
      }
      this.compare(i, stop);
    }
  }

  /** Goes to a stop. The same pc twice in a row with another stack is an inlined call entered without running. */
  private async arrive(index: number): Promise<boolean> {
    const { stops } = this.session.step;
    const stop = stops[index];
    const address = this.run.addressOf(stop.pc);
    const before = index > 0 ? stops[index - 1] : undefined;
    if (before === undefined && this.run.pc === address) return true;
    if (before?.pc === stop.pc && before.stack !== stop.stack && this.run.startingInlines() > 0) return true;
    return this.run.runTo(address);
  }

  private compare(index: number, stop: TruthStop): void {
    const { pool, step } = this.session;
    const wanted = pool.stacks[stop.stack].map((frame) => pool.frames[frame]);
    const candidates = Array.from({ length: this.run.startingInlines() + 1 }, (_, hidden) => this.run.frames(hidden));
    const frames =
      candidates.find((found) =>
        same(
          found.map((frame) => this.run.describeFrame(frame)),
          wanted,
        ),
      ) ?? candidates[0];
    const shown = frames.map((frame) => this.run.describeFrame(frame));
    this.check(index, stop, 'stack', shown, wanted);
    if (frames.length !== wanted.length) return;
    this.variables(index, stop, this.run.args(frames[0]), stop.args, '');
    this.variables(index, stop, this.run.locals(frames[0]), stop.locals, '');
    const callers = step.caller_variables?.find((entry) => entry.stop === index)?.frames ?? [];
    for (const [i, { args, locals }] of callers.entries()) {
      this.variables(index, stop, this.run.args(frames[i + 1]), args, `#${i + 1} `);
      this.variables(index, stop, this.run.locals(frames[i + 1]), locals, `#${i + 1} `);
    }
    const values = step.watches?.find((entry) => entry.stop === index)?.values ?? [];
    for (const [i, [type, text]] of values.entries()) {
      const expression = this.session.watches[i];
      const found = this.run.evaluate(expression, frames[0]);
      // gdb's sizeof is an int; C's is a size_t.
      if (expression.startsWith('sizeof') && /^unsigned (int|long)$/.test(found[0] ?? '')) found[0] = 'int';
      if (text === '<unstable>') this.check(index, stop, expression, found[0], type);
      else this.check(index, stop, expression, type === null ? found[0] : found, type === null ? null : [type, text]);
    }
  }

  private variables(
    index: number,
    stop: TruthStop,
    shown: readonly TruthVariable[],
    wanted: readonly number[],
    prefix: string,
  ): void {
    const truth = wanted.map((variable) => this.session.pool.variables[variable]);
    const names = (list: readonly TruthVariable[]): string[] =>
      list.map(([name, line, type]) => `${type} ${name}:${line}`);
    this.check(index, stop, `${prefix}names`, names(shown), names(truth));
    if (shown.length !== truth.length) return;
    for (const [i, [name, , , value]] of truth.entries()) {
      if (value !== '<unstable>') this.check(index, stop, `${prefix}${name}`, shown[i][3], value);
    }
  }

  private check(index: number, { pc }: TruthStop, what: string, shown: unknown, wanted: unknown): void {
    this.compared++;
    if (same(shown, wanted) || isListed(this.name, index, what)) return;
    this.problems.push(
      `stop ${index} ${pc} ${what}:\n  is     ${JSON.stringify(shown)}\n  wanted ${JSON.stringify(wanted)}`,
    );
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Of most builds test/gdb-truth keeps what needs no run; the larger collection has the sessions of all. In `paths` stepping passes the
 * pc of a stop without stopping there, so that only a stepper finds its stops (dap-gdb-truth.test.ts).
 */
const cases = truthCases().filter((testCase) => {
  return truthSession(testCase).step !== undefined && !testCase.name.startsWith('paths.');
});

for (const testCase of cases) {
  test(testCase.name, async () => {
    const session = truthSession(testCase);
    if (isListed(testCase.name, 0, 'load')) {
      await assert.rejects(TruthRun.start(testCase, session.argument), /ENOEXEC/);
      return;
    }
    const comparison = new Comparison(testCase.name, session, await TruthRun.start(testCase, session.argument));
    await comparison.all();
    const { problems, compared } = comparison;
    assert.equal(problems.length, 0, `${problems.length} of ${compared}:\n${problems.slice(0, 40).join('\n')}`);
    assert.ok(compared > session.step.stops.length * 3);
  });
}

test('every listed difference is one', () => {
  const names = new Set(cases.map(({ name }) => name));
  const stale = listed.filter((difference) => names.has(difference.case) && !usedDifferences.has(difference));
  assert.deepEqual(stale, []);
  for (const name of ['shapes.m3-O0', 'shapes.m3-Os', 'deep.m3-O0', 'deep.m3-Os']) assert.ok(names.has(name), name);
});
