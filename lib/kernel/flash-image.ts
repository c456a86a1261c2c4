/**
 * The bytes of the base image in flash: a slot for each function with the instruction that a reader of the
 * disassembly should see (the host performs the function, then returns), and the export table as EXPORT_SYMBOL lays it
 * out: llext_const_symbol entries {name, address} and the names behind them.
 */
import type { CpuInfo } from '../arch';
import { baseExportsOf, exportAddress } from './base-image';
import { callFnCode } from './call-fn';
import { littleEndian } from './guest-memory';
import { CALL_FN_ADDRESS, CALL_FN_RETURN, CALL_FN_SIZE, EXPORT_TABLE, FLASH_BASE, FLASH_SIZE } from './memory-map';

const BX_LR = 0x4770;
const C_RET = 0x8082;

export function flashImage({ arch, pointerSize }: CpuInfo): Uint8Array {
  const image = new Uint8Array(FLASH_SIZE);
  const put = (address: number, bytes: Uint8Array): void => image.set(bytes, address - FLASH_BASE);
  const callFn = { address: CALL_FN_ADDRESS, size: CALL_FN_SIZE, returnAddress: CALL_FN_RETURN };
  put(CALL_FN_ADDRESS, callFnCode(callFn, arch));
  const exports = baseExportsOf(arch);
  const slot = littleEndian(arch === 'arm' ? BX_LR : C_RET, 2);
  for (const entry of exports) if (entry.kind === 'function') put(entry.address, slot);

  let name = EXPORT_TABLE + exports.length * 2 * pointerSize;
  exports.forEach((entry, index) => {
    const at = EXPORT_TABLE + index * 2 * pointerSize;
    put(at, littleEndian(name, pointerSize));
    put(at + pointerSize, littleEndian(exportAddress(entry, arch), pointerSize));
    put(name, new TextEncoder().encode(entry.name));
    name += entry.name.length + 1;
  });
  return image;
}
