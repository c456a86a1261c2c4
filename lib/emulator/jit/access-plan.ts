/**
 * Which loads and stores of a block share a check. Accesses at constant distances from one address, be it in several registers, are
 * a group: the first of them finds the host address of all, the first store sees that all may be stored. When a
 * check fails the region is left there, although that very access may be allowed: the interpreter does it, and where
 * that happens often the access is translated alone.
 */
import type { Access, Effects } from './emitter';
import type { Guest } from './guest';
import type { Region } from './region';

/** Accesses with one check; offsets are from the address that they have in common. */
export interface Group {
  min: number;
  /** Behind the last byte. */
  max: number;
  storeMin: number;
  storeMax: number;
  hasLoads: boolean;
  /** The low bits of offsets that have to be of aligned words. */
  alignedAt: number | undefined;
  /** It is about the stack, which the window is chosen around. */
  readonly onStack: boolean;
  /** While emitting: the local with the host address of `min` less `bias`, once that is known. */
  pointer: number | undefined;
  bias: number;
  writable: boolean;
}

export interface PlannedAccess {
  readonly group: Group;
  readonly offset: number;
}

/** By instruction, then by access of it; undefined = alone. */
export type AccessPlan = readonly (readonly (PlannedAccess | undefined)[])[];

const maximumSpan = 1024;

interface Value {
  readonly root: object;
  readonly offset: number;
  readonly onStack: boolean;
}

class Planner {
  private readonly values = new Map<number, Value>();
  private readonly groups = new Map<object, Group>();

  constructor(private readonly stackWords: number) {}

  plan(access: Access, isConditional: boolean): PlannedAccess | undefined {
    const { root, offset: start, onStack } = this.valueOf(access.base);
    const offset = start + access.offset;
    const known = this.groups.get(root);
    // What is executed in one case only cannot check for what comes after it.
    if (isConditional && (known === undefined || (access.store && known.storeMin >= known.storeMax))) return undefined;
    const group = known !== undefined && extend(known, access, offset) ? known : newGroup(access, offset, onStack);
    if (group !== known) {
      if (isConditional) return undefined;
      this.groups.set(root, group);
    }
    return { group, offset };
  }

  follow({ defs, derivations }: Effects, isConditional: boolean): void {
    if (defs === 0) return;
    const derived = isConditional
      ? []
      : (derivations ?? []).map(({ word, from, offset }): [number, Value] => {
          const value = this.valueOf(from);
          return [word, { ...value, offset: value.offset + offset }];
        });
    for (let word = 0; word < 32; word++) if ((defs >>> word) & 1) this.values.set(word, this.fresh(word));
    for (const [word, value] of derived) this.values.set(word, value);
  }

  private fresh(word: number): Value {
    return { root: {}, offset: 0, onStack: ((this.stackWords >>> word) & 1) !== 0 };
  }

  private valueOf(word: number): Value {
    let value = this.values.get(word);
    if (value === undefined) this.values.set(word, (value = this.fresh(word)));
    return value;
  }
}

function newGroup({ bytes, aligned, store }: Access, offset: number, onStack: boolean): Group {
  const end = offset + bytes;
  return {
    min: offset,
    max: end,
    storeMin: store ? offset : Infinity,
    storeMax: store ? end : -Infinity,
    hasLoads: !store,
    alignedAt: aligned ? offset & 3 : undefined,
    onStack,
    pointer: undefined,
    bias: 0,
    writable: false,
  };
}

function extend(group: Group, { bytes, aligned, store }: Access, offset: number): boolean {
  const end = offset + bytes;
  const [min, max] = [Math.min(group.min, offset), Math.max(group.max, end)];
  if (max - min > maximumSpan) return false;
  if (aligned && group.alignedAt !== undefined && group.alignedAt !== (offset & 3)) return false;
  group.min = min;
  group.max = max;
  if (aligned) group.alignedAt = offset & 3;
  if (!store) group.hasLoads = true;
  else {
    group.storeMin = Math.min(group.storeMin, offset);
    group.storeMax = Math.max(group.storeMax, end);
  }
  return true;
}

/**
 * The plan of a block; completes `leaves` of the effects. `isAlone`: the accesses of the instruction there share no check.
 * `stackWords`: registers that usually point into the stack.
 */
export function planAccesses(
  guests: readonly Guest[],
  effects: readonly Effects[],
  stackWords: number,
  isAlone: (pc: number) => boolean,
): AccessPlan {
  const planner = new Planner(stackWords);
  const checked = new Set<Group>();
  const stored = new Set<Group>();
  return guests.map((guest, i) => {
    const { accesses } = effects[i];
    const isConditional = guest.test !== undefined;
    const planned = (accesses ?? []).map((access) => {
      const plan = isAlone(guest.pc) ? undefined : planner.plan(access, isConditional);
      if (plan === undefined || !checked.has(plan.group) || (access.store && !stored.has(plan.group))) {
        effects[i].leaves = true;
      }
      if (plan !== undefined) {
        checked.add(plan.group);
        if (access.store) stored.add(plan.group);
      }
      return plan;
    });
    planner.follow(effects[i], isConditional);
    return planned;
  });
}

/**
 * Words that point into the stack wherever they are used: `pointers` do at the entry, and every change in the region makes
 * them of such a word by an addition. What a block that leaves changes is its caller's value, which it has restored.
 */
export function stackWordsOf(region: Region, effects: readonly (readonly Effects[])[], pointers: number): number {
  const leaves = region.blocks.map(({ guests }) => guests.at(-1)?.flow === 'leave');
  const changes = effects.flatMap((block, index) => (leaves[index] ? [] : block));
  let words = pointers;
  for (const { derivations } of changes) {
    for (const { word, from } of derivations ?? []) if ((words >>> from) & 1) words |= 1 << word;
  }
  for (let before = 0; before !== words;) {
    before = words;
    for (const { defs, derivations } of changes) {
      let derived = 0;
      for (const { word, from } of derivations ?? []) if ((words >>> from) & 1) derived |= 1 << word;
      words &= ~(defs & ~derived);
    }
  }
  return words;
}
