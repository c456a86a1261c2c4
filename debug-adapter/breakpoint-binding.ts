/**
 * Breakpoints in loaded code. A breakpoint waits until an extension with its file is placed in memory, and is set
 * there before the loader is done, so before the first instruction runs; on unload it waits again. One breakpoint can
 * be at many addresses: inlined copies, several instances of one ELF, one header in several extensions.
 */
import { BreakpointEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourceFile } from '../lib/dwarf/model';
import { BreakpointTable, type BoundLocation, describeBreakpoint, type SourceBreakpoint } from './breakpoints';
import { stopCondition } from './breakpoint-conditions';
import type { Inferior, LoadedExtension } from './inferior';
import type { SessionOutput } from './output';
import { baseName } from './paths';
import type { ExtensionFile } from './program-files';
import type { SourceMatch, SourcePaths } from './source-paths';

/** What the binder needs to know of the session at any time. */
export interface BreakpointHost {
  readonly files: readonly ExtensionFile[] | undefined;
  readonly inferior: Inferior | undefined;
  readonly sourcePaths: SourcePaths | undefined;
  readonly output: SessionOutput;
  send(event: DebugProtocol.Event): void;
  toClientLine(line: number): number;
}

export class BreakpointBinder {
  readonly table = new BreakpointTable();
  /** Per path of a breakpoint: the source files that it means, in each extension's ELF. */
  private readonly matches = new Map<string, Map<ExtensionFile, SourceMatch>>();
  private enabled = true;

  constructor(private readonly host: BreakpointHost) {}

  /** For a run without debugging. */
  disable(): void {
    this.enabled = false;
  }

  async setBreakpoints(
    path: string,
    requested: readonly DebugProtocol.SourceBreakpoint[],
  ): Promise<DebugProtocol.Breakpoint[]> {
    await this.matchPath(path);
    const { current, added, removed } = this.table.replace(path, requested);
    for (const breakpoint of removed) await this.clear(breakpoint.locations.splice(0));
    for (const breakpoint of added) {
      this.host.inferior?.extensions.forEach((extension) => this.bindOne(breakpoint, extension));
      this.explain(breakpoint);
    }
    await this.arm(current);
    return current.map(describeBreakpoint);
  }

  /** The ELF files are known now: what breakpoints wait for can be said. */
  async filesOpened(): Promise<void> {
    this.matches.clear();
    for (const path of new Set(this.table.values().map((breakpoint) => breakpoint.path))) await this.matchPath(path);
    for (const breakpoint of this.table.values()) {
      const before = breakpoint.message;
      this.explain(breakpoint);
      if (breakpoint.message !== before) this.announce(breakpoint);
    }
  }

  /** Called while the loader runs, when all sections have their addresses. */
  extensionPlaced(extension: LoadedExtension): void {
    for (const breakpoint of this.table.values()) if (this.bindOne(breakpoint, extension)) this.announce(breakpoint);
  }

  /** Gives new locations to the target; to be awaited before anything runs. */
  async arm(breakpoints: readonly SourceBreakpoint[] = this.table.values()): Promise<void> {
    const { inferior } = this.host;
    if (inferior === undefined || !this.enabled) return;
    for (const breakpoint of breakpoints) {
      for (const location of breakpoint.locations) {
        if (location.targetId !== undefined) continue;
        const condition = stopCondition(breakpoint, location, inferior, this.host.output);
        location.targetId = await inferior.target.setBreakpoint({ address: location.address, condition });
      }
    }
  }

  /** Everything is loaded that will be: a breakpoint that found no code has failed, and says why. */
  loadingDone(): void {
    for (const breakpoint of this.table.values()) {
      if (breakpoint.locations.length > 0) continue;
      const before = breakpoint.message;
      this.explain(breakpoint);
      if (breakpoint.message !== before) this.announce(breakpoint);
    }
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
      breakpoint.lastError = undefined;
      const wasBound = breakpoint.locations.splice(0).length > 0;
      this.explain(breakpoint);
      if (wasBound) this.announce(breakpoint);
    }
  }

  private announce(breakpoint: SourceBreakpoint): void {
    const described = describeBreakpoint(breakpoint);
    const line = described.line === undefined ? {} : { line: this.host.toClientLine(described.line) };
    this.host.send(new BreakpointEvent('changed', { ...described, ...line }));
  }

  private async clear(locations: readonly BoundLocation[]): Promise<void> {
    for (const { targetId } of locations) {
      if (targetId !== undefined) await this.host.inferior?.target.clearBreakpoint(targetId);
    }
  }

  private bindOne(breakpoint: SourceBreakpoint, { id, file, program }: LoadedExtension): boolean {
    if (breakpoint.optionProblem !== undefined) return false;
    const match = this.matches.get(breakpoint.path)?.get(file);
    if (match?.kind !== 'match') return false;
    const found = program.breakpointLocations(match.files, breakpoint.requested.line);
    for (const { address, file: source, line, column } of found) {
      if (breakpoint.locations.some((location) => location.address === address)) continue;
      breakpoint.locations.push({ instance: id, address, file: source, line, column, targetId: undefined });
    }
    return found.length > 0;
  }

  private async matchPath(path: string): Promise<void> {
    const { files, sourcePaths } = this.host;
    if (files === undefined || sourcePaths === undefined || this.matches.has(path)) return;
    const byFile = new Map<ExtensionFile, SourceMatch>();
    for (const file of files) {
      const candidates = sourcesNamed(file, baseName(path));
      for (const candidate of candidates) await sourcePaths.resolve(candidate, file.folder);
      byFile.set(file, sourcePaths.match(path, candidates));
    }
    this.matches.set(path, byFile);
  }

  /** Says why a breakpoint is not verified (yet). */
  private explain(breakpoint: SourceBreakpoint): void {
    if (breakpoint.locations.length > 0) return;
    const { reason, message } = this.reasonFor(breakpoint);
    breakpoint.reason = reason;
    breakpoint.message = message;
  }

  private reasonFor(breakpoint: SourceBreakpoint): Pick<SourceBreakpoint, 'reason' | 'message'> {
    const { files, inferior } = this.host;
    if (breakpoint.optionProblem !== undefined) return { reason: 'failed', message: breakpoint.optionProblem };
    if (files === undefined) return { reason: 'pending', message: 'waits for the session to start' };
    const matches = this.matches.get(breakpoint.path) ?? new Map<ExtensionFile, SourceMatch>();
    const owners = files.filter((file) => matches.get(file)?.kind === 'match');
    const waiting = owners.filter((file) => !inferior?.extensions.some((loaded) => loaded.file === file));
    if (waiting.length > 0) {
      const names = waiting.map(({ config }) => `'${config.name}'`).join(', ');
      return { reason: 'pending', message: `waits for llext ${names} to load` };
    }
    if (owners.length > 0) {
      const { line } = breakpoint.requested;
      return {
        reason: 'failed',
        message: `no code at line ${line} or after it in ${baseName(breakpoint.path)}: the compiler made none (unused, optimized out, or behind the last function)`,
      };
    }
    return { reason: 'failed', message: noOwner(breakpoint.path, files, matches) };
  }
}

function noOwner(
  path: string,
  files: readonly ExtensionFile[],
  matches: ReadonlyMap<ExtensionFile, SourceMatch>,
): string {
  for (const match of matches.values()) {
    if (match.kind === 'ambiguous') {
      return `${baseName(path)} could be any of ${match.paths.join(', ')}: say which with "sourceMap" in the launch configuration`;
    }
  }
  const names = files.map(({ config }) => `'${config.name}'`).join(', ');
  const without = files.filter(({ program }) => program.debug === undefined);
  if (without.length > 0) {
    return `llext ${without.map(({ config }) => `'${config.name}'`).join(', ')} has no debug information: build with -g, or name the file that has it in "debugElf"`;
  }
  return `${baseName(path)} is no source of llext ${names}: its debug information does not name this file`;
}

function sourcesNamed(file: ExtensionFile, name: string): SourceFile[] {
  const wanted = name.toLowerCase();
  return (file.program.debug?.files ?? []).filter((source) => baseName(source.path).toLowerCase() === wanted);
}
