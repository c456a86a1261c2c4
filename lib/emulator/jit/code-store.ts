/**
 * The translated functions there are: entries by guest address, in batches of one module each, with slots of the table for
 * calls between modules. What becomes invalid takes its whole batch with it; when there are too many modules, all go.
 */
import type { GuestMemory } from '../memory';
import { LEFT, LEFT_DEPTH, TARGETS, tableSize, targetEntries, targetOffset } from './layout';
import { ByteWriter, encodeModule, importNamespace, Op, Type, type FunctionType, type ImportedFunction } from './wasm';

/** (pc, left, depth) -> next pc. */
export type TranslatedFunction = (pc: number, left: number, depth: number) => number;

export interface Entry {
  readonly pc: number;
  readonly call: TranslatedFunction;
}

export interface Body {
  readonly pc: number;
  readonly body: ByteWriter;
  readonly ranges: readonly (readonly [number, number])[];
}

interface Batch {
  readonly entries: readonly Entry[];
  readonly ranges: readonly (readonly [number, number])[];
}

/** What translated code calls: see Callee in emitter.ts for the order. */
export interface Helpers {
  loadSlow(address: number, code: number): number;
  storeSlow(address: number, value: number, size: number): number;
  probeWrite(address: number, bytes: number): number;
  interpret(pc: number, left: number, depth: number): number;
  ask(pc: number): number;
  lowered(pc: number, sp: number, depth: number): number;
}

export type Compile = (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module;

const translated = 0;
const types: readonly FunctionType[] = [
  { parameters: [Type.i32, Type.i32, Type.i32], results: [Type.i32] },
  { parameters: [Type.i32, Type.i32], results: [Type.i32] },
];
const imports: readonly ImportedFunction[] = [
  { name: 'loadSlow', type: 1 },
  { name: 'storeSlow', type: 0 },
  { name: 'probeWrite', type: 1 },
  { name: 'interpret', type: translated },
  { name: 'ask', type: 1 },
  { name: 'lowered', type: translated },
];

/** The function of a slot whose guest function is not translated: back to the dispatcher, which goes on at pc. */
function stubBody(): ByteWriter {
  const body = new ByteWriter();
  body.u32(0);
  for (const byte of [Op.i32_const, 0, Op.local_get, 1, Op.i32_store, 0]) body.byte(byte);
  body.u32(LEFT);
  for (const byte of [Op.i32_const, 0, Op.local_get, 2, Op.i32_store, 0]) body.byte(byte);
  body.u32(LEFT_DEPTH);
  for (const byte of [Op.local_get, 0, Op.end]) body.byte(byte);
  return body;
}

const maximumBatches = 256;

export class CodeStore {
  readonly entries = new Map<number, Entry>();
  /** Changes when anything is dropped. */
  generation = 0;
  private batches: Batch[] = [];
  private readonly byPage = new Map<number, Set<Batch>>();
  private readonly slots = new Map<number, number>();
  private readonly table: WebAssembly.Table;
  private readonly stub: TranslatedFunction;

  /** Throws what WebAssembly throws where compilation is refused. */
  constructor(
    private readonly memory: GuestMemory,
    private readonly helpers: Helpers,
    private readonly compile: Compile,
    /** Told of every entry that comes or goes. */
    private readonly changed: (pc: number) => void,
  ) {
    // One slot for the module of the stub itself to import.
    this.table = new WebAssembly.Table({ initial: 1, element: 'anyfunc' });
    [this.stub] = this.instantiate([stubBody()]);
    this.table.set(0, this.stub);
    this.table.grow(tableSize - 1, this.stub);
  }

  get modules(): number {
    return this.batches.length;
  }

  /** The slot for calls of the function at an address; undefined when there is none left. */
  slotOf(pc: number): number | undefined {
    let slot = this.slots.get(pc);
    if (slot !== undefined || this.slots.size + 1 >= tableSize) return slot;
    slot = this.slots.size + 1;
    this.slots.set(pc, slot);
    return slot;
  }

  add(bodies: readonly Body[]): void {
    if (this.batches.length >= maximumBatches) this.clear();
    const functions = this.instantiate(bodies.map(({ body }) => body));
    const entries = bodies.map(({ pc }, i) => ({ pc, call: functions[i] }));
    const batch = { entries, ranges: bodies.flatMap(({ ranges }) => ranges) };
    this.batches.push(batch);
    for (const page of pagesOf(batch)) {
      const known = this.byPage.get(page);
      if (known) known.add(batch);
      else this.byPage.set(page, new Set([batch]));
      this.memory.setCode(page, true);
    }
    for (const entry of entries) this.publish(entry);
  }

  /** Whether a translation depends on any of the bytes. */
  covers(address: number, length: number): boolean {
    return this.covering(address, length).length > 0;
  }

  /** Forgets what depends on the bytes; the addresses of the entries that are gone. */
  drop(address: number, length: number): number[] {
    return this.covering(address, length).flatMap((batch) => this.dropBatch(batch));
  }

  dropPage(page: number): void {
    for (const batch of [...(this.byPage.get(page) ?? [])]) this.dropBatch(batch);
  }

  clear(): void {
    for (const batch of [...this.batches]) this.dropBatch(batch);
    this.slots.clear();
  }

  private covering(address: number, length: number): Batch[] {
    const found = new Set<Batch>();
    for (let page = address >>> 12; page <= (address + length - 1) / 4096; page++) {
      for (const batch of this.byPage.get(page) ?? []) {
        if (batch.ranges.some(([start, end]) => address < end && address + length > start)) found.add(batch);
      }
    }
    return [...found];
  }

  private publish(entry: Entry): void {
    const { pc } = entry;
    this.entries.set(pc, entry);
    const slot = this.slotOf(pc);
    if (slot !== undefined) this.table.set(slot, entry.call);
    this.showTarget(pc);
    this.changed(pc);
  }

  /** Indirect calls find the entry from now on, in the place of another one perhaps. */
  showTarget(pc: number): void {
    const slot = this.slots.get(pc);
    const at = (TARGETS + targetOffset(pc)) >>> 2;
    const { words } = this.memory;
    if (slot === undefined || words[at] === (pc | 0)) return;
    words[at] = pc;
    words[at + 1] = slot;
  }

  private dropBatch(batch: Batch): number[] {
    const index = this.batches.indexOf(batch);
    if (index < 0) return [];
    this.batches.splice(index, 1);
    this.generation++;
    for (const page of pagesOf(batch)) this.byPage.get(page)?.delete(batch);
    const gone = batch.entries.filter((entry) => this.entries.get(entry.pc) === entry);
    for (const { pc } of gone) {
      this.entries.delete(pc);
      const slot = this.slots.get(pc);
      if (slot !== undefined) this.table.set(slot, this.stub);
      const at = (TARGETS + targetOffset(pc)) >>> 2;
      if (this.memory.words[at] === (pc | 0)) this.memory.words.fill(0, at, at + 2);
      this.changed(pc);
    }
    return gone.map(({ pc }) => pc);
  }

  private instantiate(bodies: readonly ByteWriter[]): TranslatedFunction[] {
    const bytes = encodeModule({ types, imports, functions: bodies.map((body) => ({ type: translated, body })) });
    const environment = { memory: this.memory.buffer, table: this.table, ...this.helpers };
    const instance = new WebAssembly.Instance(this.compile(bytes), { [importNamespace]: environment });
    return bodies.map((_, index) => instance.exports[String(index)] as TranslatedFunction);
  }
}

function pagesOf({ ranges }: Batch): Set<number> {
  const pages = new Set<number>();
  for (const [start, end] of ranges) for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) pages.add(page);
  return pages;
}

export const clearTargets = (words: Int32Array): void => {
  words.fill(0, TARGETS >>> 2, (TARGETS >>> 2) + 2 * targetEntries);
};
