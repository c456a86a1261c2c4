/**
 * The built extensions of test/fixtures and examples, for tests: their bytes, sources and marked lines.
 * A line is named by a marker in the source, never by its number: `// #BP1` ends the line that markerLine(.., 'BP1')
 * finds.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exampleBuilds, riscvExampleBuilds, riscvTestBuilds, testFixtureBuilds } from '../../scripts/fixture-builds';
import type { FixtureBuild, TestFixtureBuild } from '../../scripts/fixture-builds';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const fixturesFolder = join(projectRoot, 'test/fixtures');
export const examplesFolder = join(projectRoot, 'examples');

export { exampleBuilds, testFixtureBuilds };

/** Paths of the ELFs that a build makes: the one with debug information, then the stripped one. */
export function builtPaths(build: FixtureBuild): string[] {
  const names = build.stripped === undefined ? [build.output] : [build.output, build.stripped];
  return names.map((name) => join(projectRoot, build.folder, name));
}

/** Every committed ELF of examples and fixtures for RISC-V. */
export function riscvExtensionPaths(): string[] {
  return [...riscvExampleBuilds, ...riscvTestBuilds].map(({ folder, output }) => join(projectRoot, folder, output));
}

/** `riscvFixture('calls', 'rv32imac-O0')` */
export function riscvFixture(name: string, variant: string): string {
  const output = `${name}.${variant}.elf`;
  if (!riscvTestBuilds.some((build) => build.output === output)) throw new Error(`no fixture is called ${output}`);
  return join(fixturesFolder, output);
}

/** Every committed ELF of examples and fixtures for Arm. */
export function allExtensionPaths(): string[] {
  return [...exampleBuilds, ...testFixtureBuilds].flatMap(builtPaths);
}

/** The builds of one test fixture: `fixtureVariants('calls')`. */
export function fixtureVariants(name: string): TestFixtureBuild[] {
  const found = testFixtureBuilds.filter((build) => build.name === name);
  if (found.length === 0) throw new Error(`no fixture is called ${name}`);
  return found;
}

/** Path of one test fixture's ELF: `fixturePath('calls', 'm3-O0')`. */
export function fixturePath(name: string, variant: string): string {
  const build = fixtureVariants(name).find((candidate) => candidate.variant === variant);
  if (build === undefined) throw new Error(`fixture ${name} is not built as ${variant}`);
  return join(fixturesFolder, build.output);
}

export function fixtureBytes(name: string, variant: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name, variant)));
}

/** Path of a C source of test/fixtures. */
export function fixtureSource(name: string): string {
  return join(fixturesFolder, `${name}.c`);
}

/** Path below examples/: `examplePath('hello/hello.llext')`. */
export function examplePath(path: string): string {
  return join(examplesFolder, path);
}

/** Number of the line of a C source that ends with `// #<marker>`. */
export function markerLine(sourcePath: string, marker: string): number {
  const lines = readFileSync(sourcePath, 'utf8').split('\n');
  const index = lines.findIndex((line) => line.trimEnd().endsWith(`// #${marker}`));
  if (index < 0) throw new Error(`${sourcePath} has no line that ends with // #${marker}`);
  return index + 1;
}
