/**
 * Coprocessor space: Armv7-M ARM A5.3.18. Coprocessors 10 and 11 are the Floating-point Extension (fp.ts); what that does
 * not define is UNDEFINED. No other coprocessor exists on the cores that we have, so their instructions are a UsageFault NOCP.
 */
import { mainline, noCoprocessor, table, undefinedHere, type Row } from './rows';

const floatingPoint = table(
  'A6',
  mainline,
  [
    [
      '111 x 1110 x:8 | x:4 101 x x:8',
      'UNDEFINED floating-point data processing and register transfer',
      () => undefinedHere,
    ],
    ['111 x 110 x:9 | x:4 101 x x:8', 'UNDEFINED floating-point load and store', () => undefinedHere],
  ],
  'fp-space',
);

const others = table(
  'A5.3.18',
  mainline,
  [
    ['111 x 1110 x:8 | x:4 coproc:4 x:8', 'CDP, MCR, MRC', () => noCoprocessor],
    ['111 x 110 x:9 | x:4 coproc:4 x:8', 'LDC, STC, MCRR, MRRC', () => noCoprocessor],
    ['111 x 1100000 x x:4 | x:4 coproc:4 x:8', 'UNDEFINED coprocessor space', () => undefinedHere],
  ],
  'coprocessor',
);

export const coprocessorRows: readonly Row[] = [...floatingPoint, ...others];
