/** Relocations at the predicted addresses: what does not reach, and where Zephyr and the ABI differ. */
import type { FileCheck } from './file-check';

export function checkReach(check: FileCheck): void {
  void check;
}
