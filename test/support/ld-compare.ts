/**
 * Loads an object and links the same object with a linker, every section at the address where it was loaded: the bytes
 * must be the same wherever the loader follows the ABI.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElfFile } from '../../lib/elf/elf-file';
import type { LlextConfig, LlextStorage, RelocationEvent } from '../../lib/llext/types';
import { bench, image } from './load-bench';
import { runTool } from './tools';

export interface LinkerRun {
  readonly as: string;
  readonly asFlags: readonly string[];
  readonly ld: string;
  readonly ldFlags: readonly string[];
  readonly source: string;
  /** Imports and their addresses. */
  readonly externals: Readonly<Record<string, bigint>>;
  readonly config: Partial<LlextConfig>;
  readonly storage?: LlextStorage;
}

export interface LinkerDifference {
  readonly section: string;
  readonly offset: number;
  readonly loaded: string;
  readonly linked: string;
}

export interface LinkerResult {
  readonly events: readonly RelocationEvent[];
  /** Names of the relocation types that were applied. */
  readonly types: ReadonlySet<string>;
  /** Runs of bytes that are not the same, by the relocation that is there; empty = all the same. */
  readonly differences: readonly LinkerDifference[];
  /** Type names of the relocations at differences. */
  readonly differingTypes: ReadonlySet<string>;
}

export function loadAndLink(run: LinkerRun): LinkerResult {
  const folder = mkdtempSync(join(tmpdir(), 'reloc-ld-'));
  try {
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('a.s'), run.source);
    runTool(run.as, [...run.asFlags, path('a.s'), '-o', path('a.o')]);
    const object = readFileSync(path('a.o'));
    const it = bench(image(run.config, run.externals));
    const result = it.load(object, { storage: run.storage ?? 'temporary' });
    assert.equal(result.ret, 0, result.log.filter((line) => !line.startsWith('<dbg>')).join('\n'));
    const sections = (result.extension?.sections ?? []).filter(({ region }) => {
      return !['SYMTAB', 'STRTAB', 'SHSTRTAB'].includes(region);
    });
    const hex = (value: bigint): string => `0x${value.toString(16)}`;
    const places = sections.map(({ name, address }) => `  ${name} ${hex(address)} : { *(${name}) }\n`).join('');
    const imports = Object.entries(run.externals).map(([name, address]) => `${name} = ${hex(address)};\n`);
    writeFileSync(path('a.ld'), `${imports.join('')}SECTIONS {\n${places}  /DISCARD/ : { *(.note*) *(.comment) }\n}\n`);
    const flags = ['-e', hex(0n), '-T', path('a.ld')];
    runTool(run.ld, [...run.ldFlags, ...flags, path('a.o'), '-o', path('a.elf')]);
    const linked = ElfFile.parse(readFileSync(path('a.elf')));
    const events = it.events.flatMap((event) => (event.kind === 'relocation' ? [event] : []));
    const differences: LinkerDifference[] = [];
    const differingTypes = new Set<string>();
    for (const { index, name, address, size } of sections) {
      const section = linked.section(name);
      assert.ok(section !== undefined, name);
      const expected = linked.sectionBytes(section);
      const actual = it.target.memory.read(address, size);
      for (let offset = 0; offset < size; offset++) {
        if (actual[offset] === expected[offset]) continue;
        const cause = events.find((event) => {
          return event.section === index && offset >= event.offset && offset < event.offset + event.after.length;
        });
        if (cause !== undefined) differingTypes.add(cause.typeName);
        const start = cause?.offset ?? offset;
        const end = cause === undefined ? offset + 1 : start + cause.after.length;
        const part = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(start, end)).toString('hex');
        differences.push({ section: name, offset: start, loaded: part(actual), linked: part(expected) });
        offset = end - 1;
      }
    }
    return { events, types: new Set(events.map(({ typeName }) => typeName)), differences, differingTypes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
