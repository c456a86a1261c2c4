/**
 * Copies of pages, in slabs that stay: a recording keeps and gives up hundreds of pages a second, and buffers of their own would stay
 * in the process until the garbage collector finds them, several times what is kept.
 */
const pageSize = 4096;
const pagesOfSlab = 256;

export class PagePool {
  private readonly free: Uint8Array[] = [];

  /** A copy, to be given back. */
  keep(page: Uint8Array): Uint8Array {
    const copy = this.free.pop() ?? this.fromNewSlab();
    copy.set(page);
    return copy;
  }

  /** Nobody may look at it any more. */
  giveBack(copy: Uint8Array): void {
    this.free.push(copy);
  }

  private fromNewSlab(): Uint8Array {
    const slab = new Uint8Array(pagesOfSlab * pageSize);
    for (let i = pagesOfSlab - 1; i > 0; i--) this.free.push(slab.subarray(i * pageSize, (i + 1) * pageSize));
    return slab.subarray(0, pageSize);
  }
}
