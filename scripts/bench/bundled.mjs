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
await build({
  // The engine's benchmark runs the others as processes of their own.
  entryPoints: [name, 'first-milliseconds', 'index-time'].map((entry) => join(root, 'scripts/bench', `${entry}.ts`)),
  outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.filename': '__filename' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  packages: 'external',
  logLevel: 'error',
});
const outfile = join(outdir, `${name}.cjs`);
process.argv.splice(1, process.argv.length - 1, outfile, ...rest);
await import(pathToFileURL(outfile).href);
