/**
 * Which Arm cores run code that was built for another: Tag_CPU_arch values of the M profile as the sets of instructions
 * that they add (Addenda to the ABI for the Arm Architecture, Tag_CPU_arch). The numbers themselves are in no order.
 */

/** v6-M, v6S-M, v7 (in the M profile v7-M), v7E-M, v8-M baseline and mainline, v8.1-M mainline. */
const additions: Readonly<Record<number, string>> = {
  11: '6',
  12: '6',
  10: '67',
  13: '67e',
  16: '6b',
  17: '67bm',
  21: '67bm1',
};

/** undefined: one of them is not a core of the M profile. */
export function runsOn(code: number, core: number): boolean | undefined {
  const [wanted, there] = [additions[code], additions[core]] as (string | undefined)[];
  if (wanted === undefined || there === undefined) return undefined;
  // The DSP extension of Armv7E-M is an option of Armv8-M cores; who builds for it has it.
  return [...wanted].every((part) => there.includes(part) || (part === 'e' && there.includes('m')));
}
