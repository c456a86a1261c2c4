/**
 * The embedded target: an emulated Cortex-M or RISC-V hart with the built-in base image, the llext subsystem and virtual time.
 * The Target interface is asynchronous; what a listener needs while the loader runs (breakpoints, registers, memory)
 * is here synchronously too. reset() makes a fresh machine: everything loaded is gone, breakpoints as well.
 */
import { cpus, type CpuInfo } from '../arch';
import { LlextError } from '../errors';
import { createMachine, type MachineOptions } from '../emulator/machine';
import type { Machine, SafetyRule } from '../emulator/types';
import { Kernel, type KernelSnapshot } from '../kernel/kernel';
import type { BaseImageDescription } from '../base-image';
import { realImage } from '../kernel/base-image-guest';
import { builtInImage, type GuestImage } from '../kernel/guest-image';
import { DEFAULT_HEAP_SIZE_KIB, MAX_HEAP_SIZE_KIB } from '../kernel/memory-map';
import type { OutputEvent } from '../kernel/console';
import { bytesOfOwners, type SharedMemory } from '../kernel/memory-owners';
import type { HostCallRecord } from '../kernel/host-calls';
import { collectCalls } from '../llext/llext-handlers';
import type { LlextEvent, LlextStorage } from '../llext/types';
import type { RegisterFile } from '../query';
import { RunAccounts } from './accounts';
import { AddressNames } from './address-names';
import { Breakpoints } from './breakpoints';
import { CallSequence, type GuestCall } from './call-sequence';
import { loadInto, type LoadOutcome, type LoadedExtension } from './load';
import { DEFAULT_HISTORY_MIB } from './defaults';
import { type Excursion, type ExcursionContext, type ExcursionOptions, runExcursion } from './excursion';
import { History, type Checkpoint, type Input, type RecordedInput } from './history';
import type { LastWrite } from './reverse';
import { MachineFace } from './machine-face';
import { RunLoop } from './run-loop';
import { resolveSharedMemory, type SharedMemoryWish } from './shared-memory';
import { timerScheduler, type Scheduler } from './scheduler';
import type {
  MemoryRead,
  ResumeMode,
  SynchronousView,
  Target,
  TargetBreakpoint,
  TargetStop,
  TargetWatchpoint,
} from './target';
import { TargetWatchpoints } from './watchpoints';

export interface TargetListener {
  /** Text that the extension printed: whole lines, and what there is of a line when the target stops. */
  output?(event: OutputEvent): void;
  /** The loader's steps, synchronously while it works. */
  llext?(event: LlextEvent): void;
  /** Going through time has undone loads or unloads: what is not loaded any more, and what is loaded again. */
  rewound?(gone: readonly LoadedExtension[], back: readonly LoadedExtension[]): void;
  /** Something was changed in the past: what came after is no longer recorded, and these checkpoints are gone with it. */
  startedAnew?(dropped: readonly Checkpoint[]): void;
  /** The beginning of the recording was given up, to keep within the limit. */
  historyLost?(): void;
}

export interface EmulatedTargetOptions {
  /** A core of lib/arch; the first one by default. */
  readonly cpu?: CpuInfo;
  /** Size of the llext heap. RangeError when it is not an integer from 1 to 65536. */
  readonly heapSizeKiB?: number;
  /** A real base image; checkBaseImage (base-image-check.ts) must have nothing against it. The built-in one by default. */
  readonly base?: BaseImageDescription;
  /** Memory that extensions may use besides their own, where memory safety is checked. */
  readonly sharedMemory?: readonly SharedMemoryWish[];
  readonly listener?: TargetListener;
  readonly scheduler?: Scheduler;
  /** Hot code is translated to WebAssembly; 'on' by default. The results are the same. */
  readonly jit?: 'on' | 'off';
  /** MiB that the recording may take; 0 = none, and the target does not run backwards. */
  readonly historyMiB?: number;
  /** Where rand() of the C library begins. */
  readonly seed?: number;
  /** Another engine than the built-in one. */
  readonly machine?: (options: MachineOptions) => Machine;
}

export interface ExtensionFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Temporary unless told otherwise: everything is copied to the heap. */
  readonly storage?: LlextStorage;
}

type DirectInput = Extract<Input, { kind: 'call' | 'memory' | 'register' | 'checks' }>;
type HistoryFace =
  | 'now'
  | 'start'
  | 'end'
  | 'runStart'
  | 'bytes'
  | 'snapshotCount'
  | 'inputs'
  | 'refusal'
  | 'checkpoints'
  | 'addCheckpoint'
  | 'removeCheckpoint'
  | 'passes'
  | 'hasLost';

/** What a moment consists of beside the machine. */
interface HostState {
  readonly kernel: KernelSnapshot;
  readonly calls: { readonly pending: readonly GuestCall[]; readonly active: boolean };
  readonly extensions: readonly LoadedExtension[];
}

/** What is replaced when the machine is made anew. */
interface Parts {
  readonly history: History<HostState>;
  readonly sharedMemory: readonly SharedMemory[];
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly breakpoints: Breakpoints;
  readonly watchpoints: TargetWatchpoints;
  readonly calls: CallSequence;
  readonly names: AddressNames;
  readonly loop: RunLoop;
}

export class EmulatedTarget implements Target {
  readonly cpu: CpuInfo;
  private readonly face: MachineFace;
  private readonly heapSizeKiB: number;
  private parts: Parts;
  private extensions: readonly LoadedExtension[] = [];
  /** Errors and warnings of the load in progress. */
  private loaderMessages: string[] = [];
  private safetyRules: readonly SafetyRule[] = [];

  private constructor(private readonly options: EmulatedTargetOptions) {
    const heapSizeKiB = options.heapSizeKiB ?? DEFAULT_HEAP_SIZE_KIB;
    if (!Number.isInteger(heapSizeKiB) || heapSizeKiB < 1 || heapSizeKiB > MAX_HEAP_SIZE_KIB) {
      throw new RangeError(`heapSize is ${heapSizeKiB}; it must be an integer from 1 to ${MAX_HEAP_SIZE_KIB} KiB`);
    }
    this.heapSizeKiB = heapSizeKiB;
    this.cpu = options.cpu ?? cpus[0];
    this.face = new MachineFace(
      this.cpu,
      () => this.parts.machine,
      () => this.parts.loop.shownPc,
    );
    this.parts = this.makeParts();
  }

  static create(options: EmulatedTargetOptions = {}): EmulatedTarget {
    return new EmulatedTarget(options);
  }

  /** A fresh machine, as after power-on. */
  reset(): void {
    this.extensions = [];
    this.parts = this.makeParts();
    const rules = this.safetyRules;
    this.setMemorySafety(rules);
  }

  get kernel(): Kernel {
    return this.parts.kernel;
  }

  get machine(): Machine {
    return this.parts.machine;
  }

  /** Calls of the base image so far; bounded. */
  get hostCalls(): readonly HostCallRecord[] {
    return this.parts.kernel.log;
  }

  /** In the order of their loads. */
  get loadedExtensions(): readonly LoadedExtension[] {
    return this.extensions;
  }

  // --- Memory safety -------------------------------------------------------------------------------------------

  /**
   * By which rules memory safety is checked from now on; none = it is not. What is there already is the extension's and written: its
   * regions, blocks of the heap, the stack above the stack pointer.
   */
  setMemorySafety(rules: readonly SafetyRule[]): void {
    const { machine, history, kernel } = this.parts;
    const before = machine.safety?.rules ?? [];
    this.safetyRules = rules;
    if (rules.length === before.length && rules.every((rule) => before.includes(rule))) return;
    // What is recorded behind the past knows whose memory is what, and is to stay.
    if (machine.safety !== undefined && (rules.length > 0 || history.isPast)) {
      machine.setSafety?.(rules);
      kernel.owners?.markPrivate();
    } else if (machine.safety !== undefined || rules.length > 0) this.switchChecks(rules.length > 0);
  }

  /** Before anything has happened that is no event of its own. */
  private switchChecks(on: boolean): void {
    const { history } = this.parts;
    if (history.isOpen) history.record({ kind: 'checks', on }, () => this.switchChecksNow(on));
    else this.switchChecksNow(on);
  }

  private switchChecksNow(on: boolean): void {
    const { kernel, machine, calls } = this.parts;
    kernel.checkMemory(on ? this.safetyRules : undefined, this.parts.sharedMemory);
    if (!on) return;
    for (const loaded of this.extensions) this.tellOwners(loaded);
    if (calls.state.active) machine.safety?.adoptCall(kernel.image.map.stack);
  }

  private tellOwners({ extension, instance }: LoadedExtension): void {
    const { kernel, names } = this.parts;
    const addresses = extension.expTab.symbols.map(({ address }) => Number(address));
    kernel.owners?.addExtension(extension, names.exportedObjects(instance.id, addresses));
  }

  /** Rules are asked for, but now is before the moment at which they were for the first time. */
  get isBeforeChecks(): boolean {
    return this.safetyRules.length > 0 && this.parts.machine.safety === undefined;
  }

  /** An input from outside, performed and recorded. */
  private record<R>(input: Input, perform: () => R): R {
    // Another future than the recorded one, in which the checks began, begins here.
    if (this.isBeforeChecks && this.parts.history.isPast) this.switchChecks(true);
    return this.parts.history.record(input, perform);
  }

  /** Why memory safety cannot be checked here; undefined = it can. */
  get safetyRefusal(): string | undefined {
    if (this.parts.machine.setSafety !== undefined) return undefined;
    return 'this engine cannot check memory safety; the built-in one does';
  }

  // --- Loading and calling -------------------------------------------------------------------------------------

  /** Loads and links a file as llext_load does; a file that is refused is a value, not an exception. */
  loadExtension(file: ExtensionFile): LoadOutcome {
    const { name, bytes, storage = 'temporary' } = file;
    return this.record({ kind: 'load', name, bytes, storage }, () => this.loadNow(file));
  }

  private loadNow(file: ExtensionFile): LoadOutcome {
    this.loaderMessages = [];
    const outcome = this.parts.loop.loading(() => loadInto(this.parts.kernel, file, this.loaderMessages));
    if (!outcome.loaded) return outcome;
    // A name that is loaded already only counts one use more.
    const known = this.extensions.find(({ instance }) => instance.id === outcome.instance.id);
    if (known !== undefined) return known;
    this.extensions = [...this.extensions, outcome];
    this.parts.names.add(outcome.instance, outcome.elf, outcome.extension.sections);
    this.parts.machine.addFunctions?.(this.parts.names.functions(outcome.instance.id));
    this.tellOwners(outcome);
    return outcome;
  }

  /** llext_unload: the use count that is left; 0 = it is gone. */
  unloadExtension(loaded: LoadedExtension): number {
    return this.record({ kind: 'unload', instance: loaded.instance.id }, () => this.unloadNow(loaded));
  }

  private unloadNow(loaded: LoadedExtension): number {
    const left = this.parts.loop.loading(() => this.parts.kernel.llext.unload(loaded.extension));
    if (left === 0) {
      this.extensions = this.extensions.filter(({ instance }) => instance.id !== loaded.instance.id);
      this.parts.names.remove(loaded.instance.id);
      this.parts.kernel.owners?.removeExtension(loaded.instance.id);
    }
    return left;
  }

  /** Init functions of the extensions in load order, as llext_bringup runs them; LlextError for a wrong table. */
  bringUpCalls(loaded: readonly LoadedExtension[] = this.extensions): GuestCall[] {
    return loaded.flatMap(({ extension }) => this.functionTable(extension, true));
  }

  /** Fini functions, as llext_teardown runs them; LlextError for a wrong table. */
  tearDownCalls(loaded: readonly LoadedExtension[] = this.extensions): GuestCall[] {
    return loaded.flatMap(({ extension }) => this.functionTable(extension, false));
  }

  /**
   * Prepares a call into an extension; the next resume runs it. `before` are calls that the host makes first, such as
   * bringUpCalls(). The run ends with 'exited' when the last call returned.
   */
  prepareCall(address: bigint, values: readonly bigint[] = [], before: readonly GuestCall[] = []): void {
    this.change({ kind: 'call', calls: [...before, { address, arguments: values }] });
  }

  /** Calls functions of the stopped program; afterwards everything is as before. RangeError when the engine cannot be set back. */
  excursion<T>(body: (excursion: Excursion) => Promise<T>, options: ExcursionOptions): Promise<T> {
    const host = this.hostState();
    const context: ExcursionContext = {
      ...this.parts,
      setRegister: (name, value) => this.setRegister(name, value),
      registerFile: () => this.registerFile(),
      restoreHost: () => this.restoreHost(host),
    };
    return runExcursion(context, body, options);
  }

  // --- State ---------------------------------------------------------------------------------------------------

  get registerNames(): readonly string[] {
    return this.face.registerNames;
  }

  /** The machine's registers and memory, now. */
  get view(): SynchronousView {
    return this.face.view;
  }

  /** Bits of a register. */
  registerWidth(name: string): 32 | 64 {
    return this.face.widthOf(name);
  }

  readRegisterNow(name: string): bigint {
    return this.face.readRegister(name);
  }

  writeRegisterNow(name: string, value: bigint): void {
    this.change({ kind: 'register', name, value });
  }

  private setRegister(name: string, value: bigint): void {
    this.face.writeRegister(name, value);
    if (name === 'pc') this.parts.loop.moved();
  }

  readMemoryNow(address: bigint, length: number): MemoryRead {
    return this.face.readMemory(address, length);
  }

  writeMemoryNow(address: bigint, data: Uint8Array): number {
    return this.change({ kind: 'memory', address, bytes: data.slice() });
  }

  // --- Time ------------------------------------------------------------------------------------------------------

  get historyRefusal(): string | undefined {
    return this.parts.history.refusal;
  }

  /** What is recorded; its moments are numbers for goTo. */
  get history(): Pick<History<unknown>, HistoryFace> {
    return this.parts.history;
  }

  /** To a recorded moment; RangeError when there is no way. */
  async goTo(time: number): Promise<void> {
    const { history, loop } = this.parts;
    if (history.refusal !== undefined) throw new RangeError(history.refusal);
    await loop.goTo(time);
  }

  /** What was recorded elsewhere is going to happen; RangeError for what has no place in the future. */
  schedule(inputs: readonly RecordedInput[], passes: readonly number[], end: number): void {
    this.parts.history.schedule(inputs, passes, end);
  }

  /** Who wrote any of these bytes last; undefined = nobody since the recording began. RangeError when there is no way back. */
  async lastWrite(address: bigint, length: number): Promise<LastWrite | undefined> {
    if (address < 0n || address > 0xffff_ffffn) throw new RangeError(`no memory is at 0x${address.toString(16)}`);
    return this.parts.loop.lastWrite({ address: Number(address), length, kind: 'write' });
  }

  /** An input from outside, performed and recorded; of a write, the bytes written. */
  private change(input: DirectInput): number {
    return this.record(input, () => this.apply(input));
  }

  private apply(input: DirectInput): number {
    switch (input.kind) {
      case 'call':
        this.parts.calls.start(input.calls);
        this.parts.loop.moved();
        return 0;
      case 'checks':
        this.switchChecksNow(input.on);
        return 0;
      case 'register':
        this.setRegister(input.name, input.value);
        return 0;
      case 'memory': {
        const { address, bytes } = input;
        return address > 0xffff_ffffn || address < 0n ? 0 : this.parts.machine.memory.write(Number(address), bytes);
      }
    }
  }

  private hostState(): HostState {
    const { kernel, calls } = this.parts;
    const { pending, active } = calls.state;
    return { kernel: kernel.snapshot(), calls: { pending: [...pending], active }, extensions: this.extensions };
  }

  private prepareRestore({ kernel: { checks } }: HostState): void {
    const { kernel, machine } = this.parts;
    const isOn = machine.safety !== undefined;
    if (isOn !== (checks !== undefined)) kernel.checkMemory(isOn ? undefined : this.safetyRules);
  }

  private restoreHost({ kernel, calls, extensions }: HostState): void {
    const { parts } = this;
    parts.kernel.restore(kernel);
    parts.calls.state.pending = [...calls.pending];
    parts.calls.state.active = calls.active;
    const before = this.extensions;
    this.extensions = extensions;
    const gone = before.filter((one) => !extensions.includes(one));
    const back = extensions.filter((one) => !before.includes(one));
    for (const { instance } of gone) parts.names.remove(instance.id);
    for (const { instance, elf, extension } of back) parts.names.add(instance, elf, extension.sections);
    if (gone.length + back.length > 0) this.options.listener?.rewound?.(gone, back);
  }

  addBreakpoint(breakpoint: TargetBreakpoint): number {
    return this.parts.breakpoints.add(breakpoint);
  }

  removeBreakpoint(id: number): void {
    this.parts.breakpoints.remove(id);
  }

  /** Whether the engine can watch memory. */
  get watches(): boolean {
    return this.parts.watchpoints.supported;
  }

  /** From now on accounts of the machine are kept; a reset ends them. What traces calls is interpreted. RangeError when the engine keeps none. */
  keepAccounts({ tracesCalls }: { readonly tracesCalls: boolean }): RunAccounts {
    const { machine, kernel, names, loop, calls } = this.parts;
    const { stack } = kernel.image.map;
    const accounts = new RunAccounts(
      machine,
      stack.base + stack.size,
      (address) => kernel.isServed(address),
      (address) => names.ownerOf(address) ?? '',
      tracesCalls,
    );
    loop.accounts = accounts;
    kernel.onHeap = (event) => accounts.heap(event);
    calls.onBegin = (address, returnAddress) => accounts.hostBegins(address, returnAddress);
    return accounts;
  }

  /** RangeError when that cannot be watched. */
  addWatchpoint(watchpoint: TargetWatchpoint): number {
    return this.parts.watchpoints.add(watchpoint);
  }

  removeWatchpoint(id: number): void {
    this.parts.watchpoints.remove(id);
  }

  hostSymbol(address: bigint): { readonly name: string; readonly offset: number } | undefined {
    return this.parts.names.baseSymbolAt(Number(address));
  }

  /** The host performs the function that begins there: its instructions are not executed. */
  isServed(address: bigint): boolean {
    return this.parts.kernel.isServed(Number(address));
  }

  /** 'counter+4 in .bss of hello', the region's name for other memory, undefined where nothing is mapped. */
  describeAddress(address: bigint): string | undefined {
    const at = Number(address);
    return this.parts.names.describe(at) ?? this.parts.machine.memory.regionAt(at)?.name;
  }

  // --- The asynchronous face (interface Target) ------------------------------------------------------------------

  async readRegister(name: string): Promise<bigint> {
    return this.readRegisterNow(name);
  }

  async writeRegister(name: string, value: bigint): Promise<void> {
    this.writeRegisterNow(name, value);
  }

  /** A copy: it stays as it is when the target runs on. */
  async registerFile(): Promise<RegisterFile> {
    return this.face.registerFile();
  }

  async readMemory(address: bigint, length: number): Promise<MemoryRead> {
    return this.readMemoryNow(address, length);
  }

  async writeMemory(address: bigint, data: Uint8Array): Promise<number> {
    return this.writeMemoryNow(address, data);
  }

  async setBreakpoint(breakpoint: TargetBreakpoint): Promise<number> {
    return this.addBreakpoint(breakpoint);
  }

  async clearBreakpoint(id: number): Promise<void> {
    this.removeBreakpoint(id);
  }

  async setWatchpoint(watchpoint: TargetWatchpoint): Promise<number> {
    return this.addWatchpoint(watchpoint);
  }

  async clearWatchpoint(id: number): Promise<void> {
    this.removeWatchpoint(id);
  }

  resume(mode: ResumeMode): Promise<TargetStop> {
    return this.parts.loop.resume(mode);
  }

  pause(): void {
    this.parts.loop.pause();
  }

  private makeParts(): Parts {
    const image = this.makeImage();
    const sharedMemory = resolveSharedMemory(this.options.sharedMemory ?? [], image);
    const { listener } = this.options;
    const jit = this.options.jit === 'off' ? undefined : {};
    const machine = (this.options.machine ?? createMachine)({ cpu: this.cpu, regions: image.map.regions, jit });
    const kernel = new Kernel(machine, {
      image,
      onOutput: (event) => listener?.output?.(event),
      onLlext: (event) => this.loaderEvent(event),
      seed: this.options.seed,
    });
    const names = new AddressNames(machine.memory, image.symbols);
    const breakpoints = new Breakpoints(machine);
    const watchpoints = new TargetWatchpoints(machine);
    const calls = new CallSequence(machine, image.map);
    const scheduler = this.options.scheduler ?? timerScheduler;
    const history = new History<HostState>(
      machine,
      {
        snapshot: () => this.hostState(),
        sizeOf: ({ kernel: { checks } }) => (checks === undefined ? 0 : bytesOfOwners(checks.owners)),
        prepare: (state) => this.prepareRestore(state),
        restore: (state) => this.restoreHost(state),
        apply: (input) => void this.apply(input),
        startAnew: (dropped) => {
          kernel.startAnew();
          listener?.startedAnew?.(dropped);
        },
        lost: () => listener?.historyLost?.(),
      },
      { limit: (this.options.historyMiB ?? DEFAULT_HISTORY_MIB) * 2 ** 20 },
    );
    const { view } = this;
    const loop = new RunLoop({ machine, kernel, breakpoints, watchpoints, calls, names, view, scheduler, history });
    return { machine, kernel, breakpoints, watchpoints, calls, names, loop, history, sharedMemory };
  }

  private makeImage(): GuestImage {
    const { base } = this.options;
    if (base?.elf === undefined) return builtInImage(this.heapSizeKiB, this.cpu);
    return realImage(base, base.elf, this.heapSizeKiB);
  }

  private loaderEvent(event: LlextEvent): void {
    if (event.kind === 'log' && (event.level === 'err' || event.level === 'wrn')) {
      this.loaderMessages.push(event.text.trimEnd());
    }
    this.options.listener?.llext?.(event);
  }

  private functionTable(extension: LoadedExtension['extension'], bringUp: boolean): GuestCall[] {
    const { llext } = this.parts.kernel;
    // The oldest version knows no such functions.
    if (!llext.provides('llext_bringup')) return [];
    const { ret, calls } = collectCalls(bringUp ? llext.bringup(extension) : llext.teardown(extension));
    if (ret !== 0) {
      const which = bringUp ? 'init' : 'fini';
      throw new LlextError(
        -ret,
        `${extension.name}: a pointer among the ${which} functions is outside of its TEXT region`,
      );
    }
    return [...calls];
  }
}
