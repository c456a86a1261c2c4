/**
 * Which of the inlined calls that begin at a breakpoint's address the stop shows as entered: as many as make the
 * visible line the one that the breakpoint is on. A breakpoint on the line of the call stops at the call, one inside of
 * the inlined function in it.
 */
import { positionNow, type StepPosition, startingInlines, visibleLine } from './step-position';
import type { SessionState } from './session-state';

export async function hiddenAtBreakpoint(session: SessionState, targetIds: readonly number[]): Promise<number> {
  const here = await positionNow(session.requireInferior('breakpoint'), 0);
  const positions = session.breakpoints.table
    .hitBy(targetIds)
    .flatMap((breakpoint) => breakpoint.locations)
    .flatMap(({ address, position }) => (address === here.pc && position !== undefined ? [position] : []));
  const starting = startingInlines(here.frame);
  for (let hidden = 0; hidden <= starting; hidden++) {
    const shown: StepPosition = { ...here, hidden };
    const line = visibleLine(shown);
    if (positions.some((position) => position?.line === line?.line && position?.file === line?.file)) return hidden;
  }
  return 0;
}
