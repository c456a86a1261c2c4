/**
 * A query is a computation over target state that asks for memory instead of reading it: one code serves the
 * emulator (synchronous), a remote target (asynchronous) and a breakpoint condition in a hot loop.
 * The DWARF expression evaluator, the unwinder, values and C expressions are all queries.
 */

/** `length` bytes at `address` of the target's address space. */
export interface MemoryRequest {
  readonly address: bigint;
  readonly length: number;
}

/** The answer to a request: exactly `length` bytes, or undefined where any of them is unreadable. */
export type MemoryReply = Uint8Array | undefined;

export type Query<T> = Generator<MemoryRequest, T, MemoryReply>;

/** Register values of one frame by DWARF number; undefined = not recoverable in this frame. */
export interface RegisterFile {
  get(register: number): bigint | undefined;
}

export function runQuery<T>(query: Query<T>, read: (request: MemoryRequest) => MemoryReply): T {
  let step = query.next();
  while (!step.done) step = query.next(read(step.value));
  return step.value;
}

export async function runQueryAsync<T>(
  query: Query<T>,
  read: (request: MemoryRequest) => Promise<MemoryReply>,
): Promise<T> {
  let step = query.next();
  while (!step.done) step = query.next(await read(step.value));
  return step.value;
}
