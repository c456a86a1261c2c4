/**
 * The code of an extension as a read-only document of language `llext-disassembly`. From the file alone the addresses
 * are offsets and the relocations are shown; in a session it is what memory holds, at the addresses where it is.
 */
import * as vscode from 'vscode';
import capstone from '@alexaltea/capstone-js';
import { createDisassembler, instructionSetOf, type Disassembler, type InstructionSet } from '../lib/disassembler';
import { EM_RISCV, SHF_ALLOC, SHF_EXECINSTR } from '../lib/elf/constants';
import type { ElfFile, SectionHeader } from '../lib/elf/elf-file';
import { demangle } from '../lib/program/demangle';
import { ElfSymbols, type PlacedSymbol } from './elf-symbols';
import { isBroken, programOf, type ElfCache, type ElfEntry } from './elf-cache';
import { listSection, type ListingLine, type ListingRow } from './disassembly-listing';
import { messageOf } from './log';
import { readMemory, type Sessions } from './sessions';
import { locateSource } from './source-locator';
import { baseName } from './workspace-files';

export const disassemblyScheme = 'llext-disassembly';

export interface DisassemblyRequest {
  readonly elf: string;
  readonly debugElf?: string;
  /** Session and ExtensionDescription.id, for what is loaded. */
  readonly session?: string;
  readonly extension?: number;
  /** Section header index; all sections with code if not told. */
  readonly section?: number;
  /** Only this function. */
  readonly symbol?: string;
}

/** The name is what the editor's tab shows. */
export function disassemblyUri(name: string, request: DisassemblyRequest): vscode.Uri {
  return vscode.Uri.from({
    scheme: disassemblyScheme,
    path: `/${name.replaceAll('/', '_')}`,
    query: JSON.stringify(request),
  });
}

interface Source {
  readonly entry: ElfEntry;
  readonly debug: ElfEntry | undefined;
  readonly request: DisassemblyRequest;
  readonly symbols: SectionSymbols;
}

/** Labels come from the debug ELF when there is one, because a stripped file has only its global names. */
class SectionSymbols {
  private readonly loaded: ElfSymbols;
  private readonly labels: ElfSymbols;

  constructor(
    private readonly entry: ElfEntry,
    private readonly debug: ElfEntry | undefined,
  ) {
    this.loaded = new ElfSymbols(entry.elf);
    this.labels = debug === undefined ? this.loaded : new ElfSymbols(debug.elf);
  }

  inSection(index: number): readonly PlacedSymbol[] {
    return this.labels.inSection(this.twin(index));
  }

  kindsIn(index: number): ReturnType<ElfSymbols['kindsIn']> {
    return this.labels.kindsIn(this.twin(index));
  }

  nameAt(index: number, offset: number): string | undefined {
    return this.labels.nameAt(this.twin(index), offset);
  }

  relocationsOf(index: number): ReturnType<ElfSymbols['relocationsOf']> {
    return this.loaded.relocationsOf(index);
  }

  /** The section of that name in the file that has the labels. */
  private twin(index: number): number {
    if (this.debug === undefined) return index;
    const name = this.entry.elf.sections[index]?.name ?? '';
    return this.debug.elf.section(name)?.index ?? index;
  }
}

/** Where a section's bytes come from and what its offset 0 is called. */
interface Placed {
  readonly base: bigint;
  readonly bytes: Uint8Array;
  readonly live: boolean;
}

export class DisassemblyDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly disassemblers = new Map<InstructionSet, Promise<Disassembler>>();

  readonly onDidChange = this.changed.event;

  constructor(
    private readonly cache: ElfCache,
    private readonly sessions: Sessions,
    private readonly assets: { capstoneWasm(): Promise<Uint8Array> },
  ) {
    const refresh = () => {
      for (const { uri } of vscode.workspace.textDocuments) {
        if (uri.scheme === disassemblyScheme) this.changed.fire(uri);
      }
    };
    this.subscriptions = [cache.onDidChange(refresh), sessions.onDidChangeLoaded(refresh)];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const request = JSON.parse(uri.query) as DisassemblyRequest;
    try {
      const rows = await this.listing(request);
      return rows.map(({ text }) => text).join('\n') + '\n';
    } catch (error) {
      return `; ${messageOf(error)}\n`;
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  private async listing(request: DisassemblyRequest): Promise<ListingRow[]> {
    const source = await this.open(request);
    const sections = sectionsOf(source);
    if (sections.length === 0) throw new Error(`${baseName(source.entry.uri)} has no code.`);
    const rows: ListingRow[] = [];
    for (const section of sections) rows.push(...(await this.sectionRows(source, section)));
    return rows;
  }

  private async open(request: DisassemblyRequest): Promise<Source> {
    const entry = await this.cache.get(vscode.Uri.parse(request.elf, true));
    if (isBroken(entry)) throw new Error(`${baseName(entry.uri)} cannot be read: ${entry.problem}`);
    const found = request.debugElf === undefined ? undefined : await this.cache.get(vscode.Uri.parse(request.debugElf));
    const debug = found === undefined || isBroken(found) ? undefined : found;
    return { entry, debug, request, symbols: new SectionSymbols(entry, debug) };
  }

  private async sectionRows(source: Source, section: SectionHeader): Promise<ListingRow[]> {
    const placed = await this.place(source, section);
    const { symbols, request } = source;
    const only = symbols.inSection(section.index).find(({ name }) => name === request.symbol);
    const start = only?.offset ?? 0;
    const end = only === undefined || only.size === 0 ? placed.bytes.length : only.offset + only.size;
    const where = placed.live ? `loaded at 0x${placed.base.toString(16)}` : 'not loaded: addresses are offsets';
    const rows = listSection(
      {
        name: section.name,
        bytes: placed.bytes,
        base: placed.base,
        start,
        end,
        labels: symbols.inSection(section.index),
        lines: await this.lines(source, section),
        relocations: placed.live ? [] : symbols.relocationsOf(section.index),
        kinds: symbols.kindsIn(section.index),
        symbolAt: (address) => this.nameAt(source, section, placed, address),
      },
      await this.loadDisassembler(source.entry.elf),
    );
    const heading = `Section ${section.name} of ${baseName(source.entry.uri)}, ${placed.bytes.length} bytes, ${where}`;
    return [
      { text: heading, offset: undefined },
      { text: '', offset: undefined },
      ...rows,
      { text: '', offset: undefined },
    ];
  }

  /** The file's bytes, or in a session the memory's. */
  private async place({ entry, request }: Source, section: SectionHeader): Promise<Placed> {
    const fromFile = { base: section.sh_addr, bytes: entry.elf.sectionBytes(section), live: false };
    if (request.session === undefined) return fromFile;
    const session = this.sessions.get(request.session);
    if (session === undefined) return fromFile;
    const address = this.loadedAddress(request, section.index);
    if (address === undefined) return fromFile;
    const { bytes } = await readMemory(session, address, section.sh_size);
    return { base: address, bytes, live: true };
  }

  private loadedAddress(request: DisassemblyRequest, section: number): bigint | undefined {
    const loaded = this.sessions.loadedNow()?.extensions.find(({ id }) => id === request.extension);
    const found = loaded?.regions.flatMap((region) => region.sections).find(({ index }) => index === section);
    return found?.address === undefined ? undefined : BigInt(found.address);
  }

  private nameAt(source: Source, section: SectionHeader, placed: Placed, address: bigint): string | undefined {
    if (placed.live) {
      const base = this.sessions.loadedNow()?.baseImage.exports ?? [];
      const found = base.find(
        (symbol) => symbol.address !== undefined && BigInt(symbol.address) >> 1n === address >> 1n,
      );
      if (found !== undefined) return demangle(found.name);
      for (const other of source.entry.elf.sections) {
        const start = this.loadedAddress(source.request, other.index);
        if (start === undefined || address < start || address >= start + BigInt(other.sh_size)) continue;
        return source.symbols.nameAt(other.index, Number(address - start));
      }
      return undefined;
    }
    const offset = Number(address - placed.base);
    return offset >= 0 && offset < placed.bytes.length ? source.symbols.nameAt(section.index, offset) : undefined;
  }

  private async lines({ entry, debug }: Source, section: SectionHeader): Promise<ListingLine[]> {
    const program = programOf(entry, debug);
    const link = program.sections.find(({ index }) => index === section.index);
    if (program.debug === undefined || link === undefined) return [];
    const texts = new SourceTexts((debug ?? entry).uri);
    const lines: ListingLine[] = [];
    for (const sequence of program.debug.lineRows()) {
      for (const row of sequence) {
        const offset = Number(row.address - link.address);
        if (row.endSequence || !row.isStatement || row.line === 0 || offset < 0 || offset >= section.sh_size) continue;
        const last = lines.at(-1);
        if (last !== undefined && last.line === row.line && last.file === fileName(row.file.path)) continue;
        lines.push({
          offset,
          file: fileName(row.file.path),
          line: row.line,
          text: await texts.line(row.file, row.line),
        });
      }
    }
    return lines;
  }

  private async loadDisassembler({ header, is64 }: ElfFile): Promise<Disassembler> {
    const set = instructionSetOf(header.e_machine === EM_RISCV ? 'riscv' : 'arm', is64);
    const known =
      this.disassemblers.get(set) ?? this.assets.capstoneWasm().then((wasm) => createDisassembler(capstone, wasm, set));
    this.disassemblers.set(set, known);
    return known;
  }
}

function sectionsOf({ entry, request, symbols }: Source): SectionHeader[] {
  const code = entry.elf.sections.filter((section) => {
    const flags = SHF_ALLOC | SHF_EXECINSTR;
    return (section.sh_flags & flags) === flags && section.sh_size > 0;
  });
  if (request.section !== undefined) return code.filter(({ index }) => index === request.section);
  if (request.symbol === undefined) return code;
  return code.filter(({ index }) => symbols.inSection(index).some(({ name }) => name === request.symbol));
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Lines of the sources, each file read once. */
class SourceTexts {
  private readonly texts = new Map<object, Promise<readonly string[]>>();

  constructor(private readonly elf: vscode.Uri) {}

  async line(file: Parameters<typeof locateSource>[0], line: number): Promise<string | undefined> {
    let text = this.texts.get(file);
    if (text === undefined) {
      text = this.read(file);
      this.texts.set(file, text);
    }
    return (await text)[line - 1];
  }

  private async read(file: Parameters<typeof locateSource>[0]): Promise<readonly string[]> {
    const uri = await locateSource(file, this.elf);
    if (uri === undefined) return [];
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)).split('\n');
  }
}
