/**
 * The suites of `npm test`, in the order they run: cheap checks first, a real VS Code last.
 * Test files are flat in test/ and belong to the first suite whose pattern matches their name; a file that no suite
 * takes fails the run, so that none is forgotten.
 */

/** A program that succeeds or fails as a whole, or that ends with a line 'N passed, N failed, N skipped'. */
export interface CommandSuite {
  readonly kind: 'command';
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
  /** What must be there for it to run: programs by name, files by path from the project's root. */
  readonly needs?: readonly string[];
  /** Runs at the same time as the suite before it: programs that use one core each and touch nothing of each other's. */
  readonly besideTheLast?: boolean;
  readonly timeoutSeconds: number;
}

/** Files test/<name>.test.ts under node:test. */
export interface FileSuite {
  readonly kind: 'files';
  readonly name: string;
  readonly pattern: RegExp;
  /** Files at a time; 1 where time is measured. */
  readonly concurrency: number;
  readonly timeoutSeconds: number;
}

export type Suite = CommandSuite | FileSuite;

const command = (name: string, ...commands: (readonly string[])[]): CommandSuite => ({
  kind: 'command',
  name,
  commands,
  timeoutSeconds: 600,
});

const files = (name: string, pattern: RegExp, concurrency = 2): FileSuite => ({
  kind: 'files',
  name,
  pattern,
  concurrency,
  timeoutSeconds: 400,
});

/** Commands are Node programs: the path of a script, then its arguments. */
const bin = (name: string, ...args: string[]): readonly string[] => [`node_modules/${name}`, ...args];

const vscodeNeeds = ['chromium', 'test/vscode/package.json'];

export const suites: readonly Suite[] = [
  command('build', bin('webpack/bin/webpack.js')),
  // These need nothing that is built.
  { ...command('format', bin('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')), besideTheLast: true },
  { ...command('lint', bin('eslint/bin/eslint.js', '.')), besideTheLast: true },
  {
    ...command(
      'types',
      bin('typescript/bin/tsc', '--noEmit', '-p', '.'),
      bin('typescript/bin/tsc', '--noEmit', '-p', 'lib'),
    ),
    besideTheLast: true,
  },
  // Waits for the network, where it is not there yet.
  { ...command('vscode runtime', ['test/vscode/install.cjs']), needs: vscodeNeeds, besideTheLast: true },
  files('layers', /^layers/),
  files('base', /^base-/),
  files('golden', /golden/),
  files('gdb-truth', /truth/),
  // 200,000 files and millions of instructions, beside each other on two cores.
  { ...files('fuzz', /(fuzz|mutation|classification|differential)/), timeoutSeconds: 900 },
  files('check', /^check-/),
  files('elf', /^elf-/),
  files('llext', /^(llext|reloc)-/),
  files('dwarf', /^(dwarf|program)-/),
  files('c-expression', /^c-expression/),
  files('emulator', /^(jit|thumb|riscv|machine|emulator|disassembler)-/),
  files('kernel', /^(kernel|target)-/),
  files('safety', /^safety-/),
  files('fixtures', /^fixtures-/),
  files('extension', /^extension-/),
  files('qemu', /^qemu-/),
  files('cli', /^cli-/),
  files('dap', /^dap-/),
  { ...command('vscode host', ['test/vscode/run-tests.cjs']), needs: vscodeNeeds, timeoutSeconds: 900 },
  {
    ...command('vscode web', ['test/vscode/run-tests.cjs', '--web']),
    needs: vscodeNeeds,
    besideTheLast: true,
    timeoutSeconds: 900,
  },
  { ...command('vscode ui', ['test/vscode/ui.cjs']), needs: vscodeNeeds, timeoutSeconds: 900 },
];
