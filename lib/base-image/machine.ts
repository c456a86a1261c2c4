/** What an ELF was built for: architecture, width, byte order, floating-point ABI, core. For images and extensions alike. */
import type { Arch } from '../arch';
import { armAttributes, Tag_ABI_VFP_args, Tag_CPU_name } from '../elf/arm-attributes';
import * as C from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import type { BaseMachine, FloatAbi } from './description';

const EM_ARC_COMPACT3_64 = 253;
const EM_ARC_COMPACT3 = 255;

const architectures: ReadonlyMap<number, Arch> = new Map([
  [C.EM_ARM, 'arm'],
  [C.EM_AARCH64, 'arm64'],
  [C.EM_RISCV, 'riscv'],
  [C.EM_386, 'x86'],
  [C.EM_X86_64, 'x86'],
  [C.EM_XTENSA, 'xtensa'],
  [C.EM_OPENRISC, 'openrisc'],
  [C.EM_RX, 'rx'],
  [C.EM_ARC_COMPACT, 'arc'],
  [C.EM_ARC_COMPACT2, 'arc'],
  [EM_ARC_COMPACT3_64, 'arc'],
  [EM_ARC_COMPACT3, 'arc'],
]);

/** e_flags of linked Arm files; compilers leave them clear in objects. */
const EF_ARM_ABI_FLOAT_SOFT = 0x200;
const EF_ARM_ABI_FLOAT_HARD = 0x400;
const EF_RISCV_FLOAT_ABI = 0x6;
const riscvFloatAbis: readonly FloatAbi[] = ['soft', 'single', 'double', 'quad'];

/** undefined: LLEXT does not support it. */
export function machineOf(elf: ElfFile): BaseMachine | undefined {
  const { e_machine } = elf.header;
  const arch = architectures.get(e_machine);
  if (arch === undefined) return undefined;
  const cpu = arch === 'arm' ? armAttributes(elf).get(Tag_CPU_name) : undefined;
  return {
    arch,
    machine: e_machine,
    is64: elf.is64,
    bigEndian: !elf.littleEndian,
    floatAbi: floatAbi(elf, arch),
    cpu: typeof cpu === 'string' ? cpu : undefined,
  };
}

function floatAbi(elf: ElfFile, arch: Arch): FloatAbi | undefined {
  const { e_flags } = elf.header;
  if (arch === 'riscv') return riscvFloatAbis[(e_flags & EF_RISCV_FLOAT_ABI) >> 1];
  if (arch !== 'arm') return undefined;
  if ((e_flags & EF_ARM_ABI_FLOAT_HARD) !== 0) return 'hard';
  if ((e_flags & EF_ARM_ABI_FLOAT_SOFT) !== 0) return 'soft';
  const attributes = armAttributes(elf);
  if (attributes.size === 0) return undefined;
  // AAPCS_VFP is 1; absent means 0, the base variant.
  return attributes.get(Tag_ABI_VFP_args) === 1 ? 'hard' : 'soft';
}

/** 'EM_ARM, 32-bit little-endian, hard-float': as messages compare two files. */
export function machineText({ machine, is64, bigEndian, floatAbi: abi }: BaseMachine): string {
  const name = C.machineNames.get(machine) ?? `machine ${machine}`;
  return `${name}, ${is64 ? 64 : 32}-bit ${bigEndian ? 'big' : 'little'}-endian${abi === undefined ? '' : `, ${floatText(abi)}`}`;
}

export function floatText(abi: FloatAbi): string {
  return abi === 'soft' || abi === 'hard' ? `${abi}-float` : `hard-float (${abi})`;
}
