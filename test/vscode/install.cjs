/** The VS Code that the suites run in, before two of them look for it at the same time. usage: node test/vscode/install.cjs */
require('./runtime.cjs').installRuntime();
