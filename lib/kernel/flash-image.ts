/**
 * The bytes of the base image in flash: a slot for each function with the instruction that a reader of the
 * disassembly should see (the host performs the function, then BX LR), and the export table as EXPORT_SYMBOL lays it
 * out: llext_const_symbol entries {name, address} and the names behind them.
 */
import { baseExports, baseFunctions, exportAddress } from './base-image';
import { callFnCode } from './call-fn';
import { littleEndian } from './guest-memory';
import { CALL_FN_ADDRESS, CALL_FN_RETURN, CALL_FN_SIZE, EXPORT_TABLE, FLASH_BASE, FLASH_SIZE } from './memory-map';

const BX_LR = 0x4770;

export function flashImage(): Uint8Array {
  const image = new Uint8Array(FLASH_SIZE);
  const put = (address: number, bytes: Uint8Array): void => image.set(bytes, address - FLASH_BASE);
  put(CALL_FN_ADDRESS, callFnCode({ address: CALL_FN_ADDRESS, size: CALL_FN_SIZE, returnAddress: CALL_FN_RETURN }));
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
