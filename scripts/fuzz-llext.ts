/**
 * `npm run fuzz -- [--files N] [--seed N] [--from N]`: the loader's mutation fuzzing in one process; prints a report
 * as JSON. Exit code 1 when an input failed. `--input N` runs that one alone; `--keep FILE --found TEXT` also writes it
 * for test/fuzz-corpus, `--elf FILE` only its bytes.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzzSources, LlextFuzzer } from '../test/support/llext-fuzzer';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '20250' },
    from: { type: 'string', default: '0' },
    input: { type: 'string' },
    keep: { type: 'string' },
    found: { type: 'string', default: '' },
    elf: { type: 'string' },
  },
});

const fuzzer = new LlextFuzzer(fuzzSources(), Number(values.seed));
if (values.input !== undefined) {
  const input = Number(values.input);
  const kept = fuzzer.keep(input, values.found);
  if (values.keep !== undefined) writeFileSync(values.keep, `${JSON.stringify(kept)}\n`);
  if (values.elf !== undefined) writeFileSync(values.elf, Buffer.from(kept.file, 'base64'));
  fuzzer.run(input);
} else {
  // Every other input ends in an error, whose stack would cost more than the load.
  Error.stackTraceLimit = 0;
  const from = Number(values.from);
  for (let i = 0; i < Number(values.files); i++) fuzzer.run(from + i);
}
fuzzer.report.peakMemory = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify(fuzzer.report));
process.exitCode = fuzzer.report.failures.length === 0 ? 0 : 1;
