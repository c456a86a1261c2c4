/**
 * `llext inspect FILE...`: what the loader would make of a file, from the file alone: regions and sections, exports,
 * imports and who provides them, relocations by type, and everything that llext_load would refuse.
 */
import { constantName, elfTypes, machineNames, SHT_REL, SHT_RELA } from '../lib/elf/constants';
import { relocationName } from '../lib/elf/relocation-names';
import type { BaseImageDescription } from '../lib/base-image';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { fileProblems, problemText } from '../lib/check/file-problems';
import { inspectRegions } from '../lib/llext/inspect';
import type { Inspection } from '../lib/llext/inspect';
import { baseOptionHelp, builtInBaseOf, readBase } from './base-image-file';
import { baseImageJson, describeBaseImage, isBaseImage } from './inspect-base';
import { readInput } from './load';
import { table } from './output';
import type { CommandOutput } from './output';
import { parseArguments } from './parse-arguments';
import { DamagedFileError, UsageError } from './usage-error';

export const inspectHelp = `usage: llext inspect FILE... [--base FILE] [--json]

Shows what llext_load would make of each file, without a target; of a zephyr.elf, what it offers to extensions.

${baseOptionHelp}  --json    one object for one file, an array for several
  --help

exit status: 0 all files could be read, 1 one is damaged or no ELF, 2 wrong usage or an unreadable file
`;

export async function inspect(args: string[], io: CommandOutput): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    if (values.help === true) {
      io.stdout.write(inspectHelp);
      return 0;
    }
    if (positionals.length === 0) throw new UsageError('no file is given');
    const base = values.base === undefined ? undefined : await readBase(values.base);
    return await inspectFiles(positionals, base, values.json === true, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`llext inspect: ${error.message}\n`);
    return error.exitCode;
  }
}

async function inspectFiles(
  files: readonly string[],
  chosenBase: BaseImageDescription | undefined,
  json: boolean,
  io: CommandOutput,
): Promise<number> {
  const objects: object[] = [];
  for (const file of files) {
    const bytes = await readInput(file);
    try {
      const elf = ElfFile.parse(bytes);
      if (isBaseImage(elf)) {
        const image = await readBase(file, '');
        if (json) objects.push(baseImageJson(image));
        else io.stdout.write(describeBaseImage(image));
        continue;
      }
      const inspection = inspectRegions(elf);
      const base = chosenBase ?? builtInBaseOf([bytes]);
      if (json) objects.push(inspectionJson(file, elf, inspection, base));
      else io.stdout.write(describe(file, elf, inspection, base));
    } catch (error) {
      if (error instanceof FormatError) throw new DamagedFileError(file, error);
      throw error;
    }
  }
  if (json) io.stdout.write(`${JSON.stringify(objects.length === 1 ? objects[0] : objects, undefined, 2)}\n`);
  return 0;
}

/** A name without an address is not in the build. */
function providedNames({ exports }: BaseImageDescription): ReadonlySet<string> {
  return new Set(exports.flatMap(({ name, address }) => (name === undefined || address === 0n ? [] : [name])));
}

/** Number of relocations by the name of their type, most frequent first. */
function relocationCounts(elf: ElfFile): [string, number][] {
  const counts = new Map<string, number>();
  for (const section of elf.sections) {
    if (section.sh_type !== SHT_REL && section.sh_type !== SHT_RELA) continue;
    for (const { type } of elf.relocationsOf(section)) {
      const name = relocationName(elf.header.e_machine, type);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function inspectionJson(file: string, elf: ElfFile, inspection: Inspection, base: BaseImageDescription): object {
  const provided = providedNames(base);
  const { header } = elf;
  return {
    file,
    header: {
      class: elf.is64 ? 64 : 32,
      data: elf.littleEndian ? 'little-endian' : 'big-endian',
      type: constantName(elfTypes, header.e_type),
      machine: constantName(machineNames, header.e_machine),
      flags: `0x${header.e_flags.toString(16)}`,
      sections: elf.sections.length,
      symbols: elf.symbols().length,
    },
    regions: inspection.regions.map(({ name, fileOffset, ...region }) => ({
      region: name,
      offset: `0x${fileOffset.toString(16)}`,
      ...region,
    })),
    exports: inspection.exports.map((symbol) => ({ ...symbol, value: `0x${symbol.value.toString(16)}` })),
    imports: inspection.imports.map((name) =>
      base.kind === 'built-in' ? { name, built_in: provided.has(name) } : { name, base: provided.has(name) },
    ),
    relocations: Object.fromEntries(relocationCounts(elf)),
    problem: inspection.problem,
    problems: fileProblems(elf).map(({ severity, code, message, fix }) => ({ severity, code, message, fix })),
  };
}

function describe(file: string, elf: ElfFile, inspection: Inspection, base: BaseImageDescription): string {
  const provided = providedNames(base);
  const where = base.kind === 'built-in' ? 'built-in base image' : base.origin;
  const { header } = elf;
  const kind = `${constantName(machineNames, header.e_machine)} ${constantName(elfTypes, header.e_type)}`;
  const order = elf.littleEndian ? 'little' : 'big';
  const regions = inspection.regions.flatMap(({ name, size, sections }) =>
    (sections.length === 0 ? [undefined] : sections).map((section, i) => [
      i === 0 ? name : '',
      i === 0 ? String(size) : '',
      section?.name ?? '',
      section?.offset === undefined ? '' : `+0x${section.offset.toString(16)}`,
      section === undefined ? '' : String(section.size),
    ]),
  );
  const exports = inspection.exports.map(({ name, symbol, section, value, size }) => {
    const what = symbol === name ? '' : symbol;
    return [name, `${section ?? '?'}+0x${value.toString(16)}`, `${size} bytes`, what];
  });
  const imports = inspection.imports.map((name) => [
    name,
    provided.has(name) ? where : base.kind === 'built-in' ? 'not in the built-in base image' : `not in ${where}`,
  ]);
  const counts = relocationCounts(elf).map(([name, count]) => [String(count), name]);
  const problems = fileProblems(elf).map(
    (problem) => `  ${problem.severity}: ${problemText(problem)} [${problem.code}]\n`,
  );
  const verdict =
    inspection.problem === undefined
      ? 'llext_load accepts this file where all imports are provided\n'
      : `llext_load refuses this file: ${inspection.problem}\n`;
  return [
    `${file}: ${kind}, ${elf.is64 ? 64 : 32}-bit ${order}-endian, ${elf.sections.length} sections\n`,
    `regions\n${table([['', 'size', 'section', 'offset', 'size'], ...regions], [1, 3, 4])}`,
    exports.length === 0 ? 'exports nothing\n' : `exports\n${table(exports)}`,
    imports.length === 0 ? 'imports nothing\n' : `imports\n${table(imports)}`,
    counts.length === 0 ? '' : `relocations\n${table(counts, [0])}`,
    verdict,
    ...problems,
  ].join('');
}

function readArguments(args: string[]) {
  return parseArguments({
    args,
    allowPositionals: true,
    options: { base: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
}
