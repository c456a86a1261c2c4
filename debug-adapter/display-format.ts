/** How numbers are shown in all values: as their types say, or in one base. VS Code sends no format of its own. */
import type { FormatOptions } from '../lib/dwarf/format';
import type { DisplayFormatArguments, DisplayFormatResponse, DisplayFormat } from '../lib/protocol';
import { errors } from './errors';
import { valuesChanged } from './memory';
import type { SessionState } from './session-state';

const optionsOf: Readonly<Record<DisplayFormat, FormatOptions>> = {
  natural: {},
  decimal: { base: 'decimal' },
  hex: { hex: true },
  binary: { base: 'binary' },
};

/** Without a format it only tells the one that holds. */
export function displayFormat(
  session: SessionState,
  { format }: DisplayFormatArguments,
  after: (action: () => void) => void,
): DisplayFormatResponse {
  if (format === undefined) return { format: session.displayFormat };
  if (!Object.hasOwn(optionsOf, format)) {
    throw errors.badArguments('llext/displayFormat', `"format" is one of ${Object.keys(optionsOf).join(', ')}`);
  }
  session.displayFormat = format;
  after(() => valuesChanged(session));
  return { format };
}

/** What somebody asks for with a value comes before what holds for all. */
export function displayOptions({ displayFormat: format }: SessionState, options: FormatOptions): FormatOptions {
  const isOwn = options.hex !== undefined || options.base !== undefined;
  return isOwn ? options : { ...optionsOf[format], ...options };
}
