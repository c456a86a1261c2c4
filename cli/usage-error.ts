/** A wrong command line or an unreadable file: the commands print the message and exit with 2. */
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
