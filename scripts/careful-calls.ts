/** What careful-operations.ts knows of the helpers that the text of operations calls: where they read and write, and what they depend on. */
/** Loads: their size in bytes, or the argument that holds it. */
export const loads: Readonly<Record<string, number | { readonly argument: number }>> = {
  load8: 1,
  load16: 2,
  load32: 4,
  load64: 4,
  loadAtomic32: 4,
  loadReserved32: 4,
  loadAtomic64: 8,
  loadReserved64: 8,
  loadAligned: { argument: 1 },
  loadUnprivileged: { argument: 1 },
};

/** Stores: size, index of the value's argument. `conditional`: stored when the result is 0. */
export const stores: Readonly<
  Record<
    string,
    { readonly size: number | { readonly argument: number }; readonly value: number; readonly conditional?: true }
  >
> = {
  store8: { size: 1, value: 1 },
  store16: { size: 2, value: 1 },
  store32: { size: 4, value: 1 },
  store64: { size: 4, value: 1 },
  storeAtomic32: { size: 4, value: 1 },
  storeAtomic64: { size: 8, value: 1 },
  storeAligned: { size: { argument: 1 }, value: 2 },
  storeUnprivileged: { size: { argument: 1 }, value: 2 },
  storeExclusive: { size: { argument: 1 }, value: 2, conditional: true },
  storeConditional32: { size: 4, value: 1, conditional: true },
  storeConditional64: { size: 8, value: 1, conditional: true },
};

/** Arguments of floating-point units that are registers read; the register written is `to`. Pairs of words are taken as a whole. */
export const floatCalls: Readonly<Record<string, { readonly to?: number; readonly from: readonly number[] }>> = {
  ...Object.fromEntries(
    ['add32', 'sub32', 'mul32', 'div32', 'add64', 'sub64', 'mul64', 'div64'].map((n) => [n, { to: 0, from: [1, 2] }]),
  ),
  ...Object.fromEntries(['sqrt32', 'sqrt64', 'toDouble', 'toSingle'].map((n) => [n, { to: 0, from: [1] }])),
  ...Object.fromEntries(['mla32', 'mla64', 'fma32', 'fma64'].map((n) => [n, { to: 0, from: [0, 1, 2] }])),
  compare32: { from: [0, 1] },
  maximum: { to: 1, from: [2, 3] },
  roundToIntegral: { to: 1, from: [2] },
  toFixed: { to: 1, from: [1] },
  fromFixed: { to: 1, from: [1] },
  fromHalf: { to: 1, from: [2] },
  toHalf: { to: 1, from: [1, 2] },
  // Both CPUs' units have these, by different arguments: see floatCall().
  binary: { to: 1, from: [2, 3] },
  squareRoot: { to: 0, from: [1] },
  fused: { to: 0, from: [1, 2, 3] },
  injectSign: { to: 1, from: [2, 3] },
  extreme: { to: 1, from: [2, 3] },
  fromOther: { to: 0, from: [2] },
  classify: { from: [0] },
};
