/**
 * Uri -> what was read of that ELF file, kept until the file changes. A file that cannot be read is kept too, with the
 * reason, so that the sidebar can show it. Programs (symbols, debug information) are made when first asked for.
 */
import * as vscode from 'vscode';
import { ElfFile } from '../lib/elf/elf-file';
import { companionsOf } from '../lib/program/debug-companions';
import { Program } from '../lib/program/program';
import { messageOf } from './log';
import { nearbyFiles } from './nearby-files';
import { fromUri } from './workspace-files';

export interface ElfEntry {
  readonly uri: vscode.Uri;
  readonly size: number;
  readonly elf: ElfFile;
  /** Files with parts of its debug information. */
  readonly companions: readonly ElfFile[];
}

export interface BrokenElf {
  readonly uri: vscode.Uri;
  readonly problem: string;
}

export class ElfCache implements vscode.Disposable {
  private readonly entries = new Map<string, Promise<ElfEntry | BrokenElf>>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly watchers: readonly vscode.FileSystemWatcher[];

  /** A file that may be an extension ELF appeared, changed or vanished. */
  readonly onDidChange = this.changed.event;

  constructor() {
    const elfs = vscode.workspace.createFileSystemWatcher('**/*.{llext,elf,o,obj}');
    const companions = vscode.workspace.createFileSystemWatcher('**/*.{dwo,dwp,dwz}');
    this.watchers = [elfs, companions];
    const forget = (uri: vscode.Uri) => {
      this.entries.delete(uri.toString());
      this.changed.fire(uri);
    };
    elfs.onDidChange(forget);
    elfs.onDidCreate(forget);
    elfs.onDidDelete(forget);
    // Whose it is, is not known; a build that writes many of them writes an ELF file too, which tells the others.
    for (const event of [companions.onDidChange, companions.onDidCreate, companions.onDidDelete])
      event(() => this.clear());
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
    for (const watcher of this.watchers) watcher.dispose();
    this.changed.dispose();
  }
}

const programs = new WeakMap<ElfFile, { debug: ElfFile | undefined; program: Program }>();

/** Symbols and debug information. Throws FormatError for a file that is damaged below its headers. */
export function programOf(loaded: ElfEntry, debug: ElfEntry | undefined): Program {
  const known = programs.get(loaded.elf);
  if (known !== undefined && known.debug === debug?.elf) return known.program;
  const program = Program.open(loaded.elf, debug?.elf, (debug ?? loaded).companions);
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
    const companions = await companionsOf(elf, fromUri(uri), nearbyFiles);
    return { uri, size: bytes.length, elf, companions };
  } catch (error) {
    return { uri, problem: messageOf(error) };
  }
}
