/**
 * The launch attributes as the client sends them -> checked values. Everything that can be wrong without reading a file
 * is found here, with the attribute, its value and what is expected. Attributes of other names are the client's own
 * (VS Code adds some) and are ignored.
 */
import { cpus, findCpu, type CpuInfo } from '../lib/arch';
import { extensionName, MAX_NAME_LENGTH } from '../lib/target/defaults';
import type { SharedMemoryWish } from '../lib/target/shared-memory';
import { errors } from './errors';
import { baseName } from '../lib/paths';
import { noStepFilter, patternOf, type StepFilterConfig } from './step-filter';

export interface ExtensionConfig {
  readonly program: string;
  /** As llext stores it: at most 15 characters. */
  readonly name: string;
  readonly debugElf: string | undefined;
}

export interface LaunchConfig {
  /** Loaded in this order; the entry function is looked for from the last to the first. */
  readonly extensions: readonly ExtensionConfig[];
  readonly entry: string | undefined;
  readonly args: readonly bigint[];
  readonly stopOnEntry: boolean;
  /** undefined: the core that the last extension was built for. */
  readonly cpu: CpuInfo | undefined;
  /** 'unicorn': a unicorn.js build at `unicornPath` executes instead of the built-in engine. */
  readonly engine: 'builtin' | 'unicorn';
  readonly unicornPath: string | undefined;
  /** KiB; undefined: 64, or the heap of the base image. */
  readonly heapSize: number | undefined;
  /** MiB of the recording; 0 = none. */
  readonly history: number | undefined;
  /** Where rand() begins. */
  readonly seed: number | undefined;
  /** Memory that extensions may use besides their own, where memory safety is checked. */
  readonly sharedMemory: readonly SharedMemoryWish[];
  /** Path of a zephyr.elf; undefined: the built-in base image. */
  readonly base: string | undefined;
  /** Prefix of a path in the debug information -> what stands there on this machine; longest prefix first. */
  readonly sourceMap: readonly (readonly [string, string])[];
  /** Searched for sources that are nowhere else. */
  readonly workspaceFolders: readonly string[];
  /** Functions that a step in goes over. */
  readonly stepFilter: StepFilterConfig;
  /** Executions of lines and functions are counted. */
  readonly coverage: boolean;
  /** Its name at a server, by which it can be attached to. */
  readonly target: string | undefined;
  /** Run without debugging: breakpoints are not set. */
  readonly noDebug: boolean;
}

export const largestHeapSize = 64 * 1024;

type Attributes = Readonly<Record<string, unknown>>;

export function checkLaunchArguments(attributes: Attributes): LaunchConfig {
  return {
    extensions: extensionsOf(attributes),
    entry: optionalText(attributes, 'entry'),
    args: argumentsOf(attributes['args']),
    stopOnEntry: booleanOf(attributes, 'stopOnEntry'),
    cpu: cpuOf(attributes['cpu']),
    engine: engineOf(attributes['engine']),
    unicornPath: optionalText(attributes, 'unicornPath'),
    heapSize: heapSizeOf(attributes['heapSize']),
    history: wholeNumberOf(attributes, 'history', 'MiB', largestHistory),
    seed: wholeNumberOf(attributes, 'seed', 'a seed', 0xffff_ffff),
    sharedMemory: sharedMemoryOf(attributes['sharedMemory']),
    base: optionalText(attributes, 'base'),
    sourceMap: sourceMapOf(attributes['sourceMap']),
    workspaceFolders: textsOf(attributes['workspaceFolders'], 'workspaceFolders'),
    stepFilter: stepFilterConfig(attributes['stepFilter']),
    coverage: booleanOf(attributes, 'coverage'),
    target: optionalText(attributes, 'target'),
    noDebug: attributes['noDebug'] === true,
  };
}

function extensionsOf(attributes: Attributes): ExtensionConfig[] {
  const { program, extensions } = attributes;
  if (program !== undefined && extensions !== undefined) throw errors.programAndExtensions();
  if (program !== undefined) {
    if (typeof program !== 'string' || program.trim() === '') {
      throw errors.invalidAttribute('program', program, 'the path of an extension’s ELF file');
    }
    return [{ program, name: nameOf(attributes, program, ''), debugElf: optionalText(attributes, 'debugElf') }];
  }
  if (extensions === undefined) throw errors.noProgram();
  if (!Array.isArray(extensions)) {
    throw errors.invalidAttribute('extensions', extensions, 'a list such as [{ "program": "hello.llext" }]');
  }
  if (extensions.length === 0) throw errors.noProgram();
  if (attributes['debugElf'] !== undefined) {
    throw errors.invalidAttribute('debugElf', attributes['debugElf'], 'inside of its entry of "extensions"');
  }
  const checked = extensions.map((entry: unknown, index) => extensionOf(entry, `extensions[${index}]`));
  checked.forEach(({ name }, index) => {
    if (checked.findIndex((other) => other.name === name) !== index) throw errors.duplicateName(name);
  });
  return checked;
}

/** An entry of "extensions"; `where` names it in messages. */
export function extensionOf(entry: unknown, where: string): ExtensionConfig {
  const record: unknown = typeof entry === 'string' ? { program: entry } : entry;
  if (!isRecord(record)) throw errors.invalidAttribute(where, entry, 'a path, or an object with "program"');
  const program = record['program'];
  if (typeof program !== 'string' || program.trim() === '') {
    throw errors.invalidAttribute(`${where}.program`, program, 'the path of an extension’s ELF file');
  }
  return {
    program,
    name: nameOf(record, program, `${where}.`),
    debugElf: optionalText(record, 'debugElf', `${where}.`),
  };
}

function nameOf(record: Attributes, program: string, where: string): string {
  const name = where === '' ? undefined : optionalText(record, 'name', where);
  if (name === undefined) return extensionName(baseName(program));
  if (name.length > MAX_NAME_LENGTH) {
    throw errors.invalidAttribute(`${where}name`, name, `at most ${MAX_NAME_LENGTH} characters (as Zephyr stores it)`);
  }
  return name;
}

function argumentsOf(value: unknown): bigint[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw errors.invalidAttribute('args', value, 'a list of integers such as [5, "0x10"]');
  return value.map((item: unknown, index) => integerOf(item, `args[${index}]`));
}

function integerOf(value: unknown, where: string): bigint {
  const expected = 'an integer from -2147483648 to 4294967295, as a number or as text such as "0x10"';
  let integer: bigint;
  if (typeof value === 'number' && Number.isSafeInteger(value)) integer = BigInt(value);
  else if (typeof value === 'string' && /^\s*[+-]?(0x[0-9a-f]+|0b[01]+|0o?[0-7]*|[1-9][0-9]*)\s*$/i.test(value)) {
    const text = value.trim();
    const digits = text.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o');
    integer = text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
  } else throw errors.invalidAttribute(where, value, expected);
  if (integer < -(2n ** 31n) || integer >= 2n ** 32n) throw errors.invalidAttribute(where, value, expected);
  return integer;
}

function cpuOf(value: unknown): CpuInfo | undefined {
  if (value === undefined) return undefined;
  const cpu = typeof value === 'string' ? findCpu(value) : undefined;
  if (cpu === undefined) {
    throw errors.invalidAttribute('cpu', value, `one of ${cpus.map(({ name }) => `"${name}"`).join(', ')}`);
  }
  return cpu;
}

function engineOf(value: unknown): 'builtin' | 'unicorn' {
  if (value === undefined || value === 'builtin') return 'builtin';
  if (value !== 'unicorn') throw errors.invalidAttribute('engine', value, '"builtin" or "unicorn"');
  return 'unicorn';
}

/** Beyond that a session would keep more than all of its other memory. */
const largestHistory = 4096;

function wholeNumberOf(
  attributes: Readonly<Record<string, unknown>>,
  name: string,
  unit: string,
  largest: number,
): number | undefined {
  const value = attributes[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw errors.invalidAttribute(name, value, `a whole number (${unit}) from 0 to ${largest}`);
}

function heapSizeOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > largestHeapSize) {
    throw errors.invalidAttribute('heapSize', value, `a whole number of KiB from 1 to ${largestHeapSize}`);
  }
  return value;
}

const sharedMemoryText = 'the name of an object of the base image, or such as { "address": "0x20000800", "size": 64 }';

function sharedMemoryOf(value: unknown): SharedMemoryWish[] {
  if (value === undefined) return [];
  if (!Array.isArray(value))
    throw errors.invalidAttribute('sharedMemory', value, `a list, of which each is ${sharedMemoryText}`);
  return value.map((item: unknown, index): SharedMemoryWish => {
    const where = `sharedMemory[${index}]`;
    if (typeof item === 'string' && item.trim() !== '') return item.trim();
    if (!isRecord(item) || item['address'] === undefined || item['size'] === undefined) {
      throw errors.invalidAttribute(where, item, sharedMemoryText);
    }
    const [address, size] = ['address', 'size'].map((name) => Number(integerOf(item[name], `${where}.${name}`)));
    if (address < 0)
      throw errors.invalidAttribute(`${where}.address`, item['address'], 'an address from 0 to 0xffffffff');
    if (size < 1) throw errors.invalidAttribute(`${where}.size`, item['size'], 'a number of bytes from 1');
    return { address, size, writable: !booleanOf(item, 'readOnly', `${where}.`) };
  });
}

function sourceMapOf(value: unknown): (readonly [string, string])[] {
  if (value === undefined) return [];
  if (!isRecord(value)) {
    throw errors.invalidAttribute(
      'sourceMap',
      value,
      'an object such as { "/build/machine/src": "${workspaceFolder}/src" }',
    );
  }
  return Object.entries(value)
    .map(([from, to]) => {
      if (typeof to !== 'string') throw errors.invalidAttribute(`sourceMap["${from}"]`, to, 'a path');
      return [from, to] as const;
    })
    .sort((a, b) => b[0].length - a[0].length);
}

function stepFilterConfig(value: unknown): StepFilterConfig {
  if (value === undefined) return noStepFilter;
  if (!isRecord(value)) {
    throw errors.invalidAttribute('stepFilter', value, 'an object such as { "functions": ["list_*"] }');
  }
  for (const name of Object.keys(value)) {
    if (!['onlyExtensions', 'files', 'functions'].includes(name)) {
      throw errors.invalidAttribute(`stepFilter.${name}`, value[name], 'onlyExtensions, files or functions');
    }
  }
  return {
    onlyExtensions: booleanOf(value, 'onlyExtensions', 'stepFilter.'),
    files: patternsOf(value['files'], 'stepFilter.files'),
    functions: patternsOf(value['functions'], 'stepFilter.functions'),
  };
}

function patternsOf(value: unknown, attribute: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw errors.invalidAttribute(attribute, value, patternsText);
  return value.map((item: unknown, index) => {
    if (typeof item !== 'string' || !isPattern(item)) {
      throw errors.invalidAttribute(`${attribute}[${index}]`, item, 'a name with * and ?, or /a regular expression/');
    }
    return item;
  });
}

const patternsText = 'a list such as ["list_*", "/^sys_/"]';

function isPattern(text: string): boolean {
  try {
    patternOf(text);
    return text.trim() !== '';
  } catch {
    return false;
  }
}

function textsOf(value: unknown, attribute: string): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  throw errors.invalidAttribute(attribute, value, 'a list of paths');
}

export function optionalText(record: Attributes, attribute: string, where = ''): string | undefined {
  const value = record[attribute];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw errors.invalidAttribute(`${where}${attribute}`, value, 'text');
  return value;
}

function booleanOf(record: Attributes, attribute: string, where = ''): boolean {
  const value = record[attribute];
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw errors.invalidAttribute(`${where}${attribute}`, value, 'true or false');
  return value;
}

function isRecord(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
