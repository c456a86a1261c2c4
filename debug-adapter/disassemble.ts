/**
 * The disassemble request: exactly as many entries as were asked for, the one at the requested address at index
 * -instructionOffset, and the same addresses whichever way they were asked for. What is not readable is filled with
 * entries marked invalid.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { decodeUnsigned, hex } from '../lib/bytes';
import type { Disassembler, Instruction } from '../lib/disassembler';
import { Cancellation } from './cancellation';
import { clientSource } from './client-source';
import { type CodeRun, runAt } from './code-map';
import { errors } from './errors';
import type { Inferior } from './inferior';
import { parseMemoryReference } from './memory';
import type { SessionState } from './session-state';

interface Entry {
  readonly address: bigint;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly valid: boolean;
}

const largestCount = 100_000;

export async function disassemble(
  session: SessionState,
  args: DebugProtocol.DisassembleArguments,
  _after: unknown,
  cancellation: Cancellation,
): Promise<DebugProtocol.DisassembleResponse['body']> {
  const inferior = session.requireInferior('disassemble');
  const count = args.instructionCount;
  if (count < 0 || count > largestCount) throw errors.badArguments('disassemble', `instructionCount is ${count}`);
  const reference = parseMemoryReference(args.memoryReference) + BigInt(args.offset ?? 0);
  // A function pointer has bit 0 set; instructions are at even addresses.
  const base = reference & ~1n;
  const lister = new Lister(inferior, await session.requireDisassembler(inferior.target.cpu), base);
  const offset = args.instructionOffset ?? 0;
  const before = offset < 0 ? await lister.before(-offset) : [];
  const after = await lister.from(Math.max(0, offset + count));
  const entries = [...before, ...after].slice(offset < 0 ? 0 : offset).slice(0, count);
  const instructions: DebugProtocol.DisassembledInstruction[] = [];
  const described = describeEntries(session, inferior, entries, args.resolveSymbols ?? false);
  for await (const instruction of described) {
    await cancellation.turn();
    instructions.push(instruction);
  }
  return { instructions };
}

/** The first listing around a place takes several times what the next one takes: Capstone is loaded and compiled for it. */
export async function prepareListing(session: SessionState, pc: bigint): Promise<void> {
  const args = { memoryReference: hex(pc), instructionOffset: -200, instructionCount: 400, resolveSymbols: true };
  await disassemble(session, args, undefined, new Cancellation());
}

/** No entry is longer. */
const longestEntry = 4n;
const aligned = (address: bigint): bigint => address - (address % longestEntry);

/** Lists entries from a base address in both directions. */
class Lister {
  constructor(
    private readonly inferior: Inferior,
    private readonly disassembler: Disassembler,
    private readonly base: bigint,
  ) {}

  /** `count` entries from the base on. */
  async from(count: number): Promise<Entry[]> {
    let entries: Entry[] = [];
    let address = this.base;
    while (entries.length < count) {
      const run = await runAt(this.inferior, address);
      if (run === undefined || run.kind === 'unmapped') {
        const end = run?.end ?? address + 2n * BigInt(count);
        for (; address < end && entries.length < count; address += 2n) entries.push(filler(address));
      } else {
        const end = address + longestEntry * BigInt(count - entries.length + 1);
        const near = { ...dataFrom(run, aligned(address)), end: end < run.end ? end : run.end };
        entries = entries.concat(await this.entriesOf({ ...near, start: address }, near));
        address = run.end;
      }
    }
    return entries.slice(0, count);
  }

  /** `count` entries that end at the base. */
  async before(count: number): Promise<Entry[]> {
    let entries: Entry[] = [];
    let address = this.base;
    while (entries.length < count) {
      const run = await runAt(this.inferior, address - 1n);
      if (run === undefined || run.kind === 'unmapped') {
        const start = run?.start ?? address - 2n * BigInt(count);
        const fillers: Entry[] = [];
        for (let at = address - 2n; at >= start && fillers.length + entries.length < count; at -= 2n) {
          fillers.unshift(filler(at));
        }
        entries = [...fillers, ...entries];
        address = start;
      } else {
        const near = dataFrom(run, aligned(address - longestEntry * BigInt(count - entries.length)));
        entries = (await this.entriesOf({ ...near, end: address }, near)).concat(entries);
        address = run.start;
      }
    }
    return entries.slice(entries.length - count);
  }

  /**
   * Entries of a part of a run. The run is decoded from its own start, so that they are the same for every request;
   * only where the part begins inside of an instruction, it is decoded from there.
   */
  private async entriesOf(part: CodeRun, run: CodeRun): Promise<Entry[]> {
    const all = await this.decode(run);
    const inPart = all.filter(({ address, size }) => address >= part.start && address + BigInt(size) <= part.end);
    const start = inPart.at(0)?.address ?? part.end;
    const last = inPart.at(-1);
    const end = last === undefined ? part.end : last.address + BigInt(last.size);
    const head = start > part.start ? await this.decode({ ...part, end: start }) : [];
    const tail = inPart.length > 0 && end < part.end ? await this.decode({ ...part, start: end }) : [];
    return [...head, ...inPart, ...tail];
  }

  private async decode({ start, end, kind }: CodeRun): Promise<Entry[]> {
    const { data } = await this.inferior.target.readMemory(start, Number(end - start));
    if (kind === 'data') return dataEntries(data, start);
    const decoded = this.disassembler.disassemble(data, start);
    const entries = decoded.map(instructionEntry);
    const last = entries.at(-1);
    const covered = last === undefined ? 0 : Number(last.address - start) + last.size;
    // An instruction that the run's end cuts off is shown as data.
    return [...entries, ...dataEntries(data.subarray(covered), start + BigInt(covered))];
  }
}

/** A run of data is divided where addresses are aligned: what is far before does not matter. */
function dataFrom(run: CodeRun, start: bigint): CodeRun {
  return run.kind === 'data' && start > run.start ? { ...run, start } : run;
}

function instructionEntry({ address, bytes, mnemonic, operands, valid }: Instruction): Entry {
  return { address, size: bytes.length, bytes, text: `${mnemonic} ${operands}`.trim(), valid };
}

function dataEntries(bytes: Uint8Array, start: bigint): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const address = start + BigInt(at);
    const left = bytes.length - at;
    const size = address % 4n === 0n && left >= 4 ? 4 : address % 2n === 0n && left >= 2 ? 2 : 1;
    const part = bytes.slice(at, at + size);
    const directive = size === 4 ? '.word' : size === 2 ? '.short' : '.byte';
    const text = `${directive} ${hex(decodeUnsigned(part, true), size * 2)}`;
    entries.push({ address, size, bytes: part, text, valid: true });
    at += size;
  }
  return entries;
}

function filler(address: bigint): Entry {
  return { address, size: 2, bytes: new Uint8Array(), text: '(unreadable)', valid: false };
}

async function* describeEntries(
  session: SessionState,
  inferior: Inferior,
  entries: readonly Entry[],
  resolveSymbols: boolean,
): AsyncGenerator<DebugProtocol.DisassembledInstruction> {
  let lastLine: string | undefined;
  for (const entry of entries) {
    const described: DebugProtocol.DisassembledInstruction = {
      address: addressText(entry.address),
      instruction: resolveSymbols ? withTarget(inferior, entry.text) : entry.text,
    };
    if (entry.bytes.length > 0) {
      described.instructionBytes = [...entry.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    }
    if (!entry.valid) described.presentationHint = 'invalid';
    const symbol = inferior.symbolText(entry.address);
    if (symbol !== undefined && !symbol.includes('+')) described.symbol = symbol;
    const module = inferior.moduleAt(entry.address);
    const row = module?.program.stepRangeAt(entry.address);
    const line = row && `${row.file.path}:${row.line}`;
    if (module !== undefined && row !== undefined && line !== lastLine) {
      const path = await session.sourcePaths?.resolve(row.file, module.folder);
      described.location = path === undefined ? session.lostSources.sourceOf(row.file) : clientSource(path);
      described.line = session.toClientLine(row.line);
    }
    lastLine = line;
    yield described;
  }
}

/** Below 0 or above 2^32 there is no memory, but a client that scrolls there still wants distinct addresses. */
function addressText(address: bigint): string {
  return address < 0n ? hex(BigInt.asUintN(64, address)) : hex(address, 8);
}

/** Names what a branch or a literal's address leads to. */
function withTarget(inferior: Inferior, text: string): string {
  const match =
    /^(?:b[a-z.]*|cbn?z) .*#(0x[0-9a-f]+)$|^(?:c\.)?(?:j|jal|b[a-z]+) (?:.*, )?(0x[0-9a-f]+)$|^\.word (0x[0-9a-f]{8})$/.exec(
      text,
    );
  if (match === null) return text;
  const symbol = inferior.symbolText(BigInt(match[1] ?? match[2] ?? match[3]) & ~1n);
  return symbol === undefined ? text : `${text} ; ${symbol}`;
}
