/** Debug sections of an ELF file, all read. */
import { type DebugSections, wholeSections } from '../../lib/program/debug-sections';

export function allWhole(read: DebugSections): Map<string, Uint8Array> {
  const whole = wholeSections(read);
  return new Map([...read.sections.keys()].map((name) => [name, whole.get(name) ?? new Uint8Array(0)]));
}
