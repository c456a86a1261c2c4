/**
 * How gdb names a frame of C++: by the linkage name, whose template arguments are more exact than those of the debug information
 * (`Ring<int, 3u>`), without the parameters. Of what is declared in a function that has parameters, or in a lambda, gdb 13 cannot
 * take them off.
 */
import { stripType } from '../dwarf/model';
import type { FrameInfo } from '../dwarf/unwind';
import { demangle, demangledFunction } from './demangle';

const unwritable = /<lambda\(|\{lambda\(|\{unnamed type#|(?<!\(anonymous namespace)\)::/;

/** `parameters`: 'never', where somebody writes them himself. */
export function frameName(
  { name, linkageName, kind, function: called }: FrameInfo,
  parameters?: 'never',
): string | undefined {
  if (name === undefined) return undefined;
  // Clang's thunks.
  if (name === '') return linkageName === undefined ? undefined : demangle(linkageName);
  const full = linkageName === undefined ? undefined : demangledFunction(linkageName);
  const plain = full?.name ?? name;
  if (parameters === 'never' || !unwritable.test(plain)) return plain;
  if (full !== undefined) return full.name + full.parameters;
  if (linkageName !== undefined || kind === 'inline' || called === undefined) return name;
  const all = called.signature.parameters;
  const own = all.filter(({ artificial }) => !artificial);
  const first = all.length > own.length ? stripType(all[0].type) : undefined;
  const isConst = first?.kind === 'pointer' && first.target.kind === 'const';
  return `${name}(${own.map(({ type }) => type.displayName).join(', ')})${isConst ? ' const' : ''}`;
}
