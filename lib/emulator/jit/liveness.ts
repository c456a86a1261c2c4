/**
 * Which state words are dirty (their local is newer than the state) and which are needed where. Leaving the region
 * stores the dirty ones and therefore needs them; a call stores them, and what is needed after it is loaded again.
 */
import type { Effects } from './emitter';
import type { Block, Region } from './region';

export interface Flows {
  /** By block, then by instruction. */
  readonly effects: readonly (readonly Effects[])[];
  /** Dirty words at a block's begin. */
  readonly dirtyIn: readonly number[];
  /** Needed words at a block's begin. */
  readonly liveIn: readonly number[];
  /** The set that is stored when the region is left with `dirty` words: one of a few. */
  readonly stored: (dirty: number) => number;
  readonly storedSets: readonly number[];
}

/** Each set is a piece of code at the function's end. */
const maximumSets = 12;

export const isCall = (block: Block): boolean => {
  const flow = block.guests.at(-1)?.flow;
  return flow === 'call' || flow === 'callTo' || flow === 'interpret';
};

const isConditional = (block: Block): boolean => block.guests.at(-1)?.test !== undefined;

function dirtyThrough(block: Block, effects: readonly Effects[], dirtyIn: number): number {
  const dirty = effects.reduce((sum, { defs }) => sum | defs, dirtyIn);
  return isCall(block) && !isConditional(block) ? 0 : dirty;
}

function computeDirty({ blocks }: Region, effects: readonly (readonly Effects[])[]): number[] {
  const dirtyIn = new Array<number>(blocks.length).fill(0);
  for (let changed = true; changed;) {
    changed = false;
    blocks.forEach((block, index) => {
      const out = dirtyThrough(block, effects[index], dirtyIn[index]);
      for (const successor of block.successors) {
        if ((dirtyIn[successor] | out) === dirtyIn[successor]) continue;
        dirtyIn[successor] |= out;
        changed = true;
      }
    });
  }
  return dirtyIn;
}

/** Every set of dirty words that the region is left with. */
function leavingSets(
  { blocks }: Region,
  effects: readonly (readonly Effects[])[],
  dirtyIn: readonly number[],
): number[] {
  const sets = new Set<number>();
  blocks.forEach((block, index) => {
    // At the begin: no budget for the block, or an address outside.
    sets.add(dirtyIn[index]);
    let dirty = dirtyIn[index];
    block.guests.forEach((guest, i) => {
      if (effects[index][i].leaves || guest.flow === 'stop') sets.add(dirty);
      dirty |= effects[index][i].defs;
      if (guest.flow === 'leave' || guest.flow === 'call' || guest.flow === 'callTo') sets.add(dirty);
    });
  });
  return [...sets];
}

const bitCount = (set: number): number => {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
};

/** Few sets, such that each of the given ones is within one. */
function chooseSets(sets: readonly number[]): number[] {
  const chosen = [...sets].sort((a, b) => bitCount(a) - bitCount(b));
  while (chosen.length > maximumSets) {
    // The two smallest that are next to each other become one.
    const first = chosen.shift() ?? 0;
    chosen[0] |= first;
    chosen.sort((a, b) => bitCount(a) - bitCount(b));
  }
  return chosen;
}

export function computeFlows(region: Region, effects: readonly (readonly Effects[])[]): Flows {
  const { blocks } = region;
  const dirtyIn = computeDirty(region, effects);
  const storedSets = chooseSets(leavingSets(region, effects, dirtyIn));
  const choice = new Map<number, number>();
  const stored = (dirty: number): number => {
    let set = choice.get(dirty);
    if (set === undefined) {
      set = storedSets.find((candidate) => (dirty & ~candidate) === 0) ?? storedSets[storedSets.length - 1];
      choice.set(dirty, set);
    }
    return set;
  };
  const liveIn = new Array<number>(blocks.length).fill(0);
  for (let changed = true; changed;) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const live = liveBefore(blocks[index], effects[index], dirtyIn[index], liveOut(blocks[index], liveIn), stored)[0];
      if (live === liveIn[index]) continue;
      liveIn[index] = live;
      changed = true;
    }
  }
  return { effects, dirtyIn, liveIn, stored, storedSets };
}

export const liveOut = (block: Block, liveIn: readonly number[]): number =>
  block.successors.reduce((sum, successor) => sum | liveIn[successor], 0);

/** Needed words before each instruction of a block, and last behind the last one's own effects. */
export function liveBefore(
  block: Block,
  effects: readonly Effects[],
  dirtyIn: number,
  out: number,
  stored: (dirty: number) => number,
): number[] {
  const { guests } = block;
  const dirty: number[] = [dirtyIn];
  effects.forEach(({ defs }, i) => dirty.push(dirty[i] | defs));
  const result = new Array<number>(guests.length + 1);
  const last = guests.at(-1);
  const dirtyOut = dirty[guests.length];
  let live = out;
  if (isCall(block)) live = dirtyOut | (last?.test !== undefined ? out : 0);
  if (last?.flow === 'leave' || isCall(block)) live |= stored(dirtyOut);
  result[guests.length] = live;
  for (let i = guests.length - 1; i >= 0; i--) {
    const { uses, defs, leaves } = effects[i];
    live = (live & ~defs) | uses;
    if (leaves || guests[i].flow === 'stop') live |= stored(dirty[i]);
    result[i] = live;
  }
  // The begin of a block is a place to leave at.
  result[0] |= stored(dirtyIn);
  return result;
}
