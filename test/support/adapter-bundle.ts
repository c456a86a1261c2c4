/**
 * The bundles that sessions of the tests run on: those of dist/, as `npm run build` makes them and the VSIX holds them. `npm test`
 * builds first. Where a source is newer than its bundle (a test run by hand between two builds) esbuild makes one of the
 * same entry in out/test-bundles, in a fraction of webpack's time: a stale bundle would test what is no longer there.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import { projectRoot } from './fixtures';

interface Bundle {
  readonly entry: string;
  readonly built: string;
  readonly options?: BuildOptions;
}

const bundles = {
  adapter: { entry: 'debug-adapter/main.ts', built: 'dist/debug-adapter.js' },
  cli: { entry: 'cli/llext.ts', built: 'dist/llext.js' },
  worker: {
    entry: 'debug-adapter/worker.ts',
    built: 'dist/web/debug-adapter-worker.js',
    // As webpack.config.js does it: what Node has and a worker has not.
    options: {
      platform: 'browser',
      alias: Object.fromEntries(['path', 'net', 'fs', 'url', 'os', 'node:fs'].map((name) => [name, 'path-browserify'])),
      banner: { js: 'var process = { env: {}, argv: [], version: "", platform: "browser", on() {} };' },
    },
  },
} satisfies Readonly<Record<string, Bundle>>;

/** Path of a bundle that is as new as the sources. */
export function bundlePath(name: keyof typeof bundles): string {
  const { entry, built, options }: Bundle = bundles[name];
  const newest = Math.max(...['cli', 'debug-adapter', 'lib'].map((folder) => newestSource(join(projectRoot, folder))));
  const upToDate = (path: string): boolean => existsSync(path) && statSync(path).mtimeMs >= newest;
  const fromBuild = join(projectRoot, built);
  if (upToDate(fromBuild)) return fromBuild;
  const outfile = join(projectRoot, 'out/test-bundles', `${name}.cjs`);
  if (!upToDate(outfile)) bundle(join(projectRoot, entry), outfile, options);
  return outfile;
}

function newestSource(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true });
  return Math.max(
    0,
    ...entries.map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return newestSource(path);
      return entry.name.endsWith('.ts') ? statSync(path).mtimeMs : 0;
    }),
  );
}

/** Test files that run beside each other may all find it missing: each makes its own and puts it there whole. */
function bundle(entry: string, outfile: string, options: BuildOptions = {}): void {
  mkdirSync(dirname(outfile), { recursive: true });
  const own = `${outfile}.${process.pid}`;
  buildSync({
    entryPoints: [entry],
    outfile: own,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    ...options,
  });
  renameSync(own, outfile);
}
