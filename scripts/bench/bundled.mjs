/**
 * `node scripts/bench/bundled.mjs engine|loader [arguments]`: the benchmark as one bundle, as the product is built. Module by
 * module, every constant of another file would be a call of its getter, which is half of some of the times measured.
 */
import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [name, ...rest] = process.argv.slice(2);
// As deep in the project as the sources: they find its files from where they are.
const outdir = join(root, 'out/bench');
const common = {
  outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  logLevel: 'error',
};
const sources = (...names) => names.map((entry) => join(root, 'scripts/bench', `${entry}.ts`));
await build({
  ...common,
  // The engine's benchmark runs the others as processes of their own.
  entryPoints: sources(name, 'first-milliseconds', 'index-start'),
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.filename': '__filename' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  packages: 'external',
});
// Built and started as the adapter is (webpack.config.js): with its packages, and a name for this build.
await build({
  ...common,
  entryPoints: sources('index-time'),
  minify: true,
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: `})\n//# build=${Date.now().toString(16)}` },
});
const outfile = join(outdir, `${name}.cjs`);
process.argv.splice(1, process.argv.length - 1, outfile, ...rest);
await import(pathToFileURL(outfile).href);
