/**
 * The watchpoints of an emulated target, each with its own condition, on top of the engine's (emulator/watchpoints.ts). A hit names
 * who made the access: an instruction, a function that the host performed, or the loader.
 */
import type { Machine } from '../emulator/types';
import type { WatchHit, Watchpoint } from '../emulator/watchpoints';
import type { SynchronousView, TargetWatchHit, TargetWatchpoint } from './target';

interface Armed {
  readonly id: number;
  readonly condition: TargetWatchpoint['condition'];
}

export class TargetWatchpoints {
  private readonly armed = new Map<Watchpoint, Armed>();
  private nextId = 1;

  constructor(private readonly machine: Machine) {}

  /** False: the engine cannot watch. */
  get supported(): boolean {
    return this.machine.watchpoints !== undefined;
  }

  /** RangeError when the engine cannot watch, or not this range. */
  add({ address, length, kind, condition }: TargetWatchpoint): number {
    const { watchpoints } = this.machine;
    if (watchpoints === undefined) throw new RangeError('this engine cannot watch memory');
    if (address < 0n || address > 0xffff_ffffn) throw new RangeError(`no memory is at 0x${address.toString(16)}`);
    const watchpoint: Watchpoint = { address: Number(address), length, kind };
    watchpoints.add(watchpoint);
    const id = this.nextId++;
    this.armed.set(watchpoint, { id, condition });
    return id;
  }

  /** Nothing happens for an id that is not known (any more). */
  remove(id: number): void {
    for (const [watchpoint, armed] of this.armed) {
      if (armed.id !== id) continue;
      this.armed.delete(watchpoint);
      this.machine.watchpoints?.remove(watchpoint);
    }
  }

  /** Runs what the host does at the address that was called, with its accesses noticed. */
  observe<T>(pc: number, body: () => T): { readonly value: T; readonly hits: readonly WatchHit[] } {
    return this.machine.watchpoints?.observeHost(pc, body) ?? { value: body(), hits: [] };
  }

  /** The hits whose conditions hold; every condition is asked, because it may count. `host`: who acted, if not the guest. */
  told(hits: readonly WatchHit[], view: SynchronousView, host: string | undefined): TargetWatchHit[] {
    return hits.flatMap((hit) => {
      const armed = this.armed.get(hit.watchpoint);
      if (armed === undefined) return [];
      const { access, address, size, start, before, after } = hit;
      const told: TargetWatchHit = {
        id: armed.id,
        pc: BigInt(hit.pc),
        host,
        access,
        address: BigInt(address),
        size,
        start: BigInt(start),
        before,
        after,
      };
      return armed.condition === undefined || armed.condition(told, view) ? [told] : [];
    });
  }
}
