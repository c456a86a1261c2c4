/**
 * Loads files made by test/support/elf-builder into a small target, with whatever base image a test wants.
 */
import type { BaseImage } from '../../cli/base-image-file';
import { LoadTarget } from '../../cli/load-target';
import type { LoadTargetOptions, Placement } from '../../cli/load-target';
import type { LlextLoadResult } from '../../lib/llext/llext';
import type { LlextLoader, LlextLoadParam } from '../../lib/llext/loader';
import { defaultLoadParam } from '../../lib/llext/loader';
import type { LlextConfig, LlextEvent, LlextStorage } from '../../lib/llext/types';

export const plainConfig: LlextConfig = {
  pointerSize: 4,
  arch: 'arm',
  page: 32,
  armMpu: false,
  mmu: false,
  importAllGlobals: false,
  logLevel: 4,
};

export function image(config: Partial<LlextConfig> = {}, exports: Readonly<Record<string, bigint>> = {}): BaseImage {
  return {
    config: { ...plainConfig, ...config },
    exports: Object.entries(exports).map(([name, address]) => ({ name, address })),
    heap: { address: 0x2010_0000n, bytes: 0x1_0000 },
    pool: 0x2000_1000n,
    listAddress: 0x2000_0000n,
  };
}

export interface LoadOptions {
  readonly name?: string;
  readonly storage?: LlextStorage;
  readonly peek?: boolean;
  readonly parm?: Partial<LlextLoadParam>;
  /** Functions that replace the buffer loader's. */
  readonly loader?: (loader: LlextLoader) => Partial<LlextLoader>;
}

export interface Bench {
  readonly target: LoadTarget;
  readonly events: LlextEvent[];
  load(file: Uint8Array, options?: LoadOptions): LlextLoadResult & { log: string[] };
}

export function bench(
  base: BaseImage = image(),
  placements: readonly Placement[] = [],
  refused?: string,
  heaps: Pick<LoadTargetOptions, 'heap' | 'leaveHeapUninitialised'> = {},
): Bench {
  const events: LlextEvent[] = [];
  const target = new LoadTarget(base, {
    ...heaps,
    placements,
    listener: (event) => events.push(event),
    refuses: (purpose) => purpose === refused,
  });
  return {
    target,
    events,
    load(file, { name = 'test', storage = 'temporary', peek = true, parm = {}, loader: replace } = {}) {
      const buffer = target.placeFile(file, storage, peek);
      const loader: LlextLoader = {
        storage,
        state: buffer.state,
        seek: (position) => buffer.seek(position),
        read: (length) => buffer.read(length),
        peek: buffer.peek,
        ...replace?.(buffer),
      };
      target.announce(name);
      const result = target.llext.load(loader, name, { ...defaultLoadParam, ...parm });
      return { ...result, log: target.takeLog() };
    },
  };
}

export function errors(log: readonly string[]): string[] {
  return log.filter((line) => line.startsWith('<err>')).map((line) => line.replace(/^<err> /, ''));
}
