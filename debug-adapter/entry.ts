/**
 * The function that the host calls: named by the launch attribute, or the usual one, or the only export. Looked for
 * from the last extension to the first: the ones before it are what it depends on.
 */
import { EM_ARM } from '../lib/elf/constants';
import { LlextError } from '../lib/errors';
import { usualEntry } from '../lib/target/defaults';
import { nearestNames } from '../lib/check/nearest-names';
import { errors } from './errors';
import type { LoadedExtension } from './inferior';
import type { EntryCall, SessionState } from './session-state';

export function chooseEntry(session: SessionState): void {
  const { config } = session;
  const inferior = session.requireInferior('launch');
  if (config === undefined) throw errors.notLaunched('launch');
  const candidates = inferior.extensions.toReversed();
  const entry = config.entry === undefined ? defaultEntry(candidates[0]) : namedEntry(config.entry, candidates);
  session.entry = entry;
  try {
    inferior.target.prepareCall(entry.address, config.args, inferior.target.bringUpCalls());
  } catch (error) {
    if (error instanceof LlextError) throw errors.initFailed(error.message.replace(/\.$/, ''));
    throw error;
  }
}

/** What runs, in a word. */
export const programName = ({ entry }: SessionState): string => entry?.extension.instance.name ?? 'llext';

export const processName = (session: SessionState): string =>
  `llext ${programName(session)} on ${session.requireInferior('launch').target.cpu.name}`;

function defaultEntry(extension: LoadedExtension): EntryCall {
  const exports = exportedFunctions(extension);
  const { name } = extension.instance;
  if (exports.length === 0) throw errors.noExports(name);
  const names = exports.map((exported) => exported.name);
  const chosen = usualEntry(names);
  const found = exports.find((exported) => exported.name === chosen);
  if (found === undefined) throw errors.entryAmbiguous(name, names);
  return { extension, name: found.name, address: found.address };
}

function namedEntry(wanted: string, candidates: readonly LoadedExtension[]): EntryCall {
  for (const extension of candidates) {
    const exported = exportedFunctions(extension).find(({ name }) => name === wanted);
    const address = exported?.address ?? functionNamed(extension, wanted);
    if (address !== undefined) return { extension, name: wanted, address };
  }
  const exports = exportedFunctions(candidates[0]).map(({ name }) => name);
  const near = nearestNames(wanted, exports);
  throw errors.entryNotFound(wanted, candidates[0].instance.name, near.length > 0 ? near : exports);
}

/** A function that is not exported can be called too, as long as there is one of that name. */
function functionNamed({ program }: LoadedExtension, name: string): bigint | undefined {
  const symbol = program.program.symbols.find((candidate) => candidate.name === name && candidate.kind === 'function');
  return symbol && program.toLoad(symbol.address);
}

function exportedFunctions(extension: LoadedExtension): { name: string; address: bigint }[] {
  return (extension.handle?.extension.expTab.symbols ?? []).flatMap(({ name, address }) => {
    const code = address & ~1n;
    return isCode(extension, address) ? [{ name, address: code }] : [];
  });
}

/** Thumb functions have bit 0 set; elsewhere the section tells. */
function isCode({ file, program }: LoadedExtension, address: bigint): boolean {
  const link = program.toLink(address & ~1n);
  if (link === undefined || file.elf.header.e_machine === EM_ARM) return link !== undefined && (address & 1n) === 1n;
  return program.program.sections.some(({ address: start, size, executable }) => {
    return executable && link >= start && link < start + BigInt(size);
  });
}
