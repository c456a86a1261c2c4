/**
 * What the user did wrong: a wrong command line, a base image that does not say enough, a file that cannot be read.
 * The commands print the message on standard error and exit with its code; nothing else is reported this way.
 */
import type { FormatError } from '../lib/errors';

export class UsageError extends Error {
  readonly exitCode: number = 2;

  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The file was read and is damaged, or no ELF: the command's own answer is no, as where llext_load refuses it. */
export class DamagedFileError extends UsageError {
  override readonly exitCode = 1;

  constructor(file: string, error: FormatError) {
    super(`${file}: ${error.message}`);
    this.name = 'DamagedFileError';
  }
}

/** An address or size of the command line: decimal or 0x hexadecimal. */
export function parseAddress(text: string, what: string): bigint {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) throw new UsageError(`${what}: '${text}' is not a number`);
  return BigInt(text);
}
