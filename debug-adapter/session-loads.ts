/**
 * Extensions that come and go while the program is stopped, as Zephyr's shell does it with `llext load_fs` and `llext unload`: llext_load
 * with llext_bringup, llext_teardown with llext_unload, or both with the file as it is on disk now. Breakpoints and symbols follow.
 * Their init and fini functions run aside of the program; what they write stays.
 */
import { InvalidatedEvent } from '@vscode/debugadapter';
import type { LoadChangeArguments, LoadChangeResponse } from '../lib/protocol';
import { alignDown } from '../lib/program/call-arguments';
import type { EmulatedTarget } from '../lib/target/emulated-target';
import type { LoadedExtension as TargetExtension } from '../lib/target/load';
import { callEndText, callLimit } from './call-end-text';
import { describeExtensions } from './custom-requests';
import { errors, messageOf } from './errors';
import { ExtensionsChangedEvent } from './events';
import { announceCheckpoints } from './history-requests';
import type { Inferior, LoadedExtension } from './inferior';
import { type ExtensionConfig, extensionOf } from './launch-config';
import { loadOne } from './loading';
import { openExtension, type ExtensionFile } from './program-files';
import type { SessionState } from './session-state';

type After = (action: () => void) => void;

const stackAlignment = 16;

export async function load(
  session: SessionState,
  args: LoadChangeArguments,
  after: After,
): Promise<LoadChangeResponse> {
  const { inferior } = session.requireStop('llext/load');
  const config = extensionOf(args, 'llext/load');
  const known = inferior.extensions.find(({ instance }) => instance.name === config.name);
  if (known !== undefined) throw errors.alreadyLoaded(config.name);
  const file = await open(session, config);
  await bringIn(session, inferior, file);
  after(() => changed(session));
  return { name: config.name, useCount: 1 };
}

export async function unload(
  session: SessionState,
  { name }: LoadChangeArguments,
  after: After,
): Promise<LoadChangeResponse> {
  const { inferior } = session.requireStop('llext/unload');
  const useCount = await takeOut(session, inferior, named(inferior, name, 'llext/unload'));
  after(() => changed(session));
  return { name: name ?? '', useCount };
}

/** A new file that cannot be read changes nothing; after one that cannot be loaded the old one is there again. */
export async function reload(
  session: SessionState,
  { name }: LoadChangeArguments,
  after: After,
): Promise<LoadChangeResponse> {
  const { inferior } = session.requireStop('llext/reload');
  const loaded = named(inferior, name, 'llext/reload');
  const file = await open(session, loaded.file.config);
  const others = inferior.extensions.filter(({ handle }) =>
    handle?.extension.dependency.includes(loaded.instance.address),
  );
  if (others.length > 0) throw errors.inUse(loaded.instance.name, `llext '${others[0].instance.name}' is linked to it`);
  await takeOut(session, inferior, loaded);
  after(() => changed(session));
  try {
    await bringIn(session, inferior, file);
  } catch (error) {
    await bringIn(session, inferior, loaded.file);
    throw error;
  }
  return { name: loaded.instance.name, useCount: 1 };
}

function named(inferior: Inferior, name: string | undefined, request: string): LoadedExtension {
  if (typeof name !== 'string') throw errors.badArguments(request, 'a name is needed');
  const found = inferior.extensions.find(({ instance }) => instance.name === name);
  if (found === undefined) {
    const all = inferior.extensions.map(({ instance }) => `'${instance.name}'`).join(', ');
    throw errors.badArguments(request, `no llext '${name}' is loaded; loaded are ${all === '' ? 'none' : all}`);
  }
  return found;
}

async function open(session: SessionState, config: ExtensionConfig): Promise<ExtensionFile> {
  const { inferior, base, services, sourcePaths } = session;
  const file = await openExtension(config, inferior?.target.cpu, base, services.files);
  for (const warning of file.program.warnings) session.output.line('important', `llext '${config.name}': ${warning}`);
  if (file.program.debug !== undefined) await sourcePaths?.resolveCode(file.program.debug, file.folder);
  return file;
}

async function bringIn(session: SessionState, inferior: Inferior, file: ExtensionFile): Promise<void> {
  const before = session.files;
  session.files = [...(before ?? []).filter(({ config }) => config.name !== file.config.name), file];
  try {
    await session.breakpoints.filesOpened();
    await loadOne(session, file);
    const handle = inferior.extensions.find(({ instance }) => instance.name === file.config.name)?.handle;
    if (handle !== undefined) await runTable(session, handle, 'init');
  } catch (error) {
    session.files = before;
    throw error;
  } finally {
    session.breakpoints.loadingDone();
  }
}

/** The use count that is left. */
async function takeOut(session: SessionState, inferior: Inferior, loaded: LoadedExtension): Promise<number> {
  const { name } = loaded.instance;
  if (loaded.handle === undefined) throw errors.inUse(name, 'the loader still works on it');
  const { frames } = await session.requireStop('llext/unload').framesTo(Number.MAX_SAFE_INTEGER);
  const inside = frames.find(({ pc }) => inferior.extensionAt(pc) === loaded);
  if (inside !== undefined)
    throw errors.inUse(
      name,
      `${inside.function?.name ?? 'a function'} of it is on the stack: step out of it, or restart`,
    );
  await runTable(session, loaded.handle, 'fini');
  const left = inferior.target.unloadExtension(loaded.handle);
  if (left < 0) throw errors.inUse(name, `llext_unload returned ${left}`);
  return left;
}

/** llext_bringup and llext_teardown; what stops one of the functions leaves nothing of it. */
async function runTable(session: SessionState, handle: TargetExtension, table: 'init' | 'fini'): Promise<void> {
  const { target } = session.requireInferior(`llext/${table}`);
  const calls = table === 'init' ? target.bringUpCalls([handle]) : target.tearDownCalls([handle]);
  if (calls.length === 0) return;
  const stackPointer = alignDown(target.readRegisterNow('sp'), stackAlignment);
  const run = excursionOf(session, target, async (excursion) => {
    for (const { address } of calls) {
      const end = await excursion.call({ address, stackPointer, registers: new Map() }, () =>
        Promise.resolve(undefined),
      );
      if (end !== undefined)
        return {
          failure: `${inferiorName(session, address)} ${callEndText(session.requireInferior('llext/load'), end)}`,
          changes: [],
        };
    }
    return { failure: undefined, changes: excursion.changes() };
  });
  const { failure, changes } = await run;
  if (failure !== undefined) {
    const name = handle.instance.name;
    session.output.line(
      'important',
      `llext '${name}': ${table} function ${failure}; nothing of its ${table} functions stays.`,
    );
    return;
  }
  for (const { address, bytes } of changes) await target.writeMemory(address, bytes);
}

async function excursionOf<T>(
  session: SessionState,
  target: EmulatedTarget,
  body: Parameters<typeof target.excursion<T>>[0],
): Promise<T> {
  const output = ({ text }: { readonly text: string }): void => session.output.write('stdout', text);
  try {
    const running = target.excursion(body, { limit: callLimit, output });
    session.calling = running.finally(() => (session.calling = undefined));
    return await running;
  } catch (error) {
    throw errors.badExpression(`init and fini functions cannot be run here: ${messageOf(error)}`);
  }
}

const inferiorName = ({ inferior }: SessionState, address: bigint): string =>
  inferior?.symbolText(address & ~1n) ?? `0x${address.toString(16)}`;

function changed(session: SessionState): void {
  session.send(new ExtensionsChangedEvent(describeExtensions(session)));
  // The event above is also that of a new machine, which has none.
  announceCheckpoints(session);
  session.execution.stop?.forgetFrames();
  // Not the stack: VS Code would bring the view of the call stack to the front.
  if (session.client.supportsInvalidatedEvent) session.send(new InvalidatedEvent(['variables']));
}
