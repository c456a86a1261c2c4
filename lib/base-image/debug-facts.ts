/**
 * What the debug information of a base image says of the loader's structures (specification 2.1, 2.3: the preferred
 * source, because configuration and version shape them), and where variables of file scope are.
 */
import { ByteReader } from '../bytes';
import type { DebugInfo, GlobalVariable } from '../dwarf/debug-info';
import { stripType, type StructType } from '../dwarf/model';
import { spellType } from '../dwarf/type-name';
import type { LlextLayout, UserspaceSizes } from '../llext/layout';
import { allRegionNames, type RegionName } from '../llext/regions';

const DW_OP_addr = 0x03;
const REGION_PREFIX = 'LLEXT_MEM_';
/** Regions that every version has: the loader cannot do without. */
const NEEDED_REGIONS = 8;

/** The address of a variable that has a fixed one. */
export function fixedAddress({ location }: GlobalVariable): bigint | undefined {
  if (location?.kind !== 'expression') return undefined;
  const { bytes, unit } = location.expression;
  if (bytes.length !== 1 + unit.addressSize || bytes[0] !== DW_OP_addr) return undefined;
  return new ByteReader(bytes, unit.littleEndian, 'DW_AT_location', 1).unsigned(unit.addressSize);
}

export interface StaticObject {
  readonly address: bigint;
  readonly size: number;
}

export function staticObject(debug: DebugInfo | undefined, name: string): StaticObject | undefined {
  const found = debug?.globalsNamed(name).find((variable) => fixedAddress(variable) !== undefined);
  const address = found && fixedAddress(found);
  return found === undefined || address === undefined ? undefined : { address, size: found.type.byteSize ?? 0 };
}

function structNamed(debug: DebugInfo | undefined, name: string): StructType | undefined {
  const type = debug?.typeNamed('struct', name);
  const stripped = type && stripType(type);
  return stripped?.kind === 'struct' && !stripped.incomplete ? stripped : undefined;
}

const neededFields = [
  'name',
  'mem',
  'mem_on_heap',
  'mem_size',
  'alloc_size',
  'sym_tab',
  'exp_tab',
  'use_count',
] as const;
const otherFields = [
  'mem_parts',
  'mem_domain',
  'dependency',
  'sect_cnt',
  'sect_hdrs',
  'sect_hdrs_on_heap',
  'mmu_permissions_set',
  'mem_alloc_map',
  'dyn_image',
  'dyn_base',
  'dyn_link',
  'dyn_span',
] as const;

/** struct llext; undefined when the debug information does not describe it, or not as any version of the loader has it. */
export function llextLayoutOf(debug: DebugInfo | undefined): LlextLayout | undefined {
  const struct = structNamed(debug, 'llext');
  if (struct?.byteSize === undefined) return undefined;
  const offsets = new Map(struct.members.map(({ name, byteOffset }) => [name, byteOffset]));
  // The oldest versions spell the node with an underscore.
  const node = offsets.get('llext_list') ?? offsets.get('_llext_list');
  if (node === undefined || neededFields.some((name) => !offsets.has(name))) return undefined;
  const fields = [...neededFields, ...otherFields].flatMap((name) => {
    const offset = offsets.get(name);
    return offset === undefined ? [] : [[name, offset] as const];
  });
  return { sizeof: struct.byteSize, llext_list: node, ...Object.fromEntries(fields) } as LlextLayout;
}

export function userspaceSizesOf(debug: DebugInfo | undefined): UserspaceSizes | undefined {
  const memPartition = structNamed(debug, 'k_mem_partition')?.byteSize;
  const memDomain = structNamed(debug, 'k_mem_domain')?.byteSize;
  return memPartition === undefined || memDomain === undefined ? undefined : { memPartition, memDomain };
}

/** enum llext_mem in the order of its numbers; undefined when it is not described, or names a region that is not known. */
export function regionsOf(debug: DebugInfo | undefined): readonly RegionName[] | undefined {
  const type = debug?.typeNamed('enum', 'llext_mem');
  const stripped = type && stripType(type);
  if (stripped?.kind !== 'enum') return undefined;
  const count = stripped.enumerators.find(({ name }) => name === `${REGION_PREFIX}COUNT`)?.value;
  const names: (RegionName | undefined)[] = [];
  for (const { name, value } of stripped.enumerators) {
    if (count === undefined || value >= count) continue;
    const region = allRegionNames.find((known) => name === REGION_PREFIX + known);
    // LLEXT_MEM_PARTITIONS and the like repeat a number.
    if (region !== undefined) names[Number(value)] = region;
  }
  const complete = Array.from(names).filter((name) => name !== undefined);
  const hasAll = allRegionNames.slice(0, NEEDED_REGIONS).every((needed) => complete.includes(needed));
  return hasAll && BigInt(complete.length) === count ? complete : undefined;
}

/** 'int firmware_scale(int value)' */
export function declarationIn(debug: DebugInfo | undefined, name: string): string | undefined {
  const found = debug?.functionsNamed(name).at(0);
  if (found !== undefined) {
    const parameters = found.scope.variables.filter(({ isParameter }) => isParameter);
    const list = parameters.map((parameter) => spellType(parameter.type, parameter.name)).join(', ');
    return spellType(found.returnType, `${name}(${list === '' ? 'void' : list})`);
  }
  const variable = debug?.globalsNamed(name).at(0);
  return variable && spellType(variable.type, name);
}
