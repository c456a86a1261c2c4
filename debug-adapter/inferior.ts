/**
 * The machine that a session debugs, with the extensions that are loaded in it: one object a run; a restart makes a
 * new one. Addresses are found again in the newest load first.
 */
import type { InstanceId } from '../lib/llext/types';
import { demangle } from '../lib/program/demangle';
import type { UnwindOptions } from '../lib/dwarf/unwind';
import { machineRegisters } from '../lib/dwarf/regnum';
import { LoadedProgram } from '../lib/program/loaded-program';
import { type Query, runQuery, runQueryAsync } from '../lib/query';
import type { EmulatedTarget } from '../lib/target/emulated-target';
import type { LoadedExtension as TargetExtension } from '../lib/target/load';
import type { SynchronousView } from '../lib/target/target';
import type { SessionBase } from './base-image';
import type { ExtensionFile } from './program-files';
import type { StepContext } from './step-position';

export interface LoadedExtension {
  /** Counts loads in the session, over restarts too: never reused. */
  readonly id: number;
  readonly file: ExtensionFile;
  readonly instance: InstanceId;
  readonly program: LoadedProgram;
  /** The target's record; undefined while the loader still works on it. */
  handle: TargetExtension | undefined;
}

/** An ELF with source files: an extension's, or the base image's. */
export type SourceOwner = ExtensionFile | SessionBase;

/** Code and data with names: an extension, or the base image. */
export interface LoadedModule {
  readonly program: LoadedProgram;
  /** Relative compilation directories start here. */
  readonly folder: string;
  readonly source: SourceOwner;
}

/** An allocated section where it was placed. */
export interface LoadedSection {
  readonly index: number;
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly executable: boolean;
}

/** The sections that are in memory, by address. */
export function loadedSections({ program }: Pick<LoadedModule, 'program'>): LoadedSection[] {
  return program.program.sections
    .flatMap(({ index, name, address, size, executable }) => {
      const at = program.toLoad(address);
      return at === undefined ? [] : [{ index, name, address: at, size, executable }];
    })
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

export class Inferior implements StepContext {
  readonly extensions: LoadedExtension[] = [];
  /** What going back in time, or an unload, has taken out: it can come back. */
  readonly unloaded: LoadedExtension[] = [];
  readonly unwindOptions: UnwindOptions;
  private readonly baseModule: LoadedModule | undefined;

  constructor(
    readonly target: EmulatedTarget,
    readonly base?: SessionBase,
  ) {
    const { cpu } = target;
    this.baseModule = base && { program: base.program, folder: base.folder, source: base };
    this.unwindOptions = {
      machine: {
        addressSize: cpu.pointerSize,
        littleEndian: cpu.littleEndian,
        registers: machineRegisters(cpu.machine),
        ...(cpu.arch === 'riscv' && cpu.isa.d ? { floatSize: 8 } : {}),
      },
      moduleAt: (pc) => this.programAt(pc),
      host: (pc) => target.hostSymbol(pc),
    };
  }

  extensionAt(address: bigint): LoadedExtension | undefined {
    return this.extensions.findLast(({ program }) => program.toLink(address) !== undefined);
  }

  isExtension(address: bigint): boolean {
    return this.extensionAt(address) !== undefined;
  }

  /** Of an extension, or of a real base image; not for functions of it that the host performs. */
  programAt(address: bigint): LoadedProgram | undefined {
    return this.moduleAt(address)?.program;
  }

  moduleAt(address: bigint): LoadedModule | undefined {
    const extension = this.extensionAt(address);
    if (extension !== undefined) {
      const { file, program } = extension;
      return { program, folder: file.folder, source: file };
    }
    const { base, target } = this;
    return base?.program.toLink(address) === undefined || target.isServed(address) ? undefined : this.baseModule;
  }

  /** All that has names, in load order. */
  get programs(): LoadedProgram[] {
    const programs = this.extensions.map(({ program }) => program);
    return this.base === undefined ? programs : [...programs, this.base.program];
  }

  /** Answers a query from the stopped target. */
  query<T>(query: Query<T>): Promise<T> {
    return runQueryAsync(query, async ({ address, length }) => {
      const { data, unreadable } = await this.target.readMemory(address, length);
      return unreadable === 0 ? data : undefined;
    });
  }

  /** Answers a query at once, from inside of a running engine. */
  queryNow<T>(query: Query<T>, view: SynchronousView): T {
    return runQuery(query, (request) => view.read(request));
  }

  /** 'counter', 'entry+0x12', 'printk': the name of what is at an address. */
  symbolText(address: bigint): string | undefined {
    const found = this.programAt(address)?.symbolAt(address);
    const host = found === undefined ? this.target.hostSymbol(address) : undefined;
    const name = found?.symbol.name ?? host?.name;
    const offset = Number(found?.offset ?? host?.offset ?? 0);
    if (name === undefined) return undefined;
    const shown = demangle(name);
    return offset === 0 ? shown : `${shown}+0x${offset.toString(16)}`;
  }
}
