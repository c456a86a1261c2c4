/**
 * Types (chapter 5) as model.ts describes them. Chains of pointers, qualifiers, arrays and functions are read at once,
 * so that a circle among them is found here and becomes an unknown type; structs and unions are named first and read
 * their members on first use, because in C every legitimate circle goes through one of those.
 */
import { FormatError } from '../errors';
import { elementCount } from './array-bound';
import { canonicalBaseName } from './base-type-name';
import { isPassedByReference } from './copied-class';
import { At, Encoding, Tag, tagName } from './constants';
import type { Die } from './die';
import { linkageNameOf, vtableIndex } from './function';
import { isStaticMember, readMembers } from './member';
import { isCPlusPlus, qualifiedName } from './qualified-name';
import type {
  ArrayType,
  BaseType,
  Enumerator,
  EnumType,
  FunctionType,
  Member,
  MemberPointerType,
  PointerType,
  QualifiedType,
  SourcePosition,
  StaticMember,
  StructType,
  Type,
  UnknownType,
  VariableInfo,
  VirtualMethod,
  VoidType,
} from './model';
import { stripType } from './model';
import { spellType } from './type-name';

/** Derived types of derived types: more is a damaged file, or a program that no compiler accepts. */
const deepestChain = 128;

export interface TypeContext {
  guard<T>(what: string, read: () => T, fallback: T): T;
  positionOf(die: Die): SourcePosition | undefined;
  /** The complete entry with that tag and name anywhere in the program. */
  definitionOf(tag: number, name: string): Die | undefined;
  /** The variable that a declaration in a class is of. */
  staticMember(die: Die): VariableInfo | undefined;
}

export const voidType: VoidType = {
  kind: 'void',
  name: 'void',
  displayName: 'void',
  byteSize: undefined,
  declaration: undefined,
};

export function unknownType(reason: string, name?: string, byteSize?: number): UnknownType {
  return {
    kind: 'unknown',
    reason,
    name,
    displayName: name ?? '<unknown type>',
    byteSize,
    declaration: undefined,
  };
}

export class TypeReader {
  private readonly known = new Map<Die, Type>();
  private readonly inProgress = new Set<Die>();

  constructor(private readonly context: TypeContext) {}

  /** The type that `die` describes; never throws for bad data. */
  typeOf(die: Die): Type {
    const known = this.known.get(die);
    if (known !== undefined) return known;
    if (this.inProgress.has(die) || this.inProgress.size >= deepestChain) {
      return unknownType('the type refers to itself');
    }
    this.inProgress.add(die);
    const what = `type at 0x${die.offset.toString(16)}`;
    const type = this.context.guard<Type>(what, () => this.read(die), unknownType('its entry is damaged'));
    this.inProgress.delete(die);
    this.known.set(die, type);
    return type;
  }

  /** DW_AT_type of any entry (or of what it completes); void when there is none. */
  targetOf(die: Die): Type {
    const what = `type of the entry at 0x${die.offset.toString(16)}`;
    const read = (): Type => {
      const target = die.holderOf(At.DW_AT_type)?.reference(At.DW_AT_type);
      if (target === undefined) return voidType;
      // Each copy of a function that is inlined has a length of its own for a variable-length array.
      const isOfCopy = target.tag === Tag.DW_TAG_array_type && die.has(At.DW_AT_abstract_origin);
      return isOfCopy ? this.arrayType(target, die) : this.typeOf(target);
    };
    return this.context.guard(what, read, unknownType('the reference to it is damaged'));
  }

  private read(die: Die): Type {
    // In C a type unit has everything of the type, and what refers to it not even the name.
    const unit = die.has(At.DW_AT_signature) && !die.has(At.DW_AT_name) ? die.reference(At.DW_AT_signature) : undefined;
    if (unit !== undefined) return this.typeOf(unit);
    switch (die.tag) {
      case Tag.DW_TAG_base_type:
        return this.baseType(die);
      case Tag.DW_TAG_unspecified_type:
        return { ...voidType, name: die.name, displayName: die.name ?? 'void' };
      case Tag.DW_TAG_pointer_type:
      case Tag.DW_TAG_reference_type:
      case Tag.DW_TAG_rvalue_reference_type:
        return this.pointerType(die);
      case Tag.DW_TAG_ptr_to_member_type:
        return this.memberPointerType(die);
      case Tag.DW_TAG_typedef:
      case Tag.DW_TAG_template_alias:
      case Tag.DW_TAG_const_type:
      case Tag.DW_TAG_volatile_type:
      case Tag.DW_TAG_restrict_type:
      case Tag.DW_TAG_atomic_type:
      case Tag.DW_TAG_immutable_type:
        return this.qualifiedType(die);
      case Tag.DW_TAG_structure_type:
      case Tag.DW_TAG_union_type:
      case Tag.DW_TAG_class_type:
      case Tag.DW_TAG_interface_type:
        return this.structType(die);
      case Tag.DW_TAG_enumeration_type:
        return this.enumType(die);
      case Tag.DW_TAG_array_type:
        return this.arrayType(die);
      case Tag.DW_TAG_subroutine_type:
      case Tag.DW_TAG_subprogram:
        return this.functionType(die);
      case Tag.DW_TAG_subrange_type:
        return this.targetOf(die);
      default:
        return unknownType(`${tagName(die.tag)} is not known`, die.name, die.number(At.DW_AT_byte_size));
    }
  }

  /** The size may be given in bits instead of bytes (5.1). */
  private baseType(die: Die): BaseType {
    const { name } = die;
    const bits = die.number(At.DW_AT_bit_size);
    return {
      kind: 'base',
      name,
      displayName: name === undefined ? '<unnamed>' : canonicalBaseName(name),
      byteSize: die.number(At.DW_AT_byte_size) ?? (bits === undefined ? undefined : Math.ceil(bits / 8)),
      encoding: die.number(At.DW_AT_encoding) ?? Encoding.DW_ATE_unsigned,
      declaration: undefined,
    };
  }

  private pointerType(die: Die): PointerType {
    const kinds = {
      [Tag.DW_TAG_pointer_type]: 'pointer',
      [Tag.DW_TAG_reference_type]: 'reference',
      [Tag.DW_TAG_rvalue_reference_type]: 'rvalue-reference',
    } as const;
    return withDisplayName({
      kind: kinds[die.tag as keyof typeof kinds],
      name: undefined,
      byteSize: die.number(At.DW_AT_byte_size) ?? die.unit.addressSize,
      declaration: undefined,
      target: this.targetOf(die),
    });
  }

  /** Itanium C++ ABI 2.3: an offset, or for functions an address and an adjustment. */
  private memberPointerType(die: Die): MemberPointerType {
    const target = this.targetOf(die);
    const containing = die.reference(At.DW_AT_containing_type);
    const words = stripType(target).kind === 'function' ? 2 : 1;
    return withDisplayName({
      kind: 'member-pointer',
      name: undefined,
      byteSize: die.number(At.DW_AT_byte_size) ?? words * die.unit.addressSize,
      declaration: undefined,
      target,
      containing: containing === undefined ? voidType : this.typeOf(containing),
    });
  }

  private qualifiedType(die: Die): QualifiedType {
    const kinds: Readonly<Record<number, QualifiedType['kind']>> = {
      [Tag.DW_TAG_typedef]: 'typedef',
      [Tag.DW_TAG_template_alias]: 'typedef',
      [Tag.DW_TAG_const_type]: 'const',
      [Tag.DW_TAG_immutable_type]: 'const',
      [Tag.DW_TAG_volatile_type]: 'volatile',
      [Tag.DW_TAG_restrict_type]: 'restrict',
      [Tag.DW_TAG_atomic_type]: 'atomic',
    };
    const target = this.targetOf(die);
    return withDisplayName({
      kind: kinds[die.tag],
      name: die.tag === Tag.DW_TAG_typedef || die.tag === Tag.DW_TAG_template_alias ? qualifiedName(die) : die.name,
      // A declared struct gets its size when its definition is found, that is later than here.
      get byteSize(): number | undefined {
        return target.byteSize;
      },
      declaration: this.context.positionOf(die),
      target,
    });
  }

  /** Everything but the name waits: a program declares far more structs than a user looks into. */
  private structType(die: Die): StructType {
    const kind = structKind(die.tag);
    const name = qualifiedName(die);
    // C++ names types without the keyword.
    const keyword = isCPlusPlus(die.unit) && name !== undefined ? '' : `${kind} `;
    const { context } = this;
    const definition = lazy(() => this.definition(die));
    const members = lazy((): readonly Member[] => {
      const complete = definition();
      return complete === undefined ? [] : this.members(complete);
    });
    const statics = lazy((): readonly StaticMember[] => this.staticMembers(definition()));
    const methods = lazy((): readonly VirtualMethod[] => this.virtualMethods(definition()));
    const size = lazy(() =>
      context.guard(`struct ${name ?? ''}`, () => definition()?.number(At.DW_AT_byte_size), undefined),
    );
    const position = lazy(() => context.positionOf(definition() ?? die));
    const byReference = lazy(() => {
      const complete = definition();
      const found = (): boolean =>
        complete !== undefined && isPassedByReference(complete, (inner) => this.definition(inner));
      return context.guard(`struct ${name ?? ''}`, found, false);
    });
    return {
      kind,
      name,
      displayName: `${keyword}${name ?? '{...}'}`,
      get byteSize(): number | undefined {
        return size();
      },
      get declaration(): SourcePosition | undefined {
        return position();
      },
      get members(): readonly Member[] {
        return members();
      },
      get staticMembers(): readonly StaticMember[] {
        return statics();
      },
      get virtualMethods(): readonly VirtualMethod[] {
        return methods();
      },
      get incomplete(): boolean {
        return definition() === undefined;
      },
      get passedByReference(): boolean {
        return byReference();
      },
    };
  }

  /** The entry that has the members: itself, the one its signature names, or one of that name in another unit. */
  private definition(die: Die): Die | undefined {
    const find = (): Die | undefined => {
      if (die.has(At.DW_AT_signature)) return die.reference(At.DW_AT_signature);
      if (!die.flag(At.DW_AT_declaration)) return die;
      const name = qualifiedName(die);
      return name === undefined ? undefined : this.context.definitionOf(die.tag, name);
    };
    return this.context.guard(`definition of the entry at 0x${die.offset.toString(16)}`, find, undefined);
  }

  private members(die: Die): readonly Member[] {
    const read = (child: Die): Member[] => this.context.guard('member', () => this.memberOf(child, die), []);
    return die.children.flatMap(read);
  }

  /** Among the members, in the order of their declarations. */
  private staticMembers(die: Die | undefined): readonly StaticMember[] {
    if (die === undefined || !isCPlusPlus(die.unit)) return [];
    let position = 0;
    return die.children.flatMap((child): StaticMember[] => {
      if (!isStaticMember(child)) {
        if (child.tag === Tag.DW_TAG_member || child.tag === Tag.DW_TAG_inheritance) position++;
        return [];
      }
      const variable = this.context.staticMember(child);
      return variable === undefined ? [] : [{ position, variable }];
    });
  }

  private virtualMethods(die: Die | undefined): readonly VirtualMethod[] {
    const read = (child: Die): VirtualMethod[] => {
      const element = child.bytes(At.DW_AT_vtable_elem_location);
      const index = element && vtableIndex(element);
      const name = linkageNameOf(child) ?? qualifiedName(child);
      return index === undefined || name === undefined ? [] : [{ index, name }];
    };
    return (die?.children ?? []).flatMap((child) => this.context.guard('virtual method', () => read(child), []));
  }

  private memberOf(child: Die, parent: Die): Member[] {
    const type = this.targetOf(child);
    const members = readMembers(child, type, (die) => this.context.positionOf(die));
    // A damaged reference could make a struct its own member, which no reader of values would survive.
    return this.contains(type, this.typeOf(parent), 0)
      ? members.map((member) => ({ ...member, type: unknownType('the struct contains itself', undefined, 0) }))
      : members;
  }

  /** Whether a value of `type` holds one of `wanted`; too deep to tell counts as yes. */
  private contains(type: Type, wanted: Type, depth: number): boolean {
    if (depth > deepestChain) return true;
    const inner = stripType(type);
    if (inner === wanted) return true;
    if (inner.kind === 'array') return this.contains(inner.element, wanted, depth + 1);
    if (inner.kind !== 'struct' && inner.kind !== 'union' && inner.kind !== 'class') return false;
    if (this.containing.has(inner)) return false;
    this.containing.add(inner);
    const found = inner.members.some((member) => this.contains(member.type, wanted, depth + 1));
    this.containing.delete(inner);
    return found;
  }

  private readonly containing = new Set<Type>();

  /** The underlying type has the sign; without one (DWARF 2) a negative value tells. */
  private enumType(die: Die): EnumType {
    const enumerators: Enumerator[] = [];
    for (const child of die.children) {
      if (child.tag !== Tag.DW_TAG_enumerator) continue;
      const value = child.constant(At.DW_AT_const_value);
      // gdb shows enumerators of C++ with their scope.
      const shown = qualifiedName(child);
      if (shown !== undefined && value !== undefined) enumerators.push({ name: shown, value });
    }
    const underlying = die.has(At.DW_AT_type) ? stripType(this.targetOf(die)) : undefined;
    const name = qualifiedName(die);
    const keyword = isCPlusPlus(die.unit) && name !== undefined ? '' : 'enum ';
    return {
      kind: 'enum',
      name,
      displayName: `${keyword}${name ?? '{...}'}`,
      byteSize: die.number(At.DW_AT_byte_size) ?? underlying?.byteSize,
      declaration: this.context.positionOf(die),
      enumerators,
      signed: enumerators.some(({ value }) => value < 0n) || (underlying?.kind === 'base' && isSigned(underlying)),
    };
  }

  /** Dimensions are children in the order of the source, and nest from the right. */
  private arrayType(die: Die, user?: Die): ArrayType {
    const dimensions = die.children.filter(
      (child) => child.tag === Tag.DW_TAG_subrange_type || child.tag === Tag.DW_TAG_enumeration_type,
    );
    if (dimensions.length > deepestChain) throw new FormatError('too-deep', die.unit.section, die.offset);
    const counts = dimensions.map((dimension) => elementCount(dimension, user));
    if (counts.length === 0) counts.push(undefined);
    let element = this.targetOf(die);
    let array: ArrayType | undefined;
    for (const count of counts.reverse()) {
      array = makeArray(element, count, die.flag(At.DW_AT_GNU_vector));
      element = array;
    }
    if (array === undefined) throw new FormatError('bad-size', die.unit.section, die.offset);
    return array;
  }

  private functionType(die: Die): FunctionType {
    const parameters = die.children.filter((child) => child.tag === Tag.DW_TAG_formal_parameter);
    return withDisplayName({
      kind: 'function',
      name: undefined,
      byteSize: undefined,
      declaration: undefined,
      returnType: this.targetOf(die),
      parameters: parameters.map((parameter) => this.parameterOf(parameter)),
      variadic: die.children.some((child) => child.tag === Tag.DW_TAG_unspecified_parameters),
      prototyped: die.flag(At.DW_AT_prototyped),
    });
  }

  /** `this` cannot be changed, which producers leave out where a class declares its methods (gdb does so for GCC PR 43053). */
  private parameterOf(parameter: Die): Type {
    const type = this.targetOf(parameter);
    const isThis = isCPlusPlus(parameter.unit) && parameter.flag(At.DW_AT_artificial) && type.kind === 'pointer';
    if (!isThis) return type;
    const { byteSize } = type;
    return withDisplayName({ kind: 'const', name: undefined, byteSize, declaration: undefined, target: type });
  }
}

function structKind(tag: number): StructType['kind'] {
  if (tag === Tag.DW_TAG_union_type) return 'union';
  return tag === Tag.DW_TAG_class_type ? 'class' : 'struct';
}

function isSigned(type: BaseType): boolean {
  return type.encoding === Encoding.DW_ATE_signed || type.encoding === Encoding.DW_ATE_signed_char;
}

/** An array that no entry describes: `a@n` of expressions, and the inner dimensions of a multi-dimensional one. */
export function makeArray(element: Type, count: ArrayType['count'], isVector = false): ArrayType {
  return withDisplayName({
    kind: 'array',
    name: undefined,
    get byteSize(): number | undefined {
      return typeof count === 'number' && element.byteSize !== undefined ? count * element.byteSize : undefined;
    },
    declaration: undefined,
    element,
    count,
    ...(isVector ? { isVector } : {}),
  });
}

/** A pointer that no entry describes, as `&x` makes one. */
export function makePointer(target: Type, byteSize: number): PointerType {
  return withDisplayName({ kind: 'pointer', name: undefined, byteSize, declaration: undefined, target });
}

/** Adds displayName, spelled on first use: most types of a program are never shown. */
function withDisplayName<T extends object>(type: T): T & { readonly displayName: string } {
  const spelled = type as T & Type & { readonly displayName: string };
  const text = lazy(() => (spelled.kind === 'typedef' ? (spelled.name ?? '<unnamed>') : spellType(spelled)));
  Object.defineProperty(spelled, 'displayName', { get: text, enumerable: true });
  return spelled;
}

function lazy<T>(compute: () => T): () => T {
  let value: { readonly result: T } | undefined;
  return () => (value ??= { result: compute() }).result;
}
