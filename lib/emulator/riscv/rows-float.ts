/** F and D: chapters 11 and 12. */
import type { Row } from './rows';

export const floatRows: readonly Row[] = [];
