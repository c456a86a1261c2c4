/** The base image of `llext check`: --base, and --config which replaces options of it. */
import { checkBaseOf } from '../lib/check/base';
import type { CheckBase } from '../lib/check/base';
import type { CheckInput } from '../lib/check/file-check';
import { builtInBaseOf, readBase } from './base-image-file';
import { isSet, loaderChange, loaderConfigNames, numberOf, parseChange } from './config-option';

type Change = (base: CheckBase, value: string) => CheckBase;

/** Options that a check depends on beside those of the loader. */
const options: Readonly<Record<string, Change>> = {
  LLEXT_HEAP_SIZE: (base, value) => ({
    ...base,
    heap: { ...base.heap, bytes: numberOf(value) * 1024 },
    heapKnown: true,
  }),
  FP_HARDABI: (base, value) => ({ ...base, floatAbi: isSet(value) ? 'hard' : 'soft' }),
  MPU_REGIONS: (base, value) => ({ ...base, mpuRegions: numberOf(value) }),
};

export const configNames = [...loaderConfigNames, ...Object.keys(options)];

/** Without a file the built-in image of the inputs' machine. */
export async function readCheckBase(
  file: string | undefined,
  changes: readonly string[],
  inputs: readonly CheckInput[],
): Promise<CheckBase> {
  let base = checkBaseOf(file === undefined ? builtInBaseOf(inputs.map(({ bytes }) => bytes)) : await readBase(file));
  for (const change of changes) {
    const { name, value } = parseChange(change, configNames);
    const config = loaderChange(name, value);
    base = config === undefined ? options[name](base, value) : { ...base, config: { ...base.config, ...config } };
  }
  return base;
}
