/** Why a file cannot be used as a base image: a closed set of codes, each with a test. */
import { FormatError } from '../errors';

export type BaseImageErrorCode =
  /** ET_REL and the like. */
  | 'not-an-image'
  | 'unknown-machine'
  /** Nothing of an export table in sections, symbols and debug information. */
  | 'no-export-table'
  | 'export-table'
  | 'json';

export class BaseImageError extends FormatError {
  /** `message` says what is wrong, where, and what to do. */
  constructor(
    readonly reason: BaseImageErrorCode,
    message: string,
  ) {
    super('base-image', 'base image', 0);
    this.message = message;
    this.name = 'BaseImageError';
  }
}
