/**
 * struct k_mem_domain of Zephyr's kernel as llext_add_domain needs it: a fixed number of partitions that do not overlap.
 * -EINVAL refuses a partition that is empty, wraps around or overlaps another, -ENOSPC means that no slot is free.
 */
import { Errno } from '../errors';
import type { MemDomain, MemPartition } from '../llext/llext-partitions';

/** CONFIG_MAX_DOMAIN_PARTITIONS; fewer where the MPU has fewer regions. */
export const MAX_DOMAIN_PARTITIONS = 16;

export class KMemDomain implements MemDomain {
  private readonly taken: MemPartition[] = [];

  constructor(
    readonly address: bigint,
    private readonly pointerSize: 4 | 8,
    private readonly maxPartitions = MAX_DOMAIN_PARTITIONS,
  ) {}

  get partitions(): readonly MemPartition[] {
    return this.taken;
  }

  /** k_mem_domain_add_partition */
  addPartition(partition: MemPartition): number {
    const { start, size } = partition;
    const end = start + size;
    if (size === 0n || BigInt.asUintN(this.pointerSize * 8, end) <= start) return -Errno.EINVAL;
    const overlaps = this.taken.some((other) => end > other.start && other.start + other.size > start);
    if (overlaps) return -Errno.EINVAL;
    if (this.taken.length >= this.maxPartitions) return -Errno.ENOSPC;
    this.taken.push(partition);
    return 0;
  }

  /** k_mem_domain_remove_partition: -ENOENT for what is not there. */
  removePartition({ start, size }: Pick<MemPartition, 'start' | 'size'>): number {
    const index = this.taken.findIndex((other) => other.start === start && other.size === size);
    if (index < 0) return -Errno.ENOENT;
    this.taken.splice(index, 1);
    return 0;
  }
}
