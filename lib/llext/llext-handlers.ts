/**
 * Functions of an extension that the host calls: llext_handlers.c and the second half of llext.c (specification 4.9).
 * The loader has no CPU, so what calls is a generator: it yields each call at the moment at which Zephyr makes it, and its
 * value is the return code. Every pointer of the init and fini arrays must lie in TEXT. Since 4.3 each entry is fetched
 * when its turn comes, so that a wrong one stops the sequence in the middle; before, the table was checked first.
 */
import { decodeUnsigned } from '../bytes';
import { Errno } from '../errors';
import { log, pointer } from './context';
import type { Subsystem } from './context';
import type { LlextExtension } from './extension';
import { byteString } from './guest';
import { findInTable } from './llext-list';

/** A call of guest code with the arguments in the C ABI's order. */
export interface GuestCall {
  /** With the Thumb bit of an Arm function. */
  readonly address: bigint;
  readonly arguments: readonly bigint[];
}

export type GuestCalls<Result = number> = Generator<GuestCall, Result, void>;

export interface FunctionTable {
  /** Bytes of the table, or -EINVAL, -ENOMEM, -EFAULT. */
  readonly ret: number;
  /** Empty where no buffer was given, and after an error. */
  readonly functions: readonly bigint[];
}

export interface FunctionTableEntry {
  /** Bytes of the table when no entry is asked for, else 0; or -EINVAL, -EFAULT. */
  readonly ret: number;
  readonly address?: bigint;
}

const kindOf = (isInit: boolean): string => (isInit ? 'bringup' : 'teardown');

/** PREINIT then INIT, or FINI; teardown does not reverse it. */
function entries(subsystem: Subsystem, extension: LlextExtension, isInit: boolean): { size: number; all: bigint[] } {
  const { guest } = subsystem;
  const { PREINIT, INIT, FINI } = subsystem.regions;
  const regions = (isInit ? [PREINIT, INIT] : [FINI]).filter((region) => region !== undefined);
  const all: bigint[] = [];
  let size = 0;
  for (const region of regions) {
    const bytes = extension.regionBytes(region);
    size += Number(extension.memSize[region]);
    for (let at = 0; at + guest.pointerSize <= bytes.length; at += guest.pointerSize) {
      all.push(decodeUnsigned(bytes.subarray(at, at + guest.pointerSize), guest.littleEndian));
    }
  }
  return { size, all };
}

/** llext_get_fn_table; `bufferSize` undefined = buf NULL, which only asks for the size. */
export function getFnTable(
  subsystem: Subsystem,
  extension: LlextExtension | undefined,
  isInit: boolean,
  bufferSize?: number,
): FunctionTable {
  if (extension === undefined) return { ret: -Errno.EINVAL, functions: [] };
  const { size, all } = entries(subsystem, extension, isInit);
  if (bufferSize === undefined) return { ret: size, functions: [] };
  if (bufferSize < size) return { ret: -Errno.ENOMEM, functions: [] };
  const wrong = all.findIndex((address) => !extension.hasCodeAt(address));
  if (wrong < 0) return { ret: size, functions: all };
  logOutside(subsystem, isInit, wrong, all[wrong]);
  return { ret: -Errno.EFAULT, functions: [] };
}

/** llext_get_fn_table_entry; `index` undefined = ptr NULL, which only asks for the size. */
export function getFnTableEntry(
  subsystem: Subsystem,
  extension: LlextExtension | undefined,
  isInit: boolean,
  index?: number,
): FunctionTableEntry {
  if (extension === undefined) return { ret: -Errno.EINVAL };
  const { size, all } = entries(subsystem, extension, isInit);
  if (index === undefined) return { ret: size };
  if (index < 0 || index * subsystem.guest.pointerSize >= size) return { ret: -Errno.EINVAL };
  const address = all[index];
  if (extension.hasCodeAt(address)) return { ret: 0, address };
  logOutside(subsystem, isInit, index, address);
  return { ret: -Errno.EFAULT };
}

function logOutside(subsystem: Subsystem, isInit: boolean, index: number, address: bigint): void {
  log(subsystem, 'err', `${kindOf(isInit)} function ${index} (${pointer(address)}) outside text region`);
}

/** llext_bringup and llext_teardown */
export function* callFnTable(subsystem: Subsystem, extension: LlextExtension | undefined, isInit: boolean): GuestCalls {
  const byEntry = subsystem.profile.fnTable === 'entry';
  const { ret: size } = getFnTable(subsystem, extension, isInit);
  if (size < 0) {
    log(subsystem, 'err', `Failed to get table size: ${size}`);
    return size;
  }
  const table = byEntry ? undefined : getFnTable(subsystem, extension, isInit, size);
  if (table !== undefined && table.ret < 0) return fail(table.ret);
  for (let i = 0; i < Math.floor(size / subsystem.guest.pointerSize); i++) {
    const { ret, address = 0n } =
      table === undefined ? getFnTableEntry(subsystem, extension, isInit, i) : { ret: 0, address: table.functions[i] };
    if (ret < 0) return fail(ret);
    log(subsystem, 'dbg', `calling ${kindOf(isInit)} function ${pointer(address)}()`);
    yield { address, arguments: [] };
  }
  return 0;

  function fail(ret: number): number {
    log(subsystem, 'err', `Failed to get function table: ${ret}`);
    return ret;
  }
}

/** llext_bootstrap: the body of a thread; what fails is only logged. */
export function* bootstrap(
  subsystem: Subsystem,
  extension: LlextExtension,
  entry: bigint,
  userData: bigint,
): GuestCalls<void> {
  const init = yield* callFnTable(subsystem, extension, true);
  if (init < 0) return log(subsystem, 'err', `Failed to call init functions: ${init}`);
  log(subsystem, 'dbg', `calling entry function ${pointer(entry)}(${pointer(userData)})`);
  yield { address: entry, arguments: [userData] };
  const fini = yield* callFnTable(subsystem, extension, false);
  if (fini < 0) log(subsystem, 'err', `Failed to call de-init functions: ${fini}`);
}

/** llext_call_fn: a void(void) of the exported symbols. */
export function* callFn(subsystem: Subsystem, extension: LlextExtension, name: string): GuestCalls {
  const table = extension.address + BigInt(subsystem.layout.exp_tab);
  const address = findInTable(subsystem, table, byteString(name));
  if (address === 0n) return subsystem.profile.callFnEinval ? -Errno.EINVAL : -Errno.ENOENT;
  yield { address, arguments: [] };
  return 0;
}

/** The calls of a generator all at once, for a caller that makes them later, in order. */
export function collectCalls(calls: GuestCalls): { readonly ret: number; readonly calls: readonly GuestCall[] } {
  const list: GuestCall[] = [];
  for (;;) {
    const next = calls.next();
    if (next.done === true) return { ret: next.value, calls: list };
    list.push(next.value);
  }
}
