/**
 * Whether base image, core and extension fit: what a linker would refuse, and what a session cannot run. Each problem is
 * a sentence that says what to do; empty = they fit.
 */
import type { CpuInfo } from '../arch';
import { hex } from '../bytes';
import type { BaseImageDescription, BaseMachine } from '../base-image';
import { floatText, machineOf } from '../base-image/machine';
import type { ElfFile } from '../elf/elf-file';
import { constantName, machineNames } from '../elf/constants';

/** An extension against the image that it shall be loaded into; images that do not tell their machine fit everything. */
export function checkExtension(extension: ElfFile, base: BaseImageDescription): string[] {
  const { machine: expected, origin } = base;
  if (expected === undefined) return [];
  const found = machineOf(extension);
  const machine = constantName(machineNames, extension.header.e_machine);
  if (found?.machine !== expected.machine) {
    return [
      `the extension is for ${machine}, but ${origin} for ${constantName(machineNames, expected.machine)}: build both for the same board`,
    ];
  }
  const problems: string[] = [];
  const differ = (what: string, ours: string, theirs: string, advice: string): void => {
    if (ours !== theirs) problems.push(`the extension is ${what}${ours}, but ${origin} is ${theirs}: ${advice}`);
  };
  differ('', widthText(found), widthText(expected), 'build the extension for the image’s board');
  differ('', orderText(found), orderText(expected), 'build the extension for the image’s board');
  if (found.floatAbi !== undefined && expected.floatAbi !== undefined) {
    const advice = `compile the extension with ${floatFlag(expected)}, as the image was`;
    differ('', floatText(found.floatAbi), floatText(expected.floatAbi), advice);
  }
  return problems;
}

const widthText = ({ is64 }: BaseMachine): string => (is64 ? '64-bit' : '32-bit');
const orderText = ({ bigEndian }: BaseMachine): string => (bigEndian ? 'big-endian' : 'little-endian');

function floatFlag({ arch, floatAbi }: BaseMachine): string {
  if (arch === 'arm') return `-mfloat-abi=${floatAbi === 'hard' ? 'hard' : 'soft'}`;
  const suffix = new Map([
    ['single', 'f'],
    ['double', 'd'],
    ['quad', 'q'],
  ]);
  return `the image’s -mabi (ending in ${suffix.get(floatAbi ?? '') ?? 'neither f nor d'})`;
}

/** An image against the core that a session runs on. */
export function checkBaseImage(base: BaseImageDescription, cpu: CpuInfo): string[] {
  const { machine, origin, kind, config } = base;
  if (kind === 'json' || machine === undefined) {
    return [
      `${origin} is a list, which has no code to run: give the zephyr.elf itself (a list is enough for llext load, inspect and check)`,
    ];
  }
  const name = constantName(machineNames, machine.machine);
  if (machine.machine !== cpu.machine || machine.is64 !== (cpu.pointerSize === 8)) {
    return [
      `${origin} is for ${name} (${widthText(machine)}), and ${cpu.name} does not run that: say another cpu, or use llext load, which runs nothing`,
    ];
  }
  if (machine.bigEndian) {
    return [`${origin} is big-endian, which no emulated core is: use llext load, which runs nothing`];
  }
  const problems: string[] = [];
  if (hasHardFloat(machine) && !hasFpu(cpu, machine)) {
    problems.push(
      `${origin} is ${floatText(machine.floatAbi ?? 'hard')}, and ${cpu.name} has no such floating-point registers: say a cpu that has them, or build the image with CONFIG_FPU=n`,
    );
  }
  if (config.harvard === true || config.memblkBlockSize !== undefined) {
    const setting = config.harvard === true ? 'CONFIG_HARVARD' : 'CONFIG_LLEXT_HEAP_MEMBLK';
    problems.push(`${origin} has ${setting}, whose heaps a session does not have: use llext load`);
  }
  return problems;
}

/** The image's own heap is what a session uses. */
export function ownHeapText({ heaps, origin }: BaseImageDescription): string | undefined {
  const heap = heaps.find(({ name }) => name === 'llext_heap');
  if (heap === undefined) return undefined;
  return `${origin} has its llext heap: ${heap.bytes} bytes at ${hex(heap.address, 8)}`;
}

const hasHardFloat = ({ floatAbi }: BaseMachine): boolean => floatAbi !== undefined && floatAbi !== 'soft';

function hasFpu(cpu: CpuInfo, { floatAbi }: BaseMachine): boolean {
  if (cpu.arch === 'arm') return cpu.isa.fp !== 'none';
  return floatAbi === 'single' ? cpu.isa.f : floatAbi === 'double' && cpu.isa.d;
}
