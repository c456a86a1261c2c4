/**
 * The file of a recorded session: what was launched, files with their SHA-256, and the inputs of the history with their moments.
 * Everything else follows from them, so launching with "replay" runs the same again, in VS Code or any client, and says at its end whether
 * instructions, output and outcome were the same. Versioned JSON.
 *
 * A launch replays the loads and the first call by itself; what came later is put into the history as its future: it happens when
 * its moment is reached, and a change by the user drops the rest of it, as any change in the past does.
 */
import { sha256 } from '../lib/llext/slid';
import type { ReplayFileResponse } from '../lib/protocol';
import type { Input, RecordedInput } from '../lib/target/history';
import { errors } from './errors';
import { folderOf, joinPath, segmentsOf } from '../lib/paths';
import { readFile } from './read-file';
import type { FileAccess } from './services';
import type { SessionState } from './session-state';

const version = 1;

interface ReplayedFile {
  /** Relative to the folder of the recording where it is in it. */
  readonly path: string;
  readonly sha256: string;
}

interface ReplayedExtension extends ReplayedFile {
  readonly name: string;
  readonly debugElf?: ReplayedFile;
}

/** What a session came to at a moment. */
export interface ReplayResult {
  readonly steps: number;
  readonly instructions: number;
  readonly outputSha256: string;
}

export interface SessionRecording {
  readonly kind: 'llext session';
  readonly version: number;
  readonly extensions: readonly ReplayedExtension[];
  readonly base?: ReplayedFile;
  /** The launch attributes that have to do with how the program runs. */
  readonly launch: Readonly<Record<string, unknown>>;
  /** Loads and calls tell only that they happened: [moment, kind], the others also what is written. */
  readonly inputs: readonly (readonly [time: number, kind: Input['kind'], ...what: string[]])[];
  readonly passes: readonly number[];
  readonly result: ReplayResult;
}

const runAttributes = ['entry', 'args', 'cpu', 'heapSize', 'seed', 'sharedMemory'] as const;

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
export const digest = (bytes: Uint8Array): string => hex(sha256(bytes));

// --- Writing -------------------------------------------------------------------------------------------------------

export async function replayFile(
  session: SessionState,
  { path }: { readonly path?: string },
): Promise<ReplayFileResponse> {
  const { config, files, launchArguments } = session;
  const { target } = session.requireInferior('llext/replayFile');
  if (config === undefined || files === undefined) throw errors.notLaunched('llext/replayFile');
  if (target.historyRefusal !== undefined) throw errors.noHistory(target.historyRefusal);
  const { now } = target.history;
  const firstCall = target.history.inputs.findIndex(({ input }) => input.kind === 'call');
  const laterLoad = target.history.inputs.some(
    ({ time, input }, i) => i > firstCall && time < now && (input.kind === 'load' || input.kind === 'unload'),
  );
  if (laterLoad) throw errors.replayFile('This session', 'extensions were loaded or unloaded after it had started');
  const folder = path === undefined ? '' : folderOf(path);
  const read = async (file: string): Promise<ReplayedFile> => ({
    path: relativeTo(folder, file),
    sha256: digest(await session.services.files.read(file)),
  });
  const extensions = files.map(async ({ config: { program, name }, bytes, debugPath }) => ({
    path: relativeTo(folder, program),
    sha256: digest(bytes),
    name,
    ...(debugPath === undefined || debugPath === program ? {} : { debugElf: await read(debugPath) }),
  }));
  const recording: SessionRecording = {
    kind: 'llext session',
    version,
    extensions: await Promise.all(extensions),
    ...(config.base === undefined ? {} : { base: await read(config.base) }),
    launch: Object.fromEntries(
      runAttributes.flatMap((name) => (name in launchArguments ? [[name, launchArguments[name]]] : [])),
    ),
    // What was recorded beyond now, before going back, is no part of it.
    inputs: target.history.inputs.filter(({ time }) => time < now).map(inputText),
    passes: target.history.passes.filter((time) => time <= now),
    result: resultOf(session),
  };
  return { text: `${JSON.stringify(recording, undefined, 1)}\n` };
}

function inputText({ time, input }: RecordedInput): SessionRecording['inputs'][number] {
  switch (input.kind) {
    case 'load':
      return [time, input.kind, input.name];
    case 'unload':
      return [time, input.kind];
    case 'call':
      return [
        time,
        input.kind,
        ...input.calls.flatMap(({ address, arguments: values }) => [[address, ...values].join(' ')]),
      ];
    case 'memory':
      return [time, input.kind, String(input.address), hex(input.bytes)];
    case 'register':
      return [time, input.kind, input.name, String(input.value)];
    case 'checks':
      return [time, input.kind, input.on ? 'on' : 'off'];
  }
}

/** Of now: what was written beyond it, before going back, is not part of it. */
function resultOf(session: SessionState): ReplayResult {
  const { target } = session.requireInferior('llext/replayFile');
  const { written } = target.kernel.state.console;
  const output = new TextEncoder().encode(session.printed).subarray(0, written);
  return {
    steps: target.history.now,
    instructions: target.machine.instructionCount,
    outputSha256: digest(output),
  };
}

function relativeTo(folder: string, path: string): string {
  const [outer, inner] = [segmentsOf(folder), segmentsOf(path)];
  const isInside = folder !== '' && outer.length < inner.length && outer.every((part, i) => part === inner[i]);
  return isInside ? inner.slice(outer.length).join('/') : path;
}

// --- Reading -------------------------------------------------------------------------------------------------------

/** The launch attributes of the recording, and the recording itself; what is not the file that was recorded is named. */
export async function openReplay(
  path: string,
  files: FileAccess,
): Promise<{ readonly attributes: Readonly<Record<string, unknown>>; readonly recording: SessionRecording }> {
  const recording = parse(path, await readFile(path, files));
  const found = async ({ path: relative, sha256: expected }: ReplayedFile): Promise<string> => {
    const absolute = joinPath(folderOf(path), relative);
    const is = digest(await readFile(absolute, files));
    if (is !== expected)
      throw errors.replayFile(
        path,
        `${absolute} is not the file that was recorded (SHA-256 ${is}, recorded ${expected})`,
      );
    return absolute;
  };
  const extensions = [];
  for (const extension of recording.extensions) {
    const { name, debugElf } = extension;
    const debug = debugElf === undefined ? {} : { debugElf: await found(debugElf) };
    extensions.push({ program: await found(extension), name, ...debug });
  }
  const base = recording.base === undefined ? {} : { base: await found(recording.base) };
  return { attributes: { ...recording.launch, extensions, ...base }, recording };
}

function parse(path: string, bytes: Uint8Array): SessionRecording {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!isRecording(value))
    throw errors.replayFile(path, 'it is not a recording that LLEXT: Save Replay has written, or is damaged');
  if (value.version === version) return value;
  throw errors.replayFile(path, `it has version ${value.version}, and this program reads ${version}`);
}

function isRecording(value: unknown): value is SessionRecording {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, version: number, extensions, inputs, passes, launch, result } = value as Partial<SessionRecording>;
  const isFile = (file: ReplayedFile | undefined): boolean =>
    typeof file?.path === 'string' && typeof file.sha256 === 'string';
  return (
    kind === 'llext session' &&
    typeof number === 'number' &&
    Array.isArray(extensions) &&
    extensions.every((one: ReplayedExtension) => isFile(one) && typeof one.name === 'string') &&
    Array.isArray(inputs) &&
    inputs.every((one: unknown) => Array.isArray(one) && typeof one[0] === 'number') &&
    Array.isArray(passes) &&
    passes.every((one) => typeof one === 'number') &&
    typeof launch === 'object' &&
    typeof (result as ReplayResult | undefined)?.steps === 'number'
  );
}

/** When the extensions are loaded and the entry is about to be called: what is recorded becomes the future. */
export function scheduleReplay(session: SessionState): void {
  const { replay } = session;
  if (replay === undefined) return;
  const { target } = session.requireInferior('launch');
  const { recording, path } = replay;
  const done = target.history.inputs.map(inputText);
  const same = done.every((input, i) => JSON.stringify(input) === JSON.stringify(recording.inputs[i]));
  if (!same)
    throw errors.replayFile(
      path,
      'loading and calling the extensions makes other steps than were recorded: this is another version of LLEXT Debugger',
    );
  target.schedule(
    recording.inputs.slice(done.length).map(([time, kind, ...what]) => ({ time, input: inputOf(path, kind, what) })),
    recording.passes,
    recording.result.steps,
  );
}

function inputOf(path: string, kind: Input['kind'], what: readonly string[]): Input {
  const [first = '', second = ''] = what;
  switch (kind) {
    case 'call':
      return {
        kind,
        calls: what.map((call) => {
          const [address = 0n, ...values] = call.split(' ').map(BigInt);
          return { address, arguments: values };
        }),
      };
    case 'memory':
      return { kind, address: BigInt(first), bytes: bytesOf(second) };
    case 'register':
      return { kind, name: first, value: BigInt(second) };
    case 'checks':
      return { kind, on: first === 'on' };
    default:
      throw errors.replayFile(path, `it has an input '${kind}' after the first call, which a session does not make`);
  }
}

/** At a stop or the end: where the recording ended, whether everything is as it was. Told once. */
export function compareReplay(session: SessionState): void {
  const { replay } = session;
  if (replay === undefined || replay.isTold) return;
  const { target } = session.requireInferior('replay');
  const { result } = replay.recording;
  if (target.history.now < result.steps) return;
  replay.isTold = true;
  const now = resultOf(session);
  const names = ['steps', 'instructions', 'outputSha256'] as const;
  const differing = names.filter((name) => now[name] !== result[name]);
  const text = `${now.instructions} instructions and ${new TextEncoder().encode(session.printed).length} bytes of output`;
  session.output.line(
    differing.length === 0 ? 'console' : 'important',
    differing.length === 0
      ? `Replay: as recorded (${text}).`
      : `Replay: not as recorded: ${differing.map((name) => `${name} is ${now[name]}, recorded ${result[name]}`).join('; ')}.`,
  );
}
