/**
 * What is built from which C source: the extension ELFs of examples/ and test/fixtures/, as a table.
 * scripts/build-fixtures.ts makes them; tests find them through test/support/fixtures.ts.
 *
 * Flags are those of a Zephyr build of an extension (specification 7.2): -mthumb -mlong-calls, no position-independent
 * code, no per-function sections, no unwind tables, no common symbols. An ELF is either the compiler's object as it is
 * (CONFIG_LLEXT_TYPE_ELF_OBJECT) or the output of `ld -r` with scripts/relocatable.ld (.._RELOCATABLE).
 */

export type Compiler = 'gcc' | 'clang';

export interface FixtureBuild {
  /** Folder of sources and output, from the project's root. The ELF's DW_AT_comp_dir is '.': this folder. */
  readonly folder: string;
  readonly sources: readonly string[];
  /** The ELF with debug information, in `folder`. */
  readonly output: string;
  /** A second output as Zephyr's build makes it: `output` without debug information and unneeded symbols. */
  readonly stripped?: string;
  readonly compiler: Compiler;
  readonly cpu: string;
  readonly flags: readonly string[];
  readonly link: 'object' | 'relocatable';
}

/** A test fixture's build: `name` is its source without '.c', `variant` how it was built. */
export interface TestFixtureBuild extends FixtureBuild {
  readonly name: string;
  readonly variant: string;
}

interface Variant {
  readonly compiler: Compiler;
  readonly cpu: string;
  readonly flags: readonly string[];
}

const gcc = (cpu: string, ...flags: string[]): Variant => ({ compiler: 'gcc', cpu, flags: ['-g', ...flags] });
const clang = (cpu: string, ...flags: string[]): Variant => ({ compiler: 'clang', cpu, flags: ['-g', ...flags] });

const variants = {
  'm3-O0': gcc('cortex-m3', '-O0'),
  'm3-Og': gcc('cortex-m3', '-Og'),
  'm3-Os': gcc('cortex-m3', '-Os'),
  'm3-O2': gcc('cortex-m3', '-O2'),
  'm3-O3': gcc('cortex-m3', '-O3'),
  'm3-Og-dwarf4': gcc('cortex-m3', '-Og', '-gdwarf-4'),
  'm3-O2-g3': gcc('cortex-m3', '-O2', '-g3'),
  'm3-Og-gz': gcc('cortex-m3', '-Og', '-gz=zlib'),
  'm3-Og-zdebug': gcc('cortex-m3', '-Og', '-gz=zlib-gnu'),
  'm0plus-O0': gcc('cortex-m0plus', '-O0'),
  'm0plus-Os': gcc('cortex-m0plus', '-Os'),
  'm33-O0': gcc('cortex-m33+nodsp', '-O0', '-mfloat-abi=soft'),
  'm33-O2': gcc('cortex-m33+nodsp', '-O2', '-mfloat-abi=soft'),
  'm3clang-O0': clang('cortex-m3', '-O0'),
  'm3clang-Os': clang('cortex-m3', '-Os'),
  'm3clang-O2': clang('cortex-m3', '-O2'),
} satisfies Record<string, Variant>;
export type VariantName = keyof typeof variants;

const usual: readonly VariantName[] = ['m3-O0', 'm3-Og', 'm3-Os', 'm3-O2'];
const many: readonly VariantName[] = [
  ...usual,
  'm3-O3',
  'm0plus-O0',
  'm0plus-Os',
  'm33-O0',
  'm33-O2',
  'm3clang-O0',
  'm3clang-Os',
  'm3clang-O2',
];

interface TestFixture {
  readonly name: string;
  readonly variants: readonly VariantName[];
  readonly sources?: readonly string[];
  readonly relocatable?: boolean;
}

const testFixtures: readonly TestFixture[] = [
  { name: 'calls', variants: [...many, 'm3-Og-dwarf4', 'm3-O2-g3'] },
  { name: 'data', variants: [...many, 'm3-Og-dwarf4', 'm3-O2-g3', 'm3-Og-gz', 'm3-Og-zdebug'] },
  { name: 'control', variants: many },
  { name: 'arith', variants: many },
  { name: 'inlined', variants: [...usual, 'm3-Og-dwarf4', 'm3clang-O2'] },
  { name: 'printing', variants: [...usual, 'm0plus-Os', 'm33-O2', 'm3clang-O2'] },
  { name: 'strings', variants: [...usual, 'm0plus-Os', 'm33-O2', 'm3clang-O2'] },
  { name: 'time', variants: ['m3-O0', 'm3-Os'] },
  { name: 'zephyr', variants: ['m3-O0'] },
  { name: 'zephyr_names', variants: ['m3-O0'] },
  { name: 'faults', variants: [...usual, 'm0plus-O0', 'm33-O0'] },
  { name: 'spin', variants: [...usual, 'm0plus-Os'] },
  { name: 'entries', variants: ['m3-O0', 'm3-Os', 'm0plus-Os'] },
  { name: 'only', variants: ['m3-O0', 'm3-O2'] },
  { name: 'shared_first', variants: ['m3-O0', 'm3-Os'] },
  { name: 'shared_second', variants: ['m3-O0', 'm3-Os'] },
  { name: 'multi', variants: usual, sources: ['multi.c', 'multi_part.c'], relocatable: true },
  { name: 'constructors', variants: ['m3-O0', 'm3-Os', 'm0plus-Os'], relocatable: true },
];

export const testFixtureBuilds: readonly TestFixtureBuild[] = testFixtures.flatMap((fixture) =>
  fixture.variants.map((variant) => ({
    folder: 'test/fixtures',
    sources: fixture.sources ?? [`${fixture.name}.c`],
    output: `${fixture.name}.${variant}.elf`,
    // Clang puts the string table first and keeps an exception index: the loader of 4.2 takes neither.
    link: fixture.relocatable === true || variants[variant].compiler === 'clang' ? 'relocatable' : 'object',
    ...variants[variant],
    name: fixture.name,
    variant,
  })),
);

function example(folder: string, name: string, level: string, more: Partial<FixtureBuild> = {}): FixtureBuild {
  return {
    folder: `examples/${folder}`,
    sources: [`${name}.c`],
    output: `${name}.llext`,
    link: 'object',
    ...gcc('cortex-m3', level, '-gdwarf-4'),
    ...more,
  };
}

/** An extension for RISC-V by riscv64-unknown-elf-gcc and `ld -r`, with its debug information. */
export interface RiscvBuild {
  readonly folder: string;
  /** From `folder`: the examples have their sources in common with the ones for Arm. */
  readonly source: string;
  readonly output: string;
  readonly march: string;
  readonly mabi: string;
  readonly level: string;
}

const riscvAbis = { rv32imac: 'ilp32', rv32imafc: 'ilp32f', rv32imafdc: 'ilp32d', rv64imac: 'lp64', rv64gc: 'lp64d' };
type RiscvArch = keyof typeof riscvAbis;

function riscv(folder: string, source: string, march: RiscvArch, level: string, output: string): RiscvBuild {
  return { folder, source, output, march, mabi: riscvAbis[march], level };
}

const riscvExample = (name: string, march: RiscvArch): RiscvBuild =>
  riscv('examples/riscv', `../${name}/${name}.c`, march, '-Og', `${name}.${march}.llext`);

export const riscvExampleBuilds: readonly RiscvBuild[] = [
  riscvExample('hello', 'rv32imac'),
  riscvExample('hello', 'rv64imac'),
  riscvExample('sensor', 'rv32imac'),
  riscvExample('sensor', 'rv64imac'),
];

const riscvTests: readonly (readonly [variant: `${RiscvArch}-O${0 | 2 | 'g' | 's'}`, ...names: string[]])[] = [
  ['rv32imac-O0', 'calls', 'data', 'riscv_faults', 'shared_first', 'shared_second'],
  ['rv32imac-Os', 'control', 'arith', 'printing', 'strings', 'spin'],
  ['rv64imac-O0', 'calls', 'data', 'riscv_faults', 'shared_first', 'shared_second'],
  ['rv64imac-O2', 'control', 'arith', 'printing', 'strings'],
  ['rv32imafc-Og', 'floats', 'arith'],
  ['rv32imafdc-Og', 'floats'],
  ['rv64gc-Og', 'floats', 'data'],
];

/** test/fixtures for RISC-V: `<name>.<march>-<level>.elf`. */
export const riscvTestBuilds: readonly RiscvBuild[] = riscvTests.flatMap(([variant, ...names]) => {
  const [march, level] = variant.split('-') as [RiscvArch, string];
  return names.map((name) => riscv('test/fixtures', `${name}.c`, march, `-${level}`, `${name}.${variant}.elf`));
});

export const exampleBuilds: readonly FixtureBuild[] = [
  example('hello', 'hello', '-O0', { output: 'hello_ext_debug.elf', stripped: 'hello.llext' }),
  example('detached', 'detached_fn', '-O0', {
    output: 'detached_fn_ext_debug.elf',
    stripped: 'detached_fn.llext',
    link: 'relocatable',
  }),
  example('dependency', 'dep_base', '-Og'),
  example('dependency', 'dep_user', '-Og'),
  example('sensor', 'sensor', '-Og'),
  example('endless', 'endless', '-O0'),
  example('faulting', 'faulting', '-O0'),
  example('missing-import', 'missing', '-Os'),
  example('init-fini', 'init_fini', '-O0', { link: 'relocatable' }),
  example('with-base', 'with_base', '-Og'),
];

/** A program of one C file in a folder of its own. */
const program = (folder: string, name: string, variant: string, built: Variant): FixtureBuild => ({
  folder,
  sources: [`${name}.c`],
  output: `${name}.${variant}.elf`,
  compiler: built.compiler,
  cpu: built.cpu,
  flags: built.flags,
  link: built.compiler === 'clang' ? 'relocatable' : 'object',
});
/** Programs that only sessions are tried on. */
const sessionProgram = (name: string, variant: string, built: Variant): FixtureBuild =>
  program('test/dap-programs', name, variant, built);
const controls = (variant: string, built: Variant): FixtureBuild => sessionProgram('controls', variant, built);

export const controlsBuilds: readonly FixtureBuild[] = [
  controls('m3-O0', variants['m3-O0']),
  controls('m3-Os', variants['m3-Os']),
  controls('m3-O2', variants['m3-O2']),
  controls('m3clang-O2', variants['m3clang-O2']),
  controls('m4f-O2', gcc('cortex-m4', '-O2', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16')),
  sessionProgram('prints', 'm3-O2', variants['m3-O2']),
];

export const watchedBuilds: readonly FixtureBuild[] = [
  sessionProgram('watched', 'm3-O0', variants['m3-O0']),
  sessionProgram('watched', 'm3-O2', variants['m3-O2']),
  sessionProgram('dirty', 'm3-O2', variants['m3-O2']),
];

const hardFloat = ['-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'] as const;

/** What the Debug Console calls, and the macros that it knows. */
export const calledBuilds: readonly FixtureBuild[] = [
  sessionProgram('called', 'm3-O0', variants['m3-O0']),
  sessionProgram('called', 'm3-O2', variants['m3-O2']),
  sessionProgram('called', 'm3clang-O0', variants['m3clang-O0']),
  sessionProgram('million', 'm3-O2', variants['m3-O2']),
  sessionProgram('grammar', 'm3-O0', gcc('cortex-m3', '-O0')),
  sessionProgram('lengths', 'm3-O0', variants['m3-O0']),
  ...(['m3-O0', 'm3clang-O0'] as const).map((variant) => ({
    ...sessionProgram('assembled', variant, variants[variant]),
    sources: ['assembled.c', 'assembled_sum.S'],
    link: 'relocatable' as const,
  })),
  sessionProgram('lengths', 'm3clang-O0', variants['m3clang-O0']),
  sessionProgram('macros', 'm3-g3', gcc('cortex-m3', '-O0', '-g3')),
  sessionProgram('macros', 'm3-g3-dwarf4', gcc('cortex-m3', '-O0', '-g3', '-gdwarf-4')),
  sessionProgram('macros', 'm3-g3-macinfo', gcc('cortex-m3', '-O0', '-g3', '-gdwarf-4', '-gstrict-dwarf')),
  sessionProgram('macros', 'm3clang-g3', clang('cortex-m3', '-O0', '-fdebug-macro')),
  sessionProgram('macros', 'm3-g2', gcc('cortex-m3', '-O0')),
  sessionProgram('called', 'm4f-O0', gcc('cortex-m4', '-O0', ...hardFloat)),
];

/** Programs that break the rules of memory safety, and such that do not. */
const safety = (name: string, variant: string, built: Variant): FixtureBuild =>
  program('test/safety-programs', name, variant, built);

export const safetyBuilds: readonly FixtureBuild[] = ['unsafe', 'clean'].flatMap((name) => [
  safety(name, 'm3-O0', variants['m3-O0']),
  safety(name, 'm3-O2', variants['m3-O2']),
  safety(name, 'm3clang-O2', variants['m3clang-O2']),
]);

/** Rules broken by multiple loads and stores of floating-point registers. */
export const floatingBuilds: readonly FixtureBuild[] = [
  safety('floating', 'm4f-O0', gcc('cortex-m4', '-O0', ...hardFloat)),
  safety('floating', 'm4f-O2', gcc('cortex-m4', '-O2', ...hardFloat)),
];

const plusPlus = ['-std=gnu++17', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics'] as const;

/** The rules broken in C++, and stacks that a program switches itself. */
export const switchingBuilds: readonly FixtureBuild[] = (['-O0', '-O2'] as const).flatMap((level) => [
  {
    ...safety('classes', `m3${level}`, gcc('cortex-m3', level, ...plusPlus)),
    sources: ['classes.cpp'],
    link: 'relocatable',
  },
  safety('stacks', `m3${level}`, gcc('cortex-m3', level)),
]);

/**
 * Mistakes as they are made, and what may be done, by compilers and processors that the other programs are not built with; and who is
 * unloaded while one of them still knows it.
 */
export const everydayBuilds: readonly FixtureBuild[] = [
  ...['mistakes', 'everyday'].flatMap((name) => [
    safety(name, 'm0plus-O0', variants['m0plus-O0']),
    safety(name, 'm3clang-Os', variants['m3clang-Os']),
    safety(name, 'm33-O2', variants['m33-O2']),
    safety(name, 'm4f-Og', gcc('cortex-m4', '-Og', ...hardFloat)),
  ]),
  safety('subscriber', 'm0plus-O0', variants['m0plus-O0']),
  safety('subscriber', 'm33-O2', variants['m33-O2']),
];

/** What others import of, and what they have no business with. */
export const neighbourBuilds: readonly FixtureBuild[] = [safety('neighbour', 'm3-O2', variants['m3-O2'])];

const riscvSafety = (name: string, variant: `${RiscvArch}-O${0 | 2}`): RiscvBuild => {
  const [march, level] = variant.split('-') as [RiscvArch, string];
  return riscv('test/safety-programs', `${name}.c`, march, `-${level}`, `${name}.${variant}.elf`);
};

export const riscvSafetyBuilds: readonly RiscvBuild[] = ['unsafe', 'clean'].flatMap((name) => [
  riscvSafety(name, 'rv32imac-O0'),
  riscvSafety(name, 'rv32imac-O2'),
  riscvSafety(name, 'rv64imac-O0'),
  riscvSafety(name, 'rv64imac-O2'),
]);

export const riscvEverydayBuilds: readonly RiscvBuild[] = [
  ...['mistakes', 'everyday'].flatMap((name) => [
    riscv('test/safety-programs', `${name}.c`, 'rv32imafc', '-Os', `${name}.rv32imafc-Os.elf`),
    riscv('test/safety-programs', `${name}.c`, 'rv64imac', '-O2', `${name}.rv64imac-O2.elf`),
  ]),
  riscv('test/safety-programs', 'subscriber.c', 'rv32imafc', '-Os', 'subscriber.rv32imafc-Os.elf'),
  riscv('test/safety-programs', 'subscriber.c', 'rv64imac', '-O2', 'subscriber.rv64imac-O2.elf'),
];

export const riscvNeighbourBuilds: readonly RiscvBuild[] = [riscvSafety('neighbour', 'rv32imac-O2')];

const riscvControls = (march: RiscvArch): RiscvBuild =>
  riscv('test/dap-programs', 'controls.c', march, '-Og', `controls.${march}.elf`);

export const riscvControlsBuilds: readonly RiscvBuild[] = [
  riscvControls('rv32imac'),
  riscvControls('rv32imafc'),
  riscvControls('rv64imac'),
  ...(['rv32imac', 'rv32imafc', 'rv32imafdc', 'rv64imac', 'rv64gc'] as const).map((march) =>
    riscv('test/dap-programs', 'called.c', march, '-Og', `called.${march}.elf`),
  ),
  riscv('test/dap-programs', 'grammar.c', 'rv64gc', '-O0', 'grammar.rv64gc.elf'),
  riscv('test/dap-programs', 'lengths.c', 'rv32imac', '-O0', 'lengths.rv32imac.elf'),
  riscv('test/dap-programs', 'watched.c', 'rv32imac', '-Og', 'watched.rv32imac.elf'),
  riscv('test/dap-programs', 'watched.c', 'rv64imac', '-Og', 'watched.rv64imac.elf'),
];

export const fixtureBuilds: readonly FixtureBuild[] = [
  ...exampleBuilds,
  ...testFixtureBuilds,
  ...controlsBuilds,
  ...watchedBuilds,
  ...calledBuilds,
  ...safetyBuilds,
  ...neighbourBuilds,
  ...switchingBuilds,
  ...floatingBuilds,
  ...everydayBuilds,
];
