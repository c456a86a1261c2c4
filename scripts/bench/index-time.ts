/**
 * `index-start.cjs FILE line SOURCE LINE` or `index-start.cjs FILE function NAME`: opens an ELF file in a new process, finds the places of a
 * breakpoint, and what a stop at the first of them shows. Prints as JSON the number of places, and after each of file opened, program
 * opened, places found, stop shown: the milliseconds since the process was started, and of processor time since this script began.
 */
import { ElfFile } from '../../lib/elf/elf-file';
import { findLocations } from '../../lib/program/breakpoint-locations';
import { findFunctionPlaces } from '../../lib/program/function-locations';
import { Program } from '../../lib/program/program';
import { openSource } from '../../debug-adapter/file-source';

const [path, kind, what, line] = process.argv.slice(2);
const ownTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const began = ownTime();
const laps: { readonly clock: number; readonly processor: number }[] = [];
const lap = (): void => void laps.push({ clock: performance.now(), processor: ownTime() - began });

async function main(): Promise<void> {
  const file = await openSource(path);
  lap();
  const program = Program.open(ElfFile.parse(file));
  lap();
  const { debug, lines, symbolIndex } = program;
  if (debug === undefined || lines === undefined) throw new Error(`${path} has no debug information`);
  const places =
    kind === 'function'
      ? findFunctionPlaces(
          debug,
          lines,
          symbolIndex,
          Object.assign((name: string) => name === what, { exact: what }),
        )
      : findLocations(
          debug,
          lines,
          debug.filesNear(what).filter((file) => file.path.endsWith(what)),
          Number(line),
        );
  lap();
  const { address } = places[0];
  const stopped = debug.functionAt(address);
  const variables = (stopped?.scope.variables ?? []).map(({ name, type }) => `${name} ${type.displayName}`);
  const shown = [lines.blockAt(address), debug.cfiAt(address), symbolIndex.at(address, 0n)];
  if (variables.length === 0 || shown.includes(undefined)) throw new Error(`a stop at ${what} shows too little`);
  lap();
  console.log(JSON.stringify({ places: places.length, laps }));
}

/** When all is done: what was called until then is kept as compiled code. */
export const started = main();
