/**
 * The functions of llext.h and inspect.h that LlextSubsystem provides, with the errnos that each returns in each version of
 * Zephyr (specification 5); undefined = this version does not have the function. Errnos of llext_load are those of the
 * loader itself; a loader's own functions may return any other. Whether the function exists is asked of this table.
 */
import { Errno, LlextError } from '../errors';
import type { ErrnoName } from '../errors';
import { profileNames } from './profile';
import type { ProfileName } from './profile';

type Errnos = readonly ErrnoName[];
type Versions = Readonly<Record<ProfileName, Errnos | undefined>>;

const always = (...errnos: ErrnoName[]): Versions => ({ SEED: errnos, V41: errnos, V44: errnos, S: errnos });
const since41 = (...errnos: ErrnoName[]): Versions => ({ ...always(...errnos), SEED: undefined });

export const llextApi = {
  llext_load: {
    SEED: ['ENOMEM', 'ENOEXEC', 'ENOTSUP', 'ENODATA'],
    V41: ['ENOMEM', 'ENOEXEC', 'ENOTSUP', 'ENODATA', 'EFAULT'],
    V44: ['ENOMEM', 'ENOEXEC', 'ENOTSUP', 'ENODATA', 'EFAULT'],
    S: ['ENOMEM', 'ENOEXEC', 'ENOTSUP', 'ENODATA', 'EFAULT'],
  },
  llext_unload: always(),
  llext_by_name: always(),
  llext_iterate: always(),
  llext_find_sym: always(),
  llext_call_fn: { ...always('ENOENT'), SEED: ['EINVAL'] },
  llext_add_domain: always('ENOSYS', 'EINVAL', 'ENOSPC'),
  llext_find_section: { ...always('ENOTSUP', 'ENOENT'), SEED: ['ENOENT'] },
  llext_get_section_header: { ...since41('ENOENT', 'ENOTSUP'), V41: ['ENOENT'] },
  llext_section_shndx: { ...since41('ENOENT', 'ENOTSUP'), V41: ['ENOENT'] },
  llext_get_section_info: since41('EINVAL', 'ENOTSUP'),
  llext_get_region_info: since41('EINVAL'),
  llext_section_headers: since41(),
  llext_section_count: since41(),
  llext_free_inspection_data: since41(),
  llext_get_fn_table: { SEED: undefined, V41: ['EINVAL', 'ENOMEM', 'EFAULT'], V44: undefined, S: undefined },
  llext_get_fn_table_entry: { SEED: undefined, V41: undefined, V44: ['EINVAL', 'EFAULT'], S: ['EINVAL', 'EFAULT'] },
  llext_bringup: since41('EINVAL', 'EFAULT'),
  llext_teardown: since41('EINVAL', 'EFAULT'),
  llext_bootstrap: since41(),
  llext_heap_init: since41('ENOSYS', 'EEXIST'),
  llext_heap_init_harvard: since41('ENOSYS', 'EEXIST'),
  llext_heap_uninit: since41('ENOSYS', 'EEXIST', 'EBUSY'),
  llext_relink_dependency: since41('ENOENT'),
  llext_restore: since41('ENOMEM', 'EINVAL', 'EFAULT'),
} as const satisfies Readonly<Record<string, Versions>>;

export type ApiName = keyof typeof llextApi;

export const apiNames = Object.keys(llextApi) as ApiName[];

/** undefined: this version does not have the function. */
export function apiErrnos(profile: ProfileName, name: ApiName): Errnos | undefined {
  const versions: Versions = llextApi[name];
  return versions[profile];
}

export function hasApi(profile: ProfileName, name: ApiName): boolean {
  return apiErrnos(profile, name) !== undefined;
}

/** A program that calls what its Zephyr does not have would not have been linked. */
export function requireApi(profile: ProfileName, name: ApiName): void {
  if (hasApi(profile, name)) return;
  const others = profileNames.filter((other) => hasApi(other, name)).join(', ');
  throw new LlextError(Errno.ENOSYS, `${name} does not exist in the Zephyr of profile ${profile}, only in ${others}`);
}
