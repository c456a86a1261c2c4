/** The variables of a frame's function and its blocks, each under a name of its own: C lets inner ones hide outer ones. */
import type { VariableInfo } from '../lib/dwarf/model';
import type { FrameInfo } from '../lib/dwarf/unwind';

/** A variable under the name that it has in the list. */
export interface ListedVariable {
  readonly name: string;
  readonly variable: VariableInfo;
  /** Undefined when no expression names it here: it is hidden by another of its name. */
  readonly evaluateName: string | undefined;
}

/** Arguments first, then the variables of the innermost block and of those around it. */
export function localsOf(frame: FrameInfo): ListedVariable[] {
  const own = frame.scopes.at(-1)?.variables.filter(({ isParameter }) => isParameter) ?? [];
  const others = frame.scopes.flatMap((scope) => scope.variables).filter((variable) => !own.includes(variable));
  return uniquelyNamed(withoutCopies([...own, ...others]), others);
}

/** GCC describes a variable of an inlined function twice, in the function and in a block of it that covers all of it. */
function withoutCopies(variables: readonly VariableInfo[]): VariableInfo[] {
  const seen = new Set<string>();
  return variables.filter(({ name, declaration }) => {
    if (declaration === undefined) return true;
    const key = `${name} ${declaration.file.path}:${declaration.line}:${declaration.column}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** `order`: innermost first, decides which variable of a name is meant by it. */
function uniquelyNamed(variables: readonly VariableInfo[], order: readonly VariableInfo[]): ListedVariable[] {
  const visible = new Map<string, VariableInfo>();
  for (const variable of [...order, ...variables]) {
    if (!visible.has(variable.name)) visible.set(variable.name, variable);
  }
  return variables.map((variable) => {
    if (visible.get(variable.name) === variable) {
      return { name: variable.name, variable, evaluateName: variable.name };
    }
    const line = variable.declaration?.line;
    const name = line === undefined ? `${variable.name} (hidden)` : `${variable.name} (line ${line})`;
    return { name, variable, evaluateName: undefined };
  });
}
