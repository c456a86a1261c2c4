/** Findings about heap and memory protection (specification 1.8, 1.10, 1.11). */
import type { FindingRule } from './finding';

export const memoryRules = {
  'heap-too-small': {
    severity: 'error',
    title: 'the llext heap is too small',
    explanation:
      'A trial load on a model of the kernel’s heap, with its headers and alignment gaps, runs out of memory: -ENOMEM.',
    fix: 'raise CONFIG_LLEXT_HEAP_SIZE',
    specification: '1.8',
  },
  'heap-too-small-rounded': {
    severity: 'error',
    title: 'the llext heap is too small for rounded regions',
    explanation:
      'The extension fits as it is, but an MPU with power-of-two regions makes each region as large as the next power of two, and aligned to that: -ENOMEM.',
    fix: 'raise CONFIG_LLEXT_HEAP_SIZE, split large constant data, or do without CONFIG_USERSPACE',
    specification: '1.8',
  },
  'heap-need': {
    severity: 'note',
    title: 'heap that the load takes',
    explanation:
      'Found by trial loads on a model of the kernel’s heap: the smallest CONFIG_LLEXT_HEAP_SIZE with which this extension and those before it load.',
    fix: 'set CONFIG_LLEXT_HEAP_SIZE to at least this',
    specification: '1.11',
  },
  'userspace-without-mpu': {
    severity: 'error',
    title: 'CONFIG_USERSPACE without a known memory protection',
    explanation:
      'This version refuses to load when it does not know how the architecture’s memory protection wants regions aligned: -ENOTSUP.',
    fix: 'enable CONFIG_ARM_MPU, CONFIG_ARC_MPU, CONFIG_RISCV_PMP or CONFIG_MMU, or do without CONFIG_USERSPACE',
    specification: '1.8',
  },
  'mpu-rounding': {
    severity: 'warning',
    title: 'rounding wastes memory',
    explanation:
      'With an MPU of power-of-two regions a region that is just larger than a power of two takes nearly twice its size.',
    fix: 'make the region smaller than the power of two before, or split its data off',
    specification: '1.8',
  },
  'mpu-regions': {
    severity: 'warning',
    title: 'more memory partitions than MPU regions',
    explanation:
      'Each of TEXT, DATA, RODATA and BSS that is not empty takes a memory partition of its own, and the MPU a region for each: llext_add_domain returns -ENOSPC.',
    fix: 'let the extension do without one of them (constants into code, no initialised data), or free partitions of the domain',
    specification: '1.10',
  },
} as const satisfies Record<string, FindingRule>;
