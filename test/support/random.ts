/** Seeded random numbers (xorshift32): the same in every run, the seed is printed where it matters. */
export class Random {
  constructor(private state: number) {
    this.state = state | 0 || 1;
  }

  /** 0 .. 2^32-1. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 .. limit-1. The low bits of xorshift are as good as the high ones for these sizes. */
  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** A word as tests like it: extremes, small numbers, single bits, or anything. */
  word(): number {
    switch (this.below(8)) {
      case 0:
        return this.pick([0, 1, 2, 31, 32, 33, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]);
      case 1:
        return this.below(64);
      case 2:
        return (1 << this.below(32)) >>> 0;
      default:
        return this.next();
    }
  }
}
