/**
 * `llext load FILE...`: loads extensions in order as llext_load would and shows the result: regions, sections, tables,
 * or why it was refused. Nothing is executed.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ElfFile } from '../lib/elf/elf-file';
import { errnoName, FormatError, LlextError } from '../lib/errors';
import { defaultHeapSizes, heapKinds } from '../lib/kernel/llext-heaps';
import type { HeapConfig } from '../lib/kernel/llext-heaps';
import type { BufLoader } from '../lib/llext/buf-loader';
import type { LlextExtension } from '../lib/llext/extension';
import { gdbFlags, gdbTableMarker } from '../lib/llext/gdb-table';
import type { LlextLoadResult } from '../lib/llext/llext';
import type { LlextLoadParam } from '../lib/llext/loader';
import { profileNames } from '../lib/llext/profile';
import type { ProfileName } from '../lib/llext/profile';
import { allRegionNames } from '../lib/llext/regions';
import type { LlextConfig, LlextStorage, RegionName } from '../lib/llext/types';
import { missingImports } from '../lib/target/missing-imports';
import type { MissingImport } from '../lib/target/missing-imports';
import { baseOptionHelp, extensionProblems, loadableBase, builtInBaseOf, readBase } from './base-image-file';
import type { BaseImage } from './base-image-file';
import { extensionJson, failureJson, hexAddress, sectMapJson, sectsJson, storageNumbers } from './load-json';
import type { JsonObject } from './load-json';
import { LoadTarget, PlacementConflict } from './load-target';
import type { LoadTargetOptions, Placement, Reservation } from './load-target';
import { table } from './output';
import type { CommandOutput } from './output';
import { withChanges } from './config-option';
import { parseArguments } from './parse-arguments';
import { parseAddress, UsageError } from './usage-error';

export const loadHelp = `usage: llext load FILE... [options]

Loads extensions in order, as Zephyr's llext_load does, and shows regions, sections, exports and dependencies.
An extension is named after its file, without the suffix.

${baseOptionHelp}  --profile VERSION          of the loader: SEED (Zephyr 3.6), V41 (4.2, default), V44 (4.4), S (newest)
  --mode MODE                exact (default): relocations with the quirks of Zephyr; abi-correct: as the psABI has them
  --config NAME=VALUE        replaces an option of the base image's configuration (again for each one);
                             NAME: see the error message for an unknown one
  --place [NAME:]REGION=ADDRESS
                             puts a region there instead of where the heap or the file image has it
                             (again for each region);
                             REGION: ${allRegionNames.join(' ')}
  --heap KIND                heaps from the base image's heap on, of the sizes that are Kconfig's defaults:
                             kheap (one for everything), harvard, memblk (profile V44 or S), dynamic
  --storage KIND             of the file image: temporary (default), persistent, writable
  --no-peek                  the loader cannot give addresses into the file image, as one that reads a file system
  --buffer ADDRESS           where the first file image lies; each other follows on the next page of 4 KiB
  --keep-section-info        keep_section_info; freed again (llext_free_inspection_data) after it was shown
  --no-relocate-local        relocate_local = false: nothing is relocated
  --pre-located              pre_located: the file is used where it lies
  --json                     one object for one file, an array for several; addresses are 0x strings
  --help

exit status: 0 all loaded, 1 one was refused, 2 wrong usage or unreadable file
`;

interface LoadOptions {
  readonly files: readonly string[];
  readonly base: string | undefined;
  readonly profile: ProfileName | undefined;
  readonly mode: LlextConfig['mode'];
  /** NAME=VALUE */
  readonly config: readonly string[];
  readonly placements: readonly Placement[];
  readonly heap: HeapConfig | undefined;
  readonly storage: LlextStorage;
  readonly peek: boolean;
  readonly buffer: bigint | undefined;
  readonly parm: LlextLoadParam;
  readonly json: boolean;
}

/** What there is to show of one file. */
interface Loaded {
  readonly file: string;
  readonly name: string;
  readonly loader: BufLoader;
  readonly result: LlextLoadResult;
  readonly log: readonly string[];
  readonly missing: readonly MissingImport[];
}

export async function load(args: string[], io: CommandOutput): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      io.stdout.write(loadHelp);
      return 0;
    }
    return await loadFiles(options, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`llext load: ${error.message}\n`);
    return 2;
  }
}

async function loadFiles(options: LoadOptions, io: CommandOutput): Promise<number> {
  const contents = await Promise.all(options.files.map(readInput));
  const base = options.base === undefined ? builtInBaseOf(contents) : await readBase(options.base);
  const image = configured(loadableBase(base), options);
  // Zephyr 4.2 compares neither machine nor ABI, so such a load may succeed, and what it made is for another processor.
  for (const [i, bytes] of contents.entries()) {
    for (const problem of extensionProblems(bytes, base)) {
      io.stderr.write(`llext load: warning: ${options.files[i]}: ${problem}\n`);
    }
  }
  const reservations: Reservation[] = [];
  for (;;) {
    try {
      const { status, stdout, stderr } = attempt(options, image, contents, reservations);
      io.stderr.write(stderr);
      io.stdout.write(stdout);
      return status;
    } catch (error) {
      // Zephyr's tables took a place that is wanted: once more, with the place kept free from the start.
      if (!(error instanceof PlacementConflict) || reservations.length >= options.placements.length) throw error;
      reservations.push(error.wanted);
    }
  }
}

function attempt(
  options: LoadOptions,
  image: BaseImage,
  contents: readonly Uint8Array[],
  reservations: readonly Reservation[],
): { status: number; stdout: string; stderr: string } {
  const { placements, buffer } = options;
  const heap = options.heap && sizedFor(options.heap, image);
  const target = makeTarget(image, { placements, reservations, firstBuffer: buffer, heap });
  const json: JsonObject[] = [];
  let [status, stdout, stderr] = [0, '', ''];
  for (const [i, file] of options.files.entries()) {
    const loaded = loadFile(target, image, options, file, contents[i]);
    const { extension } = loaded.result;
    if (extension === undefined) status = 1;
    else stderr += placementWarnings(placements, loaded, extension);
    if (options.json) json.push(loadJson(target, options, loaded));
    else if (extension !== undefined) stdout += describeLoaded(target, loaded, extension);
    else stderr += describeRefused(loaded);
    // What keep_section_info kept was shown; from here on the heap is as without it.
    if (extension !== undefined && target.llext.provides('llext_free_inspection_data')) {
      target.llext.freeInspectionData(loaded.loader, extension);
    }
  }
  if (options.json) stdout = `${JSON.stringify(json.length === 1 ? json[0] : json, undefined, 2)}\n`;
  return { status, stdout, stderr };
}

function loadFile(target: LoadTarget, image: BaseImage, options: LoadOptions, file: string, bytes: Uint8Array): Loaded {
  const name = basename(file).replace(/\.[^.]*$/, '');
  const loader = target.placeFile(bytes, options.storage, options.peek);
  target.announce(name);
  const result = target.llext.load(loader, name, options.parm);
  const log = target.takeLog();
  return { file, name, loader, result, log, missing: result.ret < 0 ? findMissing(target, image, bytes) : [] };
}

/** All of them, where the loader stops at the first. */
function findMissing(target: LoadTarget, image: BaseImage, bytes: Uint8Array): MissingImport[] {
  try {
    const known = image.exports.map(({ name }) => name);
    return missingImports(ElfFile.parse(bytes), target.llext, known);
  } catch (error) {
    // The file is malformed; its own tables tell nothing.
    if (error instanceof FormatError) return [];
    throw error;
  }
}

function loadJson(target: LoadTarget, options: LoadOptions, loaded: Loaded): JsonObject {
  const { result, loader, parm } = { ...loaded, parm: options.parm };
  const { extension } = result;
  const json: JsonObject = {
    op: 'load',
    req_name: loaded.name,
    file: basename(loaded.file),
    file_len: loader.length,
    storage: storageNumbers[options.storage],
    relocate_local: Number(parm.relocate_local),
    pre_located: Number(parm.pre_located),
    keep: Number(parm.keep_section_info),
    nopeek: Number(!options.peek),
    buf: hexAddress(loader.address),
    ret: result.ret,
  };
  if (extension !== undefined) Object.assign(json, extensionJson(extension));
  json.ldr_sects = sectsJson(result);
  if (extension !== undefined && result.ret === 0) {
    json.sect_map = sectMapJson(extension);
    if (parm.keep_section_info && target.llext.provides('llext_free_inspection_data')) {
      json.free_inspection_ret = target.llext.freeInspectionData(loader, extension);
      json.alloc_size_after_free = Number(extension.allocSize);
    }
  }
  if (extension === undefined) Object.assign(json, failureJson(result, loaded.missing));
  json.assumed = result.assumed;
  json.log = loaded.log;
  return json;
}

/** A region that does not exist, or of a pre-located file, is not placed by anybody. */
function placementWarnings(
  placements: readonly Placement[],
  { name, result }: Loaded,
  extension: LlextExtension,
): string {
  if (result.ret !== 0) return '';
  return placements
    .filter((placement) => placement.name === undefined || placement.name === name)
    .map(({ region, address: wanted }) => {
      const address = extension.mem[extension.regionNames.indexOf(region)];
      if (address === wanted) return '';
      const where = address === 0n ? 'it has none' : `it is used in place at ${hexAddress(address)}`;
      return `llext load: ${region} of '${name}' is not placed: ${where}\n`;
    })
    .join('');
}

function describeLoaded(target: LoadTarget, { file, result }: Loaded, extension: LlextExtension): string {
  const { name, mem, memSize, memOnHeap, regionNames } = extension;
  if (result.ret > 0) return `${file}: '${name}' is loaded already, use count ${extension.useCount}\n`;
  const head = `${file}: loaded as '${name}', struct llext at ${hexAddress(extension.address)}`;
  const regions = regionNames.flatMap((region, i) => {
    if (memSize[i] === 0n) return [];
    return [[region, hexAddress(mem[i]), String(memSize[i]), memOnHeap[i] ? 'heap' : 'file']];
  });
  const sections = extension.sections.map((section) => [
    section.name,
    section.region,
    hexAddress(section.address),
    String(section.size),
  ]);
  const exports = extension.expTab.symbols.map((symbol) => [symbol.name, hexAddress(symbol.address)]);
  const names = new Map(target.llext.extensions().map((other) => [other.address, other.name]));
  const dependencies = extension.dependency.map((address) => names.get(address) ?? hexAddress(address));
  const flags = gdbFlags(extension.sections).map((line) => `  ${line}\n`);
  return [
    `${head}, ${extension.allocSize} bytes in heap, use count ${extension.useCount}\n`,
    `regions\n${table([['', 'address', 'size', ''], ...regions], [2])}`,
    `sections\n${table([['', 'region', 'address', 'size'], ...sections], [3])}`,
    exports.length === 0 ? 'exports nothing\n' : `exports\n${table(exports)}`,
    dependencies.length === 0 ? '' : `depends on ${dependencies.join(', ')}\n`,
    `${gdbTableMarker}\n${flags.join('')}`,
  ].join('');
}

function describeRefused({ file, result, log, missing }: Loaded): string {
  const name = errnoName(result.ret);
  const messages = log.filter((line) => /^<(err|wrn)>/.test(line)).map((line) => `  ${line}\n`);
  const fault = result.fault === undefined ? '' : `  ${result.fault.message}\n`;
  return [
    `${file}: refused, llext_load returns ${result.ret}${name === undefined ? '' : ` (-${name})`}\n`,
    ...messages,
    fault,
    describeMissing(missing),
  ].join('');
}

export function describeMissing(missing: readonly MissingImport[]): string {
  if (missing.length === 0) return '';
  const rows = missing.map(({ name, nearest }) => [name, nearest.length === 0 ? '' : `nearest: ${nearest.join(', ')}`]);
  return `imports that nothing provides\n${table(rows)}`;
}

export async function readInput(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** undefined = help is wanted. */
function parseOptions(args: string[]): LoadOptions | undefined {
  const { values, positionals } = readArguments(args);
  if (values.help === true) return undefined;
  if (positionals.length === 0) throw new UsageError('no file is given');
  const storage = values.storage ?? 'temporary';
  if (storage !== 'temporary' && storage !== 'persistent' && storage !== 'writable') {
    throw new UsageError(`--storage: '${storage}' is none of temporary, persistent, writable`);
  }
  return {
    files: positionals,
    base: values.base,
    placements: (values.place ?? []).map(parsePlacement),
    profile: values.profile === undefined ? undefined : parseProfile(values.profile),
    mode: values.mode === undefined ? undefined : parseMode(values.mode),
    config: values.config ?? [],
    heap: values.heap === undefined ? undefined : parseHeap(values.heap),
    storage,
    peek: values['no-peek'] !== true,
    buffer: values.buffer === undefined ? undefined : parseAddress(values.buffer, '--buffer'),
    parm: {
      relocate_local: values['no-relocate-local'] !== true,
      pre_located: values['pre-located'] === true,
      keep_section_info: values['keep-section-info'] === true,
    },
    json: values.json === true,
  };
}

function readArguments(args: string[]) {
  return parseArguments({
    args,
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      heap: { type: 'string' },
      profile: { type: 'string' },
      mode: { type: 'string' },
      config: { type: 'string', multiple: true },
      place: { type: 'string', multiple: true },
      storage: { type: 'string' },
      'no-peek': { type: 'boolean' },
      buffer: { type: 'string' },
      'keep-section-info': { type: 'boolean' },
      'no-relocate-local': { type: 'boolean' },
      'pre-located': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function parseProfile(text: string): ProfileName {
  const known = profileNames.find((name) => name === text);
  if (known === undefined) throw new UsageError(`--profile: '${text}' is none of ${profileNames.join(', ')}`);
  return known;
}

function parseMode(text: string): LlextConfig['mode'] {
  if (text === 'exact' || text === 'abi-correct') return text;
  throw new UsageError(`--mode: '${text}' is none of exact, abi-correct`);
}

/** The image with another version's loader, in another mode, with other options. */
function configured(image: BaseImage, { profile, mode, config }: LoadOptions): BaseImage {
  const changed = withChanges(image.config, config);
  return {
    ...image,
    config: { ...changed, ...(profile === undefined ? {} : { profile }), ...(mode === undefined ? {} : { mode }) },
  };
}

function parseHeap(text: string): HeapConfig {
  const kind = text === 'harvard' ? 'kheap' : heapKinds.find((known) => known === text);
  if (kind === undefined) throw new UsageError(`--heap: '${text}' is none of kheap, harvard, memblk, dynamic`);
  return { kind, harvard: text === 'harvard', sizes: defaultHeapSizes };
}

/** The one heap is as large as the base image's. */
function sizedFor(heap: HeapConfig, image: BaseImage): HeapConfig {
  const blockSize = image.config.memblkBlockSize ?? heap.sizes.HEAP_MEMBLK_BLOCK_SIZE;
  return { ...heap, sizes: { ...heap.sizes, HEAP_SIZE: image.heap.bytes, HEAP_MEMBLK_BLOCK_SIZE: blockSize } };
}

/** Of a heap that the version does not have there is no target. */
function makeTarget(image: BaseImage, options: LoadTargetOptions): LoadTarget {
  try {
    return new LoadTarget(image, options);
  } catch (error) {
    if (error instanceof LlextError) throw new UsageError(`--heap: ${error.message}`);
    throw error;
  }
}

function parsePlacement(text: string): Placement {
  const match = /^(?:(.+):)?([^:=]+)=(.+)$/.exec(text);
  if (match === null) throw new UsageError(`--place: '${text}' is not [NAME:]REGION=ADDRESS`);
  const [, name, region, address] = match as unknown as [string, string | undefined, string, string];
  const known = allRegionNames.find((candidate): candidate is RegionName => candidate === region);
  if (known === undefined) throw new UsageError(`--place: '${region}' is none of ${allRegionNames.join(', ')}`);
  return { name, region: known, address: parseAddress(address, `--place ${region}`) };
}
