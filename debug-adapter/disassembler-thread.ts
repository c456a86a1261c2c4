/**
 * The disassembler in a thread of its own, for an adapter that is a process: it loads while the session starts, on another core. The
 * thread does not keep the process alive, and ends with the session. Where it cannot be started or ends early, whoever asks is told.
 */
import { Worker } from 'node:worker_threads';
import type { AsyncDisassembler, Instruction, InstructionSet } from '../lib/disassembler';
import { messageOf } from './errors';

export interface DisassemblyRequest {
  readonly id: number;
  readonly set: InstructionSet;
  readonly bytes: Uint8Array;
  readonly address: bigint;
  readonly limit: number;
}

/** Instructions in columns: objects with bytes each are slow to hand over. The bytes are those that were asked about, one after the other. */
export interface Listing {
  readonly sizes: Uint8Array;
  readonly mnemonics: readonly string[];
  readonly operands: readonly string[];
  readonly valid: Uint8Array;
}

export type DisassemblyAnswer =
  { readonly id: number; readonly listing: Listing } | { readonly id: number; readonly problem: string };

interface Waiting {
  readonly request: Omit<DisassemblyRequest, 'id'>;
  readonly resolve: (instructions: Instruction[]) => void;
  readonly reject: (error: Error) => void;
}

export class DisassemblerThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private problem: string | undefined;

  /** Paths of the thread's script, and of Capstone's WebAssembly file. */
  constructor(script: string, wasm: string) {
    this.worker = new Worker(script, { workerData: { wasm } });
    this.worker.unref();
    this.worker.on('message', (answer: DisassemblyAnswer) => this.take(answer));
    this.worker.on('error', (error) => this.end(messageOf(error)));
    this.worker.on('exit', () => this.end('its thread has ended'));
  }

  for(set: InstructionSet): AsyncDisassembler {
    return { disassemble: (bytes, address, limit = Infinity) => this.ask({ set, bytes, address, limit }) };
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private ask(request: Omit<DisassemblyRequest, 'id'>): Promise<Instruction[]> {
    if (this.problem !== undefined) return Promise.reject(new Error(this.problem));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { request, resolve, reject });
      this.worker.postMessage({ ...request, id } satisfies DisassemblyRequest);
    });
  }

  private take(answer: DisassemblyAnswer): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('problem' in answer) waiting?.reject(new Error(answer.problem));
    else waiting?.resolve(instructionsOf(answer.listing, waiting.request));
  }

  private end(problem: string): void {
    this.problem ??= problem;
    for (const { reject } of this.waiting.values()) reject(new Error(this.problem));
    this.waiting.clear();
  }
}

export function listingOf(instructions: readonly Instruction[]): Listing {
  return {
    sizes: Uint8Array.from(instructions, ({ bytes }) => bytes.length),
    mnemonics: instructions.map(({ mnemonic }) => mnemonic),
    operands: instructions.map(({ operands }) => operands),
    valid: Uint8Array.from(instructions, ({ valid }) => (valid ? 1 : 0)),
  };
}

function instructionsOf(
  { sizes, mnemonics, operands, valid }: Listing,
  { bytes, address }: Pick<DisassemblyRequest, 'bytes' | 'address'>,
): Instruction[] {
  let offset = 0;
  return mnemonics.map((mnemonic, n) => {
    const start = offset;
    offset += sizes[n];
    return {
      address: address + BigInt(start),
      bytes: bytes.subarray(start, offset),
      mnemonic,
      operands: operands[n],
      valid: valid[n] === 1,
    };
  });
}
