/**
 * Per-CPU facts as plain records: what the emulator, the loader's checks and the user interface need to know
 * of a core. Adding a CPU = adding a row here (and files in emulator/, llext/reloc/, dwarf/regnum/).
 */

export type Arch = 'arm' | 'arm64' | 'riscv' | 'x86' | 'xtensa' | 'arc' | 'openrisc' | 'rx';

/** Instruction-set features, by the names of the Arm architecture reference manuals. */
export interface ArmIsa {
  /** Armv6-M, the base of every Cortex-M. */
  readonly v6m: boolean;
  /** Armv7-M (Thumb-2) instructions; also in Armv8-M mainline. */
  readonly v7m: boolean;
  /** DSP extension of Armv7E-M and Armv8-M. */
  readonly dsp: boolean;
  /** Armv8-M baseline instructions (Armv6-M plus MOVW/MOVT, B.W, CBZ, SDIV/UDIV, exclusives, acquire/release). */
  readonly v8mBase: boolean;
  /** Armv8-M mainline. */
  readonly v8mMain: boolean;
  /** Floating-point extension: single precision only, or double too. */
  readonly fp: 'none' | 'single' | 'double';
  /** FPv4 or FPv5; of no meaning without the extension. */
  readonly fpVersion: 4 | 5;
}

/** Extensions of a RISC-V hart, by the letters and names of the unprivileged specification; I, C, Zicsr and Zifencei are always there. */
export interface RiscvIsa {
  readonly xlen: 32 | 64;
  readonly m: boolean;
  readonly a: boolean;
  readonly f: boolean;
  readonly d: boolean;
  readonly zba: boolean;
  readonly zbb: boolean;
  readonly zbc: boolean;
  readonly zbs: boolean;
}

interface CpuFacts {
  /** Name as the launch attribute `cpu` and GCC's -mcpu or -march spell it. */
  readonly name: string;
  readonly description: string;
  /** e_machine of its ELF files. */
  readonly machine: number;
  /** Bytes of a pointer. */
  readonly pointerSize: 4 | 8;
  readonly littleEndian: boolean;
  /** What passes in floating-point registers where nothing else is said: the ABI that GCC takes for the core. */
  readonly floatAbi: 'soft' | 'single' | 'double';
}

export interface ArmCpu extends CpuFacts {
  readonly arch: 'arm';
  readonly isa: ArmIsa;
}

export interface RiscvCpu extends CpuFacts {
  readonly arch: 'riscv';
  readonly isa: RiscvIsa;
}

export type CpuInfo = ArmCpu | RiscvCpu;

const v6m: ArmIsa = { v6m: true, v7m: false, dsp: false, v8mBase: false, v8mMain: false, fp: 'none', fpVersion: 4 };
const v7m: ArmIsa = { ...v6m, v7m: true };
const v8mBase: ArmIsa = { ...v6m, v8mBase: true };
const v8mMain: ArmIsa = { ...v7m, v8mBase: true, v8mMain: true };

function cortexM(name: string, description: string, isa: ArmIsa): ArmCpu {
  const EM_ARM = 40;
  return { name, description, arch: 'arm', machine: EM_ARM, pointerSize: 4, littleEndian: true, floatAbi: 'soft', isa };
}

/** Letters as in GCC's -march: rv32imafdc. The ABI is the one that GCC takes for them: ilp32, lp64 or their hard-float forms. */
function riscv(xlen: 32 | 64, letters: string, description: string): RiscvCpu {
  const EM_RISCV = 243;
  const has = (letter: string) => letters.includes(letter);
  const bits = { zba: true, zbb: true, zbc: true, zbs: true };
  return {
    name: `rv${xlen}${letters}`,
    description,
    arch: 'riscv',
    machine: EM_RISCV,
    pointerSize: xlen === 32 ? 4 : 8,
    littleEndian: true,
    floatAbi: has('d') ? 'double' : has('f') ? 'single' : 'soft',
    isa: { xlen, m: has('m'), a: has('a'), f: has('f'), d: has('d'), ...bits },
  };
}

/** Those of one width from the smallest to the one that has everything. */
export const riscvCpus: readonly RiscvCpu[] = [
  riscv(32, 'imac', 'RISC-V RV32IMAC with bit manipulation'),
  riscv(32, 'imafc', 'RISC-V RV32IMAFC with bit manipulation'),
  riscv(32, 'imafdc', 'RISC-V RV32IMAFDC with bit manipulation'),
  riscv(64, 'imac', 'RISC-V RV64IMAC with bit manipulation'),
  riscv(64, 'imafdc', 'RISC-V RV64IMAFDC with bit manipulation'),
];

/** Every core that a session can run on; the first is the default. */
export const cpus: readonly CpuInfo[] = [
  cortexM('cortex-m3', 'Cortex-M3, Armv7-M', v7m),
  cortexM('cortex-m0', 'Cortex-M0, Armv6-M', v6m),
  cortexM('cortex-m0plus', 'Cortex-M0+, Armv6-M', v6m),
  cortexM('cortex-m1', 'Cortex-M1, Armv6-M', v6m),
  cortexM('cortex-m4', 'Cortex-M4, Armv7E-M with FPv4-SP', { ...v7m, dsp: true, fp: 'single' }),
  cortexM('cortex-m7', 'Cortex-M7, Armv7E-M with FPv5', { ...v7m, dsp: true, fp: 'double', fpVersion: 5 }),
  cortexM('cortex-m23', 'Cortex-M23, Armv8-M baseline', v8mBase),
  cortexM('cortex-m33', 'Cortex-M33, Armv8-M mainline with DSP and FPv5-SP', {
    ...v8mMain,
    dsp: true,
    fp: 'single',
    fpVersion: 5,
  }),
  ...riscvCpus,
];

export function findCpu(name: string): CpuInfo | undefined {
  return cpus.find((cpu) => cpu.name === name);
}
