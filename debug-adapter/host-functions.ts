/**
 * Functions of the built-in base image as expressions know them: name and C declaration from the table that hovers show. A real
 * image has them as code, with its own symbols and debug information.
 */
import type { DeclaredFunction } from '../lib/c-expression';
import { baseExportsOf } from '../lib/kernel/base-image';
import { parseSignature, type ValueClass } from '../lib/kernel/c-signature';
import type { Inferior } from './inferior';

type DeclaredType = DeclaredFunction['returns'];

/** Passed like it. */
const passedAs: Readonly<Record<ValueClass, DeclaredType['otherwise']>> = {
  void: 'void',
  i32: 'int',
  u32: 'unsigned int',
  long: 'long',
  ulong: 'unsigned long',
  pointer: 'pointer',
  i64: 'long long',
  u64: 'unsigned long long',
  f32: 'float',
  f64: 'double',
};

export function hostFunctionNames({ base, target }: Inferior): string[] {
  if (base !== undefined) return [];
  return baseExportsOf(target.cpu.arch).flatMap(({ kind, name }) => (kind === 'function' ? [name] : []));
}

export function hostFunction({ base, target }: Inferior, wanted: string): DeclaredFunction | undefined {
  if (base !== undefined) return undefined;
  const found = baseExportsOf(target.cpu.arch).find(({ kind, name }) => kind === 'function' && name === wanted);
  if (found === undefined) return undefined;
  const { name, returnType, returns, parameters, variadic } = parseSignature(found.signature);
  return {
    name,
    address: BigInt(found.address),
    returns: { text: returnType, otherwise: passedAs[returns] },
    parameters: parameters.map(({ type, valueClass }) => ({ text: type, otherwise: passedAs[valueClass] })),
    variadic,
  };
}
