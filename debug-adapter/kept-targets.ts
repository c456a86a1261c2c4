/**
 * The targets of a server, by name: those that are being debugged, and those that a client has left (disconnect with
 * terminateDebuggee false) for another one to find (attach). What is left is whole: machine, history, loads, checkpoints.
 */
import { errors } from './errors';
import type { SessionState } from './session-state';

export class KeptTargets {
  private readonly targets = new Map<string, { readonly session: SessionState; isLeft: boolean }>();

  /** The name that the target has from now on. `wanted`: as the launch says; else it is made of `usual`. */
  add(session: SessionState, wanted: string | undefined, usual: string): string {
    const known = this.nameOf(session);
    if (known !== undefined) return known;
    if (wanted !== undefined && this.targets.has(wanted)) throw errors.nameInUse(wanted);
    let name = wanted ?? usual;
    for (let count = 2; this.targets.has(name); count++) name = `${usual}-${count}`;
    this.targets.set(name, { session, isLeft: false });
    return name;
  }

  nameOf(session: SessionState): string | undefined {
    return [...this.targets].find(([, target]) => target.session === session)?.[0];
  }

  leave(session: SessionState): void {
    for (const target of this.targets.values()) if (target.session === session) target.isLeft = true;
  }

  remove(session: SessionState): void {
    for (const [name, target] of this.targets) if (target.session === session) this.targets.delete(name);
  }

  /** Without a name: the only one that was left. It is in use from now on. */
  take(wanted: string | undefined): SessionState {
    const left = [...this.targets].flatMap(([name, { isLeft }]) => (isLeft ? [name] : []));
    const name = wanted ?? (left.length === 1 ? left[0] : undefined);
    if (name === undefined) {
      if (left.length === 0) throw errors.noTarget('no client has left one at this server', this.inUse());
      throw errors.noTarget(`several are left: name one in "target" (${quoted(left)})`, '');
    }
    const target = this.targets.get(name);
    if (target === undefined) throw errors.noTarget(`there is no '${name}'`, this.choice(left));
    if (!target.isLeft) throw errors.targetInUse(name);
    target.isLeft = false;
    return target.session;
  }

  private choice(left: readonly string[]): string {
    return left.length === 0 ? this.inUse() : `; left are ${quoted(left)}`;
  }

  private inUse(): string {
    const names = [...this.targets.keys()];
    return names.length === 0 ? '' : `; in use are ${quoted(names)}`;
  }
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
