/**
 * Heap and memory protection (specification 1.8, 1.10, 1.11). The need is found by trial loads without relocation: the
 * allocations, their order and their alignment are the loader's own, on the kernel's own heap.
 */
import { LlextError } from '../errors';
import { allocationOf } from '../llext/llext-mem';
import type { LlextConfig } from '../llext/types';
import type { CheckInput, FileCheck } from './file-check';
import { TrialTarget } from './trial';

const KIB = 1024;
/** Larger files are not loaded a dozen times. */
const largestForTrials = 8 * 1024 * KIB;
const largestHeapKiB = 64 * KIB;

export function checkMemory(check: FileCheck, inputs: readonly (CheckInput & { readonly name: string })[]): void {
  checkRegions(check);
  if (!check.knowsBase || !check.base.heapKnown || check.layout.trial.ret !== 0) return;
  const files = inputs.slice(0, check.order + 1);
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > largestForTrials) return;
  const { config, heap } = check.base;
  const need = heapNeed(check, files, config);
  if (need === undefined) return;
  const plain = heapNeed(check, files, { ...config, armMpu: false, mmu: false });
  const rounded = heapNeed(check, files, { ...config, armMpu: true, mpuPowerOfTwo: true, userspace: true });
  const facts = [`without MPU rounding ${size(plain)}`, `with power-of-two MPU regions ${size(rounded)}`];
  const { allocations } = check.layout.trial;
  const bytes = allocations.reduce((sum, allocation) => sum + allocation.size, 0);
  const here = `${allocations.length} allocations of ${bytes} bytes`;
  const same = plain === need && rounded === need;
  const rounding = same ? 'with any rounding to MPU regions' : `as configured (${facts.join(', ')})`;
  const message = `needs a heap of ${need} KiB ${rounding}; ${here}`;
  check.add('heap-need', message, { fix: `CONFIG_LLEXT_HEAP_SIZE=${need} or more` });
  if (check.verdict.failed === undefined || need * KIB <= heap.bytes) return;
  const { purpose, size: wanted, align } = check.verdict.failed;
  const failure = `${wanted} bytes, ${align}-aligned, for ${purpose} do not fit the heap of ${heap.bytes} bytes: ${need} KiB are needed`;
  const onlyRounded = plain !== undefined && plain * KIB <= heap.bytes;
  const fix = `set CONFIG_LLEXT_HEAP_SIZE=${need} or more`;
  if (onlyRounded)
    check.add('heap-too-small-rounded', `${failure}, without rounding ${plain}`, {
      fix: `${fix}, split large constant data, or do without CONFIG_USERSPACE`,
    });
  else check.add('heap-too-small', failure, { fix });
}

function size(kib: number | undefined): string {
  return kib === undefined ? 'more than there can be' : `${kib} KiB`;
}

/** Smallest CONFIG_LLEXT_HEAP_SIZE with which all of the files get their memory; undefined = none does. */
function heapNeed(
  check: FileCheck,
  files: readonly (CheckInput & { readonly name: string })[],
  config: LlextConfig,
): number | undefined {
  let high = 1;
  while (!fits(check, files, config, high)) {
    high *= 2;
    if (high > largestHeapKiB) return undefined;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(check, files, config, middle)) high = middle;
    else low = middle;
  }
  return high;
}

function fits(
  check: FileCheck,
  files: readonly (CheckInput & { readonly name: string })[],
  config: LlextConfig,
  kib: number,
): boolean {
  const fileBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const { storage, peek } = check;
  try {
    const target = new TrialTarget(check.base, {
      storage,
      peek,
      config,
      relocate: false,
      heapBytes: kib * KIB,
      fileBytes,
    });
    return files.every(({ bytes, name }) => target.load(bytes, name).failed === undefined);
  } catch (error) {
    // Too small for the heap's own structures.
    if (error instanceof LlextError) return false;
    throw error;
  }
}

function checkRegions(check: FileCheck): void {
  const { config, mpuRegions } = check.base;
  const isProtected = config.armMpu || config.mmu || config.arcMpu === true || config.pmpGranularity !== undefined;
  if (check.rules.userspaceNeedsMpu && config.userspace === true && !isProtected) {
    check.add('userspace-without-mpu', 'CONFIG_USERSPACE is set, and none of ARM_MPU, ARC_MPU, RISCV_PMP and MMU');
  }
  const partitions = check.layout.trial.sects
    .slice(0, check.regions.PARTITIONS)
    .flatMap((descriptor, i) => (descriptor.sh_size > 0n ? [{ name: check.regions.names[i], descriptor }] : []));
  if (config.armMpu && config.mpuPowerOfTwo !== false) {
    for (const { name, descriptor } of partitions) {
      const allocation = allocationOf(config, descriptor, check.rules);
      if (typeof allocation === 'number') continue;
      const rounded = Number(allocation.size);
      const used = Number(descriptor.sh_size);
      if (rounded < KIB || used * 3 > rounded * 2) continue;
      const message = `region ${name} has ${used} bytes and takes ${rounded}, aligned to ${rounded}: ${rounded - used} are wasted`;
      check.add('mpu-rounding', message);
    }
  }
  if (config.userspace === true && mpuRegions !== undefined && partitions.length > mpuRegions) {
    const names = partitions.map(({ name }) => name).join(', ');
    check.add('mpu-regions', `${names} take ${partitions.length} MPU regions, a domain has ${mpuRegions}`);
  }
}
