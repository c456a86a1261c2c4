/** One row of the base image's export table: a C prototype, what it does, and the implementation's id. */

export interface ExportRow {
  readonly name: string;
  /** C prototype, as a hover shows it. */
  readonly signature: string;
  /** Key into the table of implementations; several names may share one. */
  readonly implementation: string;
  readonly doc: string;
}

/** The name is the prototype's; the implementation has the same name unless told otherwise. */
export function row(signature: string, doc: string, implementation?: string): ExportRow {
  const name = /(\w+)\(/.exec(signature)?.[1] ?? signature;
  return { name, signature, implementation: implementation ?? name, doc };
}
