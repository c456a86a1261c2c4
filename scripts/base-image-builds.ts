/**
 * What is built from examples/with-base/firmware: base images as a Zephyr build leaves them in zephyr.elf, for several
 * cores and configurations, as a table. scripts/build-fixtures.ts makes them.
 *
 * A value of `config` is a Kconfig setting: the compiler gets it as a macro, and it becomes an absolute symbol of the
 * image unless `configSymbols` is false. `slid`: what Zephyr's llext_prepare_exptab.py does after the link, entries by
 * hash and in its order. `strip` is an option of the toolchain's strip.
 */

export interface BaseImageBuild {
  readonly name: string;
  /** From the project's root. */
  readonly output: string;
  readonly toolchain: 'arm-none-eabi' | 'riscv64-unknown-elf' | 'aarch64-linux-gnu';
  readonly flags: readonly string[];
  /** In place of -static. */
  readonly linkFlags?: readonly string[];
  readonly flash: number;
  readonly ram: number;
  readonly config: Readonly<Record<string, number>>;
  readonly configSymbols?: boolean;
  readonly slid?: boolean;
  readonly strip?: string;
}

export const firmwareFolder = 'examples/with-base/firmware';

/** What every build with CONFIG_LLEXT sets. */
const llext = {
  CONFIG_LLEXT: 1,
  CONFIG_LLEXT_BUF: 1,
  CONFIG_LLEXT_HEAP_SIZE: 8,
  CONFIG_LLEXT_LOG_LEVEL: 3,
  CONFIG_LLEXT_STORAGE_WRITABLE: 1,
};
const armConfig = { ...llext, CONFIG_ARM: 1, CONFIG_CPU_CORTEX_M: 1 };
const mpu = { CONFIG_MPU: 1, CONFIG_ARM_MPU: 1, CONFIG_ARM_MPU_REGION_MIN_ALIGN_AND_SIZE: 32 };

const m3: Omit<BaseImageBuild, 'name' | 'output'> = {
  toolchain: 'arm-none-eabi',
  flags: ['-mcpu=cortex-m3', '-mthumb', '-Og', '-g'],
  flash: 0,
  ram: 0x2000_0000,
  config: armConfig,
};

type Variant = Partial<Omit<BaseImageBuild, 'name' | 'output'>>;

const variants: Readonly<Record<string, Variant>> = {
  'm3-symbols': { strip: '--strip-debug' },
  'm3-stripped': { strip: '--strip-all' },
  'm3-macros': { flags: ['-mcpu=cortex-m3', '-mthumb', '-Og', '-g3'], configSymbols: false },
  'm3-slid': { config: { ...armConfig, CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID: 1 }, slid: true },
  'm3-slid-stripped': {
    config: { ...armConfig, CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID: 1 },
    slid: true,
    strip: '--strip-all',
  },
  'm4-hard': { flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16', '-Og', '-g'] },
  'm4-user': {
    flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=soft', '-Og', '-g'],
    config: { ...armConfig, ...mpu, CONFIG_USERSPACE: 1, CONFIG_MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT: 1 },
  },
  'm3-big-endian': { flags: [...m3.flags, '-mbig-endian'], config: { ...armConfig, CONFIG_BIG_ENDIAN: 1 } },
  rv32: {
    toolchain: 'riscv64-unknown-elf',
    flags: ['-march=rv32imac', '-mabi=ilp32', '-msmall-data-limit=0', '-Og', '-g'],
    flash: 0x2000_0000,
    ram: 0x8000_0000,
    config: { ...llext, CONFIG_RISCV: 1 },
  },
  rv64: {
    toolchain: 'riscv64-unknown-elf',
    flags: ['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-msmall-data-limit=0', '-Og', '-g'],
    flash: 0x8000_0000,
    ram: 0x8004_0000,
    config: { ...llext, CONFIG_RISCV: 1, CONFIG_64BIT: 1, CONFIG_LLEXT_HEAP_SIZE: 16 },
  },
  'arm64-pie': {
    toolchain: 'aarch64-linux-gnu',
    flags: ['-Og', '-g', '-fPIE', '-mno-outline-atomics', '-fno-stack-protector'],
    linkFlags: ['-pie', '-Wl,--no-dynamic-linker'],
    ram: 0x10_0000,
    config: { ...llext, CONFIG_ARM64: 1, CONFIG_64BIT: 1, CONFIG_MMU: 1, CONFIG_MMU_PAGE_SIZE: 4096 },
  },
};

/** The one that an example debugs with, and the variants for the tests of the reader. */
export const baseImageBuilds: readonly BaseImageBuild[] = [
  { ...m3, name: 'm3', output: 'examples/with-base/zephyr.elf' },
  ...Object.entries(variants).map(([name, variant]) => ({
    ...m3,
    ...variant,
    name,
    output: `test/base-images/${name}.elf`,
  })),
];
