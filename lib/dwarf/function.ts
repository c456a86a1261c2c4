/**
 * Functions with code (3.3), their scopes (3.5), inlined calls (3.3.8) and call sites (3.4).
 * A concrete instance leaves out what its abstract origin says; what of the origin it does not mention at all was
 * optimized out and is appended, so that a reader sees every variable of the source. A block without addresses has
 * no scope of its own: its variables count to the one around it.
 */
import { At, Tag } from './constants';
import { DW_OP } from './expression-opcodes';
import type { Die } from './die';
import { locationOf } from './location-list';
import type {
  AddressRange,
  CallSite,
  CallSiteParameter,
  FunctionInfo,
  FunctionSignature,
  InlineInfo,
  LocationDescription,
  Scope,
  SourcePosition,
  Type,
  UnitInfo,
  VariableInfo,
} from './model';
import { qualifiedName } from './qualified-name';
import { contains, rangesOf } from './ranges';
import { expressionAt, readVariable, type VariableContext } from './variable';

export interface FunctionContext extends VariableContext {
  /** The function whose entry that is, if it has code. */
  functionOf(die: Die): FunctionInfo | undefined;
  /** A position from call_file, call_line and call_column, or the decl_ ones. */
  positionFrom(die: Die, file: number, line: number, column: number): SourcePosition | undefined;
}

/** Deeper nesting than this is a damaged file. */
const deepestScope = 200;

/** A function whose parts are read when asked for. */
export class Subprogram implements FunctionInfo {
  readonly name: string;
  readonly shortName: string;
  readonly linkageName: string | undefined;
  readonly entryPc: bigint;
  readonly external: boolean;
  private lazyScope: Scope | undefined;
  private lazyCallSites: readonly CallSite[] | undefined;
  private lazyFrameBase: { readonly location: LocationDescription | undefined } | undefined;

  constructor(
    readonly die: Die,
    readonly ranges: readonly AddressRange[],
    private readonly context: FunctionContext,
  ) {
    this.name = qualifiedName(die) ?? '';
    this.shortName = die.holderOf(At.DW_AT_name)?.name ?? '';
    this.linkageName = linkageNameOf(die);
    this.external = die.holderOf(At.DW_AT_external)?.flag(At.DW_AT_external) ?? false;
    this.entryPc = ranges[0].start;
  }

  get unit(): UnitInfo {
    return this.die.unit;
  }

  get returnType(): Type {
    return this.context.targetOf(this.die);
  }

  get signature(): FunctionSignature {
    const none: FunctionSignature = { parameters: [], variadic: false, vtableIndex: undefined };
    return this.context.guard(`parameters of ${this.name}`, () => readSignature(this.die, this.context), none);
  }

  get declaration(): SourcePosition | undefined {
    return this.context.positionOf(this.die);
  }

  get frameBase(): LocationDescription | undefined {
    const read = (): LocationDescription | undefined => {
      const holder = this.die.holderOf(At.DW_AT_frame_base);
      return holder && locationOf(holder, At.DW_AT_frame_base);
    };
    this.lazyFrameBase ??= { location: this.context.guard(`frame base of ${this.name}`, read, undefined) };
    return this.lazyFrameBase.location;
  }

  get scope(): Scope {
    this.lazyScope ??= readScope(this.die, 'function', this.ranges, this.context, 0);
    return this.lazyScope;
  }

  get callSites(): readonly CallSite[] {
    this.lazyCallSites ??= readCallSites(this.die, this.context);
    return this.lazyCallSites;
  }
}

/** The abstract instance has the parameters in the order of the source, also those that are gone from the code. */
function readSignature(die: Die, context: FunctionContext): FunctionSignature {
  const { children: entries } = die.reference(At.DW_AT_abstract_origin) ?? die;
  // GCC puts the parameters that a pack has become below it.
  const children = entries.flatMap((one) => (one.tag === Tag.DW_TAG_GNU_formal_parameter_pack ? one.children : one));
  const element = die.holderOf(At.DW_AT_vtable_elem_location)?.bytes(At.DW_AT_vtable_elem_location);
  return {
    parameters: children
      .filter(({ tag }) => tag === Tag.DW_TAG_formal_parameter)
      .map((child) => ({
        type: context.targetOf(child),
        artificial: child.holderOf(At.DW_AT_artificial)?.flag(At.DW_AT_artificial) ?? false,
      })),
    variadic: children.some(({ tag }) => tag === Tag.DW_TAG_unspecified_parameters),
    vtableIndex: element && vtableIndex(element),
  };
}

/** DW_OP_constu or DW_OP_lit<n>, which is all that compilers write. */
export function vtableIndex(expression: Uint8Array): number | undefined {
  const [opcode, ...operand] = expression;
  if (opcode >= DW_OP.lit0 && opcode < DW_OP.lit0 + 32) return opcode - DW_OP.lit0;
  if (opcode === DW_OP.constu) return operand.reduceRight((value, byte) => value * 128 + (byte & 127), 0);
  return undefined;
}

export function linkageNameOf(die: Die): string | undefined {
  const holder = die.holderOf(At.DW_AT_linkage_name) ?? die.holderOf(At.DW_AT_MIPS_linkage_name);
  return holder?.string(At.DW_AT_linkage_name) ?? holder?.string(At.DW_AT_MIPS_linkage_name);
}

/** The scopes that hold pc, innermost first. Of siblings that overlap the first one is it. */
export function scopesAt(scope: Scope, pc: bigint): Scope[] {
  const path: Scope[] = [scope];
  for (let inner: Scope | undefined = scope; inner !== undefined;) {
    inner = inner.children.find((child) => contains(child.ranges, pc));
    if (inner !== undefined) path.unshift(inner);
  }
  return path;
}

function readScope(
  die: Die,
  kind: Scope['kind'],
  ranges: readonly AddressRange[],
  context: FunctionContext,
  depth: number,
): Scope {
  const inline = kind === 'inlined' ? readInline(die, ranges, context) : undefined;
  const scope = new EntryScope(kind, ranges, inline, context);
  context.guard(`scope at 0x${die.offset.toString(16)}`, () => fillScope(scope, die, context, depth), undefined);
  return scope;
}

/** Its variables are read when somebody asks: most scopes are only looked at for where they are. */
class EntryScope implements Scope {
  readonly children: Scope[] = [];
  readonly declarations: Die[] = [];
  private lazyVariables: readonly VariableInfo[] | undefined;

  constructor(
    readonly kind: Scope['kind'],
    readonly ranges: readonly AddressRange[],
    readonly inline: InlineInfo | undefined,
    private readonly context: FunctionContext,
  ) {}

  /** One without a name is of no use to a reader of source code. */
  get declaresVariables(): boolean {
    const isNamed = (die: Die): boolean => die.holderOf(At.DW_AT_name) !== undefined;
    return this.declarations.some((die) => this.context.guard('name of a variable', () => isNamed(die), false));
  }

  get variables(): readonly VariableInfo[] {
    this.lazyVariables ??= this.declarations.flatMap((die) => readVariable(die, this.context) ?? []);
    return this.lazyVariables;
  }
}

function fillScope(scope: EntryScope, die: Die, context: FunctionContext, depth: number): void {
  for (const child of die.children) addChild(scope, child, context, depth);
  for (const child of missingOfOrigin(die)) addChild(scope, child, context, depth);
}

function addChild(scope: EntryScope, child: Die, context: FunctionContext, depth: number): void {
  switch (child.tag) {
    case Tag.DW_TAG_formal_parameter:
    case Tag.DW_TAG_variable:
      scope.declarations.push(child);
      break;
    case Tag.DW_TAG_lexical_block:
    case Tag.DW_TAG_inlined_subroutine: {
      if (depth >= deepestScope) break;
      const what = `ranges of the entry at 0x${child.offset.toString(16)}`;
      const ranges = context.guard(what, () => rangesOf(child), []);
      const isBlock = child.tag === Tag.DW_TAG_lexical_block;
      if (ranges.length > 0) {
        scope.children.push(readScope(child, isBlock ? 'block' : 'inlined', ranges, context, depth + 1));
      } else if (isBlock && !child.has(At.DW_AT_low_pc) && !child.has(At.DW_AT_ranges)) {
        fillScope(scope, child, context, depth + 1);
      }
      break;
    }
  }
}

/**
 * Children of the abstract origin that no child of the concrete entry comes from. Only direct children count, as in
 * gdb: a variable that the compiler moved into a block of its own is listed twice, where the block does not reach
 * as optimized out. Clang's blocks do not say which block of the origin they are: it is the one at their place.
 */
function missingOfOrigin(die: Die): readonly Die[] {
  const origin = die.reference(At.DW_AT_abstract_origin);
  if (origin === undefined) return [];
  const mentioned = new Set<Die>();
  const instances = die.children.filter(({ tag }) => tag !== Tag.DW_TAG_call_site && tag !== Tag.DW_TAG_GNU_call_site);
  instances.forEach((child, place) => {
    for (const step of child.origins()) mentioned.add(step);
    const counterpart = origin.children.at(place);
    const isBlock = child.tag === Tag.DW_TAG_lexical_block && counterpart?.tag === child.tag;
    if (isBlock && !child.has(At.DW_AT_abstract_origin)) mentioned.add(counterpart);
  });
  return origin.children.filter((child) => !mentioned.has(child) && child.tag !== Tag.DW_TAG_inlined_subroutine);
}

function readInline(die: Die, ranges: readonly AddressRange[], context: FunctionContext): InlineInfo {
  const read = (): InlineInfo => {
    const entry = die.attribute(At.DW_AT_entry_pc);
    const offset = die.constant(At.DW_AT_entry_pc);
    const lowest = ranges.reduce((low, range) => (range.start < low ? range.start : low), ranges[0].start);
    return {
      name: qualifiedName(die) ?? '',
      linkageName: linkageNameOf(die),
      declaration: context.positionOf(die),
      call: context.positionFrom(die, At.DW_AT_call_file, At.DW_AT_call_line, At.DW_AT_call_column),
      // A constant counts from the first range (DWARF 5, 2.18).
      entryPc:
        entry === undefined ? lowest : offset === undefined ? die.unit.addressOf(entry) : ranges[0].start + offset,
    };
  };
  const what = `inlined call at 0x${die.offset.toString(16)}`;
  const nothing = { name: '', linkageName: undefined, declaration: undefined, call: undefined, entryPc: undefined };
  return context.guard(what, read, nothing);
}

function readCallSites(root: Die, context: FunctionContext): readonly CallSite[] {
  const sites: CallSite[] = [];
  const pending = [...root.children].reverse();
  for (let die = pending.pop(); die !== undefined; die = pending.pop()) {
    const site = die;
    if (site.tag === Tag.DW_TAG_call_site || site.tag === Tag.DW_TAG_GNU_call_site) {
      const read = (): CallSite | undefined => readCallSite(site, context);
      const callSite = context.guard(`call site at 0x${site.offset.toString(16)}`, read, undefined);
      if (callSite !== undefined) sites.push(callSite);
    } else if (site.tag === Tag.DW_TAG_lexical_block || site.tag === Tag.DW_TAG_inlined_subroutine) {
      pending.push(...[...site.children].reverse());
    }
  }
  return sites;
}

function readCallSite(die: Die, context: FunctionContext): CallSite {
  const origin = die.reference(At.DW_AT_call_origin) ?? die.reference(At.DW_AT_abstract_origin);
  const parameters = die.children.flatMap((child) => readParameter(child) ?? []);
  const { registers } = die.unit.context.sections;
  // The GNU form of DWARF 4 has the return address in DW_AT_low_pc.
  const returnPc = die.address(At.DW_AT_call_return_pc) ?? die.address(At.DW_AT_low_pc);
  return {
    returnPc: returnPc === undefined ? undefined : registers.codeAddress(returnPc),
    tailCall: die.flag(At.DW_AT_call_tail_call) || die.flag(At.DW_AT_GNU_tail_call),
    target: origin && callTarget(origin, context),
    targetExpression: expressionAt(die, At.DW_AT_call_target) ?? expressionAt(die, At.DW_AT_GNU_call_site_target),
    parameters,
  };
}

/** A declaration names a function of another unit; an abstract instance has no code that a call could reach. */
function callTarget(origin: Die, context: FunctionContext): FunctionInfo | string | undefined {
  const known = context.functionOf(origin);
  if (known !== undefined || !origin.flag(At.DW_AT_declaration)) return known;
  return linkageNameOf(origin) ?? origin.name;
}

function readParameter(die: Die): CallSiteParameter | undefined {
  if (die.tag !== Tag.DW_TAG_call_site_parameter && die.tag !== Tag.DW_TAG_GNU_call_site_parameter) return undefined;
  const value = expressionAt(die, At.DW_AT_call_value) ?? expressionAt(die, At.DW_AT_GNU_call_site_value);
  if (value === undefined) return undefined;
  const parameter = die.reference(At.DW_AT_call_parameter) ?? die.reference(At.DW_AT_abstract_origin);
  return {
    location: expressionAt(die, At.DW_AT_location),
    value,
    dataValue: expressionAt(die, At.DW_AT_call_data_value) ?? expressionAt(die, At.DW_AT_GNU_call_site_data_value),
    parameterOffset: parameter && parameter.offset - die.unit.header.offset,
  };
}
