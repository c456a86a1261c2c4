/**
 * F and D (chapters 11 and 12). Arithmetic is the core's: see float.ts. $1 is the destination, a register's number or an
 * integer register's word; a rounding mode follows the sources.
 */
export const floatOperations = {} as const;
