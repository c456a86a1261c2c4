/**
 * Names as a stopped program's user means them: locals of the frame from the innermost block outwards, parameters,
 * the file's statics, globals and functions of the frame's module, then those of the other loaded modules, and last
 * what only the symbol tables know. C's rules for hiding hold; an inlined call sees its own names, not its caller's.
 */
import { DW_LANG_Mips_Assembler, Encoding } from '../dwarf/constants';
import { DW_OP } from '../dwarf/expression-opcodes';
import type {
  Enumerator,
  EnumType,
  FunctionInfo,
  Scope,
  StructType,
  Type,
  SourcePosition,
  UnitInfo,
  VariableInfo,
} from '../dwarf/model';
import { stripType } from '../dwarf/model';
import {
  type CodeModule,
  type Frame,
  type ModuleDebugInfo,
  moduleFrame,
  type UnwindMachine,
} from '../dwarf/unwind-frame';
import { basicTypes, type BasicTypes, functionType, voidType } from '../dwarf/value-types';
import { isCPlusPlus } from '../dwarf/qualified-name';
import { findMember, isStruct } from '../dwarf/value';
import { templateBase } from '../dwarf/base-type-name';
import { deducedInstances } from './template-functions';
import { type Closure, closureAt, closureName, isWithoutPlace, standsIn } from '../dwarf/lambda';
import { declaredEntity, type DeclaredFunction } from './declared-function';
import type { Macro } from './macro-expansion';
import { standardType } from './standard-types';
import type { ExpressionScope, FunctionEntity, NamedEntity, OwnObject, TypeTag } from './scope';
import type { Qualifier } from './syntax';

/** DebugInfo, as far as names go. */
export interface NamedDebugInfo extends ModuleDebugInfo {
  readonly units: readonly UnitInfo[];
  globalsOf(unit: UnitInfo): readonly (VariableInfo & { readonly unit: UnitInfo })[];
  globalsNamed(name: string): readonly (VariableInfo & { readonly unit: UnitInfo })[];
  functionsOf(unit: UnitInfo): readonly FunctionInfo[];
  usedNamespaces(unit: UnitInfo): readonly string[];
  typeNamed(tag: TypeTag | 'typedef' | 'base', name: string): Type | undefined;
  macrosAt?(unit: UnitInfo, position: SourcePosition | undefined): ReadonlyMap<string, Macro> | undefined;
  instancesNamed(template: string): readonly FunctionInfo[];
  codelessFunction(name: string): { readonly isInlined: boolean } | undefined;
  enumeratorNamed(name: string): { readonly type: EnumType; readonly enumerator: Enumerator } | undefined;
}

/** LoadedProgram, as far as names go. */
export interface NamedModule extends CodeModule<NamedDebugInfo> {
  readonly instance?: { readonly name: string };
  symbolNamed(name: string): bigint | undefined;
  /** The class, as a program names it, whose table of virtual functions is there. */
  classOfTable?(load: bigint): string | undefined;
  symbolAt?(load: bigint): { readonly symbol: { readonly kind?: string; readonly name?: string } } | undefined;
}

export interface FrameScopeOptions {
  readonly machine: UnwindMachine;
  /** All loaded modules, in load order. */
  readonly modules: readonly NamedModule[];
  /** The frame whose names are meant: FrameInfo of the unwinder. undefined: only file scope. */
  readonly frame?: {
    readonly frame: Frame;
    readonly function: FunctionInfo | undefined;
    readonly scopes: readonly Scope[];
    /** Macros are those that hold there. */
    readonly position?: SourcePosition | undefined;
  };
  /** Registers without a DWARF number that evaluation can read ('xpsr'). */
  readonly namedRegisters?: readonly string[];
  /** Functions that are in no module: what is known last. */
  readonly hostFunction?: (name: string) => DeclaredFunction | undefined;
}

/** What is said of a program as a whole is in its units with code. */
function firstUnit(debug: NamedDebugInfo | undefined): UnitInfo | undefined {
  return debug?.units.find(({ isPartial }) => isPartial !== true);
}

export class FrameScope implements ExpressionScope {
  readonly machine: UnwindMachine;
  readonly frame: Frame;
  readonly types: BasicTypes;
  private readonly modules: readonly NamedModule[];
  private lazyPrefixes: readonly string[] | undefined;
  private lazyClosure: { readonly closure: Closure | undefined } | undefined;
  private lazyAround: readonly FunctionInfo[] | undefined;
  private lazyMacros: { readonly macros: ReadonlyMap<string, Macro> | undefined } | undefined;
  private readonly moduleFrames = new Map<NamedModule, Frame>();

  constructor(private readonly options: FrameScopeOptions) {
    this.machine = options.machine;
    const own = options.modules.filter((module) => module === options.frame?.frame.module);
    this.modules = [...own, ...options.modules.filter((module) => !own.includes(module))];
    this.frame = options.frame?.frame ?? moduleFrame(this.modules[0], options.machine);
    this.types = basicTypes(options.machine.addressSize, this.charIsSigned(), this.isCPlusPlus ? 'bool' : '_Bool');
  }

  /** The ABI decides; the program's own `char` tells. */
  private charIsSigned(): boolean {
    for (const { debug } of this.modules) {
      const type = debug?.typeNamed('base', 'char');
      if (type?.kind === 'base') return type.encoding === Encoding.DW_ATE_signed_char;
    }
    return false;
  }

  lookup(name: string, qualifier: Qualifier | undefined): NamedEntity | undefined {
    if (qualifier?.within !== undefined) return this.within(qualifier.within, name, qualifier.file);
    if (qualifier?.file !== undefined) return this.inFile(qualifier.file, name);
    if (!qualifier) {
      const local = this.local(name) ?? this.ownMember(name) ?? this.ofOwnBases(name) ?? this.aroundLambda(name);
      if (local) return local;
    }
    const found = this.inScopes(qualifier?.global === true ? [''] : this.prefixes, name);
    return found ?? (qualifier ? undefined : this.declaredStatic(this.ownObject()?.type, name));
  }

  isTypeName(name: string): boolean {
    return this.local(name) === undefined && this.typeNamed('any', name) !== undefined;
  }

  isTemplateName(name: string): boolean {
    const base = templateBase(name);
    return this.prefixes.some((prefix) =>
      this.modules.some(
        ({ debug }) =>
          (debug?.functionsNamed(prefix + name) ?? []).length > 0 ||
          (base !== undefined && (debug?.instancesNamed(prefix + base) ?? []).length > 0),
      ),
    );
  }

  /** 'any' is a typedef in C; in a frame of C++ also a class or an enumeration, from the scopes around it outwards. */
  typeNamed(tag: TypeTag, name: string): Type | undefined {
    const known = tag !== 'any' || this.isCPlusPlus ? tag : 'typedef';
    let incomplete: Type | undefined;
    for (const prefix of this.prefixes) {
      for (const { debug } of this.modules) {
        const type = debug?.typeNamed(known, prefix + name);
        if (type && !isIncomplete(type)) return type;
        incomplete ??= type;
      }
    }
    return incomplete ?? (tag === 'any' ? standardType(name, this.types, this.machine.addressSize) : undefined);
  }

  classOfTable(address: bigint): StructType | undefined {
    const name = this.modules.map((module) => module.classOfTable?.(address)).find((one) => one !== undefined);
    const found = name === undefined ? undefined : this.typeNamed('any', name);
    const type = found && stripType(found);
    return type && isStruct(type) ? type : undefined;
  }

  get isCPlusPlus(): boolean {
    const unit = this.options.frame?.function?.unit ?? firstUnit(this.modules.at(0)?.debug);
    return unit !== undefined && isCPlusPlus(unit);
  }

  /** `ns::Class::`, `ns::` and '' in a method: where a name of C++ is looked for (C++ 6.5.2). */
  private get prefixes(): readonly string[] {
    this.lazyPrefixes ??= this.isCPlusPlus ? this.findPrefixes() : [''];
    return this.lazyPrefixes;
  }

  register(name: string): number | string | undefined {
    const { registers } = this.machine;
    const wanted = name.toLowerCase();
    if (wanted === 'fp' && registers.framePointer !== undefined) return registers.framePointer;
    for (const [number, known] of registers.names) if (known === wanted) return number;
    const numbered = /^r([0-9]+)$/.exec(wanted);
    if (numbered && registers.names.has(Number(numbered[1]))) return Number(numbered[1]);
    return this.options.namedRegisters?.find((known) => known.toLowerCase() === wanted);
  }

  macro(name: string): Macro | undefined {
    return this.macros?.get(name);
  }

  whyNoCode(name: string): string | undefined {
    for (const prefix of this.prefixes) {
      for (const { debug } of this.modules) {
        const found = debug?.codelessFunction(prefix + name);
        if (found === undefined) continue;
        if (!found.isInlined) return `'${prefix}${name}' is declared, but nothing that is loaded has its code`;
        return `'${prefix}${name}' was inlined wherever it is used: it has no code of its own that could be called`;
      }
    }
    return undefined;
  }

  whyUnknown(name: string): string | undefined {
    const around = this.functionsAround.find((one) => declaresLocal(one, name));
    if (around !== undefined) return `It is a variable of ${aroundText(around)}, which the lambda does not capture.`;
    const codeless = this.whyNoCode(name) ?? this.whyNoInstance(name);
    if (codeless !== undefined) return `${codeless}.`;
    const hasUnits = this.modules.some(({ debug }) => (debug?.units.length ?? 0) > 0);
    if (this.macros !== undefined || !hasUnits || !/^_*[A-Z][A-Z0-9_]*$/.test(name)) return undefined;
    return 'If it is a macro, build with -g3: the debug information has no macros.';
  }

  private whyNoInstance(name: string): string | undefined {
    const base = templateBase(name);
    const found = base === undefined ? undefined : this.lookup(base, undefined);
    if (found?.kind !== 'function') return undefined;
    const known = [...new Set((found.overloads ?? [found]).map((one) => one.name))].sort().join(', ');
    return `Of the template '${base ?? ''}' the program has ${known} only`;
  }

  /** The macros where the frame stands; at file scope those of the end of the first unit. undefined: there are none. */
  get macros(): ReadonlyMap<string, Macro> | undefined {
    this.lazyMacros ??= { macros: this.findMacros() };
    return this.lazyMacros.macros;
  }

  private findMacros(): ReadonlyMap<string, Macro> | undefined {
    const { function: current, frame, position } = this.options.frame ?? {};
    const { debug } = this.modules.find((module) => module === frame?.module) ?? this.modules.at(0) ?? {};
    const unit = current?.unit ?? firstUnit(debug);
    return unit && debug?.macrosAt?.(unit, position);
  }

  private findPrefixes(): string[] {
    const { function: current, frame, scopes } = this.options.frame ?? {};
    const module = this.modules.find((one) => one === frame?.module);
    const used = (current && module?.debug?.usedNamespaces(current.unit)) ?? [];
    const inlined = scopes?.find(({ inline }) => inline !== undefined)?.inline;
    // A lambda is in no scope by its own name: it sees what the function around it sees.
    const around = this.functionsAround.flatMap(({ name }) => scopesAround(name).slice(0, -1));
    const own = scopesAround(inlined?.name ?? current?.name ?? '');
    return [...new Set([...around, ...own]), ...used.map((name) => `${name}::`)];
  }

  /** The closure that the frame's code works on; undefined: it is not that of a lambda. */
  private get closure(): Closure | undefined {
    const { frame } = this.options;
    this.lazyClosure ??= { closure: frame && this.isCPlusPlus ? closureAt(frame) : undefined };
    return this.lazyClosure.closure;
  }

  /** The functions, lambdas among them, that a lambda stands in. */
  private get functionsAround(): readonly FunctionInfo[] {
    this.lazyAround ??= this.closure === undefined ? [] : this.findFunctionsAround(this.closure);
    return this.lazyAround;
  }

  private findFunctionsAround({ linkageName, isInlined }: Closure): readonly FunctionInfo[] {
    const { function: current, frame } = this.options.frame ?? {};
    const module = this.modules.find((one) => one === frame?.module);
    if (module?.debug === undefined || current === undefined) return [];
    const symbolOf = ({ entryPc }: FunctionInfo): string | undefined => {
      const entry = module.toLoad(entryPc);
      return entry === undefined ? undefined : module.symbolAt?.(entry)?.symbol.name;
    };
    const own = linkageName ?? (isInlined ? undefined : symbolOf(current));
    if (own === undefined) return [];
    const isAround = (one: FunctionInfo): boolean => standsIn(own, one.linkageName ?? symbolOf(one) ?? '');
    return module.debug.functionsOf(current.unit).filter(isAround);
  }

  // ---- the steps of a look-up ----

  private local(name: string): NamedEntity | undefined {
    const { closure } = this;
    for (const scope of this.options.frame?.scopes ?? []) {
      const variable = findVariable(scope, name);
      // What clang calls `this` is the closure; a user means the object around the lambda.
      const isMeant = variable !== closure?.pointer || name === closureName;
      if (variable === undefined || !isMeant) continue;
      if (closure?.captures.has(name) !== true || !isWithoutPlace(variable))
        return { kind: 'variable', variable, frame: undefined };
    }
    return closure && this.captured(closure, name);
  }

  private captured({ pointer, captures }: Closure, name: string): NamedEntity | undefined {
    const member = captures.get(name);
    if (name === closureName) return { kind: 'variable', variable: pointer, frame: undefined };
    if (name !== 'this') return member && { kind: 'own-member', object: { pointer }, path: [member] };
    if (member !== undefined) return { kind: 'own-object', object: { pointer, captured: member } };
    return { kind: 'uncaptured', reason: "the lambda does not capture 'this'" };
  }

  /** A variable of the function around a lambda hides others of its name; it has a value here only if it needs no frame. */
  private aroundLambda(name: string): NamedEntity | undefined {
    for (const around of this.functionsAround) {
      const variable = findVariable(around.scope, name);
      if (variable === undefined) continue;
      if (isStatic(variable)) return { kind: 'variable', variable, frame: undefined };
      const reason = `'${name}' is a variable of ${aroundText(around)}: the lambda does not capture it`;
      return { kind: 'uncaptured', reason };
    }
    return undefined;
  }

  private ownMember(name: string): NamedEntity | undefined {
    const own = this.ownObject();
    const path = own && findMember(own.type, name);
    return path && { kind: 'own-member', object: own.object, path };
  }

  /** What a method's class has from its bases: static members, methods, enumerators (C++ 6.5.2). */
  private ofOwnBases(name: string): NamedEntity | undefined {
    const own = this.ownObject();
    const isHidden = own?.type.name !== undefined && this.fileScope(`${own.type.name}::${name}`) !== undefined;
    return own === undefined || isHidden ? undefined : this.inBases(own.type, name);
  }

  private inBases({ members }: StructType, name: string): NamedEntity | undefined {
    for (const { type, isBase } of members) {
      const base = stripType(type);
      if (isBase !== true || !isStruct(base) || base.name === undefined) continue;
      const found = this.fileScope(`${base.name}::${name}`) ?? this.inBases(base, name);
      if (found) return found;
    }
    return undefined;
  }

  private ownObject(): { readonly object: OwnObject; readonly type: StructType } | undefined {
    const own = this.local('this');
    if (own?.kind !== 'variable' && own?.kind !== 'own-object') return undefined;
    const object = own.kind === 'variable' ? { pointer: own.variable } : own.object;
    const pointer = stripType((object.captured ?? object.pointer).type);
    const type = pointer.kind === 'pointer' ? stripType(pointer.target) : pointer;
    return isStruct(type) ? { object, type } : undefined;
  }

  /** `function::x`, `ns::Class::x`, `extension::x`. */
  private within(scope: string, name: string, file: string | undefined): NamedEntity | undefined {
    const inFunction = this.inFunction(scope, name, file);
    if (inFunction) return inFunction;
    const inScope = this.inScopes(
      this.prefixes.map((prefix) => `${prefix}${scope}::`),
      name,
    );
    if (inScope) return inScope;
    const [extension, ...rest] = scope.split('::');
    const module = this.modules.find(({ instance }) => instance?.name === extension);
    const whole = [...rest, name].join('::');
    const inModule = module && (this.inModule(module, whole) ?? this.symbol(module, whole));
    return inModule ?? this.declaredStatic(this.typeNamed('any', scope), name);
  }

  /** A static member that has no definition outside of its class: of a constant the compiler need not keep one. */
  private declaredStatic(type: Type | undefined, name: string): NamedEntity | undefined {
    const stripped = type && stripType(type);
    if (stripped === undefined || !isStruct(stripped)) return undefined;
    const found = stripped.staticMembers.find(({ variable }) => variable.name === name);
    return found && { kind: 'variable', variable: found.variable, frame: undefined };
  }

  private inScopes(prefixes: readonly string[], name: string): NamedEntity | undefined {
    for (const prefix of prefixes) {
      const found = this.fileScope(prefix + name);
      if (found) return found;
    }
    return undefined;
  }

  private fileScope(name: string): NamedEntity | undefined {
    const unit = this.options.frame?.function?.unit;
    const ownModule = this.options.frame?.frame.module;
    const own = this.modules.find((module) => module === ownModule);
    if (own && unit) {
      const found = this.inUnit(own, unit, name);
      if (found) return found;
    }
    for (const module of this.modules) {
      const found = this.inModule(module, name);
      if (found) return found;
    }
    for (const module of this.modules) {
      const found = this.symbol(module, name);
      if (found) return found;
    }
    const declared = this.options.hostFunction?.(name);
    return declared && declaredEntity(declared, this, this.frame);
  }

  private inUnit(module: NamedModule, unit: UnitInfo, name: string): NamedEntity | undefined {
    const variable = module.debug?.globalsOf(unit).find((global) => global.name === name);
    if (variable) return this.variable(module, variable);
    const found = module.debug?.functionsOf(unit).find((candidate) => candidate.name === name);
    return found && this.function(module, found);
  }

  private inModule(module: NamedModule, name: string): NamedEntity | undefined {
    const { debug } = module;
    if (!debug) return undefined;
    const globals = debug.globalsNamed(name);
    // A definition before a declaration, an external name before another file's static.
    const variable =
      globals.find((global) => global.external && isDefined(global)) ?? globals.find(isDefined) ?? globals.at(0);
    if (variable) return this.variable(module, variable);
    const functions = debug.functionsNamed(name);
    const found = functions.find((candidate) => candidate.external) ?? functions.at(0);
    if (found) return this.function(module, found);
    const instances = this.entitiesOf(module, deducedInstances(debug, name), true);
    if (instances.length > 0) return { ...instances[0], overloads: instances };
    const enumerator = debug.enumeratorNamed(name);
    return enumerator && { kind: 'enumerator', type: enumerator.type, value: enumerator.enumerator.value };
  }

  private inFile(file: string, name: string): NamedEntity | undefined {
    for (const module of this.modules) {
      for (const unit of module.debug?.units ?? []) {
        if (!isNamed(unit, file)) continue;
        const found = this.inUnit(module, unit, name);
        if (found) return found;
      }
    }
    return undefined;
  }

  /** `function::x`: a local of the function when it is the frame's, a static of its otherwise. */
  private inFunction(functionName: string, name: string, file: string | undefined): NamedEntity | undefined {
    const isMeant = (candidate: FunctionInfo): boolean =>
      (candidate.name === functionName || candidate.shortName === functionName) &&
      (file === undefined || isNamed(candidate.unit, file));
    const current = this.options.frame?.function;
    if (current && isMeant(current)) {
      const local = this.local(name);
      if (local) return local;
    }
    for (const module of this.modules) {
      for (const candidate of module.debug?.functionsNamed(functionName).filter(isMeant) ?? []) {
        const variable = findStatic(candidate.scope, name);
        if (variable) return this.variable(module, variable);
      }
    }
    return undefined;
  }

  private symbol(module: NamedModule, name: string): NamedEntity | undefined {
    const address = module.symbolNamed(name);
    if (address === undefined) return undefined;
    const isFunction = module.symbolAt?.(address)?.symbol.kind === 'function';
    const frame = this.frameOf(module);
    const code = isFunction ? this.machine.registers.codeAddress(address) : address;
    return { kind: 'symbol', address: code, isFunction, frame };
  }

  // ---- what was found ----

  private variable(module: NamedModule, variable: VariableInfo): NamedEntity {
    return { kind: 'variable', variable, frame: this.frameOf(module) };
  }

  /** In C++ with the others of its name, which may be in other units. */
  private function(module: NamedModule, info: FunctionInfo): NamedEntity | undefined {
    const found = this.functionEntity(module, info);
    if (found === undefined || !isCPlusPlus(info.unit)) return found;
    const named = this.entitiesOf(module, [info, ...(module.debug?.functionsNamed(info.name) ?? [])], false);
    const instances = this.entitiesOf(module, module.debug ? deducedInstances(module.debug, info.name) : [], true);
    const overloads = [...named, ...instances];
    return overloads.length === 1 ? found : { ...found, overloads };
  }

  /** Each unit that uses an inline function has a copy of it: they count once. */
  private entitiesOf(
    module: NamedModule,
    list: readonly FunctionInfo[],
    isDeduced: boolean,
  ): readonly FunctionEntity[] {
    const entities = new Map<string | FunctionInfo, FunctionEntity>();
    for (const info of list) {
      const entity = isCPlusPlus(info.unit) ? this.functionEntity(module, info) : undefined;
      const key = isLambda(info) ? info : `${info.name} ${entity?.type.displayName ?? ''}`;
      if (entity !== undefined && !entities.has(key)) entities.set(key, isDeduced ? { ...entity, isDeduced } : entity);
    }
    return [...entities.values()];
  }

  private functionEntity(module: NamedModule, info: FunctionInfo): FunctionEntity | undefined {
    const address = module.toLoad(info.entryPc);
    if (address === undefined) return undefined;
    const { parameters, variadic, vtableIndex } = info.signature;
    const types = parameters.map(({ type }) => type);
    return {
      kind: 'function',
      name: info.name,
      type: functionType(info.returnType, types, variadic),
      address,
      frame: this.frameOf(module),
      isMethod: parameters.at(0)?.artificial === true,
      vtableIndex,
      refusal: cloneRefusal(module.symbolAt?.(address)?.symbol.name),
      ...(info.unit.language === DW_LANG_Mips_Assembler ? { isUntyped: true } : {}),
    };
  }

  private frameOf(module: NamedModule): Frame {
    let frame = this.moduleFrames.get(module);
    if (!frame) {
      frame = moduleFrame(module, this.machine);
      this.moduleFrames.set(module, frame);
    }
    return frame;
  }
}

/** Its class has no name, so that its type reads as that of any other one. */
function isLambda({ shortName, signature }: FunctionInfo): boolean {
  const first = shortName === 'operator()' ? stripType(signature.parameters.at(0)?.type ?? voidType) : undefined;
  return first?.kind === 'pointer' && stripType(first.target).name === undefined;
}

function aroundText({ name, shortName }: FunctionInfo): string {
  return shortName.startsWith('operator()') ? 'the lambda around it' : name;
}

/** GCC makes copies of functions whose parameters it changes as it likes; debug information does not tell how. */
function cloneRefusal(symbol: string | undefined): string | undefined {
  const kind = symbol === undefined ? undefined : /\.(isra|constprop|part)\b/.exec(symbol)?.[1];
  return kind && `the compiler has changed the parameters of '${symbol ?? ''}' (.${kind}): it cannot be called`;
}

/** The classes and namespaces that a function is in, innermost first; template arguments may have `::` too. */
function scopesAround(functionName: string): string[] {
  const scopes = [''];
  let depth = 0;
  for (let at = 0; at < functionName.length; at++) {
    if ('<('.includes(functionName[at])) depth++;
    else if ('>)'.includes(functionName[at])) depth--;
    else if (depth === 0 && functionName.startsWith('::', at)) scopes.unshift(functionName.slice(0, at + 2));
  }
  return scopes;
}

/** GCC's copies of a function may describe a parameter twice: the last one counts, as in gdb. */
function findVariable(scope: Scope, name: string): VariableInfo | undefined {
  const found = scope.variables.filter((variable) => variable.name === name);
  return found.find(({ isParameter }) => !isParameter) ?? found.at(-1);
}

/** Also what it captures itself. */
function declaresLocal(info: FunctionInfo, name: string): boolean {
  const declares = (scope: Scope): boolean =>
    findVariable(scope, name) !== undefined || scope.children.some((child) => declares(child));
  return declares(info.scope) || closureAt({ function: info, scopes: [info.scope] })?.captures.has(name) === true;
}

/** A variable of the function or a block of it that exists without a frame. */
function findStatic(scope: Scope, name: string): VariableInfo | undefined {
  const own = findVariable(scope, name);
  if (own && isStatic(own)) return own;
  for (const child of scope.children) {
    const found = findStatic(child, name);
    if (found) return found;
  }
  return undefined;
}

function isStatic({ location, constValue }: VariableInfo): boolean {
  if (location?.kind !== 'expression') return constValue !== undefined;
  const first = location.expression.bytes[0];
  return first === DW_OP.addr || first === DW_OP.addrx;
}

function isDefined(variable: VariableInfo): boolean {
  return variable.location !== undefined || variable.constValue !== undefined;
}

function isIncomplete(type: Type): boolean {
  const stripped = stripType(type);
  return 'incomplete' in stripped && stripped.incomplete;
}

/** Whether a unit's file is `file`: the whole path or its last parts. */
function isNamed(unit: UnitInfo, file: string): boolean {
  if (unit.name === undefined) return false;
  return unit.name === file || unit.name.endsWith(`/${file}`);
}
