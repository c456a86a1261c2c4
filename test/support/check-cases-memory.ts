/** Cases of findings about heap and memory protection. */
import type { CheckBase } from '../../lib/check/base';
import type { LlextConfig } from '../../lib/llext/types';
import { withBoard, elf, plain, mpu, codeSection } from './check-case';
import type { CheckCase } from './check-case';
import { data, text } from './elf-builder';

const smallHeap = (bytes: number, config: Partial<LlextConfig> = {}): CheckBase =>
  withBoard({ heap: { address: 0x2000_5000n, bytes } }, config);

export const memoryCases: readonly CheckCase[] = [
  {
    code: 'heap-too-small',
    severity: 'error',
    message: /2000 bytes, 4-aligned, for region TEXT do not fit the heap of 2048 bytes: 3 KiB are needed/,
    fix: /CONFIG_LLEXT_HEAP_SIZE=3/,
    provoke: elf({ ...plain, sections: [codeSection(2000)] }, { base: smallHeap(2048) }),
    clean: elf({ ...plain, sections: [codeSection(2000)] }, { base: smallHeap(3072) }),
  },
  {
    code: 'heap-too-small-rounded',
    severity: 'error',
    message: /2048 bytes, 2048-aligned, for region TEXT do not fit .* without rounding 2/,
    provoke: elf(
      { ...plain, sections: [codeSection(1100)] },
      { base: smallHeap(3072, { armMpu: true, userspace: true }) },
    ),
    clean: elf({ ...plain, sections: [codeSection(1100)] }, { base: smallHeap(3072) }),
  },
  {
    code: 'heap-need',
    severity: 'note',
    message: /needs a heap of 1 KiB with any rounding to MPU regions; \d+ allocations of \d+ bytes/,
    provoke: elf(plain),
    clean: elf(plain, { base: undefined }),
  },
  {
    code: 'userspace-without-mpu',
    severity: 'error',
    message: /CONFIG_USERSPACE is set/,
    provoke: elf(plain, { profile: 'S', base: withBoard({}, { userspace: true }) }),
    clean: elf(plain, { profile: 'V41', base: withBoard({}, { userspace: true }) }),
  },
  {
    code: 'mpu-rounding',
    severity: 'warning',
    message: /region TEXT has 1100 bytes and takes 2048, aligned to 2048: 948 are wasted/,
    provoke: elf({ ...plain, sections: [codeSection(1100)] }, { base: mpu }),
    clean: elf({ ...plain, sections: [codeSection(2000)] }, { base: mpu }),
  },
  {
    code: 'mpu-regions',
    severity: 'warning',
    message: /TEXT, DATA take 2 MPU regions, a domain has 1/,
    provoke: elf(
      { ...plain, sections: [text(), data([1, 2, 3, 4])] },
      { base: withBoard({ mpuRegions: 1 }, mpu.config) },
    ),
    clean: elf(
      { ...plain, sections: [text(), data([1, 2, 3, 4])] },
      { base: withBoard({ mpuRegions: 2 }, mpu.config) },
    ),
  },
];
