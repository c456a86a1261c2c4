/** Why a function that was called aside of the program (lib/target/excursion) has not returned, in words behind its name. */
import type { CallEnd } from '../lib/target/excursion';
import type { Inferior } from './inferior';
import { baseName } from '../lib/paths';

/** Instructions that one call may execute: some seconds. */
export const callLimit = 50_000_000;

export function callEndText(inferior: Inferior, end: CallEnd): string {
  switch (end.reason) {
    case 'returned':
      return 'has returned';
    case 'fault': {
      const { message, pc } = end.fault;
      const position = inferior.programAt(pc)?.sourceAt(pc);
      const where = position && ` (line ${position.line} of ${baseName(position.file.path)})`;
      return `faulted: ${message}${where ?? ''}`;
    }
    case 'aborted':
      return `ended the program: ${end.message}`;
    case 'limit':
      return `did not return within ${callLimit.toLocaleString('en')} instructions`;
    case 'pause':
      return 'was interrupted';
  }
}
