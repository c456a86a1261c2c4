/**
 * The breakpoints of an emulated target: several may share an address, each with its own condition. The machine only
 * knows addresses. Everything here is synchronous, so that breakpoints can be armed while the loader runs.
 */
import type { Machine } from '../emulator/types';
import type { SynchronousView, TargetBreakpoint } from './target';

interface Armed {
  readonly id: number;
  readonly condition: TargetBreakpoint['condition'];
  readonly arrive: TargetBreakpoint['arrive'];
  readonly onlyExecuted: boolean;
}

/** An arrival where a condition holds; `stops` counts, and tells whether the program stops there. */
export interface Arrival {
  readonly id: number;
  /** undefined: it always stops. */
  readonly stops: (() => boolean) | undefined;
}

const noIds: readonly number[] = [];

export class Breakpoints {
  private readonly byAddress = new Map<number, Armed[]>();
  private nextId = 1;

  constructor(private readonly machine: Machine) {}

  add({ address, condition, arrive, onlyExecuted = false }: TargetBreakpoint): number {
    const at = Number(BigInt.asUintN(32, address)) & ~1;
    const key = at >>> 0;
    const armed = this.byAddress.get(key) ?? [];
    if (armed.length === 0) this.machine.setBreakpoint(key);
    const id = this.nextId++;
    this.byAddress.set(key, [...armed, { id, condition, arrive, onlyExecuted }]);
    return id;
  }

  /** Nothing happens for an id that is not known (any more). */
  remove(id: number): void {
    for (const [address, armed] of this.byAddress) {
      const kept = armed.filter((entry) => entry.id !== id);
      if (kept.length === armed.length) continue;
      if (kept.length > 0) {
        this.byAddress.set(address, kept);
      } else {
        this.byAddress.delete(address);
        this.machine.clearBreakpoint(address);
      }
      return;
    }
  }

  has(address: number): boolean {
    return this.byAddress.has(address);
  }

  /**
   * Ids of the breakpoints there whose conditions hold; every condition is asked, because it may count or log. `tell` is called
   * before something is; `isExecuted`: the instruction there will be. In a hot loop: nothing is allocated where no condition holds.
   */
  hit(address: number, view: SynchronousView, tell: () => void, isExecuted: boolean): readonly number[] {
    const armed = this.byAddress.get(address);
    if (armed === undefined) return noIds;
    let ids = noIds;
    for (const { id, condition, arrive, onlyExecuted } of armed) {
      if (onlyExecuted && !isExecuted) continue;
      if (arrive !== undefined) {
        const stops = arrive(view);
        if (stops === undefined) continue;
        tell();
        if (stops()) ids = [...ids, id];
        continue;
      }
      tell();
      if (condition === undefined || condition(view)) ids = [...ids, id];
    }
    return ids;
  }

  /** As hit(), in two halves: nothing is counted yet. */
  arrivals(address: number, view: SynchronousView): Arrival[] {
    const isExecuted = this.machine.passesOver !== true;
    return (this.byAddress.get(address) ?? []).flatMap(({ id, condition, arrive, onlyExecuted }): Arrival[] => {
      if (onlyExecuted && !isExecuted) return [];
      if (arrive !== undefined) {
        const stops = arrive(view);
        return stops === undefined ? [] : [{ id, stops }];
      }
      return condition === undefined || condition(view) ? [{ id, stops: undefined }] : [];
    });
  }
}
