/**
 * Numbers for objects that a client refers to later. VS Code keeps a tree expanded over a stop only when it finds the
 * same names, and asks with the numbers of the newest stop; some clients ask with those of the last one. So a handle is
 * found again under its key at the next stop, and keeps its number while the thing that it names exists.
 */
export class Handles<T> {
  private readonly byNumber = new Map<number, T>();
  private readonly numbers = new Map<string, number>();
  private next = 1;

  /** The number of `key`, now standing for `value`. */
  set(key: string, value: T): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.next++;
      this.numbers.set(key, number);
    }
    this.byNumber.set(number, value);
    return number;
  }

  get(number: number): T | undefined {
    return this.byNumber.get(number);
  }

  /** Forgets what the numbers stand for, not the numbers: after a resume an old one names nothing until it is set again. */
  invalidate(): void {
    this.byNumber.clear();
  }
}
