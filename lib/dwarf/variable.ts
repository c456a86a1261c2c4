/**
 * Variables and parameters (4.1): name, type and place of one entry, completed by its abstract origin or declaration.
 * An entry without location and without constant was optimized out.
 */
import { At, Tag } from './constants';
import type { Die } from './die';
import { locationOf } from './location-list';
import type { ExpressionBytes, LocationDescription, SourcePosition, Type, UnitInfo, VariableInfo } from './model';

export interface VariableContext {
  guard<T>(what: string, read: () => T, fallback: T): T;
  targetOf(die: Die): Type;
  positionOf(die: Die): SourcePosition | undefined;
  /** The definition of a variable that is only declared where it is used. */
  globalDefinition(name: string): Die | undefined;
}

/** A variable of file scope. */
export interface GlobalVariable extends VariableInfo {
  readonly unit: UnitInfo;
}

/** undefined: an entry without name is of no use to a reader of source code. */
export function readVariable(die: Die, context: VariableContext): VariableInfo | undefined {
  return context.guard(
    `variable at 0x${die.offset.toString(16)}`,
    () => {
      const name = die.holderOf(At.DW_AT_name)?.name;
      if (name === undefined) return undefined;
      const type = context.targetOf(die);
      const value = die.holderOf(At.DW_AT_const_value);
      const definition = definitionOf(die, name, context);
      return {
        name,
        type,
        isParameter: die.tag === Tag.DW_TAG_formal_parameter,
        artificial: die.holderOf(At.DW_AT_artificial) !== undefined,
        location: variableLocation(definition),
        constValue: value?.constantBytes(At.DW_AT_const_value, type.byteSize ?? 8),
        external: die.holderOf(At.DW_AT_external)?.flag(At.DW_AT_external) ?? false,
        declaration: context.positionOf(die),
      };
    },
    undefined,
  );
}

function definitionOf(die: Die, name: string, context: VariableContext): Die {
  const isDeclared = die.has(At.DW_AT_declaration) && !die.has(At.DW_AT_location);
  return (isDeclared ? context.globalDefinition(name) : undefined) ?? die;
}

/** DW_AT_location of the entry itself, or of its origin: a static variable of an inlined function has it there. */
export function variableLocation(die: Die): LocationDescription | undefined {
  const holder = die.holderOf(At.DW_AT_location);
  return holder && locationOf(holder, At.DW_AT_location);
}

export function expressionAt(die: Die, name: number): ExpressionBytes | undefined {
  const bytes = die.bytes(name);
  return bytes && { bytes, unit: die.unit };
}
