/**
 * Six bundles in two worlds. Node: the extension, the debug adapter (a process of its own; what starts it from compiled code is a
 * bundle apart) and the command line.
 * Web worker: the extension with the adapter inside, and the adapter alone as a worker's script.
 * ts-loader only strips types; `npm run typecheck` checks them. Capstone's WebAssembly file is copied once beside the
 * node bundles: the adapter reads it there, and the extension reads it by its URI and hands the bytes in.
 */
const { copyFileSync, mkdirSync } = require('node:fs');
const path = require('node:path');
const MinimizerPlugin = require('minimizer-webpack-plugin');
const webpack = require('webpack');

const dist = path.resolve(__dirname, 'dist');
const typescript = {
  test: /\.ts$/,
  exclude: /node_modules/,
  use: { loader: 'ts-loader', options: { transpileOnly: true, compilerOptions: { noEmit: false, sourceMap: true } } },
};

class CopyCapstone {
  apply(compiler) {
    compiler.hooks.afterEmit.tap('CopyCapstone', () => {
      mkdirSync(dist, { recursive: true });
      copyFileSync(require.resolve('@alexaltea/capstone-js/dist/capstone.wasm'), path.join(dist, 'capstone.wasm'));
    });
  }
}

/** As debug-adapter/code-cache.ts runs it; around what the minimizer leaves. */
function functionExpression(test) {
  const stage = webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE + 1;
  const banner = (text, footer) => new webpack.BannerPlugin({ banner: text, raw: true, footer, test, stage });
  return [
    banner('(function (exports, require, module, __filename, __dirname) {', false),
    banner('})\n//# build=[fullhash]', true),
  ];
}

const common = {
  mode: 'production',
  devtool: 'source-map',
  externals: { vscode: 'commonjs vscode' },
  // A bundle is one file: a worker in a browser could not load a second one.
  module: { rules: [typescript], parser: { javascript: { dynamicImportMode: 'eager', createRequire: false } } },
  // Comments and white space go; names stay, so that stack traces can be read and the build stays fast.
  optimization: {
    minimize: true,
    minimizer: [
      new MinimizerPlugin({
        minimizerOptions: {
          compress: false,
          mangle: { keep_fnames: true, keep_classnames: true },
          format: { ascii_only: true },
        },
      }),
    ],
  },
  performance: { maxAssetSize: 2_750_000, maxEntrypointSize: 2_750_000, hints: 'error' },
  stats: 'errors-warnings',
};

const node = {
  ...common,
  name: 'node',
  target: 'node20',
  entry: {
    extension: './extension/extension.ts',
    'debug-adapter': './debug-adapter/start.ts',
    'debug-adapter-main': './debug-adapter/main.ts',
    llext: './cli/llext.ts',
  },
  // Written anew each time: the tests tell by its age that a bundle is as new as the sources.
  output: { path: dist, filename: '[name].js', libraryTarget: 'commonjs2', compareBeforeEmit: false },
  node: { __dirname: false, __filename: false },
  resolve: { extensions: ['.ts', '.js'] },
  plugins: [
    new CopyCapstone(),
    new webpack.BannerPlugin({ banner: '#!/usr/bin/env node', raw: true, test: /^llext\.js$/ }),
    ...functionExpression(/^debug-adapter-main\.js$/),
  ],
};

const web = {
  ...common,
  name: 'web',
  target: 'webworker',
  entry: {
    extension: { import: './extension/extension.ts', library: { type: 'commonjs2' } },
    // A script that a page starts: it exports nothing, and a worker has no `module`.
    'debug-adapter-worker': './debug-adapter/worker.ts',
  },
  output: { path: path.join(dist, 'web'), filename: '[name].js', compareBeforeEmit: false },
  resolve: {
    extensions: ['.ts', '.js'],
    mainFields: ['browser', 'module', 'main'],
    alias: { path: 'path-browserify' },
    // What @vscode/debugadapter uses only when it is a process of its own.
    fallback: { net: false, fs: false, url: false, os: false },
  },
  plugins: [
    new webpack.ProvidePlugin({ process: 'process/browser' }),
    // Capstone's script names it in a branch that only Node takes; any module does.
    new webpack.NormalModuleReplacementPlugin(/^node:fs$/, require.resolve('path-browserify')),
  ],
};

module.exports = [node, web];
