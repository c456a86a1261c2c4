/** One row of the base image's export table: a C prototype, what it does, the implementation's id, and its group. */
import type { ExportGroup } from '../llext/types';

export interface ExportRow {
  readonly name: string;
  /** C prototype, as a hover shows it. */
  readonly signature: string;
  /** Key into the table of implementations; several names may share one. */
  readonly implementation: string;
  readonly doc: string;
  /** Of EXPORT_GROUP_SYMBOL; EXPORT_SYMBOL is UNASSIGNED. */
  readonly group: ExportGroup;
}

/**
 * The name is the prototype's; the implementation has the same name unless told otherwise. What implements a system call
 * is of the group that the syscalls' generator writes.
 */
export function row(signature: string, doc: string, implementation?: string): ExportRow {
  const name = /(\w+)\(/.exec(signature)?.[1] ?? signature;
  const group = name.startsWith('z_impl_') ? 'SYSCALL' : 'UNASSIGNED';
  return { name, signature, implementation: implementation ?? name, doc, group };
}
