/**
 * Classes of C++ that are not passed and returned as their bytes, but by the address of a copy that a constructor has made (Itanium C++
 * ABI 3.1.1: not trivial for the purposes of calls). Clang says so (DW_AT_calling_convention, 5.7.1); of GCC it follows from
 * what the class declares: a destructor or a copy constructor of its own, virtual methods or bases, or a member or base that is such a class.
 */
import { At, Tag } from './constants';
import type { Die } from './die';

const passByReference = 4;

/** A class cannot contain itself; a damaged file can. */
const deepest = 16;

/** `complete` gives the entry that has the members. */
export function isPassedByReference(die: Die, complete: (die: Die) => Die | undefined, depth = 0): boolean {
  const convention = die.number(At.DW_AT_calling_convention);
  if (convention !== undefined) return convention === passByReference;
  return die.children.some((child) => {
    if (child.number(At.DW_AT_virtuality) !== undefined && child.number(At.DW_AT_virtuality) !== 0) return true;
    if (child.tag === Tag.DW_TAG_subprogram) return isOwnCopy(child, die);
    if (child.tag !== Tag.DW_TAG_member && child.tag !== Tag.DW_TAG_inheritance) return false;
    if (child.flag(At.DW_AT_external) || child.flag(At.DW_AT_declaration) || depth === deepest) return false;
    const type = classOf(child);
    const definition = type && complete(type);
    return definition !== undefined && isPassedByReference(definition, complete, depth + 1);
  });
}

/** A destructor, or a constructor from a reference to the class; neither the compiler's, nor `= default`, nor `= delete`. */
function isOwnCopy(method: Die, owner: Die): boolean {
  if (method.flag(At.DW_AT_artificial) || method.has(At.DW_AT_defaulted) || method.flag(At.DW_AT_deleted)) return false;
  if (method.name?.startsWith('~') === true) return true;
  if (method.name === undefined || method.name !== owner.name) return false;
  const own = method.children.filter(
    (child) => child.tag === Tag.DW_TAG_formal_parameter && !child.flag(At.DW_AT_artificial),
  );
  const type = own.length === 1 ? own[0].reference(At.DW_AT_type) : undefined;
  const isReference = type?.tag === Tag.DW_TAG_reference_type || type?.tag === Tag.DW_TAG_rvalue_reference_type;
  return isReference && plain(type)?.offset === owner.offset;
}

/** The class that a member is of, or an array of. */
function classOf(member: Die): Die | undefined {
  let type = member.reference(At.DW_AT_type);
  for (let i = 0; i < deepest && type !== undefined; i++) {
    if (isClass(type)) return type;
    if (type.tag !== Tag.DW_TAG_array_type && !isNamed(type)) return undefined;
    type = type.reference(At.DW_AT_type);
  }
  return undefined;
}

/** What a reference refers to, without qualifiers and typedefs. */
function plain(reference: Die): Die | undefined {
  let type = reference.reference(At.DW_AT_type);
  for (let i = 0; i < deepest && type !== undefined && isNamed(type); i++) type = type.reference(At.DW_AT_type);
  return type;
}

const isNamed = ({ tag }: Die): boolean =>
  tag === Tag.DW_TAG_typedef || tag === Tag.DW_TAG_const_type || tag === Tag.DW_TAG_volatile_type;

const isClass = ({ tag }: Die): boolean =>
  tag === Tag.DW_TAG_structure_type || tag === Tag.DW_TAG_class_type || tag === Tag.DW_TAG_union_type;
