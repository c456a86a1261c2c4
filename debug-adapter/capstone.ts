/**
 * Capstone's loader function. Its package is one CommonJS file whose export is that function; bundlers and runtimes
 * differ in whether they see it as the module or as its default.
 */
import type { CapstoneFactory } from '../lib/disassembler';

export async function loadCapstone(): Promise<CapstoneFactory> {
  const loaded: unknown = await import('@alexaltea/capstone-js');
  const factory = typeof loaded === 'function' ? loaded : defaultOf(loaded);
  if (typeof factory !== 'function') throw new Error('the package @alexaltea/capstone-js exports no function');
  return factory as CapstoneFactory;
}

function defaultOf(loaded: unknown): unknown {
  let value = loaded;
  while (typeof value === 'object' && value !== null && 'default' in value) value = value.default;
  return value;
}
