/**
 * Uri -> what was read of that ELF file, kept until the file changes. A file that cannot be read is kept too, with the
 * reason, so that the sidebar can show it. Programs (symbols, debug information) are made when first asked for.
 */
import * as vscode from 'vscode';
import { ElfFile } from '../lib/elf/elf-file';
import { Program } from '../lib/program/program';
import { messageOf } from './log';

export interface ElfEntry {
  readonly uri: vscode.Uri;
  readonly size: number;
  readonly elf: ElfFile;
}

export interface BrokenElf {
  readonly uri: vscode.Uri;
  readonly problem: string;
}

export class ElfCache implements vscode.Disposable {
  private readonly entries = new Map<string, Promise<ElfEntry | BrokenElf>>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly watcher: vscode.FileSystemWatcher;

  /** A file that may be an extension ELF appeared, changed or vanished. */
  readonly onDidChange = this.changed.event;

  constructor() {
    this.watcher = vscode.workspace.createFileSystemWatcher('**/*.{llext,elf,o,obj}');
    const forget = (uri: vscode.Uri) => {
      this.entries.delete(uri.toString());
      this.changed.fire(uri);
    };
    this.watcher.onDidChange(forget);
    this.watcher.onDidCreate(forget);
    this.watcher.onDidDelete(forget);
  }

  get(uri: vscode.Uri): Promise<ElfEntry | BrokenElf> {
    const key = uri.toString();
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = readElf(uri);
      this.entries.set(key, entry);
    }
    return entry;
  }

  /** Everything is read again at its next use. */
  clear(): void {
    this.entries.clear();
  }

  dispose(): void {
    this.watcher.dispose();
    this.changed.dispose();
  }
}

const programs = new WeakMap<ElfFile, { debug: ElfFile | undefined; program: Program }>();

/** Symbols and debug information. Throws FormatError for a file that is damaged below its headers. */
export function programOf(loaded: ElfEntry, debug: ElfEntry | undefined): Program {
  const known = programs.get(loaded.elf);
  if (known !== undefined && known.debug === debug?.elf) return known.program;
  const program = Program.open(loaded.elf, debug?.elf);
  programs.set(loaded.elf, { debug: debug?.elf, program });
  return program;
}

export function isBroken(entry: ElfEntry | BrokenElf): entry is BrokenElf {
  return 'problem' in entry;
}

async function readElf(uri: vscode.Uri): Promise<ElfEntry | BrokenElf> {
  try {
    const bytes = await vscode.workspace.fs.readFile(uri);
    const elf = ElfFile.parse(bytes);
    return { uri, size: bytes.length, elf };
  } catch (error) {
    return { uri, problem: messageOf(error) };
  }
}
