/**
 * The only place that builds what users read when a request fails: an id that stays the same over versions, a text
 * that says what is wrong, where, and what to do, and whether the client shows it as a message (showUser) or only in
 * the answer of the request (a failed hover must not pop up).
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errnoName } from '../lib/errors';
import { demangle } from '../lib/program/demangle';

/** The answer to a request that cannot be fulfilled. */
export class AdapterError extends Error {
  constructor(
    readonly id: number,
    text: string,
    readonly showUser: boolean,
  ) {
    super(text);
    this.name = 'AdapterError';
  }

  get body(): DebugProtocol.Message {
    return { id: this.id, format: this.message, showUser: this.showUser };
  }
}

export interface MissingSymbol {
  readonly name: string;
  /** Exports of similar names, nearest first. */
  readonly nearest: readonly string[];
}

const quoteList = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** What Zephyr's loader means by an errno, and what to do. */
const loaderAdvice: Record<string, string> = {
  ENOEXEC:
    'the file is not an extension that this loader can link: wrong machine, no section that can be placed, or a relocation that it refuses. Build it with the flags of Zephyr’s add_llext_target for the same CPU',
  ENOMEM:
    'the llext heap has no room for it. Set "heapSize" (KiB) in the launch configuration, or with "base" CONFIG_LLEXT_HEAP_SIZE of the image, to a larger value',
  ENODATA: 'a symbol that it imports is exported neither by the base image nor by an extension that is loaded',
  EINVAL: 'the file is damaged or its tables contradict each other. Build it again',
  ENOTSUP: 'it needs something that this loader does not support: a relocation, or sections that overlap',
  EEXIST: 'an extension of that name is loaded already. Give each entry of "extensions" its own "name"',
  ENOENT: 'a section or symbol that it needs is not there',
  EFAULT: 'an address in it points outside of the memory of the target',
  EIO: 'the file ends before a part that its headers name. Build it again',
  EBUSY: 'it is in use by another extension',
  ENOSPC: 'a table of the loader is full',
  ERANGE: 'a relocation does not reach its target',
  ENOSYS: 'the loader was built without what this file needs',
};

/** Declared in C++ where a C function was meant. */
function plusPlusText(name: string): string {
  const shown = demangle(name);
  return shown === name ? '' : ` - a C++ name, ${shown}: declare it extern "C" if it is a C function`;
}

function missingText(missing: readonly MissingSymbol[]): string {
  return missing
    .map(
      ({ name, nearest }) =>
        `\n  ${name}${nearest.length > 0 ? ` (known names near it: ${nearest.join(', ')})` : ''}${plusPlusText(name)}`,
    )
    .join('');
}

/** One row an error: the keys are used by tests to prove that each can be provoked. */
export const errors = {
  noProgram: () =>
    new AdapterError(
      2001,
      'The launch configuration names no extension: set "program" to the ELF file of one (for example "${workspaceFolder}/build/llext/hello.llext"), or "extensions" to a list of them.',
      true,
    ),
  programAndExtensions: () =>
    new AdapterError(
      2002,
      'The launch configuration has both "program" and "extensions": remove one. "program" is short for a list with one entry.',
      true,
    ),
  invalidAttribute: (attribute: string, value: unknown, expected: string) =>
    new AdapterError(
      2003,
      `Launch attribute "${attribute}" is ${JSON.stringify(value) ?? 'undefined'}, but must be ${expected}.`,
      true,
    ),
  duplicateName: (name: string) =>
    new AdapterError(
      2004,
      `Two entries of "extensions" load under the name '${name}': give each its own "name" (Zephyr keeps the first 15 characters).`,
      true,
    ),
  fileUnreadable: (path: string, reason: string) =>
    new AdapterError(
      2010,
      `Cannot read ${path}: ${reason}. Check the path in the launch configuration, and build the extension first.`,
      true,
    ),
  notElf: (path: string, reason: string) =>
    new AdapterError(2011, `${path} is not a usable ELF file: ${reason}. Choose the ELF that the build wrote.`, true),
  wrongMachine: (path: string, machine: string, cpu: string) =>
    new AdapterError(
      2012,
      `${path} is built for ${machine}, but the session runs on ${cpu}: this version debugs little-endian extensions for Cortex-M and 32- and 64-bit RISC-V, on a cpu of the same kind.`,
      true,
    ),
  baseUnreadable: (path: string, reason: string) =>
    new AdapterError(
      2013,
      `Cannot read the base image ${path}: ${reason}. Set "base" in the launch configuration (or the setting llext.base) to the zephyr.elf of your build folder, or remove it to use the built-in base image.`,
      true,
    ),
  baseUnusable: (path: string, reason: string) =>
    new AdapterError(2014, `${path} cannot be the base image ("base") of a session: ${reason}.`, true),
  baseMismatch: (path: string, reason: string) =>
    new AdapterError(2015, `${path} does not fit the base image: ${reason}.`, true),
  heapSizeWithBase: (reason: string) =>
    new AdapterError(
      2016,
      `Launch attribute "heapSize" cannot be used with this "base": ${reason}. Remove "heapSize", or change CONFIG_LLEXT_HEAP_SIZE and build the image again.`,
      true,
    ),
  sharedMemory: (index: number, reason: string) =>
    new AdapterError(2017, `Launch attribute "sharedMemory[${index}]" is not usable: ${reason}.`, true),
  replayFile: (path: string, reason: string) => new AdapterError(2018, `${path} cannot be replayed: ${reason}.`, true),
  missingSymbols: (name: string, missing: readonly MissingSymbol[]) =>
    new AdapterError(
      2020,
      `llext '${name}' cannot be loaded: ${missing.length === 1 ? 'a symbol that it imports is' : `${missing.length} symbols that it imports are`} exported neither by the base image nor by an extension loaded before it:${missingText(missing)}\nLoad the extension that exports ${missing.length === 1 ? 'it' : 'them'} first ("extensions"), or remove the use.`,
      true,
    ),
  loadRefused: (name: string, program: string, errno: number, log: string | undefined, problems: readonly string[]) =>
    new AdapterError(
      2021,
      `llext '${name}' (${program}) cannot be loaded: llext_load returned ${-Math.abs(errno)} (${errnoName(errno) ?? 'unknown'}): ${loaderAdvice[errnoName(errno) ?? ''] ?? 'the loader refused it'}.${log === undefined ? '' : ` The loader’s message: ${log.replace(/^<\w+> llext: /, '').trim()}.`}${problems.map((problem) => `\n  ${problem}`).join('')}`,
      true,
    ),
  noExports: (name: string) =>
    new AdapterError(
      2022,
      `llext '${name}' exports no function that could be called: mark one with EXPORT_SYMBOL(entry) (older: LL_EXTENSION_SYMBOL), or name a function in "entry".`,
      true,
    ),
  entryNotFound: (entry: string, name: string, exports: readonly string[]) =>
    new AdapterError(
      2023,
      `llext '${name}' has no function '${entry}' (launch attribute "entry")${exports.length > 0 ? `; it exports ${quoteList(exports)}` : '; it exports nothing'}.`,
      true,
    ),
  entryAmbiguous: (name: string, exports: readonly string[]) =>
    new AdapterError(
      2024,
      `llext '${name}' exports ${quoteList(exports)}, none of which is named entry, main, start or test_entry: say in "entry" which one is called.`,
      true,
    ),
  initFailed: (reason: string) =>
    new AdapterError(
      2025,
      `The init functions cannot be called: ${reason}. Look at .preinit_array and .init_array of the extension.`,
      true,
    ),
  notLaunched: (request: string) => new AdapterError(2030, `'${request}' needs a session: send 'launch' first.`, false),
  alreadyLaunched: () => new AdapterError(2031, 'This session was launched already: start another one.', true),
  notStopped: (request: string) =>
    new AdapterError(2032, `'${request}' needs a stopped program: pause it first.`, false),
  ended: (request: string) => new AdapterError(2033, `'${request}': the program has ended.`, false),
  noTarget: (reason: string, more: string) =>
    new AdapterError(
      2036,
      `There is no target to attach to: ${reason}${more}. Launch one at a server (llext dap --port), and leave it with Disconnect.`,
      true,
    ),
  targetInUse: (name: string) =>
    new AdapterError(2037, `Target '${name}' is being debugged: disconnect that session first.`, true),
  nameInUse: (name: string) =>
    new AdapterError(2038, `A target named '${name}' is there already: attach to it, or give another "target".`, true),
  cancelled: () => new AdapterError(2034, 'The session was ended before the program started.', false),
  unknownFrame: (frame: number) =>
    new AdapterError(2040, `There is no stack frame ${frame} any more: the program has run since.`, false),
  unknownReference: (reference: number) =>
    new AdapterError(
      2041,
      `There are no variables under reference ${reference} any more: the program has run since.`,
      false,
    ),
  unknownVariable: (name: string) => new AdapterError(2042, `There is no variable '${name}' here.`, false),
  unknownThread: (thread: number) =>
    new AdapterError(2043, `There is no thread ${thread}: the emulated CPU is thread 1.`, false),
  unknownTarget: (target: number) =>
    new AdapterError(2044, `There is no target ${target} any more: the program has run since.`, false),
  noGoto: (reason: string) => new AdapterError(2045, `The next statement cannot be set there: ${reason}.`, true),
  alreadyLoaded: (name: string) =>
    new AdapterError(
      2085,
      `An llext '${name}' is loaded already: unload it first, reload it, or give another "name".`,
      true,
    ),
  inUse: (name: string, reason: string) => new AdapterError(2086, `llext '${name}' stays loaded: ${reason}.`, true),
  noHistory: (why: string) => new AdapterError(2082, `The target does not run backwards: ${why}.`, true),
  unknownCheckpoint: (id: number) =>
    new AdapterError(2083, `There is no checkpoint ${id} (any more): the list is in LLEXT: Checkpoints.`, true),
  unknownTime: (time: number, first: number, last: number) =>
    new AdapterError(2084, `The moment ${time} is not recorded: moments are ${first} to ${last}.`, true),
  noRestart: (name: string, reason: string) => new AdapterError(2046, `${name} cannot be restarted: ${reason}.`, true),
  unknownLocation: (reference: number) => new AdapterError(2047, `There is no location ${reference}.`, false),
  requestCancelled: () => new AdapterError(2035, 'cancelled', false),
  badExpression: (text: string) => new AdapterError(2050, text, false),
  notAssignable: (name: string, reason: string) => new AdapterError(2051, `${name} cannot be set: ${reason}.`, false),
  badMemoryReference: (reference: string) =>
    new AdapterError(2060, `'${reference}' is no address: an integer such as 0x20000000 is needed.`, false),
  memoryNotWritable: (address: string) =>
    new AdapterError(2061, `Nothing can be written at ${address}: no memory is mapped there.`, false),
  badData: () => new AdapterError(2062, 'The data to write are not base64.', false),
  noUnicorn: (reason: string) =>
    new AdapterError(
      2026,
      `"engine": "unicorn" cannot be used: ${reason}. Set "llext.unicornPath" (or "unicornPath" in the launch configuration) to the file of a unicorn.js 2.1 build, or remove "engine".`,
      true,
    ),
  noDisassembler: (reason: string) => new AdapterError(2063, `The disassembler cannot be loaded: ${reason}.`, false),
  noCoverage: () =>
    new AdapterError(2072, 'Nothing is counted: set "coverage": true in the launch configuration.', false),
  noException: () => new AdapterError(2070, 'The program did not stop by an exception.', false),
  noSource: (reference: number) => new AdapterError(2071, `There is no source under reference ${reference}.`, false),
  badArguments: (request: string, reason: string) => new AdapterError(2080, `'${request}': ${reason}.`, false),
  unsupported: (request: string) => new AdapterError(2081, `This debug adapter has no request '${request}'.`, false),
  internal: (request: string, reason: string) =>
    new AdapterError(
      2099,
      `The debug adapter failed in '${request}' (${reason}). This is an error of LLEXT Debugger: please report it.`,
      false,
    ),
} as const;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
