/** An executable ELF as a stopped target would show it: its sections are the memory, at their own addresses. */
import { ElfFile } from '../../lib/elf/elf-file';
import { FrameScope } from '../../lib/c-expression';
import type { UnwindMachine } from '../../lib/dwarf/unwind-frame';
import { LoadedProgram } from '../../lib/program/loaded-program';
import { Program } from '../../lib/program/program';
import type { MemoryReply, MemoryRequest } from '../../lib/query';

export interface StaticProgram {
  readonly loaded: LoadedProgram;
  readonly machine: UnwindMachine;
  readonly scope: FrameScope;
  read(request: MemoryRequest): MemoryReply;
}

export function staticProgram(bytes: Uint8Array): StaticProgram {
  const elf = ElfFile.parse(bytes);
  const program = Program.open(elf);
  const { debug } = program;
  if (!debug) throw new Error('the ELF has no debug information');
  const placements = new Map(program.sections.map((section) => [section.index, section.address]));
  const loaded = new LoadedProgram(program, { id: 1, name: 'static' }, placements);
  const machine: UnwindMachine = {
    addressSize: debug.addressSize,
    littleEndian: debug.littleEndian,
    registers: debug.registers,
  };
  const read = ({ address, length }: MemoryRequest): MemoryReply => {
    const section = program.sections.find(
      (candidate) =>
        address >= candidate.address && address + BigInt(length) <= candidate.address + BigInt(candidate.size),
    );
    const header = section && elf.sections.find((candidate) => candidate.index === section.index);
    if (!section || !header) return undefined;
    const start = Number(address - section.address);
    const contents = elf.sectionBytes(header);
    return contents.length === 0 ? new Uint8Array(length) : contents.subarray(start, start + length);
  };
  return { loaded, machine, scope: new FrameScope({ machine, modules: [loaded] }), read };
}
