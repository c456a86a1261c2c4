/**
 * The reference debugging sessions of test/gdb-truth (see its README), and the larger collection that a workspace may
 * have beside the project. A case is one program in one build.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ElfFile } from '../../lib/elf/elf-file';
import { LoadedProgram } from '../../lib/program/loaded-program';
import { Program } from '../../lib/program/program';
import { projectRoot } from './fixtures';

export interface TruthCase {
  /** 'shapes.m3-O0' */
  readonly name: string;
  readonly folder: string;
}

/** [function, file, line, place] */
export type TruthLocation = readonly [string, string, number, string];

/** The parts of a session that need no run. */
export interface TruthStatics {
  readonly functions: Readonly<Record<string, readonly [string, number]>>;
  readonly breakpoints: Readonly<Record<string, readonly (readonly [number, readonly TruthLocation[]])[]>>;
  readonly info_line: Readonly<Record<string, readonly (readonly [number, string, string | null])[]>>;
}

/** One unit of a line table: [offset in .text, file, line, column, is_stmt, end_sequence]. */
export interface TruthLines {
  readonly version: number;
  readonly files: Readonly<Record<string, string>>;
  readonly rows: readonly (readonly number[])[];
}

const ownFolder = join(projectRoot, 'test/gdb-truth');
const sharedFolder = join(projectRoot, '../shared/gdb-truth');

/** All cases: of the larger collection when it is there, else of test/gdb-truth. */
export function truthCases(): TruthCase[] {
  return casesIn(existsSync(sharedFolder) ? sharedFolder : ownFolder);
}

export function ownTruthCases(): TruthCase[] {
  return casesIn(ownFolder);
}

function casesIn(folder: string): TruthCase[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.elf'));
  return names.map((name) => ({ name: name.replace(/\.elf$/, ''), folder }));
}

export function truthCase(name: string): TruthCase {
  return { name, folder: ownFolder };
}

export function truthElf({ name, folder }: TruthCase): ElfFile {
  return ElfFile.parse(new Uint8Array(readFileSync(join(folder, `${name}.elf`))));
}

export function truthElfPath({ name, folder }: TruthCase): string {
  return join(folder, `${name}.elf`);
}

export function truthStatics({ name, folder }: TruthCase): TruthStatics {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as TruthStatics;
}

export function truthLines({ name, folder }: TruthCase): TruthLines[] {
  return JSON.parse(readFileSync(join(folder, `${name}.lines.json`), 'utf8')) as TruthLines[];
}

/** The program with each section loaded away from its link address, in another order than it was linked. */
export function loadScattered(elf: ElfFile, debugElf?: ElfFile): LoadedProgram {
  const program = Program.open(elf, debugElf);
  const placements = new Map<number, bigint>();
  let next = 0x2000_0000n;
  for (const section of [...program.sections].reverse()) {
    placements.set(section.index, next);
    next += (BigInt(section.size) + 0x13fn) & ~0x3fn;
  }
  return new LoadedProgram(program, { id: 1, name: 'truth' }, placements);
}

/** 'section+0xoffset' as the sessions spell places. `end`: of a range, so that it belongs to what is before it. */
export function placeOf(program: LoadedProgram, load: bigint, end = false): string {
  const probe = end ? load - 1n : load;
  const found = program.placements.find(
    ({ section, load: start }) => start <= probe && probe < start + BigInt(section.size),
  );
  if (found === undefined) throw new Error(`0x${load.toString(16)} is in no section`);
  return `${found.section.name}+0x${(load - found.load).toString(16)}`;
}
