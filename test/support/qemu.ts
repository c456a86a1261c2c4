/**
 * Runs extensions on a QEMU machine through the bare-metal host of test/qemu: an independent CPU (QEMU's) with an
 * independent C library (newlib's). All jobs of one machine run in one QEMU process, one after another.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElfFile } from '../../lib/elf/elf-file';
import { runTool } from './tools';

export interface QemuMachine {
  readonly name: string;
  /** -mcpu of the host program. */
  readonly cpu: string;
  /** Memory for the host program, and for the job list. */
  readonly origin: number;
  readonly jobs: number;
}

export const qemuMachines: readonly QemuMachine[] = [
  { name: 'mps2-an385', cpu: 'cortex-m3', origin: 0, jobs: 0x2100_0000 },
  { name: 'mps2-an505', cpu: 'cortex-m33', origin: 0x1000_0000, jobs: 0x8000_0000 },
];

export interface QemuJob {
  readonly name: string;
  /** With the Thumb bit. */
  readonly entry: number;
  readonly stack: number;
  /** At most four, for r0 to r3. */
  readonly args: readonly number[];
  readonly init: readonly number[];
  readonly loads: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  readonly dumps: readonly { readonly address: number; readonly length: number }[];
}

export interface QemuResult {
  readonly output: string;
  readonly result: number;
  /** Bytes of each dump, in the order of the job's. */
  readonly dumps: readonly Uint8Array[];
}

const MAX_RANGES = 8;
const JOB_SIZE = 64 + 4 * (2 + 4 + 1 + 8) + 2 * (4 + 12 * MAX_RANGES);
const MAGIC = 0x4c4c4558;
const HANG_GUARD_MS = 60_000;

/** The host program for one machine; its symbols are the base image that extensions are linked against. */
export class QemuHost {
  private constructor(
    readonly machine: QemuMachine,
    private readonly folder: string,
    private readonly elf: ElfFile,
    private readonly qemu: string,
  ) {}

  static build(machine: QemuMachine, imports: Iterable<string>, gcc: string, qemu: string): QemuHost {
    const folder = mkdtempSync(join(tmpdir(), 'llext-qemu-'));
    const sources = join(__dirname, '..', 'qemu');
    const file = join(folder, 'host.elf');
    runTool(gcc, [
      `-mcpu=${machine.cpu}`,
      '-mthumb',
      '-O1',
      `-DJOBS=0x${machine.jobs.toString(16)}`,
      '-nostartfiles',
      '-T',
      join(sources, 'host.ld'),
      `-Wl,--defsym=ORIGIN_ADDRESS=0x${machine.origin.toString(16)}`,
      ...[...imports].map((name) => `-Wl,--undefined=${name}`),
      '-o',
      file,
      join(sources, 'host.c'),
    ]);
    return new QemuHost(machine, folder, ElfFile.parse(readFileSync(file)), qemu);
  }

  /** Address of every global of the host program, Thumb bit included. */
  exports(): { name: string; address: bigint }[] {
    const SHN_UNDEF = 0;
    const STB_LOCAL = 0;
    return this.elf
      .symbols()
      .filter((symbol) => symbol.st_shndx !== SHN_UNDEF && symbol.binding !== STB_LOCAL)
      .map((symbol) => ({ name: symbol.name, address: symbol.st_value }));
  }

  run(jobs: readonly QemuJob[]): Map<string, QemuResult> {
    const list = join(this.folder, 'jobs.bin');
    writeFileSync(list, encodeJobs(jobs));
    const device = `loader,file=${list},addr=0x${this.machine.jobs.toString(16)},force-raw=on`;
    const output = runTool(
      this.qemu,
      [
        ...['-M', this.machine.name, '-display', 'none', '-serial', 'none', '-monitor', 'none'],
        ...['-chardev', 'stdio,id=out', '-semihosting-config', 'enable=on,target=native,chardev=out'],
        ...['-kernel', join(this.folder, 'host.elf'), '-device', device],
      ],
      { timeout: HANG_GUARD_MS },
    );
    return decodeResults(output);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function encodeJobs(jobs: readonly QemuJob[]): Uint8Array {
  const header = 8 + jobs.length * JOB_SIZE;
  const blobs: Uint8Array[] = [];
  let end = header;
  const words = new DataView(new ArrayBuffer(header));
  words.setUint32(0, MAGIC, true);
  words.setUint32(4, jobs.length, true);
  jobs.forEach((job, index) => {
    const start = 8 + index * JOB_SIZE;
    new TextEncoder().encodeInto(job.name, new Uint8Array(words.buffer, start, 63));
    let at = start + 64;
    const word = (value: number): void => {
      words.setUint32(at, value, true);
      at += 4;
    };
    const table = (ranges: readonly (readonly [number, number, number])[]): void => {
      if (ranges.length > MAX_RANGES) throw new Error(`${job.name}: more than ${MAX_RANGES} ranges`);
      word(ranges.length);
      for (let i = 0; i < MAX_RANGES; i++) for (const value of ranges[i] ?? [0, 0, 0]) word(value);
    };
    word(job.entry);
    word(job.stack);
    for (let i = 0; i < 4; i++) word(job.args[i] ?? 0);
    word(job.init.length);
    for (let i = 0; i < 8; i++) word(job.init[i] ?? 0);
    table(
      job.loads.map(({ address, bytes }) => {
        const source = end;
        blobs.push(bytes);
        end += bytes.length;
        return [source, address, bytes.length] as const;
      }),
    );
    table(job.dumps.map(({ address, length }) => [0, address, length] as const));
  });
  const file = new Uint8Array(end);
  file.set(new Uint8Array(words.buffer), 0);
  let at = header;
  for (const blob of blobs) {
    file.set(blob, at);
    at += blob.length;
  }
  return file;
}

function decodeResults(text: string): Map<string, QemuResult> {
  if (!text.includes('@end')) throw new Error(`QEMU did not finish:\n${text.slice(-2000)}`);
  const results = new Map<string, QemuResult>();
  for (const part of text.split('@job ').slice(1)) {
    const [, name, output, result, memory] = /^(\S+)\n([^]*?)\n@result ([0-9a-f]{8})\n([^]*)$/.exec(part) ?? [];
    if (name === undefined) throw new Error(`QEMU reported no result:\n${part.slice(0, 2000)}`);
    const dumps = [...memory.matchAll(/^@memory [0-9a-f]{8} ([0-9a-f]*)$/gm)].map(([, hex]) =>
      Uint8Array.from(Buffer.from(hex, 'hex')),
    );
    results.set(name, { output, result: parseInt(result, 16), dumps });
  }
  return results;
}
