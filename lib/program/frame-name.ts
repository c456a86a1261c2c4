/**
 * How gdb names a frame of C++: by the linkage name, whose template arguments are more exact than those of the debug information
 * (`Ring<int, 3u>`), without the parameters. Of what is declared in a function that
 * has parameters, or in a lambda, gdb 13 cannot take them off.
 */
import { stripType } from '../dwarf/model';
import type { FrameInfo } from '../dwarf/unwind';
import { demangle, demangledFunction } from './demangle';

const unwritable = /<lambda\(|\{lambda\(|\{unnamed type#|(?<!\(anonymous namespace)\)::/;

export function frameName({ name, linkageName, kind, function: called }: FrameInfo): string | undefined {
  if (name === undefined) return undefined;
  // Clang's thunks.
  if (name === '') return linkageName === undefined ? undefined : demangle(linkageName);
  const full = linkageName === undefined ? undefined : demangledFunction(linkageName);
  if (full !== undefined) return unwritable.test(full.name) ? full.name + full.parameters : full.name;
  if (linkageName !== undefined || kind === 'inline' || called === undefined || !unwritable.test(name)) return name;
  const { parameters } = called.signature;
  const own = parameters.filter(({ artificial }) => !artificial);
  const first = parameters.length > own.length ? stripType(parameters[0].type) : undefined;
  const isConst = first?.kind === 'pointer' && first.target.kind === 'const';
  return `${name}(${own.map(({ type }) => type.displayName).join(', ')})${isConst ? ' const' : ''}`;
}
