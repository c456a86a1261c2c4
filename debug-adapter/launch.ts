/**
 * The life of a session: launch (check, read, wait for the client's breakpoints, load, call the entry), restart with
 * the same configuration on a fresh machine, terminate and disconnect.
 */
import { ModuleEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Cancellation } from './cancellation';
import { ProcessEvent } from './events';
import { errors } from './errors';
import { openBase } from './base-image';
import { canBeLeft, leave } from './attach';
import { chooseEntry, processName, programName } from './entry';
import { checkLaunchArguments, type LaunchConfig } from './launch-config';
import { loadExtensions } from './loading';
import { describeModule } from './modules';
import { baseName } from '../lib/paths';
import { type ReportProgress, withProgress } from './progress';
import { openExtensions } from './program-files';
import { openReplay, scheduleReplay } from './replay-file';
import type { SessionState } from './session-state';
import { SourcePaths } from './source-paths';

type Attributes = Readonly<Record<string, unknown>>;
type After = (action: () => void) => void;

/** Answered when the extensions are loaded, so that a refusal of the loader is the answer. */
export async function launch(
  session: SessionState,
  args: DebugProtocol.LaunchRequestArguments,
  after: After,
  cancellation: Cancellation,
): Promise<void> {
  if (session.config !== undefined) throw errors.alreadyLaunched();
  const begin = (attributes: Attributes): Promise<void> => {
    const config = configOf(session, attributes);
    session.config = config;
    if (config.noDebug) session.breakpoints.disable();
    if (config.noDebug) session.dataBreakpoints.disable();
    cancellation.onCancel(() => session.client.cancelLaunch(errors.requestCancelled()));
    return openFiles(session, config, cancellation);
  };
  const attributes = args as Attributes;
  const isReplay = attributes['replay'] !== undefined;
  session.opening = isReplay ? replayedArguments(session, attributes).then(begin) : begin(attributes);
  await session.opening;
  await session.client.configured;
  cancellation.check();
  await prepareRun(session);
  const { config } = session as SessionState;
  session.services.targets?.add(session, config?.target, programName(session));
  after(() => start(session));
}

/** The attributes that count: with "replay" the program is what the recording names, and others stay the client's. */
async function replayedArguments(session: SessionState, args: Attributes): Promise<Attributes> {
  const { replay: path, ...own } = args;
  if (typeof path !== 'string' || path === '') throw errors.invalidAttribute('replay', path, 'the path of a recording');
  const { attributes, recording } = await openReplay(path, session.services.files);
  session.replay = { path, recording, isTold: false };
  return { ...own, ...attributes };
}

function configOf(session: SessionState, args: Attributes): LaunchConfig {
  session.launchArguments = args;
  return checkLaunchArguments(args);
}

/** From here on the ELF files and their sources are known, and what breakpoints wait for can be said. */
function openFiles(session: SessionState, config: LaunchConfig, cancellation: Cancellation): Promise<void> {
  return withProgress(session, 'Reading extensions', cancellation, (report) => readFiles(session, config, report));
}

async function readFiles(session: SessionState, config: LaunchConfig, report: ReportProgress): Promise<void> {
  if (config.base !== undefined) await report(`base image ${baseName(config.base)}`, 5);
  const base = await openBase(config, session.services.files);
  const count = config.extensions.length;
  const files = await openExtensions(config, base, session.services.files, (extension, index) =>
    report(`llext '${extension.name}'`, Math.round(10 + (40 * index) / count)),
  );
  const search = { sourceMap: config.sourceMap, folders: config.workspaceFolders };
  const paths = new SourcePaths(session.services.files, search, (text) => session.output.line('important', text));
  for (const [index, { config: extension, program, folder }] of files.entries()) {
    await report(`sources of llext '${extension.name}'`, Math.round(50 + (45 * index) / count));
    for (const warning of program.warnings) session.output.line('important', `llext '${extension.name}': ${warning}`);
    if (program.debug !== undefined) await paths.resolveCode(program.debug, folder);
  }
  if (base !== undefined) {
    for (const note of base.description.notes) session.output.line('console', `base image: ${note}`);
    // It may be large: where its sources are is looked for when a breakpoint or a frame asks, but a step cannot wait for that.
    if (base.program.debug !== undefined && config.stepFilter.files.length > 0) {
      await report('sources of the base image', 95);
      await paths.resolveCode(base.program.debug, base.folder);
    }
  }
  session.base = base;
  session.sourcePaths = paths;
  session.files = files;
  await session.breakpoints.filesOpened();
}

export function configurationDone(session: SessionState): void {
  session.client.configurationDone();
}

/** From here on a machine is there with all extensions loaded, and the entry is about to be called. */
async function prepareRun(session: SessionState): Promise<void> {
  session.execution.reset();
  session.breakpoints.reset();
  session.dataBreakpoints.reset();
  session.exceptions.reset();
  session.entry = undefined;
  await loadExtensions(session);
  chooseEntry(session);
  scheduleReplay(session);
}

function start(session: SessionState): void {
  const { entry, config } = session;
  if (entry === undefined || config === undefined) return;
  session.send(new ProcessEvent(processName(session), 'launch'));
  if (config.stopOnEntry && !config.noDebug)
    session.execution.run((stepper) => stepper.runToEntry(entry.address), 'entry');
  else session.execution.continue();
}

async function changedConfig(session: SessionState, args: Attributes): Promise<LaunchConfig> {
  session.replay = undefined;
  return configOf(session, args['replay'] === undefined ? args : await replayedArguments(session, args));
}

export async function restart(
  session: SessionState,
  args: DebugProtocol.RestartArguments,
  after: After,
  cancellation: Cancellation,
): Promise<void> {
  if (session.config === undefined || session.inferior === undefined) throw errors.notLaunched('restart');
  // What a client attaches with says nothing of the program.
  const changed = session.client.isAttached ? undefined : args.arguments;
  // VS Code sends the configuration again, because it may have been edited; it also has a new build read.
  const config = changed === undefined ? session.config : await changedConfig(session, changed as Attributes);
  if (session.replay !== undefined) session.replay.isTold = false;
  await session.execution.halt();
  for (const loaded of session.inferior.extensions) session.send(new ModuleEvent('removed', describeModule(loaded)));
  session.config = config;
  session.inferior = undefined;
  try {
    await openFiles(session, config, cancellation);
    await prepareRun(session);
  } catch (error) {
    // The old machine is gone and there is no new one.
    after(() => session.execution.end(undefined));
    throw error;
  }
  after(() => start(session));
}

export function terminate(session: SessionState, _args: unknown, after: After): void {
  after(() => void session.execution.halt().then(() => session.execution.end(undefined)));
}

/** The connection is closed by the session when this has been answered. */
export async function disconnect(session: SessionState, args: DebugProtocol.DisconnectArguments): Promise<void> {
  const ends = args.terminateDebuggee ?? !session.client.isAttached;
  if (ends || !canBeLeft(session)) await session.dispose();
  else await leave(session, args.suspendDebuggee === true ? 'suspend' : 'run');
}
