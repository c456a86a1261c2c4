/**
 * The CPUs whose relocations are known. Adding one = its file beside this one and a line here.
 */
import type { Arch } from '../../arch';
import { arm } from './arm';
import type { Relocator } from './relocator';

export const architectures: Readonly<Partial<Record<Arch, Relocator>>> = { arm };
