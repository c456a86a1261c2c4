/**
 * Which variables are in scope at an instruction, against the arguments and locals that gdb listed at every stop of its
 * sessions: names, types, declaration lines; and the function (or inlined function) it named.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Scope } from '../lib/dwarf/model';
import { Program } from '../lib/program/program';
import { truthCase, truthCases, truthElf, type TruthCase } from './support/gdb-truth';

interface Stop {
  readonly pc?: string;
  readonly stack?: number;
  readonly args?: readonly number[];
  readonly locals?: readonly number[];
}

interface Session {
  readonly step?: { readonly stops: readonly Stop[] };
  readonly next?: { readonly stops: readonly Stop[] };
  readonly pool?: {
    readonly frames: readonly (readonly [string, string, number, string])[];
    readonly stacks: readonly (readonly number[])[];
    readonly variables: readonly (readonly [string, number, string, string])[];
  };
}

function sessionOf({ name, folder }: TruthCase): Session {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Session;
}

function linkAddress(program: Program, place: string): bigint {
  const [name, offset] = place.split('+');
  const section = program.sections.find((candidate) => candidate.name === name);
  assert.ok(section, place);
  return section.address + BigInt(offset);
}

/** Scopes of the frame that is shown: gdb hides an inlined call whose first instruction the pc is at. */
function shownScopes(scopes: readonly Scope[], inlineName: string | undefined): readonly Scope[] {
  const ends = scopes.map((scope, i) => (scope.kind === 'block' ? -1 : i)).filter((i) => i >= 0);
  const end = ends.find((i) => scopes[i].inline?.name === inlineName) ?? scopes.length - 1;
  const begin = ends.filter((i) => i < end).at(-1);
  return scopes.slice(begin === undefined ? 0 : begin + 1, end + 1);
}

const ownCases = ['shapes.m3-O0', 'shapes.m3-Os', 'deep.m3-O0', 'deep.m3-Os'].map(truthCase);
const shared = truthCases().filter(({ folder }) => folder !== ownCases[0].folder);

for (const truth of shared.length > 0 ? shared : ownCases) {
  test(`variables in scope at the stops of ${truth.name} are gdb's`, () => {
    const program = Program.open(truthElf(truth));
    const { debug } = program;
    const { step, next, pool } = sessionOf(truth);
    assert.ok(debug && pool && step && next);
    for (const { pc, stack, args, locals } of [...step.stops, ...next.stops]) {
      if (pc === undefined || stack === undefined || args === undefined || locals === undefined) continue;
      const frame: readonly [string, string, number, string] = pool.frames[pool.stacks[stack][0]];
      const scopes = shownScopes(
        debug.scopesAt(linkAddress(program, pc)),
        frame[3] === 'inline' ? frame[0] : undefined,
      );
      const describe = (isParameter: boolean): string[] =>
        scopes
          .flatMap((scope) => scope.variables.filter((variable) => variable.isParameter === isParameter))
          // gdb 13 does not list a local whose value is a constant.
          .filter(({ constValue }) => isParameter || constValue === undefined)
          .map(({ name, declaration, type }) => `${name} ${declaration?.line} ${type.displayName}`)
          .sort();
      const expect = (indices: readonly number[]): string[] =>
        indices.map((index) => pool.variables[index].slice(0, 3).join(' ')).sort();
      assert.deepEqual(describe(true), expect(args), `arguments at ${pc}`);
      assert.deepEqual(describe(false), expect(locals), `locals at ${pc}`);
      const name: string | undefined = debug.functionAt(linkAddress(program, pc))?.name;
      if (frame[3] === '') assert.equal(name, frame[0], pc);
    }
  });
}
