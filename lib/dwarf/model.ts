/**
 * What debug information says, as plain values: types, functions, scopes, variables, lines.
 * All addresses here are link addresses: those of the debug information after its own relocation
 * (for ET_REL each allocated section has a link base, given by program/). A loaded instance translates
 * link <-> load addresses per section, so that one parse serves every load.
 * Names are DWARF 5's; section numbers refer to the DWARF 5 standard.
 */

/** start <= address < end. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** A position in a source file. `file` is the index into the unit's files resolved to a full path. */
export interface SourcePosition {
  readonly file: SourceFile;
  readonly line: number;
  /** 1-based; 0 = unknown. */
  readonly column: number;
}

/** A file of a line table (6.2.4). One object per distinct path of one program: compare by identity. */
export interface SourceFile {
  /** As the compiler wrote it: directory and name joined, relative ones not resolved. */
  readonly path: string;
  /** DW_AT_comp_dir of the unit, if any. */
  readonly compilationDirectory: string | undefined;
  readonly md5: string | undefined;
}

/** One row of a line table (6.2.2), within a sequence. */
export interface LineRow {
  readonly address: bigint;
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
  readonly prologueEnd: boolean;
  readonly endSequence: boolean;
}

// ---- types (chapter 5) ----

interface TypeCommon {
  /** Spelled as in C: 'unsigned int', 'struct point', 'point_t', 'int (*)(int, int)', 'short [3]'. */
  readonly displayName: string;
  /** DW_AT_name alone; undefined for anonymous and derived types. */
  readonly name: string | undefined;
  /** sizeof in bytes; undefined for incomplete, function and void types and variable-length arrays. */
  readonly byteSize: number | undefined;
  readonly declaration: SourcePosition | undefined;
}

export interface BaseType extends TypeCommon {
  readonly kind: 'base';
  /** DW_ATE_* */
  readonly encoding: number;
}

export interface PointerType extends TypeCommon {
  readonly kind: 'pointer' | 'reference' | 'rvalue-reference';
  readonly target: Type;
}

/** const, volatile, restrict, _Atomic, and typedefs: another name or qualifier for `target`. */
export interface QualifiedType extends TypeCommon {
  readonly kind: 'typedef' | 'const' | 'volatile' | 'restrict' | 'atomic';
  readonly target: Type;
}

export interface Member {
  /** undefined for an anonymous struct or union member. */
  readonly name: string | undefined;
  readonly type: Type;
  /** From the start of the containing type, in bytes. For a bit-field: of its storage, see bitOffset. */
  readonly byteOffset: number;
  /** Bit-field: size in bits, and offset in bits from the start of the containing type in memory order
   * (DW_AT_data_bit_offset; the older DW_AT_bit_offset is converted). */
  readonly bitSize: number | undefined;
  readonly bitOffset: number | undefined;
  readonly declaration: SourcePosition | undefined;
  /** A base class of C++, which has no name as a member. */
  readonly isBase?: boolean;
  /** A virtual base: makes its address from that of the object, which it finds the way in (5.7.3). */
  readonly baseAddress?: ExpressionBytes;
}

/** What a class of C++ has once for all objects (5.7.7). */
export interface StaticMember {
  /** How many members are declared before it. */
  readonly position: number;
  /** `name` is that of the member alone. */
  readonly variable: VariableInfo;
}

/** A virtual method as a class declares it. */
export interface VirtualMethod {
  /** In the class's table. */
  readonly index: number;
  /** Its linkage name, without one that of the source. */
  readonly name: string;
}

export interface StructType extends TypeCommon {
  readonly kind: 'struct' | 'union' | 'class';
  readonly members: readonly Member[];
  readonly staticMembers: readonly StaticMember[];
  readonly virtualMethods: readonly VirtualMethod[];
  /** Only declared here, nowhere defined in this program. */
  readonly incomplete: boolean;
  /** A C++ class that functions get and return by the address of a copy, which its constructor has made. */
  readonly passedByReference: boolean;
}

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface EnumType extends TypeCommon {
  readonly kind: 'enum';
  readonly enumerators: readonly Enumerator[];
  readonly signed: boolean;
}

export interface ArrayType extends TypeCommon {
  readonly kind: 'array';
  readonly element: Type;
  /** One array type a dimension: `int a[2][3]` is an array of 2 of an array of 3. undefined: unknown or flexible;
   * an expression for a variable-length array. */
  readonly count: number | LocationDescription | undefined;
  /** DW_AT_GNU_vector: passed and returned otherwise than an array in a structure. */
  readonly isVector?: true;
}

/** `int Class::*` and `int (Class::*)(int)` of C++ (5.14). */
export interface MemberPointerType extends TypeCommon {
  readonly kind: 'member-pointer';
  readonly target: Type;
  readonly containing: Type;
}

export interface FunctionType extends TypeCommon {
  readonly kind: 'function';
  readonly returnType: Type;
  readonly parameters: readonly Type[];
  readonly variadic: boolean;
  readonly prototyped: boolean;
}

export interface VoidType extends TypeCommon {
  readonly kind: 'void';
}

/** A type that could not be read, or that this version does not know: `reason` says why. Its values are bytes. */
export interface UnknownType extends TypeCommon {
  readonly kind: 'unknown';
  readonly reason: string;
}

export type Type =
  | BaseType
  | PointerType
  | MemberPointerType
  | QualifiedType
  | StructType
  | EnumType
  | ArrayType
  | FunctionType
  | VoidType
  | UnknownType;

const qualifiedKinds: ReadonlySet<Type['kind']> = new Set(['typedef', 'const', 'volatile', 'restrict', 'atomic']);

export function isQualified(type: Type): type is QualifiedType {
  return qualifiedKinds.has(type.kind);
}

/** The type behind typedefs and qualifiers. */
export function stripType(type: Type): Exclude<Type, QualifiedType> {
  let stripped = type;
  while (isQualified(stripped)) stripped = stripped.target;
  return stripped;
}

// ---- locations (2.6) ----

/** A DWARF expression, with what is needed to evaluate it. */
export interface ExpressionBytes {
  readonly bytes: Uint8Array;
  readonly unit: ExpressionUnit;
}

/** The parts of a unit that an expression depends on. */
export interface ExpressionUnit {
  readonly addressSize: 4 | 8;
  readonly littleEndian: boolean;
  readonly version: number;
  /** DW_OP_addrx, DW_OP_constx (DWARF 5 2.5.1.1). Link address. */
  addressAt(index: number): bigint;
  /** The base type DIE at a unit-relative offset (typed stack operators). */
  typeAt(unitOffset: number): Type;
  /** DW_OP_call2/4, DW_OP_implicit_pointer: the location of the DIE at an offset in .debug_info. */
  locationOf(infoOffset: number): LocationDescription | undefined;
}

export type LocationDescription =
  | { readonly kind: 'expression'; readonly expression: ExpressionBytes }
  /** Entries in order; the first that holds the pc is used; `default` where none does (DW_LLE_default_location). */
  | {
      readonly kind: 'list';
      readonly entries: readonly { readonly range: AddressRange; readonly expression: ExpressionBytes }[];
      readonly default: ExpressionBytes | undefined;
    };

export interface VariableInfo {
  readonly name: string;
  readonly type: Type;
  readonly isParameter: boolean;
  /** DW_AT_artificial. */
  readonly artificial: boolean;
  /** undefined together with constValue undefined: optimized out. */
  readonly location: LocationDescription | undefined;
  /** DW_AT_const_value, as the bytes of the value (little or big endian as the target), at least the type's size. */
  readonly constValue: Uint8Array | undefined;
  readonly external: boolean;
  readonly declaration: SourcePosition | undefined;
}

// ---- functions and scopes (3.3, 3.4, 3.5) ----

/** A call site that was expanded inline (DW_TAG_inlined_subroutine). */
export interface InlineInfo {
  /** Name of the inlined function. */
  readonly name: string;
  readonly linkageName: string | undefined;
  readonly declaration: SourcePosition | undefined;
  /** Where it was called from. */
  readonly call: SourcePosition | undefined;
  /** DW_AT_entry_pc, or the lowest address of its ranges. */
  readonly entryPc: bigint | undefined;
}

/** A lexical scope: a function's body, a block, or an inlined call. */
export interface Scope {
  readonly kind: 'function' | 'block' | 'inlined';
  readonly ranges: readonly AddressRange[];
  /** In order of declaration: parameters and variables. */
  readonly variables: readonly VariableInfo[];
  /** Whether there are any, without reading them. */
  readonly declaresVariables: boolean;
  readonly children: readonly Scope[];
  readonly inline: InlineInfo | undefined;
}

/** DW_TAG_call_site (3.4): where a function calls another, and what its parameters held. */
export interface CallSite {
  /** DW_AT_call_return_pc: the address after the call; undefined for some tail calls. */
  readonly returnPc: bigint | undefined;
  readonly tailCall: boolean;
  /** Link address of the called function's entry, or its name; undefined for an indirect call. */
  readonly target: FunctionInfo | string | undefined;
  /** DW_AT_call_target of an indirect call: the called address, evaluated in the calling frame. */
  readonly targetExpression?: ExpressionBytes;
  readonly parameters: readonly CallSiteParameter[];
}

/** DW_TAG_call_site_parameter: what an argument held when the call was made, evaluated in the calling frame. */
export interface CallSiteParameter {
  /** DW_AT_location: the register (or memory) that passes it. */
  readonly location: ExpressionBytes | undefined;
  /** DW_AT_call_value. */
  readonly value: ExpressionBytes;
  /** DW_AT_call_data_value: what the passed pointer pointed to. */
  readonly dataValue?: ExpressionBytes;
  /** DW_AT_call_parameter: the parameter's DIE as DW_OP_GNU_parameter_ref names it (unit-relative). */
  readonly parameterOffset?: number;
}

/** How a function is declared, whatever the compiler made of it. */
export interface FunctionSignature {
  readonly parameters: readonly { readonly type: Type; readonly artificial: boolean }[];
  readonly variadic: boolean;
  /** Of a virtual method: its index in the table of its class (DW_AT_vtable_elem_location). */
  readonly vtableIndex: number | undefined;
}

/** A function with code of its own. */
export interface FunctionInfo {
  /** In C++ with its namespaces and classes: `ns::Class::method`. */
  readonly name: string;
  /** Without them. */
  readonly shortName: string;
  readonly linkageName: string | undefined;
  readonly ranges: readonly AddressRange[];
  /** Address of its first instruction. */
  readonly entryPc: bigint;
  readonly frameBase: LocationDescription | undefined;
  readonly returnType: Type;
  readonly signature: FunctionSignature;
  readonly external: boolean;
  readonly declaration: SourcePosition | undefined;
  readonly scope: Scope;
  readonly callSites: readonly CallSite[];
  readonly unit: UnitInfo;
}

/** What is known of a compilation unit without reading all of it (3.1.1). */
export interface UnitInfo {
  readonly name: string | undefined;
  readonly compilationDirectory: string | undefined;
  readonly producer: string | undefined;
  /** DW_LANG_* */
  readonly language: number | undefined;
  readonly version: number;
  /** What several units have in common (3.1.1): nothing of it is executed. */
  readonly isPartial?: boolean;
}

// ---- call-frame information (6.4) ----

/** How to compute the canonical frame address. */
export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: bigint }
  | { readonly kind: 'expression'; readonly expression: ExpressionBytes };

/** How to recover one register of the calling frame (6.4.1); offsets are from the CFA. */
export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same-value' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'val-offset'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'expression'; readonly expression: ExpressionBytes }
  | { readonly kind: 'val-expression'; readonly expression: ExpressionBytes };

/** The row of the call-frame table that holds for `range`. A register without a rule: the ABI's default. */
export interface CfiRow {
  readonly range: AddressRange;
  /** What the whole FDE covers. */
  readonly functionRange: AddressRange;
  /** undefined: the FDE sets no CFA before this row. */
  readonly cfa: CfaRule | undefined;
  readonly registers: ReadonlyMap<number, RegisterRule>;
  readonly returnAddressRegister: number;
  /** Augmentation 'S': the frame was interrupted, its pc is not a return address. */
  readonly signalFrame: boolean;
}
