/**
 * The macros that hold at a line of a unit: those that the preprocessor knew when it came there, in the file itself or in what it had included
 * before (gdb's rule: a definition holds from the line after it).
 */
import type { MacroEvent } from './macro';
import type { SourceFile } from './model';

/** A macro as it was defined. */
export interface MacroDefinition {
  readonly name: string;
  /** undefined: object-like. The last of a variadic one ends in `...`. */
  readonly parameters: readonly string[] | undefined;
  readonly replacement: string;
}

export interface MacroPosition {
  readonly file: SourceFile;
  readonly line: number;
}

export class MacroTable {
  private last: { readonly key: number; readonly macros: ReadonlyMap<string, MacroDefinition> } | undefined;

  private readonly events: readonly MacroEvent[];

  constructor(
    events: readonly MacroEvent[],
    private readonly fileOf: (number: number) => SourceFile | undefined,
  ) {
    this.events = predefinedFirst(events);
  }

  /** undefined, or a place that the preprocessor did not come to: those that hold at the end. */
  at(position: MacroPosition | undefined): ReadonlyMap<string, MacroDefinition> {
    const key = position === undefined ? this.events.length : this.eventsBefore(position);
    if (this.last?.key !== key) this.last = { key, macros: this.macrosAfter(key) };
    return this.last.macros;
  }

  /** How many events come before the line; the first time that the file is read counts. */
  private eventsBefore({ file, line }: MacroPosition): number {
    const files: (SourceFile | undefined)[] = [];
    for (const [index, event] of this.events.entries()) {
      const isHere = files.at(-1) === file;
      if (isHere && (event.kind === 'end-file' || event.line >= line)) return index;
      if (event.kind === 'start-file') files.push(this.fileOf(event.file));
      else if (event.kind === 'end-file') files.pop();
    }
    return this.events.length;
  }

  private macrosAfter(count: number): Map<string, MacroDefinition> {
    const macros = new Map<string, MacroDefinition>();
    for (const event of this.events.slice(0, count)) {
      if (event.kind === 'undef') macros.delete(event.text.trim());
      else if (event.kind === 'define') {
        const macro = parseDefinition(event.text);
        if (macro !== undefined) macros.set(macro.name, macro);
      }
    }
    return macros;
  }
}

/** What the compiler itself defines is in no file and in line 0 (6.3.3); clang writes it behind the file, but it held in it. */
function predefinedFirst(events: readonly MacroEvent[]): readonly MacroEvent[] {
  const predefined: MacroEvent[] = [];
  const others: MacroEvent[] = [];
  let depth = 0;
  for (const event of events) {
    if (event.kind === 'start-file') depth++;
    else if (event.kind === 'end-file') depth--;
    const isOutside = depth === 0 && (event.kind === 'define' || event.kind === 'undef');
    (isOutside && event.line === 0 ? predefined : others).push(event);
  }
  return predefined.length === 0 ? events : [...predefined, ...others];
}

/** 6.3.1.1: a space follows the name, or the list of parameters that follows without one. */
function parseDefinition(text: string): MacroDefinition | undefined {
  const match = /^([\p{L}_$][\p{L}\p{N}_$]*)(?:\(([^)]*)\))?\s?(.*)$/su.exec(text);
  if (match === null) return undefined;
  const list = match[2] as string | undefined;
  const parameters = list?.split(',').map((name) => name.trim());
  return {
    name: match[1],
    parameters: parameters?.length === 1 && parameters[0] === '' ? [] : parameters,
    replacement: match[3],
  };
}
