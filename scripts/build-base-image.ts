/** Compiles and links one base image of base-image-builds.ts; build-fixtures.ts calls it for all of them. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { firmwareFolder, type BaseImageBuild } from './base-image-builds';

const run = promisify(execFile);

const compileFlags = [
  '-std=gnu17',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-common',
  '-fno-unwind-tables',
  '-fno-asynchronous-unwind-tables',
  '-fno-tree-loop-distribute-patterns',
  '-Wall',
  '-Wextra',
  '-Werror',
];
const linkFlags = ['-nostdlib', '-nostartfiles', '-Wl,--build-id=none', '-Wl,--gc-sections', '-Wl,-z,max-page-size=16'];

const hexNumber = (value: number): string => `0x${value.toString(16)}`;

/** Writes the image to `target` (its output path there); `scratch` is for the object file. */
export async function buildBaseImage(
  build: BaseImageBuild,
  projectRoot: string,
  target: string,
  scratch: string,
): Promise<void> {
  const folder = join(projectRoot, firmwareFolder);
  const output = join(target, build.output);
  mkdirSync(dirname(output), { recursive: true });
  const object = join(scratch, `base-image.${build.name}.o`);
  const gcc = `${build.toolchain}-gcc`;
  const settings = Object.entries(build.config);
  const options = { cwd: folder, env: { ...process.env, PWD: folder, LC_ALL: 'C' } };
  const prefixes = [...new Set([folder, realpathSync(folder)])].map((prefix) => `-ffile-prefix-map=${prefix}=firmware`);
  const macros = settings.map(([name, value]) => `-D${name}=${value}`);
  await run(gcc, [...build.flags, ...compileFlags, ...prefixes, ...macros, '-c', 'firmware.c', '-o', object], options);
  const symbols = build.configSymbols === false ? [] : settings.map(([name, value]) => `-Wl,--defsym,${name}=${value}`);
  const places = [
    `-Wl,--defsym,FLASH_START=${hexNumber(build.flash)}`,
    `-Wl,--defsym,RAM_START=${hexNumber(build.ram)}`,
  ];
  const link = [...build.flags, ...linkFlags, ...(build.linkFlags ?? ['-static']), ...places, ...symbols];
  await run(gcc, [...link, '-T', 'firmware.ld', object, '-lgcc', '-o', output], options);
  if (build.slid === true) await exportBySlid(build, output);
  if (build.strip !== undefined) await run(`${build.toolchain}-strip`, [build.strip, output]);
}

/**
 * Replaces the names' addresses of the (32-bit little-endian) export table by their SLIDs, the first bytes of the
 * names' SHA-256, sorts the entries by them, and drops the section with the names.
 */
async function exportBySlid(build: BaseImageBuild, output: string): Promise<void> {
  const { stdout } = await run(`${build.toolchain}-objdump`, ['-h', output]);
  const section = (name: string): { size: number; address: number; offset: number } => {
    const match = new RegExp(` ${name} +([0-9a-f]{8})  ([0-9a-f]{8})  [0-9a-f]{8}  ([0-9a-f]{8})`).exec(stdout);
    if (match === null) throw new Error(`${output} has no section ${name}`);
    const [size, address, offset] = match.slice(1).map((digits) => parseInt(digits, 16));
    return { size, address, offset };
  };
  const bytes = readFileSync(output);
  const table = section('llext_const_symbol_area');
  const names = section('llext_exports_strtab');
  const entries = Array.from({ length: table.size / 8 }, (_, i) => {
    const at = table.offset + i * 8;
    const name = bytes.readUInt32LE(at) - names.address + names.offset;
    const hash = createHash('sha256')
      .update(bytes.subarray(name, bytes.indexOf(0, name)))
      .digest();
    return { slid: hash.readUInt32BE(0), address: bytes.readUInt32LE(at + 4) };
  });
  entries.sort((a, b) => a.slid - b.slid);
  entries.forEach(({ slid, address }, i) => {
    bytes.writeUInt32LE(slid, table.offset + i * 8);
    bytes.writeUInt32LE(address, table.offset + i * 8 + 4);
  });
  writeFileSync(output, bytes);
  await run(`${build.toolchain}-objcopy`, ['--remove-section=llext_exports_strtab', output]);
}
