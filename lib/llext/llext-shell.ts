/**
 * shell.c: the commands of CONFIG_LLEXT_SHELL with their output texts and return codes (specification 6.1). `load_hex`
 * writes into one static buffer in guest memory, which the loader may use in place: a second load then overwrites what
 * the first extension still needs, as on the target. Calls of guest code are yielded (llext-handlers.ts).
 */
import { Errno } from '../errors';
import { llextBufLoader } from './buf-loader';
import { pointer } from './context';
import { FsLoader } from './fs-loader';
import type { LlextFileSystem } from './fs-loader';
import { displayName } from './guest';
import type { LlextSubsystem } from './llext';
import type { GuestCalls } from './llext-handlers';
import type { LlextLoader } from './loader';
import type { LlextConfig, LlextMemory } from './types';

export interface LlextShellOptions {
  readonly llext: LlextSubsystem;
  readonly memory: LlextMemory;
  readonly config: LlextConfig;
  /** CONFIG_LLEXT_SHELL_MAX_SIZE; 8192 when absent. */
  readonly maxSize?: number;
  /** Address of llext_buf, maxSize bytes. */
  readonly buffer: bigint;
  /** CONFIG_FILE_SYSTEM */
  readonly fileSystem?: LlextFileSystem;
  /** Text with its line feeds. */
  readonly print: (text: string) => void;
  /** The module's own messages, as log records. */
  readonly log?: (text: string) => void;
}

export const defaultShellMaxSize = 8192;

interface Command {
  /** Arguments behind the command's name. */
  readonly parameters: number;
  readonly run: (args: readonly string[]) => GuestCalls;
}

export class LlextShell {
  private readonly commands: ReadonlyMap<string, Command>;
  private readonly maxSize: number;

  constructor(private readonly options: LlextShellOptions) {
    this.maxSize = options.maxSize ?? defaultShellMaxSize;
    const commands: [string, Command][] = [
      ['list', { parameters: 0, run: () => this.now(this.list()) }],
      ['load_hex', { parameters: 2, run: ([name, hex]) => this.now(this.loadHex(name, hex)) }],
      ['unload', { parameters: 1, run: ([name]) => this.now(this.unload(name)) }],
      ['list_symbols', { parameters: 1, run: ([name]) => this.now(this.listSymbols(name)) }],
      ['call_fn', { parameters: 2, run: ([name, symbol]) => this.callFn(name, symbol) }],
    ];
    const { fileSystem } = options;
    if (fileSystem !== undefined) {
      const run = ([name, path]: readonly string[]): GuestCalls => this.now(this.loadLlext(fileSystem, name, path));
      commands.push(['load_llext', { parameters: 2, run }]);
    }
    this.commands = new Map(commands);
  }

  /** A line such as 'llext list'; the value is the command's return code. */
  *execute(line: string): GuestCalls {
    const [root, name = '', ...args] = line.trim().split(/\s+/);
    const command = root === 'llext' ? this.commands.get(name) : undefined;
    // Both answers are the shell's own, not this file's.
    if (command === undefined) {
      this.print(`${root === 'llext' ? name || root : root}: command not found`);
      return -Errno.ENOEXEC;
    }
    // `list` takes any number, as SHELL_CMD does.
    if (command.parameters > 0 && args.length !== command.parameters) {
      this.print(`${name}: wrong parameter count`);
      return -Errno.EINVAL;
    }
    return yield* command.run(args);
  }

  private *now(ret: number): GuestCalls {
    return ret;
  }

  private list(): number {
    this.print('| Name             | Size         |');
    return this.options.llext.iterate(({ name, allocSize }) => {
      this.print(`| ${name.padStart(16)} | ${String(allocSize).padStart(12)} |`);
      return 0;
    });
  }

  private listSymbols(name: string): number {
    const extension = this.options.llext.byName(name);
    if (extension === undefined) {
      this.print(`No such llext ${name}`);
      return -Errno.ENOENT;
    }
    this.print(`Extension: ${extension.name} symbols`);
    this.print('| Symbol           | Address    |');
    for (const symbol of extension.symTab.symbols) {
      this.print(`| ${symbol.name.padStart(16)} | ${pointer(symbol.address)} |`);
    }
    return 0;
  }

  private loadHex(name: string, hex: string): number {
    const { llext, memory, config, buffer } = this.options;
    if (hex.length > this.maxSize * 2 && llext.limitsHex) {
      const size = Math.floor(hex.length / 2);
      this.print(`Extension ${size} bytes too large to load, max ${this.maxSize} bytes\n`);
      return -Errno.ENOMEM;
    }
    // The oldest version measures no further than one digit too many, and its test never holds.
    const shown = hex.slice(0, this.maxSize * 2 + 1);
    const length = shown.length > this.maxSize * 2 ? 0 : this.hex2bin(shown);
    this.log(`hex2bin hex len ${shown.length}, llext buf sz ${this.maxSize}, read ${length}`);
    const loader = llextBufLoader(memory, buffer, length, config);
    const { ret, extension } = llext.load(loader, name);
    if (ret === 0 && extension !== undefined) this.printLoaded(extension.name, extension.address);
    // A name that is loaded already is told as a failure, with its use count.
    else this.print(`Failed to load extension ${name}, return code ${ret}\n`);
    return 0;
  }

  private loadLlext(fileSystem: LlextFileSystem, name: string, path: string): number {
    const stat = fileSystem.stat(path);
    if (typeof stat === 'number') {
      this.print(`Failed to obtain file ${path}, return code ${stat}\n`);
      return stat;
    }
    if (stat !== 'file') {
      this.print(`Not a file ${path}`);
      return -Errno.ENOEXEC;
    }
    const loader: LlextLoader = new FsLoader(fileSystem, path);
    const { ret, extension } = this.options.llext.load(loader, name);
    if (extension === undefined) {
      // ext is NULL then, and Zephyr prints the string at the place of its name.
      const shown = this.options.llext.nameOfStruct(0n);
      this.print(`Failed to load extension ${shown}, return code ${ret}\n`);
      return -Errno.ENOEXEC;
    }
    this.printLoaded(extension.name, extension.address);
    return 0;
  }

  private unload(name: string): number {
    const extension = this.options.llext.byName(name);
    if (extension === undefined) return this.noSuchExtension(name);
    // Whether it is gone or only one use less, is not told.
    this.options.llext.unload(extension);
    this.print(`Unloaded extension ${name}\n`);
    return 0;
  }

  private *callFn(name: string, symbol: string): GuestCalls {
    const extension = this.options.llext.byName(name);
    if (extension === undefined) return this.noSuchExtension(name);
    yield* this.options.llext.callFn(extension, symbol);
    return 0;
  }

  private noSuchExtension(name: string): number {
    this.print(`No such extension ${name}`);
    return -Errno.ENOENT;
  }

  private printLoaded(name: string, address: bigint): void {
    this.print(`Successfully loaded extension ${name}, addr ${pointer(address)}\n`);
  }

  /** Bytes written behind each other until a character is no digit, and then 0; an odd first digit is a byte by itself. */
  private hex2bin(hex: string): number {
    const { memory, buffer } = this.options;
    const digits = hex.length % 2 === 0 ? hex : `0${hex}`;
    const valid = /^[0-9a-fA-F]*/.exec(digits)?.[0].length ?? 0;
    const bytes = new Uint8Array(Math.ceil(valid / 2));
    for (let i = 0; i < bytes.length; i++) {
      // Of a pair with a wrong second digit the first has been written.
      const pair = digits.slice(2 * i, Math.min(2 * i + 2, valid)).padEnd(2, '0');
      bytes[i] = Number.parseInt(pair, 16);
    }
    if (bytes.length > 0) memory.write(buffer, bytes);
    return valid === digits.length ? bytes.length : 0;
  }

  /** shell_print: a line of its own, whatever the text ends in. */
  private print(text: string): void {
    this.options.print(`${displayName(text)}\n`);
  }

  private log(text: string): void {
    if (this.options.config.logLevel >= 4) this.options.log?.(`<dbg> llext_shell: ${text}`);
  }
}

/** The command that the host side sends: `xxd -p file | tr -d '\n'` makes the digits. */
export function loadHexCommand(name: string, file: Uint8Array): string {
  return `llext load_hex ${name} ${Array.from(file, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
