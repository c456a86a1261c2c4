/**
 * `index-time.cjs FILE SOURCE LINE FUNCTION`: opens an ELF file in a new process, finds the code of a line, and what a stop in a
 * function shows. Prints as JSON the processor time in milliseconds after each of: file read, program opened, line found, stop shown.
 */
import { readFileSync } from 'node:fs';
import { ElfFile } from '../../lib/elf/elf-file';
import { findLocations } from '../../lib/program/breakpoint-locations';
import { Program } from '../../lib/program/program';
import { ownMilliseconds } from './processor-time';

const [path, source, line, name] = process.argv.slice(2);
const began = ownMilliseconds();
const laps: number[] = [];
const lap = (): void => void laps.push(ownMilliseconds() - began);

const bytes = readFileSync(path);
lap();
const program = Program.open(ElfFile.parse(bytes));
lap();
const { debug, lines } = program;
if (debug === undefined || lines === undefined) throw new Error(`${path} has no debug information`);
const files = debug.files.filter((file) => file.path.endsWith(source));
const [place] = findLocations(debug, lines, files, Number(line));
lap();
if (place?.function?.name !== name) throw new Error(`${source}:${line} is in ${place?.function?.name ?? 'nothing'}`);
const variables = place.function.scope.variables.map((variable) => `${variable.name} ${variable.type.displayName}`);
const shown = [lines.blockAt(place.address), debug.cfiAt(place.address), program.symbolIndex.at(place.address, 0n)];
if (variables.length === 0 || shown.includes(undefined))
  throw new Error(`a stop at ${source}:${line} shows too little`);
lap();
console.log(JSON.stringify(laps));
