/** Runs mocha and collects the state of every test; rejects when one failed, which is what VS Code's runner looks at. */

interface Runnable {
  readonly state?: string;
  readonly pending?: boolean;
}

interface Runner {
  on(event: 'test end', listener: (test: Runnable) => void): unknown;
  on(event: 'fail' | 'retry', listener: (test: { fullTitle(): string }, error: Error) => void): unknown;
}

export function runAll(mocha: { run(done: (failures: number) => void): unknown }, report: (states: string[]) => void) {
  const states: string[] = [];
  return new Promise<void>((resolve, reject) => {
    const runner = mocha.run((failures) => {
      report(states);
      if (failures === 0) resolve();
      else reject(new Error(`${failures} tests failed`));
    }) as Runner;
    runner.on('test end', (test) => states.push(test.pending === true ? 'pending' : (test.state ?? 'failed')));
    runner.on('retry', (test, error) => console.log(`  RETRIED ${test.fullTitle()}: ${error.stack ?? error.message}`));
    runner.on('fail', (test, error) => console.log(`  FAILED ${test.fullTitle()}: ${error.stack ?? error.message}`));
  });
}
