/**
 * The file of `llext run --record`: the seed and the inputs of a run, and what it came to. Everything else follows from them, so
 * `--replay` runs it again and compares: instructions, output and how it ended. Versioned JSON; files are named relative to
 * it and told by their SHA-256.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { EmulatedTarget } from '../lib/target/emulated-target';
import { UsageError } from './usage-error';

/** 2: checkOwners and sharedMemory. */
const VERSION = 2;

interface RecordedFile {
  readonly path: string;
  readonly sha256: string;
}

export interface RunInputs {
  readonly files: readonly string[];
  readonly base: string | undefined;
  readonly entry: string | undefined;
  readonly arguments: readonly bigint[];
  readonly cpu: string | undefined;
  readonly heapSizeKiB: number | undefined;
  readonly seed: number;
  readonly checkMemory: boolean;
  readonly checkOwners: boolean;
  /** As they were given. */
  readonly sharedMemory: readonly string[];
}

export interface RunResult {
  /** Instructions, host calls and inputs. */
  readonly steps: number;
  readonly instructions: number;
  /** Moments of the inputs. */
  readonly inputs: readonly number[];
  readonly outputBytes: number;
  readonly outputSha256: string;
  readonly ended: string;
}

interface Recording extends Omit<RunInputs, 'files' | 'base' | 'arguments' | 'checkOwners' | 'sharedMemory'> {
  readonly version: number;
  readonly files: readonly RecordedFile[];
  readonly base: RecordedFile | undefined;
  readonly arguments: readonly string[];
  /** Absent in version 1. */
  readonly checkOwners?: boolean;
  readonly sharedMemory?: readonly string[];
  readonly result: RunResult;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export function resultOf(target: EmulatedTarget, output: string, ended: string): RunResult {
  const { now, inputs } = target.history;
  return {
    steps: now,
    instructions: target.machine.instructionCount,
    inputs: inputs.map(({ time }) => time),
    outputBytes: Buffer.byteLength(output),
    outputSha256: sha256(output),
    ended,
  };
}

export function writeRecording(file: string, inputs: RunInputs, result: RunResult): void {
  const named = (path: string): RecordedFile => ({
    path: relative(dirname(resolve(file)), resolve(path)),
    sha256: sha256(readFileSync(path)),
  });
  const recording: Recording = {
    version: VERSION,
    ...inputs,
    files: inputs.files.map(named),
    base: inputs.base === undefined ? undefined : named(inputs.base),
    arguments: inputs.arguments.map(String),
    result,
  };
  try {
    writeFileSync(file, `${JSON.stringify(recording, undefined, 2)}\n`);
  } catch (error) {
    throw new UsageError(`--record: cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** UsageError when it is no recording, or when a file is not the one that was recorded. */
export function readRecording(file: string): { readonly inputs: RunInputs; readonly result: RunResult } {
  const recording = parse(file);
  if (recording.version !== VERSION && recording.version !== 1) {
    throw new UsageError(
      `--replay: ${file} has version ${String(recording.version)}; this program reads 1 and ${VERSION}`,
    );
  }
  const found = ({ path, sha256: expected }: RecordedFile): string => {
    const absolute = resolve(dirname(resolve(file)), path);
    if (sha256(readBytes(absolute)) === expected) return absolute;
    throw new UsageError(`--replay: ${path} is not the file that was recorded (its SHA-256 is not ${expected})`);
  };
  const { files, base, entry, cpu, heapSizeKiB, seed, checkMemory, result } = recording;
  const { checkOwners = false, sharedMemory = [] } = recording;
  const numbers = recording.arguments.map(BigInt);
  const basePath = base === undefined ? undefined : found(base);
  const paths = { files: files.map(found), base: basePath };
  const checks = { checkMemory, checkOwners, sharedMemory };
  return { inputs: { ...paths, entry, arguments: numbers, cpu, heapSizeKiB, seed, ...checks }, result };
}

function parse(file: string): Recording {
  try {
    const value = JSON.parse(new TextDecoder().decode(readBytes(file))) as Partial<Recording> | null;
    if (value !== null && isRecording(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(`--replay: ${file} is not a recording that llext run --record has written`);
}

function isRecording(value: Partial<Recording>): value is Recording {
  const { files, base, arguments: numbers, result, seed, checkMemory, checkOwners = false, sharedMemory = [] } = value;
  const isFile = (file: RecordedFile | null | undefined): boolean =>
    typeof file?.path === 'string' && typeof file.sha256 === 'string';
  return (
    Array.isArray(files) &&
    files.every(isFile) &&
    (base === undefined || isFile(base)) &&
    Array.isArray(numbers) &&
    numbers.every((number) => /^-?\d+$/.test(String(number))) &&
    typeof seed === 'number' &&
    typeof checkMemory === 'boolean' &&
    typeof checkOwners === 'boolean' &&
    Array.isArray(sharedMemory) &&
    sharedMemory.every((one) => typeof one === 'string') &&
    typeof result === 'object' &&
    (result as RunResult | null) !== null
  );
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`--replay: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is not as it was recorded, a line each; none = the run was the same. */
export function differences(recorded: RunResult, replayed: RunResult): string[] {
  const names = Object.keys(replayed) as (keyof RunResult)[];
  return names.flatMap((name) => {
    const [was, is] = [JSON.stringify(recorded[name]), JSON.stringify(replayed[name])];
    return was === is ? [] : [`${name}: recorded ${was}, now ${is}`];
  });
}
