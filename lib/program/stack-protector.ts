/**
 * What -fstack-protector adds to a prologue, after the line table's end of it (gdb 13, arm_skip_stack_protector): the address of
 * __stack_chk_guard is loaded, then its value, which is stored into the frame. Only these encodings count, and only where the address is
 * that of the symbol. Encodings: Armv7-M manual, A7.7.43, A7.7.76, A7.7.79, A7.7.161.
 */
import type { ReadHalfword } from './thumb-prologue';

/** The name of the symbol whose address a place of the code has: a literal, or a MOVW and the MOVT behind it, with their value. */
export type AddressedSymbol = (place: bigint, value: bigint) => string | undefined;

const guard = '__stack_chk_guard';

/** The instruction behind the sequence at `start`; `start` where there is none. */
export function skipStackProtector(start: bigint, read: ReadHalfword, symbolOf: AddressedSymbol): bigint {
  const loaded = addressLoadedAt(start, read);
  if (loaded === undefined) return start;
  const [load, store] = [read(start + loaded.size) ?? 0, read(start + loaded.size + 2n) ?? 0];
  // LDR Rt, [Rn, #imm5] and STR Rt, [Rn, #imm5], encodings T1.
  const isGuard =
    (load & 0xf800) === 0x6800 &&
    ((load >> 3) & 7) === loaded.register &&
    (store & 0xf800) === 0x6000 &&
    (store & 7) === (load & 7);
  if (!isGuard || symbolOf(loaded.place, loaded.value)?.startsWith(guard) !== true) return start;
  return start + loaded.size + 4n;
}

interface LoadedAddress {
  readonly register: number;
  /** Of the instructions. */
  readonly size: bigint;
  /** Where a relocation would be. */
  readonly place: bigint;
  readonly value: bigint;
}

function addressLoadedAt(pc: bigint, read: ReadHalfword): LoadedAddress | undefined {
  const first = read(pc) ?? 0;
  if ((first & 0xf800) === 0x4800) {
    // LDR Rt, [PC, #imm8]
    const place = ((pc + 4n) & ~3n) + 4n * BigInt(first & 0xff);
    const value = BigInt(read(place) ?? 0) | (BigInt(read(place + 2n) ?? 0) << 16n);
    return { register: (first >> 8) & 7, size: 2n, place, value };
  }
  const third = read(pc + 4n) ?? 0;
  if ((first & 0xfbf0) !== 0xf240 || (third & 0xfbf0) !== 0xf2c0) return undefined;
  const [second, fourth] = [read(pc + 2n) ?? 0, read(pc + 6n) ?? 0];
  const value = BigInt(immediate16(first, second)) | (BigInt(immediate16(third, fourth)) << 16n);
  return { register: (second >> 8) & 15, size: 8n, place: pc, value };
}

/** imm4:i:imm3:imm8 of MOVW and MOVT. */
function immediate16(first: number, second: number): number {
  return ((first & 15) << 12) | ((first & 0x400) << 1) | ((second & 0x7000) >> 4) | (second & 0xff);
}
