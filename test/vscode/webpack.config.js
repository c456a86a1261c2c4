/** Bundles of the suite, one for each extension host; the product's bundles are webpack.config.js of the project. */
const path = require('node:path');
const [node, web] = require('../../webpack.config.js');

const dist = path.resolve(__dirname, '../../dist');
const common = { mode: 'development', devtool: 'inline-source-map', performance: { hints: false }, optimization: {} };

module.exports = [
  {
    ...node,
    ...common,
    entry: { index: './test/vscode/suite/index.ts' },
    output: { ...node.output, path: path.join(dist, 'test') },
    externals: { ...node.externals, mocha: 'commonjs mocha' },
    plugins: [],
  },
  {
    ...web,
    ...common,
    entry: { index: './test/vscode/suite/web-index.ts' },
    output: { ...web.output, path: path.join(dist, 'web/test'), libraryTarget: 'commonjs2' },
  },
];
