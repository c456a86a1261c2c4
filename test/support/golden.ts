/**
 * Replays golden cases (what Zephyr's own loader did) on this loader and collects the differences. Addresses are
 * predicted by the heap model, or dictated by placing every region where the case has it. Calls of extension code are
 * not performed here; what they change in writable regions is therefore not compared afterwards.
 */
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseBaseImage } from '../../cli/base-image-file';
import type { BaseImage } from '../../cli/base-image-file';
import { extensionJson, sectMapJson, sectsJson, storageNumbers } from '../../cli/load-json';
import type { JsonObject } from '../../cli/load-json';
import { Errno } from '../../lib/errors';
import { LoadTarget } from '../../cli/load-target';
import type { Placement } from '../../cli/load-target';
import type { LlextExtension } from '../../lib/llext/extension';
import { collectCalls } from '../../lib/llext/llext-handlers';
import type { LlextStorage, RegionName } from '../../lib/llext/types';

export interface GoldenOp {
  readonly op: string;
  readonly name?: string;
  readonly req_name?: string;
  readonly file?: string;
  readonly storage?: number;
  readonly relocate_local?: number;
  readonly pre_located?: number;
  readonly keep?: number;
  readonly nopeek?: number;
  readonly buf?: string;
  readonly ret?: number;
  readonly ext?: string;
  readonly regions?: readonly { readonly region: RegionName; readonly addr: string; readonly on_heap: boolean }[];
  readonly log?: readonly string[];
  readonly [field: string]: unknown;
}

export interface GoldenRun {
  readonly image: string;
  readonly mode: string;
  readonly completed: boolean;
  readonly ops: readonly GoldenOp[];
}

export interface GoldenCase {
  readonly extension: string;
  readonly variant: string;
  readonly elf: string | null;
  readonly elf_variant?: string;
  readonly runs: readonly GoldenRun[];
}

export interface LocatedCase {
  readonly root: string;
  /** 'm3/hello' */
  readonly id: string;
  readonly golden: GoldenCase;
}

/** The trimmed copy that is always there, and the whole where it is. */
export const trimmedRoot = join(import.meta.dirname, '..', 'golden');
export const wholeRoot = join(import.meta.dirname, '..', '..', '..', 'shared', 'golden');

/** Every case of a root that has runs on the given kind of image. */
export function* goldenCases(root: string, isWanted: (image: string) => boolean): Iterable<LocatedCase> {
  if (!existsSync(root)) return;
  for (const variant of readdirSync(root, { withFileTypes: true })) {
    if (!variant.isDirectory() || variant.name === 'images' || variant.name === 'src') continue;
    for (const file of readdirSync(join(root, variant.name)).sort()) {
      if (!file.endsWith('.json')) continue;
      const golden = JSON.parse(readFileSync(join(root, variant.name, file), 'utf8')) as GoldenCase;
      const runs = golden.runs.filter(({ image }) => isWanted(image));
      const id = `${variant.name}/${file.slice(0, -5)}`;
      if (runs.length > 0) yield { root, id, golden: { ...golden, runs } };
    }
  }
}

/** Images of an architecture: the plain one, and others with its name and a suffix ('arm', 'arm-mpu'). */
export const isImageOf =
  (arch: string) =>
  (image: string): boolean =>
    image.split('-')[0] === arch;
export const isArmImage = isImageOf('arm');

const images = new Map<string, BaseImage>();

export function goldenImage(root: string, name: string): BaseImage {
  const path = join(root, 'images', `${name}.json`);
  let image = images.get(path);
  if (image === undefined) {
    image = parseBaseImage(readFileSync(path, 'utf8'), path);
    images.set(path, image);
  }
  return image;
}

export function goldenElf({ root, golden }: LocatedCase, op: GoldenOp): Uint8Array {
  // In bad_* the operation's name of the file lacks the prefix.
  const folder = golden.elf === null ? (golden.elf_variant ?? '') : golden.variant;
  const own = join(root, folder, op.file ?? '');
  return readFileSync(existsSync(own) ? own : join(root, folder, `bad_${op.file ?? ''}`));
}

const storages: readonly LlextStorage[] = ['temporary', 'persistent', 'writable'];

/**
 * Differences of one run, as lines of text; none = equal. Silent: without a listener, which is another way through the
 * linker; the messages are then not compared.
 */
export function compareRun(located: LocatedCase, run: GoldenRun, placed: boolean, silent = false): string[] {
  const image = goldenImage(located.root, run.image);
  const replay = new Replay(
    located,
    new LoadTarget(image, silent ? { silent } : { listener: () => undefined }),
    placed,
    silent,
  );
  run.ops.forEach((op, index) => replay.perform(op, `${run.image} ${run.mode} op ${index} ${op.op}`));
  if (!run.completed) replay.crash(run);
  return replay.differences;
}

function placementsOf(op: GoldenOp): Placement[] {
  return (op.regions ?? [])
    .filter(({ on_heap }) => on_heap)
    .map(({ region, addr }) => ({ name: op.req_name, region, address: BigInt(addr) }));
}

class Replay {
  readonly differences: string[] = [];
  private readonly loaded = new Map<string, LlextExtension>();
  private called = false;

  constructor(
    private readonly located: LocatedCase,
    private readonly target: LoadTarget,
    private readonly placed: boolean,
    private readonly silent: boolean,
  ) {}

  perform(op: GoldenOp, where: string): void {
    switch (op.op) {
      case 'load':
        return this.load(op, where);
      case 'list': {
        const list = this.target.llext
          .extensions()
          .map(({ name, address, useCount }) => ({ name, ext: hex(address), use_count: useCount }));
        return this.compare(`${where} list`, list, op.list);
      }
      case 'unload':
        return this.unload(op, where);
      case 'dump':
        return this.dump(op, where);
      case 'bringup':
      case 'teardown':
        return this.functions(op, where);
      case 'call': {
        this.called = true;
        const address = this.loaded
          .values()
          .next()
          .value?.expTab.symbols.find(({ name }) => name === op.sym)?.address;
        const addresses = [...this.loaded.values()].flatMap(({ expTab }) => expTab.symbols);
        const found = addresses.find(({ name }) => name === op.sym)?.address ?? address ?? 0n;
        return this.compare(`${where} addr`, hex(found), op.addr);
      }
      default:
        this.differences.push(`${where}: unknown operation`);
    }
  }

  /** The operation in which Zephyr's machine faulted, always the load of the case's file, has no record. */
  crash({ image, mode }: GoldenRun): void {
    const storage = storages[Math.max(0, ['tmp', 'per', 'wr'].indexOf(mode))];
    const { elf, extension } = this.located.golden;
    const bytes = goldenElf(this.located, { op: 'load', file: elf ?? '' });
    const loader = this.target.placeFile(bytes, storage, mode !== 'nopeek');
    const { ret, fault } = this.target.llext.load(loader, extension);
    if (ret === -Errno.EFAULT && fault !== undefined) return;
    this.differences.push(`${image} ${mode}: Zephyr's machine faulted, this load returned ${ret}`);
  }

  private load(op: GoldenOp, where: string): void {
    const bytes = goldenElf(this.located, op);
    const storage = storages[op.storage ?? 0];
    const loader = this.target.placeFile(bytes, storage, op.nopeek !== 1, BigInt(op.buf ?? '0x0'));
    const name = op.req_name ?? '';
    this.target.announce(name, this.placed && op.ret === 0 ? placementsOf(op) : []);
    const parm = {
      relocate_local: op.relocate_local !== 0,
      pre_located: op.pre_located !== 0,
      keep_section_info: op.keep !== 0,
    };
    const result = this.target.llext.load(loader, name, parm);
    this.compare(`${where} ret`, result.ret, op.ret);
    this.compare(`${where} storage`, storageNumbers[storage], op.storage);
    this.compare(`${where} ldr_sects`, sectsJson(result), op.ldr_sects);
    const { extension } = result;
    if (extension !== undefined) {
      this.loaded.set(name, extension);
      this.compareFields(where, extensionJson(extension), op);
      if (op.sect_map !== undefined) {
        const map = sectMapJson(extension).map(({ sect, mem_idx, offset, ptr }) => ({ sect, mem_idx, offset, ptr }));
        this.compare(`${where} sect_map`, map, op.sect_map);
        const ret = this.target.llext.freeInspectionData(loader, extension);
        this.compare(`${where} free_inspection_ret`, ret, op.free_inspection_ret);
        this.compare(`${where} alloc_size_after_free`, Number(extension.allocSize), op.alloc_size_after_free);
      }
    } else if (op.ext !== undefined) this.differences.push(`${where}: nothing was loaded`);
    this.compareLog(where, this.target.takeLog(), op.log ?? []);
  }

  private unload(op: GoldenOp, where: string): void {
    const extension = this.loaded.get(op.name ?? '');
    if (op.ext === '0x0' || extension === undefined) {
      this.compare(`${where} ext`, extension === undefined ? '0x0' : hex(extension.address), op.ext);
      return;
    }
    this.compare(`${where} ext`, hex(extension.address), op.ext);
    const ret = this.target.llext.unload(extension);
    if (ret === 0) this.loaded.delete(op.name ?? '');
    this.compare(`${where} ret`, ret, op.ret);
    this.compareLog(where, this.target.takeLog(), op.log ?? []);
  }

  private dump(op: GoldenOp, where: string): void {
    const extension = this.loaded.get(op.name ?? '');
    if (op.ext === '0x0') return this.compare(`${where} ext`, extension, undefined);
    if (extension === undefined) return void this.differences.push(`${where}: not loaded`);
    this.compareFields(where, extensionJson(extension), op);
  }

  private functions(op: GoldenOp, where: string): void {
    const extension = this.loaded.get(op.name ?? '');
    if (op.ext === '0x0' || extension === undefined) {
      return this.compare(`${where} ext`, extension === undefined ? '0x0' : hex(extension.address), op.ext);
    }
    this.called = true;
    const isInit = op.op === 'bringup';
    const { llext } = this.target;
    const { ret } = collectCalls(isInit ? llext.bringup(extension) : llext.teardown(extension));
    this.compare(`${where} ret`, ret, op.ret);
    this.compareLog(where, this.target.takeLog(), op.log ?? []);
  }

  private compareFields(where: string, actual: JsonObject, op: GoldenOp): void {
    for (const [key, value] of Object.entries(actual)) {
      this.compare(`${where} ${key}`, this.visible(value), this.visible(op[key]));
    }
  }

  /** After a call, writable regions hold what the called code wrote. */
  private visible(value: unknown): unknown {
    if (!this.called || !Array.isArray(value)) return value;
    return value.map((entry: unknown) => {
      if (typeof entry !== 'object' || entry === null || !('hex' in entry) || !('region' in entry)) return entry;
      return entry.region === 'DATA' || entry.region === 'BSS' ? { ...entry, hex: undefined } : entry;
    });
  }

  private compareLog(where: string, actual: readonly string[], expected: readonly string[]): void {
    if (this.silent) return;
    const [a, b] = [actual, expected].map(withoutNamesFromFlash);
    const i = a.findIndex((line, index) => line !== b[index]);
    if (i < 0 && a.length === b.length) return;
    this.differences.push(`${where} log ${i}: ${JSON.stringify(a[i])}, not ${JSON.stringify(b[i])}`);
  }

  private compare(where: string, actual: unknown, expected: unknown): void {
    const [a, b] = [actual, expected].map((value) => withoutUnknownNames(value));
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    this.differences.push(`${where}: ${clip(JSON.stringify(a))}, not ${clip(JSON.stringify(b))}`);
  }
}

/**
 * Names that Zephyr read from the base image's flash, through a pointer that nothing relocated: the image descriptions
 * have no flash contents. Such a pointer is below the RAM of all images.
 */
const firstKnownAddress = 0x2000_0000n;

function withoutUnknownNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('syms' in value) || !Array.isArray(value.syms)) return value;
  const syms = value.syms.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('name_addr' in entry)) return entry;
    const unknown = BigInt(String(entry.name_addr)) < firstKnownAddress;
    return unknown ? { ...entry, name: undefined } : entry;
  });
  return { ...value, syms };
}

/** Such a name may even contain a line feed. */
function withoutNamesFromFlash(lines: readonly string[]): string[] {
  const start = '<dbg> llext: sym (nil) name ';
  const result: string[] = [];
  for (const line of lines) {
    if (line.startsWith(start)) result.push(start);
    else if (line.startsWith('<') || result.at(-1) !== start) result.push(line);
  }
  return result;
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}

function clip(text: string | undefined): string {
  return text !== undefined && text.length > 1500 ? `${text.slice(0, 1500)}...` : String(text);
}
