/**
 * Builds every extension ELF of examples/ and test/fixtures/ (see fixture-builds.ts) and the base images:
 *
 *     npm run fixtures              writes them into the project
 *     npm run fixtures -- --check   builds elsewhere, and fails when a committed ELF differs in any byte
 *     npm run fixtures -- --only controls   those extensions whose file name begins so
 *
 * The result depends on the compilers' versions and on nothing else: sources are named relative to their own folder,
 * and -ffile-prefix-map takes the machine's paths out of the debug information.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { baseImageBuilds } from './base-image-builds';
import { buildBaseImage } from './build-base-image';
import {
  fixtureBuilds,
  riscvControlsBuilds,
  riscvEverydayBuilds,
  riscvExampleBuilds,
  riscvNeighbourBuilds,
  riscvSafetyBuilds,
  riscvTestBuilds,
} from './fixture-builds';
import type { FixtureBuild, RiscvBuild } from './fixture-builds';

const run = promisify(execFile);
const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const linkerScript = join(projectRoot, 'scripts/relocatable.ld');

/** The versions whose output is committed: Debian 12's. */
export const compilerVersions = { gcc: '12.2.1', clang: '14.0.6' } as const;
const programs = { gcc: 'arm-none-eabi-gcc', clang: 'clang-14' } as const;

const cStandard = '-std=gnu17';
const commonFlags = [
  cStandard,
  '-ffreestanding',
  '-fno-common',
  '-fno-exceptions',
  '-fno-unwind-tables',
  '-fno-asynchronous-unwind-tables',
  '-fno-strict-aliasing',
  '-fno-pic',
  '-Wall',
  '-Wextra',
  '-Werror',
];
const compilerFlags = {
  gcc: ['-fno-reorder-functions', '-fno-defer-pop', '-fno-printf-return-value'],
  clang: ['--target=arm-none-eabi'],
} as const;

/** An extension for RISC-V, linked as CONFIG_LLEXT_TYPE_ELF_RELOCATABLE has it. */
async function makeRiscv(build: RiscvBuild, target: string, scratch: string): Promise<string> {
  const folder = join(projectRoot, build.folder);
  const object = join(scratch, `${build.output}.o`);
  const args = [
    `-march=${build.march}`,
    `-mabi=${build.mabi}`,
    ...['-mno-relax', '-msmall-data-limit=0', '-mcmodel=medany', '-g', build.level],
    ...commonFlags,
    ...[...new Set([folder, realpathSync(folder)])].map((prefix) => `-ffile-prefix-map=${prefix}=.`),
    `-I${relative(folder, join(projectRoot, 'examples/include'))}`,
    ...['-DLL_EXTENSION_BUILD', '-c', build.source, '-o', object],
  ];
  await run('riscv64-unknown-elf-gcc', args, { cwd: folder, env: { ...process.env, PWD: folder, LC_ALL: 'C' } });
  const emulation = build.march.startsWith('rv32') ? 'elf32lriscv' : 'elf64lriscv';
  await run('riscv64-unknown-elf-ld', ['-m', emulation, '-r', object, '-o', join(target, build.output)]);
  return build.output;
}

/** The assemblers are not told of -ffile-prefix-map. */
const assemblerFlags: Readonly<Record<FixtureBuild['compiler'], (prefixes: readonly string[]) => readonly string[]>> = {
  gcc: (prefixes) => prefixes.map((prefix) => `-Wa,--debug-prefix-map=${prefix}=.`),
  clang: () => ['-fdebug-compilation-dir=.'],
};

async function compile(build: FixtureBuild, source: string, output: string): Promise<void> {
  const folder = join(projectRoot, build.folder);
  const prefixes = [...new Set([folder, realpathSync(folder)])];
  const args = [
    ...compilerFlags[build.compiler],
    `-mcpu=${build.cpu}`,
    '-mthumb',
    '-mlong-calls',
    ...commonFlags.filter((flag) => !(source.endsWith('.cpp') && flag === cStandard)),
    ...build.flags,
    ...prefixes.map((prefix) => `-ffile-prefix-map=${prefix}=.`),
    ...(source.endsWith('.S') ? assemblerFlags[build.compiler](prefixes) : []),
    `-I${relative(folder, join(projectRoot, 'examples/include'))}`,
    '-DLL_EXTENSION_BUILD',
    '-c',
    source,
    '-o',
    output,
  ];
  // PWD is what compilers record as the compilation directory.
  await run(programs[build.compiler], args, { cwd: folder, env: { ...process.env, PWD: folder, LC_ALL: 'C' } });
}

/** Makes one build's ELFs in `target`, with `scratch` for objects on the way. Returns the files' names. */
async function make(build: FixtureBuild, target: string, scratch: string): Promise<string[]> {
  const output = join(target, build.output);
  if (build.link === 'object') {
    await compile(build, build.sources[0], output);
  } else {
    const objects = build.sources.map((source) => join(scratch, `${build.output}.${source}.o`));
    await Promise.all(build.sources.map((source, index) => compile(build, source, objects[index])));
    await run('arm-none-eabi-ld', ['-r', '-T', linkerScript, ...objects, '-o', output]);
  }
  if (build.stripped === undefined) return [build.output];
  await run('arm-none-eabi-objcopy', ['--strip-unneeded', output, join(target, build.stripped)]);
  return [build.output, build.stripped];
}

/** Paths, from the project's root, of the ELFs that differ from the committed ones. */
async function buildAll(targetRoot: string, scratch: string, only?: string): Promise<string[]> {
  const differing: string[] = [];
  const isWanted = ({ output }: { readonly output: string }): boolean => only === undefined || output.startsWith(only);
  const queue = fixtureBuilds.filter(isWanted);
  const worker = async (): Promise<void> => {
    for (let build = queue.shift(); build !== undefined; build = queue.shift()) {
      const target = join(targetRoot, build.folder);
      mkdirSync(target, { recursive: true });
      for (const name of await make(build, target, scratch)) compare(`${build.folder}/${name}`);
    }
  };
  const compare = (path: string): void => {
    const committed = join(projectRoot, path);
    const same = existsSync(committed) && readFileSync(committed).equals(readFileSync(join(targetRoot, path)));
    if (!same) differing.push(path);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const riscv = [
    ...[riscvExampleBuilds, riscvControlsBuilds, riscvTestBuilds],
    ...[riscvSafetyBuilds, riscvNeighbourBuilds, riscvEverydayBuilds],
  ];
  for (const build of riscv.flat().filter(isWanted)) {
    const target = join(targetRoot, build.folder);
    mkdirSync(target, { recursive: true });
    compare(`${build.folder}/${await makeRiscv(build, target, scratch)}`);
  }
  for (const build of only === undefined ? baseImageBuilds : []) {
    await buildBaseImage(build, projectRoot, targetRoot, scratch);
    compare(build.output);
  }
  return differing.sort();
}

/** Builds everything in a temporary folder; the committed ELFs that this machine's compilers make differently. */
export async function differingFixtures(): Promise<string[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'llext-fixtures-'));
  try {
    return await buildAll(scratch, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, only: { type: 'string' } } });
  if (values.check) {
    const differing = await differingFixtures();
    for (const path of differing) console.error(`${path} differs from what its source gives`);
    if (differing.length > 0) process.exitCode = 1;
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'llext-fixtures-'));
  try {
    await buildAll(projectRoot, scratch, values.only);
    const what = `${fixtureBuilds.length} extensions and ${baseImageBuilds.length} base images`;
    console.log(values.only === undefined ? `${what} built` : `those of ${what} that are called ${values.only}* built`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
