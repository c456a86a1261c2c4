/**
 * Source files as the client is told of them. One that was found has its path, and the MD5 that DWARF 5 keeps of what was compiled, so that
 * a client can tell a file that was edited since. One that was not found is shown as far as the ELF file knows it: a text (the
 * `source` request) with each line's instructions on that line.
 */
import { Source } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Instruction } from '../lib/disassembler';
import type { SourceFile } from '../lib/dwarf/model';
import { errors } from './errors';
import type { Inferior, LoadedModule } from './inferior';
import { baseName } from '../lib/paths';
import type { SessionState } from './session-state';

export function clientSource(path: string, file?: Pick<SourceFile, 'md5'>): DebugProtocol.Source {
  const source: DebugProtocol.Source = new Source(baseName(path), path);
  if (file?.md5 !== undefined) source.checksums = [{ algorithm: 'MD5', checksum: file.md5 }];
  return source;
}

/** Numbers of the files that were not found; they are the same for the whole session. */
export class LostSources {
  private readonly files: SourceFile[] = [];
  private readonly told = new Set<SourceFile>();

  sourceOf(file: SourceFile): DebugProtocol.Source {
    if (!this.files.includes(file)) this.files.push(file);
    return {
      name: baseName(file.path),
      origin: `${file.path} was not found`,
      sourceReference: this.files.indexOf(file) + 1,
    };
  }

  /** True the first time. */
  isNews(file: SourceFile): boolean {
    return !this.told.has(file) && this.told.add(file).has(file);
  }

  fileOf(reference: number): SourceFile | undefined {
    return this.files[reference - 1];
  }
}

/** What has a path is read there by the client itself. */
export async function source(
  session: SessionState,
  args: DebugProtocol.SourceArguments,
): Promise<DebugProtocol.SourceResponse['body']> {
  const reference = args.source?.sourceReference ?? args.sourceReference;
  const file = session.lostSources.fileOf(reference);
  const { inferior } = session;
  if (file === undefined || inferior === undefined) throw errors.noSource(reference);
  const lines = new Map<number, string[]>();
  for (const module of [...inferior.extensions, ...(inferior.base === undefined ? [] : [inferior.base])])
    await addLines(session, inferior, module, file, lines);
  const content = Array.from({ length: Math.max(0, ...lines.keys()) }, (_, i) => lines.get(i + 1)?.join('; ') ?? '');
  content.push('', ...howToFind(file).map((text) => `// ${text}`));
  if (session.lostSources.isNews(file)) session.output.line('console', howToFind(file).join(' '));
  return { content: content.join('\n'), mimeType: 'text/x-asm' };
}

const howToFind = ({ path }: SourceFile): string[] => [
  `${path} was not found: its lines are shown as instructions.`,
  'If it is elsewhere, say so in launch.json: "sourceMap": { "<folder above>": "<folder here>" }',
];

const textOf = ({ mnemonic, operands }: Instruction): string => `${mnemonic} ${operands}`.trimEnd();

async function addLines(
  session: SessionState,
  inferior: Inferior,
  { program }: Pick<LoadedModule, 'program'>,
  file: SourceFile,
  lines: Map<number, string[]>,
): Promise<void> {
  const disassembler = await session.requireDisassembler(inferior.target.cpu);
  for (const { start, end, line } of program.program.lines?.blocksOf(file) ?? []) {
    const address = program.toLoad(start);
    if (address === undefined) continue;
    const { data } = await inferior.target.readMemory(address, Number(end - start));
    const texts = disassembler.disassemble(data, address).map(textOf);
    lines.set(line, [...(lines.get(line) ?? []), ...texts]);
  }
}
