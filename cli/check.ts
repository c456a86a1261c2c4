/**
 * `llext check FILE...`: everything that would fail or surprise when these files are loaded in this order, before
 * anybody flashes them (lib/check). For a terminal, for a build's problem matcher, and for continuous integration.
 */
import { writeFile } from 'node:fs/promises';
import { version } from '../package.json';
import { checkFiles, countBySeverity } from '../lib/check/check';
import type { CheckReport } from '../lib/check/check';
import { findingCodes, findingRules, ruleOf } from '../lib/check/rules';
import { sarifLog } from '../lib/check/sarif';
import { reportJson, reportText } from './check-output';
import { loadOptions, loadOptionsHelp, readLoadInput, readLoadOptions } from './load-options';
import type { CommandOutput } from './output';
import { parseArguments } from './parse-arguments';
import { UsageError } from './usage-error';

export const checkHelp = `usage: llext check FILE... [options]

Says what would fail or surprise when the files are loaded in this order by llext_load; later files may use what earlier
ones export. Nothing is executed.

${loadOptionsHelp}  --strict             warnings count as errors for the exit status
  --json               {version: 1, profile, summary: {error, warning, note}, files: [{file, name, ret, refusal, assumed,
                       findings: [{code, severity, title, message, section, symbol, offset, source: {file, line, column},
                       explanation, fix, specification, related}], left_out}]}
  --sarif FILE         writes SARIF 2.1.0 there ('-' = standard output), beside what is printed
  --explain CODE       the page of a finding ('all' = every code)
  --help

exit status: 0 no errors (with --strict: and no warnings), 1 errors, 2 wrong usage or an unreadable file
`;

export async function check(args: string[], io: CommandOutput): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    if (values.help === true) {
      io.stdout.write(checkHelp);
      return 0;
    }
    if (values.explain !== undefined) {
      io.stdout.write(explain(values.explain));
      return 0;
    }
    if (positionals.length === 0) throw new UsageError('no file is given');
    if (values.sarif === '-' && values.json === true) {
      throw new UsageError("--json and '--sarif -' both write to standard output: give --sarif a file");
    }
    const inputs = await Promise.all(positionals.map(readLoadInput));
    const report = checkFiles(inputs, await readLoadOptions(values, inputs));
    await print(report, values, io);
    const { error, warning } = countBySeverity(report.files.flatMap(({ findings }) => findings));
    return error > 0 || (values.strict === true && warning > 0) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`llext check: ${error.message}\n`);
    return 2;
  }
}

type Values = ReturnType<typeof readArguments>['values'];

function readArguments(args: string[]) {
  return parseArguments({
    args,
    allowPositionals: true,
    options: {
      ...loadOptions,
      strict: { type: 'boolean' },
      json: { type: 'boolean' },
      sarif: { type: 'string' },
      explain: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

async function print(report: CheckReport, values: Values, io: CommandOutput): Promise<void> {
  const sarif =
    values.sarif === undefined ? undefined : `${JSON.stringify(sarifLog(report, { version }), undefined, 2)}\n`;
  if (sarif !== undefined && values.sarif === '-') {
    io.stdout.write(sarif);
    return;
  }
  if (sarif !== undefined && values.sarif !== undefined) await writeOutput(values.sarif, sarif);
  io.stdout.write(values.json === true ? `${JSON.stringify(reportJson(report), undefined, 2)}\n` : reportText(report));
}

async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function explain(code: string): string {
  const wanted = code === 'all' ? findingCodes : [code];
  return wanted
    .map((name) => {
      const rule = ruleOf(name);
      if (rule === undefined)
        throw new UsageError(`--explain: there is no code '${name}': ${Object.keys(findingRules).join(' ')}`);
      return `${name}: ${rule.title}\n  ${rule.explanation}\n  to do: ${rule.fix}\n  specification ${rule.specification}\n`;
    })
    .join('\n');
}
