/**
 * What a session holds between requests. The parts (breakpoints, execution, output) have their own files; this one
 * wires them together and knows the order in which they come to life: launch arguments, ELF files, machine, stop.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CpuInfo } from '../lib/arch';
import type { DebugInfo } from '../lib/dwarf/debug-info';
import { createDisassembler, instructionSetOf, type Disassembler } from '../lib/disassembler';
import type { DisplayFormat } from '../lib/protocol';
import type { RunAccounts } from '../lib/target/accounts';
import type { SessionBase } from './base-image';
import { BreakpointBinder, type BreakpointHost } from './breakpoint-binding';
import { loadCapstone } from './capstone';
import type { Client } from './client';
import { LostSources } from './client-source';
import { errors, messageOf } from './errors';
import { DataBreakpoints } from './data-breakpoints';
import { ExceptionFilters } from './exception-filters';
import { Execution } from './execution';
import { Handles } from './handles';
import type { Inferior, LoadedExtension } from './inferior';
import type { LaunchConfig } from './launch-config';
import type { LoadInProgress } from './loading';
import { LocationReferences } from './locations';
import { type ClientPosition, SessionOutput } from './output';
import type { ExtensionFile } from './program-files';
import type { SessionRecording } from './replay-file';
import { type AdapterServices, reportingChanges } from './services';
import type { SourcePaths } from './source-paths';
import type { FrameNumber } from './stack-trace';
import type { CallTarget } from './stepping';
import type { Stop } from './stop';
import type { VariableContainer } from './variables';

/** What runs: the function that the host calls in one of the extensions. */
export interface EntryCall {
  readonly extension: LoadedExtension;
  readonly name: string;
  /** Load address of its first instruction. */
  readonly address: bigint;
}

export class SessionState implements BreakpointHost {
  config: LaunchConfig | undefined;
  files: readonly ExtensionFile[] | undefined;
  /** As the client sent them, or as a recording has them. */
  launchArguments: Readonly<Record<string, unknown>> = {};
  /** The recording that is run again. */
  replay: { readonly path: string; readonly recording: SessionRecording; isTold: boolean } | undefined;
  /** What the program has printed. */
  printed = '';
  /** undefined: the built-in base image. */
  base: SessionBase | undefined;
  /** The launch is reading the ELF files until this is settled. */
  opening: Promise<void> = Promise.resolve();
  sourcePaths: SourcePaths | undefined;
  inferior: Inferior | undefined;
  entry: EntryCall | undefined;
  /** Kept when the launch asks for them. */
  accounts: RunAccounts | undefined;
  /** Functions are being called for an expression: until then the target is not what it was stopped as. */
  calling: Promise<unknown> | undefined;
  /** The loader is at work on it. */
  loading: LoadInProgress | undefined;
  displayFormat: DisplayFormat = 'natural';
  readonly exceptions = new ExceptionFilters();
  /** Loads so far, of all machines of the session. */
  loads = 0;
  /** What the client was told of why there is no way back. */
  historyTold: string | undefined;
  /** The client was told that the memory filters do not check where it is. */
  beforeChecksTold = false;
  /** The client was told that parts of it cannot be read. */
  readonly toldProblems = new WeakSet<DebugInfo>();
  readonly locations = new LocationReferences();
  readonly lostSources = new LostSources();
  readonly services: AdapterServices;
  readonly output: SessionOutput;
  readonly breakpoints: BreakpointBinder;
  readonly dataBreakpoints: DataBreakpoints;
  readonly execution: Execution;
  readonly frames = new Handles<FrameNumber>();
  /** Calls that the last stepInTargets named; a stop makes them void. */
  readonly stepInTargets = new Handles<CallTarget>();
  /** Addresses that gotoTargets named. */
  readonly gotoTargets = new Handles<bigint>();
  readonly containers = new Handles<VariableContainer>();
  private disassembler: Promise<Disassembler> | undefined;
  private preparation: ReturnType<typeof setTimeout> | undefined;

  constructor(
    services: AdapterServices,
    /** Another one when the target was left by one and found by another. */
    public client: Client,
  ) {
    client.session = this;
    const tell = (message: string): void => this.output.line('important', message);
    this.services = { ...services, files: reportingChanges(services.files, tell) };
    this.output = new SessionOutput(
      (event) => this.send(event),
      (position) => this.clientPosition(position),
      this.locations,
    );
    this.breakpoints = new BreakpointBinder(this);
    this.dataBreakpoints = new DataBreakpoints(this);
    this.execution = new Execution(this);
  }

  send(event: DebugProtocol.Event): void {
    this.client.send(event);
  }

  /** A file's place on the client's side, as far as it is known without a search. */
  clientPosition(position: { file: ClientFile; line: number; column: number }): ClientPosition | undefined {
    const path = this.sourcePaths?.known(position.file);
    return path === undefined
      ? undefined
      : { path, line: this.toClientLine(position.line), column: this.toClientColumn(position.column) };
  }

  toClientLine(line: number): number {
    return this.client.linesStartAt1 ? line : line - 1;
  }

  fromClientLine(line: number): number {
    return this.client.linesStartAt1 ? line : line + 1;
  }

  toClientColumn(column: number): number {
    return column === 0 || this.client.columnsStartAt1 ? column : column - 1;
  }

  fromClientColumn(column: number): number {
    return this.client.columnsStartAt1 ? column : column + 1;
  }

  requireInferior(request: string): Inferior {
    if (this.inferior === undefined) throw errors.notLaunched(request);
    return this.inferior;
  }

  /** The stop that requests about frames and variables refer to. */
  requireStop(request: string): Stop {
    if (this.inferior === undefined) throw errors.notLaunched(request);
    const { stop, ended } = this.execution;
    if (stop === undefined) throw ended ? errors.ended(request) : errors.notStopped(request);
    return stop;
  }

  /** For the session's CPU; loaded at the first use. */
  async requireDisassembler(cpu: CpuInfo): Promise<Disassembler> {
    const set = instructionSetOf(cpu.arch, cpu.pointerSize === 8);
    this.disassembler ??= this.services
      .capstoneWasm()
      .then(async (wasm) => createDisassembler(await loadCapstone(), wasm, set))
      .catch((error: unknown) => {
        this.disassembler = undefined;
        throw errors.noDisassembler(messageOf(error));
      });
    return this.disassembler;
  }

  /** After the first stop, when there is time. A failure is told to whoever asks for what was to be prepared. */
  prepareOnce(work: () => Promise<unknown>): void {
    if (this.services.preparesAhead !== true || this.preparation !== undefined) return;
    this.preparation = setTimeout(() => void work().catch(() => undefined), idleMilliseconds);
  }

  async dispose(): Promise<void> {
    clearTimeout(this.preparation);
    this.client.cancelLaunch();
    this.services.targets?.remove(this);
    await this.execution.halt();
  }
}

/** The client asks for stack, scopes and variables right after a stop. */
const idleMilliseconds = 300;

type ClientFile = Parameters<SourcePaths['known']>[0];
