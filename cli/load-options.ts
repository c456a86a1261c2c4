/** How `llext check` and `llext explain` suppose that files are loaded: the options of both, and the files themselves. */
import type { CheckInput, CheckOptions } from '../lib/check/file-check';
import { profileNames } from '../lib/llext/profile';
import type { ProfileName } from '../lib/llext/profile';
import type { LlextStorage } from '../lib/llext/types';
import { readCheckBase } from './check-base';
import { findDebugFiles } from './debug-elf';
import { readInput } from './load';
import { UsageError } from './usage-error';

export const loadOptionsHelp = `  --base FILE          base image that exports and configuration are taken from (default: the built-in one)
  --profile VERSION    version of Zephyr's loader: ${profileNames.join(', ')} (default: V41, Zephyr 4.2)
  --config NAME=VALUE  replaces a configuration option of the base image, with or without CONFIG_ (again for each one)
  --storage KIND       of the file image: temporary (default), persistent, writable
  --no-peek            the loader cannot give addresses into the file image, as one that reads a file system
`;

/** For parseArgs. */
export const loadOptions = {
  base: { type: 'string' },
  profile: { type: 'string' },
  config: { type: 'string', multiple: true },
  storage: { type: 'string' },
  'no-peek': { type: 'boolean' },
} as const;

interface LoadValues {
  readonly base?: string;
  readonly profile?: string;
  readonly config?: string[];
  readonly storage?: string;
  readonly 'no-peek'?: boolean;
}

const storages: readonly LlextStorage[] = ['temporary', 'persistent', 'writable'];

export async function readLoadOptions(values: LoadValues, inputs: readonly CheckInput[]): Promise<CheckOptions> {
  const profile = oneOf<ProfileName>('--profile', profileNames, values.profile);
  const storage = oneOf('--storage', storages, values.storage);
  return {
    base: await readCheckBase(values.base, values.config ?? [], inputs),
    profile,
    storage,
    peek: values['no-peek'] !== true,
  };
}

function oneOf<T extends string>(option: string, known: readonly T[], value: string | undefined): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((name) => name === value);
  if (found === undefined) throw new UsageError(`${option}: '${value}' is none of ${known.join(', ')}`);
  return found;
}

export async function readLoadInput(file: string): Promise<CheckInput> {
  const bytes = await readInput(file);
  return { file, bytes, ...(await findDebugFiles(file, bytes)) };
}
