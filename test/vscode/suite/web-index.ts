/** Entry in the web worker extension host: the same suite; the report is a line of the console. */
import 'mocha/mocha';
import { runAll } from './run-all';

export async function run(): Promise<void> {
  mocha.setup({ ui: 'tdd', timeout: 60_000, retries: 1, reporter: undefined });
  await import('./all');
  await runAll(mocha, (states) => console.log(`LLEXT-REPORT ${JSON.stringify(states)}`));
}
