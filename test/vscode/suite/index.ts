/** Entry in the Node extension host: mocha with the suite, and a report for run-tests.cjs. */
import Mocha from 'mocha';
import { writeFileSync } from 'node:fs';
import { runAll } from './run-all';

export async function run(): Promise<void> {
  // Once more, as the user interface's scenarios: VS Code shares the machine with others.
  const mocha = new Mocha({ ui: 'tdd', timeout: 60_000, color: false, retries: 1 });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  await import('./all');
  await runAll(mocha, (states) => {
    const report = process.env['VSCODE_TEST_REPORT'];
    if (report !== undefined) writeFileSync(report, JSON.stringify(states));
  });
}
