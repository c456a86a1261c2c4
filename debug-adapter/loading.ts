/**
 * Loads the extensions of a launch into a fresh machine, in order. While the loader works, its events place sections;
 * when the last one of an extension has its address, breakpoints are bound, before anything of it can run.
 */
import { ModuleEvent } from '@vscode/debugadapter';
import type { InstanceId, LlextEvent } from '../lib/llext/types';
import { decodeText } from '../lib/bytes';
import { errnoName } from '../lib/errors';
import { fileProblems, problemText } from '../lib/check/file-problems';
import { cpuForElf, withFloatAbiOf } from '../lib/program/cpu-for-elf';
import { LoadedProgram } from '../lib/program/loaded-program';
import { EmulatedTarget, type EmulatedTargetOptions } from '../lib/target/emulated-target';
import type { LoadedExtension as TargetExtension } from '../lib/target/load';
import { SharedMemoryError } from '../lib/target/shared-memory';
import { keepAccounts } from './coverage';
import { describeExtensions } from './custom-requests';
import { chooseEngine, engineNotice } from './engine';
import { errors } from './errors';
import { ExtensionsChangedEvent } from './events';
import { announceCheckpoints, announceHistory } from './history-requests';
import { Inferior, type LoadedExtension } from './inferior';
import { announceSources, describeModule } from './modules';
import type { ExtensionFile } from './program-files';
import type { SessionState } from './session-state';

/** What one load has told so far. */
export interface LoadInProgress {
  readonly file: ExtensionFile;
  readonly placements: Map<number, bigint>;
  lastError: string | undefined;
}

export async function loadExtensions(session: SessionState): Promise<void> {
  const { base, config, files } = session;
  if (config === undefined || files === undefined) throw errors.notLaunched('launch');
  const notice = engineNotice(config);
  if (notice !== undefined) session.output.line('important', notice);
  const main = base?.elf ?? files[files.length - 1].elf;
  const target = createTarget({
    machine: await chooseEngine(config, session.services),
    cpu: config.cpu === undefined ? cpuForElf(main) : withFloatAbiOf(main, config.cpu),
    heapSizeKiB: config.heapSize,
    historyMiB: config.noDebug ? 0 : config.history,
    seed: config.seed,
    base: base?.description,
    sharedMemory: config.sharedMemory,
    listener: {
      rewound: (gone, back) => rewound(session, gone, back),
      startedAnew: (dropped) => startedAnew(session, dropped),
      historyLost: () => {
        session.output.line('console', historyLostText);
        announceCheckpoints(session);
      },
      llext: (event) => loaderEvent(session, event),
      output: ({ text, callerPc, stream }) => printed(session, text, callerPc, stream),
    },
  });
  if (target.safetyRefusal === undefined) target.setMemorySafety(session.exceptions.safetyRules);
  else if (session.exceptions.safetyRules.length > 0) session.output.line('important', target.safetyRefusal);
  session.printed = '';
  session.inferior = new Inferior(target, base);
  keepAccounts(session);
  session.breakpoints.machineCreated();
  await session.dataBreakpoints.machineCreated();
  for (const file of files) {
    await loadOne(session, file);
  }
  session.breakpoints.loadingDone();
  announceHistory(session);
  session.send(new ExtensionsChangedEvent(describeExtensions(session)));
}

function createTarget(options: EmulatedTargetOptions): EmulatedTarget {
  try {
    return EmulatedTarget.create(options);
  } catch (error) {
    if (error instanceof SharedMemoryError) throw errors.sharedMemory(error.index, error.message);
    throw error;
  }
}

/** The client is told of the module; of all extensions together the caller tells. */
export async function loadOne(session: SessionState, file: ExtensionFile): Promise<void> {
  const { target, extensions } = session.requireInferior('launch');
  const { name, program } = file.config;
  const load: LoadInProgress = { file, placements: new Map(), lastError: undefined };
  session.loading = load;
  let outcome;
  try {
    outcome = target.loadExtension({ name, bytes: file.bytes });
  } finally {
    session.loading = undefined;
  }
  if (!outcome.loaded) {
    if (outcome.missing.length > 0) throw errors.missingSymbols(name, outcome.missing);
    // What is wrong with the file itself says more than the loader's code.
    const problems = fileProblems(file.elf).map(problemText);
    throw errors.loadRefused(name, program, outcome.ret, load.lastError ?? outcome.message, problems);
  }
  const loaded = extensions.find(({ instance }) => instance.id === outcome.instance.id);
  if (loaded === undefined) return;
  loaded.handle = outcome;
  await session.breakpoints.arm();
  await session.dataBreakpoints.extensionLoaded();
  session.send(new ModuleEvent('new', describeModule(loaded)));
  announceSources(session, loaded, 'new');
}

function loaderEvent(session: SessionState, event: LlextEvent): void {
  const { loading } = session;
  switch (event.kind) {
    case 'section-placed':
      loading?.placements.set(event.index, event.address);
      break;
    case 'phase':
      // The regions are copied: every section has its final address.
      if (event.phase === 'copy_symbols' && loading !== undefined) placed(session, loading, event.instance);
      break;
    case 'load-failed':
      failed(
        session,
        event.instance,
        `llext '${event.instance.name}' was refused by the loader (${errnoName(event.errno) ?? event.errno})`,
      );
      break;
    case 'unloaded':
      keepUnloaded(session, event.instance);
      failed(session, event.instance, `waits for llext '${event.instance.name}' to load again`);
      break;
    case 'log':
      if (event.level === 'err' && loading !== undefined) loading.lastError = event.text;
      break;
    default:
      break;
  }
}

function placed(session: SessionState, { file, placements }: LoadInProgress, instance: InstanceId): void {
  const inferior = session.requireInferior('launch');
  const program = new LoadedProgram(file.program, instance, placements);
  const loaded: LoadedExtension = { id: ++session.loads, file, instance, program, handle: undefined };
  inferior.extensions.push(loaded);
  session.breakpoints.extensionPlaced(loaded);
}

const historyLostText =
  'The beginning of the recording was given up, to keep within the launch attribute "history" (MiB).';

/** The program is changed in its past: what it did after that is not what it will do. */
function startedAnew(session: SessionState, dropped: readonly { readonly name: string }[]): void {
  const gone = dropped.length === 0 ? '' : ` Checkpoints gone: ${dropped.map(({ name }) => name).join(', ')}.`;
  // What was printed after it is not part of what the program prints now.
  const { written } = session.requireInferior('startedAnew').target.kernel.state.console;
  session.printed = decodeText(new TextEncoder().encode(session.printed).subarray(0, written));
  if (dropped.length > 0) announceCheckpoints(session);
  session.output.line('console', `Changed in the past: what was recorded after it is dropped.${gone}`);
}

/** Going through time undoes loads and unloads. */
function rewound(session: SessionState, gone: readonly TargetExtension[], back: readonly TargetExtension[]): void {
  const inferior = session.requireInferior('goTo');
  for (const { instance } of gone) {
    keepUnloaded(session, instance);
    failed(session, instance, `llext '${instance.name}' is not loaded at this time`);
  }
  for (const { instance } of back) {
    const at = inferior.unloaded.findIndex((one) => one.instance.id === instance.id);
    if (at < 0) continue;
    const [extension] = inferior.unloaded.splice(at, 1);
    inferior.extensions.push(extension);
    session.breakpoints.extensionPlaced(extension);
    session.breakpoints.armNow();
    session.send(new ModuleEvent('new', describeModule(extension)));
    announceSources(session, extension, 'new');
  }
  session.send(new ExtensionsChangedEvent(describeExtensions(session)));
  // The event above is also that of a new machine, which has none.
  announceCheckpoints(session);
}

/** Going back brings it in again. */
function keepUnloaded(session: SessionState, instance: InstanceId): void {
  const { extensions, unloaded } = session.requireInferior('unload');
  const found = extensions.find((one) => one.instance.id === instance.id);
  if (found !== undefined) unloaded.push(found);
}

function failed(session: SessionState, instance: InstanceId, why: string): void {
  const { extensions } = session.requireInferior('launch');
  const at = extensions.findIndex((loaded) => loaded.instance.id === instance.id);
  if (at < 0) return;
  const [gone] = extensions.splice(at, 1);
  void session.breakpoints.extensionGone(gone.id, why);
  session.dataBreakpoints.extensionGone(gone.id, why);
  session.send(new ModuleEvent('removed', describeModule(gone)));
  announceSources(session, gone, 'removed');
}

/** printk and its like: the text with the source line of the call. */
function printed(session: SessionState, text: string, callerPc: bigint, stream: string): void {
  session.printed += text;
  // The return address may be behind the last instruction of the calling line.
  const extension = session.inferior?.extensionAt(callerPc - 1n);
  const position = extension?.program.sourceAt(callerPc - 1n);
  session.output.write(stream === 'stderr' ? 'stderr' : 'stdout', text, position);
  if (session.output.isFull) session.execution.waitForReader();
}
