/** Calls of a real base image's functions that stop the session (kernel-dependent.ts). */
import type { ImplementationTable } from '../host-call';

export const NEEDS_KERNEL = 'needs-kernel';

export const baseImageImplementations: ImplementationTable = {
  [NEEDS_KERNEL]: (call) => ({
    kind: 'misuse',
    message: `${call.name} of the base image needs a running kernel, and in a session none has booted: it works on a board only`,
  }),
};
