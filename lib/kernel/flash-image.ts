/**
 * The bytes of the base image in flash: a slot for each function with the instruction that a reader of the
 * disassembly should see (the host performs the function, then BX LR), and the export table as EXPORT_SYMBOL lays it
 * out: llext_const_symbol entries {name, address} and the names behind them.
 */
import { baseExports, baseFunctions, exportAddress } from './base-image';
import { littleEndian } from './guest-memory';
import { CALL_FN_ADDRESS, CALL_FN_RETURN, EXPORT_TABLE, FLASH_BASE, FLASH_SIZE } from './memory-map';

const BX_LR = 0x4770;
/** BLX R3, which is what returns to CALL_FN_RETURN. */
const BLX_R3 = 0x4798;

export function flashImage(): Uint8Array {
  const image = new Uint8Array(FLASH_SIZE);
  const put = (address: number, bytes: Uint8Array): void => image.set(bytes, address - FLASH_BASE);
  put(CALL_FN_ADDRESS, Uint8Array.of(0x08, 0xb5)); // PUSH {R3, LR}
  for (let at = CALL_FN_ADDRESS + 2; at < CALL_FN_RETURN - 2; at += 2) put(at, littleEndian(0xbf00, 2));
  put(CALL_FN_RETURN - 2, littleEndian(BLX_R3, 2));
  put(CALL_FN_RETURN, Uint8Array.of(0x08, 0xbd)); // POP {R3, PC}
  for (const entry of baseFunctions) put(entry.address, littleEndian(BX_LR, 2));

  let name = EXPORT_TABLE + baseExports.length * 8;
  baseExports.forEach((entry, index) => {
    put(EXPORT_TABLE + index * 8, littleEndian(name, 4));
    put(EXPORT_TABLE + index * 8 + 4, littleEndian(exportAddress(entry), 4));
    put(name, new TextEncoder().encode(entry.name));
    name += entry.name.length + 1;
  });
  return image;
}
