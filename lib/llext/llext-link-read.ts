/**
 * The entries of relocation tables, one by one with the loader's own calls (specification 3.4). A table may end behind the
 * end of the file: a buffer loader then reads nothing and succeeds, and the local variable keeps the entry before.
 */
import * as X from './context';
import type { LoadContext } from './context';
import type { Rela, Shdr } from './elf-records';
import { readRela } from './elf-records';

/** What an entry costs that the file does not have: the machine would repeat the last one as often as the header says. */
const workOfMissingEntry = 16;

export class RelocationReader {
  /** One local variable in Zephyr: SHT_REL leaves the addend alone, the file's end leaves everything. */
  private readonly bytes: Uint8Array;
  readonly count: bigint;

  constructor(
    private readonly context: LoadContext,
    private readonly section: Shdr,
  ) {
    this.bytes = new Uint8Array(context.subsystem.sizes.rela);
    this.count = section.sh_size / section.sh_entsize;
  }

  /** Or the loader's errno. */
  read(j: bigint): Rela | number {
    const { context, bytes } = this;
    const { guest, ldr } = context;
    const { sh_offset, sh_entsize } = this.section;
    const seek = ldr.seek(guest.wrap(sh_offset + j * sh_entsize));
    if (seek !== 0) return seek;
    const read = ldr.read(sh_entsize);
    if (typeof read === 'number') return read;
    X.spend(context, read.length === 0 ? workOfMissingEntry : 1);
    bytes.set(read);
    return readRela(bytes, guest.pointerSize, guest.littleEndian);
  }
}
