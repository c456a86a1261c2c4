/**
 * Where breakpoints on functions go: in every extension that has the function, in its inlined copies, in the base
 * image, and (by the exact name only) in the functions that the host performs. Why one has no place.
 */
import { nearestNames } from '../lib/check/nearest-names';
import type { NameTest } from '../lib/program/function-locations';
import type { BoundLocation } from './breakpoints';
import type { BreakpointHost, Explanation } from './breakpoint-binding';
import { type FunctionPattern, matchesName, type NamePattern } from './function-pattern';
import type { Inferior, LoadedExtension } from './inferior';
import type { ExtensionFile } from './program-files';
import { waitsFor } from './source-places';

export function locateInExtension(pattern: FunctionPattern, extension: LoadedExtension): BoundLocation[] {
  return places(extension, testFor(pattern, extension.file), extension.id);
}

/** In the base image, whose functions no extension's name stands before. */
export function locateInBase({ whole }: FunctionPattern, inferior: Inferior): BoundLocation[] {
  const { base, target } = inferior;
  const found = base === undefined ? [] : places(base, test(whole), undefined);
  const own = found.filter(({ address }) => !target.isServed(address));
  if (typeof whole !== 'string') return own;
  const served = target.kernel.image.symbols.filter(({ name }) => name === whole);
  return [
    ...own,
    ...served
      .filter(({ address }) => target.isServed(BigInt(address)))
      .map(({ address }) => ({ ...atBase, address: BigInt(address) })),
  ];
}

const atBase = { instance: undefined, position: undefined, targetId: undefined } as const;

export function explainFunction(
  text: string,
  pattern: FunctionPattern,
  files: readonly ExtensionFile[],
  { inferior }: BreakpointHost,
): Explanation {
  const owners = files.filter((file) => hasFunction(file, testFor(pattern, file)));
  const waiting = owners.filter((file) => !inferior?.extensions.some((loaded) => loaded.file === file));
  if (waiting.length > 0) return waitsFor(waiting);
  const mayBeOfHost = typeof pattern.whole === 'string' && /^\w+$/.test(pattern.whole);
  if (inferior === undefined && owners.length === 0 && mayBeOfHost) {
    return { reason: 'pending', message: 'waits for the base image: no extension has such a function' };
  }
  const names = [...new Set(files.flatMap(functionNames))];
  const near = typeof pattern.whole === 'string' ? nearestNames(text, names) : [];
  const hint = near.length > 0 ? ` (near it: ${near.join(', ')})` : '';
  const where = files.map(({ config }) => `'${config.name}'`).join(', ');
  if (owners.length > 0) {
    return { reason: 'failed', message: `function ${text} has no code of its own: it was optimized out or is unused` };
  }
  return { reason: 'failed', message: `llext ${where} and the base image have no function ${text}${hint}` };
}

/** `ext::name` asks only in that extension; in all others the whole text is the name. */
function testFor({ whole, inExtension }: FunctionPattern, { config }: ExtensionFile): NameTest {
  return inExtension?.extension === config.name ? test(inExtension.name) : test(whole);
}

/** `ns::f(int)` is the overload with these parameters. */
function test(pattern: NamePattern): NameTest {
  const overload = typeof pattern === 'string' ? /^(.*?)\(([^()]*)\)(?: const)?$/.exec(pattern) : null;
  if (overload === null || overload[1].endsWith('operator')) {
    const isNamed = (name: string): boolean => matchesName(pattern, name);
    return typeof pattern === 'string' ? Object.assign(isNamed, { exact: pattern }) : isNamed;
  }
  const [, wanted, parameters] = overload;
  return Object.assign((name: string) => name === wanted, { parameters, exact: wanted });
}

function places(module: Pick<LoadedExtension, 'program'>, wanted: NameTest, instance: number | undefined) {
  return module.program
    .functionPlaces(wanted)
    .map(({ address, position }): BoundLocation => ({ instance, address, position, targetId: undefined }));
}

function hasFunction(file: ExtensionFile, wanted: NameTest): boolean {
  return functionNames(file).some(wanted);
}

function functionNames({ program }: ExtensionFile): string[] {
  const described = program.debug?.globalNames().flatMap(({ name, isFunction }) => (isFunction ? name : [])) ?? [];
  const symbols = program.symbols.filter(({ kind }) => kind === 'function').map(({ name }) => name);
  return [...described, ...symbols];
}
