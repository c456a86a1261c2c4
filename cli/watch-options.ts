/**
 * `llext run --watch EXPR` and `--who-wrote EXPR`: objects of static storage, as C expressions at file scope. A watched object's
 * changes are told when they happen, who wrote one last when the function has returned; the run is the same with and without.
 */
import { compileExpression, evaluateExpression, ExpressionError, FrameScope } from '../lib/c-expression';
import { formatValue } from '../lib/dwarf/format';
import { machineRegisters } from '../lib/dwarf/regnum';
import { type Value, valueAt } from '../lib/dwarf/value';
import { hex } from '../lib/bytes';
import { FormatError } from '../lib/errors';
import { LoadedProgram } from '../lib/program/loaded-program';
import { runQuery, type Query } from '../lib/query';
import type { EmulatedTarget } from '../lib/target/emulated-target';
import type { LastWrite } from '../lib/target/reverse';
import type { LoadedFile } from './run-accounts';
import { openProgram } from './debug-elf';
import { UsageError } from './usage-error';

export const watchOptions = {
  watch: { type: 'string', multiple: true },
  'who-wrote': { type: 'string', multiple: true },
} as const;

export const watchUsage = `
  --watch EXPR       tell each change of an object: a C expression at file scope (counter, table[3], node.next); once for each
  --who-wrote EXPR   tell who wrote the object last before the function returned; once for each
`;

export interface WatchWishes {
  readonly watch: readonly string[];
  readonly whoWrote: readonly string[];
}

interface Watched {
  readonly text: string;
  readonly value: Value;
  readonly address: bigint;
  readonly size: number;
}

type Tell = (line: string) => void;

function programOf({ file, debug, loaded: { elf, instance, extension } }: LoadedFile): LoadedProgram {
  const placements = new Map(extension.sections.map((section) => [section.index, section.address]));
  try {
    return new LoadedProgram(openProgram(elf, debug), instance, placements);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError(`--watch, --who-wrote: the debug information of ${file} cannot be read: ${error.message}`);
  }
}

export class RunWatches {
  private readonly programs: readonly LoadedProgram[];
  private readonly asked: readonly Watched[];

  /** UsageError for what is no object of static storage. */
  constructor(
    private readonly target: EmulatedTarget,
    files: readonly LoadedFile[],
    { watch, whoWrote }: WatchWishes,
    private readonly tell: Tell,
  ) {
    // Without a wish nobody looks at debug information, which may be damaged. The last file's names come first: its function is called.
    this.programs = watch.length + whoWrote.length === 0 ? [] : files.toReversed().map(programOf);
    this.asked = whoWrote.map((text) => this.find('--who-wrote', text));
    for (const watched of watch.map((text) => this.find('--watch', text))) this.watch(watched);
  }

  /** Of each object that was asked about, its last write. */
  async tellWriters(): Promise<void> {
    for (const { text, value, address, size } of this.asked) {
      const write = await this.target.lastWrite(address, size);
      if (write === undefined) {
        this.tell(`${text}: nobody has written it since it was loaded`);
        continue;
      }
      const { before, after } = this.around({ text, value, address, size }, write);
      this.tell(`${text}: ${before} -> ${after}, written by ${this.writer(write)}`);
    }
  }

  private watch(watched: Watched): void {
    const { address, size, text } = watched;
    this.target.addWatchpoint({
      address,
      length: size,
      kind: 'change',
      condition: ({ pc, host, start, before, after }) => {
        const shown = this.around(watched, { start, before, after });
        this.tell(`${text}: ${shown.before} -> ${shown.after}, written by ${this.writer({ pc, by: host })}`);
        return false;
      },
    });
  }

  private query<T>(query: Query<T>): T {
    return runQuery(query, (request) => this.target.view.read(request));
  }

  private find(option: string, text: string): Watched {
    const { pointerSize, littleEndian, machine } = this.target.cpu;
    const registers = machineRegisters(machine);
    const scope = new FrameScope({
      machine: { addressSize: pointerSize, littleEndian, registers },
      modules: this.programs,
    });
    try {
      const compiled = compileExpression(text, scope, { sideEffects: 'forbid' });
      const { value } = this.query(evaluateExpression(compiled, { frame: scope.frame }));
      const { location, type } = value;
      if (location.kind !== 'memory' || !type.byteSize || value.bitField !== undefined) {
        throw new UsageError(
          `${option}: '${text}' is no object in memory of its own (a bit-field, a value or a function)`,
        );
      }
      return { text, value, address: location.address, size: type.byteSize };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new UsageError(`${option}: '${text}': ${error.message}`);
    }
  }

  /** The whole object before and after a write to a part of it. */
  private around(
    { value, address, size }: Watched,
    { start = address, before, after }: Pick<LastWrite, 'start' | 'before' | 'after'>,
  ): { readonly before: string; readonly after: string } {
    const now = this.target.readMemoryNow(address, size).data;
    const withPart = (part: Uint8Array): string => {
      const bytes = now.slice();
      part.forEach((byte, i) => {
        const at = Number(start - address) + i;
        if (at >= 0 && at < bytes.length) bytes[at] = byte;
      });
      return this.query(formatValue(valueAt(value.type, { kind: 'bytes', bytes }, value.frame)));
    };
    return { before: withPart(before), after: withPart(after) };
  }

  /** 'memcpy', or 'bump() at watched.c:31'. */
  private writer({ by, pc }: Pick<LastWrite, 'by' | 'pc'>): string {
    if (by !== undefined || pc === undefined) return by ?? 'the host';
    const program = this.programs.find((one) => one.toLink(pc) !== undefined);
    const position = program?.sourceAt(pc);
    const name = program?.functionAt(pc)?.name;
    const who = name === undefined ? (this.target.describeAddress(pc) ?? hex(pc, 8)) : `${name}()`;
    return position === undefined ? who : `${who} at ${position.file.path.replace(/^.*[\\/]/, '')}:${position.line}`;
  }
}
