/**
 * The Memory Protection Unit: PMSAv7 (Armv7-M ARM B3.5, optional in Armv6-M) and PMSAv8 (Armv8-M ARM B10). It says
 * whether an access is allowed; memory types and cacheability have no effect here.
 */
import { System } from './system-state';

export const mpuRegions = 8;
const Ctrl = { ENABLE: 1, HFNMIENA: 2, PRIVDEFENA: 4 } as const;

export interface MpuAccess {
  readonly address: number;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  /** Negative in HardFault, NMI and with FAULTMASK: then the MPU is off unless HFNMIENA. */
  readonly priority: number;
}

export const mpuEnabled = (state: Int32Array) => (state[System.mpuCtrl] & Ctrl.ENABLE) !== 0;

/** AP of PMSAv7: [privileged, unprivileged] as 0 none, 1 read, 2 read and write. */
const permissions7 = [
  [0, 0],
  [2, 0],
  [2, 1],
  [2, 2],
  [0, 0],
  [1, 0],
  [1, 1],
  [1, 1],
] as const;
/** AP of PMSAv8. */
const permissions8 = [
  [2, 0],
  [2, 2],
  [1, 0],
  [1, 1],
] as const;

/** The default memory map: 0xE0000000 and above, peripherals and devices are never executed. */
const defaultExecutable = (address: number) => address < 0x40000000 || (address >= 0x60000000 && address < 0xa0000000);

interface Region {
  readonly privileged: number;
  readonly unprivileged: number;
  readonly executeNever: boolean;
}

/** The highest-numbered enabled region with the address, whose subregion is not disabled. */
function region7(state: Int32Array, address: number): Region | undefined {
  for (let i = mpuRegions - 1; i >= 0; i--) {
    const rasr = state[System.mpuRlar + i];
    if ((rasr & 1) === 0) continue;
    const bits = ((rasr >>> 1) & 31) + 1;
    const size = 2 ** bits;
    const base = (state[System.mpuRbar + i] & ~31) >>> 0;
    const first = base - (base % size);
    if (address < first || address >= first + size) continue;
    const subregion = bits >= 8 ? Math.floor((address - first) / (size / 8)) : 0;
    if (bits >= 8 && (rasr >>> (8 + subregion)) & 1) continue;
    const [privileged, unprivileged] = permissions7[(rasr >>> 24) & 7];
    return { privileged, unprivileged, executeNever: ((rasr >>> 28) & 1) === 1 };
  }
  return undefined;
}

/** An address in two regions is a fault. */
function region8(state: Int32Array, address: number): Region | 'several' | undefined {
  let found: Region | undefined;
  for (let i = 0; i < mpuRegions; i++) {
    const rlar = state[System.mpuRlar + i];
    const rbar = state[System.mpuRbar + i];
    if ((rlar & 1) === 0 || address < (rbar & ~31) >>> 0 || address > (rlar | 31) >>> 0) continue;
    if (found) return 'several';
    const [privileged, unprivileged] = permissions8[(rbar >>> 1) & 3];
    found = { privileged, unprivileged, executeNever: (rbar & 1) === 1 };
  }
  return found;
}

/** The system control space is never the MPU's business. */
const isPrivatePeripheral = (address: number) => address >= 0xe0000000 && address < 0xe0100000;

export function mpuAllows(
  state: Int32Array,
  isV8: boolean,
  { address, access, privileged, priority }: MpuAccess,
): boolean {
  const ctrl = state[System.mpuCtrl];
  const off = (ctrl & Ctrl.ENABLE) === 0 || (priority < 0 && (ctrl & Ctrl.HFNMIENA) === 0);
  if (off || isPrivatePeripheral(address)) return access !== 'execute' || defaultExecutable(address);
  const region = isV8 ? region8(state, address) : region7(state, address);
  if (region === 'several') return false;
  if (!region)
    return (ctrl & Ctrl.PRIVDEFENA) !== 0 && privileged && (access !== 'execute' || defaultExecutable(address));
  const rights = privileged ? region.privileged : region.unprivileged;
  if (access === 'execute') return rights >= 1 && !region.executeNever && (isV8 || defaultExecutable(address));
  return rights >= (access === 'write' ? 2 : 1);
}
