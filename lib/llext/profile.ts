/**
 * What differs between the versions of Zephyr's loader, as one table: a rule a row, a value a version, and the section
 * of the specification. Code asks `profile.prepad`, never for a version. SEED is the loader of 3.6 with the eight regions
 * of its API page, V41 that of 4.2 (the only one that was compared with a real Zephyr, and the default), V44 that of
 * 4.3/4.4, S the newest. `assumed` names the versions for which the value is inferred, recalled or a choice of ours;
 * each load tells which of those it rested on. The versions of single relocation types are in reloc/.
 */
export const profileNames = ['SEED', 'V41', 'V44', 'S'] as const;
export type ProfileName = (typeof profileNames)[number];

interface Rule<Value> {
  /** Of the specification. */
  readonly section: string;
  /** The statement whose value the versions have. */
  readonly what: string;
  readonly values: Readonly<Record<ProfileName, Value>>;
  readonly assumed: readonly ProfileName[];
}

function rule<Value extends boolean | string>(
  section: string,
  what: string,
  [SEED, V41, V44, S]: readonly [Value, Value, Value, Value],
  assumed: readonly ProfileName[] = [],
): Rule<Value> {
  return { section, what, values: { SEED, V41, V44, S }, assumed };
}

const [no, yes] = [false, true];

/** Values in the order of profileNames. */
export const profileRules = {
  // struct llext and its enums
  regionEnum: rule('1.5', 'regions of enum llext_mem', ['eight', 'eleven', 'eleven', 'by-config'], ['S']),
  structLayout: rule('2.1', 'fields of struct llext', ['oldest', 'V41', 'V41', 'dyn-image'], ['S']),
  memAllocMap: rule('2.1', 'CONFIG_LLEXT_HEAP_MEMBLK adds mem_alloc_map', [no, no, yes, yes], ['V44', 'S']),
  sectHdrsInExtension: rule('2.1', 'the section headers live until unload', [no, yes, yes, yes]),
  loadParameters: rule('2.2', 'fields of llext_load_param', ['relocate_local', 'all', 'all', 'all']),
  loaderPrepare: rule('1.2', 'the loader has prepare and finalize', [no, yes, yes, yes]),

  // The file header and the tables
  identChecked: rule('1.3', 'EI_CLASS and EI_DATA must be those of the build', [no, no, no, yes]),
  machineChecked: rule('1.3', 'e_machine must be that of the build', [no, no, no, yes]),
  findTablesOrderIndependent: rule('1.4', 'a string table may lie before its symbol table', [no, no, no, yes]),
  strtabIndexChecked: rule('1.3', 'the symbol table’s sh_link must be a section', [no, no, no, yes]),
  sectionNameBounds: rule('1.2', 'sh_name outside of .shstrtab', ['read', 'read', 'eager', 'lazy'], ['V44']),
  symbolNameBounds: rule('1.3', 'st_name must lie in .strtab', [no, yes, yes, yes]),

  // Sections to regions
  mapByName: rule('1.5', 'regions are chosen by exact section names, the last one wins', [yes, no, no, no], ['SEED']),
  skippedNames: rule('1.5', '.relro_padding, .heap and .stack are in no region', [no, no, no, yes]),
  tlsSections: rule('1.5', 'SHF_TLS sections are in no region; their symbols are offsets', [no, no, no, yes]),
  rodataNoReloc: rule('1.5', '.llext.rodata.noreloc is a region of its own', [no, no, no, yes]),
  arrayEntsizeZero: rule('1.3', 'init and fini arrays may have sh_entsize 0', [no, no, no, yes], ['V44']),
  addralignChecked: rule('1.3', 'sh_addralign must be a power of two', [no, no, no, yes]),
  relocationTargetChecked: rule('1.3', 'sh_info of relocations is checked while mapping', [no, no, no, yes]),
  detachedNeedsPeek: rule('1.3', 'a detached section needs a loader with peek', [no, no, no, yes]),
  detachedText: rule('1.3', 'detached text outside of instruction memory', ['ignored', 'ignored', 'warning', 'error']),
  prepad: rule('1.6', 'regions are padded in front to their alignment', [no, yes, yes, yes]),
  sharedStringTables: rule('1.6', 'one table may serve both kinds of strings', [no, no, no, yes]),

  // Memory
  storageByLoader: rule('1.8', 'the loader, not the build, says who owns the file image', [no, yes, yes, yes]),
  regionRounding: rule('1.8', 'which regions MPU and MMU round', ['every', 'mpu', 'userspace', 'userspace']),
  pmpGranularity: rule('1.8', 'CONFIG_USERSPACE rounds to the RISC-V PMP granularity', [no, no, no, yes]),
  userspaceNeedsMpu: rule('1.8', 'CONFIG_USERSPACE without a rule for the MPU is refused', [no, no, no, yes]),
  peekNeedsAlignment: rule('1.8', 'only aligned regions are used in place', [no, yes, yes, yes], ['SEED']),
  textInInstrMem: rule('1.8', 'text is only used in place in instruction memory', [no, no, yes, yes]),
  memblkHeap: rule('1.8', 'CONFIG_LLEXT_HEAP_MEMBLK allocates whole blocks', [no, no, yes, yes]),
  zeroBytesNeverAllocated: rule('1.11', 'the heap is not asked for zero bytes', [no, no, yes, yes]),
  failedLoadFreesSectHdrs: rule('1.2', 'a failed load frees the section headers', [yes, yes, yes, yes], ['V44', 'S']),
  dynImage: rule('1.9', 'ET_DYN is loaded as one image with one bias', [no, no, no, yes]),
  harvardRefusesDyn: rule('1.3', 'ET_DYN is refused under CONFIG_HARVARD', [no, no, no, yes]),

  // Symbols
  sortedSymbolTables: rule('1.2', 'sym_tab and exp_tab are sorted by name', [no, no, no, yes]),
  symbolSectionChecked: rule('1.3', 'st_shndx of global functions and objects is checked', [no, no, no, yes]),
  interExtension: rule('3.4', 'imports are also looked up in loaded extensions', [no, yes, yes, yes], ['SEED']),
  deviceExportWarning: rule('3.4', 'an unknown __device_* warns of CONFIG_LLEXT_EXPORT_DEVICES', [no, no, yes, yes]),

  // Relocation
  skipsUnallocatedTargets: rule('4.1', 'relocations of sections without SHF_ALLOC are skipped', [no, yes, yes, yes]),
  collectsLinkErrors: rule('4.1', 'linking goes on after an error and returns the first', [no, no, yes, yes]),
  relocationOffsetChecked: rule('1.3', 'r_offset must lie in the section', [no, no, no, yes]),
  symbolSectionMustBeLoaded: rule('3.4', 'a symbol in an unloaded section is refused', [no, no, no, yes]),
  veneers: rule('4.2', 'CONFIG_LLEXT_VENEERS bridges Thumb calls that are out of range', [no, no, no, yes]),
  pltNeedsWritable: rule('4.7', 'Xtensa links only writable storage, at addresses by file offset', [yes, yes, yes, no]),
  pltReturnsErrors: rule('4.7', 'Xtensa returns the first error, -ENOENT for imports', [no, no, yes, yes]),

  // The API
  nameBytesCompared: rule(
    '1.1',
    'characters of a name that llext_by_name compares',
    ['16', '15', '15', '15'],
    ['SEED'],
  ),
  findSectionNeedsPeek: rule('5', 'llext_find_section without peek is -ENOTSUP', [no, yes, yes, yes], ['SEED']),
  shndxNeedsSectionData: rule('5', 'llext_section_shndx without headers is -ENOTSUP', [no, no, yes, yes], ['V44', 'S']),
  fnTable: rule('5', 'how init and fini functions are fetched', ['none', 'table', 'entry', 'entry']),
  callFnEinval: rule('5', 'llext_call_fn of an unknown name is -EINVAL', [yes, no, no, no]),
  partitionMessage: rule('1.10', 'each memory partition has a message', [yes, no, no, no], ['SEED']),
  exportGroups: rule('3.1', 'exported symbols are of groups', [no, yes, yes, yes]),
  progDataSize: rule('2.2', 'the loader has prog_data_size', [yes, no, no, no], ['SEED']),
  shellLimitsHex: rule('6.1', 'load_hex refuses what is too long', [no, yes, yes, yes], ['SEED']),
} as const;

export type RuleName = keyof typeof profileRules;

/** The values of one version. */
export type ProfileValues = {
  readonly [Name in RuleName]: (typeof profileRules)[Name]['values'][ProfileName];
};

export type Profile = ProfileValues & { readonly profileName: ProfileName };

/** A rule that a load rested on without anybody having checked it against Zephyr. */
export interface AssumedRule {
  /** Name of the rule, or of the relocation type. */
  readonly rule: string;
  readonly section: string;
}

export const ruleNames = Object.keys(profileRules) as RuleName[];

interface NotingProfile extends Profile {
  readonly used: Set<RuleName> | undefined;
}

/** One object a version, made once: loads are many. */
const prototypes = new Map<ProfileName, object>();

function prototypeOf(profileName: ProfileName): object {
  const known = prototypes.get(profileName);
  if (known !== undefined) return known;
  const prototype = { profileName };
  for (const name of ruleNames) {
    const value = profileRules[name].values[profileName];
    Object.defineProperty(prototype, name, {
      get(this: NotingProfile): boolean | string {
        this.used?.add(name);
        return value;
      },
    });
  }
  prototypes.set(profileName, prototype);
  return prototype;
}

/** Every access is noted in `used`: that is how a load knows what it rested on. */
export function profileFor(profileName: ProfileName, used?: Set<RuleName>): Profile {
  return Object.create(prototypeOf(profileName), { used: { value: used } }) as NotingProfile;
}

export function assumedRules(profileName: ProfileName, used: Iterable<RuleName>): AssumedRule[] {
  return [...used]
    .filter((name) => profileRules[name].assumed.includes(profileName))
    .map((name) => ({ rule: name, section: profileRules[name].section }));
}
