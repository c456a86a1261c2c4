import type { SynchronousView } from '../lib/target/target';
import type { BoundLocation, SourceBreakpoint } from './breakpoints';
import type { Inferior } from './inferior';
import type { SessionOutput } from './output';
export function stopCondition(
  _b: SourceBreakpoint,
  _l: BoundLocation,
  _i: Inferior,
  _o: SessionOutput,
): ((view: SynchronousView) => boolean) | undefined {
  return undefined;
}
