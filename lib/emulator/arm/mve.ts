/**
 * What Armv8.1-M adds to the mainline profile (Armv8-M ARM C2.4): the vector extension MVE, low overhead loops, long shifts,
 * conditional selection, half-precision. None of it is implemented: the encodings have rows by class, so that a program
 * that was built for such a core stops with the name of what it needs instead of an UNDEFINED instruction.
 */
import { table, v8Mainline, type Row, type RowText } from './rows';

/** Numbers of `not_implemented`, and what the message calls them. */
export const notImplementedNames = [
  'TT of the Security Extension',
  'VLSTM and VLLDM of the Security Extension',
  'the M-profile Vector Extension (MVE): vector arithmetic',
  'the M-profile Vector Extension (MVE): vector loads, stores, moves and complex arithmetic',
  'the Low Overhead Branch Extension of Armv8.1-M (loops, branch future, VCTP)',
  'the shifts of 64 bits and saturating shifts of MVE',
  'the conditional selections of Armv8.1-M (CSEL, CSINC, CSINV, CSNEG)',
  'the register clearing of Armv8.1-M (CLRM, VSCCLRM)',
  'half-precision floating-point of Armv8.1-M',
] as const;

const [, , arithmetic, moves, loops, shifts, selection, clearing, half] = notImplementedNames.keys();

const what =
  (number: number): RowText[2] =>
  () => ['not_implemented', number];

/** Coprocessors 8, 14 and 15 are MVE's; 9 is half-precision. */
export const mveRows: readonly Row[] = table(
  'C2.4',
  v8Mainline,
  [
    ['111 x 1111 x:8 | x:16', 'MVE data processing', what(arithmetic)],
    ['111 x 1110 x:8 | x:4 111 x x:8', 'MVE arithmetic, comparison and reduction', what(arithmetic)],
    ['111 x 110 x:9 | x:4 111 x x:8', 'MVE loads, stores and complex arithmetic', what(moves)],
    ['1111110 x:9 | x:4 1000 x:8', 'MVE VCMLA', what(moves)],
    // Two lanes and two core registers: where the coprocessors have no MCRR.
    ['111 x 1100000 x x:4 | x:4 111 x x:8', 'MVE VMOV of two lanes', what(moves)],
    ['11101110 1 x 1 0 x:4 | x:4 1011 x 0 x 1 0000', 'MVE VDUP', what(moves)],
    ['11101110 111 x 110 x | x:4 1010 x 0 0 1 x:4', 'MVE VMSR and VMRS of VPR and P0', what(moves)],
    ['11110 x:11 | 11 x 0 x:11 1', 'DLS, WLS, LE, LCTP, VCTP, BF, BFX, BFL, BFLX, BFCSEL', what(loops)],
    ['11101010 0101 x:4 | 0 x:11 1101', 'MVE shifts by a register', what(shifts)],
    ['11101010 0101 x:4 | 0 x:11 1111', 'MVE shifts by a constant', what(shifts)],
    ['11101010 0101 x:4 | 1 x:15', 'CSEL, CSINC, CSINV, CSNEG', what(selection)],
    ['11101010 0101 1111 | 1 x:15', 'CSET, CSETM', what(selection)],
    ['11101000 1001 1111 | x:16', 'CLRM', what(clearing)],
    ['11101100 1 x 01 1111 | x:4 101 x x:8', 'VSCCLRM', what(clearing)],
    ['111 x 1110 x:8 | x:4 1001 x:8', 'half-precision data processing', what(half)],
    ['11101101 x x 0 x x:4 | x:4 1001 x:8', 'half-precision loads and stores', what(half)],
    ['11111110 1 x 11 0000 | x:4 1010 x 1 x 0 x:4', 'VINS and VMOVX', what(half)],
  ],
  'v8.1m',
);
