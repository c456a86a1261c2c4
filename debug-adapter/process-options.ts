/**
 * How the adapter's process is started: `node OPTIONS debug-adapter.js`. It works without them too, and takes more room.
 */

/** MiB of each half of V8's young generation, which else grows to 16 while a program runs and stays that large. */
const semiSpaceMiB = 2;

export const adapterNodeOptions: readonly string[] = [`--max-semi-space-size=${semiSpaceMiB}`];
