/**
 * Custom DAP requests and events that extension and adapter share. Names begin with 'llext/'.
 * Addresses are 0x strings (DAP's memoryReference form).
 */

/** Request 'llext/extensions' (no arguments) -> ExtensionsResponse. Also sent whole as the body of event 'llext/changed'. */
export interface ExtensionsResponse {
  readonly extensions: readonly ExtensionDescription[];
  readonly baseImage: { readonly name: string; readonly exports: readonly SymbolDescription[] };
}

export interface ExtensionDescription {
  /** Counts loads in this session, never reused. */
  readonly id: number;
  readonly name: string;
  /** Path or URI of the loaded ELF. */
  readonly program: string;
  readonly debugElf: string | undefined;
  /** Of struct llext; undefined for a file that is not loaded. */
  readonly address: string | undefined;
  readonly useCount: number | undefined;
  /** Bytes of heap, as `llext list` shows it. */
  readonly allocSize: number | undefined;
  readonly regions: readonly RegionDescription[];
  readonly exports: readonly SymbolDescription[];
  /** Undefined symbols that the file imports. */
  readonly imports: readonly string[];
  readonly dependencies: readonly string[];
  /** Why there is nothing to see, e.g. the loader's refusal. */
  readonly problem: string | undefined;
}

export interface RegionDescription {
  /** 'TEXT', 'DATA', ... */
  readonly name: string;
  readonly address: string | undefined;
  readonly size: number;
  /** 'heap', 'file' (used in place), or undefined when not loaded. */
  readonly storage: 'heap' | 'file' | undefined;
  readonly sections: readonly SectionDescription[];
}

export interface SectionDescription {
  /** Section header index in the loaded file: names may repeat. */
  readonly index: number;
  readonly name: string;
  readonly address: string | undefined;
  readonly size: number;
}

export interface SymbolDescription {
  readonly name: string;
  readonly kind: 'function' | 'object' | 'notype';
  readonly address: string | undefined;
  readonly size: number | undefined;
  readonly section: string | undefined;
  /** C type as written, when debug information has it. */
  readonly type: string | undefined;
  /** Where it is defined. */
  readonly source: { readonly path: string; readonly line: number } | undefined;
}

/** Request 'llext/coverage' (no arguments) -> CoverageResponse; the body of event 'llext/coverage', which comes before a session ends. */
export interface CoverageResponse {
  readonly files: readonly CoverageFile[];
  /** Executed in all. */
  readonly instructions: number;
  readonly stack: { readonly bytes: number; readonly calls: readonly string[] } | undefined;
  /** Use of the system heap; owner '' is the host. */
  readonly heaps: readonly {
    readonly owner: string;
    readonly current: number;
    readonly peak: number;
    readonly allocations: number;
    readonly frees: number;
  }[];
}

export interface CoverageFile {
  readonly path: string;
  /** Line, times it was executed, instructions of it. Lines without code are not listed. */
  readonly lines: readonly (readonly [number, number, number])[];
  readonly functions: readonly {
    readonly name: string;
    readonly line: number;
    readonly count: number;
    readonly instructions: number;
  }[];
}

/** Request 'llext/symbol' {name, path?, line?} -> SymbolResponse: what a name in C source stands for. */
export interface SymbolArguments {
  readonly name: string;
  readonly path?: string;
  readonly line?: number;
}

export interface SymbolResponse {
  /** 'extension': defined in a loaded one; 'base-image': its export satisfies it; 'unresolved': nothing does; 'unknown': no such name. */
  readonly kind: 'extension' | 'base-image' | 'unresolved' | 'unknown';
  readonly extension: string | undefined;
  readonly symbol: SymbolDescription | undefined;
  /** In a session, its value as text. */
  readonly value: string | undefined;
}

// --- Loads ---------------------------------------------------------------------------------------------------------

/**
 * Requests of a stopped session -> LoadChangeResponse. 'llext/load' {program, debugElf?, name?} loads a file; 'llext/unload' {name} and
 * 'llext/reload' {name}, which reads the file again, are for a loaded one that is not on the stack.
 */
export interface LoadChangeArguments {
  readonly program?: string;
  readonly debugElf?: string;
  readonly name?: string;
}

export interface LoadChangeResponse {
  readonly name: string;
  /** 0: it is not loaded any more. */
  readonly useCount: number;
}

// --- Time --------------------------------------------------------------------------------------------------------
// Requests 'llext/reverseStepIn' and 'llext/reverseStepOut' have the arguments of stepBack and no result.

export interface CheckpointDescription {
  readonly id: number;
  readonly name: string;
  /** Steps since the machine was made. */
  readonly time: number;
  readonly isNow: boolean;
}

/** Result of request 'llext/checkpoints' (no arguments), and body of the event of that name, sent at each change. */
export interface CheckpointsResponse {
  readonly checkpoints: readonly CheckpointDescription[];
}

/** Request 'llext/setCheckpoint' -> CheckpointDescription. */
export interface SetCheckpointArguments {
  readonly name?: string;
}

/** Requests 'llext/goToCheckpoint' and 'llext/removeCheckpoint'. */
export interface CheckpointArguments {
  readonly id: number;
}

/** Result of request 'llext/replayFile' {path?}: the text of a file that "replay" takes, to be written to that path. */
export interface ReplayFileResponse {
  readonly text: string;
}

/** Request 'llext/whoWrote': the last write before now to any of these bytes. */
export interface WhoWroteArguments {
  readonly memoryReference: string;
  readonly offset?: number;
  /** 1 when it is absent. */
  readonly length?: number;
}

export interface WhoWroteResponse {
  /** For people. */
  readonly text: string;
  /** The moment before the write, for request 'llext/goToTime' {time}; undefined where there is none to go to. */
  readonly time: number | undefined;
  /** Of the instruction, or the host function that was called. */
  readonly address: string | undefined;
  readonly source: { readonly path: string; readonly line: number } | undefined;
}

/** How numbers are shown: as their types say, or all in one base. */
export type DisplayFormat = 'natural' | 'decimal' | 'hex' | 'binary';

/** Request 'llext/displayFormat' sets it, or with none only tells it; the client is told to ask for its values again. */
export interface DisplayFormatArguments {
  readonly format?: DisplayFormat;
}

export interface DisplayFormatResponse {
  readonly format: DisplayFormat;
}
