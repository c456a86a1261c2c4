/**
 * What the user did wrong: a wrong command line, a base image that does not say enough, a file that cannot be read.
 * The commands print the message on standard error and exit with 2; nothing else is reported this way.
 */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** An address or size of the command line: decimal or 0x hexadecimal. */
export function parseAddress(text: string, what: string): bigint {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) throw new UsageError(`${what}: '${text}' is not a number`);
  return BigInt(text);
}
