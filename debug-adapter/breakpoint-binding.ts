/**
 * Breakpoints in loaded code. A breakpoint waits until an extension with its code is placed in memory, and is set
 * there before the loader is done, so before the first instruction runs; on unload it waits again. One breakpoint can
 * be at many addresses: inlined copies, several instances of one ELF, one header in several extensions.
 */
import { BreakpointEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { SourceFile, SourcePosition } from '../lib/dwarf/model';
import type { SessionBase } from './base-image';
import { arrivalAt } from './breakpoint-conditions';
import {
  type BoundLocation,
  type BreakpointGroup,
  BreakpointTable,
  type RequestedBreakpoint,
  type UserBreakpoint,
} from './breakpoints';
import { clientSource } from './client-source';
import { explainFunction, locateInBase, locateInExtension } from './function-places';
import type { Inferior, LoadedExtension, SourceOwner } from './inferior';
import { instructionPlace } from './instruction-places';
import type { ClientPosition, SessionOutput } from './output';
import type { ExtensionFile } from './program-files';
import { SourcePlaces } from './source-places';
import type { SourcePaths } from './source-paths';

/** What the binder needs to know of the session at any time. */
export interface BreakpointHost {
  readonly files: readonly ExtensionFile[] | undefined;
  readonly base: SessionBase | undefined;
  readonly inferior: Inferior | undefined;
  readonly sourcePaths: SourcePaths | undefined;
  readonly output: SessionOutput;
  send(event: DebugProtocol.Event): void;
  toClientLine(line: number): number;
  toClientColumn(column: number): number;
  clientPosition(position: SourcePosition): ClientPosition | undefined;
}

/** Why a breakpoint is not verified. */
export interface Explanation {
  readonly reason: 'pending' | 'failed';
  readonly message: string;
}

const notStarted: Explanation = { reason: 'pending', message: 'waits for the session to start' };

export class BreakpointBinder {
  readonly table = new BreakpointTable();
  private readonly sources: SourcePlaces;
  private enabled = true;

  constructor(private readonly host: BreakpointHost) {
    this.sources = new SourcePlaces(host);
  }

  /** For a run without debugging. */
  disable(): void {
    this.enabled = false;
  }

  /** The source files of one ELF that a client's path means. */
  async sourceFiles(path: string, owner: SourceOwner): Promise<readonly SourceFile[]> {
    await this.sources.matchPath(path);
    return this.sources.filesOf(path, owner);
  }

  /** Answers in the order of the request, in the client's lines and columns. */
  async set(group: BreakpointGroup, requested: readonly RequestedBreakpoint[]): Promise<DebugProtocol.Breakpoint[]> {
    if (group.kind === 'source') await this.sources.matchPath(group.path);
    const { current, added, removed } = this.table.replace(group, requested);
    for (const breakpoint of removed) await this.clear(breakpoint.locations.splice(0));
    for (const breakpoint of added) {
      this.bindToBase(breakpoint);
      this.host.inferior?.extensions.forEach((extension) => this.bindOne(breakpoint, extension));
      this.explain(breakpoint);
    }
    await this.arm(current);
    return current.map((breakpoint) => this.describe(breakpoint));
  }

  async clearAll(): Promise<void> {
    for (const { locations } of this.table.removeAll()) await this.clear(locations.splice(0));
  }

  /** What a client has set before it found this target. */
  async takeOver(other: BreakpointBinder): Promise<void> {
    this.table.takeOver(other.table);
    await this.matchPaths();
    this.machineCreated();
    this.host.inferior?.extensions.forEach((extension) => this.extensionPlaced(extension));
    await this.arm();
    this.explainAll();
  }

  /** The ELF files are known now: what breakpoints wait for can be said. */
  async filesOpened(): Promise<void> {
    this.sources.forget();
    await this.matchPaths();
    this.explainAll();
  }

  private async matchPaths(): Promise<void> {
    const paths = this.table.values().flatMap(({ place }) => (place.kind === 'source' ? [place.path] : []));
    for (const path of new Set(paths)) await this.sources.matchPath(path);
  }

  /** A machine is there with nothing loaded: breakpoints in the base image find their place. */
  machineCreated(): void {
    for (const breakpoint of this.table.values()) if (this.bindToBase(breakpoint)) this.announce(breakpoint);
  }

  /** Called while the loader runs, when all sections have their addresses. */
  extensionPlaced(extension: LoadedExtension): void {
    for (const breakpoint of this.table.values()) if (this.bindOne(breakpoint, extension)) this.announce(breakpoint);
  }

  /** Gives new locations to the target; to be awaited before anything runs. */
  async arm(breakpoints: readonly UserBreakpoint[] = this.table.values()): Promise<void> {
    this.armNow(breakpoints);
  }

  /** While the target goes through time too. */
  armNow(breakpoints: readonly UserBreakpoint[] = this.table.values()): void {
    const { inferior } = this.host;
    if (inferior === undefined || !this.enabled) return;
    for (const breakpoint of breakpoints) {
      for (const location of breakpoint.locations) {
        if (location.targetId !== undefined) continue;
        const arrive = arrivalAt(breakpoint, location, inferior, this.host.output);
        location.targetId = inferior.target.addBreakpoint({ address: location.address, arrive, onlyExecuted: true });
      }
    }
  }

  /** Everything is loaded that will be: a breakpoint that found no code has failed, and says why. */
  loadingDone(): void {
    this.explainAll();
  }

  /** The code of an instance is gone, by unload or a failed load. */
  async extensionGone(instance: number, why: string): Promise<void> {
    for (const breakpoint of this.table.values()) {
      const gone = breakpoint.locations.filter((location) => location.instance === instance);
      if (gone.length === 0) continue;
      breakpoint.locations = breakpoint.locations.filter((location) => location.instance !== instance);
      await this.clear(gone);
      breakpoint.reason = 'pending';
      breakpoint.message = why;
      this.announce(breakpoint);
    }
  }

  /** A new machine: nothing is bound, hits count from the start. */
  reset(): void {
    for (const breakpoint of this.table.values()) {
      breakpoint.hits = 0;
      breakpoint.isSpent = false;
      breakpoint.lastError = undefined;
      const wasBound = breakpoint.locations.splice(0).length > 0;
      this.explain(breakpoint);
      if (wasBound) this.announce(breakpoint);
    }
  }

  private explainAll(): void {
    for (const breakpoint of this.table.values()) {
      const before = breakpoint.message;
      this.explain(breakpoint);
      if (breakpoint.message !== before) this.announce(breakpoint);
    }
  }

  /** As the client shows it. */
  private describe(breakpoint: UserBreakpoint): DebugProtocol.Breakpoint {
    const { id, place, locations } = breakpoint;
    const first = locations.at(0);
    const isAddress = place.kind === 'instruction' && place.problem === undefined;
    const reference = isAddress ? { instructionReference: hex(place.address, 8) } : {};
    if (first === undefined) {
      const { reason, message } = breakpoint;
      const where =
        place.kind === 'source'
          ? { source: clientSource(place.path), line: this.host.toClientLine(place.line) }
          : reference;
      return { id, verified: false, reason, message, ...where };
    }
    return {
      id,
      verified: true,
      ...this.positionOf(breakpoint, first),
      instructionReference: hex(first.address, 8),
      ...(locations.length > 1 ? { message: `at ${locations.length} places in the loaded code` } : {}),
    };
  }

  private positionOf({ place }: UserBreakpoint, { position }: BoundLocation) {
    if (position === undefined) return {};
    const line = this.host.toClientLine(position.line);
    if (place.kind === 'source') {
      const source = clientSource(place.path);
      const isInline = place.column !== undefined && position.column > 0;
      return { source, line, ...(isInline ? { column: this.host.toClientColumn(position.column) } : {}) };
    }
    const shown = this.host.clientPosition(position);
    return shown === undefined ? {} : { source: clientSource(shown.path), line };
  }

  private announce(breakpoint: UserBreakpoint): void {
    this.host.send(new BreakpointEvent('changed', this.describe(breakpoint)));
  }

  private async clear(locations: readonly BoundLocation[]): Promise<void> {
    for (const { targetId } of locations) {
      if (targetId !== undefined) await this.host.inferior?.target.clearBreakpoint(targetId);
    }
  }

  private bindOne(breakpoint: UserBreakpoint, extension: LoadedExtension): boolean {
    if (breakpoint.problem !== undefined) return false;
    return this.addLocations(breakpoint, this.locate(breakpoint, extension));
  }

  private locate({ place }: UserBreakpoint, extension: LoadedExtension): readonly BoundLocation[] {
    switch (place.kind) {
      case 'source':
        return this.sources.locate(place, extension);
      case 'function':
        return typeof place.pattern === 'string' ? [] : locateInExtension(place.pattern, extension);
      case 'instruction': {
        const { inferior } = this.host;
        if (inferior?.extensionAt(place.address) !== extension) return [];
        const found = instructionPlace(inferior, place.address);
        return 'address' in found ? [found] : [];
      }
    }
  }

  private bindToBase(breakpoint: UserBreakpoint): boolean {
    const { inferior } = this.host;
    const { place, problem } = breakpoint;
    if (inferior === undefined || problem !== undefined) return false;
    if (place.kind === 'function' && typeof place.pattern === 'object') {
      return this.addLocations(breakpoint, locateInBase(place.pattern, inferior));
    }
    if (place.kind === 'source') return this.addLocations(breakpoint, this.sources.locateInBase(place, inferior));
    if (place.kind !== 'instruction' || inferior.extensionAt(place.address) !== undefined) return false;
    const found = instructionPlace(inferior, place.address);
    return this.addLocations(breakpoint, 'address' in found ? [found] : []);
  }

  private addLocations(breakpoint: UserBreakpoint, found: readonly BoundLocation[]): boolean {
    for (const location of found) {
      if (!breakpoint.locations.some(({ address }) => address === location.address))
        breakpoint.locations.push(location);
    }
    return found.length > 0;
  }

  /** Says why a breakpoint is not verified (yet). */
  private explain(breakpoint: UserBreakpoint): void {
    if (breakpoint.locations.length > 0) return;
    const { reason, message } = this.reasonFor(breakpoint);
    breakpoint.reason = reason;
    breakpoint.message = message;
  }

  private reasonFor({ place, problem }: UserBreakpoint): Explanation {
    const { files, inferior } = this.host;
    if (problem !== undefined) return { reason: 'failed', message: problem };
    if (files === undefined) return notStarted;
    switch (place.kind) {
      case 'source':
        return this.sources.explain(place, files);
      case 'function':
        return typeof place.pattern === 'string'
          ? { reason: 'failed', message: place.pattern }
          : explainFunction(place.text, place.pattern, files, this.host);
      case 'instruction': {
        if (inferior === undefined) return notStarted;
        const found = instructionPlace(inferior, place.address);
        return 'reason' in found ? found : notStarted;
      }
    }
  }
}
