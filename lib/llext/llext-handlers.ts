/**
 * Init and fini arrays after llext_handlers.c and llext.c (specification 4.9): the functions that llext_bringup and
 * llext_teardown call, in their order. Calling them is the kernel's business; each pointer must lie in TEXT.
 */
import { decodeUnsigned } from '../bytes';
import { Errno } from '../errors';
import { log, pointer } from './context';
import type { Subsystem } from './context';
import type { LlextExtension } from './extension';

export interface FunctionTable {
  /** 0, or -EFAULT for a pointer outside of the extension's TEXT. */
  readonly ret: number;
  /** With the Thumb bit; empty after an error. */
  readonly functions: readonly bigint[];
}

/** llext_get_fn_table: PREINIT then INIT, or FINI; teardown does not reverse it. */
export function getFnTable(subsystem: Subsystem, extension: LlextExtension, isInit: boolean): FunctionTable {
  const { guest } = subsystem;
  const { PREINIT, INIT, FINI } = subsystem.regions;
  const regions = (isInit ? [PREINIT, INIT] : [FINI]).filter((region) => region !== undefined);
  const functions: bigint[] = [];
  for (const region of regions) {
    const bytes = extension.regionBytes(region);
    for (let at = 0; at + guest.pointerSize <= bytes.length; at += guest.pointerSize) {
      functions.push(decodeUnsigned(bytes.subarray(at, at + guest.pointerSize), guest.littleEndian));
    }
  }
  const kind = isInit ? 'bringup' : 'teardown';
  const wrong = functions.findIndex((address) => !extension.hasCodeAt(address));
  if (wrong >= 0) {
    log(subsystem, 'err', `${kind} function ${wrong} (${pointer(functions[wrong])}) outside text region`);
    log(subsystem, 'err', `Failed to get function table: ${-Errno.EFAULT}`);
    return { ret: -Errno.EFAULT, functions: [] };
  }
  return { ret: 0, functions };
}

/** The message of call_fn_table before each call. */
export function logFnCall(subsystem: Subsystem, isInit: boolean, address: bigint): void {
  log(subsystem, 'dbg', `calling ${isInit ? 'bringup' : 'teardown'} function ${pointer(address)}()`);
}
