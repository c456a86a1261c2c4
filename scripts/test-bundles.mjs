/**
 * The tests as `npm test` runs them: bundled once into out/test, with what they share in common chunks. From their sources, each of
 * the test files would be a process that translates half of the project again, with every constant of another file
 * behind a getter.
 */
import { build } from 'esbuild';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './setup.mjs';

const outdir = join(projectRoot, 'out/test');

/** Programs that run the tests, or that tests run as processes of their own. */
const programs = ['scripts/run-tests.ts', 'scripts/fuzz-llext.ts', 'cli/llext.ts'];

/** A bundled module finds the project's files from where its source is. */
const ownPlace = {
  name: 'own place',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const places = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
      const place = /\b(?:import\.meta\.|__)(url|filename|dirname)\b/g;
      const contents = readFileSync(path, 'utf8').replaceAll(place, (_, name) => JSON.stringify(places[name]));
      return { loader: 'ts', contents };
    });
  },
};

/** Path of the bundle of a program or a test file. */
export const bundleOf = (path) => join(outdir, path.replace(/\.ts$/, '.mjs'));

export async function bundleTests() {
  rmSync(outdir, { recursive: true, force: true });
  const tests = readdirSync(join(projectRoot, 'test')).filter((name) => name.endsWith('.test.ts'));
  await build({
    absWorkingDir: projectRoot,
    entryPoints: [...programs, ...tests.map((name) => `test/${name}`)],
    outbase: projectRoot,
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared/[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    plugins: [ownPlace],
    logLevel: 'error',
  });
}
