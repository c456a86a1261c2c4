/** Debug sections of an ELF file, all read. */
import { bytesOf } from '../../lib/byte-source';
import type { DebugSections } from '../../lib/program/debug-sections';

export function allWhole({ sections }: DebugSections): Map<string, Uint8Array> {
  const whole = [...sections].map(
    ([name, data]) => [name, data instanceof Uint8Array ? data : bytesOf(data, 0, data.length)] as const,
  );
  return new Map(whole);
}
