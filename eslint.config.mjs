import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'out/', '**/*.generated.ts', 'test/vscode/node_modules/', 'test/vscode/run/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        // The runner of node:test waits for its own promises.
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite', 'before', 'after'] },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 600 }],
      'max-lines-per-function': ['error', { max: 80, skipComments: false }],
    },
  },
  // CommonJS has no other way to import.
  { files: ['**/*.cjs', '**/webpack.config.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  // A flat relocation or operator switch reads as its table; a suite of tests is one callback.
  { files: ['lib/llext/reloc/*.ts', 'test/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
);
