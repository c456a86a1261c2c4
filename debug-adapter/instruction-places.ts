/**
 * Breakpoints on single instructions, from a disassembly: whether one begins at an address. Half of an instruction, a
 * literal or data that were overwritten by a breakpoint would never be hit, and the user should know.
 */
import { hex } from '../lib/bytes';
import type { BoundLocation } from './breakpoints';
import type { Explanation } from './breakpoint-binding';
import { type Inferior, type LoadedModule, loadedSections } from './inferior';

/** The place, or why there is none. */
export function instructionPlace(inferior: Inferior, address: bigint): BoundLocation | Explanation {
  const problem = problemAt(inferior, address);
  if (problem !== undefined) return { reason: 'failed', message: problem };
  const instance = inferior.extensionAt(address)?.id;
  const position = inferior.programAt(address)?.sourceAt(address);
  return { instance, address, position, targetId: undefined };
}

function problemAt(inferior: Inferior, address: bigint): string | undefined {
  const { target } = inferior;
  const at = hex(address, 8);
  if (target.readMemoryNow(address, 2).unreadable > 0) return `no memory is mapped at ${at}`;
  if (address % 2n !== 0n) return `no instruction begins at ${at}: it is odd`;
  const module = inferior.moduleAt(address);
  if (module === undefined) {
    const host = target.hostSymbol(address);
    if (host === undefined) return `${at} is in no code: neither in an extension nor in the base image`;
    if (host.offset !== 0)
      return `${at} is inside of ${host.name}, which the host performs: its first address can have one`;
    return undefined;
  }
  return problemIn(inferior, module, address);
}

function problemIn(inferior: Inferior, module: LoadedModule, address: bigint): string | undefined {
  const { program } = module;
  const at = hex(address, 8);
  const section = loadedSections(module).find(
    (one) => one.address <= address && address < one.address + BigInt(one.size),
  );
  if (section === undefined || !isCode(module, address)) return `${at} holds data, no instruction`;
  // Decoded from the last place where an instruction is known to begin.
  const symbol = program.symbolAt(address);
  let start = symbol === undefined ? section.address : address - symbol.offset;
  for (let back = address; back > start; back -= 2n) {
    if (isCode(module, back - 2n)) continue;
    start = back;
    break;
  }
  const { data } = inferior.target.readMemoryNow(start, Number(address - start));
  const { arch } = inferior.target.cpu;
  let offset = 0;
  let last = 0;
  while (offset < data.length) {
    last = offset;
    offset += instructionSize(arch, data[offset] | ((data[offset + 1] ?? 0) << 8));
  }
  if (offset === data.length) return undefined;
  return `${at} is inside of the instruction at ${hex(start + BigInt(last), 8)}`;
}

function isCode({ program }: LoadedModule, address: bigint): boolean {
  const kind = program.codeKindAt(address);
  return kind === undefined ? program.sectionAt(address)?.executable === true : kind !== 'data';
}

/** By the first halfword: A5.1 of the Armv7-M manual, 1.5 of the RISC-V manual. */
function instructionSize(arch: string, halfword: number): number {
  if (arch === 'arm') return halfword >>> 11 >= 0b11101 ? 4 : 2;
  return (halfword & 3) === 3 ? 4 : 2;
}
