/** A program of the project as arguments of node: as `npm test` has bundled it (scripts/test-bundles.mjs), else from its source. */
import { join } from 'node:path';
import { projectRoot } from './fixtures';

/** `path` from the project's root, such as cli/llext.ts. */
export function nodeProgram(path: string): readonly string[] {
  const bundles = process.env['LLEXT_TEST_BUNDLES'];
  if (bundles === undefined) return ['--import', 'tsx', join(projectRoot, path)];
  return ['--enable-source-maps', join(projectRoot, bundles, path.replace(/\.ts$/, '.mjs'))];
}
