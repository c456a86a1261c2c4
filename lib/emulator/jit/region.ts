/**
 * A region is what becomes one WebAssembly function: the guest instructions that can be reached from its entry without leaving the
 * guest function. Here: finding them, basic blocks, dominators (Cooper, Harvey, Kennedy 2001), and cutting the
 * edges that would make the graph irreducible.
 */
import type { Guest, Lifter } from './guest';

export interface Block {
  readonly start: number;
  readonly mode: number;
  /** Empty for a block that stands for an address outside of the region. */
  readonly guests: readonly Guest[];
  /** Block numbers: of a conditional instruction the target first, then what follows it. */
  successors: number[];
  predecessors: number[];
}

export interface Region {
  readonly entry: number;
  /** In reverse postorder: the entry is 0, and a lower number is never dominated by a higher one. */
  readonly blocks: readonly Block[];
  /** Immediate dominator of each block; the entry's is itself. */
  readonly dominator: readonly number[];
  /** Bytes that the translation depends on, as [start, end). */
  readonly ranges: readonly (readonly [number, number])[];
  readonly instructions: number;
}

/** Where instructions of other functions begin: a jump there leaves the region. */
export type IsOutside = (address: number) => boolean;

const maximumInstructions = 4000;
/** A longer straight piece is cut, so that little is left to the interpreter at the end of a budget. */
const maximumBlock = 128;

/** An address that is reached in two modes: a jump into an IT block. */
export class Untranslatable extends Error {
  constructor(address: number) {
    super(`code at 0x${address.toString(16)} cannot be translated`);
  }
}

class Discovery {
  readonly guests = new Map<number, Guest>();
  readonly leaders = new Set<number>();
  readonly modes = new Map<number, number>();
  private readonly work: number[];

  constructor(
    entry: number,
    private readonly lifter: Lifter,
    private readonly isOutside: IsOutside,
  ) {
    this.work = [entry];
    this.leaders.add(entry);
    this.modes.set(entry, 0);
    for (let pc = this.work.pop(); pc !== undefined; pc = this.work.pop()) {
      if (pc === entry || !isOutside(pc)) this.follow(pc);
    }
  }

  private follow(start: number): void {
    let pc = start;
    let mode = this.modes.get(pc) ?? 0;
    while (!this.guests.has(pc)) {
      // Left out here, it becomes a block outside.
      if (this.guests.size >= maximumInstructions || (pc !== start && this.isOutside(pc))) break;
      const guest = this.lifter.lift(pc, mode);
      this.guests.set(pc, guest);
      mode = this.lifter.modeAfter(guest);
      const targets = guest.flow === 'jump' ? [guest.target ?? 0] : (guest.targets ?? []);
      for (const target of targets) this.lead(target, 0);
      if (guest.flow === 'stop' || (guest.flow !== 'next' && !continues(guest))) return;
      if (guest.flow !== 'next') this.lead(guest.next, mode);
      pc = guest.next;
    }
    this.lead(pc, mode);
  }

  private lead(pc: number, mode: number): void {
    const known = this.guests.get(pc);
    if (known !== undefined && known.mode !== mode) throw new Untranslatable(pc);
    if (this.leaders.has(pc)) return;
    this.leaders.add(pc);
    this.modes.set(pc, mode);
    this.work.push(pc);
  }
}

/** Control can go on behind it. */
function continues({ flow, test }: Guest): boolean {
  return test !== undefined || flow === 'next' || flow === 'call' || flow === 'callTo' || flow === 'interpret';
}

interface Draft extends Block {
  readonly targets: number[];
}

function draftBlocks(found: Discovery): Map<number, Draft> {
  const drafts = new Map<number, Draft>();
  const pending = [...found.leaders];
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    if (drafts.has(start)) continue;
    const guests: Guest[] = [];
    let targets: number[] = [];
    let guest = found.guests.get(start);
    while (guest !== undefined) {
      guests.push(guest);
      if (guest.flow !== 'next') {
        targets = guest.flow === 'jump' ? [guest.target ?? 0] : [...(guest.targets ?? [])];
        if (guest.flow !== 'stop' && continues(guest)) targets.push(guest.next);
        break;
      }
      if (found.leaders.has(guest.next) || guests.length >= maximumBlock || !found.guests.has(guest.next)) {
        targets = [guest.next];
        if (!found.leaders.has(guest.next)) pending.push(guest.next);
        break;
      }
      guest = found.guests.get(guest.next);
    }
    const mode = guests[0]?.mode ?? found.modes.get(start) ?? 0;
    drafts.set(start, { start, mode, guests, targets, successors: [], predecessors: [] });
  }
  return drafts;
}

/** Reverse postorder from the entry. */
function order(entry: Draft, next: (draft: Draft) => readonly Draft[]): Draft[] {
  const done = new Set<Draft>();
  const result: Draft[] = [];
  const stack: { draft: Draft; at: number }[] = [];
  const visit = (draft: Draft): void => {
    if (done.has(draft)) return;
    done.add(draft);
    stack.push({ draft, at: 0 });
  };
  visit(entry);
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const successors = next(top.draft);
    if (top.at < successors.length) {
      // The last successor first: in reverse postorder what follows an instruction then comes before its target.
      visit(successors[top.at++]);
    } else {
      result.push(top.draft);
      stack.pop();
    }
  }
  return result.reverse();
}

function dominators(blocks: readonly Block[]): number[] {
  const dominator: number[] = new Array<number>(blocks.length).fill(-1);
  dominator[0] = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (let b = 1; b < blocks.length; b++) {
      let best = -1;
      for (const p of blocks[b].predecessors) {
        if (dominator[p] < 0) continue;
        best = best < 0 ? p : common(dominator, best, p);
      }
      if (dominator[b] !== best) {
        dominator[b] = best;
        changed = true;
      }
    }
  }
  return dominator;
}

function common(dominator: readonly number[], a: number, b: number): number {
  while (a !== b) {
    while (a > b) a = dominator[a];
    while (b > a) b = dominator[b];
  }
  return a;
}

function dominates(dominator: readonly number[], a: number, b: number): boolean {
  while (b > a) b = dominator[b];
  return a === b;
}

/** Bytes of the instructions, joined where they touch; `more` are data that were read when it was translated. */
function rangesOf(
  blocks: readonly Block[],
  more: readonly (readonly [number, number])[],
): (readonly [number, number])[] {
  const parts = blocks
    .filter(({ guests }) => guests.length > 0)
    .map(({ start, guests }): [number, number] => [start, Math.max(...guests.map((guest) => guest.next))]);
  const all = [...parts, ...more.map(([a, b]): [number, number] => [a, b])].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [start, end] of all) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

export function findRegion(entry: number, lifter: Lifter, isOutside: IsOutside): Region {
  const drafts = draftBlocks(new Discovery(entry, lifter, isOutside));
  const outside = new Map<number, Draft>();
  const outsideAt = (start: number, mode: number): Draft => {
    const known = outside.get(start);
    if (known !== undefined) return known;
    const made: Draft = { start, mode, guests: [], targets: [], successors: [], predecessors: [] };
    outside.set(start, made);
    return made;
  };
  /** Edges that go to the address as if it were outside, as 'from>to'. */
  const cut = new Set<string>();
  const first = drafts.get(entry);
  if (first === undefined) throw new Error('a region without its entry');
  const next = (draft: Draft): Draft[] =>
    draft.targets.map((target) => {
      const inside = drafts.get(target);
      if (inside === undefined || inside.guests.length === 0) return outsideAt(target, inside?.mode ?? 0);
      return cut.has(`${draft.start}>${target}`) ? outsideAt(target, inside.mode) : inside;
    });
  for (;;) {
    const blocks = order(first, next);
    const number = new Map(blocks.map((block, index) => [block, index]));
    for (const block of blocks) block.predecessors = [];
    blocks.forEach((block, index) => {
      block.successors = next(block).map((successor) => number.get(successor) ?? 0);
      for (const successor of block.successors) blocks[successor].predecessors.push(index);
    });
    const dominator = dominators(blocks);
    const before = cut.size;
    blocks.forEach((block, index) => {
      for (const s of block.successors) {
        if (s <= index && !dominates(dominator, s, index)) cut.add(`${block.start}>${blocks[s].start}`);
      }
    });
    if (cut.size > before) continue;
    const instructions = blocks.reduce((sum, block) => sum + block.guests.length, 0);
    return { entry, blocks, dominator, ranges: rangesOf(blocks, lifter.constants), instructions };
  }
}

/** Begin of the block with an instruction at the address. */
export function blockOf({ blocks }: Region, pc: number): number {
  return blocks.findIndex(({ guests }) => guests.some((guest) => guest.pc === pc));
}

/** Begin of the innermost loop that the block is in; undefined when it is in none. */
export function innermostLoop({ blocks, dominator }: Region, index: number): number | undefined {
  let best: { header: number; size: number } | undefined;
  blocks.forEach(({ predecessors, start }, header) => {
    const latches = predecessors.filter((p) => p >= header);
    if (latches.length === 0 || !dominates(dominator, header, index)) return;
    const body = new Set([header]);
    const work = [...latches];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      if (body.has(block)) continue;
      body.add(block);
      work.push(...blocks[block].predecessors);
    }
    if (body.has(index) && (best === undefined || body.size < best.size)) best = { header: start, size: body.size };
  });
  return best?.header;
}

/** Addresses of the functions that it calls. */
export function calleesOf({ blocks }: Region): number[] {
  return blocks.flatMap(({ guests }) => {
    const last = guests.at(-1);
    return last?.flow === 'call' && last.target !== undefined ? [last.target] : [];
  });
}
