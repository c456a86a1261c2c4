/**
 * Memory that extensions are declared to share with the firmware or with each other (launch attribute sharedMemory, --shared-memory):
 * a range of addresses, or an object of the base image by its name. What cannot be meant is refused, whether or not memory safety is
 * checked.
 */
import { hex } from '../bytes';
import type { GuestImage } from '../kernel/guest-image';
import type { SharedMemory } from '../kernel/memory-owners';

/** The name of an object of the base image, or a range. */
export type SharedMemoryWish = string | SharedMemory;

/** `index` of the wish, and what is wrong with it. */
export class SharedMemoryError extends RangeError {
  constructor(
    readonly index: number,
    message: string,
  ) {
    super(message);
  }
}

export function resolveSharedMemory(wishes: readonly SharedMemoryWish[], image: GuestImage): SharedMemory[] {
  return wishes.map((wish, index) => {
    const range = typeof wish === 'string' ? rangeOf(wish, image) : wish;
    const problem = typeof range === 'string' ? range : problemOf(range, image);
    if (problem !== undefined) throw new SharedMemoryError(index, problem);
    return range as SharedMemory;
  });
}

function rangeOf(name: string, { symbols, served, map }: GuestImage): SharedMemory | string {
  const found = symbols.find((symbol) => symbol.name === name);
  if (found === undefined) return `the base image has no object '${name}'`;
  const { address, size } = found;
  if (served.some((entry) => entry.address === address)) return `'${name}' is a function of the base image`;
  if (size === 0) return `the base image does not tell the size of '${name}': give its address and size`;
  const region = map.regions.find(({ base, size: length }) => address >= base && address < base + length);
  return { address, size, writable: region?.permissions.write === true };
}

/** The range must be mapped, and be nobody's: what is the stack's or a heap's is checked all the same. */
function problemOf({ address, size }: SharedMemory, { map }: GuestImage): string | undefined {
  const end = address + size;
  const range = `${hex(address, 8)} to ${hex(end, 8)}`;
  if (size < 1 || end > 2 ** 32) return `${size} bytes at ${hex(address, 8)} are no range of the 4 GiB address space`;
  for (const [name, { base, size: length }] of [
    ['the stack', map.stack],
    ['the llext heap', map.llextHeap],
    ['the system heap', map.systemHeap],
  ] as const) {
    if (address < base + length && end > base) return `${range} is in ${name}, whose use is what is checked`;
  }
  for (let at = address; at < end;) {
    const region = map.regions.find(({ base, size: length }) => at >= base && at < base + length);
    if (region === undefined || !region.permissions.read) {
      const readable = map.regions.filter(({ permissions }) => permissions.read);
      const there = readable.map(
        ({ name, base, size: length }) => `${name} ${hex(base, 8)} to ${hex(base + length, 8)}`,
      );
      return `nothing is mapped at ${hex(at, 8)}: memory of this machine is ${there.join(', ')}`;
    }
    at = region.base + region.size;
  }
  return undefined;
}
